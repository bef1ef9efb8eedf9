"""OpenVINO: runs the ONNX graph of a bundle in float32 or bfloat16, and writes its own format for others.

Graphs reach it as bytes that were scanned. Its conversion tool, which tells its makers of its use, is kept out.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from sightline.core.errors import BundleError, SettingsError
from sightline.core.extras import need
from sightline.core.onnxscan import check_onnx
from sightline.core.task import Arrays, Graph, Run
from sightline.exporters import onnx
from sightline.exporters._own import check_own, made
from sightline.exporters._signals import own_stack

SUFFIX = ".openvino"  # a folder
NEEDS = ("openvino",)
HINTS = {"float32": "f32", "bfloat16": "bf16"}
# What networks are made of. Drawn at random, others ended the process while it read them: Unique, GatherND, PRelu.
_WORDS = """
    Abs Add And ArgMax AveragePool BatchNormalization Cast Ceil Clip Concat Constant ConstantOfShape Conv ConvTranspose
    Cos DepthToSpace DequantizeLinear Div Elu Equal Erf Exp Expand Flatten Floor Gather Gelu Gemm GlobalAveragePool
    GlobalMaxPool Greater GreaterOrEqual HardSigmoid HardSwish Identity InstanceNormalization LayerNormalization
    LeakyRelu Less LessOrEqual Log LogSoftmax MatMul Max MaxPool Mean Min Mul Neg Not Or Pad Pow QuantizeLinear Range
    Reciprocal ReduceL1 ReduceL2 ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu Reshape Resize
    Round Shape Sigmoid Sign Sin Slice Softmax Softplus SpaceToDepth Split Sqrt Squeeze Sub Sum Tanh Tile TopK Transpose
    Unsqueeze Where
"""
OPERATORS = frozenset(_WORDS.split())
PARTS = (8, 4, 2, 1)  # rows of one pass: a network made for one number of them is faster than one made for any
_CONVERTER = "openvino.tools.ovc"


def export(graph: Graph) -> dict[str, bytes]:
    """The graph as OpenVINO's own two files, in float32."""
    library, data = _library(), onnx.export(graph)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.xml"
        model = _read(library.Core(), data, "the exported graph")
        _name_evenly(model)
        library.save_model(model, path, compress_to_fp16=False)
        return made({name: path.with_name(name).read_bytes() for name in ("model.xml", "model.bin")})


def precisions() -> tuple[str, ...]:
    """What it computes in on this machine; layers that a graph holds in eight bits stay in eight."""
    with own_stack():
        able = _library().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return ("float32", "bfloat16") if "BF16" in able else ("float32",)


def load(data: bytes, name: str, threads: int | None = None, precision: str = "float32") -> Run:
    """One pass of an ONNX graph on the processor; scanned first, and refusals in one line. None takes every core."""
    _check_precision(precision)
    strange = sorted(check_onnx(data, name) - OPERATORS)
    if strange:
        raise BundleError(f"{name}: OpenVINO is given no graph with {', '.join(strange[:4])}; ONNX Runtime runs it.")
    return _run(lambda core: _read(core, data, name), name, threads, precision)


def reopen(files: dict[str, bytes], name: str, threads: int | None = None) -> Run:
    """One pass of what `export` has just written."""
    check_own(files, name, "OpenVINO's own format")
    return _run(lambda core: core.read_model(files["model.xml"], files["model.bin"]), name, threads, "float32")


def _check_precision(precision: str) -> None:
    if precision not in precisions():
        raise SettingsError(f"precision '{precision}': OpenVINO has {', '.join(precisions())} on this machine.")


def _library() -> Any:
    """The runtime alone."""
    if "openvino" not in sys.modules and _CONVERTER not in sys.modules:
        sys.modules[_CONVERTER] = None  # type: ignore[assignment] # its import fails, and the runtime goes on without
        try:
            return need("openvino")
        finally:
            del sys.modules[_CONVERTER]
    return need("openvino")


def _read(core: Any, data: bytes, name: str) -> Any:
    try:
        return core.read_model(data)
    except Exception as error:  # RuntimeError and others, each from another line of C++
        raise BundleError(f"{name}: the runtime refuses this graph: {_told(error)}") from error


def _name_evenly(model: Any) -> None:
    """Layers without a name of their own are numbered within the graph, so that equal graphs give equal bytes."""
    for place, layer in enumerate(model.get_ordered_ops()):
        if re.fullmatch(rf"{layer.get_type_name()}_\d+", layer.get_friendly_name()):
            layer.set_friendly_name(f"layer_{place}")


