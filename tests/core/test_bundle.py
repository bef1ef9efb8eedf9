"""A bundle is what was saved, to the bit, or it is refused; and saving never costs the bundle that was there."""

import contextlib
import errno
import io
import json
import os
import random
import shutil
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sightline.core import archive, bundle, files
from sightline.core.annotations import Labels
from sightline.core.errors import BundleError, StorageError
from tests.core.hostile import FOLDERS, ZIPS, sealed_zip

DATA = Path(__file__).parent / "data"
MODEL = {"task": "sort", "facts": {"names": ["ä", "b"]}, "licence": "Apache-2.0", "thresholds": {"a": 0.5}}
KINDS = ("model", "model.sightline")


def contents(seed: int = 0) -> dict[str, bytes]:
    from safetensors.numpy import save

    weights = np.random.default_rng(seed).normal(size=(8, 9)).astype(np.float32)
    return {
        "weights.safetensors": save({"layer": weights}),
        "card.md": b"# A model\n",
        "report.html": b"<p>all is well</p>",
        "reference.npz": b"numbers" * 30,
    }


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Where a bundle goes, as a folder and as one file."""
    return tmp_path / str(request.param)


def test_what_is_saved_is_loaded(place: Path) -> None:
    assert bundle.save(place, MODEL, contents()) == place
    loaded = bundle.load(place)
    assert loaded.model == {**MODEL, "format": 1, "needs": "0.1"}
    assert dict(loaded.files) == contents()
    assert loaded.path == place
    assert len(loaded.version) == 64
    assert sorted(path.name for path in place.parent.iterdir()) == [place.name]


def test_equal_content_has_equal_version_and_equal_bytes(tmp_path: Path) -> None:
    first = bundle.save(tmp_path / "a.sightline", MODEL, contents())
    second = bundle.save(tmp_path / "b.sightline", dict(reversed(MODEL.items())), dict(reversed(contents().items())))
    folder = bundle.save(tmp_path / "folder", MODEL, contents())
    assert first.read_bytes() == second.read_bytes()
    assert bundle.load(first).version == bundle.load(folder).version
    other = bundle.save(tmp_path / "c", MODEL, contents(1))
    assert bundle.load(other).version != bundle.load(first).version


def test_ordinary_tools_open_the_file(tmp_path: Path) -> None:
    """And the folder that they unpack is the same bundle."""
    path = bundle.save(tmp_path / "model.sightline", MODEL, contents())
    with zipfile.ZipFile(path) as opened:
        assert opened.testzip() is None
        opened.extractall(tmp_path / "unpacked")
    assert bundle.load(tmp_path / "unpacked").version == bundle.load(path).version


def test_a_file_zipped_by_another_tool_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "model.zip"
    with zipfile.ZipFile(path, "w") as opened:
        opened.writestr("model.json", "{}")
    with pytest.raises(BundleError, match="unzip it and name the folder"):
        bundle.load(path)


def test_weights_are_arrays(place: Path) -> None:
    bundle.save(place, MODEL, contents(5))
    assert bundle.weights(bundle.load(place))["layer"].shape == (8, 9)
    bundle.save(place, MODEL, {"weights.safetensors": b"\xff" * 40})
    with pytest.raises(BundleError, match=r"weights\.safetensors cannot be read"):
        bundle.weights(bundle.load(place))
    bundle.save(place, MODEL, {})
    with pytest.raises(BundleError, match="cannot be trained further"):
        bundle.weights(bundle.load(place))


def test_a_loaded_bundle_cannot_be_changed(place: Path) -> None:
    loaded = bundle.load(bundle.save(place, MODEL, contents()))
    for mapping in (loaded.model, loaded.files):
        with pytest.raises(TypeError):
            mapping["card.md"] = b""  # type: ignore[index]


def test_names_of_files_need_not_be_text(place: Path) -> None:
    bundle.save(place, {"trained on": "caf\udce9.jpg"}, {})
    assert bundle.load(place).model["trained on"] == "caf\udce9.jpg"


def test_keys_that_are_numbers_are_saved_as_they_will_be_read(place: Path) -> None:
    bundle.save(place, {"levels": {10: (1, 2), 2: None}}, {})
    assert bundle.load(place).model["levels"] == {"10": [1, 2], "2": None}


@pytest.mark.parametrize(
    "name", ["../x.md", "/x.md", "X.md", "x", "x.py", "con.md", "a/b.md", "x.pkl", ".x.md", "nul.onnx"]
)
def test_save_refuses_names_that_load_would(place: Path, name: str) -> None:
    with pytest.raises(BundleError, match="cannot name a member"):
        bundle.save(place, MODEL, {name: b""})
    assert list(place.parent.iterdir()) == []


def test_save_refuses_a_graph_that_load_would(place: Path) -> None:
    with pytest.raises(BundleError, match=r"model\.onnx"):
        bundle.save(place, MODEL, {"model.onnx": b"\x07nonsense"})


def test_save_keeps_its_own_words(place: Path) -> None:
    with pytest.raises(ValueError, match="'seal'"):
        bundle.save(place, {"seal": "x"}, {})


# ------------------------------------------------------------------------------------------------- old and new


def test_every_released_format_still_loads() -> None:
    """Bundles of each format are kept as they were written; a reader that cannot take one has broken a promise."""
    from sightline.core import golden

    kept = sorted(DATA.glob("format-*.zip"))
    assert {path.stem for path in kept} == {f"format-{number}" for number in range(1, bundle.FORMAT + 1)}
    old = bundle.load(DATA / "format-1.zip")
    assert old.version == "9a22947893de3305a58c9f555c04e73cac3b06fa5ab8c1daa54105c4b3e29b8a"
    assert old.model["task"] == "sort"
    assert bundle.weights(old)["layer"].shape == (3, 4)
    samples, answers, seed = golden.unpack(old.files["golden.npz"])
    assert (samples[0].pixels().shape, seed) == ((6, 8, 3), 11)
    assert isinstance(answers[0], Labels)
    assert answers[0].best == "good"


def test_a_kept_bundle_is_written_the_same_today(tmp_path: Path) -> None:
    """The spelling is part of the format: saving the same content again gives the same bytes."""
    old = bundle.load(DATA / "format-1.zip")
    model = {key: value for key, value in old.model.items() if key not in ("format", "needs")}
    again = bundle.save(tmp_path / "again.sightline", model, old.files)
    assert again.read_bytes() == (DATA / "format-1.zip").read_bytes()


@pytest.mark.parametrize(
    ("needs", "told"), [("0.7", "It needs sightline 0.7 or newer"), ("\x1b[31m", "a newer sightline")]
)
def test_a_newer_format_says_what_it_needs(place: Path, needs: str, told: str) -> None:
    plain = {"format": 2, "needs": needs, "other": "rules"}
    members = {"model.json": json.dumps(plain).encode()}
    if place.suffix:
        place.write_bytes(archive.pack(members))
    else:
        place.mkdir()
        (place / "model.json").write_bytes(members["model.json"])
    with pytest.raises(BundleError, match="is of bundle format 2; this sightline reads up to 1") as refusal:
        bundle.load(place)
    assert told in refusal.value.message
    assert "\x1b" not in refusal.value.message


@pytest.mark.parametrize("path", ["nowhere", "nul\0byte", "x" * 300, "", "/dev/null"])
def test_a_path_that_is_no_bundle(path: str, tmp_path: Path) -> None:
    with pytest.raises(BundleError):
        bundle.load(tmp_path / path)


def test_the_limit_holds_before_reading(place: Path) -> None:
    bundle.save(place, MODEL, contents())
    bundle.load(place, largest=10**5)
    with pytest.raises(BundleError, match="limit"):
        bundle.load(place, largest=500)


# ------------------------------------------------------------------------------------------------- flipped bits


def test_every_flipped_bit_is_refused(place: Path) -> None:
    """0 of 500 missed for folders and 0 of 500 for files: with 95 % confidence fewer than 0.6 % of flips get through.

    `benchmarks/reliability/bundle_flips.py` does the same 10,000 times (0 missed: fewer than 0.03 %).
    """
    bundle.save(place, MODEL, contents())
    paths = sorted(place.iterdir()) if place.is_dir() else [place]
    sizes = [path.stat().st_size for path in paths]
    chance = random.Random(17)
    missed = []
    for _ in range(500):
        bit = chance.randrange(8 * sum(sizes))
        path, at = next((p, bit - 8 * sum(sizes[:i])) for i, p in enumerate(paths) if bit < 8 * sum(sizes[: i + 1]))
        whole = path.read_bytes()
        flipped = bytearray(whole)
        flipped[at // 8] ^= 1 << at % 8
        path.write_bytes(flipped)
        with contextlib.suppress(BundleError):
            bundle.load(place)
            missed.append((path.name, at))
        path.write_bytes(whole)
    assert missed == []
    bundle.load(place)


def test_every_bit_of_the_small_parts_counts(place: Path) -> None:
    """A bit of every byte of model.json, and of the headers and the ending of a file."""
    bundle.save(place, {"a": [1, None]}, {"card.md": b"x"})
    path = place / "model.json" if place.is_dir() else place
    whole = path.read_bytes()
    for at in range(len(whole)):
        flipped = bytearray(whole)
        flipped[at] ^= 1 << at % 8
        path.write_bytes(flipped)
        with pytest.raises(BundleError):
            bundle.load(place)


def test_a_cut_at_any_place_is_refused(place: Path) -> None:
    bundle.save(place, MODEL, contents())
    for path in sorted(place.iterdir()) if place.is_dir() else [place]:
        whole = path.read_bytes()
        for end in range(0, len(whole), max(1, len(whole) // 60)):
            path.write_bytes(whole[:end])
            with pytest.raises(BundleError):
                bundle.load(place)
        path.write_bytes(whole + b"\0")
        with pytest.raises(BundleError):
            bundle.load(place)
        path.write_bytes(whole)


@pytest.mark.parametrize(
    "swapped", [b'{"format": 1}', b"[]", b"null", b'{"format": true}', b'{"format": 0}', b"{", b"\xff\xfe"]
)
def test_a_manifest_that_is_none(tmp_path: Path, swapped: bytes) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.json").write_bytes(swapped)
    with pytest.raises(BundleError):
        bundle.load(tmp_path / "model")


def test_what_file_managers_leave_is_let_be(tmp_path: Path) -> None:
    path = bundle.save(tmp_path / "model", MODEL, contents())
    (path / ".DS_Store").write_bytes(b"left by a file manager")
    assert set(bundle.load(path).files) == set(contents())
    (path / "notes.md").write_bytes(b"mine")
    with pytest.raises(BundleError, match=r"'notes\.md' is not listed"):
        bundle.load(path)


# ----------------------------------------------------------------------------------------------- hostile bundles

CHILD = """
import os, sys
from pathlib import Path
from sightline.core import bundle
from sightline.core.errors import BundleError
bundle.load(Path(sys.argv[1]))
watching, seen = True, []
CALLS = ("exec", "compile", "import", "os.system", "os.exec", "os.fork", "os.posix_spawn", "os.remove", "os.rename",
         "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod", "ctypes.dlopen",
         "pickle.find_class")
