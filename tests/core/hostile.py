"""A writer of hostile bundles: each consistent, hashed and sealed, except for the one evil that its name tells.

The text before the colon of a kind of file is what its refusal says.
"""

import hashlib
import json
import os
import random
import struct
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

MARK = b"sightline sha256:"
LOCAL = (
    "signature",
    "needs",
    "flags",
    "method",
    "time",
    "date",
    "crc",
    "packed",
    "size",
    "name_length",
    "extra_length",
)
CENTRAL = ("signature", "made_by", *LOCAL[1:], "comment_length", "disk", "inside", "mode", "start")


def canonical(plain: Any) -> bytes:
    return (json.dumps(plain, sort_keys=True, indent=1, ensure_ascii=False) + "\n").encode()


def manifest(members: Mapping[str, bytes], **changes: Any) -> bytes:
    listed = {name: {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)} for name, data in members.items()}
    plain = {"files": listed, "format": 1, "needs": "0.1", "task": "sort", **changes}
    plain.setdefault("seal", hashlib.sha256(canonical(plain)).hexdigest())
    return canonical(plain)


def entry(name: bytes, data: bytes, place: int, /, **evil: Any) -> tuple[bytes, bytes]:
    """A member as its local header with content, and its line of the directory; `evil` names fields of either."""
    extra, stored = evil.get("extra", b""), evil.get("stored", data)
    numbers = {"made_by": 0x0314, "needs": 20, "flags": 0, "method": 0, "time": 0, "date": 0x21}
    numbers |= {"crc": zlib.crc32(data), "packed": len(stored), "size": len(data)}
    numbers |= {"name_length": len(name), "extra_length": len(extra), "comment_length": 0}
    numbers |= {"disk": 0, "inside": 0, "mode": 0o100644 << 16, "start": place}
    near = numbers | {key: value for key, value in evil.items() if key in LOCAL} | evil.get("local", {})
    far = numbers | {key: value for key, value in evil.items() if key in CENTRAL}
    head = struct.pack("<4s5H3I2H", b"PK\3\4", *(near[key] for key in LOCAL[1:]))
    line = struct.pack("<4s6H3I5H2I", b"PK\1\2", *(far[key] for key in CENTRAL[1:]))
    return head + name + extra + stored, line + name + extra


def ended(body: bytes, directory: bytes, count: int, **evil: Any) -> bytes:
    """The archive with its ending, sealed over whatever was made."""
    numbers = {"disk": 0, "first": 0, "here": count, "all": count, "length": len(directory), "start": len(body)} | evil
    data = body + directory + struct.pack("<4s4H2IH", b"PK\5\6", *numbers.values(), len(MARK) + 64) + MARK
    return data + hashlib.sha256(data + b"0" * 64).hexdigest().encode()


def sealed_zip(members: Mapping[str, bytes], text: bytes | None = None) -> bytes:
    return written([(name.encode(), data, {}) for name, data in members.items()], text or manifest(members))


def written(entries: list[tuple[bytes, bytes, dict[str, Any]]], text: bytes, *, ordered: bool = True) -> bytes:
    entries = [*entries, (b"model.json", text, {})]
    body, directory = b"", b""
    for name, data, evil in sorted(entries, key=lambda one: one[0]) if ordered else entries:
        near, far = entry(name, data, len(body), **evil)
        body, directory = body + near, directory + far
    return ended(body, directory, len(entries))


def named(*names: str) -> Callable[[random.Random], bytes]:
    """One member with a name that no bundle may hold; listed, hashed and sealed."""

    def make(chance: random.Random) -> bytes:
        name = chance.choice(names)
        return sealed_zip({name: b"evil %d" % chance.randrange(10**6)})

    return make


def twisted(**evil: Any) -> Callable[[random.Random], bytes]:
    """One member with these fields of its headers."""

    def make(chance: random.Random) -> bytes:
        data = b"%d" % chance.randrange(10**6) * chance.randrange(1, 50)
        return written([(b"card.md", data, evil)], manifest({"card.md": data}))

    return make


def told(**changes: Any) -> Callable[[random.Random], bytes]:
    """A model.json that says these things."""

    def make(chance: random.Random) -> bytes:
        members = {"card.md": b"%d" % chance.randrange(10**6)}
        return sealed_zip(members, manifest(members, **changes))

    return make


def spelt(change: Callable[[bytes], bytes]) -> Callable[[random.Random], bytes]:
    """A model.json whose text was changed after sealing."""

    def make(chance: random.Random) -> bytes:
        members = {"card.md": b"%d" % chance.randrange(10**6)}
        return sealed_zip(members, change(manifest(members)))

    return make


def expanding(chance: random.Random) -> bytes:
    """A hundredfold expansion."""
    data = bytes(200_000 + chance.randrange(1000))
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    stored = packer.compress(data) + packer.flush()
    return written([(b"card.md", data, {"method": 8, "stored": stored})], manifest({"card.md": data}))


def twice(chance: random.Random) -> bytes:
    data = b"%d" % chance.randrange(10**6)
    return written([(b"card.md", data, {})] * 2, manifest({"card.md": data}))


