"""A graph in eight bits: weights a channel at a time, activations by what training pictures made of them.

What is written are the standard operators that round and widen again, so any runtime reads it; ONNX Runtime joins them
with the layers between into integer ones. Layers that cost too much stay in floats, found by rounding each alone.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sightline.compressing.folding import fold, noise, parsed
from sightline.compressing.judging import Loss
from sightline.compressing.ranges import RULES, Ranges, Spread, observe, ranges
from sightline.core.errors import RunError
from sightline.core.extras import need
from sightline.core.onnxscan import check_onnx
from sightline.core.progress import Event, Tell
from sightline.core.task import Arrays, Run

WEIGHTED = ("Conv", "Gemm", "MatMul")
ROUNDED = (*WEIGHTED, "MaxPool")
FEW = 4  # inputs by which layers are told apart
HALF = 0.5  # of the layers may stay in floats: with more of them it is no longer an int8 network
IR_VERSION = 10


@dataclass(frozen=True)
class Rounded:
    """An int8 graph: by which rule, which layers stayed as they were, and what was tried."""

    graph: bytes
    rule: str
    left: tuple[str, ...]
    layers: int
    loss: Loss
    tried: dict[str, float]  # points lost by each rule


def rounded(
    graph: bytes, fed: Sequence[Arrays], load: Callable[[bytes], Run], judged: Callable[[bytes], Loss], tell: Tell
) -> Rounded:
    """The rule that loses least; then, where that is more than half of what is allowed, layers go back to floats."""
    model = parsed(graph)
    fold(model)
    layers = _layers(model)
    if not layers:
        raise RunError("the graph has no convolution and no product with fixed weights, so int8 would round nothing.")
    spreads = observe(model, ROUNDED, fed)
    known = load(graph)
    tried: dict[str, tuple[float, float, bytes, Loss]] = {}
    for rule in RULES:
        made = written(model, ranges(spreads, rule))
        loss = judged(made)
        tried[rule] = (loss.drop, noise(known, load(made), fed[:FEW]), made, loss)
        tell(Event("note", f"int8 by {rule}: {loss.line}"))
    rule = min(tried, key=lambda name: (round(tried[name][0], 1), tried[name][1]))
    drop, _, made, loss = tried[rule]
    left: list[str] = []
    if drop > loss.allowed / 2:
        made, loss, left = _spared(model, spreads, rule, layers, (made, loss), fed, load, judged, tell)
    return Rounded(made, rule, tuple(left), len(layers), loss, {name: found[0] for name, found in tried.items()})


def _spared(
    model: Any,
    spreads: dict[str, Spread],
    rule: str,
    layers: dict[str, list[str]],
    best: tuple[bytes, Loss],
    fed: Sequence[Arrays],
    load: Callable[[bytes], Run],
    judged: Callable[[bytes], Loss],
    tell: Tell,
) -> tuple[bytes, Loss, list[str]]:
    """Leave out the most sensitive layers, one, two, four and so on, until the drop is half of what is allowed."""
    found = ranges(spreads, rule)
    order = sensitivity(model, found, layers, fed, load)
    left: list[str] = []
    count = 1
    while count <= max(1, int(HALF * len(layers))) and best[1].drop > best[1].allowed / 2:
        spared = order[:count]
        made = written(model, found, [node for layer in spared for node in layers[layer]])
        loss = judged(made)
        tell(Event("note", f"int8 without {', '.join(spared[:4])}{' …' if count > 4 else ''}: {loss.line}"))
        if loss.drop < best[1].drop:
            best, left = (made, loss), spared
        count *= 2
    return *best, left


def sensitivity(
    model: Any, found: Ranges, layers: dict[str, list[str]], fed: Sequence[Arrays], load: Callable[[bytes], Run]
) -> list[str]:
    """Layers by how much the outputs move when that one alone is rounded, the most sensitive first."""
    known = load(model.SerializeToString())
    every = {node for nodes in layers.values() for node in nodes}
    every |= {node.name for node in model.graph.node if node.op_type in ROUNDED}
    moved = {
        layer: noise(known, load(written(model, found, sorted(every - set(nodes)))), fed[:FEW])
        for layer, nodes in layers.items()
    }
    return sorted(moved, key=lambda layer: -moved[layer])


def _layers(model: Any) -> dict[str, list[str]]:
    """Nodes by the weights they share: a layer that is asked twice is one layer."""
    constants = {tensor.name for tensor in model.graph.initializer}
    found: dict[str, list[str]] = {}
    for node in model.graph.node:
        if node.op_type in WEIGHTED:
            weights = [name for name in node.input[:2] if name in constants]
            if weights:
                found.setdefault(weights[0].split(".folded.")[0], []).append(node.name)
    return found


def written(model: Any, found: Ranges, left: Sequence[str] = ()) -> bytes:
    """The graph with what rounds and widens around every layer that is not left out."""
    onnx, need_ = need("onnx"), need("onnxruntime.quantization")
    quantizer = need("onnxruntime.quantization.qdq_quantizer")
    calibrate = need("onnxruntime.quantization.calibrate")
    import numpy as np

    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    ends = {name: (np.float32(low), np.float32(max(high, low + 1e-6))) for name, (low, high) in found.items()}
    held = calibrate.TensorsData(calibrate.CalibrationMethod.MinMax, ends)
    kinds = (need_.QuantType.QInt8, need_.QuantType.QUInt8)
    options = {"WeightSymmetric": True, "ActivationSymmetric": False}
    level = logging.root.level
    logging.root.setLevel(logging.ERROR)  # its advice is for people who call it by hand
    try:
        tool = quantizer.QDQQuantizer(copy, True, False, *kinds, held, [], list(left), list(ROUNDED), options)
        tool.quantize_model()
    finally:
        logging.root.setLevel(level)
    tool.model.topological_sort()
    made = tool.model.model
    made.ir_version = IR_VERSION
    del made.graph.value_info[:]  # names of what is gone, and bytes that no runtime needs
    graph: bytes = made.SerializeToString()
    check_onnx(graph, "the int8 graph")
    return graph
