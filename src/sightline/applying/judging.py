"""Rules measured as models are: a chain's last finding against the truth, and the stage at which pictures fail."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sightline.applying.chain import Chain, StepFault
from sightline.core import catalog
from sightline.core.annotations import Annotation, Labels, Objects, Picture, Regions, Value
from sightline.core.data import open_data
from sightline.core.dataset import Dataset
from sightline.core.decisions import found as found_of
from sightline.core.errors import AmbiguousError, InputError
from sightline.core.progress import Event, Tell, silent
from sightline.core.sample import Sample
from sightline.evaluating.baseline import baseline
from sightline.evaluating.intervals import interval

# Where no task is the natural reading of the data: metrics that suit the record.
_SUITS: dict[type[Annotation], tuple[str, ...]] = {
    Labels: ("accuracy", "balanced_accuracy", "f1"),
    Objects: ("average_precision_50", "average_precision"),
    Regions: ("mean_iou", "dice"),
    Value: ("mean_absolute_error", "root_mean_square_error"),
    Picture: ("psnr",),
}
LEAST_OVERLAP = 0.5  # of regions with the true ones, below which a picture is wrong
SHOWN = 24  # ids that are kept of each kind of failure


@dataclass(frozen=True, slots=True)
class Failure:
    """Pictures that fail at one stage in one way."""

    step: int  # counted from 1; one more than there are steps for the comparison with the truth
    text: str
    how: str  # "error", "found nothing" or "wrong"
    count: int
    ids: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        plain = {"step": self.step, "text": self.text, "how": self.how}
        return {**plain, "count": self.count, "ids": list(self.ids)}


@dataclass(frozen=True)
class Judgement:
    """Numbers with intervals, and where pictures were lost on the way."""

    chain: str
    side: str
    count: int
    figures: tuple[dict[str, Any], ...]
    baseline: str | None
    reached: tuple[int, ...]  # pictures that came through each step
    cascade: tuple[Failure, ...]
    right: int
    seconds: tuple[float, ...]  # of each step, a picture

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {**vars(self), "cascade": [failure.to_json() for failure in self.cascade]}

    @property
    def lines(self) -> list[tuple[str, str, str]]:
        """The cascade for people: stage, how many it loses and how, how many are left."""
        left, rows = self.count, []
        steps = [text for _, text in sorted({(f.step, f.text) for f in self.cascade})]
        for text in steps:
            here = [failure for failure in self.cascade if failure.text == text]
            left -= sum(failure.count for failure in here)
            rows.append((text, ", ".join(f"{failure.count:,} {failure.how}" for failure in here), f"{left:,} left"))
        return rows


@dataclass(slots=True)
class _Way:
    """How one picture went: its answer, the step that failed it and how, and the seconds of its steps."""

    answer: Annotation | None
    step: int = 0
    how: str = ""
    came: int = 0


def judge(
    chain: Any, data: Any, *, side: str | None = None, format: str | None = None, tell: Tell = silent
) -> Judgement:
    """Measure a chain on data with truths, by the metrics by which a model of this data is measured."""
    ready, opened = Chain.parse(chain), open_data(data, format=format)
    held = opened.side(side) if side else _held(opened)
    kept, truths, ways, seconds = _ways(ready, held, tell)
    if not truths:
        raise AmbiguousError(f"there is nothing to measure: {len(held)} samples of {opened.name}, none with a truth.")
    truths, given = _alike(ready, truths, ways)
    names = metrics_of(opened, type(truths[0]))
    train = opened.side("train") if len(opened.side("train")) else opened
    floor = baseline(type(truths[0]), train, kept) if type(truths[0]) is opened.kind else None
    figures = [_figure(name, truths, given, floor) for name in names]
    if isinstance(truths[0], Objects):
        figures.append(_figure("mean_absolute_error", _counts(truths), _counts(given), None) | {"name": "count_error"})
    failures, right = _cascade(ready, kept, truths, given, ways)
    reached = tuple(sum(way.came >= place for way in ways) for place in range(1, len(ready.steps) + 1))
    which = side or (held.column("split")[0] if held is not opened else "all") or "all"
    spent = tuple((seconds / max(1, len(ways))).tolist())
    name = None if floor is None else floor[0]
    return Judgement(str(ready), which, len(kept), tuple(figures), name, reached, failures, right, spent)


def answers_of(chain: Any, samples: Sequence[Sample]) -> tuple[list[str], list[Annotation], list[Annotation]]:
    """Ids, truths and a chain's answers; a picture at which it fails has the emptiest answer of its kind."""
    ready = Chain.parse(chain)
    kept, truths, ways, _ = _ways(ready, samples, silent)
    truths, given = _alike(ready, truths, ways, counting=False)
    return [sample.id for sample in kept], truths, given


