"""Blobs in an object store such as `s3://bucket/models`: the same promises, with a folder of this machine as a cache.

An object is there whole or not at all, so nothing needs a temporary name. Whatever comes from the store is verified
before it is used or cached.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sightline.core.blobs import Blobs
from sightline.core.errors import MissingExtraError, StorageError
from sightline.core.extras import need
from sightline.core.files import cache_folder, digest


class Store(Blobs):
    """The objects under one URL; `path` is where one lies on this machine once it was brought here."""

    def __init__(self, url: str, suffix: str = "", cache: Path | None = None) -> None:
        super().__init__(cache or cache_folder() / "blobs", suffix)
        self.url = url.rstrip("/")
        try:
            local = {"auto_mkdir": True} if self.url.startswith(("file://", "local://")) else {}  # stores need none
            self.system, root = need("fsspec").core.url_to_fs(self.url, **local)
        except ImportError as error:
            raise MissingExtraError(
                f"{self.url}: needs a library: pip install 'sightline[cloud]' ({str(error)[:200]})"
            ) from error
        except Exception as error:
            raise self._failed(error) from error
        self.root = str(root).rstrip("/")

    def where(self, address: str) -> str:
        return f"{self.url}/{self._inside(address)}"

    def bring(self, address: str) -> Path | None:
        path = super().bring(address)
        if path is None and self.has(address):
            super().put(self.read(address))
            path = super().bring(address)
        return path

    def put(self, data: bytes | memoryview, *, settle: bool = True) -> str:
        address = super().put(data, settle=False)  # the cache is warm for whoever registers and serves on one machine
        self._ask(lambda: self.system.pipe_file(self._object(address), bytes(data)))
        return address

    def has(self, address: str) -> bool:
        return self._info(address) is not None

    def read(self, address: str) -> bytes:
        try:
            data: bytes = self._ask(lambda: self.system.cat_file(self._object(address)))
        except FileNotFoundError as error:
            raise StorageError(f"{self.where(address)} cannot be read: it is gone. Restore a backup.") from error
        if digest(data) != address:
            raise StorageError(f"{self.where(address)} is damaged: its bytes are not those of its name.")
        return data

    def sound(self, address: str) -> bool:
        try:
            self.read(address)
        except StorageError:
            return False
        return True

    def all(self) -> Iterator[str]:
        try:
            self.system.invalidate_cache()
            found = sorted(self._ask(lambda: self.system.find(self.root)))
        except FileNotFoundError:
            found = []
        names = (str(path).rsplit("/", 1)[-1] for path in found)
        yield from (name.removesuffix(self.suffix) for name in names if self.is_address(name))

    def size(self, address: str) -> int:
        return int((self._info(address) or {}).get("size") or 0)

    def untouched(self, address: str) -> float:
        try:
            then: datetime.datetime = self._ask(lambda: self.system.modified(self._object(address)))
        except FileNotFoundError:
            return 0.0
        aware = then if then.tzinfo else then.replace(tzinfo=datetime.UTC)
        return time.time() - aware.timestamp()

    def delete(self, address: str) -> int:
        size = self.size(address)
        if self.has(address):
            self._ask(lambda: self.system.rm_file(self._object(address)))
        super().delete(address)
        return size

    def _inside(self, address: str) -> str:
        place = self.path(address)
        return f"{place.parent.name}/{place.name}"

    def _object(self, address: str) -> str:
        return f"{self.root}/{self._inside(address)}"

    def _info(self, address: str) -> dict[str, Any] | None:
        try:
            self.system.invalidate_cache()
            return dict(self._ask(lambda: self.system.info(self._object(address))))
        except FileNotFoundError:
            return None

    def _ask(self, ask: Callable[[], Any]) -> Any:
        try:
            return ask()
        except FileNotFoundError:
            raise
        except Exception as error:  # every store has its own
            raise self._failed(error) from error

    def _failed(self, error: Exception) -> StorageError:
        return StorageError(f"{self.url}: {type(error).__name__}: {str(error)[:200]}.")
