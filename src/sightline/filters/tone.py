"""Filters of tone: light, contrast, curves and histograms; colours keep their hue as far as the range allows."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import cv2
import numpy as np

from sightline.core.asked import flag, number, pairs, whole, word
from sightline.core.errors import SettingsError
from sightline.filters._pixels import ends, in_colour, on_any_pixels, on_light, on_pixels
from sightline.filters._spaces import lit, signal
from sightline.filters._tables import Curve, counts, in_bins, linear, looked_up, mixed, quantiles, toned
from sightline.filters._tiles import clahe_of


@on_any_pixels
def brightness(image: np.ndarray, *, by: float = 0.1) -> np.ndarray:
    """Lighter or darker by a part of the range, from -1 to 1."""
    return linear(image, 1.0, number("brightness", "by", by, -1, 1))


@on_any_pixels
def contrast(image: np.ndarray, *, by: float = 1.4, about: float = 0.5) -> np.ndarray:
    """Values `by` times as far from the level `about`, which is a part of the range and stays."""
    gain = number("contrast", "by", by, 0, 100)
    return linear(image, gain, number("contrast", "about", about, 0, 1) * (1 - gain))


@on_any_pixels
def gamma(image: np.ndarray, *, by: float = 0.7) -> np.ndarray:
    """Each value, as a part of the range, to the power of `by`: below 1 shadows get lighter, above 1 darker."""
    power = np.float32(number("gamma", "by", by, 0, 100, above=True))
    return toned(image, lambda values: np.power(values, power))


@on_any_pixels
def exposure(image: np.ndarray, *, stops: float = 0.5) -> np.ndarray:
    """As if exposed longer or shorter: each stop doubles the light, of which the values are the sRGB signal."""
    gain = np.float32(2 ** number("exposure", "stops", stops, -16, 16))
    return toned(image, lambda values: signal(lit(values) * gain))


@on_any_pixels
def levels(
    image: np.ndarray,
    *,
    black: float = 0.05,
    white: float = 0.95,
    gamma: float = 1.0,
    low: float = 0.0,
    high: float = 1.0,
) -> np.ndarray:
    """What lies from `black` to `white` is spread from `low` to `high`, the middle bent by 1/`gamma`.

    All are parts of the range; what lies beyond is clipped.
    """
    for name, value in (("black", black), ("white", white), ("low", low), ("high", high)):
        number("levels", name, value, 0, 1)
    number("levels", "gamma", gamma, 0.01, 100)
    if black >= white:
        raise SettingsError(f"levels: black = {black}: must be below white, which is {white}.")

    def bent(values: np.ndarray) -> np.ndarray:
        inside = np.clip((values - np.float32(black)) / np.float32(white - black), 0, 1)
        curved = inside if gamma == 1 else np.power(inside, np.float32(1 / gamma))
        return np.asarray(np.float32(low) + np.float32(high - low) * curved)

    return toned(image, bent)


@on_pixels
def auto_levels(image: np.ndarray, *, cut: float = 0.005, together: bool = True) -> np.ndarray:
    """Spread over the whole range, but for the part `cut` of the darkest and of the lightest values.

    All channels `together`, so that colours stay, or each for itself.
    """
    cut = number("auto_levels", "cut", cut, 0, 0.49)
    if flag("auto_levels", "together", together):
        low, high = quantiles(image.reshape(len(image), -1), (max(cut, 1e-12), 1 - cut))
        return _spread(image, low, high)
    made = [auto_levels(np.ascontiguousarray(image[..., one]), cut=cut) for one in range(image.shape[2])]
    return np.stack(made, 2)


def _spread(pixels: np.ndarray, low: float, high: float) -> np.ndarray:
    """What lies from `low` to `high` over the whole range; a plain picture stays as it is."""
    if high <= low:
        return pixels
    return linear(pixels, 1 / (high - low), -low / (high - low))


@on_pixels
def equalise(image: np.ndarray) -> np.ndarray:
    """Every level of light as frequent as any other; of colour pictures the light alone changes.

    Colours are finer in 16 bits, because their light is: in 8 bits it is rounded before it is spread.
    """
    return on_light(image, _even)


def _even(plane: np.ndarray) -> np.ndarray:
    if plane.dtype == np.uint8:
        return np.asarray(cv2.equalizeHist(plane)).reshape(plane.shape)
    low, top = ends(plane)
    reach = np.cumsum(counts(plane))
    first = int(reach[reach > 0][0])
    if first == reach[-1]:
        return plane
    table = ((reach - first).clip(0) / (reach[-1] - first)).astype(np.float32)
    if plane.dtype.kind == "u":
        return looked_up(plane, np.rint(table * np.float32(top)).astype(plane.dtype))
    return np.asarray((table * np.float32(top - low) + np.float32(low))[in_bins(plane)])


@on_pixels
def clahe(image: np.ndarray, *, clip: float = 2.0, grid: int = 8) -> np.ndarray:
    """Levels made even in each of `grid` x `grid` tiles, with contrast raised at most `clip` times.

    Tables of 256 levels, between which finer depths are interpolated; of colour pictures the light alone changes.
    Colours are finer in 16 bits, because their light is: in 8 bits it is rounded before it is spread.
    """
    number("clahe", "clip", clip, 0, 1000, above=True)
    whole("clahe", "grid", grid, 1, 256)
    return on_light(image, lambda plane: clahe_of(plane, float(clip), int(grid)))


@on_pixels
def white_balance(image: np.ndarray, *, way: str = "gray_world", percentile: float = 99.0) -> np.ndarray:
    """Gray is gray again: each channel is multiplied until what should be gray or white is alike in all.

    Ways: gray_world (the means), white_patch (the lightest values), percentile (what as many per cent are darker than).
    """
    word("white_balance", "way", way, ("gray_world", "white_patch", "percentile"))
    number("white_balance", "percentile", percentile, 1, 100)
    if not in_colour(image, "white_balance"):
        return image
    found = np.array(_lights(image, way, percentile))
    if (found <= 0).any():
        return image  # a channel without any light tells nothing of it
    gains = found.mean() / found if way == "gray_world" else 1 / found
    return mixed(image, np.concatenate([np.diag(gains), np.zeros((3, 1))], 1))


def _lights(image: np.ndarray, way: str, percentile: float) -> list[float]:
    """How light each channel is, as a part of the range."""
    low, top = ends(image)
    if way == "gray_world":
        return [(value - low) / (top - low) for value in cv2.mean(image)[:3]]
    planes = cv2.split(image)
    if way == "white_patch":
        return [(cv2.minMaxLoc(plane)[1] - low) / (top - low) for plane in planes]
    if image.dtype.kind == "f":  # parted over one range, not over the channel's own
        planes = cv2.split(in_bins(image))
    return [quantiles(plane, (percentile / 100,))[0] for plane in planes]


@on_any_pixels
def curve(
    image: np.ndarray,
    *,
    points: tuple[tuple[float, float], ...] = ((0.0, 0.0), (0.25, 0.18), (0.75, 0.85), (1.0, 1.0)),
) -> np.ndarray:
    """A tone curve through points (from, to), parts of the range; it is smooth and rises wherever they do."""
    given = pairs("curve", "points", points, 2, 0, 1)
    if any(second[0] <= first[0] for first, second in pairwise(given)):
        raise SettingsError(f"curve: points = {points!r}: each must lie further right than the one before.")
    if image.dtype.kind == "u":
        return looked_up(image, _curve_table(given, image.dtype.str))
    return toned(image, _through(given))


def _through(points: tuple[tuple[float, float], ...]) -> Curve:
    from scipy.interpolate import PchipInterpolator

    x, y = zip(*points, strict=True)
    drawn = PchipInterpolator(x, y)
    return lambda values: np.asarray(drawn(np.clip(values, x[0], x[-1])), np.float32)


@lru_cache(16)
def _curve_table(points: tuple[tuple[float, float], ...], depth: str) -> np.ndarray:
    top = np.iinfo(depth).max
    made = _through(points)(np.arange(top + 1) / top)
    return np.asarray(np.rint(made.clip(0, 1) * np.float32(top))).astype(depth)


@on_pixels
def normalise(image: np.ndarray, *, way: str = "range", mean: float = 0.5, deviation: float = 0.2) -> np.ndarray:
    """Pictures made alike: spread from black to white (range), or to a mean and a deviation (deviation).

    Mean and deviation are parts of the range; what leaves it is clipped.
    """
    word("normalise", "way", way, ("range", "deviation"))
    number("normalise", "mean", mean, 0, 1)
    number("normalise", "deviation", deviation, 0, 1, above=True)
    low, top = ends(image)
    if way == "range" and image.dtype.kind == "u":
        made = np.asarray(cv2.normalize(image, None, 0, top, cv2.NORM_MINMAX)).reshape(image.shape)
        return made if made[::16, ::16].any() or made.any() else image  # a plain picture stays as it is
    if way == "range":
        least, most = cv2.minMaxLoc(image.reshape(len(image), -1))[:2]
        return _spread(image, (least - low) / (top - low), (most - low) / (top - low))
    middle, spread = (float(one[0, 0]) for one in cv2.meanStdDev(image.reshape(-1, 1)))
    gain = deviation * (top - low) / spread if spread > 1e-6 * (top - low) else 1.0
    return linear(image, gain, mean - gain * (middle - low) / (top - low))
