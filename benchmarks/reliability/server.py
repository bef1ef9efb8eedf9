"""What strangers may send to a service, in large numbers; every part prints one line and the run fails on any hit.

python benchmarks/reliability/server.py routes --cases 400        # schemathesis, with every check that fits pictures
python benchmarks/reliability/server.py traversal                 # 500 strings in every place that takes text
python benchmarks/reliability/server.py addresses                 # 300 ways to lead a fetch inside
python benchmarks/reliability/server.py malformed --folder files  # every file of a folder, uploaded
python benchmarks/reliability/server.py floods                    # endless uploads, slow heads, while others ask
python benchmarks/reliability/server.py drains --count 200        # stopped and replaced under load
python benchmarks/reliability/server.py fairness                  # one noisy token among ten
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import httpx2
import numpy as np

from sightline.core.encoding import encode
from sightline.server.tokens import SCOPES, new_token
from sightline.testing.bundles import levels, picture

ROOT = Path(__file__).resolve().parent.parent.parent
RAW = {"Content-Type": "application/octet-stream"}
LEAKS = ("Traceback", '.py"', "site-packages", "/src/sightline", "CANARY-")


class Service:
    """`sightline serve` in a process of its own."""

    def __init__(self, room: Path, *words: str, port: int = 0, registry: str = "") -> None:
        self.log, self.room = room / f"log-{time.monotonic_ns()}.jsonl", room
        command = [
            sys.executable,
            "-m",
            "sightline",
            "serve",
            "--registry",
            registry or str(room / "registry"),
            "--port",
            str(port),
        ]
        env = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
        self.errors = (room / "errors.txt").open("ab")
        self.process = subprocess.Popen(
            [*command, "--log", str(self.log), *words], cwd=room, env=env, stdout=subprocess.PIPE, stderr=self.errors
        )
        assert self.process.stdout
        said = b"".join(self.process.stdout.readline() for _ in range(3)).decode()
        if "listening on " not in said:
            raise SystemExit(f"the service did not start: {said} {(room / 'errors.txt').read_text()[-2000:]}")
        self.base = said.split("listening on ")[1].split()[0]
        self.port = int(self.base.rpartition(":")[2])

    def client(self, token: str = "", **named: Any) -> httpx2.Client:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx2.Client(base_url=self.base, headers=headers, timeout=30, **named)

    def memory(self) -> float:
        """Megabytes of the process that listens."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024

    def faults(self) -> list[dict[str, Any]]:
        return [row for line in self.log.read_text().splitlines() if (row := json.loads(line))["event"] == "fault"]

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(40)
        finally:
            self.errors.close()
            if self.process.stdout:
                self.process.stdout.close()


def prepared() -> tuple[Path, str]:
    """A room with a registry of two versions and a token for everything."""
    room = Path(tempfile.mkdtemp(prefix="sightline-server-"))
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    for number in (1, 2):
        made = levels(room / f"levels-{number}", number, "classify")
        words = ["register", str(made), "--name", "levels", "--registry", str(room / "registry"), "--quiet"]
        subprocess.run(
            [sys.executable, "-m", "sightline", *words], check=True, env=env, cwd=room, stdout=subprocess.DEVNULL
        )
    _, token = new_token(room / "tokens.json", SCOPES)
    return room, token


@contextlib.contextmanager
def serving(*words: str) -> Iterator[tuple[Service, str]]:
    room, token = prepared()
    service = Service(room, "--token-file", "tokens.json", "--workers", "1", *words)
    try:
        yield service, token
    finally:
        service.stop()


def routes(given: argparse.Namespace) -> int:
    """Schemathesis over everything that the service says it has."""
    tool = Path(sys.executable).with_name("schemathesis")
    with serving("--jobs", ".", "--train", "--limit", "train_workers=0") as (service, token):
        words = [str(tool), "run", f"{service.base}/openapi.json", "--header", f"Authorization: Bearer {token}"]
        words += ["--exclude-checks", "positive_data_acceptance", "--max-examples", str(given.cases), "--no-color"]
        words += ["--continue-on-failure", "--warnings", "off", "--max-time", str(round(given.seconds)), "--seed", "1"]
        done = subprocess.run(words, capture_output=True, text=True, cwd=service.room, check=False)
        lines = [json.loads(line) for line in service.log.read_text().splitlines()]
        statuses = Counter(row["status"] for row in lines if row["event"] == "request")
        faults = service.faults()
        text = done.stdout[done.stdout.find("FAILURES") :] if "FAILURES" in done.stdout else ""
        told = done.stdout[done.stdout.find("SUMMARY") :]
        print(f"routes: {sum(statuses.values()):,} requests, statuses {dict(sorted(statuses.items()))}, "
              f"{len(faults)} faults, exit {done.returncode}")  # fmt: skip
        if done.returncode:
            print(text[:6000] + told[-1500:] + done.stderr[-1000:])
        return int(done.returncode != 0) + len(faults) + statuses[500]