def hook(event, args):
    if not watching:
        return
    writes = event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    if writes or event in CALLS or event.startswith(("socket.", "subprocess.", "shutil.", "ftplib.", "urllib.")):
        seen.append((event, str(args)[:200]))
sys.addaudithook(hook)
refused = other = loaded = 0
for line in open(sys.argv[2]).read().split("\\n"):
    try:
        bundle.load(Path(line))
        loaded += 1
        seen.append(("loaded", line))
    except BundleError as error:
        refused += 1
        if len(str(error)) > 500 or "\\n" in str(error):
            seen.append(("message", str(error)))
    except BaseException as error:
        other += 1
        seen.append((repr(error)[:200], line))
watching = False
import json
print(json.dumps([refused, loaded, other, seen[:20]]))
"""


def test_a_thousand_hostile_bundles_do_nothing(tmp_path: Path, root: Path) -> None:
    """0 of 1,000 loaded, ran or wrote anything: with 95 % confidence fewer than 0.3 % of such bundles do.

    Each is consistent in all but its one evil (an attacker can seal what he writes), so the rule itself refuses.
    """
    nest, canary = tmp_path / "nest", tmp_path / "canary"
    nest.mkdir()
    canary.write_bytes(b"untouched")
    sound = bundle.save(tmp_path / "sound", MODEL, contents())
    made: list[Path] = []
    kinds = sorted(kind for kind in ZIPS if "million" not in kind)  # 50 MB each: one will do
    for number in range(860):
        kind = kinds[number % len(kinds)] if number else "directory does not lie: million"
        made.append(nest / f"{number}.sightline")
        made[-1].write_bytes(ZIPS[kind](random.Random(number)))
    for number in range(140):
        kind = sorted(FOLDERS)[number % len(FOLDERS)]
        made.append(nest / f"{number}-folder")
        shutil.copytree(sound, made[-1])
        FOLDERS[kind](made[-1], canary, random.Random(number))
    before = sorted(str(path) for path in tmp_path.rglob("*"))
    (tmp_path / "list").write_text("\n".join(map(str, made)))
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(sound), str(tmp_path / "list")],
        env={**os.environ, "PYTHONPATH": str(root / "src")},
        cwd=nest,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-1000:]
    assert json.loads(done.stdout) == [1000, 0, 0, []]
    assert canary.read_bytes() == b"untouched"
    (tmp_path / "list").unlink()
    assert sorted(str(path) for path in tmp_path.rglob("*")) == before


@pytest.mark.parametrize("kind", sorted(ZIPS))
def test_hostile_files_are_refused_for_what_they_are(kind: str, tmp_path: Path) -> None:
    """The text before the colon of each kind is what its refusal must say."""
    path = tmp_path / "model.sightline"
    path.write_bytes(ZIPS[kind](random.Random(1)))
    with pytest.raises(BundleError, match=kind.split(":")[0]):
        bundle.load(path)


def test_the_hostile_writer_can_also_be_honest(tmp_path: Path) -> None:
    """Without an evil the same writer makes a bundle that loads, so the refusals above are not about the writer."""
    path = tmp_path / "model.sightline"
    path.write_bytes(sealed_zip({"card.md": b"# fine\n"}))
    assert bundle.load(path).files == {"card.md": b"# fine\n"}


def test_a_lie_about_size_costs_no_memory(tmp_path: Path) -> None:
    import tracemalloc

    lies = [
        ZIPS[kind](random.Random(seed)) for kind in ZIPS if "larger" in kind or "limit" in kind for seed in range(5)
    ]
    assert len(lies) >= 10
    path = tmp_path / "model.sightline"
    tracemalloc.start()
    for lie in lies:
        path.write_bytes(lie)
        with pytest.raises(BundleError):
            bundle.load(path)
    assert tracemalloc.get_traced_memory()[1] < 8 * 2**20
    tracemalloc.stop()


def test_a_pipe_does_not_keep_anyone_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "model.sightline")
    with pytest.raises(BundleError, match="not a plain file"):
        bundle.load(tmp_path / "model.sightline")


def test_without_folder_handles_links_are_still_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows opens by path; the same rules hold there."""
    path = bundle.save(tmp_path / "model", MODEL, contents())
    monkeypatch.setattr(os, "supports_dir_fd", set())
    bundle.load(path)
    (tmp_path / "far.md").write_bytes((path / "card.md").read_bytes())
    (path / "card.md").unlink()
    (path / "card.md").symlink_to(tmp_path / "far.md")
    with pytest.raises(BundleError, match="is a link"):
        bundle.load(path)


