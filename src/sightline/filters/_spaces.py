"""Ways from red, green and blue to other colour spaces and back: float32 from 0 to 1, and short ways for bytes."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from sightline.filters._tables import mixed

# Rows: Y, Cb, Cr of ITU-R BT.601 over the full range, with one for the shift; and back.
_YCBCR = np.array(
    [[0.299, 0.587, 0.114, 0], [-0.168736, -0.331264, 0.5, 128 / 255], [0.5, -0.418688, -0.081312, 128 / 255]]
)
_FROM_YCBCR = np.array([[1, 0, 1.402, 0], [1, -0.344136, -0.714136, 0], [1, 1.772, 0, 0]])
_FROM_YCBCR[:, 3] = -(_FROM_YCBCR[:, 1] + _FROM_YCBCR[:, 2]) * 128 / 255
# sRGB light to X, Y, Z under D65, as parts of what white has.
_XYZ = np.array([[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]])
_XYZ /= _XYZ.sum(1, keepdims=True)

Change = Callable[[np.ndarray], np.ndarray]
Shares = tuple[tuple[float, float, float], tuple[float, float, float]]

# What OpenCV's floats are divided by, after what is added, to lie from 0 to 1.
_HUE: Shares = ((0, 0, 0), (360, 1, 1))
_LAB: Shares = ((0, 128, 128), (100, 255, 255))

# name -> there, back, and what the floats of OpenCV range over
_FLOATS: dict[str, tuple[int, int, Shares]] = {
    "hsv": (cv2.COLOR_RGB2HSV, cv2.COLOR_HSV2RGB, _HUE),
    "hls": (cv2.COLOR_RGB2HLS, cv2.COLOR_HLS2RGB, _HUE),
    "lab": (cv2.COLOR_LRGB2Lab, cv2.COLOR_Lab2LRGB, _LAB),
}
# The same for bytes, in which hue has 256 steps.
_BYTES = {
    "hsv": (cv2.COLOR_RGB2HSV_FULL, cv2.COLOR_HSV2RGB_FULL),
    "hls": (cv2.COLOR_RGB2HLS_FULL, cv2.COLOR_HLS2RGB_FULL),
    "lab": (cv2.COLOR_RGB2Lab, cv2.COLOR_Lab2RGB),
}
NAMES = ("rgb", "hsv", "hls", "lab", "ycbcr", "xyz", "gray")


def in_bytes(pixels: np.ndarray, name: str, *, back: bool = False) -> np.ndarray | None:
    """The short way of uint8, where there is one."""
    if name in _BYTES:
        return np.asarray(cv2.cvtColor(pixels, _BYTES[name][back]))
    return None


def by_matrix(pixels: np.ndarray, name: str, *, back: bool = False) -> np.ndarray | None:
    """The short way of every depth, where a matrix is all there is to it."""
    if name == "ycbcr":
        return mixed(pixels, _FROM_YCBCR if back else _YCBCR)
    return None


def in_floats(values: np.ndarray, name: str, *, back: bool = False) -> np.ndarray:
    """Any way, from 0..1 to 0..1; values that are no numbers stay so."""
    if name == "rgb":
        return values
    change = _from if back else _to
    good = np.isfinite(values)
    if good.all():
        return change(values, name)
    good = good.all(2, keepdims=True)  # OpenCV looks floats up in tables
    return np.where(good, change(np.where(good, values, np.float32(0)), name), np.float32(np.nan))


def _to(values: np.ndarray, name: str) -> np.ndarray:
    if name == "xyz":
        return np.asarray(cv2.transform(lit(values), _XYZ.astype(np.float32)))
    code, _, (added, reach) = _FLOATS[name]
    values = lit(values) if name == "lab" else values  # OpenCV's own light comes from a coarse table
    scale = np.diag([1 / one for one in reach])
    return np.asarray(cv2.transform(cv2.cvtColor(values, code), np.column_stack([scale, scale @ np.array(added)])))


def _from(values: np.ndarray, name: str) -> np.ndarray:
    if name == "xyz":
        return signal(np.asarray(cv2.transform(values, np.linalg.inv(_XYZ).astype(np.float32))))
    _, code, (added, reach) = _FLOATS[name]
    whole = cv2.transform(values, np.column_stack([np.diag(reach), -np.array(added)]))
    made = np.asarray(cv2.cvtColor(whole, code))
    return signal(made) if name == "lab" else made


def lit(values: np.ndarray) -> np.ndarray:
    """sRGB values as light, from 0 to 1."""
    bent = np.power((values + np.float32(0.055)) / np.float32(1.055), np.float32(2.4))
    return np.where(values <= 0.04045, values / np.float32(12.92), bent)


def signal(light: np.ndarray) -> np.ndarray:
    """And back; what is darker than black or brighter than white is these."""
    light = np.clip(light, 0, 1)
    bent = np.float32(1.055) * np.power(light, np.float32(1 / 2.4)) - np.float32(0.055)
    return np.where(light <= 0.0031308, light * np.float32(12.92), bent)
