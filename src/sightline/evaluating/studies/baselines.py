"""Whether the model is worth having: against the commonest answer, the nearest picture and a straight line."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sightline.core import catalog
from sightline.core.annotations import Annotation, Labels
from sightline.core.chance import generator
from sightline.core.sample import Sample
from sightline.core.tally import Tally
from sightline.evaluating.chart import readable, spoken
from sightline.evaluating.comparing import compare
from sightline.evaluating.intervals import interval
from sightline.evaluating.page import section as part
from sightline.evaluating.page import table
from sightline.evaluating.scene import Scene
from sightline.evaluating.simple import Fitted, as_records, line, nearest, small_pictures, targets

ORDER = 10
LEARNT, ASKED = 2000, 1000  # pictures at most
FEWEST = 10  # of each
_VERDICTS = {"first": "model is better", "second": "baseline is better", "cannot tell": "cannot tell"}


def study(scene: Scene) -> dict[str, Any] | None:
    """Each baseline on the held-out samples, paired with the model's answers there."""
    if scene.sides is None:
        return None
    train = scene.sides.side("train")
    learnt = _some(train, LEARNT, scene.seed)
    names = scene.facts.names
    if scene.task.truth not in (None, scene.task.kind):
        return None  # it answers with another record than the truth, and these rivals cannot
    wanted = targets([sample.truth for sample in learnt], names)
    if len(learnt) < FEWEST or len(scene.samples) < FEWEST or wanted is None or not wanted.shape[1]:
        return None
    rows = sorted(generator(scene.seed, "asked").permutation(len(scene.samples))[:ASKED].tolist())
    start = time.perf_counter()
    small, known = small_pictures(learnt)
    others, seen = small_pictures([scene.samples[row] for row in rows])
    took = time.perf_counter() - start
    kept = [row for row, usable in zip(rows, seen, strict=True) if usable]
    if known.sum() < FEWEST or len(kept) < FEWEST:
        return None
    truths, answers = [scene.truths[row] for row in kept], [scene.answers[row] for row in kept]
    metric = catalog.find("metrics", scene.task.metrics[0])
    mine: Tally = metric(truths, answers)
    if not mine.resample:
        return None
    ways: dict[str, Any] = {_commonest(wanted, names, truths[0]): _constant, "nearest pictures": nearest}
    if len(np.unique(wanted, axis=0)) > 1:
        ways["straight line"] = line
    told = []
    for name, fit in ways.items():
        start = time.perf_counter()
        fitted: Fitted = fit(small[known], wanted[known])
        given: list[Annotation] = as_records(fitted(others[seen]), truths[0], names)
        theirs: Tally = metric(truths, given)
        told.append(_row(name, mine, theirs, took + time.perf_counter() - start))
    reach = interval(mine).to_json()
    model = {key: reach[key] for key in ("value", "low", "high")}
    found = {"metric": scene.task.metrics[0], "better": mine.better, "count": len(kept), "learnt": int(known.sum())}
    return {**found, "model": model, "rows": told, "line": _line(scene.task.metrics[0], told, mine)}


def _some(train: Sequence[Sample], most: int, seed: int) -> list[Sample]:
    rows = generator(seed, "learnt").permutation(len(train))[:most]
    return [sample for row in sorted(rows.tolist()) if (sample := train[row]).truth is not None]


def _constant(small: np.ndarray, wanted: np.ndarray) -> Fitted:
    return lambda others: np.repeat(wanted.mean(0, keepdims=True), len(others), 0)


def _commonest(wanted: np.ndarray, names: Sequence[str], like: Annotation) -> str:
    return f"always {names[int(wanted.mean(0).argmax())]}" if isinstance(like, Labels) else "always the mean"


def _row(name: str, mine: Tally, theirs: Tally, seconds: float) -> dict[str, Any]:
    reach, apart = interval(theirs).to_json(), compare(mine, theirs).to_json()
    return {
        "name": name,
        **{key: reach[key] for key in ("value", "low", "high")},
        "difference": apart["difference"],
        "difference_low": apart["low"],
        "difference_high": apart["high"],
        "verdict": apart["verdict"],
        "seconds": round(seconds, 2),
    }


def _line(metric: str, rows: Sequence[Mapping[str, Any]], mine: Tally) -> str:
    known = [row for row in rows if row["value"] is not None]
    if not known:
        return "no baseline has a number"
    sign = 1 if mine.better == "higher" else -1
    best = max(known, key=lambda row: sign * row["value"])
    beaten = all(row["verdict"] == "first" for row in known)
    said = f"the best baseline, {best['name']}, reaches {spoken(metric)} {readable(best['value'])}"
    if beaten:
        return f"{said}; the model is clearly better than every baseline"
    if best["verdict"] == "second":
        return f"{said}, which is better than the model: do not use the model"
    return f"{said}; the model is not clearly better than that"


def doubted(found: Mapping[str, Any]) -> list[str]:
    """Baselines that do as well."""
    same = [row["name"] for row in found["rows"] if row["value"] is not None and row["verdict"] != "first"]
    return [f"Where something cheaper would do: not clearly better than {' and '.join(same)}."] if same else []


def section(found: Mapping[str, Any], scene: Scene) -> str:
    """A row a baseline, with the paired difference."""
    model = found["model"]
    heads = (spoken(found["metric"]), "Value", "95 % interval", "Model minus it", "Verdict", "Seconds")
    rows = [("this model", readable(model["value"]), _reach(model["low"], model["high"]), "", "", "")]
    rows += [
        (
            row["name"],
            readable(row["value"]),
            _reach(row["low"], row["high"]),
            f"{readable(row['difference'])} ({_reach(row['difference_low'], row['difference_high'])})",
            _VERDICTS[row["verdict"]],
            f"{row['seconds']:.1f}",
        )
        for row in found["rows"]
    ]
    text = found["line"]
    lead = f"{text[:1].upper()}{text[1:]}. Learnt from {found['learnt']:,} small pictures, asked about the same "
    lead += f"{found['count']:,} as the model; differences are paired."
    return part("Is it worth having", table(heads, rows, numbers=(1, 2, 3, 5), caption="Baselines"), lead)


def _reach(low: Any, high: Any) -> str:
    return f"{readable(low)} to {readable(high)}"
