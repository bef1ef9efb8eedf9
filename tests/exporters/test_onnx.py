"""What only ONNX promises: its version, inline weights, and a scan before anything is opened."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from sightline.core.errors import BundleError, MissingExtraError
from sightline.core.task import Graph
from sightline.exporters import onnx as exporter
from sightline.testing.without import run_without

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxscript")
pytest.importorskip("onnxruntime")


class _Double(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 2)

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"y": self.layer(x)}


@pytest.fixture(scope="module")
def data() -> bytes:
    torch.manual_seed(0)
    return exporter.export(Graph(_Double(), {"x": np.zeros((1, 3), np.float32)}, {"x": (0,)}))


def test_version_names_and_inline_weights(data: bytes) -> None:
    model = onnx.load_from_string(data)
    onnx.checker.check_model(model)
    assert model.ir_version == exporter.IR_VERSION
    assert [one.version for one in model.opset_import if one.domain == ""] == [exporter.OPSET]
    assert [one.name for one in model.graph.input] == ["x"]
    assert [one.name for one in model.graph.output] == ["y"]
    assert model.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"
    assert not any(one.external_data for one in model.graph.initializer)


def test_a_graph_that_points_outside_is_never_opened(data: bytes) -> None:
    model = onnx.load_from_string(data)
    model.graph.initializer[0].external_data.add(key="location", value="secret.bin")
    model.graph.initializer[0].data_location = onnx.TensorProto.EXTERNAL
    with pytest.raises(BundleError, match="net") as refusal:
        exporter.load(model.SerializeToString(), "net")
    assert "the runtime" not in refusal.value.message, "our own scan refuses it first"


def test_inputs_that_do_not_suit_are_refused_in_one_line(data: bytes) -> None:
    run = exporter.load(data, "net", 1)
    with pytest.raises(BundleError, match="net: the runtime fails on these inputs") as refusal:
        run({"x": np.zeros((2, 4), np.float32)})
    assert "\n" not in refusal.value.message
    with pytest.raises(BundleError, match="net"):
        run({"z": np.zeros((2, 3), np.float32)})


def test_the_number_of_threads_changes_nothing(data: bytes) -> None:
    x = {"x": np.random.default_rng(0).standard_normal((5, 3)).astype(np.float32)}
    assert np.array_equal(exporter.load(data, "net", 1)(x)["y"], exporter.load(data, "net")(x)["y"])


def test_a_missing_runtime_is_named(data: bytes) -> None:
    assert MissingExtraError.code == "missing_extra"
    code = """
import sys
from sightline.core.errors import MissingExtraError
from sightline.exporters import onnx
try:
    onnx.load(bytes.fromhex(sys.argv[1]), "net")
except MissingExtraError as error:
    print(error.message)
"""
    told = run_without(("onnxruntime",), code, data.hex())
    assert "pip install 'sightline[runtime]'" in told


def test_a_branch_on_the_data_is_not_exported_silently() -> None:
    """What cannot be traced is an error at export, never a graph that answers otherwise."""

    class Fickle(_Double):
        def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
            return {"y": self.layer(x) if x.sum() > 0 else -self.layer(x)}

    with pytest.raises(Exception, match=r"(?i)data-dependent|export"):
        exporter.export(Graph(Fickle(), {"x": np.ones((1, 3), np.float32)}, {}))


def test_what_exporting_notes_of_itself_is_taken_out_of_branches_and_functions_too() -> None:
    here = "/somewhere/network.py"

    def noted(node: Any) -> Any:
        node.doc_string = here
        node.metadata_props.add(key="stack_trace", value=here)
        return node

    one = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1])
    branch = onnx.helper.make_graph([noted(onnx.helper.make_node("Identity", ["x"], ["y"]))], "branch", [], [one])
    choice = noted(onnx.helper.make_node("If", ["yes"], ["z"], then_branch=branch, else_branch=branch))
    weight = noted(onnx.helper.make_tensor("w", onnx.TensorProto.FLOAT, [1], [2.0]))
    graph = noted(onnx.helper.make_graph([choice], "graph", [noted(one)], [one], [weight], value_info=[one]))
    inner = [noted(onnx.helper.make_node("Identity", ["a"], ["b"]))]
    function = onnx.helper.make_function("own", "f", ["a"], ["b"], inner, [onnx.helper.make_opsetid("", 20)])
    proto = noted(onnx.helper.make_model(graph, functions=[function]))
    assert proto.SerializeToString().count(here.encode()) > 10
    exporter.strip(proto)
    assert here.encode() not in proto.SerializeToString()
    assert [node.op_type for node in proto.graph.node] == ["If"]
    assert proto.graph.initializer[0].float_data[0] == 2.0
