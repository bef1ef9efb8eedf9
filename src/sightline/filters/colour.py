"""Filters of colour: spaces, saturation and hue, single channels, maps of false colours, posters and negatives.

Whatever the depth, a value stands for the same part of its range. Hue goes once around the range (256 steps in 8 bits,
65,536 in 16, 1.0 of floats); saturation, value and lightness fill it; L of Lab is L/100, a and b are (a + 128)/255; Cb
and Cr lie about 128/255; X, Y and Z are parts of what white (D65) has.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from sightline.core.asked import number, whole, word
from sightline.core.depth import from_unit, unit
from sightline.core.errors import InputError, SettingsError
from sightline.filters._pixels import ends, in_colour, light, need_colour, on_any_pixels
from sightline.filters._spaces import NAMES, by_matrix, in_bytes, in_floats
from sightline.filters._tables import in_bins, mixed, toned

_CIRCLES = ("hsv", "hls")  # whose first channel is an angle
_PICKS = {"red": 0, "green": 1, "blue": 2, "alpha": 3}
_MAPS = ("viridis", "magma", "inferno", "plasma", "cividis", "turbo", "jet", "hot", "bone", "ocean", "twilight")


@on_any_pixels
def convert(image: np.ndarray, *, to: str = "lab", source: str = "rgb") -> np.ndarray:
    """Another colour space: rgb, hsv, hls, lab, ycbcr, xyz or gray, spread over the range; gray has other channels.

    Hue goes once around the range; L is L/100, a and b are (a + 128)/255; X, Y, Z are parts of what white (D65) has.
    """
    word("convert", "to", to, NAMES)
    word("convert", "source", source, NAMES)
    if source == "gray":
        if image.shape[2] != 1:
            raise InputError("mismatch", f"convert takes one channel where the source is gray, not {image.shape[2]}.")
        image, source = np.asarray(cv2.merge([image] * 3)), "rgb"
    need_colour(image, "convert")
    if to == source:
        return image
    if to == "gray":
        return light(image if source == "rgb" else _across(image, source, "rgb"))[..., None]
    return _across(image, source, to)


def _across(pixels: np.ndarray, source: str, to: str) -> np.ndarray:
    """The shortest way: one step where either end is RGB, else through floats."""
    if "rgb" in (source, to):
        back = to == "rgb"
        name = source if back else to
        made = by_matrix(pixels, name, back=back)
        if made is None and pixels.dtype == np.uint8:
            made = in_bytes(pixels, name, back=back)
        if made is not None:
            return made
    ends(pixels)
    values = unit(pixels)
    round_ = np.iinfo(pixels.dtype).max + 1 if pixels.dtype.kind == "u" else 0  # steps of a circle of hues
    if round_ and source in _CIRCLES:
        values[..., 0] *= np.float32((round_ - 1) / round_)
    if source != "rgb":
        values = _to_rgb(values, source)
    if to != "rgb":
        made = by_matrix(values, to)
        values = in_floats(values, to) if made is None else made
    if round_ and to in _CIRCLES:
        values[..., 0] = np.rint(values[..., 0] * np.float32(round_)) % round_ / np.float32(round_ - 1)
    return from_unit(values, pixels)


def _to_rgb(values: np.ndarray, source: str) -> np.ndarray:
    made = by_matrix(values, source, back=True)
    return in_floats(values, source, back=True) if made is None else made


@on_any_pixels
def grayscale(image: np.ndarray, *, weights: str = "bt601") -> np.ndarray:
    """How light it is: channels become one by bt601 (what eyes see of sRGB values), bt709, or their mean."""
    word("grayscale", "weights", weights, ("bt601", "bt709", "mean"))
    count = image.shape[2]
    if count == 1 or (weights == "bt601" and in_colour(image, "grayscale")):
        return light(image)[..., None]
    if weights == "bt709":
        need_colour(image, "grayscale")
        return mixed(image, np.array([[0.2126, 0.7152, 0.0722, 0]]))
    if count > 4:
        return light(image)[..., None]
    return mixed(image, np.array([[1 / count] * count + [0]]))


@on_any_pixels
def saturation(image: np.ndarray, *, by: float = 1.5) -> np.ndarray:
    """Colours `by` times as far from the gray that is as light; 0 leaves gray, gray pictures stay."""
    number("saturation", "by", by, 0, 100)
    if not in_colour(image, "saturation"):
        return image
    matrix = np.zeros((3, 4))
    matrix[:, :3] = np.eye(3) * by + (1 - by) * np.array([0.299, 0.587, 0.114])
    return mixed(image, matrix)


@on_any_pixels
def hue(image: np.ndarray, *, degrees: float = 40.0) -> np.ndarray:
    """Colours turned around the circle of hues while they stay as light, as `hueRotate` of SVG does; gray stays."""
    angle = np.radians(number("hue", "degrees", degrees, -36000, 36000))
    if not in_colour(image, "hue"):
        return image
    cosine, sine = np.cos(angle), np.sin(angle)
    still = np.array([[0.213, 0.715, 0.072]] * 3)
    turned = np.array([[-0.213, -0.715, 0.928], [0.143, 0.140, -0.283], [-0.787, 0.715, 0.072]])
    return mixed(image, np.concatenate([still + cosine * (np.eye(3) - still) + sine * turned, np.zeros((3, 1))], 1))


@on_any_pixels
def channel(image: np.ndarray, *, pick: int | str = 0) -> np.ndarray:
    """One of the channels, by number from 0 or as red, green, blue or alpha."""
    if isinstance(pick, str):
        place = _PICKS[word("channel", "pick", pick, _PICKS)]
    else:
        place = whole("channel", "pick", pick, 0, 10_000)
    if place >= image.shape[2]:
        raise SettingsError(f"channel: pick = {pick!r}: must be one of the {image.shape[2]} channels, from 0.")
    return np.asarray(cv2.extractChannel(image, place)).reshape(*image.shape[:2], 1)


@on_any_pixels
def invert(image: np.ndarray) -> np.ndarray:
    """The negative: black becomes white."""
    if image.dtype.kind == "u":
        return np.asarray(~image)
    low, top = ends(image)
    return np.asarray(np.float32(low + top) - image)


@on_any_pixels
def posterise(image: np.ndarray, *, levels: int = 4) -> np.ndarray:
    """Only so many levels a channel, from black to white, each value moved to the level of its share of the range."""
    count = whole("posterise", "levels", levels, 2, 256)
    steps = np.float32(count - 1)
    return toned(image, lambda values: np.minimum(np.floor(values * np.float32(count)), steps) / steps)


@on_any_pixels
def false_colour(image: np.ndarray, *, map: str = "viridis") -> np.ndarray:
    """How light it is, as colours: three channels of a map of colours such as viridis, turbo, hot or bone.

    Maps: viridis, magma, inferno, plasma, cividis, turbo, jet, hot, bone, ocean, twilight.
    """
    table = _map_of(word("false_colour", "map", map, _MAPS))
    plane = light(image)
    if image.dtype == np.uint8:
        return np.asarray(cv2.applyColorMap(plane, table)).reshape(*plane.shape, 3)
    whole_ = in_bins(plane if image.dtype.kind == "u" else np.nan_to_num(plane))
    values = np.arange(65536) / 257
    planes = [np.interp(values, np.arange(256), table[:, 0, one]) for one in range(3)]
    if image.dtype.kind == "u":
        return np.asarray(cv2.merge([cv2.LUT(whole_, np.rint(one * 257).astype(np.uint16)) for one in planes]))
    low, top = ends(image)
    made = np.asarray(cv2.merge([(one / 255).astype(np.float32)[whole_] for one in planes]))
    return made if (low, top) == (0.0, 1.0) else made * np.float32(top - low) + np.float32(low)


@lru_cache(16)
def _map_of(name: str) -> np.ndarray:
    """(256, 1, 3) red, green and blue."""
    steps = np.arange(256, dtype=np.uint8)[:, None]
    return np.ascontiguousarray(cv2.applyColorMap(steps, getattr(cv2, f"COLORMAP_{name.upper()}"))[..., ::-1])
