"""Places with descriptors, and who is whose nearest."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from sightline.core.asked import word
from sightline.core.relation import Matches
from sightline.matchers._light import nothing

KINDS = ("sift", "orb")
_ROWS = 2048  # of distances held at once
_FAINT = 0.02  # contrast from which SIFT sees a place


def paired(
    first: np.ndarray,
    second: np.ndarray,
    what: str,
    *,
    by: str = "sift",
    most: int = 4000,
    ratio: float = 0.8,
    mutual: bool = True,
) -> Matches:
    """Places of two uint8 pictures that choose each other."""
    word(what, "places", by, KINDS)
    places, described = described_places(first, by, most)
    others, theirs = described_places(second, by, most)
    if min(len(places), len(others)) < 2:
        raise nothing(what, f"{len(places)} places in the first picture and {len(others)} in the second stand out")
    mine, twins, scores = _nearest(described, theirs, by == "orb", ratio, mutual)
    pairs = np.concatenate([places[mine], others[twins]], 1)
    score = 1 - 0.5 ** (len(pairs) / (8 + 0.05 * min(len(places), len(others))))
    return Matches(pairs, scores, _size(first), _size(second), float(score))


def described_places(light: np.ndarray, by: str, most: int) -> tuple[np.ndarray, np.ndarray]:
    """(n, 2) x, y, and what each looks like."""
    if by == "orb":
        found, described = _orb(most).detectAndCompute(light, None)
    else:
        found, described = _sift(most).detectAndCompute(light, None)
    if not found:
        return np.zeros((0, 2)), np.zeros((0, 1), np.float32)
    return np.asarray(cv2.KeyPoint.convert(found), np.float64).reshape(-1, 2) + 0.5, np.asarray(described)


def _sift(most: int) -> Any:
    tools: Any = cv2
    return tools.SIFT_create(most, contrastThreshold=_FAINT, enable_precise_upscale=True)


def _orb(most: int) -> Any:
    tools: Any = cv2
    return tools.ORB_create(most, fastThreshold=10)


def _nearest(
    first: np.ndarray, second: np.ndarray, bits: bool, ratio: float, mutual: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows of the first, their twins in the second, and how clear each choice is."""
    if bits:
        twin, nearest, next_best, choice = _by_bits(first, second)
    else:
        twin, nearest, next_best, choice = _by_shares(_rooted(first), _rooted(second))
    next_best = np.maximum(next_best, 1e-6)
    keep = nearest < ratio * next_best
    if mutual:
        keep &= choice[twin] == np.arange(len(first))
    return np.flatnonzero(keep), twin[keep], np.asarray(1 - nearest / next_best, np.float32)[keep]


Nearest = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]  # twin, its distance, the next best; choice of twins


def _by_bits(first: np.ndarray, second: np.ndarray) -> Nearest:
    far, twin = cv2.batchDistance(first, second, cv2.CV_32S, normType=cv2.NORM_HAMMING, K=2)
    _, choice = cv2.batchDistance(second, first, cv2.CV_32S, normType=cv2.NORM_HAMMING, K=1)
    far, twin = np.asarray(far, np.float32).reshape(-1, 2), np.asarray(twin).reshape(-1, 2)
    return twin[:, 0], far[:, 0], far[:, 1], np.asarray(choice).ravel()


def _by_shares(first: np.ndarray, second: np.ndarray) -> Nearest:
    """A block of rows at a time, so that memory stays small however many there are."""
    best, choice = np.full(len(second), np.inf, np.float32), np.full(len(second), -1)
    parts: list[tuple[np.ndarray, ...]] = []
    for start in range(0, len(first), _ROWS):
        far = first[start : start + _ROWS] @ second.T
        far *= -2
        far += 2
        column = far.argmin(0)
        least = far[column, np.arange(far.shape[1])]
        better = least < best
        best[better], choice[better] = least[better], column[better] + start
        rows, twin = np.arange(len(far)), far.argmin(1)
        nearest = far[rows, twin]
        far[rows, twin] = np.inf
        parts.append((twin, nearest, far.min(1)))
    twin, nearest, next_best = (np.concatenate(part) for part in zip(*parts, strict=True))
    return twin, np.sqrt(np.maximum(nearest, 0)), np.sqrt(np.maximum(next_best, 0)), choice


def _rooted(described: np.ndarray) -> np.ndarray:
    """Roots of shares: of length one, and no single direction outweighs the rest (Arandjelovic 2012)."""
    return np.asarray(np.sqrt(described / np.maximum(described.sum(1, keepdims=True), 1e-6)), np.float32)


def _size(light: np.ndarray) -> tuple[int, int]:
    return int(light.shape[0]), int(light.shape[1])
