"""Arrays inside an .npz: mapped from the file where they are not packed, unpacked within limits where they are."""

from __future__ import annotations

import io
import math
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from sightline.core.errors import InputError
from sightline.formats import _paths

LARGEST = 8 * 2**30  # bytes of one array
_HEADER = 30  # bytes before the name of a member


@dataclass(frozen=True, slots=True)
class Member:
    """One array: where its member lies, and what its header says."""

    name: str
    begins: int  # of the numbers in the file, where they are not packed
    packed: bool
    shape: tuple[int, ...]
    dtype: np.dtype
    fortran: bool


def members(file: Path) -> dict[str, Member]:
    """Every array by its name; nothing but headers is read."""
    _paths.size_within(file, 2**40)
    try:
        with zipfile.ZipFile(file) as archive:
            inside = archive.infolist()
            if len(inside) > 1000:
                raise InputError("too_large", f"{file}: {len(inside):,} arrays; the limit is 1,000.")
            return {one.filename[:-4]: _member(archive, one, file) for one in inside if one.filename.endswith(".npy")}
    except (zipfile.BadZipFile, OSError, EOFError, zlib.error, NotImplementedError, RuntimeError, ValueError) as error:
        raise InputError("corrupt", f"{file}: not a readable archive of arrays ({str(error)[:100]}).") from error


def _member(archive: zipfile.ZipFile, one: zipfile.ZipInfo, file: Path) -> Member:
    from numpy.lib import format as npy

    where = f"{file} '{one.filename[:60]}'"
    try:
        with archive.open(one) as opened:
            version = npy.read_magic(opened)
            read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
            shape, fortran, dtype = read(opened, max_header_size=4096)
            header = opened.tell()
    except InputError:
        raise
    except Exception as error:  # the header is parsed as Python literals: tokenizer, syntax and recursion errors
        raise InputError("corrupt", f"{where}: not a readable array.") from error
    shape = tuple(int(length) for length in shape)
    size = math.prod(shape) * dtype.itemsize
    if dtype.hasobject or any(length < 0 for length in shape):
        raise InputError("corrupt", f"{where}: holds Python objects, which are never read.")
    if size > LARGEST:
        raise InputError("too_large", f"{where}: {size:,} bytes; the limit is {LARGEST:,}.")
    if one.file_size != header + size:
        raise InputError("corrupt", f"{where}: holds {one.file_size:,} bytes; its header says {header + size:,}.")
    begins = 0
    if one.compress_type == zipfile.ZIP_STORED:
        with file.open("rb") as opened:
            opened.seek(one.header_offset)
            local = opened.read(_HEADER)
        begins = one.header_offset + _HEADER + int.from_bytes(local[26:28], "little")
        begins += int.from_bytes(local[28:30], "little") + header
    return Member(one.filename, begins, one.compress_type != zipfile.ZIP_STORED, shape, dtype, fortran)


def array(file: Path, member: Member) -> np.ndarray:
    """The array, mapped where that can be done."""
    size = math.prod(member.shape) * member.dtype.itemsize
    try:
        if not member.packed and size and member.dtype.isnative:
            if member.begins + size > file.stat().st_size:
                raise InputError("truncated", f"{file}: '{member.name}' ends before its array does.")
            order: Literal["F", "C"] = "F" if member.fortran else "C"
            return np.asarray(np.memmap(file, member.dtype, "r", member.begins, member.shape, order))
        with zipfile.ZipFile(file) as archive, archive.open(member.name) as opened:
            data = opened.read(LARGEST + 4096)
        read: np.ndarray = np.load(io.BytesIO(data), allow_pickle=False)
    except (zipfile.BadZipFile, OSError, EOFError, zlib.error, ValueError) as error:
        raise InputError("corrupt", f"{file}: '{member.name}' cannot be read ({str(error)[:100]}).") from error
    return np.asarray(read.astype(read.dtype.newbyteorder("="), copy=False))


def packed(arrays: dict[str, np.ndarray]) -> bytes:
    """An .npz with these arrays, each as it is."""
    stream = io.BytesIO()
    np.savez(stream, allow_pickle=False, **arrays)
    return stream.getvalue()
