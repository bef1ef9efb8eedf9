"""JPEG 2000: up to 8 bits by Pillow, more by imagecodecs, since Pillow would cut or stretch them."""

from __future__ import annotations

import dataclasses
import struct

import numpy as np

from sightline.core.errors import InputError
from sightline.core.extras import need
from sightline.core.header import Header
from sightline.core.limits import Limits
from sightline.decoders import _pillow

SUFFIXES = (".jp2", ".j2k", ".jpf", ".jpx", ".j2c", ".jpc")
_STREAM, _BOXES = b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP  \r\n\x87\n"


def recognises(data: bytes) -> int:
    """A bare code stream, or one in boxes."""
    return 2 * (data[:4] == _STREAM or data[:12] == _BOXES)


def look(data: bytes, page: int, limits: Limits) -> Header:
    """From the first marker of the code stream, which is walked to its end."""
    start = 0 if data[:4] == _STREAM else data.find(_STREAM)
    if start < 0:
        raise InputError("truncated" if len(data) < 512 else "corrupt", "boxes without a picture.")
    right, bottom, left, top = struct.unpack_from(">4I", data, start + 8)
    wide, high, *_, count = struct.unpack_from(">4IH", data, start + 24)
    rows, columns = bottom - top, right - left
    if rows < 1 or columns < 1 or not 1 <= count <= 16384 or wide < 1 or high < 1:
        raise InputError("corrupt", f"a picture of {rows} x {columns} x {count}.")
    if -(-right // wide) * -(-bottom // high) > 65535:
        raise InputError("corrupt", "more than 65,535 tiles.")
    parts = [struct.unpack_from("3B", data, start + 42 + 3 * number) for number in range(count)]
    bits = max(part[0] & 0x7F for part in parts) + 1
    _check_whole(data, start)
    header = Header("JPEG2000", (rows, columns, count), bits=bits, colour={1: "gray", 3: "rgb"}.get(count, "channels"))
    if header.values > limits.values:
        return dataclasses.replace(header, total=header.values)
    if any(part[0] & 0x80 for part in parts):
        raise InputError("unsupported", "signed pixels would be changed. Give unsigned ones, or .npy.")
    if bits <= 8 and count <= 4:
        return dataclasses.replace(_pillow.look(data, "JPEG2000", page, limits, orientation=1), bits=bits)
    if bits > 16 or any(part != parts[0] for part in parts):
        raise InputError("unsupported", f"channels of different sizes or of {bits} bits. Give up to 16 bits.")
    if data[start - 4 : start] == b"jp2c" and b"cdef" in data[:start] and count in (2, 4):
        header = dataclasses.replace(header, alpha="straight", colour="gray" if count == 2 else "rgb")
    dtype = np.dtype(np.uint8 if bits <= 8 else np.uint16)
    return dataclasses.replace(header, dtype=dtype, total=header.values, plan="deep")


def read(data: bytes, header: Header, page: int, reduce: int) -> np.ndarray:
    """All bits, as they are stored."""
    if header.plan != "deep":
        return _pillow.read(data, "JPEG2000", header, page)
    pixels: np.ndarray = need("imagecodecs").jpeg2k_decode(data, numthreads=1, planar=False)
    return pixels


def _check_whole(data: bytes, start: int) -> None:
    """The parts of the code stream, each as long as it says, up to the mark of the end."""
    place = start + 2
    while place + 4 <= len(data):
        marker, length = struct.unpack_from(">2H", data, place)
        if marker == 0xFFD9:
            return
        if marker == 0xFF90:
            (part,) = struct.unpack_from(">I", data, place + 6)
            if part == 0:  # up to the end of the stream
                break
            if part < 14:
                raise InputError("corrupt", f"a tile of {part} bytes.")
            place += part
        elif marker >= 0xFF00:
            place += 2 + length
        else:
            raise InputError("corrupt", f"a marker {marker:#06x} in the code stream.")
    if place + 2 > len(data) or data.rstrip(b"\0")[-2:] != b"\xff\xd9":
        raise InputError("truncated", "the JPEG 2000 ends before its picture does.")


def encode(pixels: np.ndarray, quality: int) -> bytes:
    """8 or 16 bits, 1 or 3 channels; without loss at quality 100."""
    if pixels.dtype.kind != "u" or pixels.ndim != 3 or pixels.shape[2] not in (1, 3):
        raise InputError("unsupported", "JPEG 2000 holds uint8 or uint16 of 1 or 3 channels here.")
    ground = np.ascontiguousarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    made: bytes = need("imagecodecs").jpeg2k_encode(ground, level=0 if quality == 100 else 20 + quality // 2)
    return made
