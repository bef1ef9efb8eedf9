"""Maps of inputs as maps of pictures: from what the network saw back to the pixels that it was made from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sightline.core.inputs import Frame


def back(maps: np.ndarray, frames: Sequence[Frame]) -> list[np.ndarray]:
    """One map a sample, of the size of its picture; where several inputs saw a place, their mean."""
    total: dict[int, np.ndarray] = {}
    seen: dict[int, np.ndarray] = {}
    for row, frame in zip(maps, frames, strict=True):
        placed, cover = _warped(row.astype(np.float32), frame), _warped(np.ones(frame.size, np.float32), frame)
        total[frame.sample] = total.get(frame.sample, 0) + placed
        seen[frame.sample] = seen.get(frame.sample, 0) + cover
    return [np.asarray(total[sample] / np.maximum(seen[sample], 1e-6), np.float32) for sample in sorted(total)]


def inward(mask: np.ndarray, frame: Frame) -> np.ndarray:
    """What of the network's input shows these pixels of the picture."""
    import cv2

    down, across = (float(scale) for scale in frame.scale)
    top, left = (float(offset) for offset in frame.offset)
    move = np.array([[across, 0, left + across / 2 - 0.5], [0, down, top + down / 2 - 0.5]])
    return np.asarray(cv2.warpAffine(mask.astype(np.float32), move, frame.size[::-1])) > 0.5


def _warped(values: np.ndarray, frame: Frame) -> np.ndarray:
    import cv2

    down, across = (float(scale) for scale in frame.scale)
    top, left = (float(offset) for offset in frame.offset)
    move = np.array([[across, 0, left + across / 2 - 0.5], [0, down, top + down / 2 - 0.5]])
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(values, move, frame.original[::-1], flags=how, borderMode=cv2.BORDER_REPLICATE))
