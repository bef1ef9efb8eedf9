"""The front's side of a process that forks: orders with handles go out, who was forked and who has ended comes back."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from sightline.core.errors import ServingError
from sightline.core.extras import SILENT
from sightline.serving.nursery import LARGEST

# of the environment; the last ones say where it is remembered how fast a version is in which runtime
_KEPT = (
    "PATH",
    "LANG",
    "LC_ALL",
    "LD_LIBRARY_PATH",
    "SYSTEMROOT",
    "TMPDIR",
    "HOME",
    "SIGHTLINE_CACHE",
    "XDG_CACHE_HOME",
)
_ONE = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "MALLOC_ARENA_MAX")
Ended = Callable[[int, int | None], None]  # a process, and how it ended: less than 0 is a signal, None is not known


class Nurse:
    """One forking process: the root, or the template of a version; all that come from one root are one session."""

    def __init__(self, control: socket.socket, ended: Ended, session: int) -> None:
        control.setblocking(False)
        self.control, self.ended, self.session = control, ended, session
        self.alive = True
        loop = asyncio.get_running_loop()
        self.hello: asyncio.Future[dict[str, Any]] = loop.create_future()
        self._orders: dict[int, asyncio.Future[int]] = {}
        self._tickets, self._children = itertools.count(), set[int]()
        self._gone: list[Callable[[], None]] = []
        loop.add_reader(control.fileno(), self._heard)

    async def fork(self, order: dict[str, Any], handles: list[int]) -> int:
        """The number of the child that does this; the handles may be closed afterwards."""
        if not self.alive:
            raise ServingError("not_ready", "the process that workers come from has died.")
        ticket = next(self._tickets)
        made: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._orders[ticket] = made
        try:
            socket.send_fds(self.control, [json.dumps(order | {"ticket": ticket}).encode()], handles)
        except OSError as error:
            self.close()
            raise ServingError("not_ready", f"no worker can be started: {error.strerror}.") from error
        return await made

    def when_gone(self, act: Callable[[], None]) -> None:
        """Call this when the process has died by itself."""
        self._gone.append(act)

    def kill(self, process: int) -> None:
        """End a process that may have ended already, and whose number somebody else may have by now."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if process > 0 and os.getsid(process) == self.session:
                os.kill(process, signal.SIGKILL)

    def _heard(self) -> None:
        while self.alive:
            try:
                data = self.control.recv(LARGEST)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self.close()
                for act in self._gone:
                    act()
                return
            told = json.loads(data)
            if "forked" in told:
                self._children.add(told["pid"])
                made = self._orders.pop(told["forked"], None)
                if made and not made.done():
                    made.set_result(told["pid"])
            elif "ended" in told:
                self._children.discard(told["ended"])
                self.ended(told["ended"], told["status"])
            elif not self.hello.done():
                self.hello.set_result(told)

    def close(self) -> None:
        """Hang up: the process ends by itself, its children by their own doors."""
        if not self.alive:
            return
        self.alive = False
        asyncio.get_running_loop().remove_reader(self.control.fileno())
        self.control.close()
        lost = ServingError("not_ready", "the process that workers come from has died.")
        futures: list[asyncio.Future[Any]] = [self.hello, *self._orders.values()]
        for waiting in futures:
            if not waiting.done():
                waiting.set_exception(lost)
                waiting.exception()  # whoever waits hears of it; nobody else has to
        for child in list(self._children):
            self.ended(child, None)
        self._children.clear()


def start_root(ended: Ended) -> tuple[Nurse, subprocess.Popen[bytes], int]:
    """The first process of all, with nothing of this one but its libraries; and the leash of all that come from it.

    Whatever hangs on a leash ends when the leash is closed, or when this process is no more.
    """
    mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    held, leash = os.pipe()
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    paths = os.pathsep.join(os.path.abspath(path) for path in sys.path if path)  # noqa: PTH100 - of zips too
    process = subprocess.Popen(
        [sys.executable, "-P", "-s", "-c", "from sightline.serving.nursery import main; main()",
         str(theirs.fileno()), str(held)],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, pass_fds=[theirs.fileno(), held],
        start_new_session=True,  # Ctrl-C is for the front, which drains
        env={**kept, **dict.fromkeys(_ONE, "1"), **SILENT, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    theirs.close()
    os.close(held)
    return Nurse(mine, ended, process.pid), process, leash
