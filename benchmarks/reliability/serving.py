"""Swaps, bad versions, rollbacks, kills, killing pictures, mixed groups, deadlines and overload of the serving engine.

Every part runs real worker processes under an open loop of callers at a fixed rate, and compares each answer with the
version that it names. Tiny models take a fixed time, so that the figures are those of the engine; `--model` and
`--picture` ask the overload of a real bundle. Prints one JSON document.

    python benchmarks/reliability/serving.py --swaps 1000 --bad 300 --rollbacks 200 --kills 200 --faults 500
        --mixed 10000 --deadlines 5000 --overload 60
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

ROOT = Path(__file__).resolve().parent.parent.parent
_FIXTURES = [str(ROOT / "tests" / "fixtures" / name) for name in ("faulty", "strange")]
sys.path[:0] = [str(ROOT), *_FIXTURES]

from benchmarks.reliability.processes import memory  # noqa: E402 - after the path
from sightline.core.annotations import Labels  # noqa: E402
from sightline.core.errors import InputError, ServingError  # noqa: E402
from sightline.core.limits import Limits  # noqa: E402
from sightline.serving.asking import Ask, Reply  # noqa: E402
from sightline.serving.engine import Engine  # noqa: E402
from sightline.serving.fixed import Fixed  # noqa: E402
from sightline.testing.bundles import BRIGHT, graph, picture  # noqa: E402
from tests.serving.shelf import Shelf, engine  # noqa: E402

DARK = picture(30)
SERVICE = 0.005  # seconds that a tiny model takes for an answer


class Load:
    """Callers who come at a fixed rate, whatever becomes of those before them."""

    def __init__(self, made: Engine, rate: float, ask: Callable[[], Ask]) -> None:
        self.made, self.rate, self.ask = made, rate, ask
        self.seconds: list[float] = []
        self.codes: Counter[str] = Counter()
        self.turned: list[float] = []  # seconds until those were told who were turned away
        self.wrong = 0
        self.numbers: Counter[int] = Counter()
        self._calls: set[asyncio.Task[None]] = set()

    async def _call(self) -> None:
        begun = time.monotonic()
        try:
            reply = await self.made.predict(self.ask())
        except (InputError, ServingError) as error:
            self.codes[error.code] += 1
            if error.code == "queue_full":
                self.turned.append(time.monotonic() - begun)
            return
        self.seconds.append(time.monotonic() - begun)
        self.numbers[reply.number] += 1
        self.wrong += not true(reply)

    async def run(self, done: Callable[[], bool]) -> None:
        """Until then; answers when the last caller has been told."""
        begun, count = time.monotonic(), 0
        while not done():
            due = int((time.monotonic() - begun) * self.rate)
            while count < due:
                task = asyncio.get_running_loop().create_task(self._call())
                self._calls.add(task)
                task.add_done_callback(self._calls.discard)
                count += 1
            await asyncio.sleep(1 / self.rate if self.rate < 500 else 0.001)
        self.elapsed = time.monotonic() - begun
        if self._calls:
            await asyncio.wait(self._calls, timeout=30)
        self.codes["hung"] += len(self._calls)

    def p99(self) -> float:
        """Milliseconds."""
        return round(1000 * float(np.percentile(self.seconds, 99)), 2) if self.seconds else float("nan")

    def told(self) -> dict[str, Any]:
        """Counts, without what did not happen."""
        failed = {code: count for code, count in self.codes.items() if count}
        return {"answered": len(self.seconds), "failed": failed, "wrong_version": self.wrong, "p99_ms": self.p99()}


def true(reply: Reply) -> bool:
    """Whether the answer is that of the version which it names."""
    best = reply.answer.best if isinstance(reply.answer, Labels) else ""
    return not best.startswith("v") or best == f"v{reply.number}"


def asked(**more: Any) -> Callable[[], Ask]:
    """The same question each time, with ten seconds."""
    return lambda: Ask("m", DARK, deadline=time.monotonic() + 10, **more)


def tiny(shelf: Shelf, number: int, *, champion: bool = False, **options: Any) -> None:
    """A version that takes `SERVICE` seconds."""
    shelf.put(number, task="strange", options={"seconds": SERVICE, **options}, champion=champion)


async def beside(made: Engine, rate: float, work: Callable[[], Awaitable[None]], ask: Callable[[], Ask]) -> Load:
    """The load while something is done."""
    load = Load(made, rate, ask)
    await during(load, work())
    return load


async def half(made: Engine, data: bytes = DARK, seconds: float = 3.0) -> float:
    """Half of the requests a second that eight callers are answered here and now."""
    return await capacity_of(made, data, seconds) / 2


async def capacity_of(made: Engine, data: bytes, seconds: float) -> float:
    """Requests a second of eight callers who come again as soon as they are answered."""
    count, until = 0, time.monotonic() + seconds

    async def client() -> None:
        nonlocal count
        while time.monotonic() < until:
            await made.predict(Ask("m", data))
            count += 1

    await asyncio.gather(*(client() for _ in range(8)))
    return count / seconds


async def swaps(room: Path, count: int) -> dict[str, Any]:
    """SV-2: at half the capacity, from version to version, each loaded anew."""
    shelf = Shelf(room)
    for number in range(1, 8):
        tiny(shelf, number, champion=number == 1)
    async with engine(shelf) as made:
        rate, before = await half(made), memory(os.getpid())
        spent: list[float] = []
        first: list[float] = []
        phases: dict[str, Load] = {"swapping": Load(made, rate, asked()), "quiet": Load(made, rate, asked())}

        async def swap(turns: range) -> None:
            for turn in turns:
                number = 1 + (turn + 1) % 7
                begun = time.monotonic()
                shelf.promote(number)
                await made.refresh()
                spent.append(time.monotonic() - begun)
                if (await made.predict(Ask("m", DARK))).number != number:
                    raise SystemExit("an old version answered after the swap")
                await asyncio.sleep(0.05)

        for begun in range(0, count, 25):  # in turn, so that what else the machine does falls on both
            await during(phases["swapping"], swap(range(begun, min(count, begun + 25))))
            await during(phases["quiet"], asyncio.sleep(5))
            first.append(memory(os.getpid()))
        await asyncio.sleep(0.5)
        told = {name: load.told() for name, load in phases.items()}
        return {
            "swaps": count, "rate": round(rate, 1), **told,
            "versions": len(phases["swapping"].numbers),
            "swap_ms_median": round(1000 * float(np.median(spent)), 1), "swap_ms_max": round(1000 * max(spent), 1),
            "memory_mb": {"before": before, "after_25": first[0], "after": memory(os.getpid())},
        }  # fmt: skip


async def during(load: Load, work: Awaitable[None]) -> None:
    """The load for as long as something takes."""
    ended = asyncio.Event()
    running = asyncio.create_task(load.run(ended.is_set))
    try:
        await work
    finally:
        ended.set()
        await running


def bad(room: Path, shelf: Shelf) -> dict[int, str]:
    """One version of each kind that must never answer, and the word that says why."""
    shelf.put(10).unlink()
    data = bytearray(shelf.put(11).read_bytes())
    data[len(data) // 2] ^= 1
    shelf.versions["m"][11].path.write_bytes(data)
    shelf.put(12, seal="0" * 64)
    shelf.put(13, content=graph(outputs=3), wanted=Labels(("v13", BRIGHT), np.array([0.9, 0.1], np.float32)))
    shelf.put(14, content=graph(bias=float("nan")))
    shelf.put(15, task="strange", options={"seconds": 0.6})
    shelf.put(16, task="strange", options={"dies": True})
    return {
        10: "missing file", 11: "flipped bit", 12: "wrong hash", 13: "wrong shape", 14: "NaN", 15: "slow",
        16: "crash in warm-up",
    }  # fmt: skip


async def bad_swaps(room: Path, count: int) -> dict[str, Any]:
    """SV-3: the old version answers throughout, and the reason is there."""
    shelf = Shelf(room)
    tiny(shelf, 1, champion=True)
    kinds = bad(room, shelf)
    reasons: dict[str, str] = {}
    async with engine(shelf, slow=0.3) as made:

        async def work() -> None:
            for turn in range(count):
                number = sorted(kinds)[turn % len(kinds)]
                shelf.promote(number)
                await made.refresh()
                told = made.state()["models"]["m"]
                if told["champion"] != 1 or number not in told["refused"]:
                    raise SystemExit(f"a bad version was let in: {told}")
                reasons[kinds[number]] = told["refused"][number].replace(str(room), "")

        load = await beside(made, await half(made), work, asked())
        return {"bad_swaps": count, **load.told(), "versions": dict(load.numbers), "reasons": reasons}


async def rollbacks(room: Path, count: int) -> dict[str, Any]:
    """SV-4: from the call until every answer is the old version's."""
    shelf = Shelf(room)
    tiny(shelf, 1, champion=True)
    tiny(shelf, 2)
    spent: list[float] = []
    async with engine(shelf) as made:

        async def work() -> None:
            for turn in range(count + 1):
                number = 2 - turn % 2
                shelf.promote(number)
                begun = time.monotonic()
                await made.refresh()
                assert (await made.predict(Ask("m", DARK))).number == number
                if turn:
                    spent.append(time.monotonic() - begun)
                await asyncio.sleep(0.05)

        load = await beside(made, await half(made), work, asked())
        return {"rollbacks": count, **load.told(), "ms_max": round(1000 * max(spent), 1)}


