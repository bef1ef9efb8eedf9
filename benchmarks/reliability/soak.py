"""Hours of ordinary days: a service at seven tenths of what it can, another version every ten seconds, damaged files.

Every answer is held against the version that it names, every damaged file must be told so, and what the service and its
workers hold of memory and open files is measured once a minute. Memory must not climb by more than a megabyte an hour
after the first eighth of the time (the first hour of eight). Ctrl-C ends it with what there is. Prints one JSON
document.

    PYTHONPATH=src:. python benchmarks/reliability/soak.py --hours 8 [--load 0.7 | --rate 200] [--damaged FOLDER]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import platform
import random
import subprocess
import sys
import time
from collections import Counter
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.reliability.processes import files, memory
from benchmarks.reliability.server import RAW, ROOT, Service, serving
from benchmarks.serving.load import Client, closed, part, request
from sightline.core.encoding import encode
from sightline.testing.bundles import picture

PATH = "/models/levels/predict"
SWAP = 10.0  # seconds
FOLLOW = 1.0  # seconds after which everybody is answered by what was promoted
DAMAGED = 0.01  # share of all that is sent
CLIMB = 1.0  # megabytes an hour


def damaged(folder: Path | None) -> list[bytes]:
    """What no model can be asked about; and whatever a folder holds."""
    chance = np.random.default_rng(0)
    whole = encode(chance.integers(0, 256, (64, 64, 3)).astype(np.uint8))
    made = [b"\x00", b"not a picture", chance.bytes(4096), whole[:100], whole[: len(whole) // 2], whole[8:]]
    made.append(whole[:16] + b"\x7f\xff\xff\xff" * 2 + whole[24:])  # says that it has 2^62 pixels
    files = sorted(folder.rglob("*")) if folder else ()
    return made + [path.read_bytes() for path in files if path.is_file() and path.stat().st_size < 8 * 2**20]


class Day:
    """Callers at random moments, so many a second, and what became of them."""

    def __init__(self, service: Service, token: str, rate: float, rotten: list[bytes]) -> None:
        self.service, self.token, self.rate = service, token, rate
        host, headers = f"127.0.0.1:{service.port}", [f"Authorization: Bearer {token}"]
        chance = random.Random(0)
        self.good = [
            request(PATH, host, picture(chance.randrange(60), chance.randrange(16, 600)), "form", headers)
            for _ in range(400)
        ]
        self.bad = [request(PATH, host, one, "form", headers) for one in rotten]
        self.codes: Counter[str] = Counter()
        self.told: Counter[str] = Counter()
        self.spent: list[float] = []
        self.rows: list[dict[str, float]] = []
        self.minute: list[float] = []
        self.now, self.since, self.swaps, self.wrong = 1, 0.0, 0, 0
        self.lines: set[_Caller] = set()  # open connections
        self._free: list[_Caller] = []
        self._inside = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def ask(self, until: float) -> None:
        chance, at = random.Random(1), time.perf_counter()
        while time.monotonic() < until:
            at += chance.expovariate(self.rate)
            if (wait := at - time.perf_counter()) > 0.0005:
                await asyncio.sleep(wait)
            rotten = chance.random() < DAMAGED
            self._inside += 1
            data = chance.choice(self.bad if rotten else self.good)
            while self._free and self._free[-1].transport.is_closing():
                self._free.pop()
            if self._free:
                self._free.pop().send(data, rotten)
            else:
                task = asyncio.get_running_loop().create_task(self._fresh(data, rotten))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        for _ in range(1000):
            if not self._inside:
                break
            await asyncio.sleep(0.01)
        self.codes["never answered"] += self._inside

    async def _fresh(self, data: bytes, rotten: bool) -> None:
        try:
            loop = asyncio.get_running_loop()
            _, made = await loop.create_connection(lambda: _Caller(self), "127.0.0.1", self.service.port)
        except OSError as error:
            self._inside -= 1
            self.codes[type(error).__name__] += 1
            return
        made.send(data, rotten)

    def answered(self, caller: _Caller, status: int, took: float) -> None:
        self._inside -= 1
        if not caller.transport.is_closing():
            self._free.append(caller)
        if caller.rotten:
            self.told[str(status)] += 1
            return
        self.codes[str(status)] += 1
        self.minute.append(took)
        if status == 200:
            answer = json.loads(caller.body)
            number = int(answer["version"])
            late = caller.asked > self.since + FOLLOW and number != self.now
            self.wrong += late or answer["decision"]["best"] != f"v{number}"

    async def swap(self, until: float) -> None:
        """The other version, again and again."""
        client = self.service.client(self.token)
        while time.monotonic() + SWAP < until:
            await asyncio.sleep(SWAP)
            self.now, self.since = 3 - self.now, float("inf")
            reply = await asyncio.to_thread(
                client.post, "/admin/models/levels/promote", json={"which": self.now}, timeout=20
            )
            reply.raise_for_status()
            self.since, self.swaps = time.monotonic(), self.swaps + 1

    async def watch(self, begun: float, until: float, every: float) -> None:
        pid = self.service.process.pid
        while time.monotonic() + every < until:
            held = float("inf")  # the least of a dozen looks: during a swap both versions are there
            for _ in range(12):
                await asyncio.sleep(every / 12)
                held = min(held, await asyncio.to_thread(memory, pid))
            opened = files(pid) - len(self.lines)  # those of callers come and go with how many there are at a time
            self.minute.sort()
            row = {"hours": (time.monotonic() - begun) / 3600, "mb": held, "files": opened,
                   "p50": part(self.minute, 0.5), "p99": part(self.minute, 0.99)}  # fmt: skip
            self.rows.append(row)
            self.minute = []
            told = f"{row['hours'] * 60:6.1f} min  {held:7.1f} MB  {opened:4d} files  p50 {row['p50']:.1f}  "
            told += f"p99 {row['p99']:.1f} ms  {dict(self.codes)} {self.wrong} wrong"
            print(told, file=sys.stderr, flush=True)


class _Caller(Client):
    """A connection that keeps the answer, and knows what it asked."""

    def __init__(self, day: Day) -> None:
        super().__init__(day.answered)
        self.day, self.rotten, self.asked = day, False, 0.0

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.day.lines.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        self.day.lines.discard(self)
        super().connection_lost(error)

    def send(self, data: bytes, rotten: bool) -> None:
        self.rotten, self.asked = rotten, time.monotonic()
        self.ask(data)


def climb(rows: list[dict[str, float]], hours: float) -> tuple[float, float]:
    """Megabytes an hour of least squares after the first eighth, and their standard error."""
    late = [row for row in rows if row["hours"] > hours / 8]
    if len(late) < 4:
        return float("nan"), float("nan")
    (slope, _), spread = np.polyfit([row["hours"] for row in late], [row["mb"] for row in late], 1, cov=True)
    return float(slope), float(np.sqrt(spread[0, 0]))


async def soak(service: Service, token: str, given: argparse.Namespace) -> dict[str, Any]:
    rate = given.rate
    if not rate:
        asks = Day(service, token, 1, []).good
        rate = given.load * (await closed(service.port, asks, 8, 10.0, 2.0))["rps"]
    day = Day(service, token, rate, damaged(given.damaged))
    with service.client(token) as client:
        for one in (1, 2, 1):  # both have been loaded once before anything is measured
            client.post("/admin/models/levels/promote", json={"which": one}).raise_for_status()
            client.post(PATH, content=picture(), headers=RAW).raise_for_status()
    begun = time.monotonic()
    until = begun + given.hours * 3600
    ended = asyncio.gather(day.ask(until), day.swap(until), day.watch(begun, until, min(60.0, given.hours * 60)))
    with contextlib.suppress(asyncio.CancelledError):
        await ended
    hours = (time.monotonic() - begun) / 3600
    slope, error = climb(day.rows, hours)
    late = [row["files"] for row in day.rows if row["hours"] > hours / 8]
    tenth = max(1, len(late) // 10)
    grown = float(np.median(late[-tenth:]) - np.median(late[:tenth])) if late else float("nan")
    return {
        "hours": round(hours, 2), "rate": round(rate, 1), "swaps": day.swaps, "answers": dict(day.codes),
        "damaged": dict(day.told), "wrong_version": day.wrong, "faults": len(service.faults()),
        "mb": [day.rows[0]["mb"], day.rows[-1]["mb"]] if day.rows else [], "mb_an_hour": round(slope, 2),
        "standard_error": round(error, 2), "files_grown": grown,
        "p99_ms": [round(float(np.median([row["p99"] for row in half])), 1) for half in np.array_split(day.rows, 2)],
        "log_mb": round(service.log.stat().st_size / 2**20, 1),
    }  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hours", type=float, default=8)
    parser.add_argument("--load", type=float, default=0.7, help="share of what eight callers get")
    parser.add_argument("--rate", type=float, default=0, help="requests a second instead")
    parser.add_argument("--damaged", type=Path, help="a folder of more files that no model can read")
    given = parser.parse_args()
    with serving() as (service, token):
        told = asyncio.run(soak(service, token, given))
    commit = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    machine = {"machine": platform.machine(), "python": platform.python_version(), "commit": commit.stdout.strip(),
               "onnxruntime": version("onnxruntime"), "uvicorn": version("uvicorn")}  # fmt: skip
    print(json.dumps({**machine, **told}, indent=1))
    failed = sum(count for code, count in told["answers"].items() if code != "200")
    unsaid = sum(count for code, count in told["damaged"].items() if code != "200" and not code.startswith("4"))
    bad = failed + unsaid + told["wrong_version"] + told["faults"] + (told["files_grown"] > 0)
    return int(bool(bad) or not told["mb_an_hour"] <= CLIMB)


if __name__ == "__main__":
    sys.exit(main())
