"""Graphs in eight bits: standard operators, small differences, and the layer that suffers found."""

import numpy as np
import onnx
import pytest

from sightline.compressing.folding import fold, noise, parsed
from sightline.compressing.judging import Loss
from sightline.compressing.ranges import observe, ranges
from sightline.compressing.rounding import ROUNDED, _layers, rounded, sensitivity, written
from sightline.core.errors import RunError
from sightline.core.progress import silent
from tests.compressing.graphs import SIDE, load, network, pictures, stage


def loss(drop: float) -> Loss:
    return Loss("accuracy", 0.9, 0.8, 0.95, 0.9, drop, drop - 0.1, drop + 0.1, 1000, 1.0)


def test_weights_are_int8_a_channel_at_a_time_and_every_operator_is_standard() -> None:
    model = parsed(network())
    fold(model)
    graph = onnx.load_from_string(written(model, ranges(observe(model, ROUNDED, pictures()), "minmax")))
    assert {(one.domain, one.version) for one in graph.opset_import} == {("", 20)}
    assert graph.ir_version == 10
    onnx.checker.check_model(graph)  # a branch takes its nodes in their order only
    kinds = {tensor.name: tensor for tensor in graph.graph.initializer}
    wide = [tensor for tensor in kinds.values() if len(tensor.dims) >= 2]
    assert len(wide) == 3
    assert all(tensor.data_type == onnx.TensorProto.INT8 for tensor in wide)
    steps = {node.input[0]: node.input[1] for node in graph.graph.node if node.op_type == "DequantizeLinear"}
    channels = {tensor.name: [tensor.dims[1 if len(tensor.dims) == 2 else 0]] for tensor in wide}
    assert {name: list(kinds[steps[name]].dims) for name in channels} == channels


def test_the_answers_stay_and_the_rule_is_the_one_that_loses_least() -> None:
    drops = iter([2.0, 0.1, 3.0])
    made = rounded(network(), pictures(), load, lambda graph: loss(next(drops)), silent)
    assert made.rule == "percentile"
    assert made.tried == {"minmax": 2.0, "percentile": 0.1, "entropy": 3.0}
    assert made.left == ()
    assert made.layers == 3
    assert noise(load(network()), load(made.graph), pictures(seed=1)) < 1e-3


def test_layers_go_back_to_floats_until_little_enough_is_lost() -> None:
    model = parsed(network())

    def judged(graph: bytes) -> Loss:
        floats = sum(node.op_type == "DequantizeLinear" for node in onnx.load_from_string(graph).graph.node)
        counts.append(floats)
        return loss(0.2 if floats < counts[0] else 0.9)

    counts: list[int] = []
    made = rounded(network(), pictures(), load, judged, silent)
    assert len(made.left) == 1
    assert set(made.left) < set(_layers(model))
    assert made.loss.drop == 0.2


def test_the_layer_with_a_wild_range_is_the_most_sensitive() -> None:
    model = parsed(network())
    fold(model)
    layers = _layers(model)
    found = ranges(observe(model, ROUNDED, pictures()), "minmax")
    (wild,) = [node for node in model.graph.node if node.input and node.input[0] == "d"]
    found["d"] = (0.0, 3000.0)  # as if one picture had been a thousand times brighter
    order = sensitivity(model, found, layers, pictures(), load)
    assert wild.name in layers[order[0]]


def test_two_branches_share_one_layer() -> None:
    weight = onnx.numpy_helper.from_array(np.ones((2, 2, 1, 1), np.float32), "w")
    nodes = [onnx.helper.make_node("Conv", [name, "w"], [f"{name}.out"]) for name in ("x", "y")]
    nodes.append(onnx.helper.make_node("Add", ["x.out", "y.out"], ["z"]))
    shape = ["n", 2, SIDE, SIDE]
    graph = stage({"x": shape, "y": shape}, {"z": shape}, nodes, [weight])
    assert {name: len(nodes) for name, nodes in _layers(parsed(graph)).items()} == {"w": 2}


def test_a_graph_with_nothing_to_round_says_so() -> None:
    graph = stage({"x": ["n", 2]}, {"y": ["n", 2]}, [onnx.helper.make_node("Relu", ["x"], ["y"])], [])
    with pytest.raises(RunError, match="int8 would round nothing"):
        rounded(graph, [{"x": np.ones((1, 2), np.float32)}], load, lambda made: loss(0), silent)
