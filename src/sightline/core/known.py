"""A data set that remembers what was learnt of each picture, so that its bytes are read once, not once a question."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from sightline.core.annotations import KINDS
from sightline.core.dataset import Dataset
from sightline.core.decoding import header
from sightline.core.errors import InputError
from sightline.core.files import digest
from sightline.core.image import ArrayImage, BytesImage, FileImage, Image
from sightline.core.progress import Event, Tell, silent
from sightline.core.sample import Sample

HELD = 128 * 2**20  # bytes of samples


@dataclass(slots=True, eq=False)
class KnownImage:
    """A picture whose fingerprint, size and first complaint are kept; its bytes and pixels are not."""

    image: Image
    _hash: str | None = None
    _shape: tuple[int, ...] | None = None  # rows, columns (or depth first)
    _fault: InputError | None = None
    _looked: bool = False

    @property
    def name(self) -> str:
        return self.image.name

    def read(self, at_least: tuple[int, int] | None = None) -> np.ndarray:
        return self.image.read(at_least) if at_least else self.image.read()

    def encoded(self) -> bytes:
        return self.image.encoded()

    def fingerprint(self) -> str:
        if self._hash is None:
            self.look()
        if self._hash is None:
            self._hash = self.image.fingerprint()
        return self._hash

    @property
    def shape(self) -> tuple[int, ...] | None:
        """Its size as far as that is known without decoding."""
        self.look()
        return self._shape

    @property
    def fault(self) -> InputError | None:
        """Why it cannot be read, as far as its header and its end tell."""
        self.look()
        return self._fault

    def look(self) -> None:
        """Read the bytes once, for hash and header; pictures that are drawn or held as pixels have none to read."""
        if self._looked:
            return
        if isinstance(self.image, FileImage | BytesImage) or getattr(self.image, "stored", False):
            try:
                data = self.image.encoded()
                self._hash = digest(data)
                self._shape = header(data, self.name)
                if _looks_cut(data):
                    self.image.read()
            except InputError as error:
                self._fault = error
        elif isinstance(self.image, ArrayImage):
            self._shape = self.image.pixels.shape[:-1]
        self._looked = True


def _looks_cut(data: bytes) -> bool:
    """Whether the mark of the end is missing where it belongs; only decoding can then tell."""
    if data.startswith(b"\xff\xd8\xff"):
        return not data.rstrip(b"\0").endswith(b"\xff\xd9")
    return data.startswith(b"\x89PNG") and not data.endswith(b"IEND\xaeB`\x82")


def remember(data: Dataset) -> Dataset:
    """The same data set, still lazy, with handles that remember."""
    if isinstance(data.samples, _Known):
        return data
    return Dataset(
        _Known(data.samples),
        name=data.name,
        names=data._names,
        kind=data._kind,
        recipe=data._recipe,
        details=data.details,
    )


def look_at_all(data: Dataset, tell: Tell = silent, *, threads: int = 4) -> None:
    """Read every picture's bytes once, some at a time, and say how far it is."""
    handles = [image for sample in data for image in sample.images if isinstance(image, KnownImage)]
    with ThreadPoolExecutor(threads, "sightline-look") as pool:
        for done, _ in enumerate(pool.map(KnownImage.look, handles), 1):
            if done % 1000 == 0 or done == len(handles):
                tell(
                    Event(
                        "progress",
                        f"looked at {done:,} of {len(handles):,} pictures",
                        {"done": done, "total": len(handles)},
                    )
                )


class _Known(Sequence[Sample]):
    """Samples with remembering handles; labels are held too while they are small, since some are costly to make."""

    def __init__(self, base: Sequence[Sample]) -> None:
        self.base = base
        self.handles: dict[int, tuple[KnownImage, ...]] = {}
        self.held: dict[int, Sample] = {}
        self.weight = 0

    def __len__(self) -> int:
        return len(self.base)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[place] for place in range(len(self))[index]]
        index = range(len(self))[index]
        if index in self.held:
            return self.held[index]
        sample = self.base[index]
        if index not in self.handles:
            self.handles[index] = tuple(KnownImage(image) for image in sample.images)
        sample = replace(sample, images=self.handles[index])
        self.weight += (weight := _weight(sample))
        if self.weight <= HELD:
            self.held[index] = sample
        else:
            self.weight -= weight
        return sample


def _weight(sample: Sample) -> int:
    """About how many bytes a sample holds; a label that reads its arrays when asked holds none of them."""
    if type(sample.truth) not in KINDS.values():
        return 1000
    columns = (getattr(sample.truth, field.name) for field in fields(sample.truth))  # type: ignore[arg-type]
    rings = (ring for rings in getattr(sample.truth, "outlines", None) or () for ring in rings)
    arrays = (column for column in (*columns, *rings) if isinstance(column, np.ndarray))
    return 1000 + sum(array.nbytes for array in arrays) + 500 * len(getattr(sample.truth, "details", None) or ())
