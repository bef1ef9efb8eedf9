"""Several annotators on the same pictures: how far they agree, where they do not, and what they agree on."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any

import numpy as np

from sightline.auditing import agreement
from sightline.auditing.agreement import DRAWS, Coefficient
from sightline.auditing.borders import Borders, borders, coefficients_of
from sightline.core import geometry
from sightline.core.annotations import Annotation, Labels, Objects, Regions, Value
from sightline.core.data import open_data
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError
from sightline.core.known import remember
from sightline.core.sample import Sample

MATCH = 0.5  # overlap of two boxes from which they mean the same thing


@dataclass(frozen=True, eq=False)
class Agreement:
    """What several annotators have in common."""

    annotators: tuple[str, ...]
    items: int  # pictures that two or more of them labelled
    coefficients: tuple[Coefficient, ...]
    pairs: Mapping[tuple[str, str], float]  # by the first coefficient's measure
    names: Mapping[str, tuple[int, float]]  # name -> how often it was given, and agreement on it
    disputed: tuple[tuple[str, float, str], ...]  # id, agreement, what was said; the worst first
    consensus: Dataset = field(repr=False)

    def to_json(self) -> dict[str, Any]:
        return {
            "annotators": list(self.annotators),
            "items": self.items,
            "coefficients": [
                {"name": one.name, "value": one.value, "low": one.low, "high": one.high} for one in self.coefficients
            ],
            "pairs": [{"annotators": list(pair), "value": value} for pair, value in self.pairs.items()],
            "names": {name: {"count": count, "agreement": value} for name, (count, value) in self.names.items()},
            "disputed": [{"id": one, "agreement": value, "said": said} for one, value, said in self.disputed],
            "consensus": len(self.consensus),
        }


@dataclass(frozen=True, eq=False)
class _Item:
    """One picture and what each annotator said about it."""

    sample: Sample
    said: Mapping[str, Annotation]


def agree(*data: Any, level: str = "nominal", by: str = "annotator", format: str | None = None) -> Agreement:
    """Compare data sets that label the same pictures, or the annotators that an attribute of one data set names."""
    if level not in agreement.LEVELS:
        raise InputError("label", f"level '{level}' is none of {', '.join(agreement.LEVELS)}.")
    opened = [remember(open_data(one, format=format)) for one in data]
    annotators, items = _items(opened, by)
    shared = [item for item in items if len(item.said) > 1]
    if len(annotators) < 2 or not shared:
        raise InputError(
            "label",
            f"agreement needs pictures that two annotators labelled: give two data sets or more, or one with the "
            f"attribute '{by}'. Found {len(annotators)} annotators and {len(items)} pictures, none of them shared."
            if not shared
            else f"agreement needs two annotators; found {len(annotators)}.",
        )
    kinds = {type(truth) for item in shared for truth in item.said.values()}
    for kind, compare in _COMPARE.items():
        if all(issubclass(one, kind) for one in kinds):
            return compare(annotators, shared, opened[0], level)
    names = ", ".join(sorted(kind.__name__.lower() for kind in kinds))
    raise InputError("label", f"agreement is known of labels, values, objects and regions, not of {names}.")


def _items(opened: Sequence[Dataset], by: str) -> tuple[tuple[str, ...], list[_Item]]:
    """Pictures by what they hold, since names of files may say the label; without pictures by id."""
    found: dict[str, dict[str, Annotation]] = defaultdict(dict)
    first: dict[str, Sample] = {}
    called = [one.name for one in opened]
    for number, data in enumerate(opened):
        name = called[number] if called.count(called[number]) == 1 else f"{called[number]} {number + 1}"
        for sample in data:
            who = str(sample.attributes.get(by, "")) if len(opened) == 1 else name
            if sample.truth is None or not who:
                continue
            key = sample.images[0].fingerprint() if sample.images else sample.id
            first.setdefault(key, sample)
            found[key].setdefault(who, sample.truth)
    annotators = tuple(sorted({who for said in found.values() for who in said}))
    return annotators, [_Item(first[key], said) for key, said in found.items()]


def _rated(
    annotators: tuple[str, ...], items: Sequence[_Item], read: Callable[[Any], Any], ordered: bool
) -> tuple[np.ndarray, list[Any]]:
    """Ratings as numbers, and what the numbers stand for."""
    said = [[read(item.said[who]) if who in item.said else None for who in annotators] for item in items]
    kinds = sorted({one for row in said for one in row if one is not None}, key=_number if ordered else None)
    place = {kind: number for number, kind in enumerate(kinds)}
    return np.array([[agreement.NONE if one is None else place[one] for one in row] for row in said]), kinds


def _number(name: Any) -> float:
    try:
        return float(name)
    except ValueError as error:
        raise InputError("label", f"'{name}' is no number; only level nominal compares plain names.") from error


def _of_ratings(
    annotators: tuple[str, ...], items: Sequence[_Item], ratings: np.ndarray, kinds: list[Any], level: str
) -> dict[str, Any]:
    """Coefficients, pairs and disputes of ratings."""
    values = np.array([_number(kind) for kind in kinds]) if level == "interval" else None
    weights = {"nominal": "plain", "ordinal": "linear", "interval": "quadratic"}[level]
    measures: dict[str, Callable[[np.ndarray], float]] = {
        f"Krippendorff's alpha ({level})": lambda some: agreement.krippendorff(some, level=level, values=values)
    }
    if level == "nominal":
        measures["Fleiss' kappa"] = agreement.fleiss
    if len(annotators) == 2:
        measures["Cohen's kappa"] = lambda some: agreement.cohen(some[:, 0], some[:, 1], weights=weights)
    coefficients = []
    for name, statistic in measures.items():
        low, high = agreement.interval(len(items), lambda rows, measure=statistic: measure(ratings[rows]), draws=DRAWS)  # type: ignore[misc]
        coefficients.append(Coefficient(name, statistic(ratings), low, high))
    pairs = {
        (annotators[a], annotators[b]): agreement.cohen(ratings[:, a], ratings[:, b], weights=weights)
        for a, b in combinations(range(len(annotators)), 2)
    }
    disputed = []
    for item, row in zip(items, ratings, strict=True):
        given = row[row != agreement.NONE]
        share = float((given[:, None] == given[None]).sum() - len(given)) / (len(given) * (len(given) - 1))
        if share < 1:
            said = ", ".join(f"{who} {kinds[one]}" for who, one in zip(annotators, row, strict=True) if one >= 0)
            disputed.append((item.sample.id, share, said))
    disputed.sort(key=lambda one: one[1])
    return {"coefficients": tuple(coefficients), "pairs": pairs, "disputed": tuple(disputed)}


def _labels(annotators: tuple[str, ...], items: Sequence[_Item], data: Dataset, level: str) -> Agreement:
    ratings, kinds = _rated(annotators, items, lambda truth: truth.best, level != "nominal")
    found = _of_ratings(annotators, items, ratings, kinds, level)
    names = {}
    for number, kind in enumerate(kinds):
        alone = np.where(ratings == agreement.NONE, agreement.NONE, (ratings == number).astype(int))
        names[str(kind)] = int((ratings == number).sum()), agreement.krippendorff(alone)
    agreed = []
    for item in items:
        votes = Counter(truth.best for truth in item.said.values() if isinstance(truth, Labels)).most_common(2)
        if len(votes) == 1 or votes[0][1] > votes[1][1]:  # a tie is for a person to break
            agreed.append(replace(item.sample, truth=Labels((votes[0][0],))))
    consensus = Dataset(agreed, name=f"{data.name}-agreed", names=tuple(map(str, sorted(map(str, kinds)))), kind=Labels)
    return Agreement(annotators, len(items), names=names, consensus=consensus, **found)


def _values(annotators: tuple[str, ...], items: Sequence[_Item], data: Dataset, level: str) -> Agreement:
    ratings, kinds = _rated(annotators, items, lambda truth: float(truth.numbers[0]), True)
    found = _of_ratings(annotators, items, ratings, kinds, "interval" if level == "nominal" else level)
    agreed = []
    for item in items:
        numbers = np.mean([truth.numbers for truth in item.said.values() if isinstance(truth, Value)], 0)
        agreed.append(replace(item.sample, truth=replace(item.sample.truth, numbers=numbers)))  # type: ignore[type-var]
    return Agreement(annotators, len(items), names={}, consensus=Dataset(agreed, name=f"{data.name}-agreed"), **found)


def _compared(
    annotators: tuple[str, ...],
    items: Sequence[_Item],
    score: Callable[[Any, Any], float],
    called: str,
) -> dict[str, Any]:
    """Coefficients, pairs and disputes of records that are compared two by two."""
    pairs: dict[tuple[str, str], list[float]] = defaultdict(list)
    each = []
    for item in items:
        scores = []
        for a, b in combinations([who for who in annotators if who in item.said], 2):
            scores.append(score(item.said[a], item.said[b]))
            pairs[a, b].append(scores[-1])
        each.append(float(np.mean(scores)))
    column = np.array(each)
    low, high = agreement.interval(len(items), lambda rows: float(column[rows].mean()), draws=DRAWS)
    disputed = sorted(
        (
            (item.sample.id, value, f"{called} {value:.2f}")
            for item, value in zip(items, each, strict=True)
            if value < 1
        ),
        key=lambda one: one[1],
    )
    return {
        "coefficients": (Coefficient(called, float(column.mean()), low, high),),
        "pairs": {pair: float(np.mean(values)) for pair, values in pairs.items()},
        "disputed": tuple(disputed),
    }


def _regions(annotators: tuple[str, ...], items: Sequence[_Item], data: Dataset, level: str) -> Agreement:
    def score(first: Regions, second: Regions) -> float:
        if first.classes.shape != second.classes.shape:
            return 0.0
        present = np.union1d(first.classes, second.classes)
        present = present[present > 0] if len(present) > 1 else present  # the first name is the ground
        return float(np.mean([agreement.dice(first.classes == one, second.classes == one) for one in present]))

    found = _compared(annotators, items, score, "mean Dice")
    found["coefficients"] += coefficients_of([_drawn_twice(item) for item in items])
    names: dict[str, tuple[int, float]] = {}
    for number, name in enumerate(data.names):
        scores = [
            agreement.dice(a.classes == number, b.classes == number)
            for item in items
            for a, b in combinations(item.said.values(), 2)
            if isinstance(a, Regions) and isinstance(b, Regions) and a.classes.shape == b.classes.shape
            if (a.classes == number).any() or (b.classes == number).any()
        ]
        names[name] = len(scores), float(np.mean(scores)) if scores else float("nan")
    agreed = [replace(item.sample, truth=_stapled(list(item.said.values()))) for item in items if _alike(item)]
    consensus = Dataset(agreed, name=f"{data.name}-agreed", names=data.names, kind=Regions)
    return Agreement(annotators, len(items), names=names, consensus=consensus, **found)


def _drawn_twice(item: _Item) -> list[Borders]:
    """The borders of every class that two annotators drew in this picture."""
    found = []
    for first, second in combinations(item.said.values(), 2):
        if isinstance(first, Regions) and isinstance(second, Regions) and first.classes.shape == second.classes.shape:
            present = np.intersect1d(first.classes, second.classes)
            found += [borders(first.classes == one, second.classes == one) for one in present[present > 0]]
        elif isinstance(first, Objects) and isinstance(second, Objects):
            if first.masks is None or second.masks is None:
                continue
            mine, theirs = _matched(first, second)
            found += [borders(first.masks[a], second.masks[b]) for a, b in zip(mine, theirs, strict=True)]
    return found


def _alike(item: _Item) -> bool:
    return len({truth.classes.shape for truth in item.said.values() if isinstance(truth, Regions)}) == 1


def _stapled(truths: Sequence[Any]) -> Regions:
    """Each pixel's most probable class by STAPLE of each class against the rest."""
    count = max(len(truth.names) for truth in truths)
    maps = np.stack([truth.classes for truth in truths])
    chances = np.stack(
        [agreement.staple(maps == one).probability if (maps == one).any() else np.zeros(maps.shape[1:])
         for one in range(count)]
    )  # fmt: skip
    return Regions(chances.argmax(0).astype(truths[0].classes.dtype), max((t.names for t in truths), key=len))


