"""Filters that change which pixels there are: another size, a window, a frame, a mirror."""

from __future__ import annotations

import cv2
import numpy as np

from sightline.core.asked import flag, number, numbers, whole, word
from sightline.core.errors import SettingsError
from sightline.core.resampling import resize as resampled
from sightline.filters._pixels import by_four, ink, kept_within, on_any_pixels

_WAYS = {
    "smooth": -1,
    "nearest": cv2.INTER_NEAREST_EXACT,
    "linear": cv2.INTER_LINEAR,
    "cubic": cv2.INTER_CUBIC,
    "lanczos": cv2.INTER_LANCZOS4,
    "area": cv2.INTER_AREA,
}
_BORDERS = {
    "fill": cv2.BORDER_CONSTANT,
    "edge": cv2.BORDER_REPLICATE,
    "reflect": cv2.BORDER_REFLECT_101,
    "mirror": cv2.BORDER_REFLECT,
    "wrap": cv2.BORDER_WRAP,
}
_TURNS = {"left_right": 1, "up_down": 0, "both": -1, "diagonal": 2}
_LONGEST, _MOST = 100_000, 2**30  # pixels a side, and of one picture
_MIDDLE = 114 / 255  # what letterboxes are filled with


@on_any_pixels
def resize(
    image: np.ndarray,
    *,
    width: int = 0,
    height: int = 0,
    factor: float = 0.0,
    longest: int = 0,
    shortest: int = 0,
    way: str = "smooth",
) -> np.ndarray:
    """Another size: `width` and `height` (one of them keeps the shape), a `factor`, or a longest or shortest side.

    Ways: smooth (antialiased), nearest, linear, cubic, lanczos, area. Half the size where nothing is said.
    """
    word("resize", "way", way, _WAYS)
    given = {"width": width, "height": height, "longest": longest, "shortest": shortest}
    for name, value in given.items():
        whole("resize", name, value, 0, _LONGEST)
    number("resize", "factor", factor, 0, 1000)
    said = [name for name in ("factor", "longest", "shortest") if {**given, "factor": factor}[name]]
    said += ["width and height"] if width or height else []
    if len(said) > 1:
        raise SettingsError(f"resize: {' and '.join(said)}: say one of them, not several.")
    return _resized(image, _target(image.shape, width, height, factor, longest, shortest), way)


def _target(
    shape: tuple[int, ...], width: int, height: int, factor: float, longest: int, shortest: int
) -> tuple[int, int]:
    """Rows and columns."""
    rows, columns = shape[:2]
    if width and height:
        return int(height), int(width)
    down = height or width * rows / columns
    by = down / rows or factor or longest / max(rows, columns) or shortest / min(rows, columns) or 0.5
    return max(1, round(rows * by)), max(1, int(width) or round(columns * by))


def _resized(pixels: np.ndarray, size: tuple[int, int], way: str) -> np.ndarray:
    if max(size) > _LONGEST or size[0] * size[1] > _MOST:
        raise SettingsError(f"resize: {size[1]:,} x {size[0]:,} pixels: at most {_LONGEST:,} a side, {_MOST:,} in all.")
    if size == pixels.shape[:2]:
        return pixels
    if way == "smooth":
        return resampled(pixels, size, "smooth")
    if way == "area" and (blocks := _blocks(pixels, size)):
        return _averaged(pixels, size, blocks)
    made = by_four(pixels, lambda part: cv2.resize(part, size[::-1], interpolation=_WAYS[way]))
    return kept_within(made, pixels) if way in ("cubic", "lanczos") else made


def _blocks(pixels: np.ndarray, size: tuple[int, int]) -> tuple[int, int] | None:
    """Columns and rows of the blocks that become one pixel, where they are whole and OpenCV is slow to average them."""
    down, across = pixels.shape[0] // size[0], pixels.shape[1] // size[1]
    fits = pixels.shape[:2] == (down * size[0], across * size[1]) and down % 2 and across % 2
    return (across, down) if fits and pixels.dtype == np.uint8 and 3 <= max(down, across) <= 15 else None


