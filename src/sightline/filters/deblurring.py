"""Filters that undo a blur whose shape is known: `kernel` by name and size, or as an array.

`size` is the sigma of a gaussian, the radius of a disc, the length of a motion, in pixels; `angle` is its way.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sightline.core.asked import wholes, within
from sightline.core.depth import from_unit, unit
from sightline.filters._kernels import kernel_of
from sightline.filters._noise import spread
from sightline.filters._pixels import on_pixels


@on_pixels
def wiener(
    image: np.ndarray,
    *,
    kernel: Any = "gaussian",
    size: float = 1.5,
    angle: float = 0.0,
    noise: float = 0.0,
    strength: float = 1.0,
) -> np.ndarray:
    """A blur divided out where more of the picture than of the noise is left, as natural pictures are expected.

    `noise` is in levels of 8 bits, 0: measured; more noise or less `strength` leaves more of the blur.
    """
    within("wiener", 0.01, 10, strength=strength)
    point = kernel_of("wiener", kernel, size, angle)
    values = unit(image)
    level = max(spread("wiener", values, noise, 1.0), _LEAST / 255)
    return from_unit(_divided(values, point, _BALANCE * (level / strength) ** 2), image)


_ROUNDS = 8
_LEAST = 0.7  # levels of 8 bits: no kernel and no rounding is truer than that
_BALANCE = 110.0  # what a picture's own fine detail is worth against noise, found on photographs


def _divided(values: np.ndarray, point: np.ndarray, balance: float) -> np.ndarray:
    """conj(H) / (|H|^2 + balance |L|), L the Laplacian: the power of pictures falls with the square of fineness."""
    from scipy import fft

    wide, (top, left) = _widened(values, point)
    shape = wide.shape[:2]
    blur = fft.rfft2(_at_corner(point, shape))
    rough = fft.rfft2(_at_corner(np.array([[0, -1, 0], [-1, 4, -1], [0, -1, 0]], np.float32), shape))
    back = np.conj(blur) / (np.abs(blur) ** 2 + np.float32(balance) * np.abs(rough) + np.float32(1e-8))
    inside = np.s_[top : top + values.shape[0], left : left + values.shape[1]]
    light = fft.rfft2(wide, axes=(0, 1)) * back[..., None]
    for _ in range(_ROUNDS):  # what lies beyond the sides is unknown: let it be what the light found would look like
        wide = fft.irfft2(light * blur[..., None], s=shape, axes=(0, 1))
        wide[inside] = values
        light = fft.rfft2(wide, axes=(0, 1)) * back[..., None]
    return np.ascontiguousarray(fft.irfft2(light, s=shape, axes=(0, 1))[inside], np.float32)


@on_pixels
def richardson_lucy(
    image: np.ndarray, *, kernel: Any = "gaussian", size: float = 1.5, angle: float = 0.0, steps: int = 15
) -> np.ndarray:
    """The light most likely to have given this picture through that blur (Richardson 1972, Lucy 1974), after `steps`.

    More steps bring back more detail, and more noise.
    """
    wholes("richardson_lucy", 1, 500, steps=steps)
    point = kernel_of("richardson_lucy", kernel, size, angle)
    return from_unit(_likeliest(unit(image), point, steps), image)


def _likeliest(values: np.ndarray, point: np.ndarray, steps: int) -> np.ndarray:
    from scipy import fft

    wide, (top, left) = _widened(values, point)
    shape = wide.shape[:2]
    blur = fft.rfft2(_at_corner(point, shape))[..., None]

    def through(light: np.ndarray, way: np.ndarray) -> np.ndarray:
        return np.asarray(fft.irfft2(fft.rfft2(light, axes=(0, 1)) * way, s=shape, axes=(0, 1)))

    seen = np.maximum(wide, np.float32(1e-4))
    light = seen.copy()
    for _ in range(steps):
        ratio = seen / np.maximum(through(light, blur), np.float32(1e-4))
        light *= np.maximum(through(ratio, np.conj(blur)), 0)
    return np.ascontiguousarray(light[top : top + values.shape[0], left : left + values.shape[1]], np.float32)


def _widened(values: np.ndarray, point: np.ndarray) -> tuple[np.ndarray, tuple[int, int]]:
    """Mirrored beyond its sides, and fading there into its own far side: a transform sees a picture without a seam."""
    from scipy import fft

    rows, columns = values.shape[:2]
    pads, fades = [], []
    for length, reach in zip((rows, columns), point.shape, strict=True):
        room = 2 * reach + 8
        whole = fft.next_fast_len(length + 2 * room, real=True)
        pads.append((room, whole - length - room))
        place = np.arange(whole)
        inside = np.clip(np.minimum(place, whole - 1 - place) / max(1, room - reach), 0, 1)
        fades.append((0.5 - 0.5 * np.cos(np.pi * inside)).astype(np.float32))
    wide = np.pad(values, (*pads, (0, 0)), mode="symmetric")
    share = np.outer(*fades)[..., None]
    mean = values.mean((0, 1), dtype=np.float64).astype(np.float32)
    return wide * share + mean * (1 - share), (pads[0][0], pads[1][0])


def _at_corner(point: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The kernel with its middle at the first pixel, as a transform wants it."""
    made = np.zeros(shape, np.float32)
    made[: point.shape[0], : point.shape[1]] = point
    return np.roll(made, (-(point.shape[0] // 2), -(point.shape[1] // 2)), (0, 1))
