"""What layers without weights become: sums and products in fixed-point numbers, means and spreads as whole sums."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from sightline.exporters._integer_lowering import After, Lowering, Wide, factor, headroom
from sightline.exporters._integer_program import FACTOR, FineGrid, Grid
from sightline.exporters._integer_reading import Node
from sightline.exporters._integer_shapes import axes_of, window
from sightline.exporters._integer_weights import MOST, Cut, weighted

FINE, PART = 2**10, 12  # entries of a table where 16 bits follow, and bits that tell places between two of them
FINEST = 2**17  # numbers that are told apart where eight bits follow: only where the answer changes is kept
MANY = 16  # sides of one sum
MEANS = ("ReduceMean", "GlobalAveragePool", "AveragePool")


def added(low: Lowering, node: Node, grid: Grid, cut: Cut, after: After) -> int:
    """A sum or a difference: every side in fixed-point numbers, then one shift."""
    sides, fixed = _sides(low, node, 1.0)
    unit, start, arrays, cut = _target(low, node, grid, cut, after)
    read = [_read(low, name) for name, _ in sides]
    start += fixed / unit
    bits = headroom((sum(one.largest for one in read)) / unit + abs(start) + 1)
    given, readers = [], list[dict[str, int]]()
    for place, (one, (_, sign)) in enumerate(zip(read, sides, strict=True)):
        given.append(one.tensor)
        if one.values is None:
            multiplier, shift = factor(np.array([one.unit / unit * 2.0**bits]))
            if shift[0] < 1:
                low.refuse(node, "its sides are of sizes too far apart")
            readers.append({"multiplier": int(sign) * int(multiplier[0]), "shift": int(shift[0])})
        else:
            arrays[f"reader{place}"] = np.rint(sign * one.values / unit * 2.0**bits).astype(np.int32)
            readers.append({"axis": one.axis})
    settings = {"how": "add", "readers": readers, "bits": bits, "start": round(start * 2.0**bits)}
    settings |= {"low": cut[0], "high": cut[1]} | ({"part": PART} if "table" in arrays and grid.kind == "i2" else {})
    return low.program.step("combine", given, grid.kind, low.shapes[node.gives[0]], settings, arrays, node.gives[0])


def extreme(low: Lowering, node: Node, grid: Grid, cut: Cut, after: After) -> int:
    """The larger or the smaller of tensors, in the same fixed-point numbers as a sum."""
    assert cut is not None
    read = [_read(low, name, exact=False) for name in node.takes]
    bits = headroom(max(one.largest for one in read) / grid.scale + grid.zero + 1)
    arrays = {
        f"reader{place}": np.rint(one.held / grid.scale * 2.0**bits).astype(np.int32) for place, one in enumerate(read)
    }
    settings = {"how": node.operator.lower(), "readers": [{"axis": one.axis} for one in read], "bits": bits}
    settings |= {"start": grid.zero << bits, "low": cut[0], "high": cut[1]}
    shape = low.shapes[node.gives[0]]
    return low.program.step("combine", [one.tensor for one in read], "u1", shape, settings, arrays, node.gives[0])


def multiplied(low: Lowering, node: Node, grid: Grid, cut: Cut, after: After) -> int:
    """A product of two tensors: 16 bits each, then a multiplier and a shift."""
    changing = [name for name in node.takes if name not in low.net.constants]
    if len(changing) != 2:
        low.refuse(node)
    unit, start, arrays, cut = _target(low, node, grid, cut, after)
    real, given, readers = 1.0 / unit, [], list[dict[str, int]]()
    for place, name in enumerate(changing):
        one = _read(low, name, wide=False)
        codes, step = _whole(one)
        arrays |= {} if codes is None else {f"reader{place}": codes}
        given.append(one.tensor)
        readers.append({"axis": one.axis})
        real *= step
    multiplier, shift = factor(np.array([real]))
    if shift[0] < 1:
        low.refuse(node, "its answers are too large for the grid that they are rounded to")
    settings: dict[str, Any] = {"how": "multiply", "readers": readers, "multiplier": int(multiplier[0])}
    settings |= {"shift": int(shift[0]), "zero": round(start), "low": cut[0], "high": cut[1]}
    settings |= {"part": PART} if "table" in arrays and grid.kind == "i2" else {}
    return low.program.step("combine", given, grid.kind, low.shapes[node.gives[0]], settings, arrays, node.gives[0])


def _target(
    low: Lowering, node: Node, grid: Grid, cut: Cut, after: After
) -> tuple[float, float, dict[str, np.ndarray], tuple[int, int]]:
    """The steps that a sum or a product is counted in, where they begin, a table that follows, and the ends."""
    if cut is not None:
        return grid.scale, float(grid.zero), {}, cut
    least, most = low.bounds(node.gives[0])
    if grid.kind == "i2":
        places = np.linspace(least, most, FINE + 1).astype(np.float32)
        codes = grid.codes(low.looked_up(node.gives[0], after, places))[0].astype(np.int32)
        unit = max(most - least, 1e-12) / (FINE << PART)
        return unit, -least / unit, {"table": codes}, (0, (FINE << PART) - 1)
    unit = max(most - least, 1e-12) / (FINEST - 1)
    values = (least + unit * np.arange(FINEST)).astype(np.float32)
    codes = grid.codes(low.looked_up(node.gives[0], after, values))[0]
    breaks = np.flatnonzero(np.diff(codes.astype(np.int16))) + 1
    padded = np.full(2 ** len(breaks).bit_length() - 1, MOST, np.int64)
    padded[: len(breaks)] = breaks
    arrays = {"breaks": padded.astype(np.int32), "table": codes[np.concatenate([[0], breaks])]}
    return unit, -least / unit, arrays, (0, FINEST - 1)


class _Read:
    """One side of a sum or a product: the tensor, and the number of every code of every channel or its unit."""

    def __init__(self, tensor: int, values: np.ndarray | None, axis: int, unit: float, largest: float) -> None:
        self.tensor, self.values, self.axis, self.unit, self.largest = tensor, values, axis, unit, largest

    @property
    def held(self) -> np.ndarray:
        """The numbers of a tensor of eight bits."""
        assert self.values is not None
        return self.values


def _read(low: Lowering, name: str, *, wide: bool = True, exact: bool = True) -> _Read:
    """How a sum or a product reads a tensor: `wide` sums of 32 bits too; `exact` in 16 what is not rounded."""
    base = low.base(name)
    source = low.leaf(base)
    if source is None:
        found = wide_of(low, name) if wide and exact and base == name else None
        if found is None and exact and low.maker(base).operator in ("Add", "Sub", "Sum", "Mul"):
            found = _fine(low, name)
        if found is not None:
            return _Read(found.tensor, None, -1, found.unit, found.unit * max(abs(found.low), abs(found.high)))
        own = low.natural(name)
        return _Read(low.codes(name, own), own.values()[None], -1, own.scale, float(np.abs(own.values()).max()))
    after: After = ((name, base),) if name != base else ()
    values = low.looked_up(base, after, source[1].values()) if after else source[1].values()[None]
    axis = low.axis(base, after) if after and len(values) > 1 else -1
    return _Read(low.rounded(source[0]), values, axis, 0.0 if after else source[1].scale, float(np.abs(values).max()))


def _fine(low: Lowering, name: str) -> Wide:
    """A sum or a product, and what follows from it, in sixteen bits."""
    key = ("fine", name)
    if key not in low.made:
        base = low.base(name)
        node, after = low.maker(base), ((name, base),) if name != base else ()
        grid = FineGrid(max(*map(abs, low.bounds(name)), 1e-12) / FACTOR, 0)
        made = BUILDERS[node.operator](low, node, grid, None if after else (-FACTOR, FACTOR), after)
        low.made[key] = Wide(made, grid.scale, -FACTOR, FACTOR)
    found: Wide = low.made[key]
    return found


def _whole(one: _Read) -> tuple[np.ndarray | None, float]:
    """Numbers as whole ones of at most 16 bits, exactly where they are steps of a grid; and what a step is."""
    if one.values is None:
        return None, one.unit
    unit = one.unit or max(one.largest, 1e-12) / FACTOR
    return np.rint(one.values / unit).astype(np.int32), unit


def _sides(low: Lowering, node: Node, sign: float) -> tuple[list[tuple[str, float]], float]:
    """What a sum adds, sums within it taken apart, each with its sign; and what is fixed."""
    found, fixed = list[tuple[str, float]](), 0.0
    for place, name in enumerate(node.takes):
        if len(found) > MANY:
            low.refuse(node, f"more than {MANY} tensors are added at once")
        own = -sign if place and node.operator == "Sub" else sign
        held, inner = low.net.constants.get(name), low.net.makers.get(name)
        if held is not None:
            if held.size != 1:
                low.refuse(node, "fixed numbers that differ from place to place are added")
            fixed += own * float(held.ravel()[0])
        elif inner and inner.operator in ("Add", "Sub", "Sum") and low.base(name) == name and not low.leaf(name):
            more, rest = _sides(low, inner, own)
            found, fixed = found + more, fixed + rest
        else:
            found.append((name, own))
    return found, fixed


def narrowed(low: Lowering, node: Node, grid: Grid, cut: Cut, after: After) -> int:
    """A mean, cut down to eight bits."""
    found = wide_of(low, node.gives[0])
    if found is None or cut is None:
        low.refuse(node)
    multiplier, shift = factor(np.array([found.unit / grid.scale]))
    if shift[0] < 1:
        low.refuse(node, "its answers are too large for the grid that they are rounded to")
    settings = {"multiplier": int(multiplier[0]), "shift": int(shift[0]), "zero": grid.zero}
    settings |= {"low": cut[0], "high": cut[1]}
    return low.program.step("narrow", [found.tensor], "u1", low.shapes[node.gives[0]], settings, {}, node.gives[0])


def wide_of(low: Lowering, name: str) -> Wide | None:
    """A mean or a spread as a whole sum of 32 bits, from which nothing was lost yet; None where it is neither."""
    key = ("wide", name)
    if key not in low.made:
        node = low.net.makers.get(name)
        deviating = _deviating(low, node) if node is not None and node.operator == "ReduceMean" else None
        if node is None or node.operator not in MEANS:
            low.made[key] = None
        elif deviating:
            low.made[key] = _spread(low, node, deviating)
        else:
            low.made[key] = _mean(low, node)
    found: Wide | None = low.made[key]
    return found


def _mean(low: Lowering, node: Node) -> Wide:
    shape, given = low.shapes[node.takes[0]], _read(low, node.takes[0], wide=False)
    codes, unit = _whole(given)
    settings: dict[str, Any] = {"axis": given.axis}
    arrays = {} if codes is None else {"reader0": codes}
    ends = (-FACTOR, FACTOR) if codes is None else (int(codes.min()), int(codes.max()))
    if node.operator == "AveragePool":
        look = window(node, shape, node.settings["kernel_shape"])
        shares, count = _shares(node, shape, look)
        settings |= look
        if shares is not None:
            arrays["shares"] = shares
    else:
        known = [low.net.constants.get(one) for one in node.takes]
        axes = list(range(2, len(shape))) if node.operator == "GlobalAveragePool" else axes_of(node, shape, known)
        count = math.prod(shape[axis] for axis in axes)
        settings["over"] = axes
    most = max(map(abs, ends)) * count
    if most > MOST:
        low.refuse(node, f"a sum can reach {most:,}, more than 32 bits hold")
    do = "windows" if node.operator == "AveragePool" else "sum"
    made = low.program.step(do, [given.tensor], "i4", low.shapes[node.gives[0]], settings, arrays, node.gives[0])
    return Wide(made, unit / count, ends[0] * count, ends[1] * count)


def _shares(node: Node, shape: tuple[int, ...], look: dict[str, Any]) -> tuple[np.ndarray | None, int]:
    """By what the sum of every window is multiplied, so that all are of equally many numbers; and how many."""
    whole, counts = math.prod(look["kernel"]), []
    for place, side in enumerate(shape[2:]):
        step, before, kernel = look["steps"][place], look["before"][place], look["kernel"][place]
        starts = np.arange(look["gives"][place]) * step - before
        ends = np.minimum(starts + kernel, side)
        counts.append(ends - np.maximum(starts, 0))
    held = counts[0]
    for more in counts[1:]:
        held = np.multiply.outer(held, more)
    if node.settings.get("count_include_pad", 0) or (held == whole).all():
        return None, whole
    common = math.lcm(*map(int, np.unique(held)))
    return (common // held).astype(np.int32), common


def _deviating(low: Lowering, node: Node) -> str:
    """The tensor whose squared distance from its own mean is averaged; empty where it is another mean."""
    square = low.net.makers.get(node.takes[0])
    if square is None or square.operator not in ("Mul", "Pow"):
        return ""
    if square.operator == "Pow" and float(np.ravel(low.net.constants.get(square.takes[1], np.zeros(1)))[0]) != 2:
        return ""
    apart = low.net.makers.get(square.takes[0])
    if (square.operator == "Mul" and square.takes[0] != square.takes[1]) or apart is None or apart.operator != "Sub":
        return ""
    mean = low.net.makers.get(apart.takes[1])
    if mean is None or mean.operator != "ReduceMean" or mean.takes[0] != apart.takes[0]:
        return ""
    shape = low.shapes[apart.takes[0]]
    over = [axes_of(one, shape, [low.net.constants.get(name) for name in one.takes]) for one in (node, mean)]
    return apart.takes[0] if over[0] == over[1] else ""


def _spread(low: Lowering, node: Node, name: str) -> Wide:
    shape, given = low.shapes[name], _read(low, name, wide=False)
    codes, unit = _whole(given)
    axes = axes_of(node, shape, [low.net.constants.get(one) for one in node.takes])
    count = math.prod(shape[axis] for axis in axes)
    reach = FACTOR if codes is None else int(np.abs(codes).max())
    bits = 30 - (reach**2).bit_length()
    if (count**2 * reach**2 << bits).bit_length() > 62:
        low.refuse(node, f"a spread of {count:,} numbers is more than 64 bits hold")
    settings = {"axis": given.axis, "over": axes, "bits": bits}
    arrays = {} if codes is None else {"reader0": codes}
    shape = low.shapes[node.gives[0]]
    made = low.program.step("spread", [given.tensor], "i4", shape, settings, arrays, node.gives[0])
    return Wide(made, unit**2 / 2**bits, 0, reach**2 << bits)


BUILDERS: dict[str, Callable[[Lowering, Node, Grid, Cut, After], int]] = {
    **dict.fromkeys(("Conv", "Gemm", "MatMul"), weighted),
    **dict.fromkeys(("Add", "Sub", "Sum"), added),
    **dict.fromkeys(("Max", "Min"), extreme),
    **dict.fromkeys(MEANS, narrowed),
    "Mul": multiplied,
}
