"""The cheap learners measured on folds of the data, and in words which to take and whether a network is worth it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sightline.core import catalog
from sightline.core.annotations import Annotation, Labels
from sightline.core.chance import generator, seed_from
from sightline.core.data import open_data
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError, SettingsError
from sightline.core.extras import need
from sightline.core.inputs import Frame
from sightline.core.known import remember
from sightline.core.progress import Event, Tell, silent
from sightline.core.sample import Sample
from sightline.core.splitting import folds as parted
from sightline.core.tally import Tally
from sightline.core.task import Arrays, Facts, Task
from sightline.evaluating.baseline import baseline
from sightline.evaluating.comparing import compare
from sightline.evaluating.intervals import interval
from sightline.predicting.answers import torch_run
from sightline.training.advice import Advice, Rung, words
from sightline.training.train import infer

LEARNERS = ("naive_bayes", "knn", "logistic", "svm", "forest", "ridge")  # the quickest to learn first
FOLDS = 3


@dataclass(frozen=True)
class _Shown:
    """All pictures once, as a model takes them."""

    facts: Facts
    arrays: Arrays
    classes: np.ndarray
    milliseconds: float


def advise(
    data: Any,
    task: str | None = None,
    *,
    seconds: float = 120.0,
    most: int = 1500,
    latency: float | None = None,
    models: Sequence[str] = LEARNERS,
    format: str | None = None,
    seed: int = 0,
    tell: Tell = silent,
) -> Advice:
    """Measure cheap learners by 3-fold cross-validation on at most `most` pictures, within about `seconds`.

    `latency` sets aside what takes more milliseconds a picture. Pictures of the side `test` are not looked at.
    """
    if not seconds >= 0:
        raise SettingsError(f"--seconds {seconds:g}: must be 0 or more; the first learner is always measured.")
    for word, given in {"--most": most, "--latency": latency}.items():
        if given is not None and not given > 0:
            raise SettingsError(f"{word} {given:g}: must be more than 0.")
    need("torch")
    need("sklearn")
    for model in models:
        catalog.find("models", model)
    start = time.perf_counter()
    samples = remember(open_data(data, format=format))
    name = infer(samples, task, tell)
    wired: Task = catalog.find("tasks", name).TASK
    if wired.kind is not Labels or len(samples.names) < 2:
        raise SettingsError(f"{name} of {len(samples.names)} names: cheap learners are compared on two names or more.")
    some = _readable(_some(samples, most, seed))
    fold = _folds(some, seed)
    floor = _floor(wired, some, fold)
    shown: dict[bool, _Shown] = {}
    found: list[tuple[Rung, Tally]] = []
    left: list[str] = []
    for model in models:
        if found and time.perf_counter() - start > seconds:
            left.append(model)
            continue
        rung, tally = _measured(wired, model, some, fold, shown, seed)
        found.append((rung, tally))
        tell(Event("note", f"{model}: {wired.metrics[0]} {rung.value:.3f} in {rung.fit_seconds:.1f} s"))
    return _ranked(name, wired.metrics[0], some, found, floor, left, latency)


def _some(samples: Dataset, most: int, seed: int) -> Dataset:
    """So many pictures that are not for testing, of every name its share and at least a few."""
    named = list(zip(samples.column("names"), samples.column("split"), strict=True))
    rows: dict[str, list[int]] = {}
    for row in generator(seed, "advise").permutation(len(named)).tolist():
        names, side = named[row]
        if side != "test" and len(names) == 1:
            rows.setdefault(names[0], []).append(row)
    total = sum(map(len, rows.values()))
    share = min(1.0, most / max(1, total))
    kept = [row for mine in rows.values() for row in mine[: max(2 * FOLDS, round(share * len(mine)))]]
    return samples.take(sorted(kept))


def _readable(some: Dataset) -> Dataset:
    """Without what cannot be read; training lists those by name."""
    kept = []
    for row, sample in enumerate(some):
        try:
            sample.images[0].read()
            kept.append(row)
        except InputError:
            continue
    if len(kept) < 2 * FOLDS:
        raise InputError("empty", f"{some.name}: {len(kept)} readable pictures with one name; {2 * FOLDS} are needed.")
    return some.take(kept)


def _folds(some: Dataset, seed: int) -> np.ndarray:
    """The fold in which each picture is held out; copies and groups are never parted."""
    fold = np.zeros(len(some), np.int64)
    loose = some.map(lambda sample: replace(sample, split=None))
    for number, part in enumerate(parted(loose, FOLDS, seed=seed)):
        fold[[side == "val" for side in part.column("split")]] = number
    return fold


def _floor(task: Task, some: Dataset, fold: np.ndarray) -> tuple[Rung, Tally]:
    """What always says the most frequent name of the other folds."""
    answers: list[Annotation] = [Labels(some.names)] * len(some)
    for number in range(FOLDS):
        held = np.flatnonzero(fold == number)
        learnt = baseline(Labels, some.take(np.flatnonzero(fold != number).tolist()), [some[int(row)] for row in held])
        for row, answer in zip(held, learnt[1] if learnt else [], strict=True):
            answers[row] = answer
    tally = catalog.find("metrics", task.metrics[0])([sample.truth for sample in some], answers)
    return _rung("always the most frequent", tally, 0.0, 0.0), tally


def _measured(
    task: Task, model: str, some: Dataset, fold: np.ndarray, shown: dict[bool, _Shown], seed: int
) -> tuple[Rung, Tally]:
    """One learner on all folds: every picture answered by a network that has not seen it."""
    import torch

    takes = getattr(catalog.find("models", model), "TAKES", "pictures") == "features"
    if takes not in shown:
        shown[takes] = _show(task, model, some)
    seen = shown[takes]
    truths, answers = [sample.truth for sample in some], [Labels(seen.facts.names)] * len(some)
    fitting = running = 0.0
    for number in range(FOLDS):
        learn, held = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        torch.manual_seed(seed_from(seed, "network"))
        network = task.network(model, seen.facts)
        start = time.perf_counter()
        batches = ({**_rows(seen.arrays, part), "classes": seen.classes[part]} for part in _batches(learn))
        network.solve({key: torch.from_numpy(value) for key, value in batch.items()} for batch in batches)
        fitting += time.perf_counter() - start
        start = time.perf_counter()
        run = torch_run(network)
        for part in _batches(held):
            frames = [replace(_FRAME, sample=place) for place in range(len(part))]
            given = task.decode(run(_rows(seen.arrays, part)), frames, seen.facts)
            for row, answer in zip(part, given, strict=True):
                answers[row] = answer  # type: ignore[call-overload]
        running += time.perf_counter() - start
    tally = catalog.find("metrics", task.metrics[0])(truths, answers)
    each = seen.milliseconds + 1e3 * running / len(some)
    return _rung(model, tally, fitting / FOLDS, each), tally


def _show(task: Task, model: str, some: Dataset) -> _Shown:
    facts = task.prepare(some, task.Options(), model)
    start = time.perf_counter()
    pieces, classes = [], []
    for part in _batches(np.arange(len(some))):
        samples: list[Sample] = [some[int(row)] for row in part]
        arrays, frames = task.inputs(samples, facts)
        targets = task.targets(samples, frames, facts)
        if targets.get("classes", np.zeros(0)).ndim != 1 or "classes" not in targets:
            raise SettingsError("cheap learners are compared where every picture has one name.")
        pieces.append(arrays)
        classes.append(targets["classes"])
    spent = time.perf_counter() - start
    whole = {key: np.concatenate([piece[key] for piece in pieces]) for key in pieces[0]}
    return _Shown(facts, whole, np.concatenate(classes), 1e3 * spent / len(some))


_FRAME = Frame(0, (1, 1), (1, 1), (1.0, 1.0), (0.0, 0.0))  # an answer about the whole picture lies nowhere in it


def _batches(rows: np.ndarray) -> list[np.ndarray]:
    return np.array_split(rows, max(1, -(-len(rows) // 64)))


def _rows(arrays: Arrays, rows: np.ndarray) -> Arrays:
    return {key: array[rows] for key, array in arrays.items()}


def _rung(model: str, tally: Tally, fit: float, each: float) -> Rung:
    found = interval(tally)
    return Rung(model, found.value, found.low, found.high, fit, each, "")


def _ranked(
    task: str,
    metric: str,
    some: Dataset,
    found: Sequence[tuple[Rung, Tally]],
    floor: tuple[Rung, Tally],
    left: Sequence[str],
    slow: float | None,
) -> Advice:
    """The best first; each but the best is compared with it picture by picture."""
    sign = -1 if floor[1].better == "lower" else 1
    order = sorted(found, key=lambda pair: -sign * pair[0].value)
    quick = [pair for pair in order if slow is None or pair[0].milliseconds <= slow]
    best, tally = (quick or order)[0]
    rungs = []
    for rung, other in order:
        verdict = "best" if rung is best else compare(tally, other).verdict
        rungs.append(replace(rung, apart={"first": "worse", "second": "better"}.get(verdict, verdict)))
    counts = Counter(sample.truth.best for sample in some if isinstance(sample.truth, Labels))
    verdict = compare(tally, floor[1]).verdict
    ground = replace(floor[0], apart={"first": "worse", "second": "better"}.get(verdict, verdict))
    said = words(best, rungs, ground, metric, counts, slow)
    return Advice(task, metric, len(some), len(counts), tuple(rungs), ground, tuple(left), best.model, said)
