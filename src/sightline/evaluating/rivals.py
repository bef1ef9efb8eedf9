"""Runs, rules, and people who labelled the same pictures, against each other: which is better, or cannot be told."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sightline.core import catalog
from sightline.core.annotations import Annotation
from sightline.core.data import open_data
from sightline.core.dataset import Dataset
from sightline.core.errors import RunError
from sightline.core.run import Run, open_run
from sightline.core.sample import Sample
from sightline.core.sides import held_out, reopen
from sightline.core.tally import Tally
from sightline.core.task import Task
from sightline.evaluating.comparing import Comparison, compare
from sightline.evaluating.evaluate import tallies


@dataclass(frozen=True, slots=True)
class Rivalry:
    """One metric of two rivals over the samples that both answered, and their paired difference."""

    first: float
    second: float
    difference: Comparison

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; what is not a finite number is null."""
        values = {"first": self.first, "second": self.second}
        return {k: v if math.isfinite(v) else None for k, v in values.items()} | self.difference.to_json()


def rivals(first: Any, second: Any, *, data: Any = None, split_by: Run | None = None) -> dict[str, Rivalry]:
    """A paired comparison for each metric; a rival is a run, a chain of rules, or a data set in which a person labelled
    the same pictures.

    Rules and people are asked about what the run `split_by` held out, and measured against the truth there.
    """
    sides = [one if is_chain(one) or is_data(one) else open_run(one) for one in (first, second)]
    runs = [one for one in sides if isinstance(one, Run)]
    judge = runs[0] if runs else split_by
    if judge is None:
        raise RunError("one of the rivals must be a run, whose held-out pictures all are compared on.")
    for name in ("task", "split"):
        if len(runs) == 2 and runs[0].info[name] != runs[1].info[name]:
            both = f"{runs[0].path} and {runs[1].path}"
            raise RunError(f"{both} differ in their {name}, so they cannot be compared sample by sample.")
    (ids, mine), (others, theirs) = (
        tallies(one, data) if isinstance(one, Run) else (_of_rules if is_chain(one) else _of_person)(one, judge, data)
        for one in sides
    )
    shared = sorted(set(ids) & set(others))
    if not shared:
        raise RunError(f"{named([first])[0]} and {named([second])[0]} answered none of the same pictures.")
    known = [dict(zip(some, range(len(some)), strict=True)) for some in (ids, others)]
    rows = [np.array([place[name] for name in shared], np.int64) for place in known]
    pairs = {name: (mine[name].take(rows[0]), theirs[name].take(rows[1])) for name in mine}
    return {name: Rivalry(one.value, other.value, compare(one, other)) for name, (one, other) in pairs.items()}


def named(rated: Sequence[Any]) -> list[str]:
    """What each rival is called, no two alike."""
    names = [
        one.path.name
        if isinstance(one, Run)
        else str(one)
        if is_chain(one)
        else getattr(one, "name", None) or Path(str(one)).name
        for one in rated
    ]
    return [f"{name} {place}" if names.count(name) > 1 else name for place, name in enumerate(names, 1)]


def is_chain(what: Any) -> bool:
    """Whether a rival is a chain of rules, as a value or as text."""
    from sightline.applying.chain import is_chain as known  # which is asked for only where something is compared

    return known(what)


def is_data(what: Any, folder: Path = Path("runs")) -> bool:
    """Whether a rival is a data set, rather than a run or the name of one."""
    if isinstance(what, Dataset | Run):
        return isinstance(what, Dataset)
    path = Path(str(what))
    return not Run(path).exists and not Run(folder / path).exists and (path.exists() or ":" in str(what))


def _of_rules(what: Any, judge: Run, data: Any) -> tuple[list[str], dict[str, Tally]]:
    """What a chain answers about the pictures that the run held out."""
    from sightline.applying.judging import answers_of

    task: Task = catalog.find("tasks", judge.info["task"]).TASK
    ids, truths, given = answers_of(what, held_out(reopen(judge.info, data, folder=judge.path))[1])
    return ids, {name: catalog.find("metrics", name)(truths, given) for name in task.metrics}


def _of_person(what: Any, judge: Run, data: Any) -> tuple[list[str], dict[str, Tally]]:
    """A person's labels as answers to the pictures that the run held out, found by what the pictures hold."""
    task: Task = catalog.find("tasks", judge.info["task"]).TASK
    held = held_out(reopen(judge.info, data, folder=judge.path))[1]
    said = {_key(sample): sample.truth for sample in open_data(what) if sample.truth is not None}
    truths: list[Annotation] = []
    given: list[Annotation] = []
    ids = []
    for sample in held:
        answer = said.get(_key(sample))
        if answer is not None and sample.truth is not None:
            ids.append(sample.id)
            truths.append(sample.truth)
            given.append(answer)
    if not ids:
        raise RunError(f"{named([what])[0]} labels none of the {len(held)} pictures that {judge.path} held out.")
    return ids, {name: catalog.find("metrics", name)(truths, given) for name in task.metrics}


def _key(sample: Sample) -> str:
    return sample.images[0].fingerprint() if sample.images else sample.id
