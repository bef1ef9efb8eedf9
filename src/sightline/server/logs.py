"""What the service says of itself: one JSON object a line, of fields that are listed here and of nothing else.

No token, no header, no address as it was asked and no pixel can get in, because none of them is ever given.
"""

from __future__ import annotations

import io
import json
import sys
import threading
import time
from typing import Any, BinaryIO

FIELDS = frozenset({
    "method", "route", "status", "code", "seconds", "model", "version", "arm", "kept", "pictures", "bytes_in",
    "bytes_out", "caller", "request_id", "why", "trace", "kind", "alias", "number", "host", "port", "models", "job",
})  # fmt: skip
_written = json.JSONEncoder(separators=(",", ":"), default=str).encode


class Log:
    """A line for every request and for what happens to the service."""

    def __init__(self, out: BinaryIO | None = None) -> None:
        self._out = _Whole(out if out is not None else sys.stderr.buffer)
        self._second = -1, ""

    def __call__(self, event: str, **facts: Any) -> None:
        row = {"event": event, **{name: value for name, value in facts.items() if name in FIELDS}}
        row["time"] = self._now()
        self._out.write(_written(row).encode("utf-8", "replace") + b"\n")

    def _now(self) -> str:
        """The time as ISO 8601 writes it; all but its fraction is made once a second."""
        now = time.time_ns()
        second, text = self._second
        if now // 10**9 != second:
            second, text = self._second = now // 10**9, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now // 10**9))
        return f"{text}.{now // 1000 % 10**6:06d}Z"


class _Whole(io.RawIOBase):
    """Whole lines to a stream; a stream that refuses them (a full disk, a closed pipe) stops no answer."""

    def __init__(self, out: BinaryIO) -> None:
        self._out, self._lock, self.lost = out, threading.Lock(), 0

    def write(self, line: Any) -> int:
        with self._lock:
            try:
                self._out.write(line)
                self._out.flush()
            except (OSError, ValueError):
                self.lost += 1
        return len(line)

    def flush(self) -> None:
        """Nothing is held back."""