def unordered(chance: random.Random) -> bytes:
    data = b"%d" % chance.randrange(10**6)
    members: list[tuple[bytes, bytes, dict[str, Any]]] = [(b"report.html", data, {}), (b"card.md", data, {})]
    return written(members, manifest({"card.md": data, "report.html": data}), ordered=False)


def clashing(chance: random.Random) -> bytes:
    names = chance.choice([("card.md", "CARD.md"), ("card.md", "Card.md"), ("card.md", "card.MD")])
    return sealed_zip({name: b"%d" % chance.randrange(10**6) for name in names})


def prefixed(chance: random.Random) -> bytes:
    """Bytes of something else before the first member: two files in one."""
    members = {"card.md": b"x"}
    body, directory = b"MZ" + chance.randbytes(40), b""
    for name, data in {**members, "model.json": manifest(members)}.items():
        near, far = entry(name.encode(), data, len(body))
        body, directory = body + near, directory + far
    return ended(body, directory, 2)


def hidden(chance: random.Random) -> bytes:
    """Bytes between the members and the directory that no member owns."""
    near, far = entry(b"model.json", manifest({}), 0)
    return ended(near + chance.randbytes(40), far, 1)


def overlapping(chance: random.Random) -> bytes:
    """Two names for one place."""
    data = b"%d" % chance.randrange(10**6)
    near, far = entry(b"card.md", data, 0)
    far_too = entry(b"card2.md", data, 0)[1]
    text = manifest({"card.md": data, "card2.md": data})
    last, line = entry(b"model.json", text, len(near))
    return ended(near + last, far + far_too + line, 3)


def counted(number: int) -> Callable[[random.Random], bytes]:
    def make(chance: random.Random) -> bytes:
        near, far = entry(b"model.json", manifest({}), 0)
        return ended(near, far, 1, here=number, all=number)

    return make


def crowded(chance: random.Random) -> bytes:
    return sealed_zip({f"x{number}.md": b"" for number in range(64 + chance.randrange(100))})


def million(chance: random.Random) -> bytes:
    """A directory of a million lines, whose count wraps round to one that is allowed."""
    line = entry(b"card.md", b"", 0)[1]
    return ended(b"", line * (2**20 + chance.randrange(1, 60)), 0)


def astray(**evil: int) -> Callable[[random.Random], bytes]:
    """An ending that points elsewhere."""

    def make(chance: random.Random) -> bytes:
        near, far = entry(b"model.json", manifest({}), 0)
        return ended(near, far, 1, **evil)

    return make


def unsealed(chance: random.Random) -> bytes:
    """A sound archive with another seal."""
    data = bytearray(sealed_zip({"card.md": chance.randbytes(50)}))
    place = len(data) - chance.randrange(1, 65)
    data[place] = ord("1" if data[place] != ord("1") else "2")
    return bytes(data)


def graph(chance: random.Random) -> bytes:
    """A graph that keeps its weights in another file (an initializer with data_location EXTERNAL)."""
    tensor = b"\x08\x02\x10\x01\x42\x01w\x6a\x15\x0a\x08location\x12\x09../secret\x70\x01"
    net = b"\x2a" + bytes([len(tensor)]) + tensor
    return sealed_zip({"model.onnx": b"\x08\x0a\x3a" + bytes([len(net)]) + net + b"\x42\x02\x10\x14"})


