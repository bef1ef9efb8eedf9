"""Exporting looks up the operators of ONNX once a process: torch would parse the source of 500 functions every time."""

import sys
from collections.abc import Callable
from functools import cache

_LOOKS = "torch.onnx._internal.exporter._registration"


def look_up_once() -> Callable[[], object] | None:
    """From the second export of this process on; answers with what looks them up, where that is loaded."""
    library = getattr(sys.modules.get(_LOOKS), "onnxscript_apis", None)
    given = getattr(library, "get_torchlib_ops", None)
    if library is not None and given is not None and not hasattr(given, "cache_info"):
        library.get_torchlib_ops = given = cache(given)
    return given