# ---------------------------------------------------------------------------------------------- kills and faults

CALLS = ("open", "write", "fsync", "replace", "rename", "mkdir", "rmdir", "unlink", "remove")


class Killed(BaseException):
    """What no handler of ours may mistake for an error."""


@contextlib.contextmanager
def faults(nth: int, *, lasting: bool, kind: Callable[[], BaseException]) -> Iterator[list[int]]:
    """The nth call that changes the disk fails; if it lasts, so does every later one, as after a kill."""
    count, real = [0], {name: getattr(os, name) for name in CALLS}

    def wrapped(name: str) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            reads = name == "open" and not given[1] & (os.O_WRONLY | os.O_RDWR)
            count[0] += not reads
            if not reads and (count[0] == nth or (lasting and count[0] > nth)):
                raise kind()
            return real[name](*given, **named)

        return call

    try:
        for name in CALLS:
            setattr(os, name, wrapped(name))
        yield count
    finally:
        for name in CALLS:
            setattr(os, name, real[name])


def disk_full() -> OSError:
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("lasting", [False, True])
def test_a_disk_that_fails_at_any_call_keeps_the_old_bundle(place: Path, lasting: bool) -> None:
    old = bundle.load(bundle.save(place, MODEL, contents(1))).version
    new = bundle.load(bundle.save(place.with_name(f"new-{place.name}"), MODEL, contents(2))).version
    for nth in range(1, 200):
        failed = None
        with faults(nth, lasting=lasting, kind=disk_full) as count:
            try:
                bundle.save(place, MODEL, contents(2))
            except StorageError as error:
                failed = error.message
        assert bundle.load(place).version in (old, new)
        if failed is None:
            assert bundle.load(place).version == new  # a failure while tidying up is nobody's loss
        else:
            assert str(place) in failed or place.name in failed
            assert "bytes)" in failed
            assert "No space left" in failed
            if not lasting and not place.suffix:
                assert bundle.load(place).version == old
        if count[0] < nth:
            assert nth > 5
            break
        bundle.save(place, MODEL, contents(1))
        assert bundle.load(place).version == old
    else:
        pytest.fail("a save takes fewer steps")


