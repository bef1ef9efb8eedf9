"""What only OpenVINO promises: scanned graphs of ordinary operators, nothing sent, rows in parts, bytes as given."""

import subprocess
import sys

import numpy as np
import pytest

from sightline.core.errors import BundleError

pytest.importorskip("openvino")
onnx = pytest.importorskip("onnx")

WATCHED = """
import sys
told = []
def hook(event, arguments):
    if event.startswith(("socket.", "urllib", "http.")) or event == "subprocess.Popen":
        told.append(event)
sys.addaudithook(hook)
from sightline.exporters import openvino
run = openvino.load(sys.stdin.buffer.read(), "net", 1)
import numpy as np
run({"x": np.ones((3, 2), np.float32)})
print([name for name in sys.modules if "telemetry" in name or name.startswith("openvino.tools.ovc")], told)
assert "openvino.tools.ovc" not in sys.modules
"""


SIGNALS = """
import ctypes, sys
def stack():
    told = ctypes.create_string_buffer(24)
    ctypes.CDLL(None).sigaltstack(None, told)
    return told.raw
before = stack()
from sightline.exporters import openvino
run = openvino.load(sys.stdin.buffer.read(), "net", 1)
assert stack() == before, "another stack"
"""


def _graph(operator: str = "Relu", **attributes: object) -> bytes:
    value, kind = onnx.helper.make_tensor_value_info, onnx.TensorProto.FLOAT
    node = onnx.helper.make_node(operator, ["x"], ["y"], **attributes)
    graph = onnx.helper.make_graph([node], "net", [value("x", kind, ["n", 2])], [value("y", kind, ["n", 2])])
    made = onnx.helper.make_model(graph, ir_version=10, opset_imports=[onnx.helper.make_opsetid("", 20)])
    data: bytes = made.SerializeToString()
    return data


@pytest.mark.skipif(sys.platform != "linux", reason="asked of Linux")
def test_a_thread_answers_signals_where_it_did_before() -> None:
    """The plug-in brings a stack for signals that goes with it: a Ctrl-C afterwards would end the process."""
    done = subprocess.run([sys.executable, "-c", SIGNALS], input=_graph(), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


def test_nothing_is_sent_and_the_converter_stays_out() -> None:
    done = subprocess.run([sys.executable, "-c", WATCHED], input=_graph(), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout.decode().strip() == "[] []"


def test_operators_beyond_the_ordinary_are_left_to_the_usual_runtime() -> None:
    from sightline.exporters import openvino

    with pytest.raises(BundleError, match="net: OpenVINO is given no graph with Unique; ONNX Runtime runs it"):
        openvino.load(_graph("Unique", axis=2**20), "net", 1)


def test_rows_are_answered_in_parts_and_in_order() -> None:
    from sightline.exporters import openvino

    run = openvino.load(_graph(), "net", 1)
    for rows in (1, 2, 3, 15, 21):
        given = np.random.default_rng(rows).standard_normal((rows, 2)).astype(np.float32)
        assert np.array_equal(run({"x": given})["y"], np.maximum(given, 0))
    with pytest.raises(BundleError, match="no rows"):
        run({"x": np.zeros((0, 2), np.float32)})