def _averaged(pixels: np.ndarray, size: tuple[int, int], block: tuple[int, int]) -> np.ndarray:
    """The mean of each block: a smoothed picture, of which one pixel a block stays."""
    anchor = (block[0] // 2, block[1] // 2)

    def change(part: np.ndarray) -> np.ndarray:
        soft = cv2.blur(part, block, anchor=anchor)
        return np.asarray(cv2.resize(soft, size[::-1], interpolation=cv2.INTER_NEAREST_EXACT))

    return by_four(pixels, change)


@on_any_pixels
def letterbox(
    image: np.ndarray,
    *,
    width: int = 640,
    height: int = 640,
    fill: float = _MIDDLE,
    grow: bool = True,
    way: str = "smooth",
) -> np.ndarray:
    """As large as fits into `width` by `height` with the shape kept, in the middle of a ground of one value.

    `fill` is a part of the range. A picture that is smaller stays as it is unless it may `grow`.
    """
    wide, high = (whole("letterbox", name, side, 1, 32766) for name, side in (("width", width), ("height", height)))
    number("letterbox", "fill", fill, 0, 1)
    word("letterbox", "way", way, _WAYS)
    by = min(high / image.shape[0], wide / image.shape[1])
    if by > 1 and not flag("letterbox", "grow", grow):
        by = 1.0
    size = (max(1, round(image.shape[0] * by)), max(1, round(image.shape[1] * by)))
    top, left = (high - size[0]) // 2, (wide - size[1]) // 2
    around = (top, high - size[0] - top, left, wide - size[1] - left)
    return _framed(_resized(image, size, way), around, "fill", ink(image, fill))


@on_any_pixels
def crop(image: np.ndarray, *, box: tuple[int, ...] = (), width: int = 0, height: int = 0) -> np.ndarray:
    """A window: `box` is left, top, right, bottom in pixels, or `width` by `height` about the middle.

    The middle half where nothing is said. A window that does not lie inside is refused.
    """
    rows, columns = image.shape[:2]
    if box:
        if width or height:
            raise SettingsError("crop: box and width or height: say one of them, not both.")
        left, top, right, bottom = (
            whole("crop", name, value, 0, _LONGEST)
            for name, value in zip(
                ("left", "top", "right", "bottom"), numbers("crop", "box", box, 4, 0, _LONGEST), strict=True
            )
        )
    else:
        wide = whole("crop", "width", width, 0, _LONGEST) or (columns if height else max(1, columns // 2))
        high = whole("crop", "height", height, 0, _LONGEST) or (rows if width else max(1, rows // 2))
        left, top = (columns - wide) // 2, (rows - high) // 2
        right, bottom = left + wide, top + high
    if not (0 <= left < right <= columns and 0 <= top < bottom <= rows):
        raise SettingsError(
            f"crop: left {left}, top {top}, right {right}, bottom {bottom}: must hold a pixel and lie inside the "
            f"picture of {columns} x {rows}."
        )
    return image[top:bottom, left:right]


@on_any_pixels
def pad(image: np.ndarray, *, by: int | tuple[int, ...] = 16, border: str = "fill", fill: float = 0.0) -> np.ndarray:
    """A frame of `by` pixels, or of (left, top, right, bottom) pixels.

    Borders: fill (with a part of the range), edge, reflect, mirror (the edge twice), wrap.
    """
    word("pad", "border", border, _BORDERS)
    number("pad", "fill", fill, 0, 1)
    sides = numbers("pad", "by", by, 4) if isinstance(by, tuple | list) else (by,) * 4
    left, top, right, bottom = (whole("pad", "by", side, 0, 32766) for side in sides)
    return _framed(image, (top, bottom, left, right), border, ink(image, fill) if border == "fill" else (0.0,) * 4)


def _framed(pixels: np.ndarray, around: tuple[int, int, int, int], border: str, value: tuple[float, ...]) -> np.ndarray:
    """With so many rows above and below, and columns before and behind."""
    if not any(around):
        return pixels
    return by_four(pixels, lambda part: cv2.copyMakeBorder(part, *around, _BORDERS[border], value=value))


@on_any_pixels
def flip(image: np.ndarray, *, way: str = "left_right") -> np.ndarray:
    """A mirror: left_right, up_down, both (half a turn), or diagonal (rows become columns)."""
    turn = _TURNS[word("flip", "way", way, _TURNS)]
    if turn == 2:
        return by_four(image, cv2.transpose)
    return by_four(image, lambda part: cv2.flip(part, turn))
