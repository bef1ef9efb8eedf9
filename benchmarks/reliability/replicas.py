"""Two services over one PostgreSQL registry: promoted through either, one killed, the database crashed, under load.

Counted: answers, failures, answers of a version that nobody could have meant any more, how long the other service takes
to follow, and the rows of the log that both write. Prints one JSON document.

    PYTHONPATH=. python benchmarks/reliability/replicas.py --promotions 60
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from benchmarks.reliability.server import RAW, ROOT, Service
from benchmarks.reliability.servers import NoServer, Server
from sightline.server.tokens import new_token
from sightline.serving.predictions import open_predictions
from sightline.testing.bundles import levels, picture

FOLLOW = 2.0  # seconds after which both must answer with what was promoted
PATH = "/models/levels/predict"


@dataclass
class Replica:
    """One service, who asks it, and what it said."""

    service: Service
    token: str
    said: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    last: tuple[int, float] = (0, 0.0)  # version and when it was asked for
    ended: bool = False

    def ask(self) -> None:
        headers = {**RAW, "Authorization": f"Bearer {self.token}"}
        client = httpx2.Client(headers=headers, timeout=20)
        while not self.ended:
            began, base = time.monotonic(), self.service.base
            try:
                reply = client.post(base + PATH, content=picture())
                self.said[str(reply.status_code)] += 1
                if reply.status_code == 200:
                    self.last = (int(reply.json()["version"]), began)
                else:
                    self.notes.append(reply.text[:160])
            except httpx2.HTTPError as error:
                self.said["away" if base != self.service.base or self.service.process.poll() is not None
                          else type(error).__name__] += 1  # fmt: skip
                time.sleep(0.05)
            time.sleep(0.004)
        client.close()

    def promote(self, number: int) -> float:
        """When it was done."""
        headers = {"Authorization": f"Bearer {self.token}"}
        address = f"{self.service.base}/admin/models/levels/promote"
        httpx2.post(address, json={"which": number}, headers=headers, timeout=20).raise_for_status()
        return time.monotonic()


def follows(replica: Replica, number: int, since: float) -> float:
    """Seconds until a request that was begun later is answered by this version."""
    while time.monotonic() - since < 30:
        version, begun = replica.last
        if version == number and begun >= since:
            return time.monotonic() - since
        time.sleep(0.002)
    raise SystemExit(f"a service still answers with version {replica.last[0]}, not {number}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--promotions", type=int, default=60)
    given = parser.parse_args()
    room = Path(tempfile.mkdtemp(prefix="sightline-replicas-"))
    os.environ["SIGHTLINE_BLOBS"] = str(room / "blobs")
    _, token = new_token(room / "tokens.json", ["infer", "read", "admin"])
    try:
        database = Server()
    except NoServer as error:
        raise SystemExit(str(error)) from error
    with database:
        database.create("sightline")
        url = database.url("sightline")
        for number in (1, 2):
            made = levels(room / f"levels-{number}", number, "classify")
            words = ["register", str(made), "--name", "levels", "--registry", url, "--quiet"]
            subprocess.run([sys.executable, "-m", "sightline", *words], check=True, cwd=room, stdout=subprocess.DEVNULL,
                           env={**os.environ, "PYTHONPATH": str(ROOT / "src")})  # fmt: skip
        print(json.dumps(work(given.promotions, room, url, token, database), indent=1))


def work(count: int, room: Path, url: str, token: str, database: Server) -> dict[str, Any]:
    """All of it, while both are asked."""

    def started() -> Service:
        return Service(room, "--token-file", "tokens.json", "--workers", "1", registry=url)

    both = [Replica(started(), token) for _ in range(2)]
    asking = [threading.Thread(target=one.ask) for one in both]
    for thread in asking:
        thread.start()
    own, other, late = list[float](), list[float](), 0
    began = time.monotonic()
    for turn in range(count):
        number, first = 2 - turn % 2, both[turn // 2 % 2]
        if turn == count // 3:  # the other one dies, and comes back
            both[1].service.process.send_signal(signal.SIGKILL)
            both[1].service.process.wait()
            both[1].service = started()
        if turn == 2 * count // 3:
            database.crash()
            time.sleep(1.5)  # it recovers; services go on with what they know
        since = first.promote(number)
        own.append(follows(first, number, since))
        other.append(follows(both[1 - both.index(first)], number, since))
        late += other[-1] > FOLLOW
        time.sleep(0.2)
    took = time.monotonic() - began
    for one in both:
        one.ended = True
    for thread in asking:
        thread.join()
    exits = [one.service.stop() for one in both]
    with open_predictions(url, mode="durable") as log:
        rows = sum(row["error"] == "" for row in log.rows())
    answered = sum(one.said["200"] for one in both)
    return {
        "machine": platform.machine(), "database": database.version, "promotions": count, "seconds": round(took, 1),
        "said": [dict(one.said) for one in both], "notes": [note for one in both for note in one.notes[:3]],
        "own_ms": [round(1000 * statistics.median(own)), round(1000 * max(own))],
        "other_ms": [round(1000 * statistics.median(other)), round(1000 * max(other))], "late": late,
        "answered": answered, "rows_of_the_log": rows, "exits": exits,
    }  # fmt: skip


if __name__ == "__main__":
    main()
