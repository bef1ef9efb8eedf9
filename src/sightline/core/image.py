"""Pictures: lazy handles, one careful reader, and lossless bytes."""

from __future__ import annotations

import io
import math
import warnings
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from sightline.core.errors import InputError
from sightline.core.files import digest, digest_file

LARGEST_FILE = 256 * 2**20  # bytes
LARGEST_PICTURE = 200 * 10**6  # pixels times channels
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".ppm", ".pgm", ".npy")
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


class Image(Protocol):
    """A picture that is read when asked for."""

    @property
    def name(self) -> str: ...
    def read(self) -> np.ndarray: ...  # rows, columns, channels (or depth first); uint8, uint16 or float32
    def encoded(self) -> bytes: ...  # the bytes of a file that reads as the same pixels
    def fingerprint(self) -> str: ...  # changes when the content does


@dataclass(frozen=True, slots=True)
class FileImage:
    """A picture in a file."""

    path: Path

    @property
    def name(self) -> str:
        return str(self.path)

    def read(self) -> np.ndarray:
        return read_image(self.path)

    def encoded(self) -> bytes:
        return _load(self.path)

    def fingerprint(self) -> str:
        try:
            return digest_file(self.path)
        except OSError:
            return "unreadable"


@dataclass(frozen=True, slots=True)
class BytesImage:
    """A picture in memory, still encoded."""

    data: bytes
    name: str = "bytes"

    def read(self) -> np.ndarray:
        return read_image(self.data, name=self.name)

    def encoded(self) -> bytes:
        return self.data

    def fingerprint(self) -> str:
        return digest(self.data)


@dataclass(frozen=True, eq=False)
class ArrayImage:
    """A picture in memory, as pixels."""

    pixels: np.ndarray
    name: str = "array"

    def read(self) -> np.ndarray:
        return self.pixels

    def encoded(self) -> bytes:
        return encode(self.pixels)

    def fingerprint(self) -> str:
        return self._hash

    @cached_property
    def _hash(self) -> str:
        return digest(f"{self.pixels.dtype}{self.pixels.shape}".encode() + np.ascontiguousarray(self.pixels).tobytes())


def as_image(source: Any) -> Image:
    """A lazy picture from a path, bytes, an array, or a picture."""
    if isinstance(source, (str, Path)):
        return FileImage(Path(source))
    if isinstance(source, (bytes, bytearray)):
        return BytesImage(bytes(source))
    if isinstance(source, np.ndarray):
        return ArrayImage(tidy(source))
    if hasattr(source, "read") and hasattr(source, "fingerprint"):
        return source  # type: ignore[no-any-return]
    raise InputError("unsupported", f"a picture is a path, bytes or an array, not {type(source).__name__}.")


def tidy(pixels: np.ndarray) -> np.ndarray:
    """Pixels with a channel axis and a depth that the house keeps; other depths are refused, not crushed."""
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    if pixels.dtype == bool:
        pixels = pixels.astype(np.uint8) * 255
    if pixels.dtype == np.float64:
        pixels = pixels.astype(np.float32)
    if pixels.ndim not in (3, 4) or pixels.dtype not in (np.uint8, np.uint16, np.float32) or 0 in pixels.shape:
        raise InputError(
            "unsupported",
            f"pixels must be rows x columns x channels (or depth first) of uint8, uint16 or float32, "
            f"not {pixels.dtype} {pixels.shape}.",
        )
    return pixels


def read_image(source: Path | str | bytes, *, name: str = "") -> np.ndarray:
    """Pixels of a picture nobody has vouched for: size cap, magic bytes, allow-listed decoder, whole or refused.

    Orientation is applied; palettes and CMYK become RGB; transparency is laid over white; 16-bit gray and float stay.
    """
    if isinstance(source, bytes):
        data, name = source, name or "bytes"
    else:
        data, name = _load(Path(source)), name or str(source)
    kind = _kind(data, name)
    return _read_npy(data, name) if kind == "NPY" else _read_pillow(data, kind, name)


def header(data: bytes, name: str = "bytes") -> tuple[int, ...]:
    """Rows and columns (or the shape of an array) as `read_image` will give them, without decoding."""
    kind = _kind(data, name)
    if kind == "NPY":
        shape, _, _ = _npy_header(io.BytesIO(data), name)
        return shape[:-1] if len(shape) > 2 else shape
    from PIL import Image as Pillow

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Pillow.open(io.BytesIO(data), formats=(kind,)) as opened:
                _check_size(opened.width * opened.height * len(opened.getbands()), name)
                turned = opened.getexif().get(0x0112) in (5, 6, 7, 8)
                return (opened.width, opened.height) if turned else (opened.height, opened.width)
    except InputError:
        raise
    except Pillow.DecompressionBombError as error:
        raise InputError("too_large", f"{name}: {error}") from error
    except Exception as error:  # decoders of strangers' bytes raise a dozen unrelated types
        raise InputError(
            "corrupt", f"{name}: {kind} header cannot be read ({type(error).__name__}: {error})."[:300]
        ) from error


def _kind(data: bytes, name: str) -> str:
    if not data:
        raise InputError("empty", f"{name}: the file holds no bytes.")
    kind = next((kind for magic, kind in _MAGIC.items() if data.startswith(magic)), None)
    if kind is None:
        raise InputError("unknown_format", f"{name}: no picture format that is accepted begins like this.")
    return kind


