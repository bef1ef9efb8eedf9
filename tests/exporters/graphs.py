"""Graphs that round and widen, by hand: pixels to a tensor `x`, a few operators, and an answer of eight bits."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnxruntime
from onnx import helper, numpy_helper

from sightline.core.task import Arrays, Run

SHAPE = (1, 4, 8, 10)  # of `x`, around zero
STEP, ZERO = 0.031, 120


class Drawing:
    """Nodes and constants as they come; `x` is rounded pixels, `z` another tensor of the same shape."""

    def __init__(self, shape: tuple[int, int, int, int] = SHAPE) -> None:
        self.shape = shape
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.do("Cast", ["image"], "floats", to=1)
        self.do("Mul", ["floats", self.fixed(np.float32(STEP))], "scaled")
        self.do("Sub", ["scaled", self.fixed(np.float32(STEP * ZERO))], "around")
        self.do("Transpose", ["around"], "before", perm=[0, 3, 1, 2])
        self.rounded("before", "x", STEP, ZERO)

    def fixed(self, values: Any, name: str = "") -> str:
        name = name or f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def do(self, operator: str, takes: Sequence[str], gives: str = "y", **settings: Any) -> str:
        self.nodes.append(helper.make_node(operator, list(takes), [gives], **settings))
        return gives

    def rounded(self, name: str, gives: str, step: float, zero: int) -> str:
        ends = [self.fixed(np.float32(step)), self.fixed(np.uint8(zero))]
        self.do("QuantizeLinear", [name, *ends], f"{gives}.codes")
        return self.do("DequantizeLinear", [f"{gives}.codes", *ends], gives)

    def another(self) -> str:
        """`z`, from the tensor of pixels by a function and steps of its own."""
        self.do("Tanh", ["x"], "bent")
        return self.rounded("bent", "z", 0.0083, 131)

    def weights(self, shape: Sequence[int], axis: int = 0, seed: int = 0) -> str:
        """Eight bits, a step for every channel."""
        rng = np.random.default_rng(seed)
        codes = rng.integers(-127, 128, shape).astype(np.int8)
        steps = rng.uniform(0.001, 0.004, shape[axis]).astype(np.float32)
        name = f"w{len(self.nodes)}"
        zero = self.fixed(np.zeros(shape[axis], np.int8))
        return self.do("DequantizeLinear", [self.fixed(codes), self.fixed(steps), zero], name, axis=axis)

    def bias(self, count: int, seed: int = 1) -> str:
        rng = np.random.default_rng(seed)
        codes, steps = rng.integers(-9000, 9000, count).astype(np.int32), np.full(count, 0.0001, np.float32)
        return self.do("DequantizeLinear", [self.fixed(codes), self.fixed(steps)], f"b{len(self.nodes)}", axis=0)

    def graph(self, outputs: Sequence[str] = ("out",)) -> bytes:
        takes = helper.make_tensor_value_info("image", 2, ["n", *self.shape[2:], self.shape[1]])
        gives = [helper.make_tensor_value_info(name, 1, None) for name in outputs]
        whole = helper.make_graph(self.nodes, "drawing", [takes], gives, self.constants)
        made = helper.make_model(whole, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
        return bytes(made.SerializeToString())

    def ended(self, step: float = 0.02, zero: int = 100) -> bytes:
        """`y` in eight bits as the answer."""
        self.rounded("y", "out", step, zero)
        return self.graph()

    def pixels(self, rows: int = 3) -> Arrays:
        sides, rng = (rows, *self.shape[2:], self.shape[1]), np.random.default_rng(rows)
        tops = rng.uniform(0.3, 1, (rows, 1, 1, self.shape[1]))  # so that channels differ in their means and ends
        return {"image": (rng.integers(0, 256, sides) * tops).astype(np.uint8)}


def as_written(graph: bytes) -> Run:
    """ONNX Runtime, taking every step of the graph as it stands there."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    gives = [value.name for value in session.get_outputs()]

    def run(arrays: Arrays) -> Arrays:
        return dict(zip(gives, session.run(gives, dict(arrays)), strict=True))

    return run
