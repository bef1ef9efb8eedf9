"""Shift, turn and scale between two pictures, from the phases of their waves."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

_ANGLES, _RADII = 720, 512


def shift_of(first: np.ndarray, second: np.ndarray) -> tuple[tuple[float, float], float]:
    """x and y from the first to the second, and how many times the highest peak of chance theirs is."""
    rows, columns = (max(one, two) for one, two in zip(first.shape, second.shape, strict=True))
    size = 2 * ((cv2.getOptimalDFTSize(rows) + 1) // 2), 2 * ((cv2.getOptimalDFTSize(columns) + 1) // 2)
    surface = _surface(_waves(first, size), _waves(second, size))
    _, peak, _, (x, y) = cv2.minMaxLoc(surface)
    spread = float(np.sqrt(np.mean(np.square(surface))))
    near = [(np.arange(-2, 3) + at) % many for at, many in ((y, size[0]), (x, size[1]))]
    weight = np.maximum(surface[np.ix_(*near)], 0)
    down, right = (float((weight.sum(axis) * np.arange(-2, 3)).sum() / weight.sum()) for axis in (1, 0))
    step = (_wrapped(x + right, size[1]), _wrapped(y + down, size[0]))
    return step, peak / max(spread * np.sqrt(2 * np.log(surface.size)), 1e-20)


def _waves(light: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    rows, columns = light.shape
    faded = cv2.multiply(light - np.float32(cv2.mean(light)[0]), _window(rows, columns))
    if light.shape != size:
        faded = cv2.copyMakeBorder(faded, 0, size[0] - rows, 0, size[1] - columns, cv2.BORDER_CONSTANT, value=0)
    return np.asarray(cv2.dft(faded))


@lru_cache(maxsize=4)
def _window(rows: int, columns: int) -> np.ndarray:
    return np.asarray(cv2.createHanningWindow((columns, rows), cv2.CV_32F))


def _surface(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Where waves of like phase meet; OpenCV packs half of the plane, of which two columns are left out here."""
    product = cv2.mulSpectrums(second, first, 0, conjB=True)
    pairs = product[:, 1:-1].reshape(len(product), -1, 2)
    strength = np.square(pairs[..., 0]) + np.square(pairs[..., 1])
    strength += np.float32(1e-20 + 1e-12 * float(strength.max()))
    np.sqrt(strength, out=strength)
    pairs = pairs / strength[..., None]
    product[:, 1:-1] = pairs.reshape(len(product), -1)
    product[:, 0] = product[:, -1] = 0
    return np.asarray(cv2.idft(product, flags=cv2.DFT_SCALE | cv2.DFT_REAL_OUTPUT))


def _wrapped(step: float, size: int) -> float:
    return step - size if step > size / 2 else step


def turn_of(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, float]:
    """A matrix from the first to the second that turns, scales and shifts, and its peak as in `shift_of`.

    Turn and scale are shifts of the strengths of waves in polar coordinates; half a turn looks the same there.
    """
    side = max(*first.shape, *second.shape)
    radius = side / 2
    polar = [_polar(light, side, radius) for light in (first, second)]
    (along, around), _ = shift_of(polar[0], polar[1])
    scale = float(np.exp(-along / _RADII * np.log(radius)))
    best, found = -1.0, np.eye(3)
    for turn in (around / _ANGLES * np.pi, around / _ANGLES * np.pi + np.pi):
        matrix = _about_middle(turn, scale, second.shape, first.shape)
        size = first.shape[1], first.shape[0]
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        laid = cv2.warpAffine(second, matrix[:2], size, flags=flags, borderMode=cv2.BORDER_REFLECT_101)
        (x, y), peak = shift_of(first, laid)
        if peak > best:
            best, found = peak, matrix @ np.array([[1, 0, x], [0, 1, y], [0, 0, 1.0]])
    return found, best


def _polar(light: np.ndarray, side: int, radius: float) -> np.ndarray:
    """Strengths of waves, angle down and the logarithm of the frequency to the right."""
    faded = cv2.multiply(light - np.float32(cv2.mean(light)[0]), _window(*light.shape))
    square = np.zeros((side, side), np.float32)
    square[: light.shape[0], : light.shape[1]] = faded
    strength = np.fft.fftshift(np.abs(np.fft.fft2(square))).astype(np.float32)
    np.log1p(strength, out=strength)
    middle = (side // 2, side // 2)
    flags = cv2.INTER_LINEAR | cv2.WARP_POLAR_LOG
    drawn = cv2.warpPolar(strength, (_RADII, 2 * _ANGLES), middle, radius, flags)[:_ANGLES]
    drawn = drawn - cv2.GaussianBlur(drawn, (0, 0), 15)
    return np.ascontiguousarray(drawn[:, _RADII // 4 :])


def _about_middle(turn: float, scale: float, second: tuple[int, ...], first: tuple[int, ...]) -> np.ndarray:
    """From the first to the second: turned and scaled about the middles."""
    cos, sin = np.cos(turn) * scale, np.sin(turn) * scale
    middle, centre = ((np.array([s[1], s[0]]) - 1) / 2 for s in (first, second))
    made = np.eye(3)
    made[:2, :2] = [[cos, -sin], [sin, cos]]
    made[:2, 2] = centre - made[:2, :2] @ middle
    return made
