"""Filters that move pixels: turns, shears, corners, bent planes, lenses."""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np

from sightline.core.asked import flag, number, numbers, pairs, whole, word
from sightline.core.errors import InputError, SettingsError
from sightline.filters._pixels import by_four, ink, kept_within, on_any_pixels

_WAYS = {
    "nearest": cv2.INTER_NEAREST,
    "linear": cv2.INTER_LINEAR,
    "cubic": cv2.INTER_CUBIC,
    "lanczos": cv2.INTER_LANCZOS4,
}
_BORDERS = {"fill": cv2.BORDER_CONSTANT, "edge": cv2.BORDER_REPLICATE, "reflect": cv2.BORDER_REFLECT_101}
_LONGEST = 32766  # pixels a side that OpenCV moves
_STEP = 4  # pixels at most between places of which a bend is reckoned exactly; between them it is interpolated
_EXACT = 256  # pixels a side below which each one is
_QUARTERS = {1: cv2.ROTATE_90_COUNTERCLOCKWISE, 2: cv2.ROTATE_180, 3: cv2.ROTATE_90_CLOCKWISE}

Size = tuple[int, int]  # rows, columns
Move = Callable[..., np.ndarray]


def _moved(pixels: np.ndarray, move: Move, size: Size, way: str, border: str, fill: float) -> np.ndarray:
    """What OpenCV makes of it with the flags, the border and the value that the words stand for."""
    value = ink(pixels, fill) if border == "fill" else (0.0,) * 4
    kind, edge = _WAYS[way], _BORDERS[border]
    if border == "reflect" and min(pixels.shape[:2]) == 1:
        edge = cv2.BORDER_REPLICATE  # of one pixel the two are the same, and OpenCV 5 never ends to reflect it
    made = by_four(pixels, lambda part: move(part, size[::-1], flags=kind, borderMode=edge, borderValue=value))
    return kept_within(made, pixels) if way in ("cubic", "lanczos") else made


def _check(what: str, image: np.ndarray, size: Size, way: str, border: str, fill: float) -> None:
    word(what, "way", way, _WAYS)
    word(what, "border", border, _BORDERS)
    number(what, "fill", fill, 0, 1)
    if max(*image.shape[:2], *size) > _LONGEST:
        raise InputError(
            "too_large", f"{what} moves pictures of at most {_LONGEST} pixels a side, not {max(*image.shape, *size)}."
        )


@on_any_pixels
def rotate(
    image: np.ndarray,
    *,
    degrees: float = 15.0,
    expand: bool = False,
    way: str = "linear",
    border: str = "fill",
    fill: float = 0.0,
) -> np.ndarray:
    """Turned against the clock about the middle, in the same size, or in one that holds it whole (`expand`).

    Ways: nearest, linear, cubic, lanczos; borders: fill (with a part of the range), edge, reflect. Quarter turns move
    pixels and change none.
    """
    number("rotate", "degrees", degrees, -36000, 36000)
    flag("rotate", "expand", expand)
    rows, columns = image.shape[:2]
    quarters, rest = divmod(degrees % 360, 90)
    if not rest and (expand or rows == columns or quarters % 2 == 0):
        _check("rotate", image, (1, 1), way, border, fill)
        return by_four(image, lambda part: cv2.rotate(part, _QUARTERS[int(quarters)])) if quarters else image
    matrix = cv2.getRotationMatrix2D(((columns - 1) / 2, (rows - 1) / 2), degrees, 1)
    size = (rows, columns)
    if expand:
        cosine, sine = abs(math.cos(math.radians(degrees))), abs(math.sin(math.radians(degrees)))
        size = tuple(
            math.ceil(side - 1e-6) for side in (rows * cosine + columns * sine, rows * sine + columns * cosine)
        )
        matrix[:, 2] += (size[1] - columns) / 2, (size[0] - rows) / 2
    _check("rotate", image, size, way, border, fill)
    return _moved(image, lambda part, *to, **how: cv2.warpAffine(part, matrix, *to, **how), size, way, border, fill)


