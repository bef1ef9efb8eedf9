"""Nothing is half there: every fault of the disk leaves what was there before, and says so in one line."""

import errno
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sightline.core import files
from sightline.core.errors import RunError, StorageError


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_one_value_has_one_spelling() -> None:
    assert files.canonical({"b": 1, "a": [1.5, None, "ä"]}) == files.canonical({"a": [1.5, None, "ä"], "b": 1})
    assert files.canonical("\udcff"), "names of files need not be text"
    with pytest.raises(ValueError, match="not JSON compliant"):
        files.canonical(float("nan"))


def test_digests_agree(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    # FIPS 180-2, appendix B.1
    assert files.digest(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert files.digest_file(tmp_path / "a") == files.digest(memoryview(b"abc"))


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.json"
    for data in (b"old", b"", bytes(3_000_000), memoryview(b"view")):
        files.write_durably(path, data)
        assert path.read_bytes() == bytes(data)
        assert left(path.parent) == ["a.json"]


@pytest.mark.parametrize("call", ["open", "write", "fsync", "replace", "close"])
@pytest.mark.parametrize("after", [0, 1])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_a_fault_at_any_call_leaves_the_old_content(
    call: str, after: int, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.bin"
    files.write_durably(path, b"old")
    real: Callable[..., Any] = getattr(os, call)
    count = 0

    def failing(*words: Any, **named: Any) -> Any:
        nonlocal count
        count += 1
        if count > after:
            if call == "close":
                real(*words)
            raise OSError(code, os.strerror(code))
        if call == "write":
            return real(words[0], words[1][:1])  # a disk may take less than it was given
        return real(*words, **named)

    monkeypatch.setattr(os, call, failing)
    try:
        files.write_durably(path, b"a new one")
    except StorageError as error:
        assert str(path) in error.message  # noqa: PT017 - an answer is fine too
        assert "9 bytes" in error.message  # noqa: PT017 - an answer is fine too
        assert os.strerror(code) in error.message  # noqa: PT017 - an answer is fine too
        assert ("Free some space" in error.message) == (code == errno.ENOSPC)  # noqa: PT017 - an answer is fine too
        # the second sync, open and close are of the folder, when the new content is in its place already
        assert path.read_bytes() == (b"a new one" if after and call != "write" else b"old")
    else:
        assert after, "the fault was never met"
        assert path.read_bytes() == b"a new one"
    finally:
        monkeypatch.undo()
    assert left(tmp_path) == ["a.bin"]


def test_a_disk_that_takes_one_byte_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda handle, data: real(handle, data[:1]))
    files.write_durably(tmp_path / "a", b"slow but whole")
    assert (tmp_path / "a").read_bytes() == b"slow but whole"


@pytest.mark.skipif(sys.platform == "win32", reason="no limits of that kind there")
def test_a_full_disk_is_one_line_and_loses_nothing(tmp_path: Path) -> None:
    """The system's own limit of file sizes stands in for a full disk: it needs no rights to set."""
    path = tmp_path / "a.bin"
    files.write_durably(path, b"old")
    code = f"""
        import resource, signal
        from pathlib import Path
        from sightline.core.errors import StorageError
        from sightline.core.files import write_durably
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        try:
            write_durably(Path({str(path)!r}), bytes(5000))
        except StorageError as error:
            print(error)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], env=os.environ, capture_output=True, text=True, check=True
    )
    assert f"could not write {path} (5,000 bytes): File too large" in done.stdout
    assert path.read_bytes() == b"old"
    assert left(tmp_path) == ["a.bin"]


def test_an_interrupt_leaves_the_old_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    files.write_durably(tmp_path / "a", b"old")
    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        files.write_durably(tmp_path / "a", b"new")
    monkeypatch.undo()
    assert (tmp_path / "a").read_bytes() == b"old"
    assert left(tmp_path) == ["a"]


def test_a_folder_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(StorageError, match=str(tmp_path / "a")):
        files.write_durably(tmp_path / "a", b"x")
    (tmp_path / "file").touch()
    with pytest.raises(StorageError):
        files.write_durably(tmp_path / "file" / "a", b"x")


def test_a_place_where_nothing_can_be_written_is_refused_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"mine")
    for place in (tmp_path, tmp_path / "file" / "below", tmp_path / "file" / "far" / "below"):
        with pytest.raises(StorageError, match=f"could not write {place}: "):
            files.refuse_place(place)
    for place in (tmp_path / "file", tmp_path / "file" / "below", tmp_path / "file" / "far" / "below"):
        with pytest.raises(StorageError, match=f"could not write {place}: a file stands where a folder should be"):
            files.refuse_folder(place)
    files.refuse_folder(tmp_path)
    files.refuse_folder(tmp_path / "new" / "folder")
    files.refuse_place(tmp_path / "file")
    files.refuse_place(tmp_path / "new" / "folder" / "file")
    assert [path.name for path in tmp_path.rglob("*")] == ["file"], "nothing is made, and nothing left behind"


def test_what_killed_writers_left_is_swept(tmp_path: Path) -> None:
    (tmp_path / ".a.123-4.partial").write_bytes(b"half")
    (tmp_path / ".folder.1.partial").mkdir()
    (tmp_path / "kept.partial").touch()
    files.sweep(tmp_path)
    assert left(tmp_path) == [".folder.1.partial", "kept.partial"]


HOLDER = """
import sys, time
from pathlib import Path
from sightline.core.files import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_folder_serves_one_process_and_is_free_when_it_dies(tmp_path: Path) -> None:
    measured = ("COVERAGE", "COV_")  # what is killed must not leave half a measurement behind
    kept = {name: text for name, text in os.environ.items() if not name.startswith(measured)}
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / "run")], env=kept, stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(RunError, match="in use by another process"), files.locked(tmp_path / "run"):
            pass
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()  # type: ignore[union-attr]
    with files.locked(tmp_path / "run"):
        assert left(tmp_path / "run") == [".lock"]


def test_a_place_that_cannot_be_locked_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="file"), files.locked(tmp_path / "file"):
        pass


def test_errors_inside_a_lock_are_the_caller_s_own(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), files.locked(tmp_path):
        (tmp_path / "missing").read_bytes()
