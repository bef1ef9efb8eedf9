"""Features of texture: what neighbouring pixels have to do with each other."""

from __future__ import annotations

from functools import cache

import numpy as np

from sightline.core.errors import SettingsError
from sightline.features._light import gray, resized, whole

_AROUND = {  # rows, columns; clockwise, so that neighbours on the ring are neighbours in the code
    4: ((0, 1), (-1, 0), (0, -1), (1, 0)),
    8: ((0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1), (1, 0), (1, 1)),
}


def lbp(image: np.ndarray, *, points: int = 8, radius: int = 1, grid: int = 4) -> np.ndarray:
    """Which neighbours are as light as a pixel, counted in `grid` x `grid` parts (Ahonen et al. 2006).

    Uniform patterns have a bin each, the others share one. Light that rises or falls everywhere alike changes nothing.
    """
    if points not in _AROUND:
        raise SettingsError(f"lbp: points = {points}: must be 4 or 8.")
    shown = gray(image)
    rows, columns = (max(2 * radius + grid, side) for side in shown.shape)
    shown = resized(shown, rows, columns)
    centre = shown[radius : rows - radius, radius : columns - radius]
    codes = np.zeros(centre.shape, np.uint8)
    for bit, (down, right) in enumerate(_AROUND[points]):
        top, left = radius + down * radius, radius + right * radius
        near = shown[top : top + centre.shape[0], left : left + centre.shape[1]]
        codes |= (near >= centre).astype(np.uint8) << bit
    bins, kinds = _uniform(points)
    part = np.arange(centre.shape[0])[:, None] * grid // centre.shape[0] * grid
    part = part + np.arange(centre.shape[1]) * grid // centre.shape[1]
    counts = np.bincount((part * kinds + bins[codes]).ravel(), minlength=grid * grid * kinds)
    counts = counts.reshape(grid * grid, kinds)
    return np.asarray(np.sqrt(counts / counts.sum(1, keepdims=True)), np.float32).ravel()


@cache
def _uniform(points: int) -> tuple[np.ndarray, int]:
    """The bin of each code: its own where its ring of bits changes at most twice, else the last."""
    codes = np.arange(1 << points)
    bits = codes[:, None] >> np.arange(points) & 1
    plain = (bits != np.roll(bits, 1, 1)).sum(1) <= 2
    kinds = int(plain.sum()) + 1
    return np.where(plain, np.cumsum(plain) - 1, kinds - 1), kinds


def glcm(image: np.ndarray, *, levels: int = 16, reach: int = 2) -> np.ndarray:
    """How often two levels of light lie next to each other, in six numbers (Haralick 1973).

    Contrast, dissimilarity, homogeneity, energy, correlation and entropy, for four directions and 1 to `reach` pixels.
    """
    shown = gray(image)
    shown = resized(shown, *(max(side, reach + 1) for side in shown.shape))
    places = np.clip((shown * levels).astype(np.int64), 0, levels - 1)
    made = []
    for far in range(1, reach + 1):
        for down, right in ((0, far), (far, far), (far, 0), (far, -far)):
            near, other = _shifted(places, down, right)
            counts = np.bincount((near * levels + other).ravel(), minlength=levels * levels).reshape(levels, levels)
            made.append(_haralick((counts + counts.T) / (2 * near.size)))
    return np.concatenate(made).astype(np.float32)


def _shifted(places: np.ndarray, down: int, right: int) -> tuple[np.ndarray, np.ndarray]:
    """Each pixel and the one that lies so far down and right of it, where both are in the picture."""
    rows, columns = places.shape
    one = places[max(0, -down) : rows - max(0, down), max(0, -right) : columns - max(0, right)]
    two = places[max(0, down) : rows + min(0, down), max(0, right) : columns + min(0, right)]
    return one, two


def _haralick(shares: np.ndarray) -> np.ndarray:
    place = np.arange(len(shares))
    apart = place[:, None] - place
    mean = float(shares.sum(1) @ place)
    spread = float(shares.sum(1) @ np.square(place - mean))
    joint = float(((place[:, None] - mean) * (place - mean) * shares).sum())
    return np.array(
        [
            (shares * apart**2).sum(),
            (shares * np.abs(apart)).sum(),
            (shares / (1 + apart**2)).sum(),
            np.sqrt(np.square(shares).sum()),
            joint / spread if spread > 1e-12 else 1.0,
            -(shares * np.log2(np.maximum(shares, 1e-12))).sum(),
        ]
    )


def gabor(image: np.ndarray, *, scales: int = 3, angles: int = 6, grid: int = 2) -> np.ndarray:
    """Mean and spread of the answers to waves of each direction and size, in `grid` x `grid` parts (Manjunath 1996)."""
    import cv2

    shown = gray(image)
    shown = resized(shown, *(whole(side, grid, 2) for side in shown.shape))
    made = []
    for scale in range(scales):
        rows, columns = (whole(side / 2**scale, grid, 2) for side in shown.shape)
        small = resized(shown, rows, columns)
        for number in range(angles):
            real, other = _waves(number * np.pi / angles)
            even, odd = (cv2.filter2D(small, cv2.CV_32F, wave, borderType=cv2.BORDER_REFLECT) for wave in (real, other))
            power = np.hypot(even, odd).reshape(grid, rows // grid, grid, columns // grid)
            made += [power.mean((1, 3)).ravel(), power.std((1, 3)).ravel()]
    return np.concatenate(made).astype(np.float32)


@cache
def _waves(angle: float, frequency: float = 0.25) -> tuple[np.ndarray, np.ndarray]:
    """A wave under a bell of one octave, its two phases; the even one sums to nothing, so plain light is not seen."""
    spread = np.sqrt(np.log(2) / 2) / np.pi * 3 / frequency
    reach = int(np.ceil(3 * spread))
    down, right = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    bell = np.exp(-(down**2 + right**2) / (2 * spread**2)) / (2 * np.pi * spread**2)
    phase = 2 * np.pi * frequency * (right * np.cos(angle) + down * np.sin(angle))
    even = bell * np.cos(phase)
    return (even - bell * even.sum() / bell.sum()).astype(np.float32), (bell * np.sin(phase)).astype(np.float32)
