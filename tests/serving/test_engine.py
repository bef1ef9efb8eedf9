"""Real workers, tiny models: what is asked is answered by who should answer, in time, whatever happens beside it."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sightline.core import bundle
from sightline.core.annotations import Labels
from sightline.core.calibration import Calibration
from sightline.core.conformal import Sets
from sightline.core.errors import InputError, ServingError, SettingsError
from sightline.core.image import StoredImage
from sightline.core.limits import Limits
from sightline.core.sample import Sample
from sightline.core.task import Arrays
from sightline.predicting.model import load
from sightline.serving import engine as engines
from sightline.serving.asking import Ask, Reply
from sightline.serving.engine import Engine
from sightline.serving.fixed import Fixed
from sightline.serving.nursery import Warm, measured
from sightline.serving.settings import Settings
from sightline.testing.bundles import BRIGHT, graph, levels, picture
from tests.serving.shelf import FAULTY, STRANGE, Shelf, engine

DARK = picture(30)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    made = Shelf(tmp_path)
    made.put(1, champion=True)
    return made


@pytest.fixture
def strange(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(STRANGE))


def labels(reply: Reply) -> Labels:
    assert isinstance(reply.answer, Labels)
    return reply.answer


async def code_of(made: Engine, ask: Ask) -> str:
    with pytest.raises((InputError, ServingError)) as caught:
        await made.predict(ask)
    return str(caught.value.code)


def slow(shelf: Shelf, number: int = 1, seconds: float = 0.05) -> None:
    """A version that takes its time without computing."""
    shelf.put(number, task="strange", options={"seconds": seconds}, champion=True)


async def loaded(made: Engine, work: Any, clients: int = 4, **asked: Any) -> list[Reply | Exception]:
    """What steady callers are answered while something is done."""
    answers: list[Reply | Exception] = []
    done = asyncio.Event()

    async def call() -> None:
        while not done.is_set():
            try:
                answers.append(await made.predict(Ask("m", DARK, **asked)))
            except ServingError as error:
                answers.append(error)
            await asyncio.sleep(0.004)

    callers = [asyncio.create_task(call()) for _ in range(clients)]
    try:
        await work
    finally:
        done.set()
        await asyncio.gather(*callers)
    return answers


# ---------------------------------------------------------------------------------------------------------- answering


def test_it_answers_as_the_bundle_does_by_itself(tmp_path: Path) -> None:
    async def work() -> None:
        path = levels(tmp_path / "toy.sightline", 3, "classify")
        async with engine(Fixed([path]), batch=16) as made:
            assert made.ready
            model = load(path, threads=1)
            for level in (30, 90, 220):
                reply = await made.predict(Ask("toy", picture(level), deadline=time.monotonic() + 10))
                wanted = model.predict(picture(level))[0]
                assert labels(reply).names == wanted.names
                np.testing.assert_array_equal(labels(reply).scores, wanted.scores)
                assert reply.decision == model.judge(wanted)
                assert (reply.model, reply.number, reply.arm, reply.seal) == ("toy", 1, "champion", model.version)
                assert set(reply.seconds) == {"queue", "decode", "compute"}
                assert reply.least == model.least
            pixels = np.full((20, 30, 3), 220, np.uint8)
            assert labels(await made.predict(Ask("toy", pixels, which=1))).best == BRIGHT
            assert (await made.predict(Ask("toy", DARK, least=0.99))).decision.unsure  # type: ignore[union-attr]
            assert await code_of(made, Ask("toy", b"nothing")) == "unknown_format"
            assert await code_of(made, Ask("toy", np.zeros((4, 4, 7), np.uint8))) == "mismatch"
            assert await code_of(made, Ask("tyo", DARK)) == "not_found"
            assert await code_of(made, Ask("toy", DARK, which=9)) == "not_found"
            told = made.state()
            version = told["models"]["toy"]["versions"][1]
            assert made._posts.crews()[0].staff.measured["shared"]
            assert version["state"] == "ready"
            assert len(version["workers"]) == 2
            assert version["about"]["task"] == "classify"
            assert told["counts"]["answered"] == 5
            assert told["counts"]["not_found"] == 2
            if sys.platform == "linux":
                assert version["protection"]["limits"]
                assert version["protection"]["seccomp"]
            workers = version["workers"]
        assert not made.ready
        assert await code_of(made, Ask("toy", DARK)) == "draining"
        await asyncio.sleep(0.05)
        assert not any(map(_lives, workers))

    asyncio.run(work())


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def test_an_answer_does_not_depend_on_its_neighbours(shelf: Shelf) -> None:
    """Groups of any size, with something unreadable among them: each item has the answer that it has alone."""

    async def work() -> None:
        async with engine(shelf, batch=8) as made:
            crew = made._posts.post("m").champion
            assert crew is not None
            pictures = [picture(level) for level in range(0, 250, 10)]
            alone = [labels(await made.predict(Ask("m", data))).scores for data in pictures]
            crew.group = 8  # whatever was measured to pay here
            asked = [made.predict(Ask("m", data)) for data in pictures]
            asked.insert(3, made.predict(Ask("m", b"bad")))
            asked.insert(9, made.predict(Ask("m", DARK[:50])))
            given = await asyncio.gather(*asked, return_exceptions=True)
            wrong = [one for one in given if isinstance(one, BaseException)]
            assert [getattr(one, "code", one) for one in wrong] == ["unknown_format", "truncated"]
            assert given.index(wrong[0]) == 3
            assert given.index(wrong[1]) == 9
            replies = [one for one in given if isinstance(one, Reply)]
            for reply, scores in zip(replies, alone, strict=True):
                np.testing.assert_allclose(labels(reply).scores, scores, rtol=0, atol=1e-6)

    asyncio.run(work())


@pytest.mark.parametrize(
    ("reading", "group", "each"),
    [
        (0.0, 4, 2.0),
        (20.0, 4, 22.0),  # pictures are read one by one in any group: what a pass saves is the same
        (200.0, 1, 204.0),  # next to which two milliseconds are nothing
    ],
)
def test_groups_are_of_the_size_that_pays_also_where_a_smaller_one_does_not(
    shelf: Shelf, reading: float, group: int, each: float
) -> None:
    opened = load(shelf.version("m", 1).path)
    needs = {1: 4, 2: 8, 4: 8}  # milliseconds that so many rows take; more take as long a row
    shown = [0.0]  # by a clock that nothing but rows and pictures moves

    def run(arrays: Arrays) -> Arrays:
        rows = len(arrays["image"])
        shown[0] += needs.get(rows, 2 * rows) / 1000
        return opened.run(arrays)

    def fetch() -> bytes:
        shown[0] += reading / 1000
        return DARK

    samples = [Sample("one", (StoredImage("one", fetch),))]
    model = replace(opened, run=run)
    warm = Warm(model=model, samples=samples, wanted=model.predict(samples), seed=0, tolerance=0.01)
    found = measured(warm, 16, clock=lambda: shown[0])
    assert found["group"] == group
    assert found["apart"] <= 1e-6
    assert found["each"] == pytest.approx(each / 1000)
    assert found["single"] == pytest.approx((4 + reading) / 1000)


def test_what_is_given_with_a_picture_reaches_the_model(shelf: Shelf, strange: None) -> None:
    async def work() -> None:
        slow(shelf, seconds=0.0)
        async with engine(shelf) as made:
            usual = labels(await made.predict(Ask("m", DARK))).names
            said = await made.predict(Ask("m", DARK, given={"say": "so"}))
            assert labels(said).names == ("so",) != usual

    asyncio.run(work())


def test_a_version_that_takes_its_time_is_not_measured_for_ever(shelf: Shelf, strange: None) -> None:
    async def work() -> float:
        slow(shelf, seconds=0.4)
        begun = time.monotonic()
        async with engine(shelf, batch=32) as made:
            assert made.ready
            return time.monotonic() - begun

    assert asyncio.run(work()) < 15  # all sizes of groups would take a minute


def test_what_comes_while_a_group_begins_goes_together(
    shelf: Shelf, strange: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "TICK", 60.0)  # that nobody else looks

    async def work() -> None:
        slow(shelf, seconds=0.4)
        async with engine(shelf, workers=1, batch=8) as made:
            crew = made._posts.post("m").champion
            assert crew is not None
            crew.group, crew.each = 8, 0.4  # as if larger ones had been measured to pay
            first = asyncio.create_task(made.predict(Ask("m", DARK)))
            await asyncio.sleep(0.02)
            others = []
            for _ in range(3):
                others.append(asyncio.create_task(made.predict(Ask("m", DARK))))
                await asyncio.sleep(0.02)
            [hand] = crew.hands
            assert (len(hand.groups), crew.waiting) == (1, 3)  # it has only begun
            await asyncio.sleep(0.2)
            assert [len(group.items) for group in hand.groups] == [1, 3]  # and never waits for the next
            assert not first.done()
            await asyncio.gather(first, *others)

    asyncio.run(work())


def test_answers_are_remembered_by_content_and_version(shelf: Shelf) -> None:
    async def work() -> None:
        shelf.put(2)
        async with engine(shelf, memory=10_000) as made:
            first, second = await made.predict(Ask("m", DARK)), await made.predict(Ask("m", bytes(bytearray(DARK))))
            assert (first.kept, second.kept) == (False, True)
            assert labels(first).gap(labels(second)) == 0
            assert not (await made.predict(Ask("m", DARK, least=0.9))).kept
            assert not (await made.predict(Ask("m", DARK, which=2))).kept
            for level in range(100):
                await made.predict(Ask("m", picture(level)))
            assert 0 < made.memory.held <= 10_000
            assert not (await made.predict(Ask("m", DARK))).kept

    asyncio.run(work())


# ------------------------------------------------------------------------------------------------------ swap, roll back


def test_swaps_under_load_answer_with_the_version_that_they_name(shelf: Shelf) -> None:
    async def work() -> None:
        shelf.put(2)
        async with engine(shelf) as made:

            async def swap() -> None:
                for turn in range(8):
                    number = 2 - turn % 2
                    shelf.promote(number)
                    begun = time.monotonic()
                    await made.refresh()
                    assert turn == 0 or time.monotonic() - begun < 1.0  # the way back is warm
                    assert (await made.predict(Ask("m", DARK))).number == number

            answers = await loaded(made, swap())
            assert not [one for one in answers if isinstance(one, Exception)]
            replies = [one for one in answers if isinstance(one, Reply)]
            assert {reply.number for reply in replies} == {1, 2}
            assert all(labels(reply).best == f"v{reply.number}" for reply in replies)
            assert made.state()["models"]["m"]["swaps"] == 8

    asyncio.run(work())


def test_a_bad_version_never_answers_and_says_why(shelf: Shelf, strange: None, tmp_path: Path) -> None:
    async def work() -> None:
        shelf.put(2)
        broken = levels(tmp_path / "x.sightline", 3, "classify")
        data = bytearray(broken.read_bytes())
        data[len(data) // 2] ^= 1
        nan = graph(bias=float("nan"))
        shelf.put(4, seal="0" * 64)
        shelf.put(5, content=graph(outputs=3), wanted=Labels(("v5", BRIGHT), np.array([0.9, 0.1], np.float32)))
        shelf.put(6, content=nan)
        shelf.put(7, task="strange", options={"seconds": 0.4})
        shelf.put(8, task="strange", options={"dies": True})
        shelf.put(3).write_bytes(data)
        shelf.put(9).unlink()
        wanted = {
            3: "damaged|changed|checksum", 4: "registered", 5: "golden answers|names|shape", 6: "NaN",
            7: "a golden answer took", 8: "process died", 9: "cannot be read",
        }  # fmt: skip
        async with engine(shelf, slow=0.2) as made:

            async def swaps() -> None:
                for number in wanted:
                    shelf.promote(number)
                    await made.refresh()
                    told = made.state()["models"]["m"]
                    assert told["champion"] == 1
                    assert told["wanted"] == number
                    _matches(told["refused"][number], wanted[number])
                    assert str(tmp_path) not in str(told["refused"])
                    assert await code_of(made, Ask("m", DARK, which=number)) == "not_ready"

            answers = await loaded(made, swaps(), clients=2)
            assert len(answers) > 5
            assert all(isinstance(one, Reply) and one.number == 1 for one in answers)
            assert made.ready
            shelf.promote(2)
            await made.refresh()
            assert (await made.predict(Ask("m", DARK))).number == 2

    asyncio.run(work())


def _matches(text: str, wanted: str) -> None:
    assert any(word in text for word in wanted.split("|")), text


def test_a_version_that_takes_too_long_to_come_is_given_up(shelf: Shelf, strange: None) -> None:
    async def work() -> None:
        async with engine(shelf, start=2.0) as made:
            shelf.put(2, task="strange", options={"seconds": 5.0}, champion=True)
            begun = time.monotonic()
            waiting = asyncio.create_task(made.refresh())
            await asyncio.sleep(0.1)
            shelf.put(3, champion=True)
            await made.refresh()  # who comes later does not wait for it
            assert time.monotonic() - begun < 1.5
            assert (await made.predict(Ask("m", DARK))).number == 3
            await waiting

    asyncio.run(work())


def test_traffic_is_shared_shadows_listen_and_versions_are_had_by_name(shelf: Shelf) -> None:
    async def work() -> None:
        shelf.put(2)
        shelf.put(3)
        shelf.named["m"] |= {"challenger": 2}
        shelf.shares["m"] = {"kind": "split", "shares": {"champion": 0.5, "challenger": 0.5}, "id": "x"}
        heard: list[Reply] = []
        async with engine(shelf) as made:
            made.shadow = lambda ask, reply: heard.append(reply)
            arms = {}
            for caller in range(20):
                reply = await made.predict(Ask("m", DARK, caller=f"c{caller}"))
                arms[f"c{caller}"] = reply.arm
                assert labels(reply).best == {"champion": "v1", "challenger": "v2"}[reply.arm]
            assert set(arms.values()) == {"champion", "challenger"}
            for caller, arm in arms.items():
                assert (await made.predict(Ask("m", DARK, caller=caller))).arm == arm
            assert labels(await made.predict(Ask("m", DARK, which="challenger"))).best == "v2"
            assert labels(await made.predict(Ask("m", DARK, which=3))).best == "v3"
            shelf.shares["m"] = {"kind": "shadow", "shares": {"champion": 1.0}, "shadows": ["challenger"], "id": "y"}
            shelf.turns += 1
            await made.refresh()
            assert (await made.predict(Ask("m", DARK))).number == 1
            await asyncio.sleep(0.1)
            assert [reply.number for reply in heard] == [2]

    asyncio.run(work())


def test_the_latest_version_is_had_by_that_word(tmp_path: Path) -> None:
    from sightline.registering.registry import open_registry

    async def work() -> None:
        with open_registry(tmp_path / "registry") as registry:
            for number in (1, 2):
                registry.register("m", levels(tmp_path / f"{number}.sightline", number, "classify"))
            async with engine(registry) as made:
                assert labels(await made.predict(Ask("m", DARK))).best == "v1"
                reply = await made.predict(Ask("m", DARK, which="latest"))
                assert (reply.number, reply.arm) == (2, "latest")
                registry.register("m", levels(tmp_path / "3.sightline", 3, "classify"))
                registry.set_traffic("m", {"kind": "split", "shares": {"champion": 0.5, "latest": 0.5}})
                await made.refresh()
                assert labels(await made.predict(Ask("m", DARK, which="latest"))).best == "v3"
                drawn = [await made.predict(Ask("m", DARK, caller=f"c{caller}")) for caller in range(20)]
                assert {(reply.arm, labels(reply).best) for reply in drawn} == {("champion", "v1"), ("latest", "v3")}

    asyncio.run(work())


def with_sets(path: Path) -> Path:
    """The same bundle with sets of names at one level, as a run with few pictures to validate has them."""
    opened = bundle.load(path)
    known = Calibration(("v1", BRIGHT), sets=Sets("score", 0.9, {0.9: (0.3,)}, 9), count=9)
    return bundle.save(path, {**opened.model, "calibration": known.to_json()}, opened.files)


def test_a_level_without_sets_is_refused_and_harms_no_worker(tmp_path: Path) -> None:
    async def work() -> None:
        sets = with_sets(levels(tmp_path / "sets.sightline", 1, "classify"))
        none = levels(tmp_path / "none.sightline", 1, "classify")
        async with engine(Fixed([sets, none])) as made:
            reply = await made.predict(Ask("sets", DARK, level=0.9))
            assert reply.decision is not None
            assert reply.decision.level == 0.9
            for name, has in {"sets": "sets at 0.9", "none": "no sets"}.items():
                with pytest.raises(ServingError, match=f"level 0.95: '{name}' has {has}") as caught:
                    await made.predict(Ask(name, DARK, level=0.95))
                assert caught.value.status == 400
            assert made.crashes == 0
            assert labels(await made.predict(Ask("sets", DARK))).best == "v1"

    asyncio.run(work())


def test_the_limit_that_was_asked_for_is_the_one_that_is_told(shelf: Shelf) -> None:
    async def work() -> None:
        async with engine(shelf) as made:
            usual = (await made.predict(Ask("m", DARK))).least
            assert (await made.predict(Ask("m", DARK, least=0.99))).least == 0.99
            assert usual != 0.99

    asyncio.run(work())


def test_several_models_live_side_by_side_within_a_limit(shelf: Shelf) -> None:
    async def work() -> None:
        for place, name in enumerate(("a", "b", "c")):
            shelf.put(10 + place, name, champion=True)
        async with engine(shelf, sessions=2) as made:
            for _ in range(2):
                for name, best in {"m": "v1", "a": "v10", "b": "v11", "c": "v12"}.items():
                    assert labels(await made.predict(Ask(name, DARK))).best == best
                    await asyncio.sleep(0.03)
                    assert len(made._posts.crews()) <= 2
            assert made.ready

    asyncio.run(work())


# -------------------------------------------------------------------------------------------------- queue and deadlines


def test_nothing_late_is_computed_and_who_leaves_frees_a_place(shelf: Shelf, strange: None) -> None:
    async def work() -> None:
        slow(shelf, seconds=0.1)
        async with engine(shelf, ahead=0) as made:
            begun = time.monotonic()  # it is with a worker when its time is over: nobody waits for that worker
            assert await code_of(made, Ask("m", DARK, deadline=begun + 0.03)) == "deadline"
            assert time.monotonic() - begun < 0.09
            await asyncio.sleep(0.1)
            busy = [asyncio.create_task(made.predict(Ask("m", DARK))) for _ in range(2)]
            await asyncio.sleep(0.02)
            begun = time.monotonic()
            late = asyncio.create_task(made.predict(Ask("m", DARK, deadline=begun + 0.06)))
            gone = asyncio.create_task(made.predict(Ask("m", DARK)))
            await asyncio.sleep(0)
            crew = made._posts.post("m").champion
            assert crew is not None
            assert crew.waiting >= 1
            gone.cancel()
            with pytest.raises(ServingError) as caught:
                await late
            assert caught.value.code in ("deadline", "queue_full")
            assert time.monotonic() - begun < 0.16
            await asyncio.gather(*busy)
            await asyncio.sleep(0.15)
            assert crew.served == 3
            assert crew.waiting == 0
            assert crew.flying == 0
            assert made.state()["asked"] == 0

    asyncio.run(work())


def test_more_than_can_be_answered_is_turned_away_at_once(shelf: Shelf, strange: None) -> None:
    """Ten times as much as two workers of 20 ms can do: those who are let in are answered in time."""

    async def work() -> None:
        slow(shelf, seconds=0.02)
        async with engine(shelf) as made:
            for _ in range(20):
                await asyncio.gather(*(made.predict(Ask("m", DARK)) for _ in range(2)))
            spent: list[float] = []
            refused: list[tuple[float, ServingError]] = []

            async def call() -> None:
                begun = time.monotonic()
                try:
                    await made.predict(Ask("m", DARK, deadline=begun + 0.15))
                    spent.append(time.monotonic() - begun)
                except ServingError as error:
                    refused.append((time.monotonic() - begun, error))

            for _ in range(5):  # a second that took two was the machine's, and says nothing
                spent.clear()
                refused.clear()
                begun, calls = time.monotonic(), []
                while time.monotonic() - begun < 1.0:
                    calls.append(asyncio.create_task(call()))
                    await asyncio.sleep(0.001)
                await asyncio.gather(*calls)
                if (seconds := time.monotonic() - begun) < 1.4:
                    break
            full = [(took, error) for took, error in refused if error.code == "queue_full"]
            assert len(spent) > 0.6 * 2 * seconds / made._posts.crews()[0].each
            assert np.percentile(spent, 90) < 0.25
            assert len(full) > 0.8 * len(refused)
            assert np.median([took for took, _ in full]) < 0.05
            assert all(error.retry_after and error.status == 429 for _, error in full)
            again = time.monotonic()
            await made.predict(Ask("m", DARK))
            assert time.monotonic() - again < 0.3

    asyncio.run(work())


def test_what_was_accepted_is_answered_before_it_stops(shelf: Shelf, strange: None) -> None:
    async def work() -> None:
        slow(shelf, seconds=0.05)
        async with engine(shelf) as made:
            asked = [asyncio.create_task(made.predict(Ask("m", DARK))) for _ in range(6)]
            await asyncio.sleep(0.01)
            await made.stop(5)
            assert [(await one).number for one in asked] == [1] * 6

    asyncio.run(work())


# ----------------------------------------------------------------------------------------------------- workers that die


def test_killed_workers_are_replaced_and_nobody_notices(shelf: Shelf, strange: None) -> None:
    async def work() -> None:
        slow(shelf, seconds=0.004)
        async with engine(shelf) as made:
            crew = made._posts.post("m").champion
            assert crew is not None

            async def kills() -> None:
                for turn in range(7):
                    await asyncio.sleep(0.03)
                    os.kill(crew.hands[turn % len(crew.hands)].pid, signal.SIGKILL)
                    begun = time.monotonic()
                    while len(crew.hands) < 2 and time.monotonic() - begun < 2:
                        await asyncio.sleep(0.005)
                    assert len(crew.hands) == 2

            answers = await loaded(made, kills())
            assert all(isinstance(one, Reply) or one.code == "worker_lost" for one in answers)  # type: ignore[union-attr]
            assert sum(isinstance(one, Exception) for one in answers) <= 7
            assert crew.deaths == 7
            assert not made.ready

    asyncio.run(work())


def test_a_model_outlives_the_processes_that_its_workers_come_from(shelf: Shelf) -> None:
    async def work() -> None:
        async with engine(shelf) as made:
            crew, process = made._posts.post("m").champion, made._process
            assert crew is not None
            assert process is not None
            parent = int(Path(f"/proc/{crew.hands[0].pid}/stat").read_text().rpartition(")")[2].split()[1])
            process.kill()
            assert await asyncio.to_thread(process.wait) < 0
            for _ in range(20):
                assert (await made.predict(Ask("m", DARK))).number == 1
            assert crew.deaths == 0  # who was born lives on
            os.kill(parent, signal.SIGKILL)
            for hand in list(crew.hands):
                os.kill(hand.pid, signal.SIGKILL)
            reply = await asyncio.wait_for(made.predict(Ask("m", DARK)), 10)
            assert reply.number == 1

    asyncio.run(work())


@pytest.mark.parametrize("backend", ["openvino", "fastest"])
def test_a_version_is_served_by_the_runtime_that_is_asked_for(tmp_path: Path, backend: str) -> None:
    """By all of its workers, by those that replace them, and within what is allowed."""
    shelf = Shelf(tmp_path)
    shelf.put(1, champion=True)

    async def work() -> None:
        async with engine(shelf, backend=backend, allow=0.02) as made:
            crew = made._posts.post("m").champion
            assert crew is not None
            taken, precision, reach = crew.staff.measured["form"]
            assert taken == backend or backend == "fastest"
            assert precision in ("float32", "bfloat16")
            assert 0 < reach < 0.03
            assert crew.staff.about["backend"] == taken
            first = labels(await made.predict(Ask("m", DARK)))
            os.kill(crew.hands[0].pid, signal.SIGKILL)
            for _ in range(6):
                later = labels(await made.predict(Ask("m", DARK, deadline=time.monotonic() + 20)))
                assert later.gap(first) < 1e-6

    asyncio.run(work())


@pytest.mark.parametrize(
    "odd",
    [
        np.zeros(5, np.uint8),
        np.zeros((2, 2, 2, 2, 3), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
        np.full((4, 4, 3), None),
        np.zeros((4, 4, 3), np.complex64),
    ],
    ids=["row", "five sides", "empty", "objects", "complex"],
)
def test_arrays_that_are_no_pictures_are_refused_before_they_are_sent(shelf: Shelf, odd: np.ndarray) -> None:
    async def work() -> None:
        async with engine(shelf, workers=1) as made:
            assert await code_of(made, Ask("m", odd)) == "unsupported"
            assert (await made.predict(Ask("m", DARK))).number == 1
            crew = made._posts.post("m").champion
            assert crew is not None
            assert crew.deaths == 0

    asyncio.run(work())


def test_a_runtime_that_is_not_there_is_named_at_once() -> None:
    with pytest.raises(SettingsError, match="backend 'vulkan': must be auto, fastest, onnx"):
        Settings(backend="vulkan")
    for wrong in (-0.1, float("nan"), float("inf")):
        with pytest.raises(SettingsError, match="allow = "):
            Settings(allow=wrong)


def test_a_runtime_that_cannot_serve_is_said_in_one_sentence(shelf: Shelf) -> None:
    async def work() -> None:
        async with engine(shelf, backend="coreml") as made:
            with pytest.raises(ServingError) as caught:
                await made.predict(Ask("m", DARK))
            assert "no version of 'm' is ready: version 1: 'coreml' writes files for others" in str(caught.value)
            assert ".." not in str(caught.value)

    asyncio.run(work())


def test_only_what_comes_from_the_root_is_ever_killed(shelf: Shelf) -> None:
    """The number of a worker that has ended may be somebody else's by then."""

    async def work() -> None:
        async with engine(shelf) as made:
            crew, root = made._posts.post("m").champion, made._root
            assert crew is not None
            assert root is not None
            with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
                for number in (other.pid, 0, -1):
                    root.kill(number)
                root.kill(crew.hands[0].pid)
                other.communicate(b"\n", timeout=20)
                assert other.returncode == 0
            for _ in range(1000):
                if crew.deaths:
                    break
                await asyncio.sleep(0.005)
            assert crew.deaths == 1

    asyncio.run(work())


