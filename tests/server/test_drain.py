"""Stopping without losing what was accepted, and handing a port from one service to the next."""

import signal
import socket
import threading
import time
from collections import Counter
from pathlib import Path

import httpx2
import pytest

from sightline.core.encoding import encode

from .conftest import Start, coloured

RAW = {"Content-Type": "application/octet-stream"}
PREDICT = "/models/colours/predict"


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


def test_a_port_is_handed_over_without_a_lost_request(starting: Start, bundle: Path) -> None:
    port, picture = free_port(), encode(coloured("blue"))
    words = (str(bundle), "--workers", "1", "--reuse-port", "--limit", "linger=0.2")
    first = starting(*words, port=port)
    told: Counter[str] = Counter()
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            with httpx2.Client(base_url=first.base, timeout=10) as client:
                for _ in range(7):
                    try:
                        reply = client.post(PREDICT, content=picture, headers=RAW)
                        told[str(reply.status_code)] += 1
                    except httpx2.HTTPError as error:
                        told[type(error).__name__] += 1
                    time.sleep(0.01)

    asking = [threading.Thread(target=ask) for _ in range(3)]
    for thread in asking:
        thread.start()
    try:
        second = starting(*words, port=port)
        first.process.send_signal(signal.SIGTERM)
        assert first.process.wait(10) == 0
        time.sleep(0.2)
    finally:
        stop.set()
        for thread in asking:
            thread.join()
    assert set(told) == {"200"}, told
    with httpx2.Client(base_url=second.base) as client:
        assert client.get("/health/ready").status_code == 200


def test_draining_says_so_at_once_and_finishes_what_came_in(starting: Start, bundle: Path) -> None:
    running = starting(str(bundle), "--workers", "1", "--limit", "linger=1", "--limit", "drain=10")
    picture = encode(coloured("red"))
    with (
        socket.create_connection(("127.0.0.1", running.port), timeout=10) as held,
        socket.create_connection(("127.0.0.1", running.port), timeout=10) as barely,
    ):
        barely.sendall(b"GET /health/live HTT")
        held.sendall(
            f"POST {PREDICT} HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\n"
            f"Content-Length: {len(picture)}\r\n\r\n".encode()
            + picture[:50]
        )
        time.sleep(0.1)
        running.process.send_signal(signal.SIGTERM)
        with running.client() as client:
            until = time.monotonic() + 0.5
            while (ready := client.get("/health/ready")).status_code == 200 and time.monotonic() < until:
                pass
            assert ready.status_code == 503
            assert ready.json()["code"] == "draining"
            assert ready.headers["connection"] == "close"
            assert client.get("/health/live").status_code == 200
            assert client.post(PREDICT, content=picture, headers=RAW).status_code == 200
        time.sleep(1.2)
        assert running.process.poll() is None, "a request is still on its way in"
        barely.sendall(b"P/1.1\r\nHost: localhost\r\n\r\n")
        assert barely.recv(65536).startswith(b"HTTP/1.1 200")
        held.sendall(picture[50:])
        assert held.recv(65536).startswith(b"HTTP/1.1 200")
    assert running.process.wait(5) == 0
    assert [line["event"] for line in running.lines() if line["event"] != "request"] == [
        "started", "draining", "stopped",
    ]  # fmt: skip


def test_the_second_signal_ends_it(starting: Start, bundle: Path) -> None:
    running = starting(str(bundle), "--workers", "1", "--limit", "linger=20", "--limit", "drain=60")
    running.process.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    assert running.process.poll() is None
    began = time.monotonic()
    running.process.send_signal(signal.SIGTERM)
    running.process.wait(10)
    assert time.monotonic() - began < 3  # a second on a machine that does nothing else


def test_a_port_that_is_taken_is_one_line(starting: Start, bundle: Path) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        with pytest.raises(AssertionError, match=r"cannot listen on 127\.0\.0\.1") as error:
            starting(str(bundle), "--workers", "1", port=held.getsockname()[1])
    assert "Traceback" not in str(error.value)