def traversals(count: int) -> list[str]:
    """Ways to name a file elsewhere, cleverly spelt."""
    chance = random.Random(0)
    ups = ["../", "..\\", "%2e%2e/", "..%2f", "%2e%2e%2f", "..;/", "....//", "..%252f", "%c0%ae%c0%ae/", "..%00/",
           "/", "//", "\\\\", "file://", "file:", "./", "~/", "#/../", "?/../", "..%5c", "%u002e%u002e/"]  # fmt: skip
    ends = ["etc/passwd", "canary.txt", "tokens.json", "registry/registry.db", "proc/self/environ", "canary.txt%00.png",
            "canary.txt#", "canary.txt?x"]  # fmt: skip
    found = {f"{up * depth}{end}" for up in ups for depth in (1, 3, 6) for end in ends}
    while len(found) < count:
        found.add("".join(chance.choices(ups, k=chance.randint(1, 6))) + chance.choice(ends))
    return sorted(found)[:count]


def traversal(given: argparse.Namespace) -> int:
    """Each string as a model, a version, an option, a file's name, a part's name, an id, a path, a folder of a job."""
    hits, statuses = 0, Counter[int]()
    with serving("--jobs", "levels-1") as (service, token), service.client(token) as client:
        (service.room / "canary.txt").write_text("CANARY-" + "x" * 40)
        secret = json.loads((service.room / "tokens.json").read_text())[0]["hash"]
        one = picture()
        for text in traversals(500):
            shut = text.replace("#", "%23").replace("?", "%3f")
            plain = text.encode("ascii", "ignore").decode().replace("\x00", "")
            asked: list[tuple[str, str, dict[str, Any]]] = [
                ("GET", f"/{shut}", {}),
                ("GET", f"/assets/{shut}", {}),
                ("GET", f"/models/{shut}", {}),
                ("GET", f"/models/levels/versions/{shut}", {}),
                ("POST", f"/models/{shut}/predict", {"content": one, "headers": RAW}),
                ("POST", "/models/levels/predict", {"params": {"which": text[:64]}, "content": one, "headers": RAW}),
                ("POST", "/models/levels/predict", {"files": {"picture": (text, one)}}),
                ("POST", "/models/levels/predict", {"files": {text: ("a", one)}}),
                ("POST", "/models/levels/predict", {"json": {"picture": {"url": text}}}),
                ("POST", "/models/levels/predict", {"content": one, "headers": {**RAW, "X-Request-Id": plain}}),
                ("POST", "/models/levels/predict", {"content": one, "headers": {**RAW, "X-Version": plain}}),
                ("POST", f"/v2/models/{shut}/infer", {"json": {"inputs": []}}),
                ("POST", "/jobs", {"json": {"model": "levels", "folders": [text]}}),
                ("POST", "/jobs", {"json": {"model": text, "folders": ["levels-1"]}}),
                ("GET", f"/jobs/{shut}", {}),
                ("POST", "/admin/models/levels/promote", {"json": {"which": text, "alias": "other"}}),
                ("POST", "/admin/models/levels/promote", {"json": {"which": 1, "alias": text}}),
            ]
            for method, path, more in asked:
                try:
                    reply = client.request(method, path, **more)
                except (httpx2.InvalidURL, httpx2.LocalProtocolError):
                    continue
                statuses[reply.status_code] += 1
                bad = reply.status_code >= 500 or "root:x:" in reply.text or secret in reply.text
                hits += bad or any(word in reply.text for word in LEAKS)
        left = {path.name for path in service.room.iterdir()}
        faults = len(service.faults())
        strange = [name for name in left if name.startswith(("..", "%", "etc"))]
    print(f"traversal: {sum(statuses.values()):,} requests, statuses {dict(sorted(statuses.items()))}, {hits} hits, "
          f"{len(strange)} files written, {faults} faults")  # fmt: skip
    return hits + faults + len(strange)


