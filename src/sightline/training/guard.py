"""Stopping well: the first signal asks, the second insists."""

from __future__ import annotations

import contextlib
import re
import signal
import threading
from collections.abc import Iterator, Mapping
from types import FrameType
from typing import Any

from sightline.core.errors import RunError

SHOWN = 10  # samples that a refusal names


class Interrupted(RunError):
    """Training was asked to stop and has saved what it knew; the same command continues."""

    code = "interrupted"

    def __init__(self, number: int, message: str) -> None:
        super().__init__(message)
        self.number = number


class Asked:
    """Remembers the signal that asked to stop."""

    def __init__(self) -> None:
        self.number = 0

    def stop(self) -> None:
        """Raise at a place where nothing is half done."""
        if self.number:
            raise Interrupted(self.number, "stopped when asked; the same command continues from here.")


@contextlib.contextmanager
def asking() -> Iterator[Asked]:
    """While inside, SIGINT and SIGTERM ask once; a second one has its usual effect. Other threads cannot be asked."""
    asked = Asked()
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return
    before: dict[int, Any] = {}

    def note(number: int, frame: FrameType | None) -> None:
        asked.number = number
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)

    for number in (signal.SIGINT, signal.SIGTERM):
        before[number] = signal.signal(number, note)
    try:
        yield asked
    finally:
        for known, handler in before.items():
            signal.signal(known, handler)


def told(name: str, why: str) -> str:
    """Which sample, and why; most reasons name it already."""
    return why if re.search(rf"(^|[/\s]){re.escape(name)}:", why) else f"{name}: {why}"


def refuse_many(skipped: Mapping[str, str], count: int, share: float) -> None:
    """Stop where more than this share of `count` samples could not be used; the list is the message."""
    if len(skipped) > share * count:
        listed = "; ".join(told(name, why).rstrip(".") for name, why in list(skipped.items())[:SHOWN])
        more = f"; and {len(skipped) - SHOWN:,} more" if len(skipped) > SHOWN else ""
        raise RunError(
            f"{len(skipped)} of {count} samples cannot be used, more than "
            f"{share:.0%}: {listed}{more}. Mend the data, or raise train.bad_share."
        )