def metrics_of(data: Dataset, kind: type[Annotation]) -> tuple[str, ...]:
    """The metrics of the one task that is the natural reading of the data, or those that suit the record."""
    tasks = [catalog.find("tasks", name).TASK for name in catalog.names("tasks")]
    natural = [task for task in tasks if kind is data.kind and task.kind is kind and task.fits(data).strength == 2]
    if len(natural) == 1:
        return tuple(natural[0].metrics)
    if kind not in _SUITS:
        raise InputError("mismatch", f"there is no metric for answers that are {kind.__name__.lower()}.")
    return _SUITS[kind]


def _held(data: Dataset) -> Dataset:
    """What is held out where the data says so, else all: rules have learnt from none of it."""
    for side in ("test", "val"):
        if len(part := data.side(side)):
            return part
    return data


def _ways(
    chain: Chain, samples: Sequence[Sample], tell: Tell
) -> tuple[list[Sample], list[Annotation], list[_Way], np.ndarray]:
    kept: list[Sample] = []
    truths: list[Annotation] = []
    ways: list[_Way] = []
    seconds = np.zeros(len(chain.steps))
    for number, sample in enumerate(samples, 1):
        tell(Event("progress", "pictures", {"done": number, "total": len(samples)}))
        if sample.truth is not None:
            kept.append(sample)
            truths.append(sample.truth)
            ways.append(_way(chain, sample, seconds))
    return kept, truths, ways, seconds


def _way(chain: Chain, sample: Sample, seconds: np.ndarray) -> _Way:
    """One picture through the chain, step by step, up to the first that fails."""
    import time

    way = _Way(None)
    begun = time.perf_counter()
    try:
        for state in chain.traced(sample):
            way.came += 1
            now = time.perf_counter()
            seconds[way.came - 1] += now - begun
            begun, way.answer = now, state.answer
            new = [one.record for one in state.found if one.step == way.came]
            if not way.how and new and _empty(new[-1]):
                way.step, way.how = way.came, "found nothing"
    except StepFault as fault:
        if not isinstance(fault.__cause__, InputError):
            raise fault.__cause__ or fault from None
        way.answer = None
        if not way.how:
            way.step, way.how = fault.place, "error"
    except InputError:
        way.answer, way.how = None, "error"
    return way


def _empty(record: Annotation) -> bool:
    if isinstance(record, Objects):
        return len(record) == 0
    if isinstance(record, Labels):
        return not record.names
    if isinstance(record, Regions):
        return len(np.unique(record.classes)) < 2
    return isinstance(record, Value) and not np.isfinite(record.numbers).any()


