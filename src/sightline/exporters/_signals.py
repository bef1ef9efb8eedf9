"""A thread's stack for signals, kept as it was while a library is loaded that puts up its own and takes it along."""

from __future__ import annotations

import contextlib
import ctypes
import sys
from collections.abc import Iterator


class _Stack(ctypes.Structure):
    _fields_ = (("place", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t))


@contextlib.contextmanager
def own_stack() -> Iterator[None]:
    """While inside, a library may change where this thread answers signals; afterwards it is where it was.

    A library that is unloaded leaves the thread with a stack that is no more, and the next signal, a Ctrl-C, would end
    the process without a word. Elsewhere than on Linux nothing is done.
    """
    if sys.platform != "linux":
        yield
        return
    change, before = ctypes.CDLL(None, use_errno=True).sigaltstack, _Stack()
    change(None, ctypes.byref(before))
    try:
        yield
    finally:
        change(ctypes.byref(before), None)