async def kills(room: Path, count: int, seed: int) -> dict[str, Any]:
    """SV-6: kill -9 of workers at random times, now and then also of the processes that they come from."""
    shelf, rng = Shelf(room), random.Random(seed)
    tiny(shelf, 1, champion=True)
    back: list[float] = []
    not_ready = False
    async with engine(shelf) as made:
        crew = made._posts.post("m").champion
        assert crew

        async def work() -> None:
            nonlocal not_ready
            for turn in range(count):
                await asyncio.sleep(rng.uniform(0.02, 0.2))
                victim = rng.choice(crew.hands).pid
                if turn % 20 == 19:
                    parent = Path(f"/proc/{victim}/stat").read_text().rpartition(")")[2].split()[1]
                    os.kill(int(parent), signal.SIGKILL)
                os.kill(victim, signal.SIGKILL)
                begun = time.monotonic()
                while victim in [hand.pid for hand in crew.hands] or len(crew.hands) < 2:
                    await asyncio.sleep(0.002)
                back.append(time.monotonic() - begun)
                not_ready |= not made.ready

        load = await beside(made, await half(made), work, asked())
        return {
            "kills": count, **load.told(), "back_ms_median": round(1000 * float(np.median(back)), 1),
            "back_ms_max": round(1000 * max(back), 1), "said_not_ready": not_ready,
        }  # fmt: skip


