"""How well an embedding finds its kind."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from sightline.core.annotations import Labels, Vector
from sightline.core.errors import InputError
from sightline.core.tally import SHARE, Tally, mean_known
from sightline.metrics._pairs import check_pairs

_BLOCK = 1024  # queries at a time: bounds memory, changes nothing


def recall_at_1(truths: Sequence[Labels], predictions: Sequence[Vector]) -> Tally:
    """Share of samples whose nearest other one, by cosine, shares a name; NaN where no other one does, or every one.

    Rows come from the whole set and are drawn afterwards, a class at a time: in a drawn set a copy would find itself.
    """
    check_pairs(truths, predictions)
    of = "fresh samples of fresh classes, as many as here"
    if not truths:
        return Tally(np.zeros((0, 1)), mean_known, "higher", np.zeros(0, np.int64), of=of, limits=SHARE)
    shapes = {vector.values.shape for vector in predictions}
    if len(shapes) > 1:
        raise InputError("mismatch", f"vectors have shapes {sorted(shapes)}; compare vectors of one model.")
    vectors = np.stack([vector.values for vector in predictions]).astype(np.float64).reshape(len(truths), -1)
    names = sorted({name for truth in truths for name in truth.names})
    holds = np.array([[name in truth.names for name in names] for truth in truths], np.float32).reshape(len(truths), -1)
    groups = np.array([names.index(truth.names[0]) if truth.names else -1 for truth in truths])
    return Tally(_found(_unit(vectors), holds)[:, None], mean_known, "higher", groups, of=of, limits=SHARE)


def _unit(vectors: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(lengths > 0, lengths, 1.0)


def _found(vectors: np.ndarray, holds: np.ndarray) -> np.ndarray:
    """1 where the nearest other vector is of the same kind; a vector that is not finite neither finds nor is found."""
    good = np.isfinite(vectors).all(1)
    safe = np.where(good[:, None], vectors, 0.0)
    found = np.full(len(vectors), math.nan)
    for start in range(0, len(vectors), _BLOCK):
        rows = np.arange(start, min(start + _BLOCK, len(vectors)))
        near = safe[rows] @ safe.T
        near[:, ~good] = -np.inf
        near[np.arange(len(rows)), rows] = -np.inf
        same = holds[rows] @ holds.T > 0
        same[np.arange(len(rows)), rows] = False
        nearest = np.argmax(near, 1)
        right = same[np.arange(len(rows)), nearest] & good[rows] & good[nearest]
        others = same.sum(1)  # among strangers alone nothing can be found, and without one nothing can be mistaken
        found[rows] = np.where((others > 0) & (others < len(vectors) - 1), right, math.nan)
    return found
