"""Pictures elsewhere, since their address was given on purpose: store:s3://bucket/photos#labels=none."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import PurePosixPath
from typing import Any

from sightline.core.annotations import Labels
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError, MissingExtraError, SettingsError, UnknownNameError, nearest
from sightline.core.extras import need
from sightline.core.image import LARGEST_FILE, StoredImage
from sightline.core.sample import Sample
from sightline.sources import _naming, _web, archive, video
from sightline.sources._bytes import FetchedBytes
from sightline.sources._made import Made
from sightline.sources._words import given

STORES = ("s3", "gs", "gcs", "az", "abfs", "file", "memory")
WEB = ("http", "https")
MOST = 2_000_000  # pictures


@dataclass(frozen=True, slots=True)
class Settings:
    """What the words after `#` may set; a `?` belongs to the address."""

    labels: str = "look"  # look | folders | none: what the folders of the pictures say
    private: bool = False  # of http: addresses of this machine and its network are meant
    option: dict[str, Any] = field(default_factory=dict)  # of the store itself: option.anon=true


def read(where: str) -> Dataset:
    """The pictures under an address of an object store, in an archive or a film there, or the one at a web address."""
    url, settings = given(where, Settings, "store", mark="#")
    scheme, colon, rest = url.partition("://")
    if scheme in WEB:
        return _page(url, settings)
    if not colon or not rest.strip("/") or "::" in url or "\0" in url:
        raise InputError("missing", f"store:{url} is no address; write store:s3://bucket/photos.")
    if scheme not in STORES:
        known = (*STORES, *WEB)
        raise UnknownNameError(f"no store is called '{scheme}'.{nearest(scheme, known)} Known: {', '.join(known)}.")
    store = _Store(url, scheme, settings.option)
    size = store.size()
    if size is None:
        return _folder(store, settings)
    name = PurePosixPath(url).name
    whole = FetchedBytes(name, size, store.stretch)
    if name.lower().endswith(archive.SUFFIXES):
        return archive.pictures(whole, settings.labels)
    if name.lower().endswith(video.containers.SUFFIXES):
        need("av")
        return video.frames([whole], [name], video.Settings())
    return Dataset([Sample(name, (StoredImage(url, partial(store.fetch, store.path, size)),))], name=name, names=())


def _page(url: str, settings: Settings) -> Dataset:
    if settings.option or settings.labels != "look":
        raise SettingsError(f"store:{url}: a web address takes the setting private alone.")
    name = PurePosixPath(url.partition("?")[0]).name
    if name.lower().endswith((*archive.SUFFIXES, *video.containers.SUFFIXES)):
        raise InputError("unsupported", f"{url} is not one picture. Fetch it first, and name the file.")
    image = StoredImage(url.partition("?")[0], partial(_web.fetch, url, LARGEST_FILE, private=settings.private))
    return Dataset([Sample(name or url, (image,))], name=name or url, names=())


def _folder(store: _Store, settings: Settings) -> Dataset:
    names: list[str] = []
    sizes, others = array("Q"), Counter[str]()
    for name, size in store.walk():
        if _naming.is_picture(name):
            names.append(_naming.safe(name, store.url))
            sizes.append(size)
            if len(names) > MOST:
                raise InputError("too_large", f"{store.url} holds more than {MOST:,} pictures.")
        elif suffix := _naming.labelling(name):
            others[suffix] += 1
    if not names:
        raise InputError("empty", f"{store.url} holds no pictures.")
    layout = _naming.layout({name.rpartition("/")[0] for name in names}, others, settings.labels, store.url)
    kind = Labels if layout.names else None
    return Dataset(_Objects(store, names, sizes, layout), name=store.url, names=layout.names, kind=kind)


class _Store:
    """One place in a store; whatever its library raises becomes one error of ours."""

    def __init__(self, url: str, scheme: str, options: dict[str, Any]) -> None:
        self.url = url.rstrip("/")
        url_to_fs = need("fsspec").core.url_to_fs
        try:
            self.system, path = url_to_fs(self.url, **options)
        except ImportError as error:
            raise MissingExtraError(f"{scheme}: needs a library: pip install 'sightline[cloud]' ({error})") from error
        except Exception as error:
            raise self._failed(error) from error
        self.path = str(path).rstrip("/")

    def _failed(self, error: Exception) -> InputError:
        return InputError("missing", f"{self.url}: {type(error).__name__}: {str(error)[:200]}.")

    def _asked(self, ask: Callable[[], Any]) -> Any:
        try:
            return ask()
        except Exception as error:  # every store has its own
            raise self._failed(error) from error

    def size(self) -> int | None:
        """How many bytes lie here, or None where it is a folder."""
        found = self._asked(lambda: self.system.info(self.path))
        return None if found.get("type") == "directory" else int(found.get("size") or 0)

    def walk(self) -> Iterator[tuple[str, int]]:
        """Name within the folder and size of every file, folder by folder."""
        pages = self._asked(lambda: self.system.walk(self.path, detail=True))
        while page := self._asked(lambda: next(pages, None)):
            folder, inside, files = page
            inside_sorted = sorted(inside)
            for key in inside_sorted:  # the walk goes down in the order of this mapping
                inside[key] = inside.pop(key)
            prefix = str(folder)[len(self.path) :].strip("/")
            for name in sorted(files):
                if files[name].get("type", "file") == "file":
                    yield f"{prefix}/{name}" if prefix else name, int(files[name].get("size") or 0)

    def fetch(self, path: str, size: int) -> bytes:
        """The bytes of a file, as many as were listed."""
        if size > LARGEST_FILE:
            raise InputError("too_large", f"{path}: {size:,} bytes; the limit is {LARGEST_FILE:,}.")
        data: bytes = self._asked(lambda: self.system.cat_file(path, 0, size)) if size else b""
        if len(data) != size:
            raise InputError("truncated", f"{path}: {len(data):,} bytes came of {size:,}.")
        return data

    def stretch(self, start: int, stop: int) -> bytes:
        """Some of the bytes that lie here."""
        data: bytes = self._asked(lambda: self.system.cat_file(self.path, start, stop))
        return data


class _Objects(Made):
    """A sample a picture, fetched when it is read."""

    def __init__(self, store: _Store, names: list[str], sizes: array[int], layout: _naming.Layout) -> None:
        self.store, self.names, self.sizes, self.layout = store, names, sizes, layout

    def __len__(self) -> int:
        return len(self.names)

    def known(self, field: str) -> Sequence[Any] | None:
        return self.layout.column(field, self.names)

    def sample(self, index: int) -> Sample:
        name, size = self.names[index], self.sizes[index]
        split, truth = self.layout.of(name)
        fetch = partial(self.store.fetch, f"{self.store.path}/{name}", size)
        return Sample(name, (StoredImage(f"{self.store.url}/{name}", fetch),), truth, split=split)
