"""Core ML for Apple's devices: written wherever coremltools is, run and compared on macOS alone.

Core ML takes no small integers: pixels come in as the same numbers in float32, one picture at a time.
"""

from __future__ import annotations

import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from sightline.core.errors import BundleError
from sightline.core.extras import need
from sightline.core.task import Arrays, Graph, Run
from sightline.exporters._foreign import one_by_one, tool
from sightline.exporters._own import check_own, made

SUFFIX = ".mlpackage"  # a folder
NEEDS = ("coremltools",)
HOW = "Get it with: pip install coremltools"


def export(graph: Graph) -> dict[str, bytes]:
    """The graph as an ML program in float32, for one row of its example's size."""
    tools, torch = tool("coremltools", HOW), need("torch")
    given = {name: torch.from_numpy(array[:1]).float() for name, array in graph.inputs.items()}
    module = graph.module.eval()
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")
        gives = list(module(**given))
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.export.export(_in_order(module, list(given)), tuple(given.values())).run_decompositions({})
        package = tools.convert(
            program,
            convert_to="mlprogram",
            compute_precision=tools.precision.FLOAT32,
            minimum_deployment_target=tools.target.iOS17,
            inputs=[tools.TensorType(name=name, shape=tuple(value.shape)) for name, value in given.items()],
            outputs=[tools.TensorType(name=name) for name in gives],
        )
        path = Path(folder) / "model.mlpackage"
        package.save(str(path))
        return made({str(one.relative_to(path)): one.read_bytes() for one in path.rglob("*") if one.is_file()})


def unprovable() -> str:
    """Why what is written cannot be compared on this machine; empty where it can."""
    return "" if sys.platform == "darwin" else "Core ML runs on macOS alone,"


def reopen(files: dict[str, bytes], name: str, threads: int | None = None) -> Run:
    """One pass, row by row, of what `export` has just written; how many threads is for the system to say."""
    check_own(files, name, "a Core ML package")
    tools = tool("coremltools", HOW)
    with tempfile.TemporaryDirectory() as folder:
        for place, data in files.items():
            path = Path(folder) / "model.mlpackage" / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        package = tools.models.MLModel(str(Path(folder) / "model.mlpackage"))

    def run(arrays: Arrays) -> Arrays:
        try:
            answer = package.predict({key: array.astype(np.float32) for key, array in arrays.items()})
        except (ValueError, RuntimeError, TypeError) as error:
            raise BundleError(f"{name}: the runtime fails on these inputs: {str(error)[:200]}") from error
        return {key: np.asarray(value, np.float32) for key, value in answer.items()}

    return one_by_one(run)


def _in_order(module: Any, names: list[str]) -> Any:
    """The network with its inputs and outputs by their place."""
    torch = need("torch")

    class InOrder(torch.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.module = module

        def forward(self, *given: Any) -> tuple[Any, ...]:
            return tuple(self.module(**dict(zip(names, given, strict=True))).values())

    return InOrder().eval()
