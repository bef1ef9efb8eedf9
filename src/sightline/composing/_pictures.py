"""The pictures that are composed: read one at a time, checked against each other, counted before they are read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sightline.core.depth import checked, span
from sightline.core.errors import InputError
from sightline.core.image import Image, as_image


class Pictures:
    """Two or more pictures of the same depth and channels, in the order given; each is read when it is asked for."""

    def __init__(self, given: Any, what: str, *, least: int = 2, alike: bool = True) -> None:
        self.what, self.alike = what, alike
        self.images = [_image(each, place) for place, each in enumerate(_listed(given), 1)]
        if len(self.images) < least:
            raise InputError(
                "missing", f"{what} takes {least} pictures or more, not {len(self.images)}. Name more, or their folder."
            )
        self._like: tuple[np.dtype, int, str] | None = None

    def __len__(self) -> int:
        return len(self.images)

    def __iter__(self) -> Iterator[np.ndarray]:
        return (self[place] for place in range(len(self)))

    def __getitem__(self, place: int) -> np.ndarray:
        pixels = checked(self.images[place].read(), what=self.what)
        name = self.images[place].name
        kind = pixels.dtype, int(pixels.shape[2])
        if self._like is None:
            self._like = (*kind, name)
        if self.alike and kind != self._like[:2]:
            depth, channels, first = self._like
            raise InputError(
                "mismatch",
                f"{self.what} takes pictures of one kind: {first} has {channels} channels of {depth}, {name} has "
                f"{kind[1]} of {kind[0]}. Convert them to one kind first.",
            )
        return pixels

    def span(self) -> tuple[float, float]:
        """Black and white of all of them; floats beyond 0 and 1 are looked through once."""
        first = self[0]
        if first.dtype.kind == "u":
            return span(first)
        ends = [span(pixels) for pixels in self]
        return min(low for low, _ in ends), max(high for _, high in ends)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(image.name for image in self.images)


def lit(pixels: np.ndarray, ends: tuple[float, float]) -> np.ndarray:
    """float32 in which black is 0 and white is 1."""
    low, top = ends
    made = pixels.astype(np.float32)
    made -= np.float32(low)
    made *= np.float32(1 / (top - low))
    return made


def unlit(values: np.ndarray, ends: tuple[float, float], depth: np.dtype) -> np.ndarray:
    """The way back, clipped; `values` are used up."""
    low, top = ends
    np.clip(values, 0, 1, out=values)
    values *= np.float32(top - low)
    values += np.float32(low)
    if depth.kind == "u":
        np.rint(values, out=values)
    return values.astype(depth, copy=False)


def same_size(pixels: np.ndarray, first: np.ndarray, what: str, name: str) -> None:
    """Refuse a picture of another size where pixels are merged in place."""
    if pixels.shape != first.shape:
        raise InputError(
            "mismatch",
            f"{what}: {name} has {pixels.shape[0]} x {pixels.shape[1]} pixels, the first picture "
            f"{first.shape[0]} x {first.shape[1]}. Align them first, or name how: by = homography.",
        )


def _listed(given: Any) -> Sequence[Any]:
    """What a folder, a data set or a sequence holds; a stack of pictures is one picture a row."""
    if isinstance(given, str | Path) and Path(given).is_dir():
        from sightline.core import catalog

        return [sample.image for sample in catalog.find("formats", "pictures").read(Path(given))]
    if isinstance(given, str | Path | bytes):
        return [given]
    if isinstance(given, np.ndarray):
        return list(given) if given.ndim == 4 else [given]
    return [each.image if hasattr(each, "images") else each for each in given]


def _image(given: Any, place: int) -> Image:
    image = as_image(given)
    return _Named(image, f"picture {place}") if isinstance(given, np.ndarray) else image


class _Named:
    """Pixels in memory, known by their place."""

    def __init__(self, image: Image, name: str) -> None:
        self.image, self.name = image, name

    def read(self, at_least: Any = None) -> np.ndarray:
        return self.image.read(at_least)

    def encoded(self) -> bytes:
        return self.image.encoded()

    def fingerprint(self) -> str:
        return self.image.fingerprint()
