"""Features of colour and light, with no or little regard for place."""

from __future__ import annotations

import numpy as np

from sightline.features._light import level, resized


def colour_histogram(image: np.ndarray, *, bins: int = 16, joint: int = 4) -> np.ndarray:
    """Shares of pixels by level of each channel, and by `joint` levels of three channels together (Swain 1991).

    Square roots of shares, so that a product of two rows says how much they have in common (Bhattacharyya).
    """
    shown = level(image)
    pixels = shown.reshape(-1, shown.shape[-1])
    channels = pixels.shape[1]
    places = _binned(pixels, bins) + np.arange(channels) * bins
    counts = np.bincount(places.ravel(), minlength=channels * bins)
    if channels == 3 and joint:
        together = _binned(pixels, joint) @ np.array([joint * joint, joint, 1])
        counts = np.concatenate([counts, np.bincount(together, minlength=joint**3)])
    return np.sqrt(counts / len(pixels)).astype(np.float32)


def pixels(image: np.ndarray, *, side: int = 16, even: bool = True) -> np.ndarray:
    """The picture itself, small; `even` takes away its mean light and its contrast."""
    shown = resized(level(image), side, side).ravel()
    if not even:
        return shown.astype(np.float32)
    shown = shown - shown.mean()
    return np.asarray(shown / max(float(shown.std()), 1e-3), np.float32)


def _binned(pixels: np.ndarray, bins: int) -> np.ndarray:
    return np.clip((pixels * bins).astype(np.int64), 0, bins - 1)
