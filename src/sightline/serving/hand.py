"""One worker, seen from the front: what it was given, what it is at, what it answers."""

from __future__ import annotations

import asyncio
import json
import mmap
import os
import socket
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from sightline.serving import wire
from sightline.serving.wire import HEAD, MARK

CHUNK = 2**18  # bytes read at once


class Group:
    """Items that go through the model together; `begun` is when their worker came to them."""

    __slots__ = ("begun", "hedged", "items")

    def __init__(self, items: Sequence[Any]) -> None:
        self.items, self.begun, self.hedged = items, 0.0, False


class Hand:
    """A worker with its door; it calls back with every message and when it has hung up."""

    def __init__(self, heard: Callable[[Hand, dict[str, Any], memoryview], None], lost: Callable[[Hand], None]) -> None:
        self._heard, self._lost = heard, lost
        self.groups: deque[Group] = deque()
        self.pid, self.ready, self.leaving, self.stalled, self.dead = 0, False, False, False, False
        self.killed = ""  # why the front ended it
        self.exclusive = False  # one item that may have killed another worker has it for itself
        self.turns, self.buried, self.last = 0, False, (0, 0)
        self._door, self.theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self._door.setblocking(False)
        for end in (self._door, self.theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2**20)
        self.shared = os.memfd_create("mark", os.MFD_CLOEXEC)
        os.ftruncate(self.shared, MARK.size)
        self._memory = mmap.mmap(self.shared, MARK.size)
        self._loop = asyncio.get_running_loop()
        self._in, self._filled = bytearray(CHUNK), 0
        self._out: deque[memoryview] = deque()
        self._loop.add_reader(self._door.fileno(), self._readable)

    def begin(self) -> None:
        """The worker has its ends; this side needs them no more."""
        self.theirs.close()
        if self.shared >= 0:
            os.close(self.shared)
            self.shared = -1

    @property
    def at(self) -> tuple[int, int]:
        """Which item it was at last, and what it did to it."""
        item, doing = MARK.unpack_from(self._memory, 0)
        return int(item), int(doing)

    def turned(self, worn: bool, life: int) -> bool:
        """It has answered its first group; whether it is at the end of its life."""
        self.groups.popleft()
        self.turns += 1
        self.exclusive = self.stalled = False
        if self.groups:
            self.groups[0].begun = time.monotonic()
        return worn or self.turns >= life

    def give(self, group: Group, buffers: list[Any]) -> None:
        """Hand over a group; it answers groups in the order in which they came."""
        if not self.groups:
            group.begun = time.monotonic()
        self.groups.append(group)
        sent = 0
        if not self._out:
            try:
                sent = self._door.sendmsg(buffers)
            except BlockingIOError:
                sent = 0
            except OSError:
                self._hung_up()
                return
        for buffer in buffers:
            if sent >= len(buffer):
                sent -= len(buffer)
                continue
            if not self._out:
                self._loop.add_writer(self._door.fileno(), self._writable)
            self._out.append(memoryview(buffer).cast("B")[sent:])
            sent = 0

    def _writable(self) -> None:
        while self._out:
            try:
                done = self._door.send(self._out[0])
            except BlockingIOError:
                return
            except OSError:
                self._hung_up()
                return
            self._out[0] = self._out[0][done:]
            if not len(self._out[0]):
                self._out.popleft()
        self._loop.remove_writer(self._door.fileno())

    def _readable(self) -> None:
        try:
            count = self._door.recv_into(memoryview(self._in)[self._filled :])
        except BlockingIOError:
            return
        except OSError:
            count = 0
        if count == 0:
            self._hung_up()
            return
        self._filled += count
        try:
            self._take()
        except (wire.WireError, ValueError, KeyError, TypeError, LookupError, AttributeError, OverflowError) as error:
            self.close(f"its worker answered nonsense ({type(error).__name__}: {error})")
            self._lost(self)

    def _take(self) -> None:
        place = 0
        while self._filled - place >= HEAD.size:
            line, size = HEAD.unpack_from(self._in, place)
            if line > wire.LONGEST or size > wire.LARGEST:
                raise wire.WireError("a message longer than any")
            end = place + HEAD.size + line + size
            if end > self._filled:
                if end - place > len(self._in):
                    rest = bytes(memoryview(self._in)[place : self._filled])
                    self._in = bytearray(end - place)
                    self._in[: len(rest)] = rest
                    self._filled, place = len(rest), 0
                break
            start = place + HEAD.size
            with memoryview(self._in) as view, view[start + line : end] as body:
                told = json.loads(str(view[start : start + line], "utf-8"))
                if not isinstance(told, dict):
                    raise wire.WireError("no table")
                self._heard(self, told, body)
            if self.dead:
                return
            place = end
        if place:
            rest = bytes(memoryview(self._in)[place : self._filled])
            if len(self._in) > 4 * CHUNK and len(rest) < CHUNK:
                self._in = bytearray(CHUNK)
            self._in[: len(rest)] = rest
            self._filled = len(rest)

    def _hung_up(self) -> None:
        if not self.dead:
            self.close()
            self._lost(self)

    def close(self, why: str = "") -> None:
        """Hang up; a worker that is idle ends by itself then."""
        if self.dead:
            return
        self.dead, self.killed = True, self.killed or why
        self._loop.remove_reader(self._door.fileno())
        self._loop.remove_writer(self._door.fileno())
        self._door.close()
        self.begin()
        self.last = self.at
        self._memory.close()
