"""What may be asked of a function: its settings as plain values, and one line that names the one that cannot be meant.

One setting at a time, answered as it is used (`number`, `whole`, `word`, `text`, `flag`, `numbers`, `pairs`), or some
with one bound (`within`, `wholes`, `one_of`, `several`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from sightline.core.errors import SettingsError, nearest


def number(what: str, name: str, value: Any, least: float, most: float, *, above: bool = False) -> float:
    """A number from `least` to `most`; `above` leaves `least` itself out."""
    if _real(value):
        real = float(value)
        if least <= real <= most and not (above and real == least):
            return real
    reach = f"above {least:g} and at most {most:g}" if above else f"from {least:g} to {most:g}"
    raise SettingsError(f"{what}: {name} = {value!r:.80}: must be a number {reach}.")


def whole(what: str, name: str, value: Any, least: int, most: int, *, odd: bool = False) -> int:
    """A whole number from `least` to `most`."""
    if _real(value) and math.isfinite(value):
        real = float(value)
        if least <= real <= most and real.is_integer() and not (odd and real % 2 == 0):
            return int(real)
    raise _not_whole(what, name, value, least, most, odd=odd)


def word(what: str, name: str, value: Any, accepted: Iterable[str]) -> str:
    """One of the words that are accepted."""
    known = list(accepted)
    if isinstance(value, str) and value in known:
        return value
    close = nearest(str(value), known)
    raise SettingsError(f"{what}: {name} = {value!r:.80}: must be one of {', '.join(known)}.{close}")


def text(what: str, name: str, value: Any, longest: int) -> str:
    """A text that is not too long."""
    if isinstance(value, str) and len(value) <= longest:
        return value
    raise SettingsError(f"{what}: {name} = {value!r:.80}: must be a text of at most {longest} characters.")


def flag(what: str, name: str, value: Any) -> bool:
    """True or false."""
    if isinstance(value, bool):
        return value
    raise SettingsError(f"{what}: {name} = {value!r:.80}: must be true or false.")


def numbers(what: str, name: str, value: Any, count: int, least: float = -1e9, most: float = 1e9) -> tuple[float, ...]:
    """So many numbers."""
    if isinstance(value, list | tuple) and len(value) == count:
        return tuple(number(what, f"{name}[{place}]", one, least, most) for place, one in enumerate(value))
    raise SettingsError(f"{what}: {name} = {value!r:.80}: must be {count} numbers.")


def pairs(what: str, name: str, value: Any, fewest: int, least: float, most: float) -> tuple[tuple[float, float], ...]:
    """At least so many pairs of numbers."""
    if isinstance(value, list | tuple) and fewest <= len(value) <= 256:
        made = [numbers(what, f"{name}[{place}]", one, 2, least, most) for place, one in enumerate(value)]
        return tuple((first, second) for first, second in made)
    raise SettingsError(f"{what}: {name} = {value!r:.80}: must be {fewest} to 256 pairs of numbers.")


def within(what: str, least: float, most: float, /, **settings: Any) -> None:
    """Numbers from `least` to `most`, both included."""
    for name, value in settings.items():
        number(what, name, value, least, most)


def wholes(what: str, least: int, most: int, /, **settings: Any) -> None:
    """Whole numbers from `least` to `most`; 3.0 is none, since these are used as they are."""
    for name, value in settings.items():
        if not isinstance(value, int | np.integer) or isinstance(value, bool) or not least <= value <= most:
            raise _not_whole(what, name, value, least, most)


def one_of(what: str, accepted: Iterable[str], /, **settings: Any) -> None:
    """One of some words."""
    known = list(accepted)
    for name, value in settings.items():
        word(what, name, value, known)


def several(what: str, least: float, most: float, /, *, count: int = 16, **settings: Any) -> None:
    """A few numbers from `least` to `most`, at most `count`."""
    for name, values in settings.items():
        if not isinstance(values, list | tuple) or not 1 <= len(values) <= count:
            raise SettingsError(f"{what}: {name} = {values!r:.80}: must be 1 to {count} numbers in brackets.")
        for value in values:
            number(what, name, value, least, most)


def _real(value: Any) -> bool:
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)


def _not_whole(what: str, name: str, value: Any, least: int, most: int, *, odd: bool = False) -> SettingsError:
    kind = "an odd" if odd else "a whole"
    return SettingsError(f"{what}: {name} = {value!r:.80}: must be {kind} number from {least:,} to {most:,}.")
