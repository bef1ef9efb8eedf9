"""Where each place of a picture goes: one move of pixels and of points, with its way back."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Literal

import numpy as np

from sightline.core.resampling import Affine, resize

Size = tuple[int, int]  # rows, columns
Border = Literal["fill", "reflect", "edge"]
MIDDLE = 114  # of 255: what letterboxes are filled with
_STEPS = 60  # of a fixed point that shrinks by 0.8 or more a step
_CHARS = "BHf"  # depths that OpenCV moves: uint8, uint16, float32


class Warp:
    """A matrix, of affine moves six numbers, or a field of displacements; edges lie at 0 and at the width."""

    __slots__ = ("_matrix", "field", "move", "size", "source", "undone")

    def __init__(
        self,
        matrix: np.ndarray | Affine,
        source: Size,
        size: Size,
        field: np.ndarray | None = None,  # (rows, columns, 2): a target pixel shows what lies this x, y further
        undone: bool = False,  # the field is walked the other way
    ) -> None:
        self.source, self.size, self.field, self.undone = source, size, field, undone
        self._matrix = None if isinstance(matrix, tuple) else matrix
        self.move: Affine | None = None  # where six numbers say it all
        if isinstance(matrix, tuple):
            self.move = matrix
        elif field is None and matrix[2].tolist() == [0.0, 0.0, 1.0]:
            self.move = tuple(matrix[:2].ravel().tolist())

    @property
    def matrix(self) -> np.ndarray:
        """(3, 3) from source to target; where there is a field it says nothing."""
        if self._matrix is None:
            assert self.move is not None
            self._matrix = np.array((*self.move, 0, 0, 1), np.float64).reshape(3, 3)
        return self._matrix

    def points(self, places: np.ndarray) -> np.ndarray:
        """(n, 2) x, y of the source as x, y of the target."""
        places = np.asarray(places, np.float64)
        if self.field is not None:
            return _follow(self.field, places) if self.undone else _trace(self.field, places)
        shifted = places @ self.matrix[:2, :2].T + self.matrix[:2, 2]
        if self.affine:
            return np.asarray(shifted)
        depth = places @ self.matrix[2, :2] + self.matrix[2, 2]
        return np.asarray(shifted / np.maximum(depth, 1e-6)[:, None])

    def inverse(self) -> Warp:
        """The way back; what left the picture does not return."""
        return Warp(np.linalg.inv(self.matrix), self.size, self.source, self.field, not self.undone)

    def then(self, later: Warp) -> Warp:
        """Both in one, so that pixels are interpolated once."""
        if self.field is not None or later.field is not None:
            raise ValueError("a field of displacements has no matrix; apply one after the other")
        return Warp(later.matrix @ self.matrix, self.source, later.size)

    @property
    def affine(self) -> bool:
        """Whether six numbers say all of it."""
        return self.move is not None

    @property
    def mirrors(self) -> bool:
        """Whether left hands become right hands."""
        return bool(np.linalg.det(self.matrix) < 0)

    @property
    def upright(self) -> bool:
        """Whether an axis-aligned box stays one."""
        if self.move is None:
            return False
        a, b, _, c, d, _ = self.move
        return (b == 0 == c) or (a == 0 == d)

    def growth(self, places: np.ndarray) -> np.ndarray:
        """By what the area around each of (n, 2) source places is multiplied."""
        step = 0.5
        base = self.points(places)
        right, below = (self.points(places + np.array(way)) - base for way in ((step, 0.0), (0.0, step)))
        return np.asarray(np.abs(right[:, 0] * below[:, 1] - right[:, 1] * below[:, 0]) / step**2)

    def pixels(
        self, pixels: np.ndarray, *, border: Border = "fill", fill: float | None = None, antialias: bool = True
    ) -> np.ndarray:
        """Rows, columns, channels (or depth first), interpolated linearly; nothing is, where pixels only change place.

        Without `fill` the ground is what `gray` says; windows that shrink are averaged unless `antialias` is off.
        """
        if pixels.ndim == 4:
            return np.stack([self.pixels(part, border=border, fill=fill, antialias=antialias) for part in pixels])
        return self._moved(pixels, border, fill, smooth=True, antialias=antialias)

    def planes(self, planes: np.ndarray, *, border: Border = "fill", fill: float = 0, smooth: bool = False) -> Any:
        """Arrays without channels (masks, class maps, scores); nearest unless `smooth`."""
        if planes.ndim > 2:
            shape = (*planes.shape[:-2], *self.size)
            each = [self.planes(part, border=border, fill=fill, smooth=smooth) for part in planes]
            return np.stack(each) if each else np.zeros(shape, planes.dtype)
        plain = planes.view(np.uint8) if planes.dtype == bool else planes
        if plain.dtype.char not in _CHARS:  # whole numbers up to 2**53 pass through float64 unharmed
            narrow = plain.dtype.kind in "iu" and plain.size and plain.min() >= 0 and max(plain.max(), fill) < 65536
            plain = plain.astype(np.uint16 if narrow else np.float64)
        moved = self._moved(plain[..., None], border, fill, smooth=smooth)[..., 0]
        return moved.view(bool) if planes.dtype == bool else moved.astype(planes.dtype, copy=False)

    def _moved(
        self, pixels: np.ndarray, border: Border, fill: float | None, *, smooth: bool, antialias: bool = True
    ) -> np.ndarray:
        if self.field is None and self.affine:
            places = _places(self.matrix)
            if places is not None:
                return _placed(pixels, self.size, *places, border, fill)
            window = self._window() if smooth else None
            if window is not None:
                top, left, bottom, right = window
                return _resized(pixels[top:bottom, left:right], self.size, antialias=antialias)
        return self._sampled(pixels, border, gray(pixels) if fill is None else fill, smooth=smooth)

    def _window(self) -> tuple[int, int, int, int] | None:
        """Top, left, bottom, right of the whole source pixels that the target shows upright, if it shows such."""
        (a, b, x), (c, d, y), _ = self.matrix.tolist()
        if b or c or a <= 0 or d <= 0:
            return None
        left, top = -x / a, -y / d
        edges = (top, left, top + self.size[0] / d, left + self.size[1] / a)
        whole = (round(edges[0]), round(edges[1]), round(edges[2]), round(edges[3]))
        if any(abs(edge - near) > 1e-6 for edge, near in zip(edges, whole, strict=True)):
            return None
        inside = whole[0] >= 0 and whole[1] >= 0 and whole[2] <= self.source[0] and whole[3] <= self.source[1]
        return whole if inside else None

    def _sampled(self, pixels: np.ndarray, border: Border, fill: float, *, smooth: bool) -> np.ndarray:
        """Through OpenCV, four channels at a time; it has its origin in the middle of the first pixel."""
        import cv2

        way = cv2.INTER_LINEAR if smooth else cv2.INTER_NEAREST
        edge = {"fill": cv2.BORDER_CONSTANT, "reflect": cv2.BORDER_REFLECT_101, "edge": cv2.BORDER_REPLICATE}[border]
        ground, size = (float(fill),) * 4, self.size[::-1]
        look, centred = None, None
        if self.field is not None:
            look = self._look()
        else:
            shift = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
            centred = np.linalg.inv(shift) @ self.matrix @ shift
        parts = []
        for first in range(0, pixels.shape[-1], 4):
            part = np.ascontiguousarray(pixels[..., first : first + 4]) if pixels.shape[-1] > 4 else pixels
            if look is not None:
                got = cv2.remap(part, look, None, way, borderMode=edge, borderValue=ground)
            elif self.affine:
                got = cv2.warpAffine(part, centred[:2], size, flags=way, borderMode=edge, borderValue=ground)  # type: ignore[index]
            else:
                got = cv2.warpPerspective(part, centred, size, flags=way, borderMode=edge, borderValue=ground)
            parts.append(got.reshape(*self.size, -1))
        return parts[0] if len(parts) == 1 else np.concatenate(parts, -1)

    def _look(self) -> np.ndarray:
        """Where each target pixel looks, in OpenCV's coordinates."""
        assert self.field is not None
        rows, columns = self.size
        grid = _grid(self.size)
        if not self.undone:
            return np.asarray(grid + self.field)
        found = _trace(self.field, grid.reshape(-1, 2).astype(np.float64) + 0.5) - 0.5
        return found.reshape(rows, columns, 2).astype(np.float32)


