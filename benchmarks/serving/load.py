"""A load generator that costs little: whole requests, written as bytes beforehand, over sockets that stay open.

Closed loop: so many clients, each with one request at a time. Open loop: requests at a fixed rate whatever happens, so
that a slow server does not slow its callers down. Run as a process of its own; prints one JSON document.

    python benchmarks/serving/load.py --port 8000 --path /models/flowers/predict?top=5 --picture photo.jpg --clients 8
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import time
from collections import Counter
from pathlib import Path
from typing import Any


def request(path: str, host: str, picture: bytes, kind: str, headers: list[str]) -> bytes:
    """One upload, as a form with a file or as the picture itself."""
    body, said = picture, "image/jpeg"
    if kind == "form":
        mark = "sightline7f1b"
        head = f'--{mark}\r\nContent-Disposition: form-data; name="picture"; filename="a.jpg"\r\n'
        body = f"{head}Content-Type: image/jpeg\r\n\r\n".encode() + picture + f"\r\n--{mark}--\r\n".encode()
        said = f"multipart/form-data; boundary={mark}"
    lines = [
        f"POST {path} HTTP/1.1",
        f"Host: {host}",
        f"Content-Type: {said}",
        f"Content-Length: {len(body)}",
        *headers,
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


class Client(asyncio.Protocol):
    """One connection; `done` is called with status and seconds of each answer."""

    def __init__(self, done: Any) -> None:
        self.done, self.held, self.wanted, self.status, self.began = done, bytearray(), -1, 0, 0.0
        self.transport: Any = None
        self.closing, self.body = False, b""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def ask(self, data: bytes, began: float | None = None) -> None:
        self.began = time.perf_counter() if began is None else began
        self.status = -1
        self.transport.write(data)

    def data_received(self, data: bytes) -> None:
        self.held += data
        if self.wanted < 0:
            end = self.held.find(b"\r\n\r\n")
            if end < 0:
                return
            head = bytes(self.held[:end]).lower()
            place = head.find(b"content-length:")
            length = int(head[place + 15 : (head.find(b"\r\n", place) + 1 or len(head) + 1) - 1]) if place > 0 else 0
            self.closing = b"connection: close" in head
            self.status, self.wanted = int(head[9:12]), end + 4 + length
        if len(self.held) >= self.wanted:
            spent, status = time.perf_counter() - self.began, self.status
            self.body = bytes(self.held[self.held.find(b"\r\n\r\n") + 4 :])
            self.held.clear()
            self.wanted, self.status = -1, 0
            if self.closing:
                self.transport.close()
            self.done(self, status, spent)

    def connection_lost(self, error: Exception | None) -> None:
        if self.status == -1 or self.wanted >= 0:
            self.status, self.wanted = 0, -1
            self.done(self, 0, time.perf_counter() - self.began)


async def closed(port: int, asks: list[bytes], clients: int, seconds: float, warm: float) -> dict[str, Any]:
    """Each client asks again as soon as it is answered; what comes before `warm` is not counted."""
    loop, spent, statuses = asyncio.get_running_loop(), list[float](), Counter[int]()
    begin = time.perf_counter() + warm
    until, turn = begin + seconds, 0
    waiting = asyncio.Event()

    def done(client: Client, status: int, took: float) -> None:
        nonlocal turn
        now = time.perf_counter()
        if begin <= now < until:
            statuses[status] += 1
            if status == 200:
                spent.append(took)
        if now >= until:
            waiting.set()
        elif client.transport.is_closing():
            loop.create_task(again())
        else:
            turn += 1
            client.ask(asks[turn % len(asks)])

    async def again() -> None:
        _, client = await loop.create_connection(lambda: Client(done), "127.0.0.1", port)
        client.ask(asks[0])

    for _ in range(clients):
        await again()
    await asyncio.sleep(warm + seconds)
    return summary(spent, statuses, seconds)


async def opened(port: int, asks: list[bytes], rate: float, seconds: float, seed: int, most: int) -> dict[str, Any]:
    """Requests at random moments, so many a second; late answers count from when they should have been asked."""
    loop, spent, refused, statuses = asyncio.get_running_loop(), list[float](), list[float](), Counter[int]()
    free: list[Client] = []
    inside = 0

    def done(client: Client, status: int, took: float) -> None:
        nonlocal inside
        inside -= 1
        statuses[status] += 1
        (spent if status == 200 else refused).append(took)
        if not client.transport.is_closing():
            free.append(client)

    async def fresh(data: bytes, began: float) -> None:
        nonlocal inside
        try:
            _, client = await loop.create_connection(lambda: Client(done), "127.0.0.1", port)
            client.ask(data, began)
        except OSError:
            inside -= 1
            statuses[0] += 1

    chance, start = random.Random(seed), time.perf_counter()
    at = start
    sent = 0
    while at < start + seconds:
        at += chance.expovariate(rate)
        if (wait := at - time.perf_counter()) > 0.0005:
            await asyncio.sleep(wait)
        if inside >= most:
            statuses[-1] += 1  # not even sent: the generator has no more connections
            continue
        inside, sent = inside + 1, sent + 1
        while free and free[-1].transport.is_closing():
            free.pop()
        data = asks[sent % len(asks)]
        if free:
            free.pop().ask(data, at)
        else:
            loop.create_task(fresh(data, at))
    last = time.perf_counter() + 10
    while inside > 0 and time.perf_counter() < last:
        await asyncio.sleep(0.01)
    statuses[-2] += inside  # never answered
    return summary(spent, statuses, seconds) | {"refused_p99": part(sorted(refused), 0.99), "asked": sent}


def part(ordered: list[float], share: float) -> float:
    """A quantile, in milliseconds."""
    return round(1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))], 3) if ordered else 0.0


def summary(spent: list[float], statuses: Counter[int], seconds: float) -> dict[str, Any]:
    """Requests a second and milliseconds."""
    spent.sort()
    return {
        "rps": round(len(spent) / seconds, 1), "p50": part(spent, 0.5), "p99": part(spent, 0.99),
        "statuses": {str(status): count for status, count in sorted(statuses.items())},
        "cpu": round(time.process_time(), 3),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--path", required=True)
    parser.add_argument("--picture", type=Path, nargs="+", required=True)
    parser.add_argument("--kind", choices=("form", "raw"), default="form")
    parser.add_argument("--header", action="append", default=[])
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--rate", type=float, default=0, help="requests a second: open loop")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--warm", type=float, default=0.5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--most", type=int, default=900, help="open loop: connections")
    given = parser.parse_args()
    asks = [
        request(given.path, f"127.0.0.1:{given.port}", file.read_bytes(), given.kind, given.header)
        for file in given.picture
    ]
    if given.rate:
        work = opened(given.port, asks, given.rate, given.seconds, given.seed, given.most)
    else:
        work = closed(given.port, asks, given.clients, given.seconds, given.warm)
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run(work)))


if __name__ == "__main__":
    main()
