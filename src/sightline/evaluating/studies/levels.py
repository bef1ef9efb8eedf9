"""Names in names, level by level: how often the leaf is right, the name above it, and the one above that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sightline.core.annotations import Annotation, Labels
from sightline.core.hierarchy import Tree, at_level, depth_of, path, under
from sightline.core.tally import SHARE, Tally, mean
from sightline.evaluating.chart import readable
from sightline.evaluating.intervals import interval
from sightline.evaluating.page import section as part
from sightline.evaluating.page import table
from sightline.evaluating.scene import Scene
from sightline.predicting.answers import answers

ORDER = 35

Pair = tuple[Labels, Labels]


def study(scene: Scene) -> dict[str, Any] | None:
    """Accuracy at every level, the deepest first; pictures named by a parent alone count from its level on."""
    told = scene.facts.extra.get("above", {})
    if not issubclass(scene.task.kind, Labels) or not Tree.of(scene.facts.names, told).parents:
        return None
    whole, partial = _pairs(scene.truths, scene.answers), _vague(scene)
    depth = depth_of(scene.facts.names, told)
    levels = [_level(level, [*whole, *partial], told) for level in range(depth, 0, -1)]
    agree = [
        all(under(given.best, at_level(given, level, told).best, told) for level in range(1, depth))
        for _, given in whole
    ]
    return {
        "levels": [level for level in levels if level is not None],
        "agree": float(np.mean(agree)) if agree else None,
        "partial": len(partial),
    }


def section(found: Mapping[str, Any], scene: Scene) -> str:
    """A row a level."""
    rows = [
        (
            f"{row['depth']}" + (" (as answered)" if place == 0 else ""),
            readable(row["value"]),
            f"{readable(row['low'])} to {readable(row['high'])}",
            f"{row['names']:,}",
            f"{row['count']:,}",
        )
        for place, row in enumerate(found["levels"])
    ]
    heads = ("Level", "Accuracy", "95 % interval", "Names", "Samples")
    lead = "A name above others scores what they score together, so levels never contradict each other in their sums."
    if found["agree"] is not None:
        lead += f" The best name lies under the best name above it for {found['agree']:.0%} of the samples."
    if found["partial"]:
        lead += f" {found['partial']:,} samples are named by a name above others alone; they count from its level on."
    return part("Names in names", table(heads, rows, numbers=(1, 2, 3, 4), caption="Accuracy by level"), lead)


def _pairs(truths: Sequence[Annotation], given: Sequence[Annotation]) -> list[Pair]:
    pairs = zip(truths, given, strict=True)
    return [(truth, one) for truth, one in pairs if isinstance(truth, Labels) and isinstance(one, Labels)]


def _vague(scene: Scene) -> list[Pair]:
    """Samples of the same side whose leaf nobody knows, answered now."""
    if scene.sides is None or not scene.samples:
        return []
    side = scene.sides.side(str(scene.samples[0].split))
    leaves, told = scene.facts.names, scene.facts.extra.get("above", {})
    unknown = [
        row
        for row, names in enumerate(side.column("names"))
        if len(names) == 1 and names[0] not in leaves and any(under(leaf, names[0], told) for leaf in leaves)
    ]
    found = answers(scene.task, scene.passes, side.take(unknown), scene.facts, seed=scene.seed)
    kept = [(sample.truth, answer) for sample, answer in found]
    return [(truth, answer) for truth, answer in kept if isinstance(truth, Labels) and isinstance(answer, Labels)]


def _level(depth: int, pairs: Sequence[Pair], told: Mapping[str, str]) -> dict[str, Any] | None:
    """Accuracy in names of at most `depth` parts, over the samples whose truth is known that far."""
    rows: list[float] = []
    names: set[str] = set()
    for truth, given in pairs:
        shown = at_level(given, depth, told)
        wanted = path(truth.best, told)[:depth][-1]
        if wanted in shown.names:  # else the truth stops above this level
            rows.append(float(shown.best == wanted))
            names.update(shown.names)
    if not rows or len(names) < 2:  # one name above all is always right
        return None
    shown_interval = interval(Tally(np.array(rows)[:, None], mean, "higher", limits=SHARE))
    kept = {key: value for key, value in shown_interval.to_json().items() if key in ("value", "low", "high", "count")}
    return {"depth": depth, "names": len(names), **kept}
