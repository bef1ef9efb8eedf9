"""ROC and precision-recall curves of each name against all others, and what is found where few are called wrongly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sightline.core.annotations import Labels
from sightline.core.catalog import find
from sightline.evaluating.chart import HUES, INK, Chart, readable, tame
from sightline.evaluating.intervals import interval
from sightline.evaluating.page import section as part
from sightline.evaluating.page import table
from sightline.evaluating.scene import Scene
from sightline.evaluating.studies._drawn import frame, in_page, named, reach, thin

ORDER = 30
MOST = 6  # curves in one chart: the names that are told apart worst
SPECIFICITIES = (0.8, 0.9, 0.95, 0.99)


def study(scene: Scene) -> dict[str, Any] | None:
    """The curves of a few names, thinned, with areas and sensitivities; None for other records."""
    seen = named(scene.truths, scene.answers)
    if seen is None:
        return None
    names, true, scores = seen
    counts = np.bincount(true, minlength=len(names))
    able = [name for name in range(len(names)) if 0 < counts[name] < len(true)]
    if len(names) == 2:
        able = [name for name in able if names[name] == max(names)]  # of two, the second: one curve says all
    lines = {name: _curves(true == name, scores[:, name]) for name in able}
    worst = sorted(lines, key=lambda name: lines[name].area)[:MOST]
    return {"names": [_line(names[name], lines[name], true == name, scores[:, name]) for name in worst]}


@dataclass(frozen=True)
class _Curves:
    """From the highest score down: the share of others called, the share found, the share right of those called."""

    area: float
    false: np.ndarray
    found: np.ndarray
    precise: np.ndarray


def _curves(true: np.ndarray, scores: np.ndarray) -> _Curves:
    order = np.argsort(-scores, kind="stable")
    last = np.append(np.diff(scores[order]) != 0, True)
    hits = np.cumsum(true[order])[last]
    called = np.flatnonzero(last) + 1
    found = np.concatenate([[0.0], hits / hits[-1]])
    false = np.concatenate([[0.0], (called - hits) / max(1, called[-1] - hits[-1])])
    precise = np.concatenate([[1.0], hits / called])
    area = float(np.sum(np.diff(false) * (found[1:] + found[:-1])) / 2)
    return _Curves(area, false, found, precise)


def _line(name: str, drawn: _Curves, true: np.ndarray, scores: np.ndarray) -> dict[str, Any]:
    """One name: its curves and its numbers, with intervals as those of two names."""
    truths = [Labels(("this" if each else "other",)) for each in true]
    given = [Labels(("other", "this"), np.array([-score, score])) for score in scores]
    shown = {short: _interval(find("metrics", metric), truths, given) for short, metric in _AREAS.items()}
    at = []
    for level in SPECIFICITIES:
        tally = find("metrics", "sensitivity_at_specificity")(truths, given, specificity=level)
        at.append({"specificity": level, **_kept(interval(tally).to_json())})
    return {
        "name": name,
        "count": int(true.sum()),
        **shown,
        "at": at,
        "roc": thin(drawn.false, drawn.found),
        "pr": thin(drawn.found, drawn.precise),
    }


_AREAS = {"roc_auc": "roc_auc", "average_precision": "precision_recall_auc"}


def _interval(metric: Any, truths: Sequence[Labels], given: Sequence[Labels]) -> dict[str, Any]:
    return _kept(interval(metric(truths, given)).to_json())


def _kept(shown: Mapping[str, Any]) -> dict[str, Any]:
    return {name: shown[name] for name in ("value", "low", "high")}


def section(found: Mapping[str, Any], scene: Scene) -> str:
    """Its part of the report."""
    lines = found["names"]
    if not lines:
        return ""
    rows = [
        (
            tame(line["name"], 60),
            f"{line['count']:,}",
            readable(line["roc_auc"]["value"]),
            reach(line["roc_auc"]),
            *(readable(row["value"]) for row in line["at"]),
        )
        for line in lines
    ]
    heads = ("Name", "Pictures", "ROC AUC", "95 % interval", *(f"Found at {level:.0%}" for level in SPECIFICITIES))
    body = f'<div class="halves">{in_page(roc_chart(lines))}{in_page(pr_chart(lines))}</div>'
    body += table(heads, rows, numbers=tuple(range(1, len(heads))), caption="Areas, and the share found")
    lead = "Each name against all others. Found at 90 %: the share of it found where 90 % of the others are left alone."
    if len(scene.facts.names) > len(lines) > 1:
        lead += f" The {len(lines)} names that are told apart worst are shown."
    return part("How well names are told apart", body, lead)


def roc_chart(lines: Sequence[Mapping[str, Any]]) -> Chart:
    """Share found against share of others called wrongly."""

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        frame(axes, "ROC", "share of others called (1 - specificity)", "share found (sensitivity)")
        axes.plot([0, 1], [0, 1], color=INK, alpha=0.4, lw=1, ls=(0, (3, 3)))
        for place, line in enumerate(lines):
            across, up = zip(*line["roc"], strict=True)
            axes.plot(across, up, color=HUES[place % len(HUES)], lw=1.6, label=tame(line["name"], 18))
        axes.legend(frameon=False, fontsize=8, loc="lower right")

    told = "; ".join(f"{tame(line['name'])} area {readable(line['roc_auc']['value'])}" for line in lines)
    return Chart(f"ROC: {told}.", (4.6, 3.6), draw)


def pr_chart(lines: Sequence[Mapping[str, Any]]) -> Chart:
    """Precision against share found."""

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        frame(axes, "Precision and recall", "share found (recall)", "share right of those called (precision)")
        for place, line in enumerate(lines):
            across, up = zip(*line["pr"], strict=True)
            axes.plot(across, up, color=HUES[place % len(HUES)], lw=1.6, label=tame(line["name"], 18))
        axes.legend(frameon=False, fontsize=8, loc="lower left")

    told = "; ".join(f"{tame(line['name'])} {readable(line['average_precision']['value'])}" for line in lines)
    return Chart(f"Average precision: {told}.", (4.6, 3.6), draw)
