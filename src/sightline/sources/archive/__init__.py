"""Pictures in a zip or a tar, read where they lie: archive:photos.zip?labels=none. Nothing is unpacked to disk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from sightline.core.annotations import Labels
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError
from sightline.core.image import StoredImage
from sightline.core.sample import Sample
from sightline.core.task import Fit
from sightline.sources import _naming
from sightline.sources._bytes import Bytes, FileBytes
from sightline.sources._made import Made
from sightline.sources._words import given
from sightline.sources.archive.packed import MAGIC as PACKED
from sightline.sources.archive.packed import Packed
from sightline.sources.archive.tars import Tar
from sightline.sources.archive.zips import MAGIC as ZIPPED
from sightline.sources.archive.zips import Zip

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2", ".tbz2")


@dataclass(frozen=True, slots=True)
class Settings:
    """What the words after `?` may set."""

    labels: str = "look"  # look | folders | none: what the folders of the members say


class Members(Protocol):
    """What an archive holds of pictures."""

    names: list[str]

    @property
    def others(self) -> Any: ...
    def read(self, index: int) -> bytes: ...


def sniff(path: Path) -> Fit:
    """Natural where the name says so."""
    named = path.name.lower().endswith(SUFFIXES) and not path.is_dir()
    return Fit(2, "an archive") if named else Fit(0, "no archive by its name")


def read(where: str) -> Dataset:
    """The pictures of an archive in a file, with the folder of each as its label where all lie in class folders."""
    place, settings = given(where, Settings, "archive")
    return pictures(FileBytes(Path(place)), settings.labels)


def pictures(source: Bytes, labels: str = "look") -> Dataset:
    """The pictures of an archive, wherever its bytes lie."""
    members = _opened(source)
    if not members.names:
        raise InputError("empty", f"{source.name} holds no pictures.")
    folders = {name.rpartition("/")[0] for name in members.names}
    layout = _naming.layout(folders, members.others, labels, source.name)
    name = source.name.partition(".")[0] or source.name
    return Dataset(_Members(members, layout, source.name), name=name, names=layout.names, kind=_kind(layout))


def _kind(layout: _naming.Layout) -> type[Labels] | None:
    return Labels if layout.names else None


def _opened(source: Bytes) -> Members:
    head = source.at(0, 512)
    if head.startswith(ZIPPED):
        return Zip(source)
    kind = next((kind for magic, kind in PACKED.items() if head.startswith(magic)), None)
    if kind is not None:
        source = Packed(source, kind)
        head = source.at(0, 512)
    if head[257:262] == b"ustar" or (len(head) == 512 and not head.strip(b"\0")):
        members = Tar(source)
        if isinstance(source, Packed):
            source.finish()  # a tar has no checksum of what its members hold; what packs it has
        return members
    raise InputError("unknown_format", f"{source.name}: neither a zip nor a tar (plain, gzip, xz or bzip2).")


class _Members(Made):
    """A sample a picture, made when it is asked for."""

    def __init__(self, members: Members, layout: _naming.Layout, where: str) -> None:
        self.members, self.layout, self.where = members, layout, where

    def __len__(self) -> int:
        return len(self.members.names)

    def known(self, field: str) -> Sequence[Any] | None:
        return self.layout.column(field, self.members.names)

    def sample(self, index: int) -> Sample:
        name = self.members.names[index]
        split, truth = self.layout.of(name)
        return Sample(
            name, (StoredImage(f"{self.where}/{name}", partial(self.members.read, index)),), truth, split=split
        )
