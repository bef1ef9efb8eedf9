"""Norms folded into the convolutions before them: the same function in fewer steps (Jacob et al. 2018)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sightline.core.extras import need
from sightline.core.task import Arrays, Run


def parsed(graph: bytes) -> Any:
    """The graph with the shapes of its inner tensors, and a name for every node."""
    onnx = need("onnx")
    model = onnx.shape_inference.infer_shapes(onnx.load_from_string(graph))
    for number, node in enumerate(model.graph.node):
        node.name = f"{node.op_type.lower()}-{number}"
    return model


def fold(model: Any) -> int:
    """Fold in place; how many norms went. One behind a maximum goes as well where none of its factors is negative."""
    onnx = need("onnx")
    graph = model.graph
    constants = {tensor.name: tensor for tensor in graph.initializer}
    made: set[str] = set()
    gone = []
    for norm in [node for node in graph.node if node.op_type == "BatchNormalization"]:
        factors = _factors(norm, constants)
        chain = _chain(graph, norm, constants)
        if factors is None or chain is None or (len(chain) > 1 and not (factors[0] > 0).all()):
            continue
        convolution, scale, shift = chain[-1], *factors
        weight = onnx.numpy_helper.to_array(constants[convolution.input[1]])
        bias = onnx.numpy_helper.to_array(constants[convolution.input[2]]) if len(convolution.input) > 2 else 0.0
        names = [f"{convolution.input[1]}.folded.{norm.input[1]}", f"{convolution.input[1]}.shift.{norm.input[1]}"]
        if names[0] not in made:  # two branches may share the layer
            folded = weight * scale.reshape(-1, *[1] * (weight.ndim - 1))
            for name, values in zip(names, (folded, bias * scale + shift), strict=True):
                graph.initializer.append(onnx.numpy_helper.from_array(values.astype(np.float32), name))
            made.add(names[0])
        del convolution.input[1:]
        convolution.input.extend(names)
        chain[0].output[0] = norm.output[0]
        gone.append(norm)
    for norm in gone:
        graph.node.remove(norm)
    _sweep(graph)
    return len(gone)


def _factors(norm: Any, constants: dict[str, Any]) -> tuple[np.ndarray, np.ndarray] | None:
    """What a norm multiplies by and adds; None where that is not fixed."""
    helper = need("onnx").numpy_helper
    if any(name not in constants for name in norm.input[1:5]):
        return None
    gain, offset, mean, variance = (helper.to_array(constants[name]).astype(np.float64) for name in norm.input[1:5])
    least = next((float(found.f) for found in norm.attribute if found.name == "epsilon"), 1e-5)
    scale = gain / np.sqrt(variance + least)
    return scale, offset - mean * scale


def _chain(graph: Any, norm: Any, constants: dict[str, Any]) -> list[Any] | None:
    """What stands directly before: a convolution, or a maximum and then one, each used by nothing else."""
    chain: list[Any] = []
    name = norm.input[0]
    while True:
        node = next((node for node in graph.node if name in node.output), None)
        used = sum(list(other.input).count(name) for other in graph.node)
        shown = any(value.name == name for value in graph.output)
        if node is None or used != 1 or shown or len(node.output) != 1:
            return None
        chain.append(node)
        if node.op_type == "Conv":
            return chain if all(part in constants for part in node.input[1:]) else None
        if node.op_type != "MaxPool" or len(chain) > 1:
            return None
        name = node.input[0]


def _sweep(graph: Any) -> None:
    """Drop constants that nothing reads."""
    used = {name for node in graph.node for name in node.input}
    used |= {value.name for value in graph.output}
    for tensor in [tensor for tensor in graph.initializer if tensor.name not in used]:
        graph.initializer.remove(tensor)


def apart(first: Run, second: Run, fed: Sequence[Arrays]) -> dict[str, float]:
    """How far the outputs of two passes are apart, as a part of the largest number each output holds."""
    far: dict[str, float] = {}
    size: dict[str, float] = {}
    for arrays in fed:
        mine, theirs = first(arrays), second(arrays)
        for name, value in mine.items():
            size[name] = max(size.get(name, 1e-12), float(np.max(np.abs(value), initial=0.0)))
            alike = name in theirs and theirs[name].shape == value.shape
            gap = float(np.max(np.abs(value - theirs[name]), initial=0.0)) if alike else np.inf
            far[name] = max(far.get(name, 0.0), gap)
    return {name: far[name] / size[name] for name in far}


def noise(first: Run, second: Run, fed: Sequence[Arrays]) -> float:
    """The mean squared difference of the outputs, as a part of their mean square; the worst output counts."""
    lost: dict[str, float] = {}
    held: dict[str, float] = {}
    for arrays in fed:
        mine, theirs = first(arrays), second(arrays)
        for name, value in mine.items():
            lost[name] = lost.get(name, 0.0) + float(np.sum((value - theirs[name]) ** 2, dtype=np.float64))
            held[name] = held.get(name, 1e-12) + float(np.sum(value**2, dtype=np.float64))
    return max((lost[name] / held[name] for name in lost), default=0.0)