def test_a_runtime_with_threads_is_opened_in_each_worker(shelf: Shelf, strange: None) -> None:
    """Threads do not survive a fork, so such a version cannot be shared; it is served and replaced all the same."""

    async def work() -> None:
        shelf.put(2, task="strange", options={"threads": True}, champion=True)
        async with engine(shelf, workers=1) as made:
            crew = made._posts.post("m").champion
            assert crew is not None
            assert crew.staff.measured["shared"] is False
            assert (await made.predict(Ask("m", DARK))).number == 2
            os.kill(crew.hands[0].pid, signal.SIGKILL)
            assert (await made.predict(Ask("m", DARK, deadline=time.monotonic() + 10))).number == 2

    asyncio.run(work())


def test_a_picture_that_kills_harms_itself_alone(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(FAULTY))
    wanted = {
        "abort": "crashed", "segfault": "crashed", "exit": "crashed", "babble": "crashed", "sleep": "too_slow",
    }  # fmt: skip

    async def work() -> None:
        async with engine(shelf, limits=Limits(seconds=0.8, room=128 * 2**20)) as made:
            got: dict[str, list[str]] = {}

            async def faults() -> None:
                for word in wanted:
                    asked = Ask("m", f"FAULTY!{word}".encode())
                    got[word] = [await code_of(made, asked) for _ in range(3)]

            answers = await loaded(made, faults(), clients=2)
            assert all(isinstance(one, Reply) for one in answers)
            for word, code in wanted.items():
                assert got[word][0] == code, word
                assert got[word][2] == "refused", word
            assert made.ready  # pictures do not make a service look ill

    asyncio.run(work())


