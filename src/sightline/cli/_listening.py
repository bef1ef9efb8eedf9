"""One `tell` for the screen and for listeners that keep what they hear."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sightline.core import catalog
from sightline.core.extras import need
from sightline.core.progress import Event, Tell


class Listening:
    """Checks at once that every listener can be had; opens them when a run has a folder."""

    def __init__(self, names: Sequence[str], folder: Path | None, screen: Tell) -> None:
        self.modules = [catalog.find("listeners", name) for name in dict.fromkeys(names)]
        for module in self.modules:
            if module.NEEDS:
                need(module.NEEDS)
        self.folder, self.screen = folder, screen
        self.opened: list[Any] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for listener in self.opened:
            listener.close()

    def tell(self, event: Event) -> None:
        """Pass an event on to everyone."""
        self.screen(event)
        if event.kind == "start" and not self.opened:
            folder = Path(event.facts.get("run") or self.folder or "runs")
            self.opened = [module.open(folder, event.facts) for module in self.modules]
        for listener in self.opened:
            listener(event)