def _objects(annotators: tuple[str, ...], items: Sequence[_Item], data: Dataset, level: str) -> Agreement:
    def score(first: Objects, second: Objects) -> float:
        mine, _ = _matched(first, second)
        total = len(first) + len(second)
        return 2 * len(mine) / total if total else 1.0

    found = _compared(annotators, items, score, "share of things found by both")
    found["coefficients"] += coefficients_of([_drawn_twice(item) for item in items])
    names: dict[str, tuple[int, float]] = {}
    for number, name in enumerate(data.names):
        shared = total = 0
        for item in items:
            for a, b in combinations(item.said.values(), 2):
                if isinstance(a, Objects) and isinstance(b, Objects):
                    first, second = a.take(a.classes == number), b.take(b.classes == number)
                    shared, total = shared + 2 * len(_matched(first, second)[0]), total + len(first) + len(second)
        names[name] = total, shared / total if total else float("nan")
    agreed = [replace(item.sample, truth=_voted(list(item.said.values()))) for item in items]
    consensus = Dataset(agreed, name=f"{data.name}-agreed", names=data.names, kind=Objects)
    return Agreement(annotators, len(items), names=names, consensus=consensus, **found)


def _matched(first: Objects, second: Objects) -> tuple[np.ndarray, np.ndarray]:
    return geometry.match(_upright(first), first.classes, _upright(second), second.classes, MATCH)