@on_any_pixels
def affine(
    image: np.ndarray,
    *,
    matrix: tuple[float, ...] = (1.0, 0.2, 0.0, 0.0, 1.0, 0.0),
    width: int = 0,
    height: int = 0,
    way: str = "linear",
    border: str = "fill",
    fill: float = 0.0,
) -> np.ndarray:
    """Each pixel x, y goes to ax + by + c, dx + ey + f for `matrix` (a, b, c, d, e, f); 0 is the middle of the first.

    In the same size, or in `width` by `height`.
    """
    a, b, c, d, e, f = numbers("affine", "matrix", matrix, 6)
    if abs(a * e - b * d) < 1e-9:
        raise SettingsError(f"affine: matrix = {matrix!r}: must not press the picture flat (a e - b d is 0).")
    size = _size("affine", image, width, height)
    _check("affine", image, size, way, border, fill)
    forth = np.array([[a, b, c], [d, e, f]])
    return _moved(image, lambda part, *to, **how: cv2.warpAffine(part, forth, *to, **how), size, way, border, fill)


def _size(what: str, image: np.ndarray, width: int, height: int) -> Size:
    high, wide = (whole(what, name, side, 0, _LONGEST) for name, side in (("height", height), ("width", width)))
    return high or image.shape[0], wide or image.shape[1]


@on_any_pixels
def perspective(
    image: np.ndarray,
    *,
    corners: tuple[float, ...] = (0.1, 0.1, 0.9, 0.0, 1.0, 1.0, 0.0, 0.9),
    width: int = 0,
    height: int = 0,
    way: str = "linear",
    border: str = "fill",
    fill: float = 0.0,
) -> np.ndarray:
    """What lies between four corners becomes the whole picture, as if seen from above.

    `corners` are x, y of the left top, right top, right bottom and left bottom one, as parts of width and height. In
    the same size, or in `width` by `height`.
    """
    parts = np.array(numbers("perspective", "corners", corners, 8, -10, 10), np.float32).reshape(4, 2)
    after, far = np.roll(parts, -1, 0) - parts, np.roll(parts, -2, 0) - parts
    turns = after[:, 0] * far[:, 1] - after[:, 1] * far[:, 0]
    if not ((turns > 1e-6).all() or (turns < -1e-6).all()):
        raise SettingsError(
            f"perspective: corners = {corners!r}: must go round a shape of four corners, none of them bent inwards."
        )
    size = _size("perspective", image, width, height)
    _check("perspective", image, size, way, border, fill)
    rows, columns = image.shape[:2]
    source = parts * np.array([columns, rows], np.float32) - np.float32(0.5)
    square = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    target = square * np.array(size[::-1], np.float32) - np.float32(0.5)
    matrix = cv2.getPerspectiveTransform(source, target)
    return _moved(
        image, lambda part, *to, **how: cv2.warpPerspective(part, matrix, *to, **how), size, way, border, fill
    )


@on_any_pixels
def thin_plate(
    image: np.ndarray,
    *,
    points: tuple[tuple[float, float], ...] = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0), (0.5, 0.5)),
    to: tuple[tuple[float, float], ...] = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0), (0.6, 0.45)),
    way: str = "linear",
    border: str = "edge",
    fill: float = 0.0,
) -> np.ndarray:
    """Bent like a thin plate, so that each of the `points` comes to lie at its place in `to`.

    Both are pairs of x, y as parts of width and height, at least three that lie on no line.
    """
    source = np.array(pairs("thin_plate", "points", points, 3, -10, 10))
    target = np.array(pairs("thin_plate", "to", to, 3, -10, 10))
    if len(source) != len(target):
        raise SettingsError(f"thin_plate: points and to: must be as many, not {len(source)} and {len(target)}.")
    rows, columns = image.shape[:2]
    _check("thin_plate", image, (rows, columns), way, border, fill)
    scale = np.array([columns, rows], np.float64)
    field = _bent(target * scale - 0.5, source * scale - 0.5, (rows, columns))
    return _moved(
        image,
        lambda part, size, flags, **how: cv2.remap(part, field, None, flags, **how),
        (rows, columns),
        way,
        border,
        fill,
    )


