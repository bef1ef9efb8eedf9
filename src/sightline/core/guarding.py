"""Guarded decoding: in disposable processes, so that a picture that crashes, hangs or swells costs one error.

`with Guard() as guard: guard.read(data)`; or `SIGHTLINE_GUARDED=2` in the environment, and every picture of the process
is read by two such workers.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import math
import os
import queue
import select
import signal
import subprocess
import sys
import threading
import time
from typing import Any

import numpy as np

from sightline.core.cell import LENGTHS
from sightline.core.errors import INPUT_CODES, InputError
from sightline.core.files import digest
from sightline.core.limits import LIMITS, Limits

SOON = 1000  # pictures before its end at which a worker's heir is started
START = 60.0  # seconds that a worker may take to begin
LONGEST = 2**20  # bytes of a line
_KEPT = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR")  # of the environment


class Guard:
    """A few workers, each with one picture at a time; a picture that killed two of them is refused for an hour."""

    def __init__(self, workers: int = 1, *, limits: Limits = LIMITS, forget: float = 3600.0) -> None:
        self.limits, self.forget = limits, forget
        self._free: queue.LifoQueue[_Worker] = queue.LifoQueue()
        self._strikes: dict[str, tuple[int, float]] = {}
        self._lock, self._owner, self._workers = threading.Lock(), os.getpid(), workers
        self._protection: dict[str, Any] = {}
        self._closed = threading.Event()
        self._spare: _Worker | None = None
        self.deaths = 0  # workers that did not end by themselves
        for _ in range(workers):
            self._free.put(_Worker(limits.room))
        atexit.register(self.close)

    def __enter__(self) -> Guard:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def protection(self) -> dict[str, Any]:
        """Which walls the workers stand behind: `limits`, `landlock` (its version, 0 is none), `seccomp`."""
        if not self._protection:
            worker = self._free.get()
            try:
                self._protection = worker.ready()
            finally:
                self._free.put(worker)
        return self._protection

    @property
    def processes(self) -> list[int]:
        """The process numbers of the workers that wait for a picture."""
        with self._free.mutex:
            return [worker.process.pid for worker in self._free.queue]

    def read(
        self,
        data: bytes,
        name: str = "bytes",
        *,
        page: int = 0,
        at_least: tuple[int, int] | None = None,
        indices: bool = False,
        quick: bool = False,
        alpha: bool = False,
        limits: Limits | None = None,
    ) -> np.ndarray:
        """The pixels, as `core.decoding.decode` would answer them in this process."""
        how = {"at_least": at_least, "indices": indices, "quick": quick, "alpha": alpha}
        asked = {"do": "read", "page": page, **how}
        told, pixels = self._ask(asked, data, name, limits or self.limits)
        if pixels is None:
            raise InputError("crashed", f"{name}: a guarded worker answered {told} to a picture.")
        return pixels

    def examine(
        self, data: bytes, name: str = "bytes", *, page: int = 0, limits: Limits | None = None
    ) -> dict[str, Any]:
        """What a file is, as `core.decoding.examine` would answer it in this process."""
        told, _ = self._ask({"do": "examine", "page": page}, data, name, limits or self.limits)
        found = told.get("told")
        if not isinstance(found, dict) or not isinstance(found.get("size"), list):
            raise InputError("crashed", f"{name}: a guarded worker gave no answer.")
        return found

    def close(self) -> None:
        """End the workers; one that is busy ends with its picture."""
        if os.getpid() != self._owner:
            return
        self._closed.set()
        atexit.unregister(self.close)
        for _ in range(self._workers):
            with contextlib.suppress(queue.Empty):
                self._free.get_nowait().end()
        with self._lock:
            spare, self._spare = self._spare, None
        if spare:
            spare.end()

    def _ask(
        self, asked: dict[str, Any], data: bytes, name: str, limits: Limits
    ) -> tuple[dict[str, Any], np.ndarray | None]:
        if self._closed.is_set():
            raise RuntimeError("this guard is closed")
        if len(data) > limits.bytes:
            raise InputError("too_large", f"{name}: {len(data):,} bytes; the limit is {limits.bytes:,}.")
        self._refuse_killers(data, name)
        asked = {**asked, "name": name, "limits": limits.plain()}
        worker = self._free.get()
        try:
            told, pixels = worker.exchange(asked, data, limits)
            worker = worker.heir()
        except _DiedError as error:
            self._strike(data)
            worker.end()
            worker = self._fresh()
            raise InputError(error.code, f"{name}: {error}") from error
        except BaseException:  # interrupted: what the worker says next belongs to nobody
            worker.end()
            worker = self._fresh()
            raise
        finally:
            self._free.put(worker)
            if self._closed.is_set():
                self.close()
        if told.get("code"):
            code = str(told["code"])
            raise InputError(code if code in INPUT_CODES else "corrupt", str(told.get("message", ""))[:500])
        return told, pixels

    def _fresh(self) -> _Worker:
        """A worker that has begun already, where one died before: who is attacked once is attacked again."""
        with self._lock:
            fresh, self._spare = self._spare, _Worker(self.limits.room)
        return fresh or _Worker(self.limits.room)

    def _refuse_killers(self, data: bytes, name: str) -> None:
        if not self._strikes:
            return
        with self._lock:
            now = time.monotonic()
            self._strikes = {key: row for key, row in self._strikes.items() if now - row[1] < self.forget}
            strikes = self._strikes.get(digest(data), (0, 0.0))[0]
        if strikes >= 2:
            raise InputError("refused", f"{name}: it killed {strikes} decoders; it is tried again later.")

    def _strike(self, data: bytes) -> None:
        with self._lock:
            self.deaths += 1
            key = digest(data)
            self._strikes[key] = (self._strikes.get(key, (0, 0.0))[0] + 1, time.monotonic())
            while len(self._strikes) > 10_000:
                self._strikes.pop(next(iter(self._strikes)))


class _DiedError(Exception):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class _Worker:
    """One process and the two pipes to it."""

    def __init__(self, room: int) -> None:
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        paths = os.pathsep.join(os.path.abspath(path) for path in sys.path if path)  # noqa: PTH100 - of zips too
        one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "MALLOC_ARENA_MAX"), "1")
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-s", "-c", "from sightline.core.cell import main; main()", str(room)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0,
            start_new_session=True,  # Ctrl-C is for this process, not for the picture
            env={**kept, **one, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"},
        )  # fmt: skip
        assert self.process.stdin
        assert self.process.stdout
        self.inwards, self.outwards = self.process.stdin.fileno(), self.process.stdout.fileno()
        for handle in (self.inwards, self.outwards):
            os.set_blocking(handle, False)
        self.hello: dict[str, Any] = {}
        self.room, self.left, self.next = room, SOON + 1, None  # type: int, int, _Worker | None

    def ready(self) -> dict[str, Any]:
        """Wait for its first words, which say what protects this process from it."""
        if not self.hello:
            try:
                self.hello, _ = self._receive(time.monotonic() + START, LIMITS)
            except _DiedError as error:  # no picture is to blame
                raise RuntimeError(f"a guarded worker cannot start: {error}") from error
        return dict(self.hello["protection"])

    def exchange(self, asked: dict[str, Any], data: bytes, limits: Limits) -> tuple[dict[str, Any], np.ndarray | None]:
        """Ask, and answer what came back within the time, its shape checked."""
        self.ready()
        until = time.monotonic() + limits.seconds
        line = json.dumps(asked).encode()
        self._send(LENGTHS.pack(len(line), len(data)) + line, until, limits)
        self._send(data, until, limits)
        told, pixels = self._receive(until, limits)
        self.left = int(told.get("left", 0))
        return told, pixels

    def heir(self) -> _Worker:
        """Itself, or near the end of its life another that has begun in the meantime."""
        if self.left > SOON:
            return self
        self.next = self.next or _Worker(self.room)
        if self.left > 0:
            return self
        heir, self.next = self.next, None
        self.end()
        return heir

    def end(self) -> None:
        """Kill it and wait until it is gone."""
        if self.next:
            self.next.end()
        self.process.kill()
        for stream in (self.process.stdin, self.process.stdout):
            if stream:
                stream.close()
        self.process.wait()

    def _send(self, data: bytes, until: float, limits: Limits) -> None:
        view, waiting = memoryview(data), select.poll()
        waiting.register(self.inwards, select.POLLOUT)
        while view:
            try:
                view = view[os.write(self.inwards, view) :]
            except BlockingIOError:
                self._wait(waiting, until, limits)
            except BrokenPipeError:
                self._died()

    def _receive(self, until: float, limits: Limits) -> tuple[dict[str, Any], np.ndarray | None]:
        line, size = LENGTHS.unpack(self._exactly(bytearray(LENGTHS.size), until, limits))
        if line > LONGEST or size > 2 * limits.memory:
            raise _DiedError("crashed", "its decoder answered more than was asked.")
        try:
            told = json.loads(bytes(self._exactly(bytearray(line), until, limits)))
            if size == 0:
                return dict(told), None
            shape, dtype = tuple(told["shape"]), np.dtype(str(told["dtype"]))
            sound = dtype.kind in "biuf" and all(type(length) is int and length >= 0 for length in shape)
            if not sound or math.prod(shape) * dtype.itemsize != size:
                raise ValueError(f"{dtype} {shape} in {size} bytes")
            pixels = np.empty(shape, dtype)
        except (ValueError, KeyError, TypeError) as error:
            raise _DiedError("crashed", f"its decoder answered nonsense ({error}).") from error
        self._exactly(pixels.reshape(-1).view(np.uint8), until, limits)
        return told, pixels

    def _exactly(self, held: Any, until: float, limits: Limits) -> Any:
        view, done, waiting = memoryview(held), 0, select.poll()
        waiting.register(self.outwards, select.POLLIN)
        while done < len(view):
            try:
                more = os.readv(self.outwards, [view[done:]])
            except BlockingIOError:
                self._wait(waiting, until, limits)
                continue
            if more == 0:
                self._died()
            done += more
        return held

    def _wait(self, waiting: select.poll, until: float, limits: Limits) -> None:
        left = until - time.monotonic()
        if left <= 0 or not waiting.poll(math.ceil(1000 * left)):
            raise _DiedError("too_slow", f"its decoder took more than {limits.seconds:g} seconds.")

    def _died(self) -> None:
        status = self.process.wait()
        if status == -signal.SIGXCPU:
            raise _DiedError("too_slow", "its decoder used up its processor time.")
        cause = f"signal {signal.Signals(-status).name}" if status < 0 else f"status {status}"
        raise _DiedError("crashed", f"its decoder died ({cause}).")


_standing: dict[tuple[int, int], Guard] = {}
_making = threading.Lock()


def standing() -> Guard:
    """The guard of this process, with as many workers as `SIGHTLINE_GUARDED` says."""
    said = os.environ.get("SIGHTLINE_GUARDED", "1")
    workers = max(1, int(said)) if said.isdigit() else 1
    with _making:
        key = (os.getpid(), workers)
        if key not in _standing:
            _standing[key] = Guard(workers)
        return _standing[key]
