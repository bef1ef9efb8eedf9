"""Overfitting, underfitting, still improving, diverging or fine: in words, with the numbers and one thing to try."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sightline.core import catalog
from sightline.core.annotations import Annotation
from sightline.evaluating.diagnosing import Known, diagnose
from sightline.evaluating.page import escape
from sightline.evaluating.page import section as part
from sightline.evaluating.scene import Scene
from sightline.predicting.answers import answers, judged

ORDER = 72
MOST = 384  # samples of the learnt side that are asked


def study(scene: Scene) -> dict[str, Any] | None:
    """How learning went, from the history of the run and from the answers on both sides."""
    if scene.run is None or scene.sides is None or not scene.run.history or not scene.info.get("phases"):
        return None
    known = _known(scene)
    metric = known.metric if known else scene.task.metrics[0]
    found = diagnose(
        scene.run.history,
        metric,
        known.better if known else "higher",
        known=known,
        parameters=int(scene.info.get("parameters", 0)),
        samples=int(scene.info.get("counts", {}).get("train", 0)),
    )
    return None if found.word == "unknown" else found.to_json()


def _known(scene: Scene) -> Known | None:
    """The first metric on samples spread over the learnt side, and on those that were measured."""
    assert scene.sides is not None
    name = scene.task.metrics[0]
    metric = catalog.find("metrics", name)
    held = metric(scene.truths, scene.answers)
    if not held.resample:  # a figure of whole sets, which is another one for sets of another size
        return None
    learnt = scene.sides.side("train")
    some = learnt.take(sorted({row * len(learnt) // MOST for row in range(MOST)})) if len(learnt) > MOST else learnt
    truths: list[Annotation] = []
    given: list[Annotation] = []
    asked = answers(scene.task, scene.passes, some, scene.facts, seed=scene.seed)
    for _, truth, answer, _ in judged(scene.task, asked, scene.facts):
        truths.append(truth)
        given.append(answer)
    if not truths:
        return None
    mine = float(metric(truths, given).value)
    return Known(name, held.better, mine, float(held.value), (len(truths), len(scene.truths)))


def section(found: Mapping[str, Any], scene: Scene) -> str:
    """The word, why, and what to try."""
    body = f"<p><b>{escape(str(found['word']).capitalize())}:</b> {escape(found['line'])}.</p>"
    return part("How learning went", f"{body}<p>{escape(found['advice'])}</p>")
