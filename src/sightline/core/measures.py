"""What is measured of one picture: light, detail, noise, colour. One small row of numbers, whatever the picture's size.

Everything is measured on the picture reduced to `LONGEST`, as a person sees it on a screen, but for blockiness, which
lives on the grid of the pixels that are stored. What cannot be told of a picture is NaN.
"""

from __future__ import annotations

import math
import os
import weakref
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from sightline.core.dataset import Dataset
from sightline.core.errors import InputError
from sightline.core.image import Image, tidy
from sightline.core.known import KnownImage
from sightline.core.noise import noise_level
from sightline.core.progress import Event, Tell, silent

LONGEST = 640  # pixels
TILE = 4  # rows and columns of the coarse colours
NAMES = {  # column -> what it says
    "rows": "rows of pixels",
    "columns": "columns of pixels",
    "channels": "numbers a pixel",
    "bits": "bits a number",
    "brightness": "mean gray, 0 to 1",
    "contrast": "standard deviation of gray, 0 to 1",
    "shadows": "share of pixels that are all but black",
    "highlights": "share of pixels that are all but white",
    "glare": "share of pixels inside areas that are all but white",
    "sharpness": "variance of the Laplacian, 8-bit gray",
    "blur": "share of the detail that a further blur leaves (Crete et al. 2007), 0 sharp to 1 blurred",
    "entropy": "bits of the histogram of gray",
    "blockiness": "steps across the 8 x 8 grid over steps beside it, less one",
    "noise": "standard deviation of the noise in gray levels of 8 bits, told from the finest detail",
    "colour": "mean distance between the strongest and the weakest channel, 0 to 1",
}
_AT = {name: place for place, name in enumerate(NAMES)}
_BLACK, _WHITE = 12, 248  # gray levels of 8 bits
_LEVELS = np.arange(256, dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Measures:
    """The numbers of many pictures as columns; `rows` are the positions of the samples that were measured."""

    rows: np.ndarray  # (n,)
    values: np.ndarray  # (n, names) float32
    tiles: np.ndarray  # (n, TILE, TILE, 3) uint8: coarse colours
    faults: Mapping[int, InputError]  # position -> why its picture cannot be read
    total: int  # samples that have a picture

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, name: str) -> np.ndarray:
        column: np.ndarray = self.values[:, _AT[name]]
        return column

    @property
    def whole(self) -> bool:
        """Whether every picture was measured, rather than some of them."""
        return len(self.rows) + len(self.faults) >= self.total


def measure(pixels: np.ndarray) -> dict[str, float]:
    """Every number of one picture, by name."""
    values, _ = measure_row(pixels)
    return dict(zip(NAMES, values.tolist(), strict=True))


def read_reduced(image: Image, longest: int) -> np.ndarray:
    """The pixels, or a smaller version of a far larger picture where its file can be read at a smaller scale."""
    return image.reduced(longest) if isinstance(image, KnownImage) else image.read()


