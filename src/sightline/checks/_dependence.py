"""How much one column tells of another: Cramér's V, what chance gives, and how well a number lets guess a name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sightline.core.chance import generator

DRAWS = 500


def codes(values: Sequence[str]) -> tuple[np.ndarray, list[str]]:
    """Whole numbers for values, and what they stand for."""
    kinds, numbers = np.unique(np.asarray(values, dtype=object).astype(str), return_inverse=True)
    return numbers.reshape(-1), kinds.tolist()


def binned(values: Sequence[Any], bins: int = 5) -> list[str]:
    """Values as words; numbers of more than a dozen kinds become fifths."""
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    if len(numbers) < len(values) or len(set(numbers)) <= 12:
        return [str(value) for value in values]
    edges = np.unique(np.quantile(numbers, np.linspace(0, 1, bins + 1)))
    place = np.clip(np.searchsorted(edges, numbers, "right") - 1, 0, len(edges) - 2)
    return [f"{edges[at]:.4g} to {edges[at + 1]:.4g}" for at in place]


def table(rows: np.ndarray, columns: np.ndarray, high: int, wide: int) -> np.ndarray:
    """How often each pair occurs."""
    return np.bincount(rows * wide + columns, minlength=high * wide).reshape(high, wide)


def cramer(counts: np.ndarray) -> float:
    """Cramér's V without the bias of small tables (Bergsma 2013): 0 independent, 1 one tells the other."""
    total = counts.sum()
    high, wide = counts.shape
    squared = max(0.0, _chi_squared(counts) / total - (high - 1) * (wide - 1) / (total - 1))
    least = min(high - (high - 1) ** 2 / (total - 1), wide - (wide - 1) ** 2 / (total - 1)) - 1
    return float(min(1.0, (squared / least) ** 0.5)) if least > 0 else 0.0


def by_chance(rows: np.ndarray, columns: np.ndarray, counts: np.ndarray, rng: np.random.Generator) -> float:
    """How probable a tie as strong is when the two are shuffled against each other.

    Where no shuffle comes near, the tail of the chi-squared distribution says how far beyond it lies.
    """
    from scipy.special import chdtrc

    found = _chi_squared(counts)
    draws = max(20, min(DRAWS, 20_000_000 // len(rows)))
    as_strong = sum(
        _chi_squared(table(rows, rng.permutation(columns), *counts.shape)) >= found - 1e-9 for _ in range(draws)
    )
    tail = float(chdtrc((counts.shape[0] - 1) * (counts.shape[1] - 1), found)) if not as_strong else 1.0
    return min(tail, (1 + as_strong) / (1 + draws))


def strongest(counts: np.ndarray) -> tuple[int, int, float]:
    """The value and the name that go together most beyond chance, and the share of that name with that value."""
    expected = counts.sum(1, keepdims=True) * counts.sum(0, keepdims=True) / counts.sum()
    value, name = np.unravel_index(int(np.argmax((counts - expected) / np.sqrt(expected))), counts.shape)
    return int(value), int(name), float(counts[value, name] / counts[:, name].sum())


def guessed(numbers: np.ndarray, labels: np.ndarray, names: int, bins: int = 10) -> float:
    """The share of wrong guesses that knowing the number mends: bins from one half, judged on the other."""
    known = np.isfinite(numbers)
    numbers, labels = numbers[known], labels[known]
    if len(numbers) < 2 * bins or numbers.min() == numbers.max():
        return 0.0
    learnt = generator(0, "halves", len(numbers)).permutation(len(numbers)) % 2 == 0
    edges = np.unique(np.quantile(numbers[learnt], np.linspace(0, 1, bins + 1)[1:-1]))
    places = np.searchsorted(edges, numbers, "right")
    counts = table(places[learnt], labels[learnt], len(edges) + 1, names)
    best = np.bincount(labels[learnt], minlength=names).argmax()
    answer = np.where(counts.sum(1) > 0, counts.argmax(1), best)
    right = float((answer[places[~learnt]] == labels[~learnt]).mean())
    floor = float((labels[~learnt] == best).mean())
    return (right - floor) / (1 - floor) if floor < 1 else 0.0


def _chi_squared(counts: np.ndarray) -> float:
    expected = counts.sum(1, keepdims=True) * counts.sum(0, keepdims=True) / counts.sum()
    return float(((counts - expected) ** 2 / np.maximum(expected, 1e-12)).sum())