def test_a_kill_at_any_call_leaves_the_old_or_the_new(place: Path) -> None:
    old = bundle.load(bundle.save(place, MODEL, contents(1))).version
    new = bundle.load(bundle.save(place.with_name(f"new-{place.name}"), MODEL, contents(2))).version
    found = set()
    for nth in range(1, 200):
        killed = False
        with faults(nth, lasting=True, kind=Killed) as count:
            try:
                bundle.save(place, MODEL, contents(2))
            except Killed:
                killed = True
        version = bundle.load(place).version
        assert version in (old, new)
        found.add((version, killed))
        bundle.save(place, MODEL, contents(1))
        assert bundle.load(place).version == old
        left = {path.name for path in place.parent.iterdir()} - {place.name, f"new-{place.name}"}
        assert all(name.endswith(".partial") for name in left), left
        if count[0] < nth:
            break
    assert {(old, True), (new, False)} <= found


def test_what_kills_left_is_swept_when_it_is_old(tmp_path: Path) -> None:
    stale, fresh = tmp_path / ".model.1-1.partial", tmp_path / ".model.2-2.partial"
    for left in (stale, fresh):
        left.mkdir()
    os.utime(stale, (0, 0))
    bundle.save(tmp_path / "model", MODEL, {})
    assert not stale.exists()
    assert fresh.exists()


