"""Drawn samples and answers for every pair of records that a metric may compare: the truth of a simulation is known."""

from collections.abc import Callable, Sequence
from typing import Any, get_args, get_type_hints

import numpy as np

from sightline.core.annotations import Annotation, Labels, Objects, Picture, Regions, Value, Vector
from sightline.core.catalog import find
from sightline.core.tally import Tally

Metric = Callable[[Sequence[Any], Sequence[Any]], Tally]
Pair = tuple[list[Any], list[Any]]
NAMES = tuple("abcde")


def kinds(metric: Metric) -> tuple[type[Annotation], type[Annotation]]:
    """Which records a metric compares, read from its signature."""
    hints = get_type_hints(metric)
    return get_args(hints["truths"])[0], get_args(hints["predictions"])[0]


def draw(name: str, rng: np.random.Generator, count: int) -> Pair:
    if name == "top_5_accuracy":  # of five names, the true one is always among the five best
        return many(rng, count)
    return DRAWS[kinds(find("metrics", name))](rng, count)


def labels(rng: np.random.Generator, count: int, shares: tuple[float, ...] = (0.45, 0.35, 0.2)) -> Pair:
    names = NAMES[: len(shares)]
    true = rng.choice(len(shares), count, p=shares)
    logits = 1.3 * (rng.normal(size=(count, len(shares))) + 2.0 * np.eye(len(shares))[true])
    chances = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    return [Labels((names[number],)) for number in true], [Labels(names, row) for row in chances]


def exact(rng: np.random.Generator, count: int) -> Pair:
    """Scores that are the chances they claim to be."""
    logits = 1.6 * rng.normal(size=(count, 3))
    chances = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    true = (rng.random(count)[:, None] > chances.cumsum(1)).sum(1).clip(0, 2)
    return [Labels((NAMES[number],)) for number in true], [Labels(NAMES[:3], row) for row in chances]


def many(rng: np.random.Generator, count: int) -> Pair:
    """A dozen names that are hard to tell apart."""
    names = tuple("abcdefghijkl")
    true = rng.integers(0, len(names), count)
    logits = rng.normal(size=(count, len(names))) + 1.2 * np.eye(len(names))[true]
    return [Labels((names[number],)) for number in true], [Labels(names, row) for row in logits]


def objects(
    rng: np.random.Generator, count: int, names: tuple[str, ...] = NAMES[:3], common: float = 2.0, digits: int = 9
) -> Pair:
    """Corners on a grid of quarter pixels, so that exact overlaps happen; scores of few digits have ties."""
    truths, answers = [], []
    for _ in range(count):
        boxes, classes = _boxes(rng, int(rng.poisson(common)), len(names))
        truths.append(Objects(boxes, classes, names))
        kept = rng.random(len(boxes)) < 0.85
        moved = boxes[kept] + rng.integers(-12, 13, (int(kept.sum()), 4)) / 4
        moved[:, 2:] = np.maximum(moved[:, 2:], moved[:, :2] + 1)
        called = np.where(rng.random(len(moved)) < 0.9, classes[kept], rng.integers(0, len(names), len(moved)))
        false, wrong = _boxes(rng, int(rng.poisson(common / 2)), len(names))
        scores = np.concatenate([rng.beta(4, 2, len(moved)), rng.beta(2, 4, len(false))])
        every = np.concatenate([moved, false])
        answers.append(
            Objects(every, np.concatenate([called, wrong]).astype(np.int64), names, np.round(scores, digits))
        )
    return truths, answers


def _boxes(rng: np.random.Generator, count: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    corner, size = rng.integers(0, 400, (count, 2)) / 4, rng.integers(20, 160, (count, 2)) / 4
    return np.concatenate([corner, corner + size], 1), rng.integers(0, classes, count)


def regions(rng: np.random.Generator, count: int) -> Pair:
    truths, answers = [], []
    for _ in range(count):
        true = np.zeros((16, 16), np.int64)
        row, column = rng.integers(0, 10, 2)
        true[row : row + 6, column : column + 6] = rng.integers(1, 3)
        moved = np.roll(true, rng.integers(-2, 3), 0)
        given = np.where(rng.random(true.shape) < rng.beta(1, 8), rng.integers(0, 3, true.shape), moved)
        truths.append(Regions(true, NAMES[:3]))
        answers.append(Regions(given, NAMES[:3]))
    return truths, answers


def pictures(rng: np.random.Generator, count: int) -> Pair:
    """Flat colours with a gradient, and the same under noise whose strength differs from picture to picture."""
    ramp = np.linspace(-40, 40, 8)[:, None, None]
    clean = [128 + rng.normal(0, 25, (1, 1, 3)) + ramp * rng.normal() + np.zeros((8, 8, 3)) for _ in range(count)]
    noisy = [picture + rng.lognormal(2, 0.4) * rng.normal(size=picture.shape) for picture in clean]
    truths, answers = ([Picture(np.clip(p, 0, 255).astype(np.uint8)) for p in side] for side in (clean, noisy))
    return truths, answers


def values(rng: np.random.Generator, count: int) -> Pair:
    """Each interval reaches 1.3 spreads to both sides, so that four of five hold the truth."""
    true, spread = rng.normal(10, 3, (count, 1)), rng.lognormal(0, 0.4, (count, 1))
    given = true + spread * rng.normal(size=(count, 1))
    rows = zip(given, given - 1.3 * spread, given + 1.3 * spread, strict=True)
    return [Value(("size",), row) for row in true], [Value(("size",), row, low, high) for row, low, high in rows]


def vectors(
    rng: np.random.Generator, count: int, classes: int = 16, apart: float = 0.8, each: int | None = None
) -> Pair:
    """Classes with centres and spreads of their own; `apart` 0 is a network that has learnt nothing."""
    each = each or max(2, count // classes)
    centres, spreads = rng.normal(size=(classes, 1, 8)), rng.gamma(4, 0.25, (classes, 1, 1))
    points = rng.normal(size=(classes, each, 8)) * (spreads if apart else 1.0) + apart * centres
    names = np.repeat(np.arange(classes), each)
    return [Labels((f"class {name}",)) for name in names], [Vector(point) for point in points.reshape(-1, 8)]


DRAWS: dict[tuple[type[Annotation], type[Annotation]], Callable[[np.random.Generator, int], Pair]] = {
    (Labels, Labels): labels,
    (Objects, Objects): objects,
    (Regions, Regions): regions,
    (Picture, Picture): pictures,
    (Value, Value): values,
    (Labels, Vector): vectors,
}


def same(truths: list[Any], kind: type[Annotation]) -> list[Any]:
    """The answers of a perfect model."""
    if kind is not Vector:
        return truths
    names = sorted({truth.best for truth in truths})
    return [Vector(np.eye(len(names))[names.index(truth.best)]) for truth in truths]


def broken(answers: list[Any]) -> list[Any]:
    """The answers of a network whose weights are NaN; None where the record cannot hold one."""
    if isinstance(answers[0], Labels):
        return [Labels(a.names, np.full(len(a.names), np.nan)) for a in answers]
    if isinstance(answers[0], Objects):
        return [Objects(a.boxes * np.nan, a.classes, a.names, a.scores * np.nan) for a in answers]
    if isinstance(answers[0], Value):
        return [Value(a.names, a.numbers * np.nan) for a in answers]
    if isinstance(answers[0], Vector):
        return [Vector(a.values * np.nan) for a in answers]
    if isinstance(answers[0], Picture):
        return [Picture(a.pixels.astype(np.float32) * np.nan) for a in answers]
    return []
