"""Whether scores mean what they say, how well sets of names keep their word, and what refusing the unsure would buy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sightline.core import catalog
from sightline.core.chance import generator
from sightline.core.decisions import Decision, judge
from sightline.core.tally import SHARE, Tally, mean
from sightline.evaluating.chart import HUES, INK, Chart, readable, spoken
from sightline.evaluating.intervals import interval
from sightline.evaluating.page import bullets, table
from sightline.evaluating.page import section as part
from sightline.evaluating.scene import Scene
from sightline.evaluating.studies._drawn import frame, in_page, named, reach, thin

ORDER = 20
TOO_GOOD = "Measured on the pictures that it was calibrated on, so these numbers are too good."
FLAGGED = 0.03  # of a calibration error: beyond it, scores are said not to hold
MEASURES = ("ece", "ece_adaptive", "brier", "log_loss")
_BINS = 15


def study(scene: Scene) -> dict[str, Any] | None:
    """Plain numbers, before and after calibration; None for records without a choice of names."""
    seen = named(scene.truths, scene.answers)
    if seen is None:
        return None
    names, true, scores = seen
    best, right = scores.max(1), scores.argmax(1) == true
    made = scene.calibration
    found: dict[str, Any] = {
        "measures": [_measure(name, scene) for name in MEASURES],
        "bins": _bins(best, right),
        "by_chance": _by_chance(best, scene.seed),
        "coverage": _coverage(best, right),
        "scale": list(made.mending.scale),
        "shifted": bool(made.mending.shift),
        "notes": [*made.notes, *_doubts(scene)],
    }
    error = found["measures"][0]["after"]
    found["flagged"] = error["value"] is None or error["value"] > FLAGGED
    if made.sets is not None and made.names == names:
        found["sets"] = [_set(made.sets.names(scores, level), true, level) for level in made.sets.levels]
        found["usual"] = made.sets.usual
    decisions = [judge(answer, made) for answer in scene.answers]
    found["decisions"] = _decided([one for one in decisions if one is not None], right)
    return found


def _doubts(scene: Scene) -> list[str]:
    """What would make these numbers too good."""
    held = () if scene.sides is None else scene.sides.side("val").column("id")
    same = not {sample.id for sample in scene.samples}.isdisjoint(held)
    return [TOO_GOOD] if same else []


def _measure(name: str, scene: Scene) -> dict[str, Any]:
    metric = catalog.find("metrics", name)
    before, after = (interval(metric(scene.truths, given)).to_json() for given in (scene.plain, scene.answers))
    kept = ("value", "low", "high")
    return {"name": name, "before": {k: before[k] for k in kept}, "after": {k: after[k] for k in kept}}


def _bins(best: np.ndarray, right: np.ndarray) -> list[dict[str, Any]]:
    """Equal bins of the best score: how many, their mean score, the share right and where it may lie."""
    place = (np.ceil(best * _BINS) - 1).clip(0, _BINS - 1).astype(int)
    rows = []
    for number in range(_BINS):
        mine = place == number
        if mine.any():
            share = _share(right[mine])
            rows.append({"score": round(float(best[mine].mean()), 5), "count": int(mine.sum()), **share})
    return rows


def _by_chance(best: np.ndarray, seed: int, draws: int = 200) -> float:
    """The calibration error that scores which are exact stay below in 95 of 100 draws of as many pictures."""
    rng = generator(seed, "by chance")
    place = (np.ceil(best * _BINS) - 1).clip(0, _BINS - 1).astype(int)
    gaps = [np.bincount(place, best - (rng.random(len(best)) < best), minlength=_BINS) for _ in range(draws)]
    return float(np.quantile([np.abs(gap).sum() / len(best) for gap in gaps], 0.95))


def _share(hits: np.ndarray) -> dict[str, Any]:
    """A share with its interval."""
    shown = interval(Tally(hits.astype(np.float64)[:, None], mean, "higher", limits=SHARE)).to_json()
    return {"value": shown["value"], "low": shown["low"], "high": shown["high"]}


def _coverage(best: np.ndarray, right: np.ndarray) -> list[list[float]]:
    """Share of pictures answered, share wrong among them, and the score from which on they are answered."""
    order = np.argsort(-best, kind="stable")
    answered = np.arange(1, len(best) + 1)
    wrong = np.cumsum(~right[order]) / answered
    last = np.append(best[order][1:] < best[order][:-1], True)
    return thin((answered / len(best))[last], wrong[last], best[order][last])


def _set(inside: np.ndarray, true: np.ndarray, level: float) -> dict[str, Any]:
    """How often sets of a level hold the truth, and how large they are."""
    held = inside[np.arange(len(true)), true]
    sizes = inside.sum(1)
    each = [float(held[true == name].mean()) for name in np.unique(true)]
    return {
        "level": level,
        **_share(held),
        "size": float(sizes.mean()),
        "one": float((sizes == 1).mean()),
        "least_name": min(each),
    }


def _decided(decisions: Sequence[Decision], right: np.ndarray) -> dict[str, Any]:
    """What was sure, what was not, and how often each was right."""
    unsure = np.array([one.unsure for one in decisions], bool)
    odd = np.array([(one.outlier or 0.0) > 1 for one in decisions], bool)
    parts = {"sure": ~unsure, "unsure": unsure, "unlike": odd}
    known = {
        name: {"count": int(some.sum()), **(_share(right[some]) if some.any() else {})} for name, some in parts.items()
    }
    return {**known, "measured": any(one.outlier is not None for one in decisions)}


def section(found: Mapping[str, Any], scene: Scene) -> str:
    """Its part of the report."""
    rows = [
        (spoken(row["name"]), readable(row["before"]["value"]), readable(row["after"]["value"]), reach(row["after"]))
        for row in found["measures"]
    ]
    heads = ("Lower is better", "As trained", "Calibrated", "95 % interval")
    measures = table(heads, rows, numbers=(1, 2, 3), caption="Errors of the scores")
    error = found["measures"][0]["after"]["value"]
    lead = f"Best score and share right are {readable(error)} apart on average (expected calibration error). "
    if not found["flagged"]:
        lead += "A score of .8 is right in about 80 %."
    elif _few(found):
        lead += f"Exact scores reach up to {readable(found['by_chance'])} on so few pictures, so it cannot be told."
    else:
        lead += "That is too much to read scores as chances."
    charts = f'<div class="halves">{in_page(reliability(found["bins"]))}{in_page(refusing(found["coverage"]))}</div>'
    notes = bullets(found["notes"]) if found["notes"] else ""
    return part("Whether scores can be trusted", f"{charts}{measures}{notes}", lead) + _sets(found)


def trusted(found: Mapping[str, Any]) -> list[str]:
    """How often what it is sure of is right."""
    sure, unsure = found["decisions"]["sure"], found["decisions"]["unsure"]
    if not sure["count"] or TOO_GOOD in found["notes"]:
        return []
    share = sure["count"] / (sure["count"] + unsure["count"])
    return [f"What it is sure of, {share:.0%} of the pictures: {sure['value']:.0%} of that is right ({reach(sure)})."]


def doubted(found: Mapping[str, Any]) -> list[str]:
    """Scores that are no chances, and what it says itself that it does not know."""
    few = "so few pictures do not show whether they hold" if _few(found) else "they are not as right as they say"
    lines = [f"Reading its scores as chances: {few}."] if found["flagged"] else []
    unsure = found["decisions"]["unsure"]
    if unsure["count"]:
        lines.append(
            f"Deciding alone where it says that it does not know: only {unsure['value']:.0%} of that is right."
        )
    return lines


def _few(found: Mapping[str, Any]) -> bool:
    """Whether scores that are exact could be as far off on as many pictures."""
    error = found["measures"][0]["after"]["value"] if found.get("measures") else None
    return error is not None and bool(error <= found["by_chance"])


def _sets(found: Mapping[str, Any]) -> str:
    """The part about sets of names and I don't know."""
    decided = found["decisions"]
    said = {"sure": "sure", "unsure": "I don't know", "unlike": "of these, unlike what it learnt from"}
    rows = []
    for name, words in said.items():
        row = decided[name]
        if name == "unlike" and not decided["measured"]:
            continue
        rows.append((words, f"{row['count']:,}", readable(row.get("value")), reach(row)))
    body = table(
        ("Answer", "Pictures", "Best name right", "95 % interval"), rows, numbers=(1, 2, 3), caption="Decisions"
    )
    lead = "Where more than one name may be right, or a picture is unlike all that it learnt from, it does not know."
    if found.get("sets"):
        sets = [
            (
                f"{row['level']:.0%}",
                readable(row["value"]),
                reach(row),
                f"{row['size']:.2f}",
                f"{row['one']:.0%}",
                readable(row["least_name"]),
            )
            for row in found["sets"]
        ]
        heads = ("Promised", "Sets that hold the truth", "95 % interval", "Names a set", "One name", "Worst name")
        body += table(heads, sets, numbers=(1, 2, 3, 4, 5), caption="Sets of names")
        lead += f" Sets promised to hold the true name in {found['usual']:.0%} of pictures are used."
    return part("What it does not know", body, lead)


