"""What operators do to plain numbers and shapes: to fill tables with, and to know every shape before anything runs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from sightline.exporters._integer_reading import Node

MOST = 2**28  # numbers of one tensor
Function = Callable[..., np.ndarray]


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return np.asarray(0.5 * (1 + np.tanh(0.5 * x)))


def _erf(x: np.ndarray) -> np.ndarray:
    return np.array([math.erf(one) for one in x.ravel()], x.dtype).reshape(x.shape)


def _gelu(x: np.ndarray, approximate: str = "none") -> np.ndarray:
    if approximate == "tanh":
        return np.asarray(0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))))
    return np.asarray(0.5 * x * (1 + _erf(x / math.sqrt(2))))


def _clip(x: np.ndarray, low: Any = None, high: Any = None, min: float = -np.inf, max: float = np.inf) -> np.ndarray:
    return np.asarray(np.clip(x, min if low is None else low, max if high is None else high))


def _norm(x: np.ndarray, *held: np.ndarray, epsilon: float = 1e-5, **_: Any) -> np.ndarray:
    gain, shift, mean, variance = (one.reshape(1, -1, *[1] * (x.ndim - 2)) for one in held[:4])
    return np.asarray((x - mean) / np.sqrt(variance + epsilon) * gain + shift)


def _elu(x: np.ndarray, alpha: float = 1.0) -> np.ndarray:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def _selu(x: np.ndarray, alpha: float = 1.67326319, gamma: float = 1.05070102) -> np.ndarray:
    return gamma * _elu(x, alpha)


def _expanded(x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    sides = np.broadcast_shapes(x.shape, shape)
    _bound(math.prod(sides))
    return np.broadcast_to(x, sides)


# One number in, one out, whatever else is fixed: each becomes a table.
ELEMENTWISE: dict[str, Function] = {
    "Abs": np.abs,
    "Add": np.add,
    "BatchNormalization": _norm,
    "Cast": lambda x, **_: x,
    "Ceil": np.ceil,
    "Clip": _clip,
    "Div": np.divide,
    "Dropout": lambda x, *_, **__: x,
    "Elu": _elu,
    "Erf": _erf,
    "Exp": np.exp,
    "Expand": lambda x, shape: _expanded(x, tuple(int(one) for one in shape)),
    "Floor": np.floor,
    "Gelu": _gelu,
    "Greater": np.greater,
    "GreaterOrEqual": np.greater_equal,
    "HardSigmoid": lambda x, alpha=0.2, beta=0.5: np.clip(alpha * x + beta, 0, 1),
    "HardSwish": lambda x: x * np.clip(x / 6 + 0.5, 0, 1),
    "Identity": lambda x: x,
    "LeakyRelu": lambda x, alpha=0.01: np.where(x < 0, alpha * x, x),
    "Less": np.less,
    "LessOrEqual": np.less_equal,
    "Log": lambda x: np.log(np.maximum(x, 1e-30)),
    "Max": lambda *x: np.maximum.reduce(np.broadcast_arrays(*x)),
    "Min": lambda *x: np.minimum.reduce(np.broadcast_arrays(*x)),
    "Mish": lambda x: x * np.tanh(np.logaddexp(0, x)),
    "Mul": np.multiply,
    "Neg": np.negative,
    "PRelu": lambda x, slope: np.where(x < 0, slope * x, x),
    "Pow": lambda x, power: np.power(x, power),
    "Reciprocal": lambda x: 1 / x,
    "Relu": lambda x: np.maximum(x, 0),
    "Round": np.round,
    "Selu": _selu,
    "Sigmoid": _sigmoid,
    "Sign": np.sign,
    "Softplus": lambda x: np.logaddexp(0, x),
    "Softsign": lambda x: x / (1 + np.abs(x)),
    "Sqrt": lambda x: np.sqrt(np.maximum(x, 0)),
    "Sub": np.subtract,
    "Sum": lambda *x: sum(x[1:], x[0]),
    "Tanh": np.tanh,
    "Where": np.where,
    "ThresholdedRelu": lambda x, alpha=1.0: np.where(x > alpha, x, 0),
}
MONOTONE = ("Relu", "Clip", "Identity", "Cast", "Dropout")  # that cut a number and change nothing else
MOVED = ("Transpose", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Slice", "Pad", "Concat", "DepthToSpace", "Resize")


def computed(node: Node, given: Sequence[np.ndarray | None]) -> np.ndarray:
    """An elementwise operator over plain numbers."""
    _bound(math.prod(np.broadcast_shapes(*(one.shape for one in given if one is not None))))
    with np.errstate(all="ignore"):
        return np.asarray(ELEMENTWISE[node.operator](*given, **_plain(node)))


def _plain(node: Node) -> dict[str, Any]:
    kept = {"Gelu": ("approximate",), "Clip": ("min", "max"), "BatchNormalization": ("epsilon",)}
    names = kept.get(node.operator, ("alpha", "beta", "gamma"))
    return {name: value for name, value in node.settings.items() if name in names}


def folded(node: Node, given: Sequence[np.ndarray | None], shapes: Sequence[tuple[int, ...]]) -> np.ndarray | None:
    """What follows from constants and shapes alone; None where this operator is not one of those."""
    first = given[0] if given else None
    if node.operator == "Shape":
        ends = slice(node.settings.get("start", 0), node.settings.get("end", None))
        return np.array(shapes[0][ends], np.int64)
    if first is None:
        return None
    if node.operator == "Gather":
        return np.take(first, np.asarray(given[1]), int(node.settings.get("axis", 0)))
    if node.operator == "ConstantOfShape":
        filling = np.asarray(node.settings.get("value", np.zeros(1, np.float32)))
        _bound(math.prod(int(side) for side in first))
        return np.full([int(side) for side in first], filling.ravel()[0])
    if node.operator == "Range":
        start, stop, step = (float(np.ravel(np.asarray(one))[0]) for one in given)
        _bound(int(abs((stop - start) / step)))
        return np.arange(start, stop, step).astype(first.dtype)
    if node.operator == "DequantizeLinear":
        return widened(node, given)
    if node.operator in MOVED and node.operator != "Resize":
        do, settings = move_of(node, [None if one is None else one.shape for one in given], given)
        data = _data(node, given)
        moved_shape(do, settings, [one.shape for one in data])
        return moved(do, settings, data)
    if node.operator in ELEMENTWISE:
        made = computed(node, given)
        whole = first.dtype.kind in "iu" and node.operator not in ("Cast", "Sqrt", "Log", "Exp")
        return np.floor(made).astype(first.dtype) if whole and made.dtype.kind == "f" else made
    return None


def _bound(count: int) -> None:
    """Refuse numbers that a few bytes blow up."""
    if count > MOST:
        raise ValueError(f"{count:,} numbers at once, of {MOST:,} that may be")


def _data(node: Node, given: Sequence[np.ndarray | None]) -> list[np.ndarray]:
    return [one for one in given if one is not None] if node.operator == "Concat" else [np.asarray(given[0])]


def widened(node: Node, given: Sequence[np.ndarray | None]) -> np.ndarray:
    """Fixed small integers as the floats that they stand for."""
    codes, scale = np.asarray(given[0]), np.asarray(given[1], np.float64)
    zero = np.zeros((), np.int64) if len(given) < 3 or given[2] is None else given[2].astype(np.int64)
    if scale.size > 1:
        axis = int(node.settings.get("axis", 1)) % codes.ndim
        sides = [-1 if place == axis else 1 for place in range(codes.ndim)]
        scale, zero = scale.reshape(sides), zero.reshape(sides) if zero.size > 1 else zero
    return np.asarray((codes.astype(np.int64) - zero) * scale, np.float64)


def move_of(
    node: Node, shapes: Sequence[tuple[int, ...] | None], given: Sequence[np.ndarray | None]
) -> tuple[str, dict[str, Any]]:
    """A step that moves numbers and changes none, with every side counted out."""
    shape, settings = shapes[0] or (), node.settings
    fixed = [None if one is None else [int(value) for value in np.ravel(one)] for one in given]
    if node.operator == "Transpose":
        return "transpose", {"order": settings.get("perm", list(range(len(shape)))[::-1])}
    if node.operator == "Concat":
        return "concat", {"axis": int(settings["axis"]) % max(1, len(shape))}
    if node.operator == "Slice":
        return "slice", _slices(shape, fixed)
    if node.operator == "Pad":
        return "pad", _padding(shape, fixed, settings)
    if node.operator == "DepthToSpace":
        return "depth", {"block": int(settings["blocksize"]), "order": str(settings.get("mode", "DCR"))}
    if node.operator == "Resize":
        return "repeat", {"times": settings["times"]}
    return "reshape", {"shape": _reshaped(node, shape, fixed)}


def _reshaped(node: Node, shape: tuple[int, ...], fixed: list[list[int] | None]) -> list[int]:
    asked = fixed[1] if len(fixed) > 1 else node.settings.get("axes")
    if node.operator == "Flatten":
        axis = int(node.settings.get("axis", 1)) % (len(shape) + 1)
        return [math.prod(shape[:axis]), math.prod(shape[axis:])]
    if node.operator == "Squeeze":
        gone = {place % len(shape) for place in asked} if asked else {n for n, side in enumerate(shape) if side == 1}
        return [side for place, side in enumerate(shape) if place not in gone]
    if node.operator == "Unsqueeze":
        rank = len(shape) + len(asked or ())
        new, left = {place % rank for place in asked or ()}, list(shape)
        return [1 if place in new else left.pop(0) for place in range(rank)]
    sides = [shape[place] if side == 0 else side for place, side in enumerate(asked or ())]
    if -1 in sides:
        known = math.prod(side for side in sides if side != -1)
        sides[sides.index(-1)] = math.prod(shape) // max(1, known)
    return sides


def _slices(shape: tuple[int, ...], fixed: list[list[int] | None]) -> dict[str, Any]:
    """A start, an end and a step for every axis; an end of None is beyond the first place."""
    starts, ends = fixed[1] or [], fixed[2] or []
    axes = fixed[3] if len(fixed) > 3 and fixed[3] else list(range(len(starts)))
    steps = fixed[4] if len(fixed) > 4 and fixed[4] else [1] * len(starts)
    found: list[list[int | None]] = [[0, side, 1] for side in shape]
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        side = shape[axis]
        first, last, jump = slice(start, end, step).indices(side)
        found[axis] = [first, None if last < 0 else last, jump]
    return {"parts": found}


def _padding(shape: tuple[int, ...], fixed: list[list[int] | None], settings: Mapping[str, Any]) -> dict[str, Any]:
    pads = fixed[1] if len(fixed) > 1 and fixed[1] is not None else settings.get("pads", [])
    axes = fixed[3] if len(fixed) > 3 and fixed[3] else list(range(len(shape)))
    sides = [[0, 0] for _ in shape]
    for place, axis in enumerate(axes):
        sides[axis] = [pads[place], pads[place + len(axes)]]
    return {"sides": sides, "mode": str(settings.get("mode", "constant"))}


def moved_shape(kind: str, settings: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """What shape numbers have at their other places, before any is moved; refused where it is beyond all measure."""
    first = shapes[0]
    if kind == "concat":
        axis = int(settings["axis"])
        made = (*first[:axis], sum(shape[axis] for shape in shapes), *first[axis + 1 :])
    elif kind == "pad":
        made = tuple(side + low + high for side, (low, high) in zip(first, settings["sides"], strict=True))
    elif kind == "repeat":
        made = tuple(side * times for side, times in zip(first, settings["times"], strict=True))
    elif kind == "depth":
        block = settings["block"]
        made = (first[0], first[1] // block**2, first[2] * block, first[3] * block)
    else:
        made = moved(kind, settings, [np.broadcast_to(np.int8(0), first)]).shape  # a view
    _bound(math.prod(made))
    return tuple(int(side) for side in made)


def moved(kind: str, settings: Mapping[str, Any], given: Sequence[np.ndarray], filling: int = 0) -> np.ndarray:
    """Numbers at other places, each as it was; a view wherever that will do."""
    first = given[0]
    if kind == "transpose":
        return first.transpose(settings["order"])
    if kind == "reshape":
        return first.reshape(settings["shape"])
    if kind == "concat":
        return np.concatenate(given, int(settings["axis"]))
    if kind == "slice":
        return first[tuple(slice(*part) for part in settings["parts"])]
    if kind == "repeat":
        for axis, times in enumerate(settings["times"]):
            first = np.repeat(first, times, axis)
        return first
    if kind == "depth":
        block, (rows, channels, high, wide) = settings["block"], first.shape
        inner = channels // block**2
        if settings["order"] == "DCR":
            parted = first.reshape(rows, block, block, inner, high, wide).transpose(0, 3, 4, 1, 5, 2)
        else:
            parted = first.reshape(rows, inner, block, block, high, wide).transpose(0, 1, 4, 2, 5, 3)
        return parted.reshape(rows, inner, high * block, wide * block)
    sides = settings["sides"]
    if min(low for side in sides for low in side) < 0:
        parts = [slice(-min(0, low), side + min(0, high)) for (low, high), side in zip(sides, first.shape, strict=True)]
        first, sides = first[tuple(parts)], [[max(0, low), max(0, high)] for low, high in sides]
    if settings["mode"] == "constant":
        return np.pad(first, sides, constant_values=filling)
    return np.pad(first, sides, mode=settings["mode"])
