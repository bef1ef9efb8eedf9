"""Bytes nobody has vouched for to pixels: magic bytes, allow-listed decoders, whole and with every bit, or refused."""

from __future__ import annotations

import contextlib
import io
import math
import warnings
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from sightline.core.errors import InputError

LARGEST_PICTURE = 200 * 10**6  # pixels times channels
_MAGIC = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"BM": "BMP",
    b"II*\x00": "TIFF",
    b"MM\x00*": "TIFF",
    b"GIF8": "GIF",
    b"P5": "PPM",
    b"P6": "PPM",
    b"RIFF": "WEBP",
    b"\x93NUMPY": "NPY",
}
_DEEP = ("I;16", "I;16B", "I;16L", "I;16N", "I", "F")  # modes that keep more than eight bits


def decode(data: bytes, name: str) -> np.ndarray:
    """The pixels; orientation is applied, palettes and CMYK become RGB, transparency is laid over white."""
    kind = _kind(data, name)
    if kind == "NPY":
        return _array(data, name)
    if kind == "PNG":
        _check_png(data, name)
    with _opened(data, kind, name) as opened:
        opened.load()
        inverted = opened.mode in _DEEP and kind == "TIFF" and opened.tag_v2.get(262) == 0  # white is zero
        pixels = np.asarray(_flat(opened))
    if pixels.dtype == np.int32:
        if pixels.min(initial=0) < 0 or pixels.max(initial=0) > 65535:
            raise InputError("unsupported", f"{name}: 32-bit integer pixels beyond 16 bits.")
        pixels = pixels.astype(np.uint16)
    if inverted and pixels.dtype.kind == "u":
        pixels = np.iinfo(pixels.dtype).max - pixels
    return np.ascontiguousarray(pixels.astype(pixels.dtype.newbyteorder("="), copy=False))


def header(data: bytes, name: str = "bytes") -> tuple[int, ...]:
    """Rows and columns (or the shape of an array) as `decode` will give them, without decoding."""
    kind = _kind(data, name)
    if kind == "NPY":
        shape, _ = _array_header(io.BytesIO(data), name)
        return shape[:-1] if len(shape) > 2 else shape
    with _opened(data, kind, name) as opened:
        turned = opened.getexif().get(0x0112) in (5, 6, 7, 8)
        return (opened.width, opened.height) if turned else (opened.height, opened.width)


def _kind(data: bytes, name: str) -> str:
    if not data:
        raise InputError("empty", f"{name}: the file holds no bytes.")
    kind = next((kind for magic, kind in _MAGIC.items() if data.startswith(magic)), None)
    if kind is None:
        raise InputError("unknown_format", f"{name}: no picture format that is accepted begins like this.")
    return kind


def _check_size(count: int, name: str) -> None:
    if count > LARGEST_PICTURE:
        raise InputError("too_large", f"{name}: {count:,} pixel values; the limit is {LARGEST_PICTURE:,}.")


@contextlib.contextmanager
def _opened(data: bytes, kind: str, name: str) -> Iterator[Any]:
    """The picture with its header read and its size and variant accepted; decoders' own errors become ours."""
    from PIL import Image as Pillow
    from PIL import UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Pillow.open(io.BytesIO(data), formats=(kind,)) as opened:
                _check_size(opened.width * opened.height * len(opened.getbands()), name)
                _check_variant(opened, data, kind, name)
                yield opened
    except InputError:
        raise
    except Pillow.DecompressionBombError as error:
        raise InputError("too_large", f"{name}: {error}") from error
    except Exception as error:  # decoders of strangers' bytes raise a dozen unrelated types
        code = "truncated" if "truncated" in str(error).lower() else "corrupt"
        if kind == "TIFF" and isinstance(error, UnidentifiedImageError):
            raise InputError("unsupported", f"{name}: a variant of TIFF that is not read. Give .npy.") from error
        raise InputError(code, f"{name}: {kind} cannot be decoded ({type(error).__name__}: {error})."[:300]) from error


def _check_variant(opened: Any, data: bytes, kind: str, name: str) -> None:
    """Refuse what the decoder would silently cut to eight bits or wrap around."""
    deep, signed = False, False
    if kind == "PNG":
        deep = data[24:25] == b"\x10" and (data[25:26] != b"\x00" or "transparency" in opened.info)
    elif kind == "TIFF":
        deep = max(opened.tag_v2.get(258, (1,))) > 8 and opened.mode not in _DEEP
        signed = 2 in opened.tag_v2.get(339, (1,)) and opened.mode not in ("I", "F")
    elif kind == "PPM":
        deep = opened.mode == "RGB" and any(isinstance(word, int) and word > 255 for word in _words(opened.tile))
    if deep or signed:
        what = "signed pixels" if signed else "more than 8 bits a channel with colour or transparency"
        raise InputError(
            "unsupported", f"{name}: {kind} with {what} would be changed. Give 16-bit gray, or .npy with all bits."
        )


def _words(tile: Any) -> list[Any]:
    last = tile[0][3] if tile else ()
    return list(last) if isinstance(last, tuple) else [last]


def _check_png(data: bytes, name: str) -> None:
    """Every chunk as its checksum says, up to the mark of the end; the decoder itself checks neither for pixels."""
    place = 8
    while place + 12 <= len(data):
        length = int.from_bytes(data[place : place + 4], "big")
        end = place + 12 + length
        if end > len(data):
            break
        if zlib.crc32(memoryview(data)[place + 4 : end - 4]) != int.from_bytes(data[end - 4 : end], "big"):
            raise InputError("corrupt", f"{name}: a part of the PNG does not match its checksum.")
        if data[place + 4 : place + 8] == b"IEND":
            return
        place = end
    raise InputError("truncated", f"{name}: the PNG ends before its picture does.")


def _flat(opened: Any) -> Any:
    """Upright, without palette, transparency or print colours."""
    from PIL import Image as Pillow
    from PIL import ImageOps

    picture: Any = ImageOps.exif_transpose(opened)
    mode = picture.mode
    if mode in ("P", "PA", "LA", "RGBA", "La", "RGBa") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        ground = Pillow.new("RGBA", picture.size, "white")
        return Pillow.alpha_composite(ground, picture).convert("L" if mode in ("LA", "La") else "RGB")
    if mode in ("CMYK", "YCbCr", "LAB", "HSV", "RGBX"):
        return picture.convert("RGB")
    return picture.convert("L") if mode == "1" else picture


def _array_header(stream: io.BytesIO, name: str) -> tuple[tuple[int, ...], np.dtype]:
    from numpy.lib import format as npy

    try:
        version = npy.read_magic(stream)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, _, dtype = read(stream, max_header_size=4096)
    except Exception as error:  # the header is parsed as Python literals: tokenizer, syntax and recursion errors
        raise InputError("corrupt", f"{name}: not a readable array file.") from error
    shape = tuple(int(length) for length in shape)
    if any(length < 0 for length in shape):
        raise InputError("corrupt", f"{name}: an array of shape {shape}.")
    _check_size(math.prod(shape), name)
    return shape, dtype


def _array(data: bytes, name: str) -> np.ndarray:
    stream = io.BytesIO(data)
    shape, dtype = _array_header(stream, name)
    if dtype.hasobject or len(data) - stream.tell() != math.prod(shape) * dtype.itemsize:
        raise InputError("corrupt", f"{name}: the array file does not hold what its header says.")
    stream.seek(0)
    return np.asarray(np.load(stream, allow_pickle=False))
