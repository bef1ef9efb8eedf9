"""Arrays of NumPy: any shape and depth; no objects, so no code."""

from __future__ import annotations

import io
import math

import numpy as np

from sightline.core.errors import InputError
from sightline.core.header import Header
from sightline.core.limits import Limits

SUFFIXES = (".npy",)


def recognises(data: bytes) -> int:
    """The six bytes of the format."""
    return 2 * (data[:6] == b"\x93NUMPY")


def look(data: bytes, page: int, limits: Limits) -> Header:
    """From its header, held to the bytes that follow it."""
    from numpy.lib import format as npy

    stream = io.BytesIO(data)
    try:
        version = npy.read_magic(stream)
        read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, _, dtype = read_header(stream, max_header_size=4096)
    except Exception as error:  # the header is parsed as Python literals: tokenizer, syntax and recursion errors
        raise InputError("corrupt", "not a readable array file.") from error
    shape = tuple(int(length) for length in shape)
    if any(length < 0 for length in shape):
        raise InputError("corrupt", f"an array of shape {shape}.")
    values = math.prod(shape)
    whole = not dtype.hasobject and len(data) - stream.tell() == values * dtype.itemsize
    if values <= limits.values and not whole:
        raise InputError("corrupt", "the array file does not hold what its header says.")
    dtype = dtype.newbyteorder("=")
    return Header("NPY", shape, dtype, dtype.itemsize * 8, "array", total=values)


def read(data: bytes, header: Header, page: int, reduce: int) -> np.ndarray:
    """The numbers in the order of this machine."""
    pixels = np.asarray(np.load(io.BytesIO(data), allow_pickle=False))
    return np.ascontiguousarray(pixels.astype(pixels.dtype.newbyteorder("="), copy=False))


def encode(pixels: np.ndarray, quality: int) -> bytes:
    """Any shape and depth."""
    stream = io.BytesIO()
    np.save(stream, pixels, allow_pickle=False)
    return stream.getvalue()
