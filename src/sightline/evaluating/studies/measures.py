"""Every other metric that compares these records, and each name by itself."""

from __future__ import annotations

import importlib
import math
from collections.abc import Mapping
from typing import Any, get_args, get_type_hints

import numpy as np

from sightline.core import catalog
from sightline.core.annotations import Labels
from sightline.core.errors import InputError
from sightline.core.tally import SHARE, Tally, mean
from sightline.evaluating.chart import readable, spoken, tame
from sightline.evaluating.intervals import interval
from sightline.evaluating.page import section as part
from sightline.evaluating.page import table
from sightline.evaluating.scene import Scene
from sightline.evaluating.studies._drawn import reach

ORDER = 14
LEVEL = 0.8  # of a name found, or right where it is said, below which it is not to be relied on
SEEN = 5  # pictures of a name that say so
MOST = 100  # names that get a row, those found worst first
_FEW = 5  # names, up to which the five best always hold the true one


def study(scene: Scene) -> dict[str, Any] | None:
    """What the task itself does not ask; None where there is nothing more to say."""
    rows = [row for name in catalog.names("metrics") if (row := _measured(name, scene)) is not None]
    names = _each(scene)
    if not rows and not names:
        return None
    return {"figures": rows, "names": names}


def _measured(name: str, scene: Scene) -> dict[str, Any] | None:
    if name in scene.task.metrics or (name == "top_5_accuracy" and len(scene.facts.names) <= _FEW):
        return None
    metric = catalog.find("metrics", name)
    if scene.task.kind is Labels and _of(metric) not in _suits(scene):
        return None
    hints = get_type_hints(metric)
    records = (get_args(hints["truths"])[0], get_args(hints["predictions"])[0])
    if records != (scene.task.truth or scene.task.kind, scene.task.kind):
        return None
    try:
        tally = metric(scene.truths, scene.answers)
    except InputError:  # such a metric asks for one name a picture, or for many
        return None
    return None if math.isnan(tally.value) else {"name": name, **interval(tally).to_json()}


def _of(metric: Any) -> str:
    """Of which labels a metric is: one name a picture, unless its module says otherwise."""
    return str(getattr(importlib.import_module(metric.__module__), "OF", "single"))


def _suits(scene: Scene) -> set[str]:
    """Of which labels this task is, by its own metrics: of names in order those of single names say something too."""
    if scene.task.several:
        return {"several"}
    return {"single", *(_of(catalog.find("metrics", name)) for name in scene.task.metrics)}


def _each(scene: Scene) -> list[dict[str, Any]]:
    """Precision, recall and F1 of each name, where every sample has one."""
    pairs = list(zip(scene.truths, scene.answers, strict=True))
    if not pairs or any(not isinstance(t, Labels) or not isinstance(a, Labels) for t, a in pairs):
        return []
    known = [(t, a) for t, a in pairs if isinstance(t, Labels) and isinstance(a, Labels)]
    if any(t.scores is None and len(t.names) != 1 for t, _ in known):
        return []
    true, given = np.array([t.best for t, _ in known]), np.array([a.best for _, a in known])
    rows = []
    for name in sorted({*true.tolist(), *given.tolist()}):
        mine, called = true == name, given == name
        both = np.stack([mine, called], 1).astype(np.float64)
        row = {"name": name, "count": int(mine.sum()), "precision": _share((mine & called)[called])}
        rows.append(
            row | {"recall": _share((mine & called)[mine]), "f1": _kept(Tally(both, _f1, "higher", limits=SHARE))}
        )
    rows.sort(key=lambda row: -1.0 if row["f1"]["value"] is None else row["f1"]["value"])
    return rows[:MOST]


def _f1(rows: np.ndarray) -> float:
    total = float(rows.sum())
    return 2 * float((rows[:, 0] * rows[:, 1]).sum()) / total if total else math.nan


def _share(hits: np.ndarray) -> dict[str, Any]:
    return _kept(Tally(hits.astype(np.float64)[:, None], mean, "higher", limits=SHARE))


def _kept(tally: Tally) -> dict[str, Any]:
    shown = interval(tally).to_json()
    return {name: shown[name] for name in ("value", "low", "high")}


def doubted(found: Mapping[str, Any]) -> list[str]:
    """Names that are missed, or said wrongly, too often."""
    weak = []
    for row in found["names"]:
        shares = {"found": row["recall"]["value"], "right where it is said": row["precision"]["value"]}
        low = {words: share for words, share in shares.items() if share is not None and share < LEVEL}
        if low and row["count"] >= SEEN:
            weak.append(
                f"{tame(row['name'], 40)} ({', '.join(f'{share:.0%} {words}' for words, share in low.items())})"
            )
    more = f" and {len(weak) - 6} more" if len(weak) > 6 else ""
    line = f"Names found, or said rightly, in less than {LEVEL:.0%} of cases: {', '.join(weak[:6])}{more}."
    return [line] if weak else []


def section(found: Mapping[str, Any], scene: Scene) -> str:
    """Its part of the report."""
    made = ""
    if found["names"]:
        keys = ("precision", "recall", "f1")
        rows = [
            (
                tame(row["name"], 60),
                f"{row['count']:,}",
                *(word for key in keys for word in (readable(row[key]["value"]), reach(row[key]))),
            )
            for row in found["names"]
        ]
        heads = ("Name", "Pictures", "Precision", "95 % interval", "Recall", "95 % interval", "F1", "95 % interval")
        body = table(heads, rows, numbers=tuple(range(1, 8)), caption="Each name by itself")
        lead = "Precision: share right of those called so. Recall: share found of those that are so. Worst first."
        made += part("Each name", body, lead)
    if found["figures"]:
        lines = [(spoken(row["name"]), readable(row["value"]), reach(row), row["better"]) for row in found["figures"]]
        body = table(("Metric", "Value", "95 % interval", "Better is"), lines, numbers=(1, 2), caption="Other metrics")
        made += part("Other numbers", body)
    return made