def _bent(places: np.ndarray, shown: np.ndarray, size: Size) -> np.ndarray:
    """(rows, columns, 2) float32: the x, y that each pixel shows, when each of `places` shows one of `shown`."""
    count = len(places)
    system = np.zeros((count + 3, count + 3))
    system[:count, :count] = _bend(places, places)
    system[:count, count:] = np.concatenate([np.ones((count, 1)), places], 1)
    system[count:, :count] = system[:count, count:].T
    wanted = np.concatenate([shown, np.zeros((3, 2))])
    if np.linalg.matrix_rank(system) < len(system):
        raise SettingsError("thin_plate: to: must be places that differ and do not all lie on one line.")
    weights = np.linalg.solve(system, wanted)
    step = 1 if min(size) < _EXACT else _STEP
    coarse = [np.arange(-2, math.ceil((side - 1) / step) + 3) * float(step) for side in size]  # and around it
    x, y = np.meshgrid(coarse[1], coarse[0])
    asked = np.stack([x.ravel(), y.ravel()], 1)
    bend = _bend(asked, places) @ weights[:count]  # the straight part is added exactly, below
    grid = bend.reshape(*x.shape, 2).astype(np.float32)
    columns, rows = (np.arange(side, dtype=np.float32) / step + 2 for side in size[::-1])
    across, down = np.meshgrid(columns, rows)
    field = cv2.remap(grid, across, down, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    field = np.asarray(field).reshape(*size, 2)
    places_x, places_y = (across - 2) * step, (down - 2) * step
    for axis in range(2):
        still, by_x, by_y = (np.float32(one) for one in weights[count:, axis])
        field[..., axis] += still + by_x * places_x + by_y * places_y
    return field


def _bend(places: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """(n, m): r² log r of each place from each centre (Duchon 1977)."""
    squared = ((places[:, None] - centres[None]) ** 2).sum(2)
    return np.asarray(0.5 * squared * np.log(np.maximum(squared, 1e-300)))


@on_any_pixels
def undistort(
    image: np.ndarray,
    *,
    k1: float = -0.2,
    k2: float = 0.0,
    focal: float = 1.0,
    centre: tuple[float, float] = (0.5, 0.5),
    way: str = "linear",
    border: str = "fill",
    fill: float = 0.0,
) -> np.ndarray:
    """Straightens what a lens has bent: radius r shows what the lens drew at r (1 + k1 r² + k2 r⁴).

    Radii are measured in focal lengths; `focal` is a part of the longer side, `centre` of width and height. A barrel
    has a k1 below 0, a pincushion one above.
    """
    number("undistort", "k1", k1, -10, 10)
    number("undistort", "k2", k2, -10, 10)
    number("undistort", "focal", focal, 0.01, 100)
    middle = numbers("undistort", "centre", centre, 2, -1, 2)
    rows, columns = image.shape[:2]
    _check("undistort", image, (rows, columns), way, border, fill)
    length = focal * max(rows, columns)
    camera = np.array([[length, 0, middle[0] * columns - 0.5], [0, length, middle[1] * rows - 0.5], [0, 0, 1]])
    lens = np.array([k1, k2, 0, 0], np.float64)
    x, y = cv2.initUndistortRectifyMap(camera, lens, np.eye(3), camera, (columns, rows), cv2.CV_32FC1)
    return _moved(
        image, lambda part, size, flags, **how: cv2.remap(part, x, y, flags, **how), (rows, columns), way, border, fill
    )