def reliability(bins: Sequence[Mapping[str, Any]]) -> Chart:
    """Score against share right, with the number of pictures behind it."""

    def draw(figure: Any) -> None:
        above, axes = figure.subplots(2, 1, height_ratios=(1, 3.2), sharex=True)
        scores = [row["score"] for row in bins]
        above.bar(scores, [row["count"] for row in bins], width=0.045, color=HUES[5], alpha=0.6)
        above.set_title("Score against share right", loc="left", fontsize=9.5, fontweight="bold", pad=8)
        above.spines["left"].set_visible(False)
        above.tick_params(axis="both", length=0, labelbottom=False)
        above.set_ylabel("pictures", alpha=0.7)
        frame(axes, "", "best score", "share right")
        axes.plot([0, 1], [0, 1], color=INK, alpha=0.5, lw=1, ls=(0, (3, 3)))
        axes.vlines(
            scores, [row["low"] for row in bins], [row["high"] for row in bins], color=HUES[0], alpha=0.35, lw=5
        )
        axes.plot(scores, [row["value"] for row in bins], "o-", color=HUES[0], ms=4, lw=1.2)

    told = "; ".join(f"score {row['score']:.2f}, right {row['value']:.2f}" for row in bins)
    return Chart(f"Score against share right: {told}.", (4.6, 3.4), draw)


def refusing(points: Sequence[Sequence[float]]) -> Chart:
    """Share wrong among the pictures that are answered, by how many are answered."""
    answered, wrong = ([row[column] for row in points] for column in (0, 1))

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        frame(axes, "What refusing the unsure would buy", "share of pictures answered", "share wrong among them")
        axes.plot(answered, wrong, color=HUES[1], lw=2)
        axes.fill_between(answered, wrong, color=HUES[1], alpha=0.12, lw=0)
        axes.set_ylim(0, max(0.02, 1.15 * max(wrong, default=0)))

    half = next((row[1] for row in points if row[0] >= 0.8), float("nan"))
    return Chart(f"Share wrong among answered pictures: {readable(half)} where 80 % are answered.", (4.6, 3.4), draw)
