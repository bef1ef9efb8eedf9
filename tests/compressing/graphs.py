"""Small graphs by hand, and passes over them."""

from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper

from sightline.core.task import Arrays, Run

SIDE, NAMES = 8, 3


def network(seed: int = 0, *, gain: float = 1.0) -> bytes:
    """Convolution, maximum, norm, ReLU, convolution, norm, ReLU, mean, matrix: names from a small picture."""
    rng = np.random.default_rng(seed)

    def held(name: str, values: Any) -> Any:
        return numpy_helper.from_array(np.asarray(values, np.float32), name)

    first, second = rng.normal(0, 0.5, (8, 2, 3, 3)), rng.normal(0, 0.2, (6, 8, 3, 3))
    constants = [
        held("first", first), held("second", second),
        held("last", rng.normal(0, 0.5, (6, NAMES))), held("bias", rng.normal(0, 0.1, NAMES)),
    ]  # fmt: skip
    for name, count in (("one", 8), ("two", 6)):
        factors = np.abs(rng.normal(1, 0.2, count))
        factors[0] *= gain if name == "one" else 1
        constants += [
            held(f"{name}.gain", factors), held(f"{name}.offset", rng.normal(0, 0.1, count)),
            held(f"{name}.mean", rng.normal(0, 0.1, count)), held(f"{name}.var", rng.uniform(0.5, 1.5, count)),
        ]  # fmt: skip
    nodes = [
        helper.make_node("Conv", ["x", "first"], ["a"], pads=[1] * 4),
        helper.make_node("MaxPool", ["a"], ["b"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("BatchNormalization", ["b", *(f"one.{n}" for n in ("gain", "offset", "mean", "var"))], ["c"]),
        helper.make_node("Relu", ["c"], ["d"]),
        helper.make_node("Conv", ["d", "second"], ["e"], pads=[1] * 4),
        helper.make_node("BatchNormalization", ["e", *(f"two.{n}" for n in ("gain", "offset", "mean", "var"))], ["f"]),
        helper.make_node("Relu", ["f"], ["g"]),
        helper.make_node("GlobalAveragePool", ["g"], ["h"]),
        helper.make_node("Flatten", ["h"], ["i"]),
        helper.make_node("Gemm", ["i", "last", "bias"], ["logits"]),
    ]
    takes = helper.make_tensor_value_info("x", 1, ["n", 2, SIDE, SIDE])
    gives = helper.make_tensor_value_info("logits", 1, ["n", NAMES])
    graph = helper.make_graph(nodes, "small", [takes], [gives], constants)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    return bytes(made.SerializeToString())


def stage(takes: dict[str, list[Any]], gives: dict[str, list[Any]], nodes: list[Any], constants: list[Any]) -> bytes:
    """Any graph of floats."""
    inputs = [helper.make_tensor_value_info(name, 1, shape) for name, shape in takes.items()]
    outputs = [helper.make_tensor_value_info(name, 1, shape) for name, shape in gives.items()]
    graph = helper.make_graph(nodes, "stage", inputs, outputs, constants)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.checker.check_model(made)
    return bytes(made.SerializeToString())


def load(graph: bytes) -> Run:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    gives = [value.name for value in session.get_outputs()]

    def run(arrays: Arrays) -> Arrays:
        return dict(zip(gives, session.run(gives, dict(arrays)), strict=True))

    return run


def pictures(count: int = 64, seed: int = 0, batch: int = 16) -> list[Arrays]:
    rng = np.random.default_rng(seed)
    return [{"x": rng.normal(0, 1, (batch, 2, SIDE, SIDE)).astype(np.float32)} for _ in range(count // batch)]
