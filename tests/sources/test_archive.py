"""Archives: read where they lie, labelled by their folders, and hostile ones refused by one typed error."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import pickle
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from sightline.core.annotations import Labels
from sightline.core.data import open_data
from sightline.core.errors import AmbiguousError, InputError, SettingsError, SightlineError
from sightline.core.image import encode
from sightline.core.known import look_at_all, remember
from sightline.sources._bytes import FileBytes
from sightline.sources.archive import packed

Files = dict[str, bytes]


def place(folder: Path) -> str:
    """A small archive, for the contract of all sources."""
    return str(zipped(folder / "a.zip", CLASSES))


def picture(value: int) -> bytes:
    return encode(np.full((3, 4, 1), value, np.uint8))


CLASSES = {f"{name}/{n}.png": picture(n) for n, name in enumerate(("good", "bad", "good/deep", "bad"), 1)}


def zipped(path: Path, files: Files, method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def tarred(path: Path, files: Files, mode: str = "w", form: int = tarfile.PAX_FORMAT) -> Path:
    with tarfile.open(path, mode, format=form) as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return path


KINDS: dict[str, Callable[[Path, Files], Path]] = {
    "a.zip": zipped,
    "stored.zip": lambda path, files: zipped(path, files, zipfile.ZIP_STORED),
    "a.tar": tarred,
    "gnu.tar": lambda path, files: tarred(path, files, form=tarfile.GNU_FORMAT),
    "old.tar": lambda path, files: tarred(path, files, form=tarfile.USTAR_FORMAT),
    "a.tar.gz": lambda path, files: tarred(path, files, "w:gz"),
    "a.tgz": lambda path, files: tarred(path, files, "w:gz"),
    "a.tar.xz": lambda path, files: tarred(path, files, "w:xz"),
    "a.tar.bz2": lambda path, files: tarred(path, files, "w:bz2"),
}


def everything(where: object) -> list[bytes]:
    return [sample.image.encoded() for sample in open_data(where)]


def refused(where: object, code: str = "corrupt", read: bool = False) -> str:
    with pytest.raises(SightlineError) as caught:
        everything(where) if read else open_data(where)
    assert caught.value.code == code, caught.value.message
    assert "\n" not in caught.value.message
    return caught.value.message


@pytest.mark.parametrize("kind", KINDS)
def test_pictures_and_their_classes(tmp_path: Path, kind: str) -> None:
    path = KINDS[kind](tmp_path / kind, CLASSES)
    data = open_data(path)  # natural by its name
    assert [sample.id for sample in data] == list(CLASSES)
    assert (data.kind, data.names) == (Labels, ("bad", "good"))
    assert data.counts() == {"good": 2, "bad": 2}
    for sample, (name, encoded) in reversed(list(zip(data, CLASSES.items(), strict=True))):
        assert sample.image.encoded() == encoded
        assert sample.image.name == f"{kind}/{name}"
        assert sample.pixels().shape == (3, 4, 1)
    assert len({sample.image.fingerprint() for sample in data}) == 4
    assert sorted(path.parent.iterdir()) == [path]  # nothing was unpacked
    again = pickle.loads(pickle.dumps(data[2].image))  # other processes open it for themselves
    assert again.encoded() == list(CLASSES.values())[2]


def test_names_of_any_length_and_language(tmp_path: Path) -> None:
    names = ["ünï/日本.png", "b/" + "x" * 150 + "/" + "y" * 150 + ".png", "b/2.PNG", "./c/3.png"]
    for kind in ("a.zip", "a.tar", "gnu.tar"):
        data = open_data(KINDS[kind](tmp_path / kind, {name: picture(1) for name in names}))
        assert [sample.id for sample in data] == [name.removeprefix("./") for name in names]


def test_splits_wrappers_and_what_is_no_picture(tmp_path: Path) -> None:
    files = {f"set/{side}/{name}/1.png": picture(1) for side in ("train", "test") for name in ("a", "b")}
    beside = {"set/README.md": b"x", "LICENSE.txt": b"x", "__MACOSX/set/._1.png": b"x", "set/.DS_Store": b"x"}
    data = open_data(zipped(tmp_path / "a.zip", {**files, **beside}))
    assert [sample.split for sample in data] == ["train", "train", "test", "test"]
    assert data.names == ("a", "b")
    flat = open_data(zipped(tmp_path / "b.zip", {"set/1.png": picture(1), "set/2.png": picture(2)}))
    assert (flat.kind, flat.names) == (None, ())
    sides = open_data(zipped(tmp_path / "c.zip", {"train/1.png": picture(1), "test/2.png": picture(2)}))
    assert ([sample.split for sample in sides], sides.names) == (["train", "test"], ())


def test_doubtful_labels_are_not_guessed(tmp_path: Path) -> None:
    beside = zipped(tmp_path / "a.zip", {"1.png": picture(1), "2.png": picture(2), "1.xml": b"<a/>", "2.xml": b"<a/>"})
    with pytest.raises(AmbiguousError, match=r"2 \.xml.*labels=none"):
        open_data(beside)
    assert len(open_data(f"archive:{beside}?labels=none")) == 2
    assert "no class folders" in refused(f"archive:{beside}?labels=folders", "label")
    for files, why in (
        ({"images/1.png": b"", "masks/1.png": b""}, "'images' is the name of a kind"),
        ({"1.png": b"", "a/2.png": b"", "b/3.png": b""}, "beside the folders"),
        ({"train/a/1.png": b"", "test/a/1.png": b""}, "only one class folder, 'a'"),
        ({"train/a/1.png": b"", "extra/a/1.png": b""}, "beside it"),
    ):
        with pytest.raises(AmbiguousError, match=why):
            open_data(zipped(tmp_path / "b.zip", files))
    zipped(tmp_path / "b.zip", {"images/1.png": picture(1), "masks/1.png": picture(2)})
    assert open_data(f"archive:{tmp_path / 'b.zip'}?labels=folders").names == ("images", "masks")
    with pytest.raises(SettingsError, match="Did you mean 'labels'"):
        open_data(f"archive:{beside}?label=none")
    with pytest.raises(SettingsError, match="labels = 'no'"):
        open_data(f"archive:{beside}?labels=no")


def test_an_archive_is_told_by_its_bytes(tmp_path: Path) -> None:
    tarred(tmp_path / "really.zip", CLASSES, "w:gz")
    assert len(open_data(tmp_path / "really.zip")) == 4
    (tmp_path / "no.zip").write_bytes(b"no archive at all" * 40)
    refused(tmp_path / "no.zip", "unknown_format")
    (tmp_path / "empty.zip").write_bytes(b"")
    refused(tmp_path / "empty.zip", "empty")
    refused(f"archive:{tmp_path / 'gone.zip'}", "missing")
    refused(f"archive:{tmp_path}", "missing")
    refused(zipped(tmp_path / "texts.zip", {"a.md": b"x"}), "empty")
    (tmp_path / "one.tar.gz").write_bytes(gzip.compress(b"only text" * 100))
    refused(tmp_path / "one.tar.gz", "unknown_format")


UNSAFE = [
    "../1.png",
    "a/../../1.png",
    "/etc/1.png",
    "C:/1.png",
    "c:1.png",
    "a\\..\\1.png",
    "a/1\n.png",
    "..",
    "a//1.png",
]


@pytest.mark.parametrize("name", UNSAFE)
@pytest.mark.parametrize("kind", ["a.zip", "a.tar"])
def test_names_that_lead_out_are_refused(tmp_path: Path, kind: str, name: str) -> None:
    message = refused(KINDS[kind](tmp_path / kind, {"1.png": picture(1), name: picture(2)}))
    assert "is called" in message


def patched(path: Path, old: bytes, new: bytes, count: int = -1) -> Path:
    data = path.read_bytes()
    assert old in data
    assert len(old) == len(new)
    path.write_bytes(data.replace(old, new, count))
    return path


def test_a_name_with_a_nul(tmp_path: Path) -> None:
    refused(patched(zipped(tmp_path / "a.zip", {"1X.png": picture(1)}), b"1X.png", b"1\0.png"))


def entered(path: Path, **fields: object) -> Path:
    """A zip whose one entry has these fields."""
    with zipfile.ZipFile(path, "w") as archive:
        entry = zipfile.ZipInfo("a/1.png")
        for name, value in fields.items():
            setattr(entry, name, value)
        archive.writestr(entry, picture(1))
    return path


@pytest.mark.parametrize(
    ("kind", "word"), [(stat.S_IFLNK, "a link"), (stat.S_IFCHR, "a device"), (stat.S_IFIFO, "a device")]
)
def test_links_and_devices_in_a_zip(tmp_path: Path, kind: int, word: str) -> None:
    path = entered(tmp_path / "a.zip", external_attr=(kind | 0o777) << 16, create_system=3)
    assert word in refused(path, "unsupported")


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_in_a_tar(tmp_path: Path, kind: bytes) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        entry = tarfile.TarInfo("a/1.png")
        entry.type, entry.linkname = kind, "/etc/passwd"
        archive.addfile(entry)
    assert "Pack the files themselves" in refused(tmp_path / "a.tar", "unsupported")


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("make", [zipfile.ZipFile, tarfile.open])
def test_the_same_name_twice(tmp_path: Path, make: Callable[..., zipfile.ZipFile | tarfile.TarFile]) -> None:
    path = tmp_path / "a.bin"
    with make(path, "w") as archive:
        for value in (1, 2):
            if isinstance(archive, zipfile.ZipFile):
                archive.writestr("a/1.png", picture(value))
            else:
                entry = tarfile.TarInfo("a/1.png")
                entry.size = len(picture(value))
                archive.addfile(entry, io.BytesIO(picture(value)))
    assert "twice" in refused(f"archive:{path}")


def test_an_encrypted_member(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"1.png": picture(1)})
    data = bytearray(path.read_bytes())
    data[6] |= 1
    data[data.index(b"PK\1\2") + 8] |= 1
    path.write_bytes(data)
    assert "encrypted" in refused(path, "unsupported")


def test_checksums_and_sizes_that_lie(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"1.png": b"x" * 3000, "2.png": picture(2)})
    whole = path.read_bytes()
    central = whole.index(b"PK\1\2")

    def lying(place: int, value: int, code: str = "corrupt") -> None:
        data = bytearray(whole)
        struct.pack_into("<I", data, central + place, value)
        path.write_bytes(data)
        data_set = open_data(path)
        with pytest.raises(InputError) as caught:
            data_set[0].image.encoded()
        assert caught.value.code == code
        assert data_set[1].image.encoded() == picture(2)  # its neighbour is none the worse

    lying(16, zlib.crc32(b"other"))
    lying(24, 2999)
    lying(24, 3001)
    lying(24, 2**31, "too_large")
    data = bytearray(whole)
    data[40] ^= 0xFF  # among the packed bytes
    path.write_bytes(data)
    refused(path, read=True)


def test_bombs_are_refused_before_they_unfold(tmp_path: Path) -> None:
    zeros = zipped(tmp_path / "a.zip", {"1.png": b"\0" * 50_000_000})
    assert "unpack to 50,000,000" in refused(zeros, "too_large", read=True)
    stream = tmp_path / "a.tar.gz"
    with gzip.open(stream, "wb", 9) as file:
        entry = tarfile.TarInfo("a/1.png")
        entry.size = 120_000_000
        file.write(entry.tobuf())
        for _ in range(120):
            file.write(bytes(1_000_000))
    assert "as a bomb does" in refused(stream, "too_large")


def test_members_that_share_bytes(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"1.png": picture(1), "2.png": picture(1)})
    data = bytearray(path.read_bytes())
    second = data.index(b"PK\1\2", data.index(b"PK\1\2") + 1)
    struct.pack_into("<I", data, second + 42, 0)
    path.write_bytes(data)
    assert "share the same bytes" in refused(path)


def test_counts_that_lie(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", CLASSES)
    for count in (1, 3, 5, 60000):
        data = bytearray(path.read_bytes())
        struct.pack_into("<2H", data, data.rindex(b"PK\5\6") + 8, count, count)
        (tmp_path / "b.zip").write_bytes(data)
        refused(tmp_path / "b.zip")
    large = b"PK\6\6" + struct.pack("<Q2H2I4Q", 44, 45, 45, 0, 0, 3_000_000, 3_000_000, 0, 0)
    end = b"PK\6\7" + struct.pack("<IQI", 0, 0, 1) + b"PK\5\6" + struct.pack("<4H2IH", 0, 0, 65535, 65535, 0, 0, 0)
    (tmp_path / "c.zip").write_bytes(large + end)
    with pytest.raises(InputError):
        open_data(f"archive:{tmp_path / 'c.zip'}")


def test_too_many_members(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sightline.sources.archive.zips.MOST", 3)
    monkeypatch.setattr("sightline.sources.archive.tars.MOST", 3)
    for kind in ("a.zip", "a.tar"):
        refused(KINDS[kind](tmp_path / kind, CLASSES), "too_large")


def test_a_method_that_is_not_read(tmp_path: Path) -> None:
    assert "method 12" in refused(zipped(tmp_path / "a.zip", {"1.png": picture(1)}, 12), "unsupported", read=True)


@pytest.mark.parametrize("kind", ["a.zip", "stored.zip", "a.tar", "a.tar.gz", "a.tar.xz", "a.tar.bz2"])
def test_an_archive_cut_anywhere_is_never_returned_as_whole(tmp_path: Path, kind: str) -> None:
    rng = np.random.default_rng(5)
    noise = {f"{'ab'[n % 2]}/{n}.png": encode(rng.integers(0, 255, (20, 20, 3), np.uint8)) for n in range(4)}
    whole = KINDS[kind](tmp_path / kind, noise).read_bytes()
    useful = len(whole) if kind != "a.tar" else whole.rstrip(b"\0").__len__()
    for length in {1, 300, 511, 512, 513, *rng.integers(1, useful - 1, 25).tolist()}:
        (tmp_path / "cut").write_bytes(whole[:length])
        with pytest.raises(InputError):
            everything(f"archive:{tmp_path / 'cut'}")


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_archive_gives_its_pictures_or_a_typed_error(tmp_path: Path, kind: str) -> None:
    rng = np.random.default_rng(6)
    whole = KINDS[kind](tmp_path / kind, CLASSES).read_bytes()
    for _ in range(60):
        data = bytearray(whole)
        for place in rng.integers(0, len(data), int(rng.integers(1, 4))):
            data[place] = int(rng.integers(256))
        (tmp_path / "bad").write_bytes(data)
        try:
            for sample in open_data(f"archive:{tmp_path / 'bad'}?labels=none"):
                sample.pixels()
        except SightlineError:
            pass


def test_a_changed_bit_in_a_packed_tar_is_noticed(tmp_path: Path) -> None:
    rng = np.random.default_rng(8)
    noise = {f"{'ab'[n % 2]}/{n}.npy": rng.integers(0, 255, 4000, np.uint8).tobytes() for n in range(4)}
    for kind in ("a.tar.gz", "a.tar.xz", "a.tar.bz2"):
        whole = KINDS[kind](tmp_path / kind, noise).read_bytes()
        for place in rng.integers(20, len(whole) - 40, 12).tolist():
            data = bytearray(whole)
            data[place] ^= 1 << int(rng.integers(8))
            (tmp_path / "bad").write_bytes(data)
            with pytest.raises(InputError):
                open_data(f"archive:{tmp_path / 'bad'}")


def test_a_changed_header_of_a_tar_is_noticed(tmp_path: Path) -> None:
    whole = tarred(tmp_path / "a.tar", CLASSES).read_bytes()
    for place in (0, 3, 105, 128, 150, 300):
        data = bytearray(whole)
        data[place] ^= 1
        (tmp_path / "bad").write_bytes(data)
        assert "checksum" in refused(f"archive:{tmp_path / 'bad'}")


def test_bytes_before_a_zip_are_refused(tmp_path: Path) -> None:
    """What is a picture to one reader and an archive to another is neither here."""
    whole = zipped(tmp_path / "a.zip", CLASSES).read_bytes()
    (tmp_path / "both.zip").write_bytes(b"PK\3\4" + picture(1) + whole)
    assert "does not lie where its end says" in refused(tmp_path / "both.zip")
    (tmp_path / "both.zip").write_bytes(picture(1) + whole)
    refused(tmp_path / "both.zip", "unknown_format")


def test_threads_read_at_once(tmp_path: Path) -> None:
    files = {f"{'ab'[n % 2]}/{n:03d}.png": picture(n) for n in range(100)}
    for kind in ("a.zip", "a.tar", "a.tar.gz", "a.tar.xz"):
        data = open_data(KINDS[kind](tmp_path / kind, files))
        with ThreadPoolExecutor(8) as pool:
            order = np.random.default_rng(0).permutation(100).tolist()
            read = dict(zip(order, pool.map(lambda row, data=data: data[row].image.encoded(), order), strict=True))
        assert [read[row] for row in range(100)] == list(files.values())


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_any_place_of_a_packed_stream(
    tmp_path: Path, pack: Callable[[bytes], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packed, "SPACING", 100_000)
    monkeypatch.setattr(packed, "HELD", 1_000_000)  # so that the stream is begun again
    monkeypatch.setattr(packed, "_PLACES", 6)
    rng = np.random.default_rng(7)
    whole = rng.integers(0, 4, 3_000_000, np.uint8).tobytes()
    first, second = whole[:1_000_000], whole[1_000_000:]
    (tmp_path / "a").write_bytes(pack(first) + pack(second))  # streams that follow each other
    source = FileBytes(tmp_path / "a")
    kind = next(kind for magic, kind in packed.MAGIC.items() if source.at(0, 6).startswith(magic))
    stream = packed.Packed(source, kind)
    for start in [0, 2_900_000, 10, 1_500_000, 999_990, *rng.integers(0, 3_000_000, 12).tolist()]:
        assert stream.at(start, 50_000) == whole[start : start + 50_000]
    assert stream.at(3_000_000, 10) == b""
    assert stream.size == 3_000_000
    assert len(stream._places) <= 6


def test_an_audit_hears_of_members_that_cannot_be_read(tmp_path: Path) -> None:
    data = remember(open_data(zipped(tmp_path / "a.zip", {"a/1.png": picture(1), "b/2.png": b"broken"})))
    look_at_all(data)
    images = [sample.image for sample in data]
    assert images[0].shape == (3, 4)  # type: ignore[attr-defined]
    assert images[0].fault is None  # type: ignore[attr-defined]
    assert images[1].fault.code == "unknown_format"  # type: ignore[attr-defined]


def test_forty_thousand_members_open_in_little_time_and_memory(tmp_path: Path) -> None:
    import time
    import tracemalloc

    count = 40_000
    head = tarfile.TarInfo("x").tobuf()
    zipped(tmp_path / "a.zip", {f"{n % 10}/{n:06d}.png": b"" for n in range(count)}, zipfile.ZIP_STORED)
    with (tmp_path / "a.tar").open("wb") as file:
        for n in range(count):
            name = f"{n % 10}/{n:06d}.png".encode()
            block = bytearray(name.ljust(100, b"\0") + head[100:148] + b" " * 8 + head[156:])
            block[148:156] = b"%06o\0 " % sum(block)
            file.write(block)
        file.write(bytes(1024))
    for name in ("a.zip", "a.tar"):
        begun = time.process_time()
        assert len(open_data(tmp_path / name)) == count
        assert time.process_time() - begun < 3  # measured: 0.15; a million in about four
    tracemalloc.start()
    open_data(tmp_path / "a.zip")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 30 * 2**20
