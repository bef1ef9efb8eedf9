"""One picture laid on another: found by a matcher, drawn with cubic interpolation, and where it is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from sightline.composing._asked import check
from sightline.core import catalog
from sightline.core.depth import span
from sightline.core.errors import InputError, SettingsError
from sightline.core.relation import SURE, Field, Matches, Move, centred

Relation = Move | Field


def related(
    first: np.ndarray, second: np.ndarray, by: str, names: tuple[str, str], settings: Mapping[str, Any]
) -> Relation:
    """How the second lies on the first; pictures with nothing in common are one error that names both."""
    match = catalog.find("matchers", by)
    check(match, settings, by)
    try:
        found = match(first, second, **settings)
    except InputError as error:
        raise InputError(error.code, f"{names[1]} cannot be laid on {names[0]}: {error.message}") from error
    if isinstance(found, Matches):
        raise SettingsError(f"by = '{by}' finds pairs of places, not how to lay one picture on another.")
    if found.score is not None and found.score < SURE:
        raise InputError(
            "unrelated",
            f"{names[1]} cannot be laid on {names[0]}: {by} is not sure (score {found.score:.2f}, {SURE} is needed). "
            "Take pictures that share more, or name another `by`: homography, phase, intensity.",
        )
    made: Relation = found
    return made


def lay(pixels: np.ndarray, relation: Relation) -> tuple[np.ndarray, np.ndarray]:
    """The second as the first would show it, in its own depth, and where it is known."""
    if isinstance(relation, Field):
        return laid_along(pixels, relation.steps)
    return laid(pixels, relation.matrix, relation.first)


def laid(pixels: np.ndarray, matrix: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Pixels under a matrix from their places to those of the answer, cubic, and where all of it is known."""
    import cv2

    inner = centred(matrix)
    whole = np.allclose(inner[2], [0, 0, 1]) and np.allclose(inner[:2, :2], np.eye(2), atol=1e-9)
    way = cv2.INTER_LINEAR if whole and np.allclose(inner[:2, 2], np.rint(inner[:2, 2]), atol=1e-6) else cv2.INTER_CUBIC

    def move(part: np.ndarray) -> np.ndarray:
        return np.asarray(cv2.warpPerspective(part, inner, size[::-1], flags=way, borderMode=cv2.BORDER_REPLICATE))

    return _by_channels(pixels, move), _known(pixels.shape[:2], inner, size)


def _known(shape: tuple[int, ...], inner: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Where the middle of a pixel of the answer lies between middles of the picture's pixels, in front of it."""
    rows, columns = size
    back = np.linalg.inv(inner)
    x = np.arange(columns, dtype=np.float64)
    y = np.arange(rows, dtype=np.float64)[:, None]
    depth = back[2, 0] * x + back[2, 1] * y + back[2, 2]
    depth = depth * np.sign(back[2, 2]) if back[2, 2] else depth
    sign = np.sign(back[2, 2]) or 1.0
    safe = np.where(depth > 1e-9, depth, np.inf) * sign
    across = (back[0, 0] * x + back[0, 1] * y + back[0, 2]) / safe
    down = (back[1, 0] * x + back[1, 1] * y + back[1, 2]) / safe
    edge = 1e-6
    inside = (across >= -edge) & (down >= -edge) & (across <= shape[1] - 1 + edge) & (down <= shape[0] - 1 + edge)
    return np.asarray(inside & (depth > 1e-9))


def laid_along(pixels: np.ndarray, steps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pixels looked up where steps lead, and where that is inside."""
    import cv2

    rows, columns = steps.shape[:2]
    look = steps.astype(np.float32).copy()
    look[..., 0] += np.arange(columns, dtype=np.float32)
    look[..., 1] += np.arange(rows, dtype=np.float32)[:, None]
    inside = (look >= 0).all(-1) & (look[..., 0] <= pixels.shape[1] - 1) & (look[..., 1] <= pixels.shape[0] - 1)

    def move(part: np.ndarray) -> np.ndarray:
        return np.asarray(cv2.remap(part, look, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE))

    return _by_channels(pixels, move), inside


def _by_channels(pixels: np.ndarray, move: Any) -> np.ndarray:
    """Four channels at a time; cubic interpolation does not leave the range of the picture."""
    parts = []
    for start in range(0, pixels.shape[2], 4):
        part = np.ascontiguousarray(pixels[..., start : start + 4])
        made = move(part)
        parts.append(made if made.ndim == 3 else made[..., None])
    made = parts[0] if len(parts) == 1 else np.concatenate(parts, -1)
    if made.dtype.kind == "f":
        low, top = span(pixels)
        made = np.clip(made, low, top)
    return np.asarray(made)


def inner_window(seen: np.ndarray) -> tuple[int, int, int, int]:
    """Top, left, bottom, right of the largest upright window in which all is known."""
    rows, columns = seen.shape
    high = np.zeros(columns + 1, np.int64)
    best, found = 0, (0, 0, 0, 0)
    for bottom in range(rows):
        high[:columns] = np.where(seen[bottom], high[:columns] + 1, 0)
        waiting: list[tuple[int, int]] = []
        for right, tall in enumerate(high.tolist()):
            left = right
            while waiting and waiting[-1][1] >= tall:
                left, height = waiting.pop()
                if height * (right - left) > best:
                    best, found = height * (right - left), (bottom + 1 - height, left, bottom + 1, right)
            waiting.append((left, tall))
    return found