def measure_row(pixels: np.ndarray, shape: Sequence[int] | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Every number of one picture in the order of `NAMES`, and its coarse colours.

    `shape` is the size of the picture itself where these pixels are a smaller version of it.
    """
    import cv2

    pixels = tidy(pixels)
    if pixels.ndim == 4:
        pixels = pixels[len(pixels) // 2]  # a volume is judged by the slice in its middle
    rows, columns, channels = pixels.shape
    seen = eight_bits(pixels)
    reduced = shape is not None and len(shape) == 2 and tuple(shape) != (rows, columns)
    scale = LONGEST / max(rows, columns)
    if scale < 1:
        blocks = math.nan if reduced else _blockiness(_gray(_middle(seen)))
        small = (max(1, round(columns * scale)), max(1, round(rows * scale)))
        seen = cv2.resize(seen, small, interpolation=cv2.INTER_AREA)
        seen = seen if seen.ndim == 3 else seen[..., None]
        gray = _gray(seen)
    else:
        gray = _gray(seen)
        blocks = math.nan if reduced else _blockiness(_middle(gray))
    tiles = _tiles(seen if seen.shape[2] == 3 else gray)
    shares = cv2.calcHist([gray], [0], None, [256], [0, 256]).reshape(-1) / gray.size
    light = _light(gray, shares) if pixels.dtype == np.uint8 else (math.nan,) * 5
    known = shares[shares > 0]
    entropy = max(0.0, -float(known @ np.log2(known)))
    detail = (_sharpness(gray), _blur(gray), entropy, blocks, noise_level(_middle(gray)))
    colour = _colour(seen) if channels == 3 else math.nan if channels != 1 else 0.0
    size = (*(shape if reduced and shape else (rows, columns)), channels, pixels.dtype.itemsize * 8)
    return np.array([*size, *light, *detail, colour], np.float32), tiles


def eight_bits(pixels: np.ndarray) -> np.ndarray:
    """The picture in 8 bits; deeper ones are stretched, since their full scale is seldom used."""
    if pixels.dtype == np.uint8:
        return pixels
    finite = np.nan_to_num(pixels.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    step = max(1, math.isqrt(finite.shape[0] * finite.shape[1] // 65536))
    low, high = np.percentile(finite[::step, ::step], (0.5, 99.5))
    return np.asarray(np.clip((finite - low) * (255 / max(high - low, 1e-12)), 0, 255), np.uint8)


def _gray(seen: np.ndarray) -> np.ndarray:
    import cv2

    if seen.shape[2] == 1:
        return np.ascontiguousarray(seen[..., 0])
    if seen.shape[2] == 3:
        return np.asarray(cv2.cvtColor(seen, cv2.COLOR_RGB2GRAY))
    return np.asarray(seen.mean(2), np.uint8)


def _light(gray: np.ndarray, shares: np.ndarray) -> tuple[float, float, float, float, float]:
    """Brightness, contrast, shadows, highlights, glare; all but the last from the histogram."""
    import cv2

    mean = float(shares @ _LEVELS)
    spread = math.sqrt(max(0.0, float(shares @ (_LEVELS - mean) ** 2)))
    highlights, glare = float(shares[_WHITE:].sum()), 0.0
    if highlights:  # a pixel of glare has only white around it, for a fiftieth of the picture
        white = cv2.threshold(gray, _WHITE - 1, 1, cv2.THRESH_BINARY)[1]
        reach = max(3, min(gray.shape) // 50 | 1)
        core = cv2.erode(white, np.ones((reach, reach), np.uint8), borderType=cv2.BORDER_REPLICATE)
        glare = cv2.countNonZero(core) / gray.size
    return mean / 255, spread / 255, float(shares[: _BLACK + 1].sum()), highlights, glare


def _sharpness(gray: np.ndarray) -> float:
    import cv2

    second = cv2.Laplacian(gray, cv2.CV_16S)
    return max(0.0, cv2.norm(second, cv2.NORM_L2) ** 2 / gray.size - cv2.mean(second)[0] ** 2)


def _blur(gray: np.ndarray) -> float:
    """Crete et al. 2007: what is blurred already changes little when it is blurred again."""
    import cv2

    worst = math.nan
    fine = np.left_shift(gray, 7, dtype=np.uint16)  # a blur of whole gray levels would round its small steps away
    for size, axis in (((9, 1), 1), ((1, 9), 0)):
        if gray.shape[axis] < 3:
            continue
        again = cv2.blur(fine, size)
        if axis:
            steps, left = cv2.absdiff(fine[:, 1:], fine[:, :-1]), cv2.absdiff(again[:, 1:], again[:, :-1])
        else:
            steps, left = cv2.absdiff(fine[1:], fine[:-1]), cv2.absdiff(again[1:], again[:-1])
        total = cv2.sumElems(steps)[0]
        if total > 0:
            lost = cv2.sumElems(cv2.subtract(steps, left))[0]
            worst = max(1 - lost / total, -1.0 if math.isnan(worst) else worst)
    return worst


def _middle(seen: np.ndarray, side: int = 320) -> np.ndarray:
    """At most so many rows and columns in the middle, beginning on the grid of blocks."""
    top, left = (max(0, (length - side) // 16 * 8) for length in seen.shape[:2])
    return np.ascontiguousarray(seen[top : top + side, left : left + side])


def _blockiness(gray: np.ndarray) -> float:
    """How much larger steps are on the grid of 8 x 8 blocks than beside it."""
    import cv2

    if min(gray.shape) < 64:
        return math.nan
    ratios = []
    for steps, axis in ((cv2.absdiff(gray[:, 1:], gray[:, :-1]), 0), (cv2.absdiff(gray[1:], gray[:-1]), 1)):
        mean = cv2.reduce(steps, axis, cv2.REDUCE_SUM, dtype=cv2.CV_32S).reshape(-1) / steps.shape[axis]
        on = np.arange(len(mean)) % 8 == 7
        ratios.append(float(mean[on].mean() / max(mean[~on].mean(), 0.5)))
    return min(ratios) - 1


def _tiles(seen: np.ndarray) -> np.ndarray:
    """Coarse colours; of a large picture a thousand samples are enough."""
    import cv2

    if min(seen.shape[:2]) > 64:
        seen = cv2.resize(seen, (32, 32), interpolation=cv2.INTER_LINEAR)
    tile = cv2.resize(seen, (TILE, TILE), interpolation=cv2.INTER_AREA)
    return np.broadcast_to(tile.reshape(TILE, TILE, -1), (TILE, TILE, 3))


def _colour(seen: np.ndarray) -> float:
    import cv2

    step = max(1, min(seen.shape[:2]) // 128)  # a mean needs no more than some thousand pixels
    red, green, blue = cv2.split(np.ascontiguousarray(seen[::step, ::step]))
    high, low = cv2.max(cv2.max(red, green), blue), cv2.min(cv2.min(red, green), blue)
    return float(cv2.mean(cv2.subtract(high, low))[0]) / 255


_KEPT: weakref.WeakKeyDictionary[Dataset, Measures] = weakref.WeakKeyDictionary()


def measured(data: Dataset) -> Measures:
    """What is measured of the first picture of each sample; measured once for a data set, and kept while it lives."""
    return _KEPT[data] if data in _KEPT else measure_all(data)


def measure_all(data: Dataset, rows: Sequence[int] | None = None, tell: Tell = silent) -> Measures:
    """Measure the pictures at these positions, or all of them; from now on `measured` answers with this."""
    have = [place for place in range(len(data)) if data[place].images]
    wanted = have if rows is None else list(rows)
    values = np.full((len(wanted), len(NAMES)), np.nan, np.float32)
    tiles = np.zeros((len(wanted), TILE, TILE, 3), np.uint8)
    faults: dict[int, InputError] = {}
    for place, (row, got) in enumerate(zip(wanted, _each(data, wanted, tell), strict=True)):
        if isinstance(got, InputError):
            faults[row] = got
        else:
            values[place], tiles[place] = got
    kept = np.array([row not in faults for row in wanted], bool)
    made = Measures(np.array(wanted, np.int64)[kept], values[kept], tiles[kept], faults, len(have))
    _KEPT[data] = made
    return made


def _each(data: Dataset, rows: Sequence[int], tell: Tell) -> Iterator[Any]:
    """Rows of numbers or errors in order, some pictures at a time."""

    def some(part: Sequence[int]) -> list[Any]:
        return [_one(data[row].images) for row in part]

    done = 0
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1), "sightline-measure") as pool:
        for start in range(0, len(rows), 2048):  # so that few results wait at a time
            parts = [rows[at : at + 32] for at in range(start, min(start + 2048, len(rows)), 32)]
            for answers in pool.map(some, parts):
                yield from answers
                done += len(answers)
                if done % 1024 < 32 or done == len(rows):
                    text = f"measured {done:,} of {len(rows):,} pictures"
                    tell(Event("progress", text, {"done": done, "total": len(rows)}))


def _one(images: Sequence[Image]) -> Any:
    """The first picture measured; the others are read as well, since a sample is no better than its worst picture."""
    try:
        pixels = read_reduced(images[0], LONGEST)
        row = measure_row(pixels, images[0].shape if isinstance(images[0], KnownImage) else None)
        for image in images[1:]:
            image.read()
        return row
    except InputError as error:
        return error
