"""Drawing strengths: from a range, or from a severity of 1 to 5 and the constants published for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sightline.core.errors import SettingsError

Severity = float | tuple[float, float]


def between(rng: np.random.Generator, reach: Any) -> float:
    """A number of a range, or the number itself."""
    if isinstance(reach, Sequence):
        return float(rng.uniform(reach[0], reach[1]))
    return float(reach)


def level(rng: np.random.Generator, severity: Any) -> float:
    """A severity of 1 to 5, drawn where a pair is given."""
    ends = severity if isinstance(severity, Sequence) else (severity,)
    if not all(1 <= end <= 5 for end in ends):
        raise SettingsError(f"severity = {severity!r}: must be from 1 to 5, or a pair of these.")
    return between(rng, severity)


def constants(severity: float, table: Sequence[Any]) -> Any:
    """The constants of a severity; between two whole ones they are mixed."""
    low = min(int(severity), 4)
    share = severity - low
    if share == 0:
        return table[low - 1]
    if share == 1:
        return table[low]
    mixed = np.asarray(table[low - 1], float) * (1 - share) + np.asarray(table[low], float) * share
    return tuple(mixed.tolist()) if mixed.ndim else float(mixed)
