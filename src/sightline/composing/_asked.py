"""Settings by name for a function that takes them as keywords: what is unknown or of another type is one line."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from sightline.core.errors import SettingsError, nearest

_KINDS = (bool, int, float, str)


def check(function: Callable[..., Any], given: Mapping[str, Any], what: str) -> None:
    """Refuse what this function does not take."""
    takes = {
        name: each.default
        for name, each in inspect.signature(function).parameters.items()
        if each.kind is inspect.Parameter.KEYWORD_ONLY and name != "tell"
    }
    for name, value in given.items():
        if name not in takes:
            known = ", ".join(takes) or "none"
            raise SettingsError(f"{what} has no setting '{name}'.{nearest(name, takes)} Known: {known}.")
        usual = takes[name]
        kind = next((one for one in _KINDS if isinstance(usual, one)), None)
        fits = kind is None or type(value) is kind or (kind is float and type(value) is int)
        if not fits:
            wanted = {bool: "true or false", int: "a whole number", float: "a number", str: "a word"}[kind or str]
            raise SettingsError(f"{what}: {name} = {value!r}: give {wanted}, such as {usual!r}.")


def takes(function: Callable[..., Any], name: str) -> bool:
    """Whether this is one of the function's own settings."""
    return name in inspect.signature(function).parameters
