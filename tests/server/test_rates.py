"""Rates: a steady bucket, and in a crowd no caller with more than twice a fair share."""

import pytest

from sightline.core.errors import ServingError
from sightline.server.rates import Rates


class Clock:
    """Time that stands still until it is told."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def enters(rates: Rates, name: str) -> bool:
    """Whether a request gets in."""
    try:
        rates.enter(name)
    except ServingError:
        return False
    return True


def allowed(rates: Rates, name: str, count: int) -> int:
    """How many of so many requests, one after the other, get in."""
    got = 0
    for _ in range(count):
        if enters(rates, name):
            rates.leave(name)
            got += 1
    return got


def test_a_bucket_fills_steadily_and_not_beyond() -> None:
    clock = Clock()
    rates = Rates(10, 5, 8, clock)
    assert allowed(rates, "a", 20) == 5
    assert allowed(rates, "b", 20) == 5  # each has its own
    clock.now += 0.31
    assert allowed(rates, "a", 20) == 3
    clock.now += 60
    assert allowed(rates, "a", 20) == 5


def test_who_is_refused_is_told_how_long() -> None:
    clock = Clock()
    rates = Rates(0.5, 1, 8, clock)
    rates.enter("a")
    with pytest.raises(ServingError) as error:
        rates.enter("a")
    assert error.value.retry_after == pytest.approx(2.0)
    told = dict(rates.told("a"))
    assert told[b"ratelimit"] == b'"token";r=0;t=2'
    assert told[b"ratelimit-policy"] == b'"token";q=1;w=2'


def test_without_a_limit_nothing_is_counted_and_nothing_told() -> None:
    rates = Rates(0, 0, 8, Clock())
    assert allowed(rates, "a", 1000) == 1000
    assert rates.told("a") == []


def test_alone_a_caller_may_have_everything() -> None:
    rates = Rates(0, 0, 4, Clock())
    for _ in range(100):
        rates.enter("a")
    assert rates.inside == 100


def test_in_a_crowd_a_noisy_caller_gets_twice_its_share_and_no_more() -> None:
    clock = Clock()
    rates = Rates(0, 0, 8, clock)
    for name in range(10):
        rates.enter(f"quiet-{name}")
    clock.now += 0.2
    assert sum(enters(rates, "noisy") for _ in range(100)) == 2
    with pytest.raises(ServingError) as error:
        rates.enter("noisy")
    assert error.value.code == "rate"
    for name in range(10):  # the others still get in
        rates.enter(f"quiet-{name}")


def test_callers_are_forgotten() -> None:
    clock = Clock()
    rates = Rates(1, 2, 8, clock)
    for name in range(10_000):
        rates.enter(f"{name}")
        rates.leave(f"{name}")
    clock.now += 10
    rates.enter("new")
    assert len(rates._callers) == 1
