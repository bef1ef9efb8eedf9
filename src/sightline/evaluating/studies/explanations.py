"""Where answers come from, shown only where the explanations pass their checks; which pictures they are like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from sightline.core.annotations import Annotation, Labels
from sightline.core.errors import MissingExtraError, SettingsError
from sightline.core.sample import Sample
from sightline.evaluating.page import bullets, escape, table
from sightline.evaluating.page import section as part
from sightline.evaluating.scene import Scene
from sightline.explaining.check import SAYS, Verdict, pointing, share
from sightline.explaining.explain import Explanation, reasons
from sightline.explaining.judging import judge, knows_nothing, seal
from sightline.explaining.methods import maps, method
from sightline.explaining.neighbours import Bank, Near, bank
from sightline.explaining.page import NOT_SAID, gallery, typical_row
from sightline.explaining.placing import back
from sightline.explaining.subject import Subject, readable

ORDER = 60
TITLE = "Where the answers come from"
EACH = 3  # pictures of each sort
LEARNT = 500  # pictures of the training side that are looked at
POINTED = 60  # pictures that the pointing game is played on
SORTS = {"worst": "a mistake", "doubtful": "doubtful", "typical": "typical"}


def study(scene: Scene) -> dict[str, Any] | None:
    """Verdicts of the checks; where one passed, which pictures the report explains and what they are like."""
    if scene.task.kind is not Labels or scene.network is None or not scene.samples or scene.sides is None:
        return None
    train = scene.sides.side("train")
    subject = Subject(scene.task, scene.facts, scene.passes, scene.network)
    reason = knows_nothing(scene.task, scene.facts, train, scene.samples, scene.truths, scene.answers)
    try:
        verdicts = judge(subject, scene.samples, reason=reason)
    except (SettingsError, MissingExtraError) as error:
        return {"weights": seal(scene.network), "verdicts": [], "unable": error.message}
    found: dict[str, Any] = {"weights": seal(scene.network), "verdicts": [verdict.to_json() for verdict in verdicts]}
    shown = next((verdict.method for verdict in verdicts if verdict.shown), None)
    if shown is None:
        return found
    picked = _picked(scene.samples, scene.truths, scene.answers)
    known = bank(subject, train, most=LEARNT)
    rows = [(sort, sample) for sort, part in picked.items() for sample in part]
    told = reasons(subject, [sample for _, sample in rows], shown, known=known)
    found["pictures"] = [
        {"id": each.sample.id, "sort": sort, "near": [_plain(near) for near in each.near]}
        for (sort, _), each in zip(rows, told, strict=True)
    ]
    found["prototypes"] = {name: _plain(near[0]) for name, near in _typical(known)}
    found["pointing"] = _pointing(subject, scene.samples, shown)
    return found


def doubted(found: Mapping[str, Any]) -> list[str]:
    """Withheld explanations."""
    shown = any(Verdict.from_json(row).shown for row in found["verdicts"])
    return [] if shown else ["Asking it why: no explanation of its answers passed its checks."]


def section(found: Mapping[str, Any], scene: Scene) -> str:
    """The maps of a method that passed, the checks of all that were tried, and what is typical of each name."""
    verdicts = [Verdict.from_json(row) for row in found["verdicts"]]
    shown = next((verdict for verdict in verdicts if verdict.shown), None)
    if shown is None:
        lead = "Explanations are withheld: those at hand would mislead."
        body = _checks(verdicts) if verdicts else bullets([found.get("unable", "no method suits the network")])
        return part(TITLE, body, lead)
    assert scene.sides is not None
    subject = Subject(scene.task, scene.facts, scene.passes, scene.network)
    told, heads = _again(found, scene, subject, shown.method)
    train = scene.sides.side("train")
    typical = {name: Near(row["id"], tuple(row["names"]), row["distance"]) for name, row in found["prototypes"].items()}
    body = gallery(told, train, heads) + _checks(verdicts) + _pointed(found.get("pointing"))
    chosen = method(shown.method)
    lead = f"{chosen.title}: {chosen.says}. {NOT_SAID} Beside each map stand the pictures it learnt from that are most "
    lead += "alike by the features the answer is built on; where their names differ, doubt the answer or the labels."
    return part(TITLE, body, lead) + part(
        "What it holds to be typical", typical_row(typical, train), "For each name the picture nearest to their mean."
    )


def _again(found: Mapping[str, Any], scene: Scene, subject: Subject, name: str) -> tuple[list[Explanation], list[str]]:
    """The explanations that the study chose, drawn anew: maps are not kept, they are quick to make."""
    assert scene.sides is not None
    place = {identity: row for row, identity in enumerate(scene.sides.column("id"))}
    rows = [row for row in found["pictures"] if row["id"] in place]
    told = reasons(subject, [scene.sides[place[row["id"]]] for row in rows], name) if rows else []
    near = {row["id"]: tuple(Near(n["id"], tuple(n["names"]), n["distance"]) for n in row["near"]) for row in rows}
    sorts = {row["id"]: SORTS[row["sort"]] for row in rows}
    return [replace(each, near=near[each.sample.id]) for each in told], [sorts[each.sample.id] for each in told]


def _checks(verdicts: Sequence[Verdict]) -> str:
    """What was measured of each method."""
    rows = [
        (
            method(each.method).title,
            "shown" if each.shown else "withheld",
            *(each.numbers.get(s, "–") for s in SAYS.values()),
        )
        for each in verdicts
    ]
    drawn = table(("Method", "Verdict", *SAYS.values()), rows, numbers=(2, 3, 4), caption="Checks of the explanations")
    return drawn + bullets([each.line for each in verdicts if not each.shown])


def _pointed(found: Mapping[str, float] | None) -> str:
    if found is None:
        return ""
    said = (
        f"Where the thing is known to be ({found['count']:.0f} pictures), the brightest place of the map lies on it in "
    )
    said += f"{found['value']:.0%} of them (95 % interval {found['low']:.0%} to {found['high']:.0%}); a place drawn by "
    return f"<p>{escape(said + 'chance would in ' + format(found['chance'], '.0%'))}.</p>"


def _picked(
    samples: Sequence[Sample], truths: Sequence[Annotation], answers: Sequence[Annotation]
) -> dict[str, list[Sample]]:
    """The surest mistakes, the least sure answers, and some spread over the rest; no picture twice."""
    wrong, sure = [], []
    for truth, answer in zip(truths, answers, strict=True):
        assert isinstance(truth, Labels)
        assert isinstance(answer, Labels)
        wrong.append(answer.best != truth.best)
        sure.append(answer.score(answer.best))
    certain, mistaken = np.array(sure), np.array(wrong)
    worst = [int(row) for row in np.argsort(-certain, kind="stable") if mistaken[row]][:EACH]
    doubtful = [int(row) for row in np.argsort(certain, kind="stable") if row not in worst][:EACH]
    rest = [row for row in range(len(samples)) if not mistaken[row] and row not in doubtful]
    spread = np.unique(np.linspace(0, len(rest) - 1, EACH).round().astype(int)) if rest else np.zeros(0, int)
    typical = [rest[int(place)] for place in spread]
    rows = {"worst": worst, "doubtful": doubtful, "typical": typical}
    return {sort: [samples[row] for row in part] for sort, part in rows.items()}


def _typical(known: Bank, most: int = 12) -> list[tuple[str, list[Near]]]:
    return list(known.prototypes().items())[:most]


def _plain(near: Near) -> dict[str, Any]:
    return {"id": near.id, "names": list(near.names), "distance": near.distance}


def _pointing(subject: Subject, samples: Sequence[Sample], name: str) -> dict[str, float] | None:
    """How often the map's brightest place lies on the thing, on pictures that know where it is; drawn ones do."""
    known: list[Sample] = []
    masks: list[np.ndarray] = []
    for sample in readable(samples, POINTED):
        shows: Any = getattr(sample.image, "shows", None)
        mask = None if shows is None else shows(getattr(sample.truth, "best", ""))
        if mask is not None and mask.any():
            known.append(sample)
            masks.append(mask)
    if len(known) < EACH:
        return None
    view = subject.look(known)
    hits = pointing(back(maps(name, view), view.frames), masks)
    chance = float(np.mean([mask.mean() for mask in masks]))
    return {**share(hits), "count": float(len(hits)), "chance": chance}
