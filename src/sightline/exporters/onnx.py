"""ONNX, opset 20, weights inside, run by ONNX Runtime."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from typing import Any

from sightline.core.errors import BundleError, SettingsError
from sightline.core.extras import need
from sightline.core.onnxscan import check_onnx
from sightline.core.task import Arrays, Graph, Run
from sightline.exporters._tracing import dynamic, example

SUFFIX = ".onnx"
NEEDS = ("onnxruntime",)  # to run a graph
OPSET, IR_VERSION = 20, 10  # what runtimes of the last two years read


def export(graph: Graph) -> bytes:
    """The graph with named inputs and outputs; the axes it calls dynamic may vary."""
    torch = need("torch")
    need("onnxscript")
    module, given, shapes = graph.module.eval(), example(graph), dynamic(graph)
    with torch.inference_mode():
        outputs = list(module(**given))
    log = logging.getLogger("torch.onnx")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            program = torch.onnx.export(
                module,
                (),
                kwargs=given,
                input_names=list(given),
                output_names=outputs,
                dynamic_shapes=shapes,
                opset_version=OPSET,
                dynamo=True,
                external_data=False,
                verbose=False,
            )
    finally:
        log.setLevel(level)
    proto = program.model_proto
    proto.ir_version = IR_VERSION
    strip(proto)
    data: bytes = proto.SerializeToString()
    check_onnx(data, "the exported graph")
    return data


def strip(proto: Any) -> None:
    """Take out what exporting notes of itself: places of source files on this machine, and much of a small graph."""
    del proto.metadata_props[:]
    proto.doc_string = ""
    graphs = [proto.graph, *proto.functions]
    while graphs:
        graph = graphs.pop()
        parts = [graph, *graph.node, *graph.value_info]
        if hasattr(graph, "initializer"):  # functions name what goes in and out, and hold no weights
            parts += [*graph.initializer, *graph.input, *graph.output]
        for part in parts:
            del part.metadata_props[:]
            part.doc_string = ""
        for attribute in [attribute for node in graph.node for attribute in node.attribute]:
            graphs += [*attribute.graphs, *([attribute.g] if attribute.HasField("g") else [])]


def precisions() -> tuple[str, ...]:
    """What this runtime computes in on this machine: as the graph is stored."""
    return ("float32",)


def load(data: bytes, name: str, threads: int | None = None, precision: str = "float32") -> Run:
    """One pass of the graph on the processor; scanned first, and refusals in one line. None takes every core."""
    if precision not in precisions():
        raise SettingsError(f"precision '{precision}': ONNX Runtime computes a graph as it is stored (float32 here).")
    check_onnx(data, name)
    runtime = need("onnxruntime")
    options = runtime.SessionOptions()
    options.log_severity_level = 4  # what it has to say comes back as an exception
    options.add_session_config_entry("session.load_model_format", "ONNX")
    if threads is not None:
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
    try:
        session = runtime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the runtime's own types derive from Exception, each from another line of C++
        raise BundleError(f"{name}: the runtime refuses this graph: {str(error)[:200]}") from error
    takes = [given.name for given in session.get_inputs()]
    gives = [made.name for made in session.get_outputs()]

    def run(arrays: Arrays) -> Arrays:
        try:
            answer: Any = session.run(gives, {key: arrays[key] for key in takes})
        except Exception as error:
            raise BundleError(f"{name}: the runtime fails on these inputs: {str(error)[:200]}") from error
        return dict(zip(gives, answer, strict=True))

    return run


reopen = load  # what was just written