@lru_cache(maxsize=8)
def _grid(size: Size) -> np.ndarray:
    """The x, y of every pixel."""
    grid = np.empty((*size, 2), np.float32)
    grid[..., 0], grid[..., 1] = np.arange(size[1], dtype=np.float32), np.arange(size[0], dtype=np.float32)[:, None]
    return grid


def gray(pixels: np.ndarray) -> float:
    """What stands where nothing is known: the gray of letterboxes, and the mean of floats that go beyond 0..1."""
    if pixels.dtype.kind == "u":
        return float(MIDDLE * (np.iinfo(pixels.dtype).max // 255))
    if pixels.min(initial=0) >= 0 and pixels.max(initial=0) <= 1:
        return MIDDLE / 255
    known = pixels[np.isfinite(pixels)]
    return float(known.mean()) if known.size else MIDDLE / 255


def _resized(pixels: np.ndarray, size: Size, *, antialias: bool) -> np.ndarray:
    """To another size, of up to four channels without a copy of the window first."""
    if pixels.shape[-1] > 4:
        return resize(pixels, size)
    import cv2

    shrinks = size[0] * size[1] < pixels.shape[0] * pixels.shape[1]
    way = cv2.INTER_AREA if shrinks and antialias else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, size[::-1], interpolation=way).reshape(*size, -1))


