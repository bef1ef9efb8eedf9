"""What studies of names share: rows of numbers from records, charts in a page, numbers in words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sightline.core.annotations import Annotation, Labels
from sightline.core.errors import MissingExtraError
from sightline.evaluating.chart import INK, Chart, number, readable, tame
from sightline.evaluating.page import escape

POINTS = 100  # of one curve, at most


def named(truths: Sequence[Annotation], answers: Sequence[Annotation]) -> tuple[tuple[str, ...], Any, Any] | None:
    """Names, (n,) numbers of the true ones and (n, names) of scores; None where it is no choice of one among names."""
    pairs = [(t, a) for t, a in zip(truths, answers, strict=True) if isinstance(t, Labels) and isinstance(a, Labels)]
    if not pairs or len(pairs) < len(truths):
        return None
    names = pairs[0][1].names
    place = {name: number for number, name in enumerate(names)}
    for truth, answer in pairs:
        if answer.names != names or answer.scores is None or truth.best not in place:
            return None
        if truth.scores is None and len(truth.names) != 1:
            return None
    scores = np.array([answer.scores for _, answer in pairs], np.float64)
    if len(names) < 2 or not np.isfinite(scores).all() or np.abs(scores.sum(1) - 1).max() > 1e-2:
        return None
    return names, np.array([place[truth.best] for truth, _ in pairs], np.int64), scores


def thin(*columns: np.ndarray, most: int = POINTS) -> list[list[float]]:
    """A curve as a few rows of short numbers: its ends, and points evenly along its length."""
    table = np.stack(columns, 1).astype(np.float64)
    if len(table) > most:
        along = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(table[:, :2], axis=0)).sum(1))])
        places = np.searchsorted(along, np.linspace(0, along[-1], most)).clip(0, len(table) - 1)
        table = table[np.unique(places)]
    return [[round(float(value), 5) for value in row] for row in table]


def in_page(chart: Chart) -> str:
    """The chart, or what it would have said where the library that draws is missing."""
    try:
        return f'<div class="chart">{chart.svg()}</div>'
    except MissingExtraError as error:
        return f'<p class="lead">{escape(chart.says)} (Not drawn: {escape(error.message)})</p>'


def frame(axes: Any, title: str, across: str, up: str) -> None:
    """Axes from 0 to 1 with a title and names, as all charts of the page look."""
    axes.set_title(tame(title, 48), loc="left", fontsize=9.5, fontweight="bold", pad=8)
    axes.grid(color=INK, alpha=0.12, lw=0.6)
    axes.set_axisbelow(True)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.02))
    axes.set_xlabel(across, alpha=0.7)
    axes.set_ylabel(up, alpha=0.7)


def reach(row: Mapping[str, Any]) -> str:
    """An interval in words."""
    if not math.isfinite(number(row.get("low"))) or not math.isfinite(number(row.get("high"))):
        return "–"
    return f"{readable(row['low'])} to {readable(row['high'])}"
