"""The one place that opens a runtime on a graph: scanned first, from memory, and refusals in one line."""

from __future__ import annotations

from typing import Any

from sightline.core.errors import BundleError
from sightline.core.extras import need
from sightline.core.onnxscan import check_onnx


def open_session(data: bytes, name: str, threads: int | None = None) -> Any:
    """An `onnxruntime.InferenceSession` on the processor; `threads` None takes every core."""
    check_onnx(data, name)
    runtime = need("onnxruntime")
    options = runtime.SessionOptions()
    options.log_severity_level = 4  # what it has to say comes back as an exception
    options.add_session_config_entry("session.load_model_format", "ONNX")
    if threads is not None:
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
    try:
        return runtime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the runtime's own types derive from Exception, each from another line of C++
        raise BundleError(f"{name}: the runtime refuses this graph: {str(error)[:200]}") from error