def _places(matrix: np.ndarray) -> tuple[bool, int, int, int, int] | None:
    """Transposed, x and y direction, x and y shift, where pixels only change place; else None."""
    (a, b, right), (c, d, down), _ = matrix.tolist()
    over = a == 0 == d
    x, y = (b, c) if over else (a, d)
    if abs(x) != 1 or abs(y) != 1 or not (over or b == 0 == c):
        return None
    if abs(right - round(right)) > 1e-6 or abs(down - round(down)) > 1e-6:
        return None
    return over, int(x), int(y), round(right), round(down)


def _placed(
    pixels: np.ndarray,
    size: Size,
    over: bool,
    x: int,
    y: int,
    right: int,
    down: int,
    border: Border,
    fill: float | None,
) -> np.ndarray:
    """Transposed, flipped, then the window, padded where it reaches beyond."""
    import cv2

    known = pixels.dtype.char in _CHARS and pixels.shape[-1] <= 4
    if over:
        pixels = cv2.transpose(pixels).reshape(*pixels.shape[1::-1], -1) if known else pixels.swapaxes(0, 1)
    if x < 0 or y < 0:
        way = -1 if x < 0 and y < 0 else 1 if x < 0 else 0
        flipped = (slice(None, None, y), slice(None, None, x))
        pixels = cv2.flip(pixels, way).reshape(pixels.shape) if known else np.ascontiguousarray(pixels[flipped])
    rows, columns = pixels.shape[:2]
    left, top = (columns if x < 0 else 0) - right, (rows if y < 0 else 0) - down
    if left == 0 == top and size == (rows, columns):
        return pixels
    need = (max(0, -top), max(0, top + size[0] - rows), max(0, -left), max(0, left + size[1] - columns))
    if any(need):
        pixels = _padded(pixels, need, border, fill)
        top, left = top + need[0], left + need[2]
    return pixels[top : top + size[0], left : left + size[1]]


def _padded(pixels: np.ndarray, need: tuple[int, int, int, int], border: Border, fill: float | None) -> np.ndarray:
    value = gray(pixels) if fill is None else float(fill)
    if pixels.dtype.char in _CHARS and pixels.shape[-1] <= 4:
        import cv2

        way = {"fill": cv2.BORDER_CONSTANT, "reflect": cv2.BORDER_REFLECT_101, "edge": cv2.BORDER_REPLICATE}[border]
        made = cv2.copyMakeBorder(pixels, *need, way, value=(value,) * 4)
        return np.asarray(made.reshape(*made.shape[:2], -1))
    wide = ((need[0], need[1]), (need[2], need[3]), (0, 0))
    if border == "fill":
        return np.pad(pixels, wide, "constant", constant_values=pixels.dtype.type(value))
    return np.pad(pixels, wide, "reflect" if border == "reflect" else "edge")


