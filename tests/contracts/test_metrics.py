"""What every metric keeps; new ones are found by themselves and drawn for by the records in their signature."""

import math

import numpy as np
import pytest

from sightline.core.annotations import Picture
from sightline.core.catalog import find, names
from sightline.core.errors import InputError
from sightline.core.tally import Tally
from sightline.evaluating.intervals import interval
from tests.metrics._simulated import broken, draw, kinds, same

METRICS = names("metrics")
SIMULATED, SAMPLES = 250, 64


def test_there_are_metrics() -> None:
    assert {"accuracy", "average_precision", "frechet", "psnr", "recall_at_1"} <= set(METRICS)


@pytest.mark.parametrize("name", METRICS)
def test_one_row_a_sample_and_a_plain_number(name: str) -> None:
    truths, answers = draw(name, np.random.default_rng(0), 32)
    tally = find("metrics", name)(truths, answers)
    assert isinstance(tally, Tally)
    assert len(tally.rows) == len(truths)
    assert tally.rows.dtype == object or (tally.rows.dtype == np.float64 and tally.rows.ndim == 2)
    assert tally.better in ("higher", "lower")
    assert type(tally.value) is float
    assert tally.limits[0] <= tally.value <= tally.limits[1]
    assert tally.value == float(tally.reduce(tally.rows)) == tally.take(np.arange(len(truths))).value


@pytest.mark.parametrize("name", METRICS)
def test_perfect_on_identical_input(name: str) -> None:
    """A perfect answer reaches the better end of what the number can be (or nearly: the log of a probability)."""
    metric = find("metrics", name)
    truths, answers = draw(name, np.random.default_rng(1), 32)
    tally = metric(truths, same(truths, kinds(metric)[1]))
    assert tally.value == pytest.approx(tally.limits[1 if tally.better == "higher" else 0], abs=1e-9)
    assert tally.beats(tally.value, metric(truths, answers).value)


@pytest.mark.parametrize("name", METRICS)
def test_nan_never_wins(name: str) -> None:
    metric = find("metrics", name)
    truths, answers = draw(name, np.random.default_rng(2), 32)
    tally = metric(truths, answers)
    assert not tally.beats(math.nan, tally.value)
    assert not tally.beats(math.nan, math.nan)
    assert tally.beats(tally.value, math.nan)
    ruined = broken(answers)
    if ruined and isinstance(ruined[0], Picture):
        truths = [Picture(truth.pixels.astype(np.float32) / 255) for truth in truths]
    if ruined:
        worst = metric(truths, ruined).value
        assert not tally.beats(worst, tally.value)
        assert math.isnan(worst) or worst == 0.0  # nothing is right, or there is no number


@pytest.mark.parametrize("name", METRICS)
def test_nothing_gives_no_number_and_uneven_lists_are_refused(name: str) -> None:
    metric = find("metrics", name)
    empty = metric([], [])
    assert len(empty.rows) == 0
    assert math.isnan(empty.value)
    shown = interval(empty)
    assert math.isnan(shown.low)
    assert math.isnan(shown.high)
    truths, answers = draw(name, np.random.default_rng(3), 32)
    with pytest.raises(InputError, match="one prediction a truth"):
        metric(truths, answers[:-1])


@pytest.mark.parametrize("name", METRICS)
def test_the_order_of_samples_means_nothing(name: str) -> None:
    metric = find("metrics", name)
    rng = np.random.default_rng(4)
    truths, answers = draw(name, rng, 32)
    order = rng.permutation(len(truths))
    turned = metric([truths[i] for i in order], [answers[i] for i in order])
    assert turned.value == pytest.approx(metric(truths, answers).value, abs=1e-9)


@pytest.mark.parametrize("name", METRICS)
def test_the_interval_covers_what_it_is_of(name: str) -> None:
    """95 % intervals cover, in 90-99 % of draws, the mean over fresh sets; the estimate of a few hundred sets."""
    metric = find("metrics", name)
    tallies = [metric(*draw(name, np.random.default_rng(seed), SAMPLES)) for seed in range(2 * SIMULATED)]
    truth = float(np.mean([tally.value for tally in tallies]))
    fresh = tallies[0].of.startswith("fresh samples")
    shown = [interval(tally, draws=200) for tally in tallies[: SIMULATED if fresh else SIMULATED // 3]]
    assert all(each.low <= each.value <= each.high for each in shown)
    covered = float(np.mean([each.low <= truth <= each.high for each in shown]))
    if fresh:
        assert 0.90 <= covered <= 0.99, f"{name}: {covered:.3f}"
    else:
        assert tallies[0].of == "this estimate"
        assert covered >= 0.85, f"{name}: {covered:.3f} of its own mean"