async def faults(room: Path, count: int) -> dict[str, Any]:
    """IN-9: pictures whose decoder aborts, crashes, leaves, hangs or wants all memory; no other request fails."""
    shelf = Shelf(room)
    tiny(shelf, 1, champion=True)
    words = ["abort", "segfault", "exit", "abort", "babble", "spin", "swell"]
    codes: Counter[str] = Counter()
    back: list[float] = []
    async with engine(shelf, limits=Limits(seconds=0.5, room=192 * 2**20)) as made:
        crew = made._posts.post("m").champion
        assert crew

        async def work() -> None:
            for turn in range(count):
                word = words[turn % len(words)]
                try:
                    await made.predict(Ask("m", f"FAULTY!{word} {turn}".encode()))
                except (InputError, ServingError) as error:
                    codes[f"{word}: {error.code}"] += 1
                begun = time.monotonic()
                while sum(not hand.stalled for hand in crew.hands) < 2:
                    await asyncio.sleep(0.002)
                back.append(time.monotonic() - begun)
            for _ in range(3):
                try:
                    await made.predict(Ask("m", b"FAULTY!abort again"))
                except InputError as error:
                    codes[f"again: {error.code}"] += 1

        load = await beside(made, await half(made), work, asked())
        return {
            "faults": count, **load.told(), "codes": dict(sorted(codes.items())), "ready": made.ready,
            "back_ms_max": round(1000 * max(back), 1),
        }  # fmt: skip


async def mixed(room: Path, count: int, seed: int) -> dict[str, Any]:
    """SV-7: groups of up to 16 with one bad item in each; the others answer bit for bit as they do alone."""
    shelf, rng = Shelf(room), random.Random(seed)
    shelf.put(1, champion=True)
    pictures = [picture(level) for level in range(0, 256, 3)]
    spoilt = [b"", b"nothing", DARK[:-20], DARK[:40], b"\xff\xd8\xff" + bytes(50)]
    failed = different = unnoticed = 0
    apart = 0.0
    async with engine(shelf, batch=16, ahead=0) as made:
        crew = made._posts.post("m").champion
        assert crew
        alone = [(await made.predict(Ask("m", data))).answer for data in pictures]
        crew.group = 16
        for _ in range(count):
            chosen = rng.sample(range(len(pictures)), rng.randint(1, 7))
            calls: list[Any] = [made.predict(Ask("m", pictures[place])) for place in chosen]
            calls.insert(rng.randint(0, len(calls)), made.predict(Ask("m", rng.choice(spoilt))))
            given = await asyncio.gather(*calls, return_exceptions=True)
            errors = [one for one in given if isinstance(one, BaseException)]
            unnoticed += not (len(errors) == 1 and isinstance(errors[0], InputError))
            replies = [one for one in given if isinstance(one, Reply)]
            failed += len(replies) != len(chosen)
            for place, reply in zip(chosen, replies, strict=False):
                gap = reply.answer.gap(alone[place])
                different, apart = different + (gap > 0), max(apart, gap)
        return {
            "groups": count, "groups_with_a_failed_mate": failed, "bad_items_not_alone_to_fail": unnoticed,
            "answers_not_bit_equal": different, "apart": apart,
        }  # fmt: skip