def _follow(field: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Each place with the displacement that the field has there, linear between the middles of its pixels."""
    rows, columns = field.shape[:2]
    x = np.clip(places[:, 0] - 0.5, 0, columns - 1)
    y = np.clip(places[:, 1] - 0.5, 0, rows - 1)
    left, top = np.minimum(x.astype(int), max(0, columns - 2)), np.minimum(y.astype(int), max(0, rows - 2))
    right, below = np.minimum(left + 1, columns - 1), np.minimum(top + 1, rows - 1)
    x, y = (x - left)[:, None], (y - top)[:, None]
    upper = field[top, left] * (1 - x) + field[top, right] * x
    lower = field[below, left] * (1 - x) + field[below, right] * x
    return np.asarray(places + upper * (1 - y) + lower * y)


def _trace(field: np.ndarray, places: np.ndarray) -> np.ndarray:
    """The places that `_follow` leads to these: a fixed point, since a field that does not fold shrinks distances."""
    found = places
    for _ in range(_STEPS):
        nearer = places - (_follow(field, found) - found)
        if np.abs(nearer - found).max(initial=0) < 1e-6:
            return np.asarray(nearer)
        found = nearer
    return np.asarray(found)


def flip(size: Size, *, down: bool = False) -> Warp:
    """Left to right, or upside down."""
    rows, columns = map(float, size)
    return Warp((1.0, 0.0, 0.0, 0.0, -1.0, rows) if down else (-1.0, 0.0, columns, 0.0, 1.0, 0.0), size, size)


def transpose(size: Size) -> Warp:
    """Rows become columns."""
    return Warp((0.0, 1.0, 0.0, 1.0, 0.0, 0.0), size, size[::-1])


def quarters(size: Size, count: int) -> Warp:
    """Turned counter-clockwise by so many quarters of a circle."""
    warp = Warp(np.eye(3), size, size)
    for _ in range(count % 4):
        warp = warp.then(transpose(warp.size)).then(flip(warp.size[::-1], down=True))
    return warp


def window(size: Size, top: int, left: int, rows: int, columns: int, to: Size | None = None) -> Warp:
    """A window, which may reach beyond the picture, perhaps brought to another size."""
    to = to or (rows, columns)
    x, y = to[1] / columns, to[0] / rows
    return Warp((x, 0.0, -left * x, 0.0, y, -top * y), size, to)


def about_middle(size: Size, turn: np.ndarray, shift: tuple[float, float] = (0.0, 0.0)) -> Warp:
    """A (2, 2) matrix applied around the middle, then a shift in x, y pixels."""
    middle = np.array([size[1] / 2, size[0] / 2])
    matrix = np.eye(3)
    matrix[:2, :2] = turn
    matrix[:2, 2] = middle - turn @ middle + np.array(shift)
    return Warp(matrix, size, size)


def corners(size: Size, moved: np.ndarray) -> Warp:
    """The four corners (upper left, upper right, lower right, lower left) put on (4, 2) other places."""
    rows, columns = size
    old = np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]], np.float64)
    import cv2

    matrix = cv2.getPerspectiveTransform(old.astype(np.float32), np.asarray(moved, np.float32))
    return Warp(np.asarray(matrix, np.float64), size, size)


def waves(field: np.ndarray, *, gentle: bool = True, smooth: int = 1) -> Warp:
    """A field of displacements (rows, columns, 2), where `gentle` made so weak that it cannot fold.

    `smooth`: over so many pixels the field is as good as straight, which saves looking at each of them.
    """
    size = (field.shape[0], field.shape[1])
    if not gentle:
        return Warp(np.eye(3), size, size, field.astype(np.float32, copy=False))
    steepest, seen = 0.0, field[::smooth, ::smooth]
    for axis in (0, 1):
        if seen.shape[axis] > 1:
            slope = np.abs(np.diff(seen, axis=axis)).sum(-1)
            steepest = max(steepest, float(slope.max()) / smooth)
    weaker = field * np.float32(min(1.0, 0.45 / max(steepest, 1e-9)))
    return Warp(np.eye(3), size, size, weaker.astype(np.float32, copy=False))
