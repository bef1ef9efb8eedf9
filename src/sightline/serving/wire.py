"""What the front and a worker say to each other: a line of JSON and bytes; nothing that comes back is believed."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from sightline.core.annotations import Annotation, Labels, from_columns, to_columns
from sightline.core.decisions import Decision

HEAD = struct.Struct("<II")  # bytes of the line, bytes of the body
MARK = struct.Struct("<QB")  # which item a worker is at, and what it does to it
RESTING, DECODING, COMPUTING = range(3)
LONGEST = 2**24  # bytes of a line
LARGEST = 2**31  # bytes of a body
_DTYPES = "biufU"
encoded = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
_KNOWN = {text: np.dtype(text) for text in ("<f4", "<f8", "<i8", "|u1", "|b1", "<u2", "<i4")}


class WireError(Exception):
    """What came cannot have been meant."""


def packed(line: Mapping[str, Any], bodies: Sequence[Any] = ()) -> list[Any]:
    """A message as buffers, so that large ones are copied by nobody but the kernel."""
    return framed(encoded(line), bodies)


def framed(line: str, bodies: Sequence[Any] = ()) -> list[Any]:
    """The same, where the line is JSON already."""
    told = line.encode()
    return [HEAD.pack(len(told), sum(len(body) for body in bodies)) + told, *bodies]


def flat(array: np.ndarray) -> memoryview:
    """The bytes of an array, row by row, without a copy where they lie so."""
    array = np.ascontiguousarray(array)
    return array.reshape(-1).view(np.uint8).data if array.size else memoryview(b"")


def record_out(record: Annotation, names: tuple[str, ...] | None) -> tuple[dict[str, Any], list[memoryview]]:
    """A record as a table of its columns and their bytes; the names of the model are not said again and again."""
    same = names is not None and getattr(record, "names", None) == names
    if same and isinstance(record, Labels) and record.scores is not None and record.outlier is None:
        return _scores_out(record.scores)  # by far the most
    columns, bodies = [], []
    for name, array in to_columns(record, without="names" if same else "").items():
        if name == "kind":
            continue
        columns.append([name, array.dtype.str, array.shape])
        bodies.append(flat(array))
    return {"kind": type(record).__name__.lower(), "columns": columns, "same": same}, bodies


def _scores_out(scores: np.ndarray) -> tuple[dict[str, Any], list[memoryview]]:
    column = ["scores", scores.dtype.str, scores.shape]
    return {"kind": "labels", "columns": [column], "same": True}, [flat(scores)]


def record_in(told: Mapping[str, Any], body: memoryview, names: tuple[str, ...]) -> tuple[Annotation, int]:
    """The record, and how many bytes of the body it took."""
    kind = str(told["kind"])
    columns: dict[str, np.ndarray] = {}
    place = 0
    for name, dtype, shape in told["columns"]:
        columns[str(name)], place = array_in(dtype, shape, body, place)
    if told["same"]:  # names of the model, thousands perhaps: never copied
        if kind == "labels" and len(columns) == 1 and "scores" in columns:
            return Labels(names, columns["scores"]), place
        record = from_columns({"kind": np.array(kind), **columns, "names": _NO_NAMES})
        return replace(record, names=names), place  # type: ignore[call-arg]
    return from_columns({"kind": np.array(kind), **columns}), place


_NO_NAMES = np.zeros(0, "U1")


def array_in(dtype: Any, shape: Any, body: memoryview, place: int) -> tuple[np.ndarray, int]:
    """An array of its own out of a body, and where the next begins."""
    kind = _KNOWN.get(dtype) or np.dtype(str(dtype))
    if kind.kind not in _DTYPES or not all(type(side) is int and side >= 0 for side in shape):
        raise WireError(f"an array of {dtype} {shape}")
    size = math.prod(shape) * kind.itemsize
    if place + size > len(body):
        raise WireError(f"{kind} {shape} in {len(body) - place} bytes")
    return np.frombuffer(body[place : place + size], kind).reshape(shape).copy(), place + size


def decision_in(told: Mapping[str, Any] | None) -> Decision | None:
    """The decision that a worker reached."""
    if told is None:
        return None
    outlier, level = told["outlier"], told["level"]
    return Decision(
        str(told["best"]), float(told["score"]), tuple(map(str, told["names"])),
        None if level is None else float(level), None if outlier is None else float(outlier), str(told["why"])[:500],
    )  # fmt: skip


def decision_out(decision: Decision | None) -> dict[str, Any] | None:
    """The same as plain JSON."""
    if decision is None:
        return None
    return {
        "best": decision.best, "score": decision.score, "names": decision.names, "level": decision.level,
        "outlier": decision.outlier, "why": decision.why,
    }  # fmt: skip
