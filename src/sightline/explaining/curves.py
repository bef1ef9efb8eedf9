"""Whether what a map marks is what the answer rests on: parts are shown or hidden in its order, and the model asked.

Petsiuk et al. (2018): a good map lets the answer rise early where its places are shown first (insertion), and fall
early where they are hidden first (deletion). What is hidden is blurred, not painted, so that no new edge arises.
"""

from __future__ import annotations

import numpy as np

from sightline.core.chance import generator
from sightline.explaining.subject import View

STEPS = 6


def curves(view: View, maps: np.ndarray, steps: int = STEPS) -> tuple[np.ndarray, np.ndarray]:
    """Mean answers (0 to 1 for shares), a row each: with the first places of a map shown alone, and hidden."""
    pictures = view.arrays[view.first].astype(np.float32)
    veiled = veil(pictures)
    rank = ranks(maps)
    rows = range(len(view))
    shown, hidden = np.zeros(len(view)), np.zeros(len(view))
    for step in range(1, steps):
        first = (rank < step / steps)[..., None]
        shown += _shares(view, np.where(first, pictures, veiled), rows)
        hidden += _shares(view, np.where(first, veiled, pictures), rows)
    return shown / (steps - 1), hidden / (steps - 1)


def faithfulness(view: View, maps: np.ndarray, steps: int = STEPS) -> np.ndarray:
    """How far the two curves are apart: nothing for an order that says nothing."""
    shown, hidden = curves(view, maps, steps)
    return np.asarray(shown - hidden)


def moved(maps: np.ndarray, seed: int = 0) -> np.ndarray:
    """The same maps, each moved around its picture by chance: as smooth as before, and about nothing."""
    rng = generator("explaining", "moved", seed)
    rows, columns = maps.shape[1:]
    found = []
    for row in maps:
        down = int(rng.integers(rows // 4, 3 * rows // 4 + 1))
        across = int(rng.integers(columns // 4, 3 * columns // 4 + 1))
        found.append(np.roll(row, (down, across), (0, 1)))
    return np.stack(found)


def ranks(maps: np.ndarray) -> np.ndarray:
    """For each place which share of the picture a map marks more; where it marks nothing, smooth chance decides."""
    import cv2

    size = maps.shape[1:]
    rng = generator("explaining", "ties")
    coarse = rng.random((len(maps), 8, 8)).astype(np.float32)
    chance = np.stack([cv2.resize(row, size[::-1], interpolation=cv2.INTER_CUBIC) for row in coarse])
    flat = maps.reshape(len(maps), -1)
    order = np.lexsort((-chance.reshape(flat.shape), -flat), axis=1)
    rank = np.empty(flat.shape)
    np.put_along_axis(rank, order, np.arange(flat.shape[1])[None] / flat.shape[1], 1)
    return rank.reshape(maps.shape)


def veil(pictures: np.ndarray) -> np.ndarray:
    """Pictures without detail: blurred by an eighth of their side."""
    import cv2

    spread = min(pictures.shape[1:3]) / 8
    found = []
    for picture in pictures:
        bands = [
            cv2.GaussianBlur(np.ascontiguousarray(picture[..., band]), (0, 0), spread)
            for band in range(picture.shape[-1])
        ]
        found.append(np.stack(bands, -1))
    return np.stack(found)


def _shares(view: View, pictures: np.ndarray, rows: range) -> np.ndarray:
    numbers = view.numbers(pictures, rows)
    return np.array([view.question(row).share(number) for row, number in zip(rows, numbers, strict=True)])
