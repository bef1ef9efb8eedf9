"""What happens to pictures, drawn anew for every patch: noise, the noise of a camera, JPEG, fewer pixels.

Clean patches are uint8, rows x columns x 3 (or x 1); damaged ones are float32 of 0 to 1 and not rounded, except where
a file or a camera rounds. Only what it takes to learn the shipped weights is here.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from sightline.core.bicubic import smaller

Chance = np.random.Generator


def noise(clean: np.ndarray, chance: Chance, *, most: float = 75.0) -> np.ndarray:
    """Gaussian noise of a level anywhere from 0 to `most` of 255; half of the time below a third of it."""
    level = most * chance.uniform() ** 1.3
    return np.asarray(clean / np.float32(255) + chance.standard_normal(clean.shape, np.float32) * (level / 255))


def blocks(clean: np.ndarray, chance: Chance, quality: tuple[int, int] = (5, 95)) -> np.ndarray:
    """Through a JPEG file; colours are halved or not, and the grid starts anywhere."""
    drawn = float(chance.uniform(np.sqrt(quality[0]), np.sqrt(quality[1]))) ** 2
    return _jpeg(clean, round(drawn), bool(chance.random() < 0.7)) / np.float32(255)


def _jpeg(clean: np.ndarray, quality: int, halved: bool) -> np.ndarray:
    sampling = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420 if halved else cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444
    settings = [cv2.IMWRITE_JPEG_QUALITY, quality]
    if clean.shape[-1] == 3:
        settings += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling]
    _, data = cv2.imencode(".jpg", clean[..., ::-1] if clean.shape[-1] == 3 else clean, settings)
    read = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    return np.asarray(read[..., ::-1] if clean.shape[-1] == 3 else read[..., None])


def camera(clean: np.ndarray, chance: Chance) -> np.ndarray:
    """The noise of a sensor in linear light, spread by demosaicking, toned and saved as a good JPEG, twice at times."""
    light = (clean / np.float32(255)) ** 2.2
    gain, read = 10 ** chance.uniform(-4.0, -2.0), 10 ** chance.uniform(-3.6, -1.9)
    grain = chance.standard_normal(clean.shape, np.float32) * np.sqrt(light * gain + read**2)
    grain *= chance.uniform(0.6, 1.6, clean.shape[-1]).astype(np.float32)
    spread = chance.uniform(0, 1.0)
    if spread > 0.3:  # neighbours share what was read once
        soft = cv2.GaussianBlur(grain, (0, 0), spread).reshape(grain.shape)
        grain = soft * np.float32(chance.uniform(1.0, 1.0 + 2 * spread))
    seen = np.rint(np.clip(light + grain, 0, 1) ** np.float32(1 / 2.2) * 255).astype(np.uint8)
    for _ in range(int(chance.integers(0, 3))):
        seen = _jpeg(seen, int(chance.integers(75, 100)), bool(chance.random() < 0.5))
    return seen / np.float32(255)


def small(scale: int) -> Callable[[np.ndarray, Chance], np.ndarray]:
    """Made smaller as MATLAB does, and rounded as a file is."""

    def spoil(clean: np.ndarray, chance: Chance) -> np.ndarray:
        return smaller(clean, scale) / np.float32(255)

    return spoil
