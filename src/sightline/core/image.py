"""Pictures: lazy handles, one careful reader, and lossless bytes."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np

from sightline.core.decoding import decode
from sightline.core.errors import InputError
from sightline.core.files import digest, digest_file

LARGEST_FILE = 256 * 2**20  # bytes
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".ppm", ".pgm", ".npy")


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
            return digest_file(self.path) if self.path.is_file() else "unreadable"
        except (OSError, ValueError):
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


@dataclass(frozen=True, slots=True, eq=False)
class StoredImage:
    """A picture whose encoded bytes are fetched when asked for: out of an archive, or from a store."""

    name: str
    fetch: Callable[[], bytes]
    stored: ClassVar[bool] = True  # there are bytes to look at before any pixels are made

    def read(self, at_least: tuple[int, int] | None = None) -> np.ndarray:
        return read_image(self.fetch(), name=self.name)

    def encoded(self) -> bytes:
        return self.fetch()

    def fingerprint(self) -> str:
        try:
            return digest(self.fetch())
        except InputError:
            return "unreadable"


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
    return tidy(decode(data, name))


def _load(path: Path) -> bytes:
    try:
        if path.exists() and not path.is_file():  # a pipe would never end
            raise InputError("missing", f"{path}: a {'folder' if path.is_dir() else 'device'}, not a file.")
        with path.open("rb") as file:
            data = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise InputError("missing", f"{path}: {error.strerror or error}.") from error
    except ValueError as error:
        raise InputError("missing", f"{str(path)!r} is not a path: {error}.") from error
    if len(data) > LARGEST_FILE:
        raise InputError("too_large", f"{path}: more than {LARGEST_FILE:,} bytes.")
    return data


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
