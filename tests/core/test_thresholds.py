"""Thresholds with the best F1, intervals that hold nine of ten, and what is done with them."""

import itertools

import numpy as np

from sightline.core.annotations import Labels, Value
from sightline.core.decisions import decide, settings_of
from sightline.core.thresholds import FEW, LEVEL, bound, held, interval_factors, measured, name_thresholds, widened
from sightline.metrics.many import macro_f1, mean_average_precision


def _case(seed: int, count: int = 60) -> tuple[list[Labels], list[Labels]]:
    rng = np.random.default_rng(seed)
    marks = rng.random((count, 2)) < [0.3, 0.15]
    scores = np.clip(np.where(marks, 0.35, 0.15) + rng.normal(0, 0.12, marks.shape), 0, 1).round(2)  # has ties
    truths = [Labels(tuple(name for name, mark in zip("ab", row, strict=True) if mark)) for row in marks]
    return truths, [Labels(("a", "b"), row) for row in scores]


def test_no_other_threshold_has_a_better_f1() -> None:
    for seed in range(10):
        truths, answers = _case(seed)
        found = name_thresholds(truths, answers)
        best = macro_f1(truths, answers, thresholds={"names": found}).value
        grid = [place / 200 for place in range(201)]
        for name, least in itertools.product("ab", grid):
            assert macro_f1(truths, answers, thresholds={"names": {**found, name: least}}).value <= best + 1e-9
        assert best > macro_f1(truths, answers).value


def test_too_few_pictures_to_tell_leave_the_half() -> None:
    answers = [Labels(("a",), np.array([0.3]))] * 20
    for held_by in (FEW - 1, 20 - FEW + 1):
        truths = [Labels(("a",))] * held_by + [Labels(())] * (20 - held_by)
        assert name_thresholds(truths, answers) == {"a": 0.5}
    truths = [Labels(("a",))] * FEW + [Labels(())] * (20 - FEW)
    assert name_thresholds(truths, answers)["a"] < 0.3
    unknown = [Labels(("a",), np.array([np.nan]))] * 20
    assert name_thresholds(unknown, answers) == {"a": 0.5}


def test_intervals_hold_what_they_promise_of_fresh_numbers() -> None:
    """Split conformal: over many draws the coverage is 90 % and a little, whatever the spreads that were given."""
    covered = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        spread = rng.lognormal(0, 0.5, 80)
        numbers = rng.normal(size=80)
        true = numbers + spread * rng.standard_t(3, 80)
        truths = [Value(("a",), np.array([number])) for number in true]
        answers = [
            Value(("a",), np.array([n]), np.array([n - 0.1 * s]), np.array([n + 0.1 * s]))
            for n, s in zip(numbers, spread, strict=True)
        ]
        factors = interval_factors(truths[:40], answers[:40])
        for truth, answer in zip(truths[40:], answers[40:], strict=True):
            wide = widened(answer, factors)
            assert wide.low is not None
            assert wide.high is not None
            covered.append(float(wide.low[0] <= truth.numbers[0] <= wide.high[0]))
    assert LEVEL <= np.mean(covered) <= LEVEL + 0.03


def test_few_numbers_promise_as_much_as_they_can() -> None:
    truths = [Value(("a",), np.array([number])) for number in (1.0, -3.0, np.nan)]
    answers = [Value(("a",), np.zeros(1), np.array([-0.5]), np.array([0.5]))] * 3
    assert interval_factors(truths, answers) == {"a": 6.0}
    assert interval_factors(truths, [Value(("a",), np.zeros(1))] * 3) == {}


def test_what_was_measured_is_what_is_decided_by() -> None:
    truths, answers = _case(0)
    names = measured(truths, answers)
    settled = settings_of(names, True)
    for answer in answers:
        given = decide(answer, **settled)
        assert isinstance(given, Labels)
        assert set(given.names) == {name for name in "ab" if answer.score(name) >= names["names"][name]}
        assert given.scores is not None
        assert (np.diff(given.scores) <= 0).all(), "best first"
    assert decide(answers[0], **settings_of({}, False)) is answers[0], "names that exclude one another stay"
    said = decide(Labels(("a", "b"), np.array([0.6, 0.8])), **settings_of(names, True, 0.7))
    assert isinstance(said, Labels)
    assert said.names == ("b",), "what somebody says goes before what was measured"
    assert held(Labels(("a",)), {}).names == ("a",)
    value = Value(("a", "b"), np.array([1.0, 5.0]), np.array([0.0, 4.0]), np.array([2.0, 6.0]))
    wide = decide(value, **settings_of({"intervals": {"a": 2.0}}, False))
    assert isinstance(wide, Value)
    assert wide.low is not None
    assert wide.low.tolist() == [-1.0, 4.0]
    assert decide(Value(("a",), np.ones(1)), **settings_of({"intervals": {"a": 2.0}}, False)).low is None  # type: ignore[attr-defined]


def test_only_a_metric_that_asks_is_told() -> None:
    truths, answers = _case(1)
    told = {"names": {"a": 0.99, "b": 0.99}}
    assert bound(macro_f1, told)(truths, answers).value < macro_f1(truths, answers).value + 1e-9
    assert bound(mean_average_precision, told) is mean_average_precision