@pytest.mark.parametrize("word", ["swell_in_c", "swell_late"])
def test_a_worker_whose_memory_a_picture_took_takes_no_other(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    """A decoder that leaks gives nothing back: its worker makes room for one other, and was it stuck before, too."""
    monkeypatch.syspath_prepend(str(FAULTY))

    async def work() -> None:
        async with engine(shelf, limits=Limits(room=128 * 2**20)) as made:
            crew = made._posts.post("m").champion
            assert crew is not None
            for turn in range(4):
                before = {hand.pid for hand in crew.hands}
                assert await code_of(made, Ask("m", f"FAULTY!{word} {turn}".encode())) == "too_large"
                begun = time.monotonic()
                while len({hand.pid for hand in crew.hands} - before) < 1 and time.monotonic() - begun < 10:
                    await asyncio.sleep(0.01)
                assert len({hand.pid for hand in crew.hands} & before) == 1, "the other one stays"
                assert len(crew.hands) == 2
                assert labels(await made.predict(Ask("m", DARK))).best
            assert crew.deaths == 0
            assert made.ready

    asyncio.run(work())


def test_a_worker_that_is_lost_at_its_birth_is_replaced_too(shelf: Shelf) -> None:
    """While it is being born it counts as one that is there soon; when that is over, it is looked again."""

    async def work() -> None:
        async with engine(shelf) as made:
            crew = made._posts.post("m").champion
            assert crew is not None
            staff, lost = crew.staff, []
            pump = staff._pump

            def first_breath() -> None:
                if not lost:
                    lost.append(staff.hands[-1].pid)
                    staff.hands[-1]._hung_up()
                pump()

            staff._pump = first_breath
            first = crew.hands[0].pid
            os.kill(first, signal.SIGKILL)
            begun = time.monotonic()
            while (not lost or len(crew.hands) < 2) and time.monotonic() - begun < 10:
                await asyncio.sleep(0.01)
            assert lost
            assert len(crew.hands) == 2
            assert {first, *lost}.isdisjoint(hand.pid for hand in crew.hands)
            assert (await made.predict(Ask("m", DARK))).number == 1

    asyncio.run(work())


def test_nobody_waits_behind_a_picture_that_hangs(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies with a stuck worker is given to another long before that one is ended."""
    monkeypatch.syspath_prepend(str(FAULTY))

    async def work() -> None:
        async with engine(shelf, workers=1, limits=Limits(seconds=4.0)) as made:
            crew = made._posts.post("m").champion
            assert crew is not None
            stuck = asyncio.create_task(code_of(made, Ask("m", b"FAULTY!sleep")))
            await asyncio.sleep(0.01)
            begun = time.monotonic()
            assert (await made.predict(Ask("m", DARK))).number == 1
            assert time.monotonic() - begun < 3.0
            assert not stuck.done()
            assert len(crew.hands) == 2
            assert await stuck == "too_slow"

    asyncio.run(work())


FRONT = """
import asyncio, sys
from sightline.serving.asking import Ask
from sightline.serving.engine import Engine
from sightline.serving.fixed import Fixed
from sightline.serving.settings import Settings
from sightline.serving.settings import Settings

async def main():
    made = Engine(Fixed([sys.argv[1]]), Settings(workers=1, poll=60))
    await made.start()
    asyncio.create_task(made.predict(Ask("m-1", b"FAULTY!sleep")))
    await asyncio.sleep(0.1)
    print(made.state()["models"]["m-1"]["versions"][1]["workers"][0], made._process.pid, flush=True)
    await asyncio.sleep(3600)

asyncio.run(main())
"""


def test_nothing_is_left_of_a_service_that_was_killed(shelf: Shelf) -> None:
    """Not even a worker that is stuck in a picture."""
    paths = os.pathsep.join([str(FAULTY), *sys.path])
    command = [sys.executable, "-c", FRONT, str(shelf.versions["m"][1].path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": paths}) as front:
        assert front.stdout
        pids = [int(word) for word in front.stdout.readline().split()]
        assert all(map(_lives, pids))
        front.kill()
    until = time.monotonic() + 5
    while any(map(_lives, pids)) and time.monotonic() < until:
        time.sleep(0.01)
    assert not any(map(_lives, pids))


@pytest.mark.skipif(sys.platform != "linux", reason="walls of Linux")
def test_workers_have_given_up_what_they_do_not_need(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a worker tries to do is told by the brightness of the picture that its decoder then makes."""
    monkeypatch.syspath_prepend(str(FAULTY))

    async def work() -> None:
        async with engine(shelf) as made:
            tries = (
                "open /etc/passwd",
                "list /etc",
                "write /tmp/sightline-x",
                "socket AF_INET",
                "execve",
                "fork",
                "spawn",
            )
            fine = labels(await made.predict(Ask("m", b"FAULTY!well done"))).scores
            denied = labels(await made.predict(Ask("m", b"FAULTY!well deny"))).scores
            assert fine is not None
            assert denied is not None
            assert np.abs(fine - denied).max() > 0
            for one in tries:
                given = labels(await made.predict(Ask("m", f"FAULTY!{one}".encode()))).scores
                np.testing.assert_array_equal(given, denied, one)

    asyncio.run(work())


def test_a_version_that_fails_is_let_alone_and_tried_again(shelf: Shelf, strange: None) -> None:
    async def work() -> None:
        shelf.put(2, task="strange", options={"fails": 7.2}, champion=False)
        bright = picture(255)
        async with engine(shelf, failures=3, rest=0.3) as made:
            shelf.promote(2)
            await made.refresh()
            assert (await made.predict(Ask("m", DARK))).number == 2
            for _ in range(3):
                reply = await made.predict(Ask("m", bright))
                assert (reply.arm, reply.number) == ("fallback", 1)
            crew = made._posts.post("m").champion
            assert crew is not None
            assert crew.breaker.state == "open"
            assert (await made.predict(Ask("m", DARK))).arm == "fallback"
            served = crew.served
            await asyncio.sleep(0.35)
            assert (await made.predict(Ask("m", bright))).arm == "fallback"  # tried, failed, let alone again
            assert crew.breaker.state == "open"
            assert crew.served == served
            await asyncio.sleep(0.35)
            assert (await made.predict(Ask("m", DARK))).number == 2
            assert crew.breaker.state == "closed"

    asyncio.run(work())


def test_seals_of_bundles_are_those_of_their_content(tmp_path: Path) -> None:
    path = levels(tmp_path / "a.sightline", 1, "classify")
    source = Fixed([f"other={path}"])
    assert source.names() == ["other"]
    assert source.version("other").seal == bundle.load(path).version