def test_a_half_swap_is_read_and_then_finished(tmp_path: Path) -> None:
    place = bundle.save(tmp_path / "model", MODEL, contents(1))
    version = bundle.load(place).version
    place.rename(tmp_path / ".model.old")  # as after a kill between the two renames
    assert bundle.load(place).version == version
    assert not place.exists(), "reading writes nothing"
    with pytest.raises(BundleError):
        bundle.save(place, MODEL, {"bad name": b""})
    assert bundle.load(place).version == version
    assert bundle.load(bundle.save(place, MODEL, contents(2))).version != version
    assert not (tmp_path / ".model.old").exists()


def test_a_save_during_a_load_is_not_seen_as_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder that is being read is swapped away under the reader, who then reads the new one."""
    place = bundle.save(tmp_path / "model", MODEL, contents(1))
    real = bundle.check_name
    swapped: list[bool] = []

    def slow(name: str, size: int, label: str) -> None:
        if name == "model.json" and not swapped:
            swapped.append(True)
            bundle.save(place, MODEL, contents(2))
        real(name, size, label)

    monkeypatch.setattr(bundle, "check_name", slow)
    assert dict(bundle.load(place).files) == contents(2)


def test_saving_follows_a_link_to_the_bundle(tmp_path: Path) -> None:
    bundle.save(tmp_path / "v1", MODEL, contents(1))
    (tmp_path / "latest").symlink_to("v1")
    bundle.save(tmp_path / "latest", MODEL, contents(2))
    assert (tmp_path / "latest").is_symlink()
    assert dict(bundle.load(tmp_path / "v1").files) == contents(2)


@pytest.mark.parametrize(
    "inside", ["photo.jpg", "folder/photo.jpg", "model.json/x", "model.json+photo.jpg", "model.json+a/b"]
)
def test_a_folder_that_is_no_bundle_is_never_replaced(tmp_path: Path, inside: str) -> None:
    precious = tmp_path / "holiday"
    for name in inside.split("+"):
        (precious / name).parent.mkdir(parents=True, exist_ok=True)
        (precious / name).write_bytes(b"irreplaceable")
    with pytest.raises(StorageError, match="not replaced"):
        bundle.save(precious, MODEL, contents())
    with pytest.raises(StorageError, match="not replaced"):
        bundle.refuse_place(precious)
    assert all((precious / name).read_bytes() == b"irreplaceable" for name in inside.split("+"))


def test_a_file_in_the_way_is_not_replaced_by_a_folder(tmp_path: Path) -> None:
    (tmp_path / "model").write_bytes(b"mine")
    with pytest.raises(StorageError, match="not replaced"):
        bundle.save(tmp_path / "model", MODEL, {})


@pytest.mark.parametrize("name", ["model/v1", "model/v1.sightline", "folder.sightline"])
def test_a_place_is_refused_before_the_work(tmp_path: Path, name: str) -> None:
    (tmp_path / "model").write_bytes(b"mine")
    (tmp_path / "folder.sightline").mkdir()
    with pytest.raises(StorageError, match=f"could not write {tmp_path / name}: "):
        bundle.refuse_place(tmp_path / name)


@pytest.mark.parametrize("name", ["v1", "v1.sightline", "new/v1", "new/v1.sightline", "empty"])
def test_a_place_that_will_do_stays_as_it_is(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    bundle.save(tmp_path / "v1", MODEL, contents())
    before = sorted(tmp_path.rglob("*"))
    bundle.refuse_place(tmp_path / name)
    assert sorted(tmp_path.rglob("*")) == before
    bundle.load(bundle.save(tmp_path / name, MODEL, contents()))


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    bundle.load(bundle.save(tmp_path / "model", MODEL, {}))


def test_an_archive_reads_what_it_packs() -> None:
    packed = {"b.md": b"", "a.npz": b"x" * 1000}
    assert archive.unpack(archive.pack(packed), "m", most=2) == packed
    with pytest.raises(BundleError, match="the limit is 1"):
        archive.unpack(archive.pack(packed), "m", most=1)
    with pytest.raises(BundleError, match="cannot name"):
        archive.pack({"../x": b""})


def test_members_are_ordinary_files_to_others(tmp_path: Path) -> None:
    path = bundle.save(tmp_path / "m.sightline", MODEL, contents())
    for member in zipfile.ZipFile(io.BytesIO(path.read_bytes())).infolist():
        assert stat.S_ISREG(member.external_attr >> 16)
        assert member.date_time == (1980, 1, 1, 0, 0, 0)
        assert member.compress_type == zipfile.ZIP_STORED


def test_the_seal_is_of_the_canonical_text(tmp_path: Path) -> None:
    """What another program must do to check a bundle: drop the seal, spell the rest canonically, hash."""
    path = bundle.save(tmp_path / "m", MODEL, contents())
    plain = json.loads((path / "model.json").read_bytes())
    seal = plain.pop("seal")
    text = json.dumps(plain, sort_keys=True, indent=1, ensure_ascii=False) + "\n"
    assert seal == files.digest(text.encode())
