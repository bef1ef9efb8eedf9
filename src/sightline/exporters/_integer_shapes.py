"""Every shape of a graph for one picture at a time, and every number that follows from shapes and constants alone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sightline.core.archive import refuse
from sightline.exporters._integer_reading import Net, Node
from sightline.exporters._integer_values import ELEMENTWISE, MOVED, folded, move_of, moved_shape

Shape = tuple[int, ...]
SAME = ("QuantizeLinear", "DequantizeLinear", "Softmax", "LogSoftmax", "LayerNormalization", "InstanceNormalization")
POOLS = ("MaxPool", "AveragePool")
REDUCED = ("ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceProd")


def settle(net: Net, name: str) -> dict[str, Shape]:
    """The shape of every tensor that has one; constants that follow from others join those of the graph."""
    shapes: dict[str, Shape] = {}
    for given, (_, sides) in net.inputs.items():
        if 0 in sides[1:]:
            refuse(name, f"'{given}' may be of any size, and memory is planned for one. Export it for one size.")
        shapes[given] = (1, *sides[1:])
    for constant, values in net.constants.items():
        shapes[constant] = values.shape
    for node in net.nodes:
        known = [net.constants.get(one) for one in node.takes]
        if node.operator == "Shape" or (node.takes and all(one in net.constants or not one for one in node.takes)):
            made = folded(node, known, [shapes.get(one, ()) for one in node.takes])
            if made is not None:
                net.constants[node.gives[0]] = made
                shapes[node.gives[0]] = made.shape
                continue
        found = _shape(node, [shapes.get(one) for one in node.takes], known)
        if found is not None:
            shapes[node.gives[0]] = found
    return shapes


def _shape(node: Node, shapes: Sequence[Shape | None], known: Sequence[np.ndarray | None]) -> Shape | None:
    first = shapes[0] if shapes else None
    if first is None:
        return None
    if node.operator in SAME or node.operator == "BatchNormalization":
        return first
    if node.operator == "Expand" and known[1] is not None:
        return np.broadcast_shapes(first, tuple(int(side) for side in known[1]))
    if node.operator in ELEMENTWISE:
        return np.broadcast_shapes(*(shape for shape in shapes if shape is not None))
    if node.operator == "Conv" and shapes[1] is not None:
        look = window(node, first, shapes[1][2:])
        return (first[0], shapes[1][0], *look["gives"])
    if node.operator in POOLS:
        return (*first[:2], *window(node, first, node.settings["kernel_shape"])["gives"])
    if node.operator.startswith("Global"):
        return (*first[:2], *[1] * (len(first) - 2))
    if node.operator in REDUCED:
        gone = axes_of(node, first, known)
        kept = bool(node.settings.get("keepdims", 1))
        return tuple(1 if place in gone else side for place, side in enumerate(first) if kept or place not in gone)
    if node.operator == "Gemm" and shapes[1] is not None:
        return (first[0], shapes[1][0 if node.settings.get("transB", 0) else 1])
    if node.operator == "MatMul" and shapes[1] is not None:
        return (*first[:-1], shapes[1][-1])
    if node.operator == "Resize":
        times = repeats(node, first, known)
        return None if times is None else tuple(side * by for side, by in zip(first, times, strict=True))
    if node.operator in MOVED:
        given = [shape for shape in shapes if shape is not None]
        return moved_shape(*move_of(node, shapes, known), given if node.operator == "Concat" else given[:1])
    return None


def repeats(node: Node, shape: Shape, known: Sequence[np.ndarray | None]) -> list[int] | None:
    """How often every number stands in an enlarged map; None where it is not merely repeated."""
    if node.settings.get("mode", "nearest") != "nearest":
        return None
    scales, sizes = (known[place] if len(known) > place else None for place in (2, 3))
    if sizes is not None and sizes.size:
        times = [int(size) / side for size, side in zip(np.ravel(sizes), shape, strict=True)]
    elif scales is not None and scales.size:
        times = [float(one) for one in np.ravel(scales)]
    else:
        return None
    whole = all(one == int(one) and one >= 1 for one in times)
    return [int(one) for one in times] if whole else None


def axes_of(node: Node, shape: Shape, known: Sequence[np.ndarray | None]) -> list[int]:
    """The axes that a reduction takes together."""
    axes = known[1] if len(known) > 1 and known[1] is not None else node.settings.get("axes")
    if axes is None:
        return list(range(len(shape)))
    return sorted(int(axis) % len(shape) for axis in np.ravel(axes))


def window(node: Node, shape: Shape, kernel: Sequence[int]) -> dict[str, Any]:
    """How a window goes over a map: its sides, steps, gaps, the borders before and after, and what that gives."""
    settings: Mapping[str, Any] = node.settings
    rank = len(kernel)
    steps = list(settings.get("strides", [1] * rank))
    gaps = list(settings.get("dilations", [1] * rank))
    pads = list(settings.get("pads", [0] * (2 * rank)))
    reach = [gap * (side - 1) + 1 for gap, side in zip(gaps, kernel, strict=True)]
    auto = settings.get("auto_pad", "NOTSET")
    if auto.startswith("SAME"):
        lack = [
            max(0, (math.ceil(side / step) - 1) * step + far - side)
            for side, step, far in zip(shape[2:], steps, reach, strict=True)
        ]
        first = [one // 2 if auto == "SAME_UPPER" else one - one // 2 for one in lack]
        pads = [*first, *(one - start for one, start in zip(lack, first, strict=True))]
    gives = []
    for place, side in enumerate(shape[2:]):
        room = side + pads[place] + pads[rank + place] - reach[place]
        count = room // steps[place] + 1
        if settings.get("ceil_mode", 0) and room % steps[place] and count * steps[place] < side + pads[place]:
            count += 1  # a last window that begins inside the map
        gives.append(count)
    return {"kernel": list(kernel), "steps": steps, "gaps": gaps, "before": pads[:rank], "gives": gives}