def inward(count: int, port: int) -> list[str]:
    """Addresses that lead to this machine or its neighbours, as strings that look otherwise."""
    hosts = ["127.0.0.1", "0.0.0.0", "127.1", "127.0.1", "0", "2130706433", "0x7f000001", "017700000001", "0177.0.0.1",
             "0x7f.0.0.1", "127.000.000.001", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]",
             "[0:0:0:0:0:0:0:1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[fe80::1%25lo]", "[fc00::1]", "localhost",
             "LOCALHOST", "localhost.", "localhost.localdomain", "ip6-localhost", "169.254.169.254", "100.64.0.1",
             "10.0.0.1", "172.16.0.1", "192.168.0.1", "224.0.0.1", "255.255.255.255", "①②⑦.⓪.⓪.①", "127。0。0。1",
             "allowed.example@127.0.0.1", "127.0.0.1#@allowed.example", "127.0.0.1\\@allowed.example",
             "allowed.example.127.0.0.1.nip.io", "allowed.example%00.127.0.0.1",
             "allowed.example:80@127.0.0.1"]  # fmt: skip
    schemes = ["http", "https", "HTTP", "gopher", "file", "ftp", "dict", "ldap", "jar:http"]
    ends = [f":{port}/a.jpg", "/a.jpg", f":{port}@allowed.example/", f":{port}"]
    return [f"{scheme}://{host}{end}" for end in ends for host in hosts for scheme in schemes][: max(count, 300)]


def addresses(given: argparse.Namespace) -> int:
    """A canary listens here; whatever the strings say, nobody may come."""
    visits = []
    with socket.create_server(("127.0.0.1", 0)) as canary:
        canary.settimeout(0.2)
        ended = threading.Event()

        def listen() -> None:
            while not ended.is_set():
                with contextlib.suppress(TimeoutError):
                    visits.append(canary.accept()[0])

        listening = threading.Thread(target=listen)
        listening.start()
        allowed = ("--allow-urls", "allowed.example", "--allow-urls", "localhost", "--allow-urls", "127.0.0.1")
        statuses: Counter[int] = Counter()
        with serving(*allowed) as (service, token), service.client(token) as client:
            strings = inward(given.count, canary.getsockname()[1])
            for url in strings:
                statuses[client.post("/models/levels/predict", json={"picture": {"url": url}}).status_code] += 1
            faults = len(service.faults())
        ended.set()
        listening.join()
    for visit in visits:
        visit.close()
    print(f"addresses: {len(strings)} strings, statuses {dict(sorted(statuses.items()))}, "
          f"{len(visits)} connections to the canary, {faults} faults")  # fmt: skip
    return len(visits) + faults + sum(count for status, count in statuses.items() if status not in (400, 422))


def malformed(given: argparse.Namespace) -> int:
    """Every file of a folder through every way in."""
    files = sorted(path for path in given.folder.rglob("*") if path.is_file())
    statuses, codes, leaks, slowest = Counter[int](), Counter[str](), 0, 0.0
    with serving("--limit", "deadline=20") as (service, token), service.client(token) as client:
        for _ in range(20):
            client.post("/models/levels/predict", content=picture(), headers=RAW)
        before = service.memory()
        for path in files:
            data, began = path.read_bytes()[: 16 * 2**20], time.monotonic()
            reply = client.post("/models/levels/predict", files={"picture": (path.name, data)})
            slowest = max(slowest, time.monotonic() - began)
            statuses[reply.status_code] += 1
            if reply.status_code != 200:
                codes[reply.json()["code"]] += 1
            leaks += any(word in reply.text for word in LEAKS) or str(service.room) in reply.text
        grown, alive = service.memory() - before, client.get("/health/live").status_code == 200
        faults = len(service.faults())
    odd = sum(count for status, count in statuses.items() if status != 200 and not 400 <= status < 500)
    print(f"malformed: {len(files)} files, statuses {dict(sorted(statuses.items()))}, codes {dict(codes)}, "
          f"{odd} odd, "
          f"{leaks} leaks, {faults} faults, memory {grown:+.1f} MB, slowest {slowest:.1f} s, "
          f"alive {alive}")  # fmt: skip
    return odd + leaks + faults + (not alive) + (grown > 20)


