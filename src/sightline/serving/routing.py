"""Which versions a question goes to: the first answers, the others only listen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sightline.serving.asking import Ask


@dataclass(frozen=True, slots=True)
class Route:
    """A version, and in which role it is asked."""

    number: int
    arm: str


def routes(ask: Ask, champion: int, aliases: Mapping[str, int], traffic: Mapping[str, Any] | None) -> list[Route]:
    """The champion, unless traffic is shared out."""
    return [Route(champion, "champion")]


def named(aliases: Mapping[str, int], traffic: Mapping[str, Any] | None) -> set[int]:
    """The versions that traffic needs ready, besides the champion."""
    return set()
