"""How far apart two annotators drew borders, and whether they differ at borders only or about whole things."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from sightline.auditing.agreement import DRAWS, Coefficient, interval

NEAR = 2.0  # pixels from a border within which two careful hands may differ


@dataclass(frozen=True, slots=True)
class Borders:
    """Two drawings of one thing: distances in pixels, and where the pixels lie that only one of them marked."""

    mean: float  # from each border to the other, both ways; NaN where one of them is empty
    far: float  # 95 % of the border is nearer than this (the robust Hausdorff distance)
    differing: int  # pixels
    near: int  # of these, how many lie within `NEAR` of both borders


def borders(first: np.ndarray, second: np.ndarray) -> Borders:
    """Compare two masks of one size; the edge of the picture is no border."""
    from scipy.ndimage import distance_transform_edt

    first, second = first.astype(bool), second.astype(bool)
    differ = first ^ second
    edges = _border(first), _border(second)
    if not (edges[0].any() and edges[1].any()):
        return Borders(float("nan"), float("nan"), int(differ.sum()), 0)
    to_first, to_second = (np.asarray(distance_transform_edt(~edge)) for edge in edges)
    apart = np.concatenate([to_second[edges[0]], to_first[edges[1]]])
    near = int((np.maximum(to_first, to_second)[differ] <= NEAR).sum())
    return Borders(float(apart.mean()), float(np.quantile(apart, 0.95)), int(differ.sum()), near)


def coefficients_of(found: Sequence[Sequence[Borders]]) -> tuple[Coefficient, ...]:
    """How far borders lie apart, with intervals over pictures; nothing where no border was drawn twice."""
    called = (
        "border distance in pixels, mean",
        "border distance in pixels, 95 % nearer",
        f"share of differing pixels within {NEAR:.0f} of both borders",
    )
    values = _together([one for several in found for one in several])
    if not np.isfinite(values[0]):
        return ()

    def drawn(rows: np.ndarray, place: int) -> float:
        return _together([one for row in rows for one in found[row]])[place]

    return tuple(
        Coefficient(name, value, *interval(len(found), partial(drawn, place=place), draws=DRAWS))
        for place, (name, value) in enumerate(zip(called, values, strict=True))
        if np.isfinite(value)
    )


def _together(found: Sequence[Borders]) -> tuple[float, float, float]:
    """Mean distance, mean of the far ones, and the share of all differing pixels that lie at a border."""
    known = [one for one in found if np.isfinite(one.mean)]
    differing = sum(one.differing for one in found)
    at_border = sum(one.near for one in found) / differing if differing else float("nan")
    if not known:
        return float("nan"), float("nan"), at_border
    return float(np.mean([one.mean for one in known])), float(np.mean([one.far for one in known])), at_border


def _border(mask: np.ndarray) -> np.ndarray:
    """The marked pixels that touch one that is not."""
    from scipy.ndimage import binary_erosion

    return np.asarray(mask & ~binary_erosion(mask, border_value=1))
