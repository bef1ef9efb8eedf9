"""Kill a process that logs predictions, and compare what its clients were told with what is in the log.

A child answers through the log's own asynchronous door, with several requests in flight, and tells each answer to its
client, this process, once it has left. It is killed with SIGKILL at a random moment. `durable`: every answer that the
client has is in the log. `fast`: what is missing left within the last second. The file is sound afterwards.

    PYTHONPATH=src python benchmarks/reliability/predictions.py --kills 200 [--place postgresql://...] [--full]

`--full` fills a small disk (a file limit, and a tmpfs where one may be mounted) and measures what answers wait for.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from sightline.serving.predictions import open_predictions

CHILD = """
import asyncio, sys, time
from sightline.serving.prediction import Prediction
from sightline.serving.predictions import open_predictions
mode, place, name, rate = sys.argv[1:]
log = open_predictions(place, mode=mode)
async def client(lane):
    number = 0
    while True:
        request = f"{name}-{lane}-{number}"
        answer = {"kind": "labels", "names": ["a", "b"], "scores": [0.9, 0.1]}
        row = Prediction(request, "parts", 1, "champion", caller=f"c{lane}", answer=answer, seconds=0.002)
        kept = await log.taken(row)
        sys.stdout.write(f"{request} {time.time()} {int(kept)}\\n")
        sys.stdout.flush()
        number += 1
        await asyncio.sleep(8 / float(rate))
async def main():
    await asyncio.gather(*(client(lane) for lane in range(8)))
asyncio.run(main())
"""


def killed(mode: str, place: str, name: str, rng: random.Random, rate: int) -> tuple[list[tuple[str, float]], float]:
    """The answers that left, and when the child was killed."""
    words = [sys.executable, "-c", CHILD, mode, place, name, str(rate)]
    child = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    lines: list[str] = [child.stdout.readline()]
    reader = threading.Thread(target=lambda: lines.extend(child.stdout or ()))
    reader.start()
    time.sleep(rng.uniform(0.05, 1.0))
    os.kill(child.pid, signal.SIGKILL)
    when = time.time()
    reader.join()
    child.wait()
    whole = [line.split() for line in lines if line.endswith("\n")]
    return [(words[0], float(words[1])) for words in whole if len(words) == 3], when


def kills(count: int, mode: str, place: str | None, seed: int, rate: int) -> dict[str, Any]:
    rng, told, lost, worst, damaged = random.Random(seed), 0, 0, 0.0, 0
    room = Path(tempfile.mkdtemp(prefix="sightline-log-"))
    for number in range(count):
        where, name = place or str(room / f"{number // 50}.db"), f"{mode}{seed}-{number}"
        answers, when = killed(mode, where, name, rng, rate)
        with open_predictions(where) as log:
            kept = {row["request"] for row in log.rows(since=when - 120) if row["request"].startswith(f"{name}-")}
            damaged += bool(number % 10 == 9 and log.database.problems())
        missing = [at for request, at in answers if request not in kept]
        told, lost = told + len(answers), lost + len(missing)
        worst = max([worst, *(when - at for at in missing)])
    return {
        "mode": mode, "kills": count, "answers": told, "lost": lost, "oldest_lost_seconds": round(worst, 3),
        "damaged": damaged,
    }  # fmt: skip


def full(mode: str, folder: Path, limit: int | None) -> dict[str, Any]:
    """What adding a row costs while the disk is full, and whether it is told."""
    from sightline.core.progress import Event
    from sightline.serving.prediction import Prediction

    told: list[Event] = []
    waits = []
    with open_predictions(folder / f"{mode}.db", mode=mode, most=2000, tell=told.append) as log:  # type: ignore[arg-type]
        if limit:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        for number in range(20_000):
            start = time.perf_counter()
            log.add(Prediction(f"r{number}", "parts", answer={"text": "x" * 400}))
            waits.append(time.perf_counter() - start)
            if number % 500 == 0:
                time.sleep(0.05)
        state = log.state()
        if limit:
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        waits.sort()
        found = {
            "mode": mode, "disk": "file limit" if limit else "tmpfs", "rows": 20_000, "dropped": state["dropped"],
            "problem": state["problem"][:80], "warned": any(event.kind == "warn" for event in told),
            "p99_us": round(1e6 * waits[19_800]), "slowest_ms": round(1e3 * waits[-1], 1),
        }  # fmt: skip
        if limit:
            found["written_after"] = log.writer.flush(30) and log.state()["written"]
    return found


def on_tmpfs() -> list[dict[str, Any]]:
    """The same on a real disk of two megabytes, where this process may mount one."""
    room = Path(tempfile.mkdtemp(prefix="sightline-full-"))
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(room)], check=False, capture_output=True
    ).returncode:
        return [{"disk": "tmpfs", "note": "may not be mounted here"}]
    try:
        return [full(mode, room, None) for mode in ("fast",)]
    finally:
        subprocess.run(["umount", "-l", str(room)], check=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--modes", nargs="+", default=["durable", "fast"])
    parser.add_argument("--place", help="a postgresql:// URL; files without it")
    parser.add_argument("--rate", type=int, default=800, help="answers a second")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--full", action="store_true")
    given = parser.parse_args()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    print(
        json.dumps(
            {"machine": platform.machine(), "python": platform.python_version(), "commit": commit.stdout.strip()}
        )
    )
    if given.full:
        for mode in given.modes:
            with tempfile.TemporaryDirectory() as folder:
                print(json.dumps(full(mode, Path(folder), 300_000)), flush=True)
        for row in on_tmpfs():
            print(json.dumps(row), flush=True)
        return
    for mode in given.modes:
        print(json.dumps(kills(given.kills, mode, given.place, given.seed, given.rate)), flush=True)


if __name__ == "__main__":
    main()
