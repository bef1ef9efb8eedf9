"""TensorRT: an engine for the NVIDIA GPU of the machine that writes it, from the same scanned ONNX bytes.

An engine holds machine code for one kind of GPU and one version of the library, so it never goes into a bundle.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sightline.core.errors import BundleError
from sightline.core.extras import need
from sightline.core.task import Arrays, Graph, Run
from sightline.exporters import onnx
from sightline.exporters._foreign import tool
from sightline.exporters._own import check_own, made

SUFFIX = ".engine"
NEEDS = ("tensorrt", "torch")
HOW = "It needs Linux or Windows with an NVIDIA GPU: pip install tensorrt"
ROWS, USUAL_ROWS = 16, 8  # that an engine takes at most, and is made fastest for


def export(graph: Graph) -> bytes:
    """An engine in float32 (without TensorFloat-32) for 1 to 16 rows of the example's size."""
    library = tool("tensorrt", HOW)
    log = library.Logger(library.Logger.ERROR)
    builder = library.Builder(log)
    network = builder.create_network(0)
    parser = library.OnnxParser(network, log)
    if not parser.parse(onnx.export(graph)):
        why = "; ".join(str(parser.get_error(place)) for place in range(parser.num_errors))
        raise BundleError(f"TensorRT does not take this graph: {why[:300]}")
    settings, profile = builder.create_builder_config(), builder.create_optimization_profile()
    settings.clear_flag(library.BuilderFlag.TF32)
    for name, array in graph.inputs.items():
        sizes = [(rows, *array.shape[1:]) for rows in (1, USUAL_ROWS, ROWS)]
        profile.set_shape(name, *sizes)
    settings.add_optimization_profile(profile)
    engine = builder.build_serialized_network(network, settings)
    if engine is None:
        raise BundleError("TensorRT could not build an engine of this graph on this machine.")
    return made(bytes(engine))


def reopen(data: bytes, name: str, threads: int | None = None) -> Run:
    """One pass on the GPU of what `export` has just written."""
    check_own(data, name, "a TensorRT engine")
    library, torch = tool("tensorrt", HOW), need("torch")
    engine = library.Runtime(library.Logger(library.Logger.ERROR)).deserialize_cuda_engine(data)
    context = engine.create_execution_context()
    names = [engine.get_tensor_name(place) for place in range(engine.num_io_tensors)]
    gives = [one for one in names if engine.get_tensor_mode(one) == library.TensorIOMode.OUTPUT]

    def run(arrays: Arrays) -> Arrays:
        parts = [
            _pass({key: array[start : start + ROWS] for key, array in arrays.items()})
            for start in range(0, len(next(iter(arrays.values()))), ROWS)
        ]
        return {key: np.concatenate([part[key] for part in parts]) for key in gives}

    def _pass(arrays: Arrays) -> Arrays:
        held: dict[str, Any] = {key: torch.from_numpy(array).cuda().contiguous() for key, array in arrays.items()}
        for key, value in held.items():
            if not context.set_input_shape(key, tuple(value.shape)):
                raise BundleError(f"{name}: the runtime fails on these inputs: '{key}' is {tuple(value.shape)}.")
        for key in gives:
            held[key] = torch.empty(tuple(context.get_tensor_shape(key)), dtype=torch.float32, device="cuda")
        for key, value in held.items():
            context.set_tensor_address(key, value.data_ptr())
        stream = torch.cuda.current_stream()
        if not context.execute_async_v3(stream.cuda_stream):
            raise BundleError(f"{name}: the runtime fails on these inputs.")
        stream.synchronize()
        return {key: held[key].cpu().numpy() for key in gives}

    return run
