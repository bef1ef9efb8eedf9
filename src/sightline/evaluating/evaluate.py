"""How good a model is on pictures it has not seen, with intervals, a baseline, and its worst mistakes by name."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from sightline.core import catalog
from sightline.core.annotations import Annotation, Labels, Objects, Value
from sightline.core.calibration import Calibration
from sightline.core.data import open_data
from sightline.core.dataset import Dataset
from sightline.core.decisions import operating_point
from sightline.core.errors import AmbiguousError, RunError
from sightline.core.files import canonical, write_durably
from sightline.core.progress import Event, Tell, silent
from sightline.core.run import Run, open_run
from sightline.core.sample import Sample
from sightline.core.sides import held_out, reopen
from sightline.core.tally import Tally
from sightline.core.task import Facts, Task, posed
from sightline.core.task import Run as Pass
from sightline.core.thresholds import bound, measured
from sightline.evaluating.baseline import floor_of
from sightline.evaluating.calibrating import calibrated
from sightline.evaluating.intervals import interval
from sightline.evaluating.scene import Scene
from sightline.evaluating.studies import all_studies
from sightline.predicting.answers import Noted, answers, judged, noted, torch_run
from sightline.predicting.model import load, trained

LEAST_SECONDS, MOST_SECONDS = 0.6, 60.0  # of a slow study
SHOWN = 24  # ids kept of the worst, and of samples spread over the side


@dataclass(frozen=True)
class Evaluation:
    """Numbers with intervals on one side of the data, and which samples to look at."""

    side: str
    count: int
    figures: tuple[Mapping[str, Any], ...]
    confusion: Mapping[str, Any] | None
    baseline: str | None
    worst: tuple[str, ...]
    typical: tuple[str, ...]
    unreadable: Mapping[str, str]
    thresholds: Mapping[str, Any]
    seconds_each: float
    studies: Mapping[str, Any] = field(default_factory=dict)  # what each study found, by its name

    def to_json(self) -> dict[str, Any]:
        return dict(vars(self))

    @classmethod
    def read(cls, path: Path) -> Evaluation:
        """The evaluation that a run keeps."""
        try:
            plain = json.loads(path.read_bytes())
        except OSError as error:
            raise RunError(f"{path.parent} is not evaluated yet. Run: sightline evaluate {path.parent}") from error
        made: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in plain.items()}
        return cls(**made)


def evaluate(
    what: Any,
    data: Any = None,
    *,
    side: str | None = None,
    format: str | None = None,
    quick: bool = False,
    tell: Tell = silent,
) -> Evaluation:
    """Measure a run or a bundle; a run is measured on what it held out, a bundle on the data named.

    `quick` measures the task's own metrics and asks no study.
    """
    run: Run | None = None
    network: Any = None
    parted: Dataset | None = None
    if _is_run(what):
        run = open_run(what)
        task, facts, network = trained(run)
        passes, seed = torch_run(network), int(run.info["settings"]["seed"])
        parted = reopen(run.info, data, folder=run.path)
        calibration = calibrated(run, task, facts, passes, parted, tell)
        train = posed(task, parted.side("train"), facts)
        side, held = held_out(parted, side)
        thresholds = thresholds_of(task, passes, parted.side("val"), facts, seed, calibration)
    else:
        model = load(what)
        if data is None:
            raise AmbiguousError(f"name the data to measure {what} on.")
        task, facts, passes, seed, calibration = model.task, model.facts, model.run, 0, model.calibration
        held = open_data(data, format=format)
        held = held.side(side) if side else held
        train, side = posed(task, held, facts), side or "all"
        thresholds = dict(model.card["thresholds"])
    start = time.perf_counter()
    kept, truths, plain, given, unreadable = gathered(task, passes, held, facts, seed, calibration, tell)
    took = time.perf_counter() - start
    seconds = took / max(1, len(held))
    if not truths:
        said = f"none of its {len(held)} samples has a truth."
        for name, why in list(unreadable.items())[:1]:
            said = f"{len(unreadable)} of its {len(held)} samples cannot be used, such as {name}: {why}"
        raise AmbiguousError(f"there is nothing to measure on the side '{side}': {said}")
    made = _measured(task, truths, given, kept, floor_of(task, facts, train, kept, truths), thresholds)
    evaluation = Evaluation(side, len(kept), *made, unreadable, thresholds, seconds)
    info = {} if run is None else run.info
    allowed = min(MOST_SECONDS, max(LEAST_SECONDS, took))  # a study may take as long again as the answers took
    scene = Scene(
        task, facts, passes, network, kept, truths, given, parted, seed, run, info, tell, calibration, plain, allowed
    )
    found = {name: module.study(scene) for name, module in ({} if quick else all_studies()).items()}
    evaluation = replace(evaluation, studies={name: said for name, said in found.items() if said is not None})
    if run is not None:
        write_durably(run.evaluation, canonical(finite(evaluation.to_json())))
    return evaluation


def tallies(run: Run, data: Any = None) -> tuple[list[str], dict[str, Tally]]:
    """What a run held out, by id, and a row a sample for each metric: what a paired comparison draws from."""
    task, kept, truths, given = answered(run, reopen(run.info, data, folder=run.path))
    return [sample.id for sample in kept], {name: catalog.find("metrics", name)(truths, given) for name in task.metrics}


def answered(run: Run, parted: Dataset) -> tuple[Task, list[Sample], list[Annotation], list[Annotation]]:
    """The task of a run, what it held out of this data, what is so of that, and its calibrated answers."""
    task, facts, network = trained(run)
    passes, seed = torch_run(network), int(run.info["settings"]["seed"])
    calibration = calibrated(run, task, facts, passes, parted)
    kept, truths, _, given, _ = gathered(task, passes, held_out(parted)[1], facts, seed, calibration, silent)
    return task, kept, truths, given


def gathered(
    task: Task, passes: Pass, held: Dataset, facts: Facts, seed: int, calibration: Calibration, tell: Tell
) -> tuple[list[Sample], list[Annotation], list[Annotation], list[Annotation], dict[str, str]]:
    """Samples with a truth, their truths, their answers before and after calibration, and what could not be read."""
    kept: list[Sample] = []
    truths: list[Annotation] = []
    plain: list[Annotation] = []
    given: list[Annotation] = []
    unreadable: dict[str, str] = {}
    asked = posed(task, held, facts)

    def counted() -> Iterator[Noted]:
        for number, one in enumerate(noted(task, passes, asked, facts, seed=seed), 1):
            tell(Event("progress", "", {"done": number, "total": len(held)}))
            yield one

    for sample, truth, answer, row in judged(task, counted(), facts, unreadable):
        kept.append(sample)
        truths.append(truth)
        plain.append(answer)
        given.append(calibration.apply(answer, row))
    return kept, truths, plain, given, unreadable


def thresholds_of(
    task: Task, passes: Pass, val: Dataset, facts: Facts, seed: int, calibration: Calibration
) -> dict[str, Any]:
    """The score that an object or a name needs, how wide an interval must be: measured on validation pictures alone."""
    if task.several or task.kind is Value:
        _, truths, _, given, _ = gathered(task, passes, val, facts, seed, calibration, silent)
        return measured(truths, given)
    if task.kind is not Objects:
        return {}
    found = answers(task, passes, val, facts, seed=seed, calibration=calibration)
    pairs = [(sample.truth, answer) for sample, answer in found]
    known = [(t, a) for t, a in pairs if isinstance(t, Objects) and isinstance(a, Objects) and t.boxes.shape[1] == 4]
    return {"score": operating_point([t for t, _ in known], [a for _, a in known])}


def _is_run(what: Any) -> bool:
    if isinstance(what, Run):
        return True
    path = Path(str(what))
    return Run(path).exists or (Run(Path("runs") / path).exists and not path.exists())


def _measured(
    task: Task,
    truths: Sequence[Annotation],
    given: Sequence[Annotation],
    samples: Sequence[Sample],
    floor: tuple[str, list[Annotation]] | None,
    thresholds: Mapping[str, Any],
) -> tuple[tuple[Mapping[str, Any], ...], Mapping[str, Any] | None, str | None, tuple[str, ...], tuple[str, ...]]:
    figures = []
    badness: np.ndarray | None = None
    for name in task.metrics:
        plain = catalog.find("metrics", name)
        metric = bound(plain, thresholds)
        tally: Tally = metric(truths, given)
        low = None if floor is None else plain(truths, floor[1]).value
        figures.append({"name": name, **interval(tally).to_json(), "baseline": low})
        found = _badness(tally, metric, truths, given)
        badness = found if found is not None else badness
    order = np.arange(len(samples)) if badness is None else np.argsort(-badness, kind="stable")
    worst = () if badness is None else tuple(samples[int(row)].id for row in order[:SHOWN])
    spread = np.unique(np.linspace(0, len(samples) - 1, SHOWN).round().astype(int))
    typical = tuple(samples[int(row)].id for row in spread)
    mixed = None if task.several else _confusion(truths, given)
    return tuple(figures), mixed, None if floor is None else floor[0], worst, typical


def _badness(tally: Tally, metric: Any, truths: Sequence[Annotation], given: Sequence[Annotation]) -> np.ndarray | None:
    """How bad each sample is by this metric alone; None where a sample alone has no number."""
    if not tally.resample:
        return None
    if tally.groups is None:
        rows = np.array([metric([t], [g]).value for t, g in zip(truths, given, strict=True)])
    elif tally.rows.dtype != object and tally.rows.size == len(tally):
        rows = tally.rows.reshape(-1).astype(np.float64)
    else:
        return None
    rows = rows if tally.better == "lower" else -rows
    return np.where(np.isnan(rows), -np.inf, rows)


def _confusion(truths: Sequence[Annotation], given: Sequence[Annotation]) -> dict[str, Any] | None:
    pairs = [
        (t.best, g.best) for t, g in zip(truths, given, strict=True) if isinstance(t, Labels) and isinstance(g, Labels)
    ]
    if not pairs:
        return None
    names = sorted({name for pair in pairs for name in pair})
    place = {name: index for index, name in enumerate(names)}
    matrix = np.zeros((len(names), len(names)), np.int64)
    for truth, answer in pairs:
        matrix[place[truth], place[answer]] += 1
    return {"names": names, "matrix": matrix.tolist()}


def finite(plain: Any) -> Any:
    """Numbers that JSON cannot hold become null, and paths become text."""
    if isinstance(plain, Path):
        return str(plain)
    if isinstance(plain, float):
        return plain if math.isfinite(plain) else None
    if isinstance(plain, Mapping):
        return {key: finite(value) for key, value in plain.items()}
    if isinstance(plain, (list, tuple)):
        return [finite(value) for value in plain]
    return plain
