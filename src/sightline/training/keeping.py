"""Whether decoded pictures are kept between epochs, where, and handles that look there before they decode."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sightline.core.dataset import Dataset
from sightline.core.errors import InputError, SettingsError, StorageError
from sightline.core.files import cache_folder
from sightline.core.image import ArrayImage, Image
from sightline.core.progress import Event, Tell, silent
from sightline.core.sample import Sample
from sightline.core.views import Source, reduced_size
from sightline.training.cache import Cache

LOOK = 16  # pictures that are decoded to estimate how much all would take
_UNITS = {"MB": 10**6, "GB": 10**9, "TB": 10**12}


@dataclass(frozen=True, slots=True, eq=False)
class KeptImage:
    """A picture that is decoded once; what it reads as is the same with and without its cache."""

    image: Image
    cache: Cache

    @property
    def name(self) -> str:
        return self.image.name

    @property
    def shape(self) -> tuple[int, ...] | None:
        found: tuple[int, ...] | None = getattr(self.image, "shape", None)
        return found

    def encoded(self) -> bytes:
        return self.image.encoded()

    def fingerprint(self) -> str:
        return self.image.fingerprint()

    def read(self, at_least: tuple[int, int] | None = None) -> np.ndarray:
        """The pixels; read-only where they come from the cache."""
        return self._kept(at_least, "")

    def quick(self, at_least: tuple[int, int] | None = None) -> np.ndarray:
        """`read` by the shortcuts of its decoder; kept beside what was read without them."""
        return self._kept(at_least, "quick ")

    def _kept(self, at_least: tuple[int, int] | None, way: str) -> np.ndarray:
        shape = None if at_least is None else self.shape
        small = None if shape is None or at_least is None else reduced_size(shape, *at_least)
        small = None if small == shape else small
        print_ = self.image.fingerprint()
        if print_ == "unreadable":
            return self._decoded(at_least, way)
        wanted = self.cache.key(way + print_, small)
        found = self.cache.get(wanted)
        if found is not None:
            return found
        pixels = self._decoded(at_least, way)
        if small is not None and pixels.shape[:2] == shape:  # a kind of file that is always decoded whole
            self.cache.put(self.cache.key(way + print_), pixels, wanted)
        else:
            self.cache.put(wanted, pixels)
        return pixels

    def _decoded(self, at_least: tuple[int, int] | None, way: str) -> np.ndarray:
        if at_least is not None:
            return Source(self.image).at_least(*at_least, quick=bool(way))
        read: Callable[[], np.ndarray] = getattr(self.image, "quick", self.image.read) if way else self.image.read
        return read()


def limit_of(cache: str) -> int | None:
    """The bytes that a setting allows; None: as many as seems right."""
    if cache == "auto":
        return None
    if cache == "off":
        return 0
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(MB|GB|TB)", cache.strip(), re.IGNORECASE)
    if not match:
        raise SettingsError(f"train.cache = '{cache}': write auto, off, or a size such as 500MB or 8GB.")
    return int(float(match[1]) * _UNITS[match[2].upper()])


@contextlib.contextmanager
def keeping(
    setting: str, sides: Sequence[Dataset], *, epochs: int, folder: Path | None = None, tell: Tell = silent
) -> Iterator[list[Dataset]]:
    """The same data sets, whose pictures are decoded once while they fit; what is chosen is said."""
    limit = limit_of(setting)
    folder = folder or cache_folder() / "pictures"
    if limit is None and epochs > 1:
        limit = _chosen(sides, folder, tell)
    if not limit:
        yield list(sides)
        return
    try:
        cache = Cache(folder, limit)
    except OSError as error:
        if setting == "auto":
            yield list(sides)
            return
        raise StorageError(f"could not open the cache in {folder}: {error.strerror or error}.") from error
    try:
        yield [keep(side, cache) for side in sides]
    finally:
        cache.close()


def keep(data: Dataset, cache: Cache) -> Dataset:
    """The data set with pictures that look in the cache first."""

    def kept(sample: Sample) -> Sample:
        images = tuple(KeptImage(image, cache) if _worth(image) else image for image in sample.images)
        return Sample(sample.id, images, sample.truth, sample.given, sample.group, sample.split, sample.attributes)

    return data.map(kept, "kept")


def _worth(image: Any) -> bool:
    """Whether decoding takes longer than looking up, and the fingerprint vouches for the pixels."""
    inner = getattr(image, "image", image)
    return not isinstance(image, KeptImage) and not isinstance(inner, ArrayImage) and not getattr(inner, "drawn", False)


def _chosen(sides: Sequence[Dataset], folder: Path, tell: Tell) -> int:
    """Half of the memory that is free or a quarter of the disk, where the pictures fit; else 0."""
    wanted = sum(map(_estimated, sides))
    if not wanted:
        return 0
    there = next((parent for parent in (folder, *folder.parents) if parent.exists()), Path("/"))
    limit = min(_free_memory() // 2, shutil.disk_usage(there).free // 4)
    if wanted > limit:
        text = f"decoded pictures would take about {wanted / 1e9:.1f} GB and are not kept; --set train.cache=SIZE keeps"
        tell(Event("note", f"{text} what fits in {folder}"))
        return 0
    return limit


def _estimated(data: Dataset) -> int:
    """About how many bytes all pictures take decoded; those that are no use to keep count nothing."""
    taken = []
    for index in range(0, len(data), max(1, len(data) // LOOK)):
        try:
            taken.append(sum(image.read().nbytes for image in data[index].images if _worth(image)))
        except InputError:
            continue  # the loader meets it and says so
    return int(np.mean(taken) * len(data)) if taken else 0


def _free_memory() -> int:
    """Bytes that new pages can take without anything being swapped out."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    with contextlib.suppress(OSError, ValueError, AttributeError):
        return int(os.sysconf("SC_PHYS_PAGES")) * int(os.sysconf("SC_PAGE_SIZE")) // 2
    return 2**31
