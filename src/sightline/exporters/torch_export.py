"""torch.export: the network as a program of torch (.pt2), for those who go on in torch; no bundle holds one.

Such a file holds code-like things, so only what was just written is opened again, to compare its answers.
"""

from __future__ import annotations

import io
import warnings

from sightline.core.errors import BundleError
from sightline.core.extras import need
from sightline.core.task import Arrays, Graph, Run
from sightline.exporters._own import check_own, made
from sightline.exporters._tracing import dynamic, example

SUFFIX = ".pt2"
NEEDS = ("torch",)


def export(graph: Graph) -> bytes:
    """The traced network with its weights."""
    torch = need("torch")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        shapes = dynamic(graph)
        program = torch.export.export(graph.module.eval(), (), kwargs=example(graph), dynamic_shapes=shapes)
        for module in program.graph_module.modules():
            for node in module.graph.nodes if isinstance(module, torch.fx.GraphModule) else ():
                node.meta.pop("stack_trace", None)  # places of source files on this machine
        stream = io.BytesIO()
        torch.export.save(program, stream)
    return made(stream.getvalue())


def reopen(data: bytes, name: str, threads: int | None = None) -> Run:
    """One pass of what `export` has just written."""
    check_own(data, name, "a program of torch")
    torch = need("torch")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network = torch.export.load(io.BytesIO(data)).module()

    def run(arrays: Arrays) -> Arrays:
        try:
            with torch.inference_mode():
                answer = network(**{key: torch.from_numpy(array) for key, array in arrays.items()})
        except Exception as error:  # what guards of the program raise is of many types
            raise BundleError(f"{name}: the runtime fails on these inputs: {str(error)[:200]}") from error
        return {key: value.numpy() for key, value in answer.items()}

    return run
