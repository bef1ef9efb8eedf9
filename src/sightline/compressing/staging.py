"""Graphs one after the other as one: each row leaves where it is sure, and only the others go on.

One graph, not several: the bundle, the runtime, the server and the golden answers stay as they are. What comes later
stands in the branch of an `If`, which a runtime enters only where a row is left; the rows that go on are gathered, so
that a batch costs what its rows cost and no answer depends on its neighbours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sightline.core.extras import need
from sightline.core.onnxscan import check_onnx

OPSET, IR_VERSION = 20, 10
ANSWER = "logits"


@dataclass(frozen=True, eq=False)
class Stage:
    """One graph: what it takes from the stages before it, and its answer among what it gives."""

    graph: bytes
    takes: tuple[str, ...]


class _Joint:
    """The one graph in the making: constants of all stages, each once."""

    def __init__(self, stages: Sequence[Stage], thresholds: Sequence[float]) -> None:
        self.onnx = need("onnx")
        self.stages, self.thresholds = stages, thresholds
        self.constants: dict[bytes, str] = {}
        self.tensors: list[Any] = []

    def constant(self, tensor: Any) -> str:
        """The name of these numbers; equal ones are kept once."""
        key = (
            bytes(f"{tensor.data_type}{list(tensor.dims)}", "ascii") + self.onnx.numpy_helper.to_array(tensor).tobytes()
        )
        if key not in self.constants:
            kept = self.onnx.TensorProto()
            kept.CopyFrom(tensor)
            kept.name = f"c{len(self.tensors)}"
            self.constants[key] = kept.name
            self.tensors.append(kept)
        return self.constants[key]

    def number(self, values: Any, kind: Any) -> str:
        """A small constant."""
        return self.constant(self.onnx.numpy_helper.from_array(np.asarray(values, kind)))

    def node(self, operator: str, takes: Sequence[str], gives: Sequence[str], **more: Any) -> Any:
        return self.onnx.helper.make_node(operator, list(takes), list(gives), name=f"{operator}-{gives[0]}", **more)

    def stage(self, place: int, state: Mapping[str, str]) -> tuple[list[Any], dict[str, str]]:
        """The nodes of one stage under names of its own, and what it gives."""
        model = self.onnx.load_from_string(self.stages[place].graph)
        called = {tensor.name: self.constant(tensor) for tensor in model.graph.initializer}
        called |= {value.name: state[value.name] for value in model.graph.input}

        def name(word: str) -> str:
            return called.get(word, f"s{place}.{word}") if word else ""

        nodes = []
        for number, node in enumerate(model.graph.node):
            made = self.onnx.NodeProto()
            made.CopyFrom(node)
            made.name = f"s{place}.{number}"
            made.input[:] = [name(word) for word in node.input]
            made.output[:] = [name(word) for word in node.output]
            nodes.append(made)
        return nodes, {value.name: name(value.name) for value in model.graph.output}

    def following(self, place: int, state: Mapping[str, str]) -> tuple[list[Any], str, dict[str, str]]:
        """The nodes of this stage and of all after it, the name of their answer, and what this stage gives."""
        nodes, given = self.stage(place, state)
        if place + 1 == len(self.stages):
            return nodes, given[ANSWER], given
        mine = f"e{place}"
        least = self.number(self.thresholds[place], np.float32)
        ends = self.number([-1], np.int64)
        nodes += [
            self.node("Softmax", [given[ANSWER]], [f"{mine}.scores"], axis=-1),
            self.node("ReduceMax", [f"{mine}.scores", ends], [f"{mine}.best"], keepdims=0),
            self.node("Less", [f"{mine}.best", least], [f"{mine}.unsure"]),
            self.node("Cast", [f"{mine}.unsure"], [f"{mine}.count"], to=self.onnx.TensorProto.INT32),
            self.node("ReduceMax", [f"{mine}.count"], [f"{mine}.any"], keepdims=0),
            self.node("Cast", [f"{mine}.any"], [f"{mine}.left"], to=self.onnx.TensorProto.BOOL),
        ]
        onward, stay = self.onward(place, {**state, **given}), f"{mine}.stay"
        shape = self.onnx.helper.make_tensor_value_info(stay, 1, None)
        still = self.onnx.helper.make_graph([self.node("Identity", [given[ANSWER]], [stay])], stay, [], [shape])
        nodes.append(self.node("If", [f"{mine}.left"], [f"{mine}.answer"], then_branch=onward, else_branch=still))
        return nodes, f"{mine}.answer", given

    def onward(self, place: int, state: Mapping[str, str]) -> Any:
        """The branch for rows that are not sure: gathered, asked on, and put back in their places."""
        mine = f"g{place}"
        needed = {name for stage in self.stages[place + 1 :] for name in stage.takes} & state.keys()
        axis = self.number([0], np.int64)
        nodes = [
            self.node("NonZero", [f"e{place}.unsure"], [f"{mine}.where"]),
            self.node("Squeeze", [f"{mine}.where", axis], [f"{mine}.rows"]),
        ]
        nodes += [
            self.node("Gather", [state[name], f"{mine}.rows"], [f"{mine}.{name}"], axis=0) for name in sorted(needed)
        ]
        inner, answer, _ = self.following(place + 1, {name: f"{mine}.{name}" for name in needed})
        nodes += inner
        nodes += [
            self.node("Unsqueeze", [f"{mine}.rows", self.number([1], np.int64)], [f"{mine}.places"]),
            self.node("ScatterND", [state[ANSWER], f"{mine}.places", answer], [f"{mine}.answer"]),
        ]
        shape = self.onnx.helper.make_tensor_value_info(f"{mine}.answer", 1, None)
        return self.onnx.helper.make_graph(nodes, mine, [], [shape])


def joined(stages: Sequence[Stage], thresholds: Sequence[float]) -> bytes:
    """One graph of all stages; `thresholds` say how sure a row must be to leave after each but the last."""
    joint = _Joint(stages, thresholds)
    onnx, helper = joint.onnx, joint.onnx.helper
    first = onnx.load_from_string(stages[0].graph)
    inputs = list(first.graph.input)
    nodes, answer, given = joint.following(0, {value.name: value.name for value in inputs})
    shown = [value for value in first.graph.output if value.name not in _passed(stages)]
    outputs = []
    for value in shown:
        nodes.append(joint.node("Identity", [answer if value.name == ANSWER else given[value.name]], [value.name]))
        outputs.append(value)
    graph = helper.make_graph(nodes, "exits", inputs, outputs, joint.tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    data: bytes = model.SerializeToString()
    check_onnx(data, "the graph with exits")
    return data


def _passed(stages: Sequence[Stage]) -> set[str]:
    """What only later stages read."""
    return {name for stage in stages[1:] for name in stage.takes}
