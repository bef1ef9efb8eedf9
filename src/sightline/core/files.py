"""Durable files: written whole under a temporary name, synced, renamed; never half there."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import sys
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from sightline.core.errors import RunError, StorageError


def canonical(value: Any) -> bytes:
    """JSON with one spelling for one value, so that it can be hashed and compared."""
    return (json.dumps(value, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode(
        "utf-8",
        "surrogatepass",  # names of files need not be text
    )


def digest(data: bytes | memoryview) -> str:
    """The sha256 of bytes, in hex."""
    return hashlib.sha256(data).hexdigest()


def digest_rows(rows: Iterable[Any]) -> str:
    """The sha256 of `canonical(list(rows))`, a row at a time."""
    hashed, between = hashlib.sha256(b"["), b"\n "
    for row in rows:
        hashed.update(between + canonical(row)[:-1].replace(b"\n", b"\n "))
        between = b",\n "
    hashed.update(b"]\n" if between == b"\n " else b"\n]\n")
    return hashed.hexdigest()


def digest_file(path: Path) -> str:
    """The sha256 of a file, in hex, in bounded memory."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.contextmanager
def naming(path: Path, size: int | None) -> Iterator[None]:
    """Turn an operating system's refusal to write into one line that names path and bytes, where they are known."""
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        reason = "a file stands where a folder should be" if error.errno in (errno.EEXIST, errno.ENOTDIR) else reason
        hint = " Free some space and run the same command again." if error.errno == errno.ENOSPC else ""
        many = "" if size is None else f" ({size:,} bytes)"
        raise StorageError(f"could not write {path}{many}: {reason}.{hint}") from error


def refuse_place(path: Path) -> None:
    """Before the work rather than after it: refuse where no such file could be written; leaves nothing behind."""
    with naming(path, None):
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        try_folder(path.absolute().parent)


def refuse_folder(path: Path) -> None:
    """As `refuse_place`, of a folder that is to hold files."""
    with naming(path, None):
        try_folder(path.absolute())


def try_folder(path: Path) -> None:
    """Try to write a file there, or in the nearest folder above that exists: the system's `OSError` if it refuses."""
    import tempfile

    nearest = next(level for level in (path, *path.parents) if level.exists())
    with tempfile.TemporaryFile(dir=nearest):
        pass


def sync_folder(folder: Path) -> None:
    """Make a rename in this folder survive a power loss (a no-op where folders cannot be opened)."""
    if sys.platform == "win32":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_folder(folder: Path) -> None:
    """Make a folder that survives a power loss: whatever holds it is synced, up to the first level that was there."""
    levels = [folder.absolute(), *folder.absolute().parents]
    missing = [level for level in levels if not level.is_dir()]
    folder.mkdir(parents=True, exist_ok=True)
    for level in missing:
        sync_folder(level.parent)


def cache_folder() -> Path:
    """Where what can be made again lies: `SIGHTLINE_CACHE`, or the system's place for such things."""
    home = os.environ.get("SIGHTLINE_CACHE") or os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "sightline"


def write_durably(path: Path, data: bytes | memoryview, *, sync: bool = True) -> None:
    """Replace `path` by `data`, or leave it as it was and raise `StorageError`.

    Without `sync` no kill leaves half a file, but a power loss may: for many files that are synced together later.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.partial")
    with naming(path, len(data)):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), 0o644)
            try:
                view = memoryview(data).cast("B")
                done = 0
                while done < len(view):
                    done += os.write(handle, view[done:])
                if sync:
                    os.fsync(handle)
            finally:
                os.close(handle)
            os.replace(temporary, path)
            if sync:
                sync_folder(path.parent)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise


def sweep(folder: Path) -> None:
    """Remove what killed writers left behind."""
    for left in folder.glob(".*.partial"):
        with contextlib.suppress(OSError):
            left.unlink()


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder for one process; a second one is refused at once. The lock dies with its holder."""
    with naming(folder / ".lock", 0):
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / ".lock").open("a+b")
    with lock as file:
        try:
            if sys.platform == "win32":
                import msvcrt

                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise RunError(f"{folder} is in use by another process. Wait for it, or name another folder.") from error
        yield
