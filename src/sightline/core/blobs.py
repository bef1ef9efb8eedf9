"""Files by what they hold: the name is the sha256 of the bytes, so a file is whole and right, or it is not there.

A file is written under a temporary name, synced, renamed, and its folder synced, before its address is answered.
Nothing is ever changed. What may be taken away is for the owner to say: `Blobs` only knows how long a file has lain
untouched, and `put` of bytes that are there already touches their file.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

from sightline.core.errors import StorageError
from sightline.core.files import digest, digest_file, make_folder, naming, sync_folder, write_durably

_ADDRESS = re.compile(r"[0-9a-f]{64}")


class Blobs:
    """The files of one folder, which any number of processes may add to and take from at once."""

    def __init__(self, folder: Path, suffix: str = "") -> None:
        self.folder, self.suffix = Path(folder), suffix

    def path(self, address: str) -> Path:
        """Where the file of an address lies, or would lie."""
        if not _ADDRESS.fullmatch(address):
            raise ValueError(f"'{address[:80]}' is no sha256")
        return self.folder / address[:2] / f"{address}{self.suffix}"

    def where(self, address: str) -> str:
        """The same for people."""
        return str(self.path(address))

    def bring(self, address: str) -> Path | None:
        """The file on this machine, or None where it is gone; whether it is right is for the reader to see."""
        path = self.path(address)
        return path if path.is_file() else None

    def is_address(self, name: str) -> bool:
        """Whether a file of this name is one of ours."""
        return name.endswith(self.suffix) and bool(_ADDRESS.fullmatch(name.removesuffix(self.suffix)))

    def put(self, data: bytes | memoryview, *, settle: bool = True) -> str:
        """Keep these bytes; their address. Durable when it returns, or when `settle` was called after many."""
        address = digest(data)
        path = self.path(address)
        with naming(path, len(data)):
            make_folder(path.parent)
            if self._touched(path, len(data)) and digest_file(path) == address:  # what is there may have rotted
                sync_folder(path.parent)  # whoever wrote it may not be so far yet
            else:
                write_durably(path, data)
            if settle:
                self.settle()
        return address

    def settle(self) -> None:
        """See that the folders are durable, too."""
        for folder in (self.folder, self.folder.parent):
            if folder.is_dir():
                sync_folder(folder)

    def has(self, address: str) -> bool:
        """Whether a file of this address is there; `read` knows whether it is right."""
        return self.path(address).is_file()

    def read(self, address: str) -> bytes:
        """The bytes, verified."""
        path = self.path(address)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise StorageError(f"{path} cannot be read: {error.strerror}. Restore a backup.") from error
        if digest(data) != address:
            raise StorageError(f"{path} is damaged: its bytes are not those of its name. Restore a backup.")
        return data

    def sound(self, address: str) -> bool:
        """Whether the file is there and holds what its name says, in bounded memory."""
        try:
            return digest_file(self.path(address)) == address
        except OSError:
            return False

    def all(self) -> Iterator[str]:
        """Every address that has a file, in order."""
        for folder in sorted(self.folder.glob("[0-9a-f][0-9a-f]")):
            for path in sorted(folder.iterdir()):
                if self.is_address(path.name):
                    yield path.name.removesuffix(self.suffix)

    def size(self, address: str) -> int:
        """The bytes of a file; 0 where it is gone."""
        try:
            return self.path(address).stat().st_size
        except OSError:
            return 0

    def untouched(self, address: str) -> float:
        """The seconds since the file was last put; none at all where it is gone."""
        try:
            return time.time() - self.path(address).stat().st_mtime
        except OSError:
            return 0.0

    def delete(self, address: str) -> int:
        """Take a file away; the bytes that this frees."""
        size = self.size(address)
        with naming(self.path(address), 0):
            self.path(address).unlink(missing_ok=True)
        return size

    def sweep(self, age: float) -> int:
        """Remove what killed writers left behind, if it is older than this many seconds; how many that were."""
        count = 0
        for left in self.folder.glob("*/.*.partial"):
            with contextlib.suppress(OSError):
                if time.time() - left.stat().st_mtime >= age:
                    left.unlink()
                    count += 1
        return count

    @staticmethod
    def _touched(path: Path, size: int) -> bool:
        try:
            os.utime(path)
            return path.stat().st_size == size
        except OSError:
            return False