async def deadlines(room: Path, count: int, seed: int) -> dict[str, Any]:
    """SV-8: random deadlines and callers who leave, at twice the capacity."""
    shelf, rng = Shelf(room), random.Random(seed)
    tiny(shelf, 1, champion=True)
    late: list[float] = []
    codes: Counter[str] = Counter()
    async with engine(shelf) as made:
        crew = made._posts.post("m").champion
        assert crew

        async def call() -> None:
            until = time.monotonic() + rng.uniform(0.001, 0.3)
            task = asyncio.create_task(made.predict(Ask("m", DARK, deadline=until)))
            if rng.random() < 0.2:
                await asyncio.sleep(rng.uniform(0, 0.1))
                task.cancel()
            try:
                await task
                codes["answered"] += 1
            except ServingError as error:
                codes[error.code] += 1
            except asyncio.CancelledError:
                codes["left"] += 1
            late.append(time.monotonic() - until)

        calls = []
        for _ in range(count):
            calls.append(asyncio.create_task(call()))
            await asyncio.sleep(0.00125)
        await asyncio.gather(*calls)
        await asyncio.sleep(0.1)
        return {
            "asked": count, "outcomes": dict(codes), "late_ms_p99": round(1000 * float(np.percentile(late, 99)), 1),
            "late_ms_max": round(1000 * max(late), 1), "left_in_queue": crew.waiting + crew.flying,
        }  # fmt: skip


async def overload(room: Path, seconds: float, model: str, shown: str) -> dict[str, Any]:
    """SV-1: the p99 at 80 % of capacity, then ten times the capacity, then 80 % again."""
    if model:
        source: Any = Fixed([f"m={model}"])
        data = Path(shown).read_bytes()
    else:
        source = Shelf(room)
        tiny(source, 1, champion=True)
        data = DARK
    async with engine(source) as made:
        capacity = await capacity_of(made, data, 4.0)

        async def under(rate: float, length: float, limit: float) -> Load:
            until = time.monotonic() + length
            load = Load(made, rate, lambda: Ask("m", data, deadline=time.monotonic() + limit))
            await load.run(lambda: time.monotonic() >= until)
            return load

        usual = await under(0.8 * capacity, max(4.0, seconds / 4), 10.0)
        limit, before = 1.7 * usual.p99() / 1000, memory(os.getpid())
        flood = await under(10 * capacity, seconds, limit)
        held = memory(os.getpid())
        await asyncio.sleep(2)
        after = await under(0.8 * capacity, 4, 10.0)
        return {
            "capacity": round(capacity, 1), "p99_at_80_ms": usual.p99(), "flood": flood.told(),
            "p99_ratio": round(flood.p99() / usual.p99(), 2),
            "goodput": round(len(flood.seconds) / flood.elapsed / capacity, 3),
            "turned_away_p99_ms": round(1000 * float(np.percentile(flood.turned, 99)), 2) if flood.turned else None,
            "memory_mb": {"before": before, "at_the_end": held}, "p99_two_seconds_after_ms": after.p99(),
        }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, usual in {
        "swaps": 1000, "bad": 300, "rollbacks": 200, "kills": 200, "faults": 500, "mixed": 10_000, "deadlines": 5000,
    }.items():  # fmt: skip
        parser.add_argument(f"--{name}", type=int, default=usual)
    parser.add_argument("--overload", type=float, default=60.0, help="seconds")
    parser.add_argument("--model", default="", help="a bundle for the overload")
    parser.add_argument("--picture", default="", help="a picture for it")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    parts: dict[str, Callable[[Path], Any]] = {
        "swaps": lambda room: swaps(room, given.swaps),
        "bad": lambda room: bad_swaps(room, given.bad),
        "rollbacks": lambda room: rollbacks(room, given.rollbacks),
        "kills": lambda room: kills(room, given.kills, given.seed),
        "faults": lambda room: faults(room, given.faults),
        "mixed": lambda room: mixed(room, given.mixed, given.seed),
        "deadlines": lambda room: deadlines(room, given.deadlines, given.seed),
        "overload": lambda room: overload(room, given.overload, given.model, given.picture),
    }
    told: dict[str, Any] = {
        "machine": platform.platform(), "cores": len(os.sched_getaffinity(0)), "python": platform.python_version(),
        "onnxruntime": onnxruntime.__version__, "load": os.getloadavg()[0],
    }  # fmt: skip
    for name, part in parts.items():
        if not getattr(given, name):
            continue
        with tempfile.TemporaryDirectory(prefix="sightline-serving-") as room:
            begun = time.monotonic()
            told[name] = asyncio.run(part(Path(room)))
            told[name]["took_s"] = round(time.monotonic() - begun, 1)
        print(json.dumps({name: told[name]}), file=sys.stderr, flush=True)
    print(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
