"""What all listeners keep of an event, and the shape that all of them have."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Protocol

from sightline.core.progress import Event


class Listener(Protocol):
    """Hears every event of one run."""

    def __call__(self, event: Event) -> None:
        """Keep what matters of an event."""

    def close(self) -> None:
        """Write what is left; called also when the run fails."""


def numbers(facts: Mapping[str, Any]) -> dict[str, float]:
    """The finite numbers of an epoch under names with slashes: loss, rate, parts/boxes, val/accuracy."""
    found: dict[str, float] = {}
    for name in ("loss", "rate", "seconds"):
        if isinstance(facts.get(name), (int, float)):
            found[name] = float(facts[name])
    for group in ("parts", "val"):
        inner = facts.get(group) or {}
        found |= {f"{group}/{name}": float(value) for name, value in inner.items() if value is not None}
    return {name: value for name, value in found.items() if math.isfinite(value)}


def settings(facts: Mapping[str, Any]) -> dict[str, str | int | float | bool]:
    """What a run was started with, flat and plain."""
    found: dict[str, Any] = {name: facts[name] for name in ("task", "model", "parameters") if name in facts}
    for group, word in (("settings", "train"), ("options", "task")):
        found |= {f"{word}.{name}": value for name, value in (facts.get(group) or {}).items()}
    return {name: value if isinstance(value, (str, int, float, bool)) else str(value) for name, value in found.items()}
