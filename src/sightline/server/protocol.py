"""uvicorn's HTTP protocol with clocks and ends: what comes too slowly, or goes on too long, is cut off politely."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
from functools import cache
from http import HTTPStatus
from typing import Any

from sightline.core.errors import SERVING_CODES
from sightline.server.answering import encoded
from sightline.server.settings import ServerSettings

IDLE, HEAD, BODY, ANSWERING, ENDING = "idle", "head", "body", "answering", "ending"
LINGER = 1.0  # seconds in which a refused caller may go on sending, so that it reads why
DROPPED = 4 * 2**20  # and bytes
FRESH = 0.25  # seconds that a new connection has to say its first word, even when the service stops
_JSON = (b"content-type", b"application/json")
_CLOSE = (b"connection", b"close")


def made(settings: ServerSettings) -> type:
    """The protocol, with these limits."""
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

    return type("Protocol", (Careful, HttpToolsProtocol), {"bounds": settings})


class Careful:
    """What is put in front of uvicorn's own methods; each calls the next one of its name."""

    bounds: ServerSettings
    loop: Any
    parser: Any
    cycle: Any
    flow: Any
    scope: Any
    transport: Any
    connections: set[Any]

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.phase, self.since, self.heard = HEAD, time.monotonic(), 0.0
        self._head = self._count = self._fed = self._dropped = 0
        self._over = self._midway = self._moved = self._headed = False

    def connection_made(self, transport: Any) -> None:
        """A new connection, unless there are too many."""
        super().connection_made(transport)  # type: ignore[misc]
        if len(self.connections) > self.bounds.connections:
            self.refuse_code("queue_full", "Too many connections.", status=503)

    def data_received(self, data: bytes) -> None:
        """Bytes; of a head, or of what is neither head nor body, no more than the limit in one go."""
        if self.phase == ENDING:
            self._dropped += len(data)
            if self._dropped > DROPPED:
                self.transport.close()
            return
        self.heard = time.monotonic()
        if self.phase == IDLE:
            self._enter(HEAD)
        self._moved = False
        try:
            super().data_received(data)  # type: ignore[misc]
        except ValueError:  # an address that cannot be read
            self.refuse_code("schema", "The address of this request cannot be read.")
            return
        self._fed = 0 if self._moved else self._fed + len(data)
        if self._fed > self.bounds.head and self.phase != ENDING:  # the parser keeps a value until it is whole
            self._too_long()

    def send_400_response(self, message: str) -> None:
        """What is not HTTP."""
        self.refuse_code("schema", "This is not HTTP/1.1 as it is meant to be.")

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()  # type: ignore[misc]
        self._midway, self._over, self._headed = True, False, False
        self._head = self._count = self._fed = 0

    def on_url(self, url: bytes) -> None:
        """A piece of the address."""
        self._head += len(url)
        if self._head <= self.bounds.head:
            super().on_url(url)  # type: ignore[misc]
        else:
            self._over = True

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header; none beyond the limit is kept, and none that comes after the body."""
        if self._headed:
            return
        self._head += len(name) + len(value)
        self._count += 1
        if self._head > self.bounds.head or self._count > self.bounds.headers:
            self._over = True
        else:
            super().on_header(name, value)  # type: ignore[misc]

    def on_headers_complete(self) -> None:
        """The head is whole: the app begins."""
        self._moved = self._headed = True
        if self.phase == ENDING:
            return
        if self._over:
            self._too_long()
            return
        if self.phase in (HEAD, IDLE):
            self._enter(BODY)
        self.scope["sightline.answer"], self.scope["sightline.refuse"] = self.answer, self.refuse
        super().on_headers_complete()  # type: ignore[misc]

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self._moved = True
        if self.phase != ENDING:
            super().on_body(body)  # type: ignore[misc]

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._midway, self._moved = False, True
        if self.phase != ENDING:
            self._enter(ANSWERING)
            super().on_message_complete()  # type: ignore[misc]

    def on_response_complete(self) -> None:
        """The answer is out."""
        if self.phase != ENDING:
            self._enter(HEAD if self._midway else IDLE)
        super().on_response_complete()  # type: ignore[misc]

    def _enter(self, phase: str) -> None:
        self.phase, self.since = phase, time.monotonic()

    def _too_long(self) -> None:
        bounds = self.bounds
        head = f"More than {bounds.headers} headers, or {bounds.head:,} bytes of head."
        beside = f"More than {bounds.head:,} bytes beside the pieces of the body."
        self.refuse_code("headers", beside if self.phase == BODY else head)

    def late(self, now: float) -> bool:
        """Whether the caller is slower than the limits."""
        bounds = self.bounds
        if self.phase == HEAD:
            return now - self.since > bounds.head_seconds
        return self.phase == BODY and (
            now - self.heard > bounds.pause_seconds or now - self.since > bounds.body_seconds
        )

    def answer(self, scope: Any, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> bool:
        """A whole answer in one write, where the usual way takes two; False where that must do."""
        cycle = self.cycle
        if cycle is None or cycle.scope is not scope or self.phase != ANSWERING:  # another request is on its way in
            return False
        if cycle.response_started or cycle.disconnected or self.flow.write_paused:
            return False
        said, rows = _CLOSE in headers, [*cycle.default_headers, *headers]
        head = head_of(status, rows if cycle.keep_alive or said else [*rows, _CLOSE])
        cycle.keep_alive = cycle.keep_alive and not said
        cycle.response_started = cycle.response_complete = True
        cycle.message_event.set()
        self.transport.write(head + body)
        if not cycle.keep_alive:
            self.transport.close()
        cycle.on_response()
        return True

    def refuse_code(self, code: str, message: str, status: int = 0) -> None:
        """Turn the caller away before any route is reached."""
        body = encoded({"error": message, "code": code, "request_id": ""})
        headers = [_JSON, (b"content-length", b"%d" % len(body))]
        self._end(status or SERVING_CODES[code], headers, body)

    def refuse(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> bool:
        """Answer before the body is whole; False where it is whole and the usual way will do."""
        if self.phase != BODY or self.cycle is None or self.cycle.scope is not self.scope:
            return False
        self._end(status, headers, body)
        return True

    def _end(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        """Write, half close, and drop what still comes in for a moment: a reset would eat the answer."""
        began = self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete
        self._enter(ENDING)
        if self.cycle is not None:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.transport.is_closing():
            return
        if began:
            self.transport.close()
            return
        kept = [row for row in headers if row[0] != b"connection"]
        self.transport.write(head_of(status, [*kept, _CLOSE]) + body)
        with contextlib.suppress(OSError, RuntimeError, NotImplementedError):
            self.transport.write_eof()
        self.transport.resume_reading()
        self.loop.call_later(LINGER, self.transport.close)

    def shutdown(self) -> None:
        """The service stops: close, unless a request is on its way in, in hand, or already in the socket."""
        waiting = self.phase in (BODY, ANSWERING) or (self.phase == HEAD and self._fed)
        if self.phase == HEAD and time.monotonic() - self.since < FRESH:
            return
        if waiting and self.cycle is not None:
            self.cycle.keep_alive = False
        elif not waiting and not _pending(self.transport):
            self.transport.close()


@cache
def _status(status: int) -> bytes:
    return b"HTTP/1.1 %d %s\r\n" % (status, HTTPStatus(status).phrase.encode())


def head_of(status: int, headers: list[tuple[bytes, bytes]]) -> bytes:
    """All above the body; a value that would begin a line of its own is a fault of ours, and said."""
    head = b"".join([_status(status), *[b"%s: %s\r\n" % row for row in headers], b"\r\n"])
    if head.count(b"\n") != len(headers) + 2 or head.count(b"\r") != len(headers) + 2:
        raise ValueError("a header of more than one line")
    return head


def _pending(transport: Any) -> bool:
    """Whether bytes have come that nobody has read yet."""
    held = transport.get_extra_info("socket")
    if held is None or transport.is_closing():
        return False
    try:
        with socket.socket(fileno=os.dup(held.fileno())) as own:
            return bool(own.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
    except OSError:
        return False


async def watch(connections: set[Any], every: float = 0.1) -> None:
    """Look at all connections, for good; this costs one comparison each, and no timer for every request."""
    while True:
        await asyncio.sleep(every)
        now = time.monotonic()
        for one in [one for one in connections if one.late(now)]:
            one.refuse_code("slow", "The request comes in more slowly than the limit.")
