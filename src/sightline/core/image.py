"""Pictures: lazy handles and one careful reader."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np

from sightline.core import decoding
from sightline.core.decoding import Least
from sightline.core.encoding import encode as encode
from sightline.core.encoding import write_image as write_image
from sightline.core.errors import InputError
from sightline.core.files import digest, digest_file
from sightline.core.limits import LIMITS, Limits

_AT_ONCE = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_BINARY", "O_CLOEXEC", "O_NONBLOCK"))  # never waits
LARGEST_FILE = LIMITS.bytes
SUFFIXES: tuple[str, ...]  # how the names of picture files end: those of the family `decoders`


def __getattr__(name: str) -> Any:
    if name == "SUFFIXES":
        return decoding.suffixes()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class Image(Protocol):
    """A picture that is read when asked for."""

    @property
    def name(self) -> str: ...
    def read(self, at_least: Least | None = None) -> np.ndarray: ...  # rows, columns, channels (or depth first)
    def encoded(self) -> bytes: ...  # the bytes of a file that reads as the same pixels
    def fingerprint(self) -> str: ...  # changes when the content does


class Encoded:
    """A picture whose bytes can be had before any pixels are made; `name` and `encoded` are all that differs."""

    __slots__ = ()
    stored: ClassVar[bool] = True

    def read(self: Image, at_least: Least | None = None) -> np.ndarray:
        return read_image(self.encoded(), name=self.name, at_least=at_least)

    def quick(self: Image, at_least: Least | None = None) -> np.ndarray:
        """`read` for whoever asked for speed: a level off on average, where its decoder can save time by that."""
        return read_image(self.encoded(), name=self.name, at_least=at_least, quick=True)

    def fingerprint(self: Image) -> str:
        try:
            return digest(self.encoded())
        except InputError:
            return "unreadable"


@dataclass(frozen=True, slots=True)
class FileImage(Encoded):
    """A picture in a file."""

    path: Path

    @property
    def name(self) -> str:
        return str(self.path)

    def encoded(self) -> bytes:
        return _load(self.path)

    def fingerprint(self) -> str:
        try:
            return digest_file(self.path) if self.path.is_file() else "unreadable"
        except (OSError, ValueError):
            return "unreadable"


@dataclass(frozen=True, slots=True, eq=False)
class BytesImage(Encoded):
    """A picture in memory, still encoded."""

    data: bytes
    name: str = "bytes"

    def encoded(self) -> bytes:
        return self.data


@dataclass(frozen=True, slots=True, eq=False)
class SeenImage(Encoded):
    """A picture in memory, still encoded, whose header was read to know its size."""

    data: bytes
    name: str
    seen: decoding.Looked

    def encoded(self) -> bytes:
        return self.data

    def read(self, at_least: Least | None = None) -> np.ndarray:
        return tidy(decoding.decode_seen(self.data, self.seen, self.name, at_least=at_least))

    def quick(self, at_least: Least | None = None) -> np.ndarray:
        return tidy(decoding.decode_seen(self.data, self.seen, self.name, at_least=at_least, quick=True))


def sized(image: Image) -> tuple[Image, tuple[int, ...]]:
    """A picture with its bytes in hand, and the rows and columns that its header tells."""
    data = image.encoded()
    if decoding.guarded():
        return BytesImage(data, image.name), decoding.header(data, image.name)
    seen = decoding.looked(data, image.name)
    return SeenImage(data, image.name, seen), seen.header.size


@dataclass(frozen=True, slots=True, eq=False)
class StoredImage(Encoded):
    """A picture whose encoded bytes are fetched when asked for: out of an archive, or from a store."""

    name: str
    fetch: Callable[[], bytes]

    def encoded(self) -> bytes:
        return self.fetch()


@dataclass(frozen=True, eq=False)
class ArrayImage:
    """A picture in memory, as pixels."""

    pixels: np.ndarray
    name: str = "array"

    def read(self, at_least: Least | None = None) -> np.ndarray:
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


def read_image(
    source: Path | str | bytes,
    *,
    name: str = "",
    page: int = 0,
    at_least: Least | None = None,
    indices: bool = False,
    quick: bool = False,
    alpha: bool = False,
    limits: Limits = LIMITS,
) -> np.ndarray:
    """Pixels of a picture nobody has vouched for: size cap, magic bytes, allow-listed decoder, whole or refused.

    Orientation is applied; palettes and CMYK become RGB, profiles sRGB; transparency is laid over white; depth stays.
    With `at_least` (rows, columns) the answer may be 1/2, 1/4 or 1/8 of the picture that is still as large as that.
    With `indices` a picture with a palette answers its numbers instead of their colours, as masks want.
    With `alpha` a transparent picture keeps its transparency, as a last channel; its colours are straight.
    With `quick` it may be a level off on average where its decoder saves time by that; nothing asks so by itself.
    """
    data, name = _bytes(source, name)
    made = decoding.decode(
        data, name, page=page, at_least=at_least, indices=indices, quick=quick, alpha=alpha, limits=limits
    )
    return tidy(made)


def pages(source: Path | str | bytes, *, name: str = "", limits: Limits = LIMITS) -> Iterator[np.ndarray]:
    """Every page of a file, or every frame of an animation as it is seen, one at a time."""
    data, name = _bytes(source, name)
    return (tidy(pixels) for pixels in decoding.pages(data, name, limits=limits))


def examine(source: Path | str | bytes, *, name: str = "", page: int = 0, limits: Limits = LIMITS) -> dict[str, Any]:
    """What a file is and what reading does to it: kind, size, channels, depth, profile, pages, and notes in words."""
    data, name = _bytes(source, name)
    return decoding.examine(data, name, page=page, limits=limits)


def _bytes(source: Path | str | bytes, name: str) -> tuple[bytes, str]:
    if isinstance(source, bytes):
        return source, name or "bytes"
    return _load(Path(source)), name or str(source)


def _load(path: Path) -> bytes:
    try:
        handle = os.open(path, _AT_ONCE)
        try:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode):  # a pipe would never end
                what = "folder" if stat.S_ISDIR(status.st_mode) else "device"
                raise InputError("missing", f"{path}: a {what}, not a file.")
            data = b"" if status.st_size > LARGEST_FILE else _all(handle, status.st_size)
            large = max(status.st_size, len(data)) > LARGEST_FILE
        finally:
            os.close(handle)
    except OSError as error:
        raise InputError("missing", f"{path}: {error.strerror or error}.") from error
    except ValueError as error:
        raise InputError("missing", f"{str(path)!r} is not a path: {error}.") from error
    if large:
        raise InputError("too_large", f"{path}: more than {LARGEST_FILE:,} bytes.")
    return data


def _all(handle: int, size: int) -> bytes:
    """What a file holds, in one reading where its size is known."""
    data = os.read(handle, size + 1)
    if len(data) == size > 0:
        return data
    with open(handle, "rb", buffering=0, closefd=False) as file:
        return data + file.readall()  # it grows, is read in parts, or does not know its size


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
