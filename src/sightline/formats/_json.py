"""JSON that strangers wrote: parsed with limits, and asked for values of one type with file and place in the error."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NoReturn

import numpy as np

from sightline.core.errors import InputError

_DEEPEST = 64
_FURTHEST = 1e9  # pixels


def parse(data: bytes | str, where: str) -> Any:
    """The value, without numbers that are none and without endless nesting."""
    try:
        value = _DECODER.decode(data.decode("utf-8-sig") if isinstance(data, bytes) else data)
    except RecursionError as error:
        raise InputError("label", f"{where}: nested too deep.") from error
    except ValueError as error:
        raise InputError("label", f"{where}: not JSON ({error}).") from error
    _shallow(value, where)
    return value


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number of JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse)


def _shallow(value: Any, where: str) -> None:
    level = [value]
    for _ in range(_DEEPEST):
        inner: list[Any] = []
        for one in level:
            if isinstance(one, dict):
                inner += [item for item in one.values() if isinstance(item, dict | list)]
            elif isinstance(one, list) and one and not isinstance(one[0], int | float):
                inner += [item for item in one if isinstance(item, dict | list)]
        if not inner:
            return
        level = inner
    raise InputError("label", f"{where}: nested more than {_DEEPEST} deep.")


def number(value: Any, what: str, where: str) -> float:
    """A finite number of a size that a picture can have."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= _FURTHEST:
        raise InputError("label", f"{where}: {what} must be a number, not {str(value)[:40]!r}.")
    return float(value)


def whole(value: Any, what: str, where: str) -> int:
    """A whole number within 64 bits."""
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 2**63:
        raise InputError("label", f"{where}: {what} must be a whole number, not {str(value)[:40]!r}.")
    return value


def text(value: Any, what: str, where: str) -> str:
    """A string that is not empty."""
    if not isinstance(value, str) or not value:
        raise InputError("label", f"{where}: {what} must be a string, not {str(value)[:40]!r}.")
    return value


def table(value: Any, what: str, where: str) -> Mapping[str, Any]:
    """An object in braces."""
    if not isinstance(value, dict):
        raise InputError("label", f"{where}: {what} must be an object in braces, not {str(value)[:40]!r}.")
    return value


def rows(value: Any, what: str, where: str) -> list[Any]:
    """A list."""
    if not isinstance(value, list):
        raise InputError("label", f"{where}: {what} must be a list, not {str(value)[:40]!r}.")
    return value


def numbers(value: Any, what: str, where: str, *, each: int = 1, least: int = 0) -> np.ndarray:
    """A flat list of finite numbers as (n, each) 64-bit floats."""
    try:
        column = np.asarray(rows(value, what, where), np.float64) if value else np.zeros(0)
        fits = column.ndim == 1 and not any(isinstance(item, str | bool) for item in value or ())
    except (ValueError, TypeError, OverflowError):
        fits, column = False, np.zeros(0)
    if not fits or not (np.abs(column) <= _FURTHEST).all() or len(column) % each or len(column) < least * each:
        raise InputError("label", f"{where}: {what} must be a list of numbers, not {str(value)[:60]}.")
    return column.reshape(-1, each)


def dump(value: Any, what: str) -> bytes:
    """The text of a value; what is no plain JSON, or would read back as something else, is refused."""
    try:
        made = json.dumps(value, allow_nan=False)
        if json.loads(made) != value:
            raise ValueError("keys must be strings and rows must be lists")
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError("label", f"{what}: what it carries is not plain JSON: {error}.") from error
    return made.encode()
