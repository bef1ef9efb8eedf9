"""How a second picture lies on a first: pairs of places, one move for all of it, or a step for every pixel.

Places are x, y in pixels of their own picture, edges at 0 and at the width. A `score` below `SURE` says that the two
may have nothing in common, and that nobody should act on the answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sightline.core.errors import InputError
from sightline.core.record import Annotation, apart
from sightline.core.warp import Size, Warp

MOVES = ("shift", "similarity", "affine", "homography")  # each can do what those before it do
SURE = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Matches(Annotation):
    """Places of the first picture, each with the place of the second that shows the same."""

    points: np.ndarray  # (n, 4) x, y in the first, x, y in the second
    scores: np.ndarray  # (n,) 0..1
    first: Size  # rows, columns
    second: Size
    score: float = 0.0
    tolerance: ClassVar[float] = 0.05

    def __len__(self) -> int:
        return len(self.points)

    def take(self, rows: Any) -> Matches:
        """The same with these rows."""
        return Matches(self.points[rows], self.scores[rows], self.first, self.second, self.score)

    def gap(self, other: Matches) -> float:
        """Pixels between twins; answers of different length are infinitely far apart."""
        return max(apart(self.points, other.points), apart(self.scores, other.scores))

    def to_json(self) -> dict[str, Any]:
        """Plain facts, without the points."""
        return {"kind": "matches", "score": self.score, "points": len(self)}


@dataclass(frozen=True, slots=True, eq=False)
class Move(Annotation):
    """One matrix that takes places of the second picture to places of the first."""

    matrix: np.ndarray  # (3, 3)
    kind: str  # one of `MOVES`
    first: Size
    second: Size
    score: float = 0.0
    matches: Matches | None = None  # the points that it was found by
    inliers: np.ndarray | None = None  # (n,) which of them agree with it
    tolerance: ClassVar[float] = 0.05

    def __post_init__(self) -> None:
        if self.kind not in MOVES:
            raise ValueError(f"a move is one of {', '.join(MOVES)}, not {self.kind!r}")

    @property
    def warp(self) -> Warp:
        """Lays pixels and points of the second on the first."""
        return Warp(np.asarray(self.matrix, np.float64), self.second, self.first)

    def inverse(self) -> Move:
        """How the first lies on the second."""
        matrix = np.linalg.inv(self.matrix)
        return Move(matrix / matrix[2, 2], self.kind, self.second, self.first, self.score)

    def residual(self) -> float:
        """The root mean square, in pixels of the first, of how far the agreeing points miss; 0 where there are none."""
        if self.matches is None or self.inliers is None or not self.inliers.any():
            return 0.0
        points = self.matches.points[self.inliers]
        return float(np.sqrt(np.mean(((self.warp.points(points[:, 2:]) - points[:, :2]) ** 2).sum(1))))

    def overlap(self) -> float:
        """The share of the first picture that the second covers."""
        import cv2

        rows, columns = self.first
        frame = np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]], np.float32)
        laid = self.warp.points(corners_of(self.second)).astype(np.float32)
        if not np.isfinite(laid).all() or not cv2.isContourConvex(laid):
            return 0.0
        return float(cv2.intersectConvexConvex(frame, laid)[0]) / (rows * columns)

    def gap(self, other: Move) -> float:
        """The largest distance, in pixels, between where the two put a corner."""
        return corner_error(self, other.matrix) if self.second == other.second else float("inf")

    def to_json(self) -> dict[str, Any]:
        """Plain facts."""
        return {
            "kind": self.kind,
            "score": self.score,
            "matrix": self.matrix.tolist(),
            "points": 0 if self.matches is None else len(self.matches),
            "agreeing": 0 if self.inliers is None else int(self.inliers.sum()),
            "residual": self.residual(),
            "overlap": self.overlap(),
        }


@dataclass(frozen=True, slots=True, eq=False)
class Field(Annotation):
    """For every pixel of the first picture, the step to the place of the second that shows the same."""

    steps: np.ndarray  # (rows, columns, 2) float32 x, y
    second: Size
    seen: np.ndarray | None = None  # (rows, columns) bool: the way back leads home, so it is in both
    score: float | None = None  # None where the way back was not asked for
    tolerance: ClassVar[float] = 0.05

    @property
    def first(self) -> Size:
        return int(self.steps.shape[0]), int(self.steps.shape[1])

    @property
    def warp(self) -> Warp:
        """Lays pixels of the second on the first."""
        return Warp(np.eye(3), self.second, self.first, self.steps)

    @property
    def lengths(self) -> np.ndarray:
        """(rows, columns) how long each step is."""
        return np.asarray(np.hypot(self.steps[..., 0], self.steps[..., 1]))

    def gap(self, other: Field) -> float:
        """The longest distance between two steps."""
        return apart(self.steps, other.steps)

    def to_json(self) -> dict[str, Any]:
        """Plain facts, without the steps."""
        lengths = self.lengths
        return {
            "kind": "field",
            "score": self.score,
            "mean": float(lengths.mean()),
            "longest": float(lengths.max()),
            "seen": None if self.seen is None else float(self.seen.mean()),
        }


def corners_of(size: Size) -> np.ndarray:
    """(4, 2) upper left, upper right, lower right, lower left."""
    rows, columns = size
    return np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]], np.float64)


def corner_error(move: Move, truth: np.ndarray) -> float:
    """The largest distance, in pixels of the first, between where a move and a true matrix put a corner."""
    places = corners_of(move.second)
    true = Warp(np.asarray(truth, np.float64), move.second, move.first).points(places)
    return float(np.hypot(*(move.warp.points(places) - true).T).max())


def end_point_error(steps: np.ndarray, truth: np.ndarray, where: np.ndarray | None = None) -> float:
    """The mean distance, in pixels, between steps and true steps, perhaps only `where` this is true."""
    if steps.shape != truth.shape:
        raise InputError("mismatch", f"steps of shape {steps.shape} cannot be measured by {truth.shape}.")
    far = np.hypot(*(steps.astype(np.float64) - truth).reshape(-1, 2).T)
    chosen = far if where is None else far[np.asarray(where).ravel()]
    return float(chosen.mean()) if chosen.size else float("nan")


def sureness(agreeing: int, given: int) -> float:
    """From 0 to 1: one half where as many of the given points agree as may do so by chance (Brown and Lowe 2007)."""
    return float(1 - 0.5 ** (agreeing / (8 + 0.3 * given)))


def centred(matrix: np.ndarray) -> np.ndarray:
    """From edges at 0 and at the width to the middle of the first pixel at 0, as OpenCV has it."""
    shift = np.array([[1, 0, -0.5], [0, 1, -0.5], [0, 0, 1]])
    return np.asarray(shift @ matrix @ np.linalg.inv(shift))


def edged(matrix: np.ndarray) -> np.ndarray:
    """The way back of `centred`."""
    shift = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    return np.asarray(shift @ matrix @ np.linalg.inv(shift))
