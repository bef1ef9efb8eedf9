"""Bodies of requests, read within limits: of one body, of all of them together, and of what is asked by the way."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any

from sightline.core.errors import ServingError

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

SMALL = 2**20  # bytes; bodies up to here have the last quarter of the room to themselves


class Gone(Exception):
    """The caller went away before the request was whole."""


class Room:
    """Memory for bodies that are being read, shared by all connections."""

    def __init__(self, total: int) -> None:
        self.total, self.used = total, 0

    def take(self, size: int, whole: int) -> None:
        """Room for the next `size` bytes of a body that has grown to `whole`."""
        most = self.total if whole <= SMALL else self.total * 3 // 4
        if self.used + size > most:
            raise ServingError("queue_full", "Too many bytes are on their way in; ask again.", retry_after=1.0)
        self.used += size

    def give(self, size: int) -> None:
        """Bytes that are no longer held."""
        self.used -= size


class Body:
    """One body: its pieces, counted; give its room back with `close`."""

    __slots__ = ("_most", "_receive", "_room", "size")

    def __init__(self, receive: Receive, most: int, room: Room) -> None:
        self._receive, self._most, self._room, self.size = receive, most, room, 0

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
                self._room.take(len(piece), whole)
                self.size = whole
                yield piece

    async def whole(self) -> bytes:
        """All of it."""
        found = [piece async for piece in self.pieces()]
        return found[0] if len(found) == 1 else b"".join(found)

    def limit(self, most: int) -> None:
        """Lower the limit, where a route takes less than others."""
        self._most = min(self._most, most)

    def close(self) -> None:
        """Give the room back."""
        self._room.give(self.size)
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
