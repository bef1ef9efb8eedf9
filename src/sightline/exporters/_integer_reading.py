"""The bytes of a scanned ONNX graph as plain nodes and arrays, read without the library of the format."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sightline.core.archive import refuse
from sightline.core.onnxscan import check_onnx

KINDS: dict[int, str] = {
    1: "<f4", 2: "u1", 3: "i1", 4: "<u2", 5: "<i2", 6: "<i4", 7: "<i8", 9: "?", 10: "<f2", 11: "<f8", 12: "<u4",
}  # fmt: skip
_FLOATS, _WHOLE, _LONG, _DOUBLES, _RAW = 4, 5, 7, 10, 9  # where the numbers of a tensor may stand
_MARKED = 2**63


@dataclass(frozen=True)
class Node:
    """One operator: the names of what it takes and gives, and its fixed settings."""

    operator: str
    takes: tuple[str, ...]
    gives: tuple[str, ...]
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class Net:
    """A whole graph; inputs have a type and sides, 0 where a side may vary."""

    nodes: list[Node]
    constants: dict[str, np.ndarray]
    inputs: dict[str, tuple[str, tuple[int, ...]]]
    outputs: list[str]
    makers: dict[str, Node] = field(default_factory=dict)


def read(data: bytes, name: str) -> Net:
    """The graph of these bytes; they are scanned first."""
    check_onnx(data, name)
    model = _fields(memoryview(data))
    found = _fields(model[7][0])
    constants = dict(_tensor(part, name) for part in found.get(5, []))
    inputs = dict(_value(part) for part in found.get(11, []))
    nodes: list[Node] = []
    for part in found.get(1, []):
        node = _node(part, name)
        if node.operator == "Constant":
            constants[node.gives[0]] = _constant(node, name)
        else:
            nodes.append(node)
    outputs = [_value(part)[0] for part in found.get(12, [])]
    inputs = {key: value for key, value in inputs.items() if key not in constants}
    return Net(nodes, constants, inputs, outputs, {gives: node for node in nodes for gives in node.gives})


def _constant(node: Node, name: str) -> np.ndarray:
    for key in ("value", "value_float", "value_int", "value_floats", "value_ints"):
        if key in node.settings:
            value = node.settings[key]
            floats = "float" in key
            return value if isinstance(value, np.ndarray) else np.asarray(value, np.float32 if floats else np.int64)
    return refuse(name, "holds a constant that is no number.")


def _node(data: memoryview, name: str) -> Node:
    found = _fields(data)
    settings = dict(_setting(part, name) for part in found.get(5, []))
    texts = [tuple(map(_text, found.get(place, []))) for place in (1, 2)]
    return Node(_text(found[4][0]), texts[0], texts[1], settings)


def _setting(data: memoryview, name: str) -> tuple[str, Any]:
    """One setting of a node; graphs within are named and left unread."""
    found = _fields(data)
    for place, value in found.items():
        if place == 2:
            return _text(found[1][0]), struct.unpack("<f", value[0])[0]
        if place == 3:
            return _text(found[1][0]), _signed(value[0])
        if place == 4:
            return _text(found[1][0]), _text(value[0])
        if place == 5:
            return _text(found[1][0]), _tensor(value[0], name)[1]
        if place == 7:
            return _text(found[1][0]), [float(one) for one in _numbers(value, "<f4")]
        if place == 8:
            return _text(found[1][0]), [_signed(one) for one in _whole(value)]
    return _text(found[1][0]), None


def _tensor(data: memoryview, name: str) -> tuple[str, np.ndarray]:
    found = _fields(data)
    sides, number = [_signed(side) for side in _whole(found.get(1, []))], int(found.get(2, [0])[0])
    if number not in KINDS:
        refuse(name, "holds weights of a type that no integer network has.")
    kind = np.dtype(KINDS[number])
    if _RAW in found:
        values = np.frombuffer(found[_RAW][0], kind)
    elif number == 1:
        values = _numbers(found.get(_FLOATS, []), "<f4")
    elif number == 11:
        values = _numbers(found.get(_DOUBLES, []), "<f8")
    else:
        stands = _LONG if number == 7 else _WHOLE
        plain = [_signed(one) for one in _whole(found.get(stands, []))]
        values = np.array(plain, np.int64).astype(kind)
    return _text(found.get(8, [b""])[0]), values.reshape(sides)


def _value(data: memoryview) -> tuple[str, tuple[str, tuple[int, ...]]]:
    """Name, type and sides of an input or output."""
    found = _fields(data)
    name = _text(found[1][0])
    kind = _fields(_fields(found[2][0]).get(1, [memoryview(b"")])[0]) if 2 in found else {}
    parts = _fields(kind[2][0]).get(1, []) if 2 in kind else []
    sides = tuple(_signed(_fields(part).get(1, [0])[0]) for part in parts)
    return name, (KINDS.get(int(kind.get(1, [0])[0]), ""), sides)


def _fields(data: memoryview) -> dict[int, list[Any]]:
    """The fields of one message by their number: numbers as they are, all else as bytes."""
    found: dict[int, list[Any]] = {}
    place, end = 0, len(data)
    while place < end:
        tag, place = _varint(data, place)
        wire = tag & 7
        value: Any
        if wire == 0:
            value, place = _varint(data, place)
        else:
            size, place = _varint(data, place) if wire == 2 else (8 if wire == 1 else 4, place)
            value, place = data[place : place + size], place + size
        found.setdefault(tag >> 3, []).append(value)
    return found


def _varint(data: memoryview, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[place]
        place += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value & (2 * _MARKED - 1), place


def _whole(values: list[Any]) -> Iterator[int]:
    """Whole numbers, written one by one or packed in a row."""
    for value in values:
        if isinstance(value, int):
            yield value
            continue
        place = 0
        while place < len(value):
            number, place = _varint(value, place)
            yield number


def _numbers(values: list[Any], kind: str) -> np.ndarray:
    return np.frombuffer(b"".join(bytes(value) for value in values), kind)


def _signed(value: int) -> int:
    return value - 2 * _MARKED if value >= _MARKED else value


def _text(data: Any) -> str:
    return str(bytes(data), "utf-8")
