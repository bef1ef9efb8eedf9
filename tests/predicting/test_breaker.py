"""Who fails is let alone for a while."""

import time

from sightline.predicting.breaker import Breaker


def test_a_breaker_opens_tries_once_and_closes() -> None:
    made = Breaker(2, 0.05)
    made.bad()
    made.good()
    made.bad()
    assert made.allows()
    assert made.state == "closed"
    made.bad()
    assert made.state == "open"
    assert not made.allows()
    assert made.wait > 0
    time.sleep(0.06)
    assert made.state == "half open"
    assert [made.allows(), made.allows()] == [True, False]  # one question decides
    made.neither()
    assert made.allows()
    made.bad()
    assert not made.allows()
    time.sleep(0.06)
    assert made.allows()
    made.good()
    assert made.state == "closed"


def test_who_asks_for_a_pause_gets_it_whatever_was_before() -> None:
    made = Breaker(3, 60.0)
    made.later(0.2)
    assert made.state == "open"
    assert 0 < made.wait <= 0.2
    time.sleep(0.22)
    assert [made.allows(), made.allows()] == [True, False]
    made.bad()
    assert made.wait > 50  # it was asked again and failed, as often as anybody may
    made.good()
    assert made.allows()