def _alike(
    chain: Chain, truths: list[Annotation], ways: Sequence[_Way], counting: bool = True
) -> tuple[list[Annotation], list[Annotation]]:
    """Truths and answers as one kind of record; things are counted where the chain counts."""
    known = next((type(way.answer) for way in ways if way.answer is not None), chain.kind)
    kind = type(truths[0])
    if counting and known is Value and kind is Objects:
        name = next((way.answer.names for way in ways if isinstance(way.answer, Value)), ("count",))
        if len(name) == 1:
            truths = [replace(one, names=name) for one in _counts(truths) if isinstance(one, Value)]
            kind = Value
    if known is not None and known is not kind:
        wanted, is_so = known.__name__.lower(), kind.__name__.lower()
        hint = {Objects: "areas or components", Value: "count", Labels: "rule"}.get(kind, "a finder")
        raise InputError(
            "mismatch",
            f"the chain answers with {wanted}, and what is true are {is_so}. End it with a step that answers so, "
            f"such as {hint}.",
        )
    return truths, [_nothing(t) if way.answer is None else way.answer for t, way in zip(truths, ways, strict=True)]


def _nothing(truth: Annotation) -> Annotation:
    """The answer of a chain that failed: it says nothing, which is measured as wrong."""
    if isinstance(truth, Labels):
        return Labels(())
    if isinstance(truth, Objects):
        return Objects(np.zeros((0, 4), np.float32), np.zeros(0, np.int64), ())
    if isinstance(truth, Regions):
        return Regions(np.full(truth.classes.shape, -1, np.int64), truth.names)
    if isinstance(truth, Value):
        return Value(truth.names, np.zeros(len(truth.names), np.float32))
    if isinstance(truth, Picture):
        return Picture(np.zeros_like(truth.pixels))
    raise InputError("mismatch", f"a chain is not measured against {type(truth).__name__.lower()}.")


def _counts(records: Sequence[Annotation]) -> list[Annotation]:
    """How many things each record holds."""
    return [Value(("count",), np.array([len(one)], np.float32)) for one in records if isinstance(one, Objects)]


def _figure(
    name: str, truths: Sequence[Annotation], given: Sequence[Annotation], floor: tuple[str, list[Annotation]] | None
) -> dict[str, Any]:
    metric = catalog.find("metrics", name)
    low = None if floor is None else float(metric(truths, floor[1]).value)
    return {"name": name, **interval(metric(truths, given)).to_json(), "baseline": low}


def _cascade(
    chain: Chain, kept: Sequence[Sample], truths: Sequence[Any], given: Sequence[Any], ways: Sequence[_Way]
) -> tuple[tuple[Failure, ...], int]:
    """Every picture that is not right, at the first stage at which it fails."""
    found: dict[tuple[int, str], list[str]] = {}
    good = 0
    for sample, truth, answer, way in zip(kept, truths, given, ways, strict=True):
        right = _right(truth, answer)
        if way.answer is None or right is False:
            step, how = (way.step, way.how) if way.how else (len(chain.steps) + 1, "wrong")
            found.setdefault((step, how), []).append(sample.id)
        good += right is True and way.answer is not None
    texts = ["reading", *(f"{place}. {step.text}" for place, step in enumerate(chain.steps, 1)), "against the truth"]
    failures = [
        Failure(step, texts[step], how, len(ids), tuple(ids[:SHOWN])) for (step, how), ids in sorted(found.items())
    ]
    return tuple(failures), good


def _right(truth: Annotation, answer: Annotation) -> bool | None:
    """Whether an answer is right as a whole; None for what is only nearer or farther."""
    judge_of: dict[type, Callable[[Any, Any], bool]] = {Labels: _named, Objects: _placed, Regions: _covered}
    known = judge_of.get(type(truth))
    return None if known is None else known(truth, answer)


def _named(truth: Labels, answer: Labels) -> bool:
    if len(truth.names) > 1 or not truth.names:
        return set(truth.names) == set(answer.names)
    return truth.best == answer.best


def _placed(truth: Objects, answer: Objects) -> bool:
    """Everything is found, and nothing else is."""
    if len(truth) != len(answer):
        return False
    return not len(truth) or bool(found_of(truth, answer).all())


def _covered(truth: Regions, answer: Regions) -> bool:
    value = float(catalog.find("metrics", "mean_iou")([truth], [answer]).value)
    return math.isnan(value) or value >= LEAST_OVERLAP
