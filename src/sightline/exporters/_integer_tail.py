"""The end of a network: rows of integers become floats here, and what only shapes an answer is done to those rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from sightline.exporters._integer_layers import wide_of
from sightline.exporters._integer_lowering import Lowering
from sightline.exporters._integer_reading import Node
from sightline.exporters._integer_shapes import axes_of
from sightline.exporters._integer_values import ELEMENTWISE, MOVED, computed, move_of, moved, moved_shape

MOST = 2**16  # fixed numbers that a tail holds
_LAST = ("Softmax", "LogSoftmax")
_REDUCED: dict[str, Callable[..., np.ndarray]] = {
    "ReduceL1": lambda x, **how: np.sum(np.abs(x), **how),
    "ReduceL2": lambda x, **how: np.sqrt(np.sum(np.square(x), **how)),
    "ReduceMax": np.max,
    "ReduceMean": np.mean,
    "ReduceSum": np.sum,
}


def finish(low: Lowering) -> None:
    """Every output of the graph: the tensor that it comes from, and what is done to it in floats."""
    low.program.outputs = {name: _tail(low, name) for name in low.net.outputs}


def _tail(low: Lowering, name: str) -> int:
    """The number of the entry that gives a tensor in floats."""
    key = ("tail", name)
    if key not in low.made:
        entry = _entry(low, name)
        low.program.tail.append(entry)
        low.made[key] = len(low.program.tail) - 1
    return int(low.made[key])


def _entry(low: Lowering, name: str) -> dict[str, Any]:
    held, node = low.net.constants.get(name), low.net.makers.get(name)
    if held is not None:
        if held.size > MOST:
            low.refuse(low.maker(name), f"{held.size:,} fixed numbers are used in the answer")
        return {"do": "fixed", "values": held.astype(np.float64).ravel().tolist(), "shape": list(held.shape)}
    if low.leaf(name) is None and node is not None:
        wide = wide_of(low, name)
        if wide is not None:
            return {"do": "widen", "tensor": wide.tensor, "scale": wide.unit, "zero": 0}
        done = (*ELEMENTWISE, *MOVED, *_REDUCED)
        if node.operator in _LAST or (node.operator in done and (len(low.shapes[name]) <= 2 or _placed(low, node))):
            return _step(low, node)
    own = low.natural(name)
    return {"do": "widen", "tensor": low.codes(name, own), "scale": own.scale, "zero": own.zero}


def _placed(low: Lowering, node: Node) -> bool:
    """Whether an answer depends on fixed numbers that differ from place to place, such as the centres of boxes."""
    key = ("placed", node.gives[0])
    if key not in low.made:
        held = [low.net.constants[one] for one in node.takes if one in low.net.constants]
        own = node.operator in ELEMENTWISE and any(sum(side > 1 for side in one.shape) > 1 for one in held)
        inner = [low.net.makers[one] for one in node.takes if one in low.net.makers and not low.leaf(one)]
        near = [one for one in inner if one.operator in (*ELEMENTWISE, *MOVED)]
        low.made[key] = own or any(_placed(low, one) for one in near)
    return bool(low.made[key])


def _step(low: Lowering, node: Node) -> dict[str, Any]:
    shape = low.shapes[node.takes[0]]
    known = [low.net.constants.get(one) for one in node.takes]
    entry: dict[str, Any] = {"do": node.operator}
    if node.operator in _LAST:
        return entry | {"takes": [_tail(low, node.takes[0])], "axis": int(node.settings.get("axis", -1))}
    if node.operator in _REDUCED:
        axes = axes_of(node, shape, known)
        sides = bool(node.settings.get("keepdims", 1))
        return entry | {"takes": [_tail(low, node.takes[0])], "axes": axes, "sides": sides}
    if node.operator in MOVED:
        do, settings = move_of(node, [low.shapes.get(one) for one in node.takes], known)
        data = node.takes if node.operator == "Concat" else node.takes[:1]
        return {"do": do, "takes": [_tail(low, one) for one in data], "settings": settings, "moved": True}
    kept = {key: value for key, value in node.settings.items() if isinstance(value, int | float | str)}
    if node.operator == "Cast":
        kept = {}
    return entry | {"takes": [_tail(low, one) if one else -1 for one in node.takes], "settings": kept}


def said(tail: list[dict[str, Any]]) -> list[str]:
    """The names of what runs in floats."""
    done = {str(entry["do"]) for entry in tail if "moved" not in entry}
    return sorted(done - {"widen", "fixed"})


def answered(tail: list[dict[str, Any]], outputs: Mapping[str, int], widened: Callable[[int], np.ndarray]) -> Any:
    """The outputs by name; `widened` gives the integers of a tensor."""
    found: list[np.ndarray] = []
    for entry in tail:
        found.append(_done(entry, found, widened))
    return {name: np.ascontiguousarray(found[place], np.float32) for name, place in outputs.items()}


def _done(entry: Mapping[str, Any], found: list[np.ndarray], widened: Callable[[int], np.ndarray]) -> np.ndarray:
    do = entry["do"]
    if do == "widen":
        # subtracted as integers: in floats a code and its zero would be rounded by themselves
        return np.asarray((widened(entry["tensor"]).astype(np.int64) - entry["zero"]) * np.float64(entry["scale"]))
    if do == "fixed":
        return np.asarray(entry["values"], np.float64).reshape(entry["shape"])
    given = [found[place] if place >= 0 else None for place in entry["takes"]]
    first = given[0]
    assert first is not None
    if do in _LAST:
        away = first - first.max(entry["axis"], keepdims=True)
        total = np.exp(away).sum(entry["axis"], keepdims=True)
        return np.asarray(np.exp(away) / total if do == "Softmax" else away - np.log(total))
    if do in _REDUCED:
        return np.asarray(_REDUCED[do](first, axis=tuple(entry["axes"]), keepdims=entry["sides"]))
    if entry.get("moved"):
        rows = [one for one in given if one is not None]
        moved_shape(do, entry["settings"], [one.shape for one in rows])
        return moved(do, entry["settings"], rows)
    return computed(Node(do, (), (), entry["settings"]), given)
