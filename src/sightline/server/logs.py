"""What the service says of itself: one JSON object a line, of fields that are listed here and of nothing else.

No token, no header, no address as it was asked and no pixel can get in, because none of them is ever given.
"""

from __future__ import annotations

import io
import json
import sys
import threading
from typing import Any, BinaryIO

FIELDS = (
    "method", "route", "status", "code", "seconds", "model", "version", "arm", "kept", "pictures", "bytes_in",
    "bytes_out", "caller", "request_id", "why", "trace", "kind", "alias", "number", "host", "port", "models", "job",
)  # fmt: skip


class Log:
    """A line for every request and for what happens to the service."""

    def __init__(self, out: BinaryIO | None = None) -> None:
        from sightline.core.extras import need

        structlog = need("structlog")
        self._out = _Whole(out if out is not None else sys.stderr.buffer)
        self._log = structlog.wrap_logger(
            structlog.BytesLogger(self._out),
            processors=[
                _listed,
                structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
                structlog.processors.JSONRenderer(serializer=_serialise),
            ],
        ).bind()

    def __call__(self, event: str, **facts: Any) -> None:
        self._log.info(event, **facts)


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


def _listed(_: Any, __: str, given: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if name in FIELDS or name == "event"}


def _serialise(value: Any, **_: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), default=str).encode("utf-8", "replace")