ZIPS: dict[str, Callable[[random.Random], bytes]] = {
    "cannot name: up": named("../card.md", "../../x.md", "..", "a/../../b.md", "./card.md", "..\\card.md"),
    "cannot name: absolute": named("/card.md", "//x.md", "/etc/passwd", "~/x.md"),
    "cannot name: drive": named("C:\\x.md", "C:/x.md", "c:x.md", "C:", "z:\\..\\x.md"),
    "cannot name: share": named("\\\\host\\share\\x.md", "//host/share/x.md", "\\\\?\\C:\\x.md", "file://x.md"),
    "cannot name: folder": named("a/b.md", "a\\b.md", "a/", "card.md/"),
    "cannot name: nul": named("card.md\0.exe", "\0", "card\0.md"),
    "cannot name: marks": named("card.md ", "card.md.", " ", "ca\nrd.md", "\u202emd.drac", "ﬁ.md", "\u00a0.md"),
    "cannot name: hidden": named(".md", ".card.md", "-rf.md", "a" * 200 + ".md"),
    "cannot name: device": named("con.md", "nul.json", "aux.onnx", "com1.md", "lpt9.html", "prn.npz"),
    "cannot name: code": named(
        "model.pkl", "model.pt", "run.py", "lib.so", "model.h5", "x.dll", "x.exe", "saved.keras"
    ),
    "cannot name: clash": clashing,
    "listed twice: names": twice,
    "listed twice or out of order: order": unordered,
    "not written as: symlink": twisted(mode=0o120777 << 16),
    "not written as: device": twisted(mode=0o060644 << 16),
    "not written as: setuid": twisted(mode=0o104755 << 16),
    "not written as: dated": twisted(date=0x5A21),
    "not written as: made elsewhere": twisted(made_by=0x0014),
    "not written as: local name": twisted(local={"name_length": 5}),
    "not written as: encrypted": twisted(flags=1),
    "not written as: streamed": twisted(flags=8),
    "not written as: start": twisted(start=3),
    "not written as: second disk": twisted(disk=1),
    "not written as: zip64": twisted(needs=45),
    "not written as: local size": twisted(local={"size": 1}),
    "cannot name: hard link": twisted(extra=struct.pack("<HH", 0x000D, 12) + bytes(12)),
    "larger than the whole: size": twisted(size=2**32 - 1, packed=2**32 - 1),
    "larger than the whole: size of one": twisted(size=2**31),
    "checksum: lie": twisted(crc=1234),
    "larger than the whole: expansion": expanding,
    "not written as: two in one": prefixed,
    "directory: hidden bytes": hidden,
    "not written as: overlap": overlapping,
    "limit is 64: count": counted(65535),
    "limit is 64: crowd": crowded,
    "directory does not lie: million": million,
    "not written as: none counted": counted(2),
    "directory does not lie: start": astray(start=2**32 - 1),
    "directory does not lie: length": astray(length=2**32 - 1, start=0),
    "do not match its seal: changed": unsealed,
    "missing: listed only": told(files={"card.md": {"sha256": "0" * 64, "size": 1}, "x.md": {"sha256": "", "size": 1}}),
    "not listed: extra": told(files={}),
    "not what model.json lists: hash": told(files={"card.md": {"sha256": "0" * 64, "size": 1}}),
    "not what model.json lists: shape": told(files={"card.md": "../../etc/passwd"}),
    "not match its seal: list": told(files=["card.md"]),
    "not match its seal: wrong": told(seal="0" * 64),
    "not match its seal: none": told(seal=None),
    "bundle format 9: newer": told(format=9),
    "no bundle format: text": told(format="1"),
    "no bundle format: none": told(format=None),
    "was edited: space": spelt(lambda text: text + b" "),
    "was edited: windows": spelt(lambda text: text.replace(b"\n", b"\r\n")),
    "was edited: repeated key": spelt(lambda text: text.replace(b"{", b'{\n "format": 1,', 1)),
    "is not JSON: not a number": spelt(lambda text: text.replace(b'"sort"', b"NaN")),
    "is not JSON: deep": spelt(lambda text: b"[" * 10**6),
    "is not JSON: long number": spelt(lambda text: text.replace(b'"sort"', b"9" * 10**5)),
    "was edited: escapes": spelt(lambda text: text.replace(b'"sort"', b'"\\ud800"')),
    "no bundle format: list": spelt(lambda text: b"[]\n"),
    "no model.json: none": lambda chance: ended(*entry(b"card.md", b"%d" % chance.randrange(99), 0), 1),
    "another file: graph": graph,
}


def link_in(folder: Path, canary: Path, chance: random.Random) -> None:
    member = folder / chance.choice(["card.md", "weights.safetensors", "model.json"])
    member.unlink()
    member.symlink_to(
        chance.choice([canary, Path("/dev/zero"), Path("/etc/hostname"), Path(".."), Path("/proc/self/mem")])
    )


def sound_link(folder: Path, canary: Path, chance: random.Random) -> None:
    """A link to the very bytes that are listed, which someone may change later."""
    elsewhere = canary.with_name("elsewhere.md")
    elsewhere.write_bytes((folder / "card.md").read_bytes())
    (folder / "card.md").unlink()
    (folder / "card.md").symlink_to(elsewhere)


def hard_link(folder: Path, canary: Path, chance: random.Random) -> None:
    (folder / "card.md").unlink()
    os.link(canary, folder / "card.md")


def pipe(folder: Path, canary: Path, chance: random.Random) -> None:
    (folder / "card.md").unlink()
    os.mkfifo(folder / "card.md")


def inner_folder(folder: Path, canary: Path, chance: random.Random) -> None:
    (folder / chance.choice(["card.md2", "sub", "x.md", "__pycache__"])).mkdir()


def crowd(folder: Path, canary: Path, chance: random.Random) -> None:
    for number in range(64 + chance.randrange(50)):
        (folder / f"x{number}.md").touch()


def stranger(folder: Path, canary: Path, chance: random.Random) -> None:
    names = ["run.py", "model.pkl", "CARD.md", "Card.md", "a\nb.md", "x.md", "\\x.md", ".x.md", "conftest.py"]
    (folder / chance.choice(names)).write_bytes(b"x")


def sparse(folder: Path, canary: Path, chance: random.Random) -> None:
    """A file that says it is a terabyte, and takes no room."""
    with (folder / "card.md").open("r+b") as file:
        file.truncate(2 ** chance.randrange(25, 40))


FOLDERS: dict[str, Callable[[Path, Path, random.Random], None]] = {
    "link": link_in,
    "sound link": sound_link,
    "hard link": hard_link,
    "pipe": pipe,
    "folder": inner_folder,
    "crowd": crowd,
    "stranger": stranger,
    "sparse": sparse,
}
