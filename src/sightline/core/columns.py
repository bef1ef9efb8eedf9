"""Arrays as plain JSON, without losing a bit."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from sightline.core.errors import InputError

_FEW = 64  # numbers that are quicker one by one
_WHOLE = {"classes": np.int64, "tracks": np.int64, "masks": bool}  # columns that are read back as no floats
RAGGED = ("outlines", "details")  # columns whose rows differ in length


def to_plain(name: str, column: np.ndarray, largest: int = 4096) -> Any:
    """Plain numbers where they read back as the same bytes, else the raw bytes in base64."""
    if column.dtype == np.float32 and column.ndim == 1 and 0 < column.size <= min(largest, _FEW) and name not in _WHOLE:
        plain = [float(str(number)) for number in column]  # what follows, without arrays on the way
        if all(map(math.isfinite, plain)):
            return plain
    if column.size <= largest and column.dtype.kind in "biuf" and np.isfinite(column).all():
        short = column.dtype.kind == "f" and column.dtype.itemsize < 8  # 0.1, not 0.10000000149011612
        plain = column.astype("U32").astype(np.float64).tolist() if short else column.tolist()
        back = from_plain(name, plain)
        if back.dtype == column.dtype and back.shape == column.shape:
            return plain
    raw = np.ascontiguousarray(column)
    little = raw.dtype.newbyteorder("<")
    packed = base64.b64encode(raw.astype(little).tobytes()).decode()
    return {"dtype": little.str, "shape": list(column.shape), "base64": packed}


def from_plain(name: str, value: Any) -> np.ndarray:
    """The array that `to_plain` wrote, or that a person wrote as numbers."""
    kind = _WHOLE.get(name, np.float32)
    try:
        if isinstance(value, Mapping):
            dtype = np.dtype(str(value["dtype"]))
            if dtype.kind not in "biuf":
                raise ValueError(f"an array of {dtype}")
            return np.frombuffer(base64.b64decode(value["base64"], validate=True), dtype).reshape(value["shape"])
        column = np.asarray(value)
        if column.dtype.kind not in "biuf" or (kind is np.int64 and column.size and column.dtype.kind not in "iu"):
            raise ValueError(f"found {column.dtype}")
        column = column.astype(kind)
        return column.reshape(0, 4) if name == "boxes" and column.size == 0 else column
    except (KeyError, TypeError, ValueError, OverflowError, SyntaxError) as error:
        raise InputError("label", f"'{name}' is no array of numbers: {str(error)[:120]}.") from error


def ragged_to_plain(name: str, column: tuple[Any, ...], largest: int = 4096) -> list[Any]:
    """A ragged column as plain JSON."""
    if name == "outlines":
        return [[to_plain(name, ring, largest) for ring in rings] for rings in column]
    try:
        plain = json.loads(json.dumps(list(map(dict, column)), allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError("label", f"'{name}' is not plain JSON: {str(error)[:120]}.") from error
    if plain != list(column):
        raise InputError("label", f"'{name}' is not plain JSON (keys must be strings, rows must be lists).")
    return list(plain)


def ragged_from_plain(name: str, value: Any) -> tuple[Any, ...]:
    """The column that `ragged_to_plain` wrote, or that a person wrote."""
    if name == "outlines":
        if not isinstance(value, list) or not all(isinstance(rings, list) for rings in value):
            raise InputError("label", "'outlines' must be a list of lists of rings, each a list of points.")
        return tuple(tuple(from_plain(name, ring) for ring in rings) for rings in value)
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise InputError("label", f"'{name}' must be a list of objects in braces.")
    return tuple(value)


def to_text(name: str, column: tuple[Any, ...]) -> np.ndarray:
    """A ragged column as one string in an array, the same for the same content."""
    return np.array(json.dumps(ragged_to_plain(name, column), sort_keys=True, allow_nan=False))


def from_text(name: str, text: np.ndarray) -> tuple[Any, ...]:
    """The column that `to_text` wrote."""
    try:
        return ragged_from_plain(name, json.loads(str(text)))
    except (ValueError, RecursionError) as error:
        raise InputError("label", f"'{name}' is not JSON: {str(error)[:120]}.") from error