async def _flood(port: int, token: str, kind: str) -> tuple[int, float]:
    """One bad caller; the status it got, and how long after the limit."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    top = f"POST /models/levels/predict HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n".encode()
    over, sent = time.monotonic(), 0
    try:
        if kind == "slow":
            writer.write(top[:40])
        elif kind == "heads":
            writer.write(top + b"X-Long: " + b"a" * 2**20)
        else:
            writer.write(top + b"Content-Type: image/jpeg\r\nTransfer-Encoding: chunked\r\n\r\n")
            while not reader._eof and not writer.is_closing() and not reader._buffer and sent < 200 * 2**20:  # type: ignore[attr-defined]
                writer.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")
                await writer.drain()
                sent += 65536
                if sent == 2**20:
                    over = time.monotonic()
        said = await asyncio.wait_for(reader.read(200), 30)
    except (OSError, TimeoutError):
        said = bytes(reader._buffer[:200])  # type: ignore[attr-defined] # what came before the connection was cut
    finally:
        writer.close()
    return (int(said[9:12]) if said[9:12].isdigit() else 0), time.monotonic() - over


def _flooding(port: int, token: str, kind: str, count: int, seconds: float) -> list[tuple[int, float]]:
    """Wave after wave of bad callers; in a process of its own, so that only the service is between them and others."""

    async def waves() -> list[tuple[int, float]]:
        told: list[tuple[int, float]] = []
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            told += await asyncio.gather(*(_flood(port, token, kind) for _ in range(count)))
        return told

    return asyncio.run(waves())


def floods(given: argparse.Namespace) -> int:
    """Endless bodies, endless heads and slow heads; somebody who behaves asks all the while."""
    return sum(_floods(kind, count) for kind, count in (("bodies", 100), ("heads", 100), ("slow", 200)))


def _floods(kind: str, count: int) -> int:
    limits = ("--limit", "body=1048576", "--limit", "head_seconds=2", "--limit", "connections=600")
    with serving(*limits) as (service, token):
        alone, crowded, ended = list[float](), list[float](), threading.Event()

        def ask(into: list[float], seconds: float) -> None:
            until = time.monotonic() + seconds
            with service.client(token) as client:
                while time.monotonic() < until and not ended.is_set():
                    began = time.perf_counter()
                    reply = client.post("/models/levels/predict", content=picture(), headers=RAW)
                    assert reply.status_code == 200, reply.text
                    into.append(time.perf_counter() - began)

        ask(alone, 3)
        peak = [service.memory()]

        def watch() -> None:
            while not ended.is_set():
                peak.append(service.memory())
                time.sleep(0.02)

        besides = [threading.Thread(target=ask, args=(crowded, 60)), threading.Thread(target=watch)]
        for thread in besides:
            thread.start()
        with ProcessPoolExecutor(1, get_context("spawn")) as apart:
            told = apart.submit(_flooding, service.port, token, kind, count, 10.0).result()
        ended.set()
        for thread in besides:
            thread.join()
        statuses, faults, grown = Counter(status for status, _ in told), len(service.faults()), max(peak) - peak[0]
        p99 = [sorted(one)[int(0.99 * len(one))] * 1000 for one in (alone, crowded)]
    print(f"floods of {count} {kind}: statuses {dict(statuses)}, memory {grown:+.1f} MB at most, slowest answer "
          f"{max(after for _, after in told):.2f} s, good callers p99 {p99[0]:.1f} -> {p99[1]:.1f} ms, "
          f"{faults} faults")  # fmt: skip
    return faults + (grown > 64) + statuses[500]


def drains(given: argparse.Namespace) -> int:
    """A service is replaced by another on the same port, again and again, under load; every request is counted."""
    room, _ = prepared()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ("--reuse-port", "--workers", "1", "--limit", f"linger={given.linger}", "--predictions", "off")
    told: Counter[str] = Counter()
    stop, one = threading.Event(), picture()
    notes: list[str] = []

    def ask(kept: bool) -> None:
        client = httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=20)
        while not stop.is_set():
            began = time.monotonic()
            try:
                reply = client.post("/models/levels/predict", content=one, headers=RAW)
                told[str(reply.status_code)] += 1
                if reply.status_code != 200:
                    notes.append(reply.text[:200])
            except httpx2.HTTPError as error:
                told[type(error).__name__] += 1
                notes.append(f"{type(error).__name__}: {error} after {time.monotonic() - began:.2f} s")
            if not kept:
                client.close()
                client = httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=20)
            time.sleep(0.01)
        client.close()

    now = Service(room, *words, port=port)
    asking = [threading.Thread(target=ask, args=(bool(place % 2),)) for place in range(4)]
    for thread in asking:
        thread.start()
    spent, forced = [], 0
    try:
        for _ in range(given.count):
            after = Service(room, *words, port=port)
            began = time.monotonic()
            forced += now.stop() != 0
            spent.append(time.monotonic() - began)
            now = after
    finally:
        stop.set()
        for thread in asking:
            thread.join()
        now.stop()
    lost = sum(count for status, count in told.items() if status != "200")
    print(f"drains: {given.count} replacements, {told['200']:,} answered, {lost} lost {dict(told)}, "
          f"{forced} bad exits, drain {min(spent):.2f} to {max(spent):.2f} s")  # fmt: skip
    for note in notes[:5]:
        print(f"  {note}")
    return lost + forced


def fairness(given: argparse.Namespace) -> int:
    """Ten callers ask one at a time; an eleventh asks with forty at a time. Pictures are slow to decode, so that the
    service, and not whoever calls, is what there is too little of."""
    room, _ = prepared()
    slow = encode(np.random.default_rng(0).integers(0, 256, (600, 600, 3)).astype(np.uint8))
    tokens = [new_token(room / "tokens.json", ["infer"])[1] for _ in range(11)]
    service = Service(room, "--token-file", "tokens.json", "--workers", "1")
    counts, turned, spent = Counter[int](), Counter[int](), list[float]()

    async def run(who: int, until: float, into: list[float] | None) -> None:
        headers = {**RAW, "Authorization": f"Bearer {tokens[who]}"}
        async with httpx2.AsyncClient(base_url=service.base, headers=headers, timeout=30) as client:
            while time.monotonic() < until:
                began = time.perf_counter()
                reply = await client.post("/models/levels/predict", content=slow)
                counts[who] += reply.status_code == 200
                turned[who] += reply.status_code == 429
                if into is not None and reply.status_code == 200:
                    into.append(time.perf_counter() - began)
                await asyncio.sleep(0.05 if reply.status_code == 429 else 0)

    async def both(noisy: int) -> None:
        until = time.monotonic() + given.seconds
        quiet = [run(who, until, spent) for who in range(10)]
        await asyncio.gather(*quiet, *(run(10, until, None) for _ in range(noisy)))

    try:
        asyncio.run(both(0))
        alone = sorted(spent)
        counts.clear()
        turned.clear()
        spent.clear()
        asyncio.run(both(40))
        p99 = [one[int(0.99 * len(one))] * 1000 for one in (alone, sorted(spent))]
        share = counts[10] / max(1, sum(counts.values()))
    finally:
        service.stop()
    others = sum(turned[who] for who in range(10))
    print(f"fairness: the noisy one got {share:.1%} of the answers ({share * 11:.2f} times its share) and {turned[10]} "
          f"refusals, the others {others}; their p99 {p99[0]:.1f} -> {p99[1]:.1f} ms")  # fmt: skip
    return int(share * 11 > 2.0)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", choices=[part.__name__ for part in PARTS])
    parser.add_argument("--cases", type=int, default=100, help="routes: examples a route and phase")
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--linger", type=float, default=0.5)
    parser.add_argument("--folder", type=Path, default=Path(os.environ.get("SIGHTLINE_DATA", "")) / "malformed")
    given = parser.parse_args()
    if given.part == "malformed" and not given.folder.is_dir():
        print("malformed: name a folder of damaged pictures with --folder")
        return 0
    return min(1, next(part for part in PARTS if part.__name__ == given.part)(given))


PARTS = (routes, traversal, addresses, malformed, floods, drains, fairness)

if __name__ == "__main__":
    sys.exit(main())
