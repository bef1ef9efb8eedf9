"""Rows to a disk that may be full or slow, from callers who never wait for it longer than they wish to.

One thread saves what has come since it last looked, so that many callers share one commit. What cannot be saved is
held and tried again; once as much is held as may be, what comes is dropped and counted.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from sightline.core.errors import StorageError
from sightline.core.progress import Event, Tell, silent

Row = TypeVar("Row")
_PAUSES = (0.1, 2.0)  # seconds before a disk that refused is asked again: at first, and at most
_TOLD = 60.0  # seconds between two warnings


def _promise() -> Future[bool]:
    """A future that many wait for and none of them can cancel."""
    future: Future[bool] = Future()
    future.set_running_or_notify_cancel()
    return future


@dataclass(slots=True)
class _Batch(Generic[Row]):
    rows: list[Row] = field(default_factory=list)
    size: int = 0
    saved: Future[bool] = field(default_factory=_promise)


class Writer(Generic[Row]):
    """A queue of bounded size and the thread that empties it."""

    def __init__(
        self,
        save: Callable[[list[Row]], object],
        *,
        rest: float = 0.0,  # seconds that rows are collected before they are saved
        most: int = 20_000,  # rows held
        bytes: int = 64 << 20,
        chore: Callable[[], object] | None = None,  # done now and then by the same thread
        every: float = 60.0,
        tell: Tell = silent,
    ) -> None:
        self._save, self._rest, self._most, self._bytes = save, rest, most, bytes
        self._chore, self._every, self._tell = chore, every, tell
        self._change = threading.Condition()
        self._open: _Batch[Row] = _Batch()
        self._held: list[Row] = []
        self._held_size = 0
        self._saving = 0  # rows that the thread has in hand
        self._ending = False
        self._spoke = -_TOLD
        self.written = self.dropped = 0
        self.problem = ""  # why nothing is saved at the moment
        self._thread = threading.Thread(target=self._run, name="sightline-writer", daemon=True)
        self._thread.start()

    def put(self, row: Row, size: int = 500) -> Future[bool]:
        """Take a row without waiting; the future says whether it was saved at the first attempt."""
        with self._change:
            batch = self._open
            count = len(batch.rows) + len(self._held) + self._saving
            if self._ending or count >= self._most or batch.size + self._held_size + size > self._bytes:
                self.dropped += 1
                lost = _promise()
                lost.set_result(False)
                return lost
            batch.rows.append(row)
            batch.size += size
            if len(batch.rows) == 1:
                self._change.notify_all()
            return batch.saved

    @property
    def waiting(self) -> int:
        """Rows that are not saved yet."""
        return len(self._open.rows) + len(self._held) + self._saving

    def flush(self, seconds: float = 5.0) -> bool:
        """Wait until all is saved that came before; False where the disk did not take it in time."""
        with self._change:
            rest, self._rest = self._rest, 0.0
            self._change.notify_all()
            done = self._change.wait_for(lambda: not self.waiting, seconds)
            self._rest = rest
        return done

    def close(self, seconds: float = 5.0) -> None:
        """Save what there is, within a time, and end; what is left is dropped."""
        self.flush(seconds)
        with self._change:
            self._ending = True
            self._change.notify_all()
        self._thread.join(seconds)
        with self._change:
            self.dropped += self.waiting
            self._open, self._held = _Batch(), []

    def state(self) -> dict[str, Any]:
        """For metrics and health."""
        return {
            "written": self.written, "dropped": self.dropped, "waiting": self.waiting, "problem": self.problem,
        }  # fmt: skip

    def _run(self) -> None:
        pause, next_chore = _PAUSES[0], time.monotonic() + self._every
        while not self._ending:
            with self._change:
                self._change.wait_for(lambda: self._open.rows or self._held or self._ending, self._every)
                if self._rest and not self._held:
                    self._change.wait_for(lambda: self._ending or not self._rest, self._rest)
                batch, self._open = self._open, _Batch()
                rows, self._held, size = [*self._held, *batch.rows], [], batch.size + self._held_size
                self._saving, self._held_size = len(rows), size
            left = self._left(rows)
            kept = not left
            with self._change:
                self._saving, self._held, self._held_size = 0, left, size if left else 0
                self._change.notify_all()
                batch.saved.set_result(kept)
                if left:  # those who wait for the rows have been told; the rows are tried again
                    self._change.wait_for(lambda: self._ending, pause)
            pause = _PAUSES[0] if kept else min(2 * pause, _PAUSES[1])
            if self._chore and time.monotonic() >= next_chore:
                self._attempt(self._chore)
                next_chore = time.monotonic() + self._every

    def _left(self, rows: list[Row]) -> list[Row]:
        """Save rows; those that need another attempt, in order."""
        if not rows:
            return []
        try:
            self._save(rows)
        except StorageError as error:
            self._troubled(error.message)
            return rows
        except Exception as error:  # noqa: BLE001 - a row that no table takes must not keep the others out
            if len(rows) > 1:
                return [row for one in rows for row in self._left([one])]
            self.dropped += 1
            self._warn(f"a row cannot be kept: {type(error).__name__}: {error}")
            return []
        self.written += len(rows)
        if self.problem:
            self._tell(Event("note", f"rows are saved again; {self.dropped:,} were dropped"))
            self.problem = ""
        return []

    def _attempt(self, chore: Callable[[], object]) -> None:
        try:
            chore()
        except Exception as error:  # noqa: BLE001 - the thread goes on: rows matter more than tidiness
            self._warn(f"{type(error).__name__}: {error}")

    def _troubled(self, message: str) -> None:
        self.problem = message
        self._warn(f"rows cannot be saved: {message} {self.waiting:,} wait, {self.dropped:,} were dropped.")

    def _warn(self, text: str) -> None:
        if time.monotonic() - self._spoke > _TOLD:
            self._spoke = time.monotonic()
            self._tell(Event("warn", text, self.state()))
