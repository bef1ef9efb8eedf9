"""A picture with moves that wait: decoded at the scale that its use needs, moved once, and coloured last."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sightline.core.image import ArrayImage, Encoded, Image, sized
from sightline.core.resampling import STILL, Affine, after, inverse, resize, warp

Size = tuple[int, int]
Edit = Callable[[np.ndarray], np.ndarray]
_NEAR = 1e-6  # of a pixel


class Source:
    """A picture behind views: its size before its pixels, and its pixels at most once whole."""

    __slots__ = ("_pixels", "_size", "image")

    def __init__(self, image: Image) -> None:
        self.image = image
        self._pixels: np.ndarray | None = image.pixels if isinstance(image, ArrayImage) else None
        self._size: tuple[int, ...] | None = None if self._pixels is None else self._pixels.shape[:-1]

    @property
    def size(self) -> tuple[int, ...]:
        """Rows and columns (or depth first), from the header where that can tell."""
        if self._size is None:
            self._size = getattr(self.image, "shape", None)
        if self._size is None and self._pixels is None and isinstance(self.image, Encoded):
            self.image, self._size = sized(self.image)
        if self._size is None:
            self._size = self.whole().shape[:-1]
        return self._size

    @property
    def held(self) -> int:
        """Bytes of pixels that are kept."""
        return 0 if self._pixels is None else self._pixels.nbytes

    def whole(self) -> np.ndarray:
        """Every pixel; kept, since moves that cannot wait ask several times."""
        if self._pixels is None:
            self._pixels = self.image.read()
        return self._pixels

    def at_least(self, rows: float, columns: float, *, quick: bool = False) -> np.ndarray:
        """Pixels of the whole picture at 1, 1/2, 1/4 or 1/8 of its size, with at least so many rows and columns.

        `quick` takes its decoder's shortcuts, where it has any.
        """
        if self._pixels is not None:
            return self._pixels
        read = getattr(self.image, "quick", self.image.read) if quick else self.image.read
        made: np.ndarray = read(reduced_size(self.size, rows, columns))
        return made


def reduced_size(size: tuple[int, ...], rows: float, columns: float) -> Size:
    """The smallest of 1, 1/2, 1/4 and 1/8 of a size that has this many rows and columns."""
    for by in (8, 4, 2):
        small = (-(-size[0] // by), -(-size[1] // by))
        if small[0] >= rows and small[1] >= columns:
            return small
    return size[0], size[1]


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """An image that shows another one moved and coloured; nothing is read before use."""

    source: Source
    move: Affine  # from the source's x, y to the view's; edges lie at 0 and at the width
    size: Size
    border: str = "edge"  # edge | reflect | fill: what lies beyond the source
    fill: float | None = None  # None: the gray of letterboxes, in floats the mean
    edits: tuple[Edit, ...] = ()  # of each pixel by itself, in order

    @classmethod
    def of(cls, image: Image) -> View:
        """The whole of a flat picture, or a view as it is."""
        if isinstance(image, View):
            return image
        source = Source(image)
        return cls(source, STILL, (source.size[-2], source.size[-1]))

    @property
    def name(self) -> str:
        return self.source.image.name

    @property
    def shape(self) -> Size:
        """Rows and columns, without decoding."""
        return self.size

    def fingerprint(self) -> str:
        return self._array().fingerprint()

    def encoded(self) -> bytes:
        return self._array().encoded()

    def _array(self) -> ArrayImage:
        return ArrayImage(self.read(), self.name)

    def moved(self, move: Affine, size: Size, *, border: str = "edge", fill: float | None = None) -> View:
        """This view under one more affine move; what an earlier move has cut away does not return."""
        if _inside(move, size, self.size):
            border, fill = self.border, self.fill
        elif self.edits or not self._is_whole():
            return View.of(self._array()).moved(move, size, border=border, fill=fill)
        return View(self.source, after(move, self.move), size, border, fill, self.edits)

    def _is_whole(self) -> bool:
        """Whether the view shows its source from edge to edge, turned or not."""
        box = _box(self.move, self.source.size)
        ends = zip(box, (0, 0, self.size[1], self.size[0]), strict=True)
        return _upright(self.move) and all(abs(got - wanted) < _NEAR for got, wanted in ends)

    def window(self, top: float, left: float, rows: int, columns: int) -> View:
        """A part of this view, inside it."""
        return self.moved((1, 0, -left, 0, 1, -top), (rows, columns))

    def mirrored(self) -> View:
        """Left to right."""
        return self.moved((-1, 0, self.size[1], 0, 1, 0), self.size)

    def changed(self, edit: Edit) -> View:
        """This view with a change that each pixel takes without its neighbours: it waits until the moves are done."""
        return View(self.source, self.move, self.size, self.border, self.fill, (*self.edits, edit))

    def read(self, at_least: Size | None = None) -> np.ndarray:
        """The pixels at the size of this view, whatever is asked for."""
        return self._shown(self.source.whole(), self.size, "smooth")

    def sampled(self, size: Size, way: str = "smooth") -> np.ndarray:
        """The pixels at another size, decoded no larger than that needs, interpolated once, and coloured last."""
        wide, tall = size[1] / self.size[1], size[0] / self.size[0]
        a, b, _, d, e, _ = self.move
        rows, columns = self.source.size[-2:]
        if abs(b) + abs(d) < _NEAR:
            across, down = abs(a) * wide, abs(e) * tall
        else:
            across = down = math.sqrt(abs(a * e - b * d) * wide * tall)
        least = (down * rows - _NEAR, across * columns - _NEAR)
        return self._shown(self.source.at_least(*least, quick=way == "fast"), size, way)

    def _shown(self, pixels: np.ndarray, size: Size, way: str) -> np.ndarray:
        whole = self.source.size
        if self.move is STILL and not self.edits and pixels.shape[:2] == whole == self.size != size:
            return resize(pixels, size, way)  # as most pictures are asked about: whole, and as they are
        back = inverse(self.move)
        if size != self.size:
            back = after(back, (self.size[1] / size[1], 0.0, 0.0, 0.0, self.size[0] / size[0], 0.0))
        down = across = 1.0
        if pixels.shape[:2] != whole:
            down, across = whole[0] / pixels.shape[0], whole[1] / pixels.shape[1]
            back = after((1 / across, 0.0, 0.0, 0.0, 1 / down, 0.0), back)
        made = _straight(pixels, back, size, way, (down, across)) if _upright(back) else None
        if made is None:
            fill = middle(pixels) if self.fill is None else self.fill
            made = warp(pixels, back, size, way, border=self.border, fill=fill, reduced=(down, across))
        for edit in self.edits:
            made = edit(made)
        return made


def middle(pixels: np.ndarray) -> float:
    """What stands where nothing is known."""
    return {"uint8": 114.0, "uint16": 114.0 * 257}.get(str(pixels.dtype)) or float(np.nan_to_num(pixels.mean()))


def _straight(
    pixels: np.ndarray, back: Affine, size: Size, way: str, reduced: tuple[float, float]
) -> np.ndarray | None:
    """An upright window, flipped perhaps, or None where it leaves the picture."""
    left, top, right, bottom = _box(back, size)
    x, y = math.floor(left + _NEAR), math.floor(top + _NEAR)
    right_, bottom_ = math.ceil(right - _NEAR), math.ceil(bottom - _NEAR)
    if x < 0 or y < 0 or right_ > pixels.shape[1] or bottom_ > pixels.shape[0]:
        return None
    cut = pixels[y:bottom_, x:right_]
    if max(left - x, top - y, right_ - right, bottom_ - bottom) > 2 * _NEAR:
        return warp(cut, after((1, 0, -x, 0, 1, -y), back), size, way, reduced=reduced)
    return _flipped(resize(cut, size, way, reduced=reduced), back[0] < 0, back[4] < 0)


def _flipped(pixels: np.ndarray, across: bool, down: bool) -> np.ndarray:
    if not (across or down):
        return pixels
    if pixels.shape[-1] > 4:
        return np.ascontiguousarray(pixels[:: -1 if down else 1, :: -1 if across else 1])
    import cv2

    turned: np.ndarray = cv2.flip(pixels, -1 if across and down else 1 if across else 0)
    return turned if turned.ndim == 3 else turned.reshape(pixels.shape)


def _upright(move: Affine) -> bool:
    return abs(move[1]) + abs(move[3]) < _NEAR


def _box(move: Affine, size: tuple[int, ...]) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of where a size goes."""
    a, b, c, d, e, f = move
    columns, rows = size[-1], size[-2]
    if b == 0 == d:
        x, y = c + a * columns, f + e * rows
        return (c, f, x, y) if a > 0 and e > 0 else (min(c, x), min(f, y), max(c, x), max(f, y))
    xs = [c, c + a * columns, c + b * rows, c + a * columns + b * rows]
    ys = [f, f + d * columns, f + e * rows, f + d * columns + e * rows]
    return min(xs), min(ys), max(xs), max(ys)


def _inside(move: Affine, size: Size, have: Size) -> bool:
    """Whether all that a view of this size shows after a move lies in what there is."""
    a, b, c, d, e, f = move
    if b == 0 == d and a > 0 and e > 0:  # as windows do
        return (
            c < _NEAR * a
            and f < _NEAR * e
            and size[1] - c < (have[1] + _NEAR) * a
            and size[0] - f < (have[0] + _NEAR) * e
        )
    left, top, right, bottom = _box(inverse(move), size)
    return left > -_NEAR and top > -_NEAR and right < have[1] + _NEAR and bottom < have[0] + _NEAR
