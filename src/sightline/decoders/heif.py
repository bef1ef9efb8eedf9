"""HEIF as telephones write it (HEIC), by libheif, which the `io` extra brings; 8 to 12 bits."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from sightline.core.errors import InputError
from sightline.core.extras import need
from sightline.core.header import Header
from sightline.core.limits import Limits
from sightline.decoders import _boxes

SUFFIXES = (".heic", ".heif", ".hif")
_BRANDS = {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"}


def recognises(data: bytes) -> int:
    """By the brands that the file names; one that names AVIF as well is an AVIF."""
    return int(bool(_BRANDS & _boxes.brands(data)))


def look(data: bytes, page: int, limits: Limits) -> Header:
    """The main picture is the first page; libheif turns pictures upright by itself."""
    _boxes.check_whole(data, "HEIF")
    pictures = _opened(data)
    picture = pictures[page if 0 <= page < len(pictures) else 0]
    mode = str(picture.mode)
    columns, rows = picture.size
    channels = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4, "RGBa": 4}.get(mode.split(";")[0])
    if channels is None:
        raise InputError("unsupported", f"HEIF with pixels of the kind '{mode}'.")
    deep = ";" in mode
    profile = picture.info.get("icc_profile") or b""
    if len(profile) > limits.profile:
        raise InputError("too_large", f"a colour profile of {len(profile):,} bytes; the limit is {limits.profile:,}.")
    return Header(
        "HEIF", (rows, columns, channels), np.dtype(np.uint16 if deep else np.uint8),
        int(picture.info.get("bit_depth") or 8), "gray" if channels < 3 else "rgb",
        {"A": "straight", "a": "associated"}.get(mode.split(";")[0][-1], ""), pages=len(pictures),
        total=sum(one.size[0] * one.size[1] * channels for one in pictures), profile=profile, plan=pictures,
    )  # fmt: skip


def read(data: bytes, header: Header, page: int, reduce: int) -> np.ndarray:
    """All bits, as they are stored."""
    pixels = np.array(header.plan[page])  # a copy: the library frees its own with the file
    rows, columns = header.shape[:2]
    return pixels.reshape(rows, -1, header.shape[2])[:, :columns]


def _opened(data: bytes) -> list[Any]:
    """Every picture of the file, the main one first; none is decoded yet."""
    heif = need("pi_heif")
    heif.options.DECODE_THREADS = 1
    try:
        found = heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=False, hdr_to_16bit=False)
    except Exception as error:  # the library raises whatever Python has
        code = "unsupported" if "not been built in" in str(error) or "Unsupported" in str(error) else "corrupt"
        raise InputError(code, f"HEIF cannot be decoded ({error}).") from error
    pictures = list(found)
    first = found.primary_index
    return [pictures[first], *pictures[:first], *pictures[first + 1 :]]
