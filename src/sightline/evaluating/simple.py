"""What learns in seconds without a network: the nearest picture and a straight line, to which a model is held."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from sightline.auditing.patches import draw_bank
from sightline.core.annotations import Annotation, Labels, Value
from sightline.core.errors import InputError
from sightline.core.measures import eight_bits, read_reduced
from sightline.core.sample import Sample

SIDE = 32  # pixels to which pictures are reduced
CLOSE = 5  # neighbours that vote
PENALTY = 0.1  # of the line, in units of the mean variance
FILTERS = 64

Fitted = Callable[[np.ndarray], np.ndarray]  # small pictures to columns of answers


def small_pictures(samples: Sequence[Sample]) -> tuple[np.ndarray, np.ndarray]:
    """Each first picture as 32 x 32 colours of 8 bits, and which could be read."""
    made = np.zeros((len(samples), SIDE, SIDE, 3), np.uint8)
    known = np.zeros(len(samples), bool)

    def fill(row: int) -> None:
        known[row] = _small(samples[row], made[row])

    with ThreadPoolExecutor(min(4, os.cpu_count() or 1), "sightline-simple") as pool:
        list(pool.map(fill, range(len(samples))))
    return made, known


def nearest(small: np.ndarray, wanted: np.ndarray) -> Fitted:
    """The mean of what is so of the pictures whose light and dark lie most alike."""
    table = _even(small)

    def answer(others: np.ndarray) -> np.ndarray:
        alike = _even(others) @ table.T
        close = np.argpartition(-alike, min(CLOSE, len(table)) - 1, axis=1)[:, :CLOSE]
        return np.asarray(wanted[close].mean(1))

    return answer


def line(small: np.ndarray, wanted: np.ndarray) -> Fitted:
    """Least squares over the answers of patches drawn from the pictures, and over their coarse colours."""
    bank = draw_bank(small, FILTERS)
    rows = bank.features(small).astype(np.float64)
    mean, scale = rows.mean(0), rows.std(0) + 1e-6
    rows = (rows - mean) / scale
    centre = wanted.mean(0)
    gram = rows.T @ rows
    gram[np.diag_indices(len(gram))] += PENALTY * len(rows)
    weights = np.linalg.solve(gram, rows.T @ (wanted - centre))

    def answer(others: np.ndarray) -> np.ndarray:
        return np.asarray((bank.features(others) - mean) / scale @ weights + centre)

    return answer


def targets(truths: Sequence[Annotation | None], names: Sequence[str]) -> np.ndarray | None:
    """What is so as columns: a share a name, or the numbers; None where the record is of another kind."""
    if all(isinstance(truth, Labels) for truth in truths):
        return np.array([[truth.score(name) for name in names] for truth in truths], float)  # type: ignore[union-attr]
    if all(isinstance(truth, Value) for truth in truths):
        numbers = [np.atleast_1d(truth.numbers) for truth in truths]  # type: ignore[union-attr]
        return np.array(numbers, float) if len({len(row) for row in numbers}) == 1 else None
    return None


def as_records(columns: np.ndarray, like: Annotation, names: Sequence[str]) -> list[Annotation]:
    """Columns as the records that a model would have answered with."""
    if isinstance(like, Value):
        return [Value(like.names, row) for row in columns]
    shares = np.maximum(columns, 1e-6)
    if columns.shape[1] > 1:
        shares = shares / shares.sum(1, keepdims=True)
    return [Labels(tuple(names), row.astype(np.float32)) for row in shares]


def _small(sample: Sample, into: np.ndarray) -> bool:
    import cv2

    try:
        pixels = eight_bits(read_reduced(sample.images[0], 2 * SIDE)) if sample.images else None
    except InputError:
        return False
    if pixels is None:
        return False
    pixels = pixels[len(pixels) // 2] if pixels.ndim == 4 else pixels
    pixels = pixels[..., :3] if pixels.shape[2] >= 3 else np.repeat(pixels[..., :1], 3, 2)
    into[:] = cv2.resize(np.ascontiguousarray(pixels), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return True


def _even(small: np.ndarray) -> np.ndarray:
    """Rows of one length without their own brightness."""
    coarse = small.reshape(len(small), SIDE // 2, 2, SIDE // 2, 2, 3).mean((2, 4)).reshape(len(small), -1)
    coarse = (coarse - coarse.mean(1, keepdims=True)).astype(np.float32)
    return np.asarray(coarse / (np.linalg.norm(coarse, axis=1, keepdims=True) + 1e-6))
