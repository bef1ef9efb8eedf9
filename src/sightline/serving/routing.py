"""Which versions a question goes to: who answers, who only listens, and who is asked next where the first is unsure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sightline.core.errors import ServingError
from sightline.core.files import digest
from sightline.registering.version import CHAMPION
from sightline.serving.arms import CALLER, Traffic, assign
from sightline.serving.asking import Ask


@dataclass(frozen=True, slots=True)
class Routes:
    """Numbers of versions, and the arm that is said of each."""

    number: int
    arm: str
    shadows: tuple[tuple[int, str], ...] = ()
    larger: tuple[int, str] | None = None  # asked where the first scores less than `confidence`
    confidence: float = 0.0
    experiment: str = ""  # under which all this was drawn


def read(traffic: Mapping[str, Any] | None) -> Traffic | None:
    """How requests are shared; None where the champion answers all, which costs nothing."""
    if traffic is None:
        return None
    made = Traffic.from_json(traffic)
    plain = made.kind == "single" and tuple(made.shares) == (CHAMPION,)
    return None if plain else made


def routes(ask: Ask, champion: int, aliases: Mapping[str, int], traffic: Traffic | None) -> Routes:
    """Who answers this one: equal callers get equal arms."""
    if traffic is None:
        return Routes(champion, CHAMPION)
    drawn = assign(traffic, ask.caller, _digest(ask, traffic) if len(traffic.shares) > 1 else "")
    now = {**aliases, CHAMPION: champion}
    shadows = [(found, str(arm)) for arm in drawn.shadows if (found := _number(arm, now)) is not None]
    found = _number(drawn.answers, now)
    if found is None:  # an alias that nobody has any more: the champion answers
        return Routes(champion, CHAMPION, tuple(shadows))
    number = None if drawn.larger is None else _number(drawn.larger, now)
    larger = None if number is None else (number, str(drawn.larger))
    return Routes(found, drawn.arm, tuple(shadows), larger, traffic.confidence, drawn.experiment)


def needed(aliases: Mapping[str, int], traffic: Traffic | None) -> set[int]:
    """The versions that traffic wants ready, besides the champion."""
    if traffic is None:
        return set()
    arms = {*traffic.shares, *traffic.shadows, *([traffic.larger] if traffic.larger else [])} - {CHAMPION}
    return {found for arm in arms if (found := _number(arm, aliases)) is not None}


def asked_for(name: str, which: int | str, aliases: Mapping[str, int]) -> int:
    """The number of the version that was named."""
    found = _number(which, aliases)
    if found is None:
        known = ", ".join(aliases) or "none"
        raise ServingError("not_found", f"'{name}' has no version called '{which!s:.80}'. Aliases: {known}.")
    return found


def check_level(level: float | None, name: str, about: Mapping[str, Any]) -> None:
    """Refuse a level at which a model that chooses a name has made no sets, before a worker stumbles over it."""
    known = about.get("levels", ())
    if level is None or level in known or about.get("kind") != "labels" or about.get("several"):
        return
    has = f"sets at {', '.join(f'{each:g}' for each in known)}" if known else "no sets"
    raise ServingError("schema", f"level {level:g}: '{name}' has {has}.")


def _number(which: int | str, aliases: Mapping[str, int]) -> int | None:
    if isinstance(which, int):
        return which
    return aliases[which] if which in aliases else int(which) if which.isdecimal() else None


def _digest(ask: Ask, traffic: Traffic) -> str:
    if ask.caller and traffic.by == CALLER:
        return ""
    return digest(ask.data.tobytes() if isinstance(ask.data, np.ndarray) else ask.data)
