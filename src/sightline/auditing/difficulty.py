"""How hard the labels of a data set are to tell: what is easy, what is hard, and whether there is enough of both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sightline.auditing.suspects import Suspects
from sightline.core.dataset import Dataset

BINS = 20
EASY, HARD = 0.1, 0.5  # probability that the label is another one: below, above
SHOWN = 8  # samples named of each


@dataclass(frozen=True, slots=True)
class Difficulty:
    """A histogram of difficulty, 0 to 1, and samples from both ends."""

    counts: tuple[int, ...]
    easy: tuple[str, ...]  # the easiest
    hard: tuple[str, ...]  # the hardest that are still more probably right than wrong
    shares: tuple[float, float, float]  # easy, between, hard

    @property
    def line(self) -> str:
        """In one line for people, with what it means."""
        easy, between, hard = self.shares
        said = f"difficulty: {easy:.0%} easy, {between:.0%} between, {hard:.0%} hard for a quick classifier"
        if easy > 0.95:
            return f"{said}; almost all is easy, so collect cases at the border between names"
        if hard > 0.5:
            return f"{said}; most is hard, so look at the labels, the sharpness and size of pictures, and the guideline"
        return f"{said}; a mix of easy and hard"

    def to_json(self) -> dict[str, Any]:
        names = ("counts", "easy", "hard", "shares")
        return {name: list(getattr(self, name)) for name in names} | {"line": self.line}


def spread(data: Dataset, found: Suspects) -> Difficulty | None:
    """What the judge of labels thinks of each sample, gathered; None where it knows too little to say."""
    if not found.able:
        return None
    known = np.flatnonzero(np.isfinite(found.difficulty))
    values = found.difficulty[known]
    counts, _ = np.histogram(values, BINS, (0, 1))
    order = known[np.argsort(values, kind="stable")]
    believed = order[found.difficulty[order] <= HARD]
    ids = data.column("id")
    easy, hard = float((values < EASY).mean()), float((values > HARD).mean())
    return Difficulty(
        tuple(counts.tolist()),
        tuple(ids[row] for row in order[:SHOWN]),
        tuple(ids[row] for row in believed[::-1][:SHOWN]),
        (easy, 1 - easy - hard, hard),
    )
