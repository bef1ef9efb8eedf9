"""Settings that cannot be are refused in one line."""

from __future__ import annotations

from collections.abc import Sequence

from sightline.core.errors import SettingsError, nearest


def within(what: str, low: float, high: float, /, **settings: float) -> None:
    """Refuse a number that is not from `low` to `high`."""
    for name, value in settings.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise SettingsError(f"{what}: {name} = {value}: must be a number from {low:g} to {high:g}.")


def whole(what: str, low: int, high: int, /, **settings: int) -> None:
    """Refuse what is not a whole number from `low` to `high`."""
    for name, value in settings.items():
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise SettingsError(f"{what}: {name} = {value}: must be a whole number from {low} to {high}.")


def one_of(what: str, choices: Sequence[str], /, **settings: str) -> None:
    """Refuse a word that is not among `choices`."""
    for name, value in settings.items():
        if value not in choices:
            raise SettingsError(
                f"{what}: {name} = {value}: must be one of {', '.join(choices)}.{nearest(str(value), choices)}"
            )
