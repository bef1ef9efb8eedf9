"""The factor of the learning rate at a progress of 0..1; `history` holds the scores so far, higher better."""

from __future__ import annotations

import math
from collections.abc import Sequence


def constant(progress: float, history: Sequence[float]) -> float:
    """Never changes."""
    return 1.0


def cosine(progress: float, history: Sequence[float], *, last: float = 0.01) -> float:
    """Half a wave down to `last` (Loshchilov and Hutter 2017)."""
    return last + (1 - last) * (1 + math.cos(math.pi * min(1.0, progress))) / 2


def linear(progress: float, history: Sequence[float], *, last: float = 0.01) -> float:
    """Straight down to `last`."""
    return 1 - (1 - last) * min(1.0, progress)


def steps(
    progress: float, history: Sequence[float], *, at: Sequence[float] = (0.5, 0.75), factor: float = 0.1
) -> float:
    """Times `factor` at each of these parts of the run."""
    return float(factor ** sum(progress >= place for place in at))


def one_cycle(progress: float, history: Sequence[float], *, peak: float = 0.3, first: float = 0.04) -> float:
    """Up to the peak, then down to almost nothing (Smith and Topin 2018)."""
    if progress < peak:
        return first + (1 - first) * (1 - math.cos(math.pi * progress / peak)) / 2
    down = min(1.0, (progress - peak) / (1 - peak))
    return 1e-4 + (1 - 1e-4) * (1 + math.cos(math.pi * down)) / 2


def triangle(
    progress: float, history: Sequence[float], *, peak: float = 0.2, first: float = 0.2, last: float = 0.01
) -> float:
    """Straight up to the peak, then straight down: what short runs like best (Page 2018)."""
    if progress < peak:
        return first + (1 - first) * progress / peak
    return 1 - (1 - last) * min(1.0, (progress - peak) / (1 - peak))


def plateau(progress: float, history: Sequence[float], *, factor: float = 0.3, patience: int = 3) -> float:
    """Times `factor` whenever `patience` validations in a row brought nothing better."""
    best, waited, drops = -math.inf, 0, 0
    for score in history:
        if score > best:
            best, waited = score, 0
        else:
            waited += 1
            if waited >= patience:
                drops, waited = drops + 1, 0
    return float(factor**drops)
