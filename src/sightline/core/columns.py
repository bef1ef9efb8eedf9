"""Arrays as plain JSON, without losing a bit."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np

from sightline.core.errors import InputError


def to_plain(name: str, column: np.ndarray, largest: int = 4096) -> Any:
    """Plain numbers where they read back as the same bytes, else the raw bytes in base64."""
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
    kind = {"classes": np.int64, "tracks": np.int64, "masks": bool}.get(name, np.float32)
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
