"""What layers with weights become: eight bits, a bias of 32, one multiplier and one shift a channel."""

from __future__ import annotations

from typing import Any

import numpy as np

from sightline.exporters._integer_lowering import After, Lowering, factor
from sightline.exporters._integer_program import LEVELS, Grid
from sightline.exporters._integer_reading import Node
from sightline.exporters._integer_shapes import window

Cut = tuple[int, int] | None
MOST = 2**31 - 1  # that an accumulator holds
LARGEST = 2.0**60  # of a bias before it is fitted
FELT = 0.25  # of a code: what coarser steps may change of an answer


def weighted(low: Lowering, node: Node, grid: Grid, cut: Cut, after: After) -> int:
    """A convolution or a product with fixed weights."""
    if cut is None:
        low.refuse(node, "what it gives is not rounded to eight bits before the next function")
    taken, own = node.takes[0], low.natural(node.takes[0])
    across = node.operator != "Conv" and not (node.operator == "Gemm" and node.settings.get("transB", 0))
    weights, scale = _weights(low, node, 1 if across else 0)
    if across:
        weights = np.ascontiguousarray(weights.T)
    steps = own.scale * scale
    bias = np.zeros(len(weights), np.int64)
    if len(node.takes) > 2 and node.takes[2]:
        held = low.net.constants.get(node.takes[2])
        if held is None:
            low.refuse(node, "its bias changes from picture to picture")
        counted = np.rint(np.broadcast_to(held.ravel(), bias.shape) / np.maximum(steps, 1e-300))
        bias = counted.clip(-LARGEST, LARGEST).astype(np.int64)
    bias = bias - own.zero * weights.astype(np.int64).reshape(len(weights), -1).sum(1)
    weights, bias, steps = _fitted(low, node, weights, bias, steps, grid)
    multiplier, shift = factor(steps / grid.scale)
    if (shift < 1).any():
        low.refuse(node, "its answers are too large for the grid that they are rounded to")
    arrays = {"weights": weights, "bias": bias.astype(np.int32), "multiplier": multiplier, "shift": shift}
    settings: dict[str, Any] = {"zero": grid.zero, "low": cut[0], "high": cut[1]}
    shape = low.shapes[node.gives[0]]
    if node.operator == "Conv":
        if weights.ndim != 4:
            low.refuse(node, "it is not a convolution over rows and columns")
        look = window(node, low.shapes[taken], weights.shape[2:])
        settings |= look | {"groups": int(node.settings.get("group", 1)), "filling": own.zero}
        return low.program.step("conv", [low.codes(taken, own)], "u1", shape, settings, arrays, node.gives[0])
    if any(node.settings.get(name, 1.0) != 1.0 for name in ("alpha", "beta")) or node.settings.get("transA", 0):
        low.refuse(node, "it is scaled or turned besides")
    return low.program.step("dense", [low.codes(taken, own)], "u1", shape, settings, arrays, node.gives[0])


def _weights(low: Lowering, node: Node, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """Fixed weights in eight bits, and the scale of every channel that is given."""
    name = node.takes[1]
    if name not in low.net.constants:
        low.refuse(node, "" if node.operator == "MatMul" else "its weights change from picture to picture")
    maker = low.net.makers.get(name)
    if maker is None or maker.operator != "DequantizeLinear":
        low.refuse(node, "its weights stayed in floats; compress again with a larger --max-drop, or --methods aware")
    codes, scale = (low.net.constants[one] for one in maker.takes[:2])
    zero = low.net.constants[maker.takes[2]] if len(maker.takes) > 2 else np.zeros((), codes.dtype)
    if zero.size > 1 and zero.any() and len(set(zero.ravel().tolist())) > 1:
        low.refuse(node, "the zeros of its weights differ")
    values = codes.astype(np.int64) - int(zero.ravel()[0])
    if values.min(initial=0) < -128 or values.max(initial=0) > 127:
        low.refuse(node, "its weights do not fit in eight signed bits around zero")
    held = int(maker.settings.get("axis", 1)) % max(1, codes.ndim)
    if scale.size > 1 and held != axis:
        low.refuse(node, "the scales of its weights go along another axis than its channels")
    return values.astype(np.int8), np.broadcast_to(scale.ravel().astype(np.float64), (codes.shape[axis],))


def _fitted(
    low: Lowering, node: Node, weights: np.ndarray, bias: np.ndarray, steps: np.ndarray, grid: Grid
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Channels whose sums could go beyond 32 bits in coarser steps, where no answer feels it; else refused.

    So it is where weights are next to nothing and a bias is all that a channel gives.
    """
    flat = weights.astype(np.int64).reshape(len(weights), -1)
    most = _most(flat, bias)
    halved = np.ceil(np.log2(np.maximum(1.0, most / (MOST / 2)))).astype(np.int64)
    halved = np.where(most > MOST, halved, 0)
    lost = (1 + (LEVELS - 1) * flat.shape[1]) / 2 * 2.0**halved * steps / grid.scale
    if (lost[halved > 0] > FELT).any():
        low.refuse(node, f"a sum of its products can reach {int(most.max()):,}, more than 32 bits hold")
    coarse = np.rint(flat / 2.0 ** halved[:, None]).astype(np.int64)
    bias = np.rint(bias / 2.0**halved).astype(np.int64)
    assert (_most(coarse, bias) <= MOST).all(), "no sum can overflow, whatever the picture"
    return coarse.astype(np.int8).reshape(weights.shape), bias, steps * 2.0**halved


def _most(flat: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """What the sum of every channel, and every part of it, stays below."""
    return np.asarray(np.abs(bias) + (LEVELS - 1) * np.abs(flat).sum(1))
