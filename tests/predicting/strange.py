"""A server that answers as it is told, well or badly, and remembers what it was sent."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Answer:
    """What to say to one request."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    trickle: float = 0.0  # seconds between two bytes
    announced: int | None = None  # bytes, where that is not what is sent
    hangs_up: bool = False  # after the answer, without a word


@dataclass
class Strange:
    """Its address, how it answers, and all that it was sent."""

    address: str
    answer: Answer | Callable[[int], Answer]
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    targets: list[str] = field(default_factory=list)
    connections: int = 0


def names(scores: tuple[float, ...] = (0.1, 0.8, 0.1), known: tuple[str, ...] = ("red", "green", "blue")) -> Answer:
    """The answer of a service that is as it should be."""
    best = known[max(range(len(scores)), key=lambda place: scores[place])]
    decision = {"best": best, "score": max(scores), "names": [best], "level": None, "outlier": None, "why": "",
                "unsure": False}  # fmt: skip
    return told({"kind": "labels", "names": list(known), "scores": list(scores)}, decision)


def told(answer: Any, decision: Any = None, **more: Any) -> Answer:
    """Any record as an answer."""
    document = {"model": "large", "version": 7, "answer": answer, "decision": decision, **more}
    return Answer(200, json.dumps(document).encode(), {"Content-Type": "application/json"})


@contextmanager
def strange(answer: Answer | Callable[[int], Answer]) -> Iterator[Strange]:
    """A server on this machine, for as long as the block lasts."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            made.connections += 1
            super().setup()

        def do_POST(self) -> None:
            made.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            made.headers.append({name.lower(): value for name, value in self.headers.items()})
            made.targets.append(self.path)
            said = made.answer if isinstance(made.answer, Answer) else made.answer(len(made.bodies))
            self.send_response(said.status)
            for name, value in said.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(said.body) if said.announced is None else said.announced))
            self.end_headers()
            try:
                for byte in said.body if said.trickle else ():
                    self.wfile.write(bytes([byte]))
                    time.sleep(said.trickle)
                if not said.trickle:
                    self.wfile.write(said.body)
            except OSError:  # whoever asked has hung up
                self.close_connection = True
            self.close_connection |= said.hangs_up or said.announced is not None

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    made = Strange(f"http://127.0.0.1:{server.server_port}/models/large", answer)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
