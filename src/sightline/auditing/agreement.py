"""How far annotators agree beyond chance: Cohen, Fleiss, Krippendorff, overlap of masks, and STAPLE.

Ratings are whole numbers, one row an item and one column an annotator; `NONE` where an annotator said nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sightline.core.chance import generator

NONE = -1
LEVELS = ("nominal", "ordinal", "interval")
WEIGHTS = ("plain", "linear", "quadratic")
DRAWS = 400  # of an interval


@dataclass(frozen=True, slots=True)
class Coefficient:
    """One number of agreement with its interval; 1 is perfect, 0 is chance or nothing in common."""

    name: str
    value: float
    low: float = float("nan")
    high: float = float("nan")

    @property
    def line(self) -> str:
        """The number and its interval."""
        return f"{self.name}: {self.value:.3f}" + (
            f" ({self.low:.3f} to {self.high:.3f}, 95% interval)" if np.isfinite(self.low) else ""
        )


def cohen(first: np.ndarray, second: np.ndarray, *, weights: str = "plain") -> float:
    """Cohen's kappa of two annotators (1960), weighted by the distance of ordered categories where asked (1968)."""
    if weights not in WEIGHTS:
        raise ValueError(f"weights are one of {', '.join(WEIGHTS)}, not {weights!r}")
    both = (first != NONE) & (second != NONE)
    _, codes = np.unique(np.concatenate([first[both], second[both]]), return_inverse=True)
    a, b = np.split(codes.reshape(-1), 2)
    if not len(a):
        return float("nan")
    count = int(codes.max()) + 1
    table = np.bincount(a * count + b, minlength=count * count).reshape(count, count) / len(a)
    place = np.arange(count)
    away = np.abs(place[:, None] - place[None]).astype(float)
    cost = {"plain": (away > 0).astype(float), "linear": away, "quadratic": away**2}[weights]
    expected = float((cost * np.outer(table.sum(1), table.sum(0))).sum())
    return 1 - float((cost * table).sum()) / expected if expected else 1.0


def fleiss(ratings: np.ndarray) -> float:
    """Fleiss' kappa (1971); items with fewer ratings than the others are left out."""
    given = (ratings != NONE).sum(1)
    full = ratings[given == given.max(initial=0)] if len(ratings) else ratings
    raters = int(given.max(initial=0))
    if not len(full) or raters < 2:
        return float("nan")
    _, codes = np.unique(full[full != NONE], return_inverse=True)
    codes = codes.reshape(len(full), raters)
    counts = np.stack([(codes == name).sum(1) for name in range(codes.max() + 1)], 1)
    agreed = float(((counts**2).sum(1) - raters).mean()) / (raters * (raters - 1))
    chance = float(((counts.sum(0) / counts.sum()) ** 2).sum())
    return (agreed - chance) / (1 - chance) if chance < 1 else 1.0


def krippendorff(ratings: np.ndarray, *, level: str = "nominal", values: np.ndarray | None = None) -> float:
    """Krippendorff's alpha (2011) with gaps allowed; `values` are the numbers that ratings stand for."""
    if level not in LEVELS:
        raise ValueError(f"level is one of {', '.join(LEVELS)}, not {level!r}")
    paired = (ratings != NONE).sum(1) >= 2
    kinds, codes = np.unique(ratings[paired][ratings[paired] != NONE], return_inverse=True)
    if len(kinds) == 0:
        return float("nan")
    if len(kinds) == 1:
        return 1.0
    items = np.repeat(np.arange(int(paired.sum())), (ratings[paired] != NONE).sum(1))
    counts = np.zeros((int(paired.sum()), len(kinds)))
    np.add.at(counts, (items, codes.reshape(-1)), 1)
    weighted = counts / (counts.sum(1, keepdims=True) - 1)
    together = weighted.T @ counts - np.diag(weighted.sum(0))  # the coincidences
    totals = together.sum(0)
    cost = _cost(level, kinds if values is None else values[kinds], totals)
    expected = float((cost * (np.outer(totals, totals) - np.diag(totals))).sum()) / (totals.sum() - 1)
    return 1 - float((cost * together).sum()) / expected if expected else 1.0


def _cost(level: str, values: np.ndarray, totals: np.ndarray) -> np.ndarray:
    if level == "nominal":
        return 1.0 - np.eye(len(values))
    if level == "interval":
        return np.asarray((values[:, None] - values[None]).astype(float) ** 2)
    before = np.cumsum(totals) - totals / 2
    return np.asarray((before[:, None] - before[None]) ** 2)


def dice(first: np.ndarray, second: np.ndarray) -> float:
    """Twice the shared pixels over all marked ones; two empty masks agree."""
    marked = int(first.sum()) + int(second.sum())
    return 2 * int((first & second).sum()) / marked if marked else 1.0


def overlap(first: np.ndarray, second: np.ndarray) -> float:
    """Shared over united pixels; two empty masks agree."""
    united = int((first | second).sum())
    return int((first & second).sum()) / united if united else 1.0


@dataclass(frozen=True, eq=False)
class Staple:
    """The hidden truth behind several masks, and how well each annotator drew it."""

    probability: np.ndarray  # of each pixel
    sensitivity: np.ndarray  # of each annotator
    specificity: np.ndarray

    @property
    def mask(self) -> np.ndarray:
        """Pixels that are more probably inside than not."""
        return np.asarray(self.probability >= 0.5)


def staple(masks: np.ndarray, *, rounds: int = 100, close: float = 1e-7) -> Staple:
    """Simultaneous truth and performance level estimation (Warfield, Zou and Wells 2004) by expectation maximisation.

    Pixels that all annotators mark alike are counted by pattern, so that a large picture costs little.
    """
    raters = len(masks)
    flat = masks.reshape(raters, -1).astype(np.int64)
    patterns, which, counts = np.unique(
        (flat << np.arange(raters)[:, None]).sum(0), return_inverse=True, return_counts=True
    )
    said = (patterns[:, None] >> np.arange(raters)[None]) & 1 > 0  # (patterns, raters)
    prior = float((said.mean(1) * counts).sum() / counts.sum())
    sensitivity, specificity = np.full(raters, 0.99), np.full(raters, 0.99)
    inside = np.full(len(patterns), prior)
    for _ in range(rounds):
        likely = prior * np.where(said, sensitivity, 1 - sensitivity).prod(1)
        unlikely = (1 - prior) * np.where(said, 1 - specificity, specificity).prod(1)
        new = likely / np.maximum(likely + unlikely, 1e-300)
        weight, rest = new * counts, (1 - new) * counts
        sensitivity = (said * weight[:, None]).sum(0) / max(weight.sum(), 1e-12)
        specificity = (~said * rest[:, None]).sum(0) / max(rest.sum(), 1e-12)
        prior = float(weight.sum() / counts.sum())  # a careless annotator must not decide how much there is
        done = np.abs(new - inside).max() < close
        inside = new
        if done:
            break
    return Staple(inside[which.reshape(-1)].reshape(masks.shape[1:]), sensitivity, specificity)


def interval(
    rows: int, statistic: Callable[[np.ndarray], float], *, level: float = 0.95, draws: int = 400
) -> tuple[float, float]:
    """The range of a statistic over resampled items: what another set of items of this kind would give."""
    rng = generator(0, "agreement", rows)
    found = np.array([statistic(rng.integers(0, rows, rows)) for _ in range(draws)]) if rows > 1 else np.zeros(0)
    found = found[np.isfinite(found)]
    if len(found) < draws / 2:
        return float("nan"), float("nan")
    low, high = np.quantile(found, ((1 - level) / 2, (1 + level) / 2))
    return float(low), float(high)
