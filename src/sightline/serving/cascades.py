"""What a small model could answer by itself, before a larger one is asked: seen while the larger one is its shadow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sightline.serving.arms import Traffic
from sightline.serving.sequential import share

if TYPE_CHECKING:
    from sightline.serving.predictions import Predictions

LEVELS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99)
_MOST = 200_000  # of the newest answers


@dataclass(frozen=True, slots=True)
class Point:
    """One confidence, and what it would come to."""

    confidence: float
    alone: float  # the share of requests that the small model answers: what need not travel to the large one
    same: float  # of these, the share that the large one answers alike
    low: float  # and where that lies, at every look
    high: float
    count: int


def curve(log: Predictions, model: str, traffic: Traffic, arm: str) -> list[Point]:
    """For each confidence, from the answers of the control and of its shadow `arm` to the same requests."""
    import sqlalchemy

    text = (
        "SELECT c.score, CASE WHEN c.unsure = 1 THEN 1 ELSE 0 END, CASE WHEN c.best = s.best THEN 1 ELSE 0 END "
        "FROM predictions s JOIN predictions c ON c.request = s.request AND c.shadow = 0 AND c.model = s.model "
        "WHERE s.shadow = 1 AND s.model = :model AND s.arm = :arm AND s.experiment = :experiment "
        "AND s.best IS NOT NULL AND c.score IS NOT NULL ORDER BY s.id DESC LIMIT :most"
    )
    values = {"model": model, "arm": arm, "experiment": traffic.experiment, "most": _MOST}
    with log.database.read() as connection:
        rows = connection.execute(sqlalchemy.text(text), values).all()
    return points(*np.array([tuple(row) for row in rows], np.float64).reshape(-1, 3).T)


def points(scores: np.ndarray, unsure: np.ndarray, same: np.ndarray, levels: Sequence[float] = LEVELS) -> list[Point]:
    """For each confidence, from scores of the small model and whether the large one says the same."""
    found = []
    for level in levels:
        alone = (scores >= level) & (unsure == 0)
        count, hits = int(alone.sum()), float(same[alone].sum())
        low, high = share(hits, count)
        found.append(Point(level, count / max(len(scores), 1), hits / count if count else 0.0, low, high, count))
    return found
