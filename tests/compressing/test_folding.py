"""Folding changes no answer, and folds nothing that it would change."""

import onnx

from sightline.compressing.folding import apart, fold, noise, parsed
from tests.compressing.graphs import load, network, pictures


def test_norms_go_and_every_answer_stays() -> None:
    model = parsed(network())
    assert fold(model) == 2
    assert not [node for node in model.graph.node if node.op_type == "BatchNormalization"]
    names = {tensor.name for tensor in model.graph.initializer}
    assert not any(name.startswith(("one.", "two.")) or name in ("first", "second") for name in names)
    gaps = apart(load(network()), load(model.SerializeToString()), pictures())
    assert gaps["logits"] < 1e-5


def test_a_norm_behind_a_maximum_stays_where_it_turns_a_channel_over() -> None:
    model = parsed(network(gain=-1.0))
    assert fold(model) == 1
    assert apart(load(network(gain=-1.0)), load(model.SerializeToString()), pictures())["logits"] < 1e-5


def test_a_layer_that_is_read_elsewhere_is_not_folded() -> None:
    model = onnx.load_from_string(network())
    model.graph.output.append(onnx.helper.make_tensor_value_info("e", 1, None))
    model = parsed(model.SerializeToString())
    assert fold(model) == 1


def test_differences_are_told_as_part_of_what_there_is() -> None:
    one, other = load(network(0)), load(network(1))
    assert noise(one, one, pictures()) == 0
    assert noise(one, other, pictures()) > 0.1
    assert apart(one, lambda arrays: {}, pictures())["logits"] == float("inf")
