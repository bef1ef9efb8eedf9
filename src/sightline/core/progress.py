"""What a stage says while it works: small events, handed to whoever listens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened: a kind, a line for people, and plain JSON for machines."""

    kind: str  # start | note | progress | epoch | checkpoint | skip | done …
    text: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


Tell = Callable[[Event], None]


def silent(event: Event) -> None:
    """Listen to nothing."""
