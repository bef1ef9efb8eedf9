"""Streams: bounded, counted, shared fairly; one source that fails ends alone and says how."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from sightline.core.errors import InputError, SettingsError
from sightline.core.image import ArrayImage
from sightline.core.progress import Event
from sightline.core.stream import Feed, Rest, Shot, Stream

PIXELS = np.zeros((2, 2, 1), np.uint8)


def shot(at: float = 0.0, **known: object) -> Shot:
    return Shot(ArrayImage(PIXELS), at, **known)  # type: ignore[arg-type]


def counting(count: int, error: Exception | None = None) -> Callable[[Rest], Iterator[Shot]]:
    def shots(rest: Rest) -> Iterator[Shot]:
        yield from (shot(number) for number in range(count))
        if error is not None:
            raise error

    return shots


def until(ready: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not ready():
        assert time.monotonic() < end
        time.sleep(0.002)


def test_every_shot_comes_in_order_with_its_number_and_its_source() -> None:
    with Stream([Feed("gate", counting(50))], queue=3) as stream:
        shots = list(stream)
    assert [(one.source, one.number, one.time) for one in shots] == [("gate", n, float(n)) for n in range(50)]
    assert shots[7].id == "gate#000007"
    assert stream.endings["gate"].taken == 50
    assert stream.endings["gate"].error is None


def test_a_shot_becomes_a_sample() -> None:
    made = shot(1.5, source="gate", number=3, group="film", attributes={"frame": 9}).sample()
    assert (made.id, made.group) == ("gate#000003", "film")
    assert made.attributes == {"source": "gate", "time": 1.5, "frame": 9}
    assert made.pixels() is PIXELS
    assert shot(source="inbox", name="a.png@12").id == "inbox/a.png@12"


def test_a_full_queue_makes_its_source_wait() -> None:
    with Stream([Feed("film", counting(100))], queue=4) as stream:
        next(stream)
        until(lambda: stream.taken["film"] >= 6)  # one given, four queued, one in hand
        time.sleep(0.05)
        assert stream.taken["film"] == 6
        assert stream.dropped["film"] == 0


@pytest.mark.parametrize(("drop", "left"), [("oldest", [16, 17, 18, 19]), ("newest", [0, 1, 2, 3])])
def test_what_gives_way_is_what_was_asked_for_and_is_counted(drop: str, left: list[int]) -> None:
    begun = threading.Event()

    def shots(rest: Rest) -> Iterator[Shot]:
        yield from counting(20)(rest)
        begun.set()

    stream = Stream([Feed("gate", shots, live=True)], queue=4, drop=drop)
    with stream:
        stream._begin()
        begun.wait(20)
        assert [one.number for one in stream] == left
    ending = stream.endings["gate"]
    assert (ending.taken, ending.dropped) == (20, 16)


def test_what_is_live_drops_the_oldest_unless_told() -> None:
    for live, dropped in ((True, 16), (False, 0)):
        stream = Stream([Feed("gate", counting(20), live=live)], queue=4)
        with stream:
            stream._begin()
            until(lambda stream=stream, live=live: stream.taken["gate"] >= (20 if live else 5))  # type: ignore[misc]
            assert len(list(stream)) == 20 - dropped
        assert stream.dropped["gate"] == dropped


def test_sources_take_turns() -> None:
    def slow(rest: Rest) -> Iterator[Shot]:
        for number in range(5):
            yield shot(number)

    with Stream([Feed("busy", counting(2000)), Feed("calm", slow)], queue=8) as stream:
        stream._begin()
        until(lambda: stream.taken["busy"] > 8 and stream.taken["calm"] == 5)
        first = [next(stream).source for _ in range(10)]
    assert first.count("calm") == 5


def test_one_that_fails_ends_alone() -> None:
    told: list[Event] = []
    broken = InputError("truncated", "the cable")
    feeds = [Feed("good", counting(40)), Feed("bad", counting(3, broken))]
    with Stream(feeds, tell=told.append) as stream:
        shots = [one.source for one in stream]
    assert (shots.count("good"), shots.count("bad")) == (40, 3)
    assert stream.endings["bad"].error is broken
    assert stream.endings["good"].error is None
    assert sorted(str(event.facts["source"]) for event in told) == ["bad", "good"]
    assert any("the cable" in event.text for event in told)


def test_when_all_have_failed_the_error_is_raised_after_the_last_shot() -> None:
    seen: list[Shot] = []
    feeds = [Feed(name, counting(count, InputError("missing", "the cable"))) for name, count in (("a", 3), ("b", 1))]
    with Stream(feeds) as stream, pytest.raises(InputError, match="the cable"):
        seen.extend(stream)
    assert len(seen) == 4


def test_a_bug_is_no_end_of_a_stream() -> None:
    with (
        pytest.raises(ZeroDivisionError),
        Stream([Feed("a", counting(3)), Feed("b", counting(0, ZeroDivisionError()))]) as stream,
    ):
        assert len(list(stream)) == 3


def test_what_breaks_off_is_opened_again_so_often_and_no_more() -> None:
    opened = []

    def shots(rest: Rest) -> Iterator[Shot]:
        opened.append(len(opened))
        if len(opened) in (1, 3):
            yield shot()
        raise InputError("truncated", "unplugged")

    with pytest.raises(InputError, match="unplugged"), Stream([Feed("camera", shots, tries=2, pause=0.001)]) as stream:
        assert [one.number for one in stream] == [0, 1]
    assert len(opened) == 5  # fails after a shot, at once, after a shot, at once, at once
    assert stream.endings["camera"].reopened == 4


def test_closing_ends_a_source_that_waits_and_one_that_is_full() -> None:
    closed = []

    def waiting(rest: Rest) -> Iterator[Shot]:
        try:
            yield shot()
            while not rest(60):
                pass
        finally:
            closed.append("waiting")

    feeds = [Feed("waiting", waiting), Feed("full", counting(10**9), close=lambda: closed.append("full"))]
    begun = time.monotonic()
    with Stream(feeds, queue=2) as stream:
        for one in stream:
            if one.number == 5:
                break
    assert time.monotonic() - begun < 5
    assert sorted(closed) == ["full", "waiting"]
    assert not [thread for thread in threading.enumerate() if thread.name in ("sightline-waiting", "sightline-full")]
    assert list(stream) == []


def test_a_source_that_hangs_is_left_behind_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sightline.core.stream.FAREWELL", 0.1)
    free = threading.Event()

    def hanging(rest: Rest) -> Iterator[Shot]:
        yield shot()
        free.wait(20)

    with Stream([Feed("stuck", hanging)]) as stream:
        next(stream)
    free.set()
    assert "did not end" in str(stream.endings["stuck"].error)


def test_a_shot_is_done_when_the_next_is_asked_for_and_not_when_the_work_on_it_failed() -> None:
    done: list[int] = []
    feed = Feed("inbox", counting(10), done=lambda one: done.append(one.number))
    with Stream([feed]) as stream:
        next(stream)
        assert done == []
        next(stream)
        assert done == [0]
    assert done == [0, 1]
    done.clear()
    with contextlib.suppress(KeyError), Stream([feed]) as stream:
        next(stream)
        next(stream)
        raise KeyError
    assert done == [0]


def test_settings_are_checked() -> None:
    feed = Feed("a", counting(1))
    with pytest.raises(SettingsError, match="two sources are called 'a'"):
        Stream([feed, feed])
    with pytest.raises(SettingsError, match="queue = 0"):
        Stream([feed], queue=0)
    with pytest.raises(SettingsError, match="Did you mean 'oldest'"):
        Stream([feed], drop="oldes")
    with pytest.raises(SettingsError, match="drops none"):
        Stream([Feed("a", counting(1), done=lambda one: None)], drop="oldest")


def test_many_streams_at_once() -> None:
    with Stream([Feed(f"camera-{n}", counting(50)) for n in range(32)], queue=2) as stream:
        shots = list(stream)
    assert len(shots) == 32 * 50
    for name in stream.taken:
        assert [one.number for one in shots if one.source == name] == list(range(50))
