"""LiteRT (once TensorFlow Lite): one picture at a time on phones and small boards; written where its tools are."""

from __future__ import annotations

import contextlib
import io
import tempfile
import warnings
from pathlib import Path

import numpy as np

from sightline.core.errors import BundleError
from sightline.core.extras import need
from sightline.core.task import Arrays, Graph, Run
from sightline.exporters._foreign import one_by_one, tool
from sightline.exporters._own import check_own, made

SUFFIX = ".tflite"
NEEDS = ("litert_torch", "ai_edge_litert")
HOW = "Get the converter and the runtime with: pip install litert-torch ai-edge-litert"


def export(graph: Graph) -> bytes:
    """The graph for one row of its example's size."""
    converter, torch = tool("litert_torch", HOW), need("torch")
    given = {name: torch.from_numpy(array[:1]) for name, array in graph.inputs.items()}
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = Path(folder) / "model.tflite"
        with contextlib.redirect_stdout(io.StringIO()):
            converter.convert(graph.module.eval(), sample_kwargs=given).export(str(path))
        return made(path.read_bytes())


def reopen(data: bytes, name: str, threads: int | None = None) -> Run:
    """One pass, row by row, of what `export` has just written."""
    check_own(data, name, "a LiteRT file")
    interpreter = tool("ai_edge_litert.interpreter", HOW).Interpreter(model_content=data, num_threads=threads)
    runner = interpreter.get_signature_runner()

    def run(arrays: Arrays) -> Arrays:
        try:
            return {key: np.array(value) for key, value in runner(**arrays).items()}
        except (ValueError, RuntimeError, TypeError) as error:
            raise BundleError(f"{name}: the runtime fails on these inputs: {str(error)[:200]}") from error

    return one_by_one(run)
