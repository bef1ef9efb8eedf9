"""Bodies of requests, read within limits: of one body, of all of them together, and of what is asked by the way."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any

from sightline.core.errors import ServingError

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

LIGHT = 2**17  # bytes; a body up to here is read as it comes
FEW = 2  # heavier ones that are read as they come, too; where there are more, so many at a time
TURN = 0.001  # seconds between turns
SMALL = 2**20  # bytes; bodies up to here have the last quarter of the room to themselves


class Gone(Exception):
    """The caller went away before the request was whole."""


class Room:
    """Memory for bodies that are being read, shared by all connections."""

    def __init__(self, total: int, unsized: int = 8) -> None:
        self.total, self.used = total, 0
        self.heavy = self.blind = 0  # bodies of more than LIGHT that are held; those of no known length among them
        self.unsized = unsized  # how many of the latter there may be; the next one is asked to come back
        self._waiting: deque[asyncio.Future[None]] = deque()

    def take(self, size: int, whole: int, *, blind: bool = False) -> None:
        """Room for the next `size` bytes of a body that has grown to `whole`, and may not have said how far it goes."""
        heavier = whole - size <= LIGHT < whole
        if heavier and blind and self.blind >= self.unsized:
            told = "Too many bodies of unknown length are on their way in; say Content-Length, or ask again."
            raise ServingError("queue_full", told, retry_after=1.0)
        most = self.total if whole <= SMALL else self.total * 3 // 4
        if self.used + size > most:
            raise ServingError("queue_full", "Too many bytes are on their way in; ask again.", retry_after=1.0)
        self.used += size
        self.heavy += heavier
        self.blind += heavier and blind

    def give(self, whole: int, *, blind: bool = False) -> None:
        """A body that is no longer held."""
        self.used -= whole
        self.heavy -= whole > LIGHT
        self.blind -= blind and whole > LIGHT

    async def turn(self) -> None:
        """Wait for the next turn to read: many heavy bodies leave time between them for those who ask little."""
        if self.heavy <= FEW:
            return
        loop = asyncio.get_running_loop()
        mine: asyncio.Future[None] = loop.create_future()
        self._waiting.append(mine)
        if len(self._waiting) == 1:
            loop.call_later(TURN, self._call)
        await mine

    def _call(self) -> None:
        for _ in range(min(FEW, len(self._waiting))):
            called = self._waiting.popleft()
            if not called.done():
                called.set_result(None)
        if self._waiting:
            asyncio.get_running_loop().call_later(TURN, self._call)


class Body:
    """One body: its pieces, counted; give its room back with `close`."""

    __slots__ = ("_most", "_receive", "_room", "said", "size")

    def __init__(self, receive: Receive, most: int, room: Room, said: int = -1) -> None:
        self._receive, self._most, self._room, self.size = receive, most, room, 0
        self.said = said  # bytes that it will have; -1 where nobody knows

    def announced(self, most: int) -> None:
        """Refuse what says itself that it is more than that."""
        if self.said > most:
            raise too_large(most)

    async def pieces(self) -> AsyncIterator[bytes]:
        """Piece by piece, none of them beyond the limit."""
        more = True
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise Gone
            piece, more = message.get("body", b""), message.get("more_body", False)
            if piece:
                whole = self.size + len(piece)
                if whole > self._most:
                    raise too_large(self._most)
                self._room.take(len(piece), whole, blind=self.said < 0)
                self.size = whole
                yield piece
                if more and whole > LIGHT:
                    await self._room.turn()

    async def whole(self) -> bytes:
        """All of it."""
        found = [piece async for piece in self.pieces()]
        return found[0] if len(found) == 1 else b"".join(found)

    def limit(self, most: int) -> None:
        """Lower the limit, where a route takes less than others."""
        self._most = min(self._most, most)

    def close(self) -> None:
        """Give the room back."""
        self._room.give(self.size, blind=self.said < 0)
        self.size = 0


def too_large(most: int) -> ServingError:
    """What is said of a body that is more than the limit."""
    return ServingError("body", f"The body has more than {most:,} bytes.")


def length_of(headers: list[tuple[bytes, bytes]]) -> int:
    """What the body's length is said to be; -1 where nothing is said."""
    for name, value in headers:
        if name == b"content-length":
            return int(value) if value.isdigit() else -1
    return -1
