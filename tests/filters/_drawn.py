"""Drawn scenes with edges, slopes and texture, and what can happen to them."""

import cv2
import numpy as np

TOPS = {"uint8": 255, "uint16": 65535, "float32": 1.0}


def scene(seed: int = 0, rows: int = 160, columns: int = 200) -> np.ndarray:
    """Float32 from 0 to 1: a slope of light, discs, boxes, lines and a weave."""
    rng = np.random.default_rng(seed)
    down, right = np.mgrid[:rows, :columns].astype(np.float32)
    drawn = np.stack([0.35 + 0.25 * right / columns + 0.1 * down / rows * (c - 1) for c in range(3)], 2)
    for _ in range(10):
        x, y = int(rng.integers(columns)), int(rng.integers(rows))
        reach, colour = int(rng.integers(6, 30)), (0.15 + 0.7 * rng.random(3)).tolist()
        if rng.random() < 0.5:
            cv2.circle(drawn, (x, y), reach, colour, -1, cv2.LINE_AA)
        else:
            cv2.rectangle(drawn, (x, y), (x + reach, y + reach // 2), colour, -1)
    for _ in range(4):
        x, y, to = int(rng.integers(columns)), int(rng.integers(rows)), rng.integers(0, 150, 2).tolist()
        cv2.line(drawn, (x, y), to, (0.1 + 0.8 * rng.random(3)).tolist(), 2, cv2.LINE_AA)
    drawn[rows // 2 :, : columns // 3] += 0.04 * np.sin(right + down / 2)[rows // 2 :, : columns // 3, None]
    return np.clip(drawn, 0.02, 0.98)


def as_depth(values: np.ndarray, depth: str) -> np.ndarray:
    """Values of 0 to 1 in a depth."""
    held = np.clip(values, 0, 1) * TOPS[depth]
    return (np.rint(held) if depth != "float32" else held).astype(depth)


def noisy(values: np.ndarray, sigma: float, seed: int = 0) -> np.ndarray:
    """White noise of so many levels of 8 bits."""
    return values + np.random.default_rng(seed).normal(0, sigma / 255, values.shape).astype(np.float32)


def psnr(truth: np.ndarray, given: np.ndarray) -> float:
    """Of pictures of any depth, over their range."""
    a, b = (each / TOPS[each.dtype.name] for each in (truth, given))
    return float(-10 * np.log10(np.mean((a.astype(np.float64) - b) ** 2) + 1e-12))


def packed(pixels: np.ndarray, quality: int, sampling: int = 0x111111) -> np.ndarray:
    """Through JPEG and back, colours thinned out only where told (0x221111)."""
    colour = pixels.ndim == 3
    settings = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling]
    coded = cv2.imencode(".jpg", np.ascontiguousarray(pixels[..., ::-1]) if colour else pixels, settings)[1]
    made = cv2.imdecode(coded, cv2.IMREAD_COLOR if colour else cv2.IMREAD_GRAYSCALE)
    return np.ascontiguousarray(made[..., ::-1]) if colour else made
