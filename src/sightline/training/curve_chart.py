"""The learning curve as a picture: what was measured, the law through it, and how far it can be believed."""

from __future__ import annotations

from typing import Any

import numpy as np

from sightline.evaluating.chart import HUES, INK, Chart, spoken
from sightline.training.curve import Curve


def curve_chart(found: Curve) -> Chart:
    """Sizes by their logarithm; points with intervals, the law as a line, what it foretells with a band."""
    counts = np.array([point["count"] for point in found.points], float)
    ahead = np.array([row["count"] for row in found.ahead], float)

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        across = np.geomspace(counts[0], ahead[-1], 120)
        axes.plot(across, found.value_at(across), color=HUES[0], lw=1.4, label="law")
        low, high = ([row[end] for row in found.ahead] for end in ("low", "high"))
        last = found.points[-1]
        where = np.concatenate([counts[-1:], ahead])
        axes.fill_between(where, [last["low"], *low], [last["high"], *high], color=HUES[0], alpha=0.15, lw=0)
        for point in found.points:
            axes.plot([point["count"]] * 2, [point["low"], point["high"]], color=INK, lw=1)
        axes.plot(counts, [point["value"] for point in found.points], "o", ms=5, color=INK, label="measured")
        axes.set_xscale("log")
        axes.xaxis.get_major_locator().set_params(subs=(1, 2, 5))
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.xaxis.set_minor_formatter("")
        axes.set_xlabel("samples to learn from")
        axes.set_title(spoken(found.metric), loc="left", fontsize=9.5, fontweight="bold")
        axes.grid(axis="y", color=INK, alpha=0.12, lw=0.6)
        axes.legend(frameon=False, fontsize=8)

    return Chart(found.line, (5.4, 3.4), draw)
