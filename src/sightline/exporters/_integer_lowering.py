"""From a graph that rounds and widens to integers: every float between two roundings becomes a table or a factor.

What is elementwise is read off for all 256 codes. Sums and products meet in fixed-point numbers, and layers with
weights in accumulators of 32 bits. What needs floats in the middle is refused by name.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from sightline.core.errors import BundleError
from sightline.exporters._integer_program import LEVELS, Grid, Program
from sightline.exporters._integer_reading import Node, read
from sightline.exporters._integer_shapes import POOLS, repeats, settle, window
from sightline.exporters._integer_values import ELEMENTWISE, MONOTONE, MOVED, computed, move_of, moved_shape

WEIGHTED = ("Conv", "Gemm", "MatMul")
_STAYED = "it stayed in floats; compress again with a larger --max-drop, or with --methods aware"
After = tuple[tuple[str, str], ...]  # what is done to a tensor yet: from the second name to the first, in this order
FAR = 1e30
_WHY = {
    "LayerNormalization": "it divides by a spread that every picture has its own of, which needs floats",
    "InstanceNormalization": "it divides by a spread that every picture has its own of, which needs floats",
    "GroupNormalization": "it divides by a spread that every picture has its own of, which needs floats",
    "Softmax": "layers come after it, and it divides by a sum of powers, which needs floats",
    "Div": "layers come after it, and it divides one changing number by another, which needs floats",
    "MatMul": "both sides change from picture to picture (attention)",
    "Resize": "it mixes neighbours by parts; repeating them a whole number of times is possible",
    "ConvTranspose": "it is not among the layers that compress rounds",
    "If": "branches are taken by floats; compress with --methods int8, without exits",
}


@dataclass(frozen=True)
class Wide:
    """A tensor of 32 bits: code x unit is its number, and between which codes it lies."""

    tensor: int
    unit: float
    low: int
    high: int


class _Shapes(dict[str, tuple[int, ...]]):
    """Every shape that is known; who asks for another hears of the operator that nobody can tell the shape of."""

    def __init__(self, known: dict[str, tuple[int, ...]], low: Lowering) -> None:
        super().__init__(known)
        self.low = low

    def __missing__(self, name: str) -> NoReturn:
        waiting, seen = [name], set[str]()
        while waiting:
            node = self.low.maker(waiting.pop())
            lost = [one for one in node.takes if one and one not in self and one not in self.low.net.constants]
            if not lost:
                self.low.refuse(node)
            waiting += [one for one in lost if one not in seen]
            seen.update(lost)
        raise KeyError(name)


class Lowering:
    """The state is the program as far as it has come, and what was already made of which tensor."""

    def __init__(self, data: bytes, name: str, builders: Mapping[str, Callable[..., int]]) -> None:
        self.builders = builders  # for every kind of layer: (self, node, grid, ends, what follows) -> tensor
        self.net, self.name, self.program = read(data, name), name, Program()
        self.made: dict[Any, Any] = {}
        self.shapes = _Shapes(settle(self.net, name), self)
        self.check()
        for given, (_, sides) in self.net.inputs.items():
            self.program.inputs[given] = self.program.tensor("u1", (1, *sides[1:]))

    def check(self) -> None:
        """Only a graph in eight bits, with pixels of eight bits, is taken."""
        if not any(node.operator == "QuantizeLinear" for node in self.net.nodes):
            raise BundleError(
                f"{self.name} is not in int8, and an integer program is made of one that is. Make it with: "
                "sightline compress RUN --methods int8 --to small.sightline"
            )
        for given, (kind, _) in self.net.inputs.items():
            if kind != "u1":
                raise BundleError(f"{self.name}: '{given}' holds {kind or 'no numbers'}; integers begin with uint8.")

    def refuse(self, node: Node, why: str = "") -> NoReturn:
        """The one error about what integers cannot do."""
        why = why or _WHY.get(node.operator, "it needs floats in the middle of the network")
        raise BundleError(
            f"{self.name}: integers alone cannot be the {node.operator} that gives '{node.gives[0][-60:]}': {why}. "
            "Convolutions, dense layers, pooling, sums and elementwise functions can be written."
        )

    def maker(self, name: str) -> Node:
        """The node that gives a tensor."""
        node = self.net.makers.get(name)
        if node is None:
            raise BundleError(f"{self.name}: nothing gives '{name[-60:]}'.")
        return node

    # what a tensor is

    def leaf(self, name: str) -> tuple[str, Grid] | None:
        """A tensor that has been rounded already: where its codes come from, and their grid."""
        if name in self.net.inputs:
            return name, Grid(1.0, 0)
        node = self.net.makers.get(name)
        if node is None or node.operator != "DequantizeLinear" or node.takes[0] in self.net.constants:
            return None
        return node.takes[0], self.grid_of(node)

    def grid_of(self, node: Node) -> Grid:
        """The grid that a node rounds to or widens from; int8 is moved up to uint8."""
        scale = self.net.constants.get(node.takes[1])
        zero = self.net.constants.get(node.takes[2]) if len(node.takes) > 2 else np.zeros((), np.uint8)
        if scale is None or zero is None or scale.size != 1 or zero.dtype not in (np.uint8, np.int8):
            self.refuse(node, "its scale is not one fixed number of eight bits for the whole tensor")
        return Grid(float(scale.ravel()[0]), int(zero.ravel()[0]) + (128 if zero.dtype == np.int8 else 0))

    def base(self, name: str) -> str:
        """The one changing tensor that this one follows from number by number; itself where there is none."""
        key = ("base", name)
        if key not in self.made:
            self.made[key] = name
            node = self.net.makers.get(name)
            if node is not None and node.operator in ELEMENTWISE and self.leaf(name) is None:
                found = {self.base(one) for one in node.takes if one and one not in self.net.constants}
                if len(found) == 1 and self.shapes[next(iter(found))] == self.shapes[name]:
                    self.made[key] = next(iter(found))
        return str(self.made[key])

    def evaluated(self, name: str, base: str, values: np.ndarray) -> np.ndarray:
        """A tensor for these numbers of its base; every tensor between is computed once."""
        found = {base: values}

        def made(one: str) -> np.ndarray:
            if one not in found:
                if one in self.net.constants:
                    return self.net.constants[one]
                node = self.maker(one)
                takes = node.takes[:1] if node.operator == "Expand" else node.takes
                given = [made(each) if each else None for each in takes]
                found[one] = np.asarray(given[0]) if node.operator == "Expand" else computed(node, given)
            return found[one]

        return made(name)

    def followed(self, after: After, values: np.ndarray) -> np.ndarray:
        """What these numbers become."""
        for name, base in after:
            values = self.evaluated(name, base, values)
        return np.asarray(values)

    def looked_up(self, name: str, after: After, values: np.ndarray) -> np.ndarray:
        """What each of these numbers becomes: one row, or one a channel as (channels, numbers) with the axis told."""
        rank = max(1, len(self.shapes[name]))
        found = self.followed(after, values.reshape(-1, *[1] * (rank - 1)))
        wide = [axis for axis, side in enumerate(found.shape) if axis and side > 1]
        if not np.isfinite(found).all() or len(wide) > 1 or found.shape[0] != len(values):
            self.refuse(self.maker(after[-1][0]), "it is not one function of one number for a whole channel")
        return found.reshape(len(values), -1).T if wide else found.reshape(1, -1)

    def axis(self, name: str, after: After) -> int:
        """The axis whose every place has a function of its own; -1 where all share one."""
        rank = max(1, len(self.shapes[name]))
        sides = self.followed(after, np.zeros((2, *[1] * (rank - 1)))).shape
        return next((axis for axis, side in enumerate(sides) if axis and side > 1), -1)

    def bounds(self, name: str) -> tuple[float, float]:
        """Between which numbers a tensor surely lies."""
        if ("bounds", name) not in self.made:
            self.made["bounds", name] = self._bounds(name)
        low, high = self.made["bounds", name]
        return low, high

    def _bounds(self, name: str) -> tuple[float, float]:
        base, source = self.base(name), self.leaf(name)
        if base != name:
            known = self.leaf(base)
            values = known[1].values() if known else np.linspace(*self.bounds(base), 1024, dtype=np.float32)
            found = self.looked_up(base, ((name, base),), values)
            return float(found.min()), float(found.max())
        if source is not None:
            values = source[1].values()
            return float(values[0]), float(values[-1])
        node = self.maker(name)
        ends = [self.bounds(one) for one in node.takes if one and one not in self.net.constants]
        if node.operator in ("Add", "Sum"):
            return sum(low for low, _ in ends), sum(high for _, high in ends)
        if node.operator == "Sub" and len(ends) == 2:
            return ends[0][0] - ends[1][1], ends[0][1] - ends[1][0]
        if node.operator == "Mul" and len(ends) == 2:
            corners = [one * other for one in ends[0] for other in ends[1]]
            return min(corners), max(corners)
        if node.operator in (*MOVED, *POOLS, "GlobalAveragePool", "GlobalMaxPool", "ReduceMean", "Max", "Min"):
            return min(low for low, _ in ends), max(high for _, high in ends)
        return self.refuse(node, _STAYED if node.operator in WEIGHTED else "")

    def natural(self, name: str) -> Grid:
        """The grid that loses nothing of a tensor, or else the one that holds all that it can be."""
        source = self.leaf(name)
        if source is not None:
            return source[1]
        node = self.maker(name)
        if self.base(name) == name and node.operator in (*MOVED, "MaxPool", "GlobalMaxPool"):
            data = node.takes if node.operator == "Concat" else node.takes[:1]
            grids = {self.natural(one) for one in data if one not in self.net.constants}
            if len(grids) == 1:
                return next(iter(grids))
        low, high = self.bounds(name)
        low, high = min(low, 0.0), max(high, 0.0)
        scale = max(high - low, 1e-12) / (LEVELS - 1)
        return Grid(scale, round(-low / scale))

    def cut(self, name: str, after: After, grid: Grid) -> tuple[int, int] | None:
        """Between which codes an answer is cut, where that is all that is done to it yet; else None."""
        nodes = [node for last, base in after for node in self.between(last, base)]
        if any(node.operator not in MONOTONE for node in nodes):
            return None
        ends = self.looked_up(name, after, np.array([-FAR, FAR])) if after else np.array([[-FAR, FAR]])
        low, high = grid.codes(ends.astype(np.float64)).reshape(-1, 2)[0]
        return (int(low), int(high)) if len(ends) == 1 else None

    def gain(self, name: str, after: After) -> float:
        """The positive factor that is all that is done to a tensor yet; 0 where more or nothing is."""
        if not after:
            return 0.0
        probe = np.array([1.0, -1.0, 0.0, 1000.0, -1000.0], np.float32)
        found = self.looked_up(name, after, probe)[:, :5]
        gain = float(found[0, 0])
        return gain if len(found) == 1 and gain > 0 and np.allclose(found[0], gain * probe, 1e-6, 1e-9) else 0.0

    def between(self, name: str, base: str) -> list[Node]:
        """The nodes from a base to a tensor that follows from it."""
        found: dict[str, Node] = {}
        waiting = [name]
        while waiting:
            one = waiting.pop()
            if one and one != base and one not in found and one not in self.net.constants:
                found[one] = self.maker(one)
                waiting += found[one].takes
        return list(found.values())

    # what a tensor becomes

    def codes(self, name: str, grid: Grid, after: After = ()) -> int:
        """The tensor of eight bits that holds a tensor, and what is done to it yet, on a grid."""
        key = ("codes", name, grid, after)
        if key not in self.made:
            self.made[key] = self._codes(name, grid, after)
        return int(self.made[key])

    def _codes(self, name: str, grid: Grid, after: After) -> int:
        base = self.base(name)
        if base != name:
            return self.codes(base, grid, ((name, base), *after))
        source = self.leaf(name)
        if source is not None:
            held = self.rounded(source[0])
            return held if not after and source[1] == grid else self.table(held, name, source[1], after, grid)
        gain = self.gain(name, after)
        if gain:
            return self.codes(name, Grid(grid.scale / gain, grid.zero))
        node, whole = self.maker(name), not after or self.axis(name, after) < 0
        if node.operator in MOVED and whole:
            return self.move(node, grid, after)
        cut = self.cut(name, after, grid)
        if node.operator in ("MaxPool", "GlobalMaxPool", "ReduceMax"):
            own = self.natural(node.takes[0])
            held = self.largest(node, own)
            return held if not after and own == grid else self.table(held, name, own, after, grid)
        if node.operator in MOVED or (cut is None and (not whole or node.operator not in ("Add", "Sub", "Sum", "Mul"))):
            own = self.natural(name)
            return self.table(self.codes(name, own), name, own, after, grid)
        build = self.builders.get(node.operator)
        if build is None:
            self.refuse(node)
        return build(self, node, grid, cut, after)

    def rounded(self, name: str) -> int:
        """Codes as the graph itself rounds them, or the raw pixels."""
        if name in self.program.inputs:
            return self.program.inputs[name]
        node = self.maker(name)
        if node.operator != "QuantizeLinear":
            self.refuse(node)
        return self.codes(node.takes[0], self.grid_of(node))

    def table(self, held: int, name: str, own: Grid, after: After, grid: Grid) -> int:
        """One look-up for every number: whatever was elementwise, all at once."""
        values = self.looked_up(name, after, own.values()) if after else own.values()[None]
        codes = grid.codes(values)
        settings = {"axis": self.axis(name, after) if after and len(codes) > 1 else -1}
        label = after[-1][0] if after else name
        shape = self.program.tensors[held].shape
        return self.program.step("table", [held], "u1", shape, settings, {"table": codes}, label)

    def move(self, node: Node, grid: Grid, after: After) -> int:
        """The same numbers at other places."""
        data = node.takes if node.operator == "Concat" else node.takes[:1]
        known = [self.net.constants.get(one) for one in node.takes]
        do, settings = "repeat", dict[str, Any]()
        if node.operator == "Resize":
            settings["times"] = repeats(node, self.shapes[node.takes[0]], known)
            if settings["times"] is None:
                self.refuse(node)
        else:
            do, settings = move_of(node, [self.shapes.get(one) for one in node.takes], known)
        if any(one in self.net.constants for one in data):
            self.refuse(node, "fixed numbers are joined to changing ones")
        if do == "pad" and settings["mode"] == "constant":
            filling = float(np.ravel(known[2])[0]) if len(known) > 2 and known[2] is not None and known[2].size else 0.0
            settings["filling"] = int(grid.codes(self.followed(after, np.array([filling]))).ravel()[0])
        given = [self.codes(one, grid, after) for one in data]
        shape = moved_shape(do, settings, [self.shapes[one] for one in data])
        return self.program.step(do, given, "u1", shape, settings, label=node.gives[0])

    def largest(self, node: Node, own: Grid) -> int:
        """The largest code in every window."""
        held, shape = self.codes(node.takes[0], own), self.shapes[node.takes[0]]
        if node.operator != "MaxPool" and (node.operator == "ReduceMax" or len(shape) != 4):
            self.refuse(node)
        kernel = node.settings["kernel_shape"] if node.operator == "MaxPool" else shape[2:]
        look = window(node, shape, kernel)
        return self.program.step("largest", [held], "u1", (*shape[:2], *look["gives"]), look, label=node.gives[0])


def factor(real: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Positive factors as 31 bits and how far to shift down: real = multiplier / 2^shift."""
    fraction, power = np.frexp(np.asarray(real, np.float64))
    multiplier, shift = np.rint(fraction * 2.0**31).astype(np.int64), 31 - power.astype(np.int64)
    full = multiplier == 2**31
    multiplier, shift = np.where(full, 2**30, multiplier), np.where(full, shift - 1, shift)
    multiplier = np.where(shift > 62, 0, multiplier)  # so small that every answer is the zero
    return multiplier.astype(np.int32), np.clip(shift, -64, 62).astype(np.int32)


def headroom(largest: float) -> int:
    """The most bits after the point that keep numbers up to this size below 2^30."""
    return 30 - max(0, math.frexp(max(largest, 1.0))[1])