def _upright(truth: Objects) -> np.ndarray:
    return truth.boxes if truth.boxes.shape[1] == 4 else geometry.upright(truth.boxes)


def _voted(truths: Sequence[Any]) -> Objects:
    """Things that more than half of the annotators marked, in the mean of their boxes."""
    found: list[tuple[np.ndarray, int]] = []
    left = [np.ones(len(truth), bool) for truth in truths]
    for number, truth in enumerate(truths):
        votes = [[_upright(truth)[row]] for row in range(len(truth))]
        for other in range(number + 1, len(truths)):
            open_rows = np.flatnonzero(left[other])
            mine, twins = _matched(truth, truths[other].take(open_rows))
            for row, twin in zip(mine, twins, strict=True):
                if left[number][row]:
                    votes[row].append(_upright(truths[other])[open_rows[twin]])
                    left[other][open_rows[twin]] = False
        found += [
            (np.mean(votes[row], 0), int(truth.classes[row]))
            for row in np.flatnonzero(left[number])
            if 2 * len(votes[row]) > len(truths)
        ]
    boxes = np.array([box for box, _ in found], np.float32).reshape(-1, 4)
    return Objects(boxes, np.array([name for _, name in found], np.int64), truths[0].names)


_COMPARE: dict[type[Annotation], Callable[[tuple[str, ...], Sequence[_Item], Dataset, str], Agreement]] = {
    Labels: _labels,
    Value: _values,
    Regions: _regions,
    Objects: _objects,
}
