"""How checks of pixels speak: how many, whether that is unusual here, and the worst of them as examples."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sightline.core.dataset import Dataset
from sightline.core.finding import EXAMPLES, Finding, count_of
from sightline.core.measures import Measures

COMMON = 0.2  # share from which a trait is how these pictures are, and no fault of some
FEW = 8  # pictures below which nothing is unusual


def far_above(column: np.ndarray, spreads: float, least: float) -> np.ndarray:
    """Values that lie `spreads` robust deviations above the middle of the others, and above `least`."""
    if np.isfinite(column).sum() < FEW:
        return np.zeros(len(column), bool)
    middle = np.nanmedian(column)
    spread = 1.4826 * np.nanmedian(np.abs(column - middle))
    return np.asarray(column > np.maximum(least, middle + spreads * spread))


def tell(
    check: str,
    data: Dataset,
    found: tuple[Measures, np.ndarray],
    score: np.ndarray,
    says: Callable[[str], str],
    do: str,
    detail: Callable[[int], str],
    *,
    severity: str = "warn",
    harm: float = 0.3,
) -> list[Finding]:
    """One finding about the pictures that are marked, those with the largest score first."""
    measures, marked = found
    count = int(marked.sum())
    if not count:
        return []
    share = count / len(measures)
    common = share > COMMON and len(measures) >= FEW
    looked = "" if measures.whole else f" of {len(measures):,} looked at"
    text = says(f"{count_of(count, 'picture')}{looked}")
    if common:
        text += f" ({share:.0%}); if they are all made like that, nothing is wrong"
    places = np.flatnonzero(marked)
    places = places[np.argsort(-np.nan_to_num(score[places], posinf=1e30), kind="stable")][:EXAMPLES]
    ids = tuple(data[int(measures.rows[place])].id for place in places)
    details = tuple(detail(int(place)) for place in places)
    return [Finding(check, "note" if common else severity, text, ids, count, do, details, harm=harm * share)]