def _run(read: Callable[[Any], Any], name: str, threads: int | None, precision: str) -> Run:
    core = _library().Core()
    settings = {
        "INFERENCE_PRECISION_HINT": HINTS[precision],
        "INFERENCE_NUM_THREADS": threads or _cores(),
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": 1,
        "ENABLE_CPU_PINNING": False,  # several processes would be pinned to the same core
        "ENABLE_HYPER_THREADING": True,  # the number of threads is ours to say
    }

    def compiled(model: Any) -> Any:
        with own_stack():
            return core.compile_model(model, "CPU", settings)

    return _Passes(read(core), compiled, name)


class _Passes:
    """A graph, compiled once for each number of rows that a pass may have."""

    def __init__(self, model: Any, compile_: Callable[[Any], Any], name: str) -> None:
        self.model, self.compile, self.name = model, compile_, name
        self.made: dict[int, Any] = {}
        self.lock, self.local = threading.Lock(), threading.local()
        try:
            self._look(model)
        except Exception as error:  # inputs of kinds that numpy has no word for
            raise BundleError(f"{name}: the runtime refuses this graph: {_told(error)}") from error
        self._compiled(self.parts[-1])

    def _look(self, model: Any) -> None:
        """What it takes and gives, and whether its rows can be parted."""
        self.takes = {one.any_name: (one.element_type.to_dtype(), _sides(one.partial_shape)) for one in model.inputs}
        self.gives = [made.any_name for made in model.outputs]
        ends = [sides for _, sides in self.takes.values()] + [_sides(made.partial_shape) for made in model.outputs]
        by_rows = all(sides and sides[0] is None for sides in ends)
        fixed = all(None not in sides[1:] for _, sides in self.takes.values() if sides)
        self.parts = PARTS if by_rows and fixed else (0,)  # 0: any number of rows

    def __call__(self, arrays: Arrays) -> Arrays:
        """One pass, in as many parts as the rows ask for."""
        given = {name: self._checked(name, arrays) for name in self.takes}
        rows = min((len(array) for array in given.values() if array.ndim), default=0)
        if self.parts == (0,):
            return self._pass(0, given)
        found, place = list[Arrays](), 0
        while place < rows:
            size = next(part for part in self.parts if part <= rows - place)
            found.append(self._pass(size, {name: array[place : place + size] for name, array in given.items()}))
            place += size
        if len(found) == 1:
            return found[0]
        if not found:
            raise BundleError(f"{self.name}: the runtime fails on these inputs: no rows.")
        return {name: np.concatenate([part[name] for part in found]) for name in self.gives}

    def _checked(self, name: str, arrays: Arrays) -> np.ndarray:
        """The runtime itself would turn numbers of any depth into its own."""
        dtype, sides = self.takes[name]
        array = arrays.get(name)
        if array is None or array.dtype != dtype:
            found = "nothing" if array is None else array.dtype
            raise BundleError(f"{self.name}: the runtime fails on these inputs: '{name}' is {found}, not {dtype}.")
        if sides is not None:
            alike = len(sides) == array.ndim
            if not alike or any(to not in (None, side) for to, side in zip(sides, array.shape, strict=True)):
                found, wanted = (" x ".join(map(str, shape)) for shape in (array.shape, sides))
                why = f"'{name}' is {found}, not {wanted.replace('None', 'any')}"
                raise BundleError(f"{self.name}: the runtime fails on these inputs: {why}.")
        return np.ascontiguousarray(array)

    def _pass(self, size: int, given: Arrays) -> Arrays:
        try:
            answer = self._request(size).infer(given, share_inputs=True, share_outputs=True)
            return {name: np.array(answer[place]) for place, name in enumerate(self.gives)}  # a copy: its own is reused
        except BundleError:
            raise
        except Exception as error:
            raise BundleError(f"{self.name}: the runtime fails on these inputs: {_told(error)}") from error

    def _request(self, size: int) -> Any:
        """Room for one pass at a time, of this thread alone."""
        held = self.local.__dict__.setdefault("requests", {})
        if size not in held:
            held[size] = self._compiled(size).create_infer_request()
        return held[size]

    def _compiled(self, size: int) -> Any:
        with self.lock:
            if size not in self.made:
                try:
                    model = self.model
                    if size:
                        model = model.clone()
                        model.reshape({name: [size, *(sides or ())[1:]] for name, (_, sides) in self.takes.items()})
                    self.made[size] = self.compile(model)
                except Exception as error:
                    raise BundleError(f"{self.name}: the runtime refuses this graph: {_told(error)}") from error
            return self.made[size]


def _sides(shape: Any) -> tuple[int | None, ...] | None:
    """The axes of an input or output, None where one may vary; None where even their number may."""
    if not shape.rank.is_static:
        return None
    return tuple(side.get_length() if side.is_static else None for side in shape)


def _told(error: Exception) -> str:
    """What it says, without the places in its source."""
    lines = [line for line in str(error).splitlines() if line and not line.startswith(("Exception from", "Check '"))]
    return " ".join(lines or [str(error)])[:200]


def _cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
