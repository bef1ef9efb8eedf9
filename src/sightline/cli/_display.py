"""Where a command speaks: results on standard output, progress on standard error, for people or for machines."""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sightline.cli._lines import epoch_line, printable
from sightline.core.progress import Event

SCHEMA = 1
_SHOWN = ("start", "note", "skip", "warn", "done")
_MOST_SKIPS = 20  # lines; the run keeps the whole list
_PATIENCE = 5.0  # seconds between two lines of progress where nothing can be redrawn


class Screen:
    """Given to every command first; knows who listens, and with which status to end."""

    def __init__(self, command: str, *, json: bool = False, quiet: bool = False) -> None:
        self.command, self.json, self.quiet, self.status = command, json, quiet, 0
        self._show: Any = _Quiet()
        if not quiet:
            self._show = _Machine() if json else _Terminal() if sys.stderr.isatty() else _Plain()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._show.close()

    def tell(self, event: Event) -> None:
        """Show one event of a stage."""
        self._show(event)

    def note(self, text: str) -> None:
        """Show a line about what goes on."""
        self.tell(Event("note", text))

    def say(self, line: str = "") -> None:
        """A line of the result, for people."""
        if not self.json:
            sys.stdout.write(printable(line) + "\n")
            sys.stdout.flush()

    def answer(self, document: Mapping[str, Any]) -> None:
        """The whole result, for machines."""
        if self.json:
            sys.stdout.write(json.dumps(plain({"schema": SCHEMA, "command": self.command, **document})) + "\n")


def plain(value: Any) -> Any:
    """What JSON can hold: numbers that are not finite become null, paths become text, arrays become lists."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    if isinstance(value, Path):
        return str(value)
    return plain(value.tolist()) if hasattr(value, "tolist") else value


class _Quiet:
    def __call__(self, event: Event) -> None:
        pass

    def close(self) -> None:
        pass


class _Machine(_Quiet):
    """One JSON object a line."""

    def __call__(self, event: Event) -> None:
        row = {"schema": SCHEMA, "kind": event.kind, "text": event.text, "facts": event.facts}
        sys.stderr.write(json.dumps(plain(row)) + "\n")
        sys.stderr.flush()


class _Plain(_Quiet):
    """Whole lines, few of them, for files and pipes."""

    def __init__(self) -> None:
        self.skips = 0
        self.spoke = time.monotonic()

    def __call__(self, event: Event) -> None:
        if event.kind == "progress":
            if time.monotonic() - self.spoke > _PATIENCE:
                self.line(progress_line(event))
            return
        self.skips += event.kind == "skip"
        if event.kind == "skip" and self.skips > _MOST_SKIPS:
            return
        if event.kind == "epoch":
            self.line(epoch_line(event.facts))
        elif event.kind in _SHOWN and event.text:
            self.line(f"warning: {event.text}" if event.kind == "warn" else event.text)

    def line(self, text: str) -> None:
        self.spoke = time.monotonic()
        sys.stderr.write(printable(text) + "\n")
        sys.stderr.flush()

    def close(self) -> None:
        if self.skips > _MOST_SKIPS:
            self.line(f"and {self.skips - _MOST_SKIPS} more were skipped")


class _Terminal(_Plain):
    """The same lines above one bar that moves; the bar comes with the first progress."""

    def __init__(self) -> None:
        super().__init__()
        self.bar: Any = None
        self.row: Any = None

    def __call__(self, event: Event) -> None:
        if event.kind != "progress":
            super().__call__(event)
            return
        if self.bar is None:
            self._begin()
        done, total = event.facts.get("done", 0), event.facts.get("total")
        self.bar.update(self.row, completed=done, total=total, description=_place(event))

    def line(self, text: str) -> None:
        if self.bar is None:
            super().line(text)
        else:
            self.bar.console.print(printable(text), markup=False, highlight=False, soft_wrap=True)

    def close(self) -> None:
        if self.bar is not None:
            self.bar.stop()
            self.bar = None
        super().close()

    def _begin(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
        self.bar = Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True)
        self.row = self.bar.add_task("", total=None)
        self.bar.start()


def progress_line(event: Event) -> str:
    """How far, in words."""
    done, total = event.facts.get("done", 0), event.facts.get("total")
    return f"{_place(event)} {done}" + (f" of {total}" if total else "")


def _place(event: Event) -> str:
    epoch = event.facts.get("epoch")
    return event.text or (f"epoch {epoch}" if epoch else "samples")
