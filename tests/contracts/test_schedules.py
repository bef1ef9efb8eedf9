"""What every schedule promises; a new one is found by itself."""

import math

import numpy as np
import pytest

from sightline.core import catalog

NAMES = catalog.names("schedules")
HISTORY = [0.1, 0.4, 0.4, 0.3, 0.2, 0.1, 0.1]


@pytest.mark.parametrize("name", NAMES)
def test_a_factor_between_nothing_and_one(name: str) -> None:
    schedule = catalog.find("schedules", name)
    for history in ([], HISTORY):
        for progress in np.linspace(0, 1, 101).tolist():
            factor = schedule(progress, history)
            assert type(factor) is float
            assert math.isfinite(factor)
            assert 0 < factor <= 1


@pytest.mark.parametrize("name", NAMES)
def test_it_reaches_the_whole_rate_somewhere_and_ends_no_higher_than_it_began(name: str) -> None:
    schedule = catalog.find("schedules", name)
    factors = [schedule(progress, []) for progress in np.linspace(0, 1, 1001).tolist()]
    assert max(factors) == pytest.approx(1, abs=1e-4)
    assert factors[-1] <= factors[0]


@pytest.mark.parametrize("name", NAMES)
def test_the_same_is_answered_twice_and_after_a_rest(name: str) -> None:
    """A schedule holds no state: what it says at a place does not depend on what it was asked before."""
    schedule = catalog.find("schedules", name)
    first = schedule(0.37, HISTORY)
    schedule(0.9, HISTORY[:2])
    assert schedule(0.37, list(HISTORY)) == first