def _load(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise InputError("missing", f"{path}: {error.strerror or error}.") from error
    except ValueError as error:
        raise InputError("missing", f"{str(path)!r} is not a path: {error}.") from error
    if len(data) > LARGEST_FILE:
        raise InputError("too_large", f"{path}: more than {LARGEST_FILE:,} bytes.")
    return data


def _check_size(count: int, name: str) -> None:
    if count > LARGEST_PICTURE:
        raise InputError("too_large", f"{name}: {count:,} pixel values; the limit is {LARGEST_PICTURE:,}.")


def _npy_header(stream: io.BytesIO, name: str) -> tuple[tuple[int, ...], int, np.dtype]:
    from numpy.lib import format as npy

    try:
        version = npy.read_magic(stream)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, _, dtype = read(stream, max_header_size=4096)
    except Exception as error:  # the header is parsed as Python literals: tokenizer, syntax and recursion errors
        raise InputError("corrupt", f"{name}: not a readable array file.") from error
    count = math.prod(int(length) for length in shape)
    _check_size(count, name)
    return tuple(int(length) for length in shape), count, dtype


def _read_npy(data: bytes, name: str) -> np.ndarray:
    stream = io.BytesIO(data)
    _, count, dtype = _npy_header(stream, name)
    if dtype.hasobject or len(data) - stream.tell() != count * dtype.itemsize:
        raise InputError("corrupt", f"{name}: the array file does not hold what its header says.")
    stream.seek(0)
    return tidy(np.load(stream, allow_pickle=False))


def _read_pillow(data: bytes, kind: str, name: str) -> np.ndarray:
    from PIL import Image as Pillow
    from PIL import ImageOps

    if kind == "PNG" and data[24:25] == b"\x10" and data[25:26] in (b"\x02", b"\x04", b"\x06"):
        raise InputError(
            "unsupported", f"{name}: 16-bit colour PNG would be cut to 8 bits. Give 16-bit gray, or .npy with all bits."
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Pillow.open(io.BytesIO(data), formats=(kind,)) as opened:
                _check_size(opened.width * opened.height * len(opened.getbands()), name)
                opened.load()
                picture: Any = ImageOps.exif_transpose(opened)
                mode = picture.mode
                if mode in ("P", "PA", "LA", "RGBA", "La", "RGBa") or "transparency" in picture.info:
                    picture = picture.convert("RGBA")
                    ground = Pillow.new("RGBA", picture.size, "white")
                    picture = Pillow.alpha_composite(ground, picture).convert("L" if mode in ("LA", "La") else "RGB")
                elif mode in ("CMYK", "YCbCr", "LAB", "HSV", "RGBX"):
                    picture = picture.convert("RGB")
                elif mode == "1":
                    picture = picture.convert("L")
                pixels = np.asarray(picture)
    except InputError:
        raise
    except Pillow.DecompressionBombError as error:
        raise InputError("too_large", f"{name}: {error}") from error
    except Exception as error:  # decoders of strangers' bytes raise a dozen unrelated types
        code = "truncated" if "truncated" in str(error).lower() else "corrupt"
        raise InputError(code, f"{name}: {kind} cannot be decoded ({type(error).__name__}: {error})."[:300]) from error
    if pixels.dtype == np.int32:
        if pixels.min(initial=0) < 0 or pixels.max(initial=0) > 65535:
            raise InputError("unsupported", f"{name}: 32-bit integer pixels beyond 16 bits.")
        pixels = pixels.astype(np.uint16)
    return tidy(np.ascontiguousarray(pixels.astype(pixels.dtype.newbyteorder("="), copy=False)))


def encode(pixels: np.ndarray) -> bytes:
    """Lossless bytes that `read_image` turns into the same pixels: PNG where it can hold them, else .npy."""
    stream = io.BytesIO()
    if pixels.ndim == 3 and pixels.dtype == np.uint8 and pixels.shape[2] in (1, 3):
        from PIL import Image as Pillow

        Pillow.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).save(stream, "PNG", compress_level=3)
    else:
        np.save(stream, pixels, allow_pickle=False)
    return stream.getvalue()


def histogram(pixels: np.ndarray, bins: int = 256) -> np.ndarray:
    """Counts a channel: (channels, bins) over the full range of the depth."""
    top = np.iinfo(pixels.dtype).max + 1 if pixels.dtype.kind == "u" else 1.0
    flat = tidy(pixels).reshape(-1, tidy(pixels).shape[-1])
    return np.stack([np.histogram(flat[:, c], bins, (0, top))[0] for c in range(flat.shape[1])])


def describe(pixels: np.ndarray) -> dict[str, Any]:
    """What a pixel inspector shows: shape, depth, and the range, mean and spread of each channel."""
    flat = tidy(pixels).reshape(-1, tidy(pixels).shape[-1]).astype(np.float64)
    return {
        "shape": list(pixels.shape),
        "dtype": str(pixels.dtype),
        "numbers": int(pixels.size),
        "channels": [
            {"min": c.min().item(), "max": c.max().item(), "mean": c.mean().item(), "std": c.std().item()}
            for c in flat.T
        ],
    }
