"""Camera raw, developed by LibRaw, which the `io` extra brings: camera white balance, 16 bits, no brightening."""

from __future__ import annotations

import io
import struct
from itertools import islice
from typing import Any

import numpy as np

from sightline.core.errors import InputError
from sightline.core.extras import need
from sightline.core.header import Header
from sightline.core.limits import Limits
from sightline.decoders import _boxes
from sightline.decoders._directories import check_whole, directories

SUFFIXES = (".dng", ".nef", ".cr2", ".cr3", ".arw", ".raf", ".orf", ".rw2", ".pef", ".srw", ".crw", ".x3f", ".mrw")
_STARTS = (b"FUJIFILMCCD-RAW", b"IIRO", b"IIRS", b"MMOR", b"IIU\0", b"FOVb", b"\0MRM")
_DNG, _MAKE, _SUBFOLDERS = 50706, 271, 330


def recognises(data: bytes) -> int:
    """By the first bytes of their makers; those that look like TIFF are told by the tags of their first directory."""
    if data.startswith(_STARTS) or data[6:14] == b"HEAPCCDR" or (data[4:8] == b"ftyp" and data[8:12] == b"crx "):
        return 3
    if data[:4] == b"II*\0" and data[8:10] == b"CR":
        return 3
    return 3 * (data[:4] in (b"II*\0", b"MM\0*") and _is_raw(data))


def _is_raw(data: bytes) -> bool:
    """A DNG says so; others begin with a small picture (tag 254), name a camera and keep the raw one in a subfolder."""
    try:
        first = next(directories(data), None)
        if first is None:
            return False
        return _DNG in first.entries or ({_MAKE, _SUBFOLDERS} <= first.entries.keys() and first.one(254, 0) & 1 == 1)
    except (struct.error, InputError):
        return False


def look(data: bytes, page: int, limits: Limits) -> Header:
    """As large as it is once developed."""
    if data[:4] in (b"II*\0", b"MM\0*"):
        check_whole(list(islice(directories(data), limits.frames)), len(data))
    elif data[4:8] == b"ftyp":
        _boxes.check_whole(data, "RAW")
    with _opened(data) as picture:
        sizes = picture.sizes
        rows, columns = sizes.iheight, sizes.iwidth
        if sizes.flip in (5, 6):
            rows, columns = columns, rows
    said = ("developed with the camera's white balance, without brightening",)
    return Header("RAW", (rows, columns, 3), np.dtype(np.uint16), 16, "rgb", total=rows * columns * 3, notes=said)


def read(data: bytes, header: Header, page: int, reduce: int) -> np.ndarray:
    """Developed to sRGB of 16 bits, upright."""
    with _opened(data) as picture:
        pixels: np.ndarray = picture.postprocess(use_camera_wb=True, no_auto_bright=True, output_bps=16)
        return pixels


def _opened(data: bytes) -> Any:
    library = need("rawpy")
    try:
        return library.imread(io.BytesIO(data))
    except library.LibRawError as error:
        said = b"".join(word for word in error.args if isinstance(word, bytes)).decode("ascii", "replace") or str(error)
        code = "truncated" if "I/O" in said or "end of file" in said.lower() else "corrupt"
        code = "unsupported" if "nsupported" in said else code
        raise InputError(code, f"RAW cannot be decoded ({said}).") from error
