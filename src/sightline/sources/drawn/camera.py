"""What a camera does to light: lens, exposure, sensor noise, compression."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from sightline.sources.drawn.surface import bank, deep


@lru_cache(maxsize=16)
def _vignette(size: int) -> np.ndarray:
    along = (np.arange(size, dtype=np.float32) + 0.5) / size * 2 - 1
    fall = 1 - 0.17 * (along[:, None] ** 2 + along[None] ** 2)
    return np.repeat(fall[..., None], 3, 2).astype(np.float32)


def develop(lit: np.ndarray, chance: np.random.Generator, *, softness: float = 0.0, warmth: float = 0.0) -> np.ndarray:
    """Light of 0..1 as the picture that a perfect sensor would keep: lens blur, vignette, exposure, white balance."""
    if softness > 0:
        lit = cv2.GaussianBlur(lit, (0, 0), softness)
    exposure = float(chance.uniform(0.93, 1.08)) * 255
    rows, columns = lit.shape[:2]
    balance = np.tile(np.array([1 + warmth, 1.0, 1 - warmth], np.float32) * np.float32(exposure), columns)
    seen = (lit * _vignette(rows)).reshape(rows, columns * 3)
    seen *= balance
    return np.asarray(cv2.convertScaleAbs(seen)).reshape(rows, columns, 3)


def sense(
    clean: np.ndarray, chance: np.random.Generator, *, noise: float | None = None, quality: int | None = None
) -> np.ndarray:
    """The picture that a real sensor and its JPEG leave; `noise` is the spread at middle grey, in grey levels."""
    noise = float(chance.uniform(1.5, 4.5)) if noise is None else noise
    quality = int(chance.integers(84, 96)) if quality is None else quality
    return compress(speckle(clean, chance, noise), quality)


def speckle(clean: np.ndarray, chance: np.random.Generator, noise: float) -> np.ndarray:
    """Read noise everywhere and shot noise that grows with light; colour channels differ a little."""
    rows, columns = clean.shape[:2]
    grain = bank("grain")
    planes = []
    for _ in range(3):
        y, x = int(chance.integers(len(grain) - rows + 1)), int(chance.integers(len(grain) - columns + 1))
        planes.append(grain[y : y + rows, x : x + columns])
    field = cv2.merge(planes)
    spread = cv2.addWeighted(clean, noise / 255, clean, 0.0, 0.5 * noise, dtype=cv2.CV_32F)
    field *= spread
    return np.asarray(cv2.add(clean, field, dtype=cv2.CV_8U))


def compress(pixels: np.ndarray, quality: int) -> np.ndarray:
    """The same pixels after a JPEG of this quality."""
    _, data = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.ascontiguousarray(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR))[..., ::-1])


def shadow(cover: np.ndarray, shift: tuple[float, float], softness: float) -> np.ndarray:
    """The soft shadow that a (rows, columns) cover of 0..1 throws; worked at half size, for it holds no detail."""
    rows, columns = cover.shape
    small = cv2.resize(cover, (max(1, columns // 2), max(1, rows // 2)), interpolation=cv2.INTER_AREA)
    move = np.array([[1, 0, shift[0] / 2], [0, 1, shift[1] / 2]], np.float32)
    small = cv2.warpAffine(small, move, small.shape[::-1])
    small = cv2.GaussianBlur(small, (0, 0), max(0.3, softness / 2))
    return np.asarray(cv2.resize(small, (columns, rows), interpolation=cv2.INTER_LINEAR))


def lay(
    lit: np.ndarray, colour: np.ndarray | tuple[float, ...], cover: np.ndarray, corner: tuple[int, int] = (0, 0)
) -> None:
    """Paint a patch with its cover of 0..1 over a picture, in place; what hangs over the edge is cut."""
    rows, columns = cover.shape
    x, y = corner
    x0, y0, x1, y1 = max(0, x), max(0, y), min(lit.shape[1], x + columns), min(lit.shape[0], y + rows)
    if x1 <= x0 or y1 <= y0:
        return
    here = (slice(y0 - y, y1 - y), slice(x0 - x, x1 - x))
    paint = np.asarray(colour, np.float32)
    if paint.ndim == 3:
        paint = paint[here]
    under = lit[y0:y1, x0:x1]
    under += (paint - under) * deep(cover[here])


def stamp(cover: np.ndarray, corner: tuple[int, int], size: int) -> np.ndarray:
    """A patch of cover as a mask of the whole picture."""
    mask = np.zeros((size, size), bool)
    rows, columns = cover.shape
    x, y = corner
    x0, y0, x1, y1 = max(0, x), max(0, y), min(size, x + columns), min(size, y + rows)
    if x1 > x0 and y1 > y0:
        mask[y0:y1, x0:x1] = cover[y0 - y : y1 - y, x0 - x : x1 - x] > 0.5
    return mask
