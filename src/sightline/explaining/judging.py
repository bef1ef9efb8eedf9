"""Which methods may be shown for a model: checked once when it is measured, and kept with the run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sightline.core import catalog
from sightline.core.annotations import Annotation
from sightline.core.dataset import Dataset
from sightline.core.errors import SettingsError
from sightline.core.files import digest
from sightline.core.sample import Sample
from sightline.core.task import Facts, Task
from sightline.evaluating.baseline import floor_of
from sightline.evaluating.comparing import compare
from sightline.explaining.check import Verdict, check, withheld
from sightline.explaining.methods import usable
from sightline.explaining.subject import Subject, readable

PICTURES = 16  # that a method is checked on
QUICK = 2  # methods that are checked in any case; others only while none of them passes


def seal(network: Any) -> str:
    """Which weights a verdict is about."""
    whole = [f"{name} {tuple(value.shape)}".encode() + value.numpy().tobytes() for name, value in _state(network)]
    return digest(b"".join(digest(part).encode() for part in whole))


def knows_nothing(
    task: Task,
    facts: Facts,
    train: Dataset,
    samples: Sequence[Sample],
    truths: Sequence[Annotation],
    answers: Sequence[Annotation],
) -> str:
    """Why there is nothing to explain, or nothing: the model does not clearly beat its baseline."""
    floor = floor_of(task, facts, train, samples)
    if floor is None or not samples:
        return ""
    metric = catalog.find("metrics", task.metrics[0])
    mine, theirs = metric(truths, answers), metric(truths, floor[1])
    if compare(mine, theirs).verdict == "first":
        return ""
    name = task.metrics[0].replace("_", " ")
    return (
        f"the model is not clearly better than its baseline ({name} {mine.value:.3g} against {theirs.value:.3g} for "
        f"'{floor[0]}' on {len(samples)} pictures), so it has no reasons to show"
    )


def judge(subject: Subject, samples: Sequence[Sample], *, reason: str = "", names: Sequence[str] = ()) -> list[Verdict]:
    """A verdict a method: the quick ones, and slower ones until one passes; or those named."""
    wanted = list(names) or list(usable(subject))
    if reason:
        return [withheld(name, reason) for name in (wanted if names else wanted[:QUICK])]
    view = subject.look(readable(samples, PICTURES))
    shuffled = subject.randomised() if subject.network is not None else None
    found: list[Verdict] = []
    for place, name in enumerate(wanted):
        if not names and place >= QUICK and any(verdict.shown for verdict in found):
            break
        try:
            found.append(check(name, view, shuffled=shuffled))
        except SettingsError as error:
            found.append(withheld(name, error.message.rstrip(".")))
    return found


def kept(studies: Mapping[str, Any], weights: str) -> dict[str, Verdict]:
    """The verdicts that a run keeps, where they are about these weights."""
    stored = studies.get("explanations") or {}
    if stored.get("weights") != weights:
        return {}
    return {row["method"]: Verdict.from_json(row) for row in stored["verdicts"]}


def _state(network: Any) -> list[tuple[str, Any]]:
    return sorted(network.state_dict().items())
