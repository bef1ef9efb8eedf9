"""Bytes nobody has vouched for to pixels: one gate before the allow-listed decoders, whole, or refused.

Size cap, first bytes, announced size and pages, a decoder with limits, the shape it answered with: in this order. With
`SIGHTLINE_GUARDED=1` in the environment all of it happens in a disposable process (see `guarding`).
"""

from __future__ import annotations

import contextlib
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from sightline.core import catalog, colour
from sightline.core.errors import InputError, MissingExtraError, SightlineError
from sightline.core.header import TURNED, Header
from sightline.core.limits import LIMITS, Limits, check

LARGEST_PICTURE = LIMITS.values  # pixels times channels
Least = tuple[int, int]  # rows and columns that an answer must have at least


def decode(
    data: bytes,
    name: str = "bytes",
    *,
    page: int = 0,
    at_least: Least | None = None,
    indices: bool = False,
    quick: bool = False,
    alpha: bool = False,
    limits: Limits = LIMITS,
) -> np.ndarray:
    """The pixels; orientation is applied, palettes and CMYK become RGB, transparency is laid over white.

    With `at_least` the answer may be 1/2, 1/4 or 1/8 of the picture, as long as it has that many rows and columns.
    With `indices` a picture with a palette answers its numbers instead of their colours, as masks want.
    With `alpha` a transparent picture keeps its transparency as a last channel, its colours straight.
    With `quick` a decoder that can save time by rounding more coarsely does so: a level off on average.
    """
    if guarded():
        from sightline.core.guarding import standing

        return standing().read(
            data, name, page=page, at_least=at_least, indices=indices, quick=quick, alpha=alpha, limits=limits
        )
    return decode_here(
        data, name, page=page, at_least=at_least, indices=indices, quick=quick, alpha=alpha, limits=limits
    )


def decode_here(
    data: bytes,
    name: str = "bytes",
    *,
    page: int = 0,
    at_least: Least | None = None,
    indices: bool = False,
    quick: bool = False,
    alpha: bool = False,
    limits: Limits = LIMITS,
) -> np.ndarray:
    """`decode` in this process, whatever the environment says."""
    seen = looked(data, name, page=page, limits=limits)
    return decode_seen(data, seen, name, at_least=at_least, indices=indices, quick=quick, alpha=alpha)


@dataclass(frozen=True, slots=True)
class Looked:
    """A page whose header is read and accepted by the limits, and who decodes it."""

    kind: str
    decoder: Any
    header: Header
    page: int = 0


def looked(data: bytes, name: str = "bytes", *, page: int = 0, limits: Limits = LIMITS) -> Looked:
    """The page that `decode_seen` decodes, looked at once for both its size and its pixels."""
    kind, decoder = recognise(data, name, limits)
    with _typed(name, kind):
        return Looked(kind, decoder, _looked(decoder, data, name, page, limits), page)


def decode_seen(
    data: bytes,
    seen: Looked,
    name: str = "bytes",
    *,
    at_least: Least | None = None,
    indices: bool = False,
    quick: bool = False,
    alpha: bool = False,
) -> np.ndarray:
    """`decode_here` of bytes that were looked at."""
    header, decoder = seen.header, seen.decoder
    with _typed(name, seen.kind):
        if indices and header.palette:
            rows, columns, _ = header.shape
            header = replace(header, shape=(rows, columns, 1), colour="indices", alpha="", profile=b"")
        reduce = _reduction(header, at_least)
        read = getattr(decoder, "quick", decoder.read) if quick else decoder.read
        return _finish(read(data, header, seen.page, reduce), header, reduce, name, alpha=alpha)


def pages(data: bytes, name: str = "bytes", *, limits: Limits = LIMITS) -> Iterator[np.ndarray]:
    """Every page or frame, one at a time; each as it is seen, so a frame of an animation is a whole picture."""
    apart = guarded()
    kind, decoder = recognise(data, name, limits)
    count = int(examine(data, name, limits=limits)["pages"])
    if count == 1 or apart or not hasattr(decoder, "frames"):
        for page in range(count):
            yield decode(data, name, page=page, limits=limits)
        return
    frames = decoder.frames(data, limits)
    while True:
        with _typed(name, kind):
            found = next(frames, None)
            if found is None:
                return
            pixels = _finish(found[0], found[1], 1, name)
        yield pixels


def header(data: bytes, name: str = "bytes", *, limits: Limits = LIMITS) -> tuple[int, ...]:
    """Rows and columns (or the shape of an array) as `decode` will give them, without decoding."""
    if guarded():
        return tuple(examine(data, name, limits=limits)["size"])
    return look(data, name, limits=limits).size


def look(data: bytes, name: str = "bytes", *, page: int = 0, limits: Limits = LIMITS) -> Header:
    """What a page says of itself, accepted by the limits, without decoding it."""
    return looked(data, name, page=page, limits=limits).header


def examine(data: bytes, name: str = "bytes", *, page: int = 0, limits: Limits = LIMITS) -> dict[str, Any]:
    """A page without its pixels: kind, size, channels, depth, pages, and in `notes` what reading does to it."""
    if guarded():
        from sightline.core.guarding import standing

        return standing().examine(data, name, page=page, limits=limits)
    return examine_here(data, name, page=page, limits=limits)


def examine_here(data: bytes, name: str = "bytes", *, page: int = 0, limits: Limits = LIMITS) -> dict[str, Any]:
    """`examine` in this process, whatever the environment says."""
    seen = look(data, name, page=page, limits=limits)
    said = colour.notes(seen)
    if seen.pages > 1:
        said.append(f"{'an animation' if seen.animated else 'a file'} of {seen.pages} pages; the first one is read")
    return {
        "kind": seen.kind, "bytes": len(data), "size": list(seen.size), "channels": seen.channels,
        "depth": str(seen.dtype), "bits": seen.bits, "colour": seen.colour, "alpha": seen.alpha,
        "palette": seen.palette, "pages": seen.pages, "animated": seen.animated, "orientation": seen.orientation,
        "profile": len(seen.profile), "notes": said,
    }  # fmt: skip


def guarded() -> bool:
    """Whether pictures are decoded in a disposable process."""
    return os.environ.get("SIGHTLINE_GUARDED", "0") not in ("", "0")


@cache
def decoders() -> dict[str, Any]:
    """Every kind of picture that is read, by name; a plug-in's as well as ours."""
    return {name: catalog.find("decoders", name) for name in catalog.names("decoders")}


@cache
def suffixes() -> tuple[str, ...]:
    """How the names of picture files end; names are only looked at to list files, never to choose a decoder."""
    return tuple(sorted({suffix for decoder in decoders().values() for suffix in decoder.SUFFIXES}))


def recognise(data: bytes, name: str, limits: Limits = LIMITS) -> tuple[str, Any]:
    """The kind of picture that the first bytes belong to, and its decoder; the surest one where two claim them."""
    if not data:
        raise InputError("empty", f"{name}: the file holds no bytes.")
    if len(data) > limits.bytes:
        raise InputError("too_large", f"{name}: {len(data):,} bytes; the limit is {limits.bytes:,}.")
    sure, kind = 0, ""
    for candidate, decoder in decoders().items():
        if (claim := decoder.recognises(data)) > sure:
            sure, kind = claim, candidate
    if not kind:
        raise InputError("unknown_format", f"{name}: no picture format that is accepted begins like this.")
    return kind, decoders()[kind]


def _looked(decoder: Any, data: bytes, name: str, page: int, limits: Limits) -> Header:
    seen: Header = decoder.look(data, page, limits)
    check(seen, len(data), name, limits)
    if not 0 <= page < seen.pages:
        raise InputError("missing", f"{name}: there is no page {page}; it has {seen.pages}, counted from 0.")
    return seen


def _reduction(header: Header, at_least: Least | None) -> int:
    """1, 2, 4 or 8: the most that the picture can be reduced and still has `at_least` rows and columns."""
    if at_least is None or not header.reducible:
        return 1
    rows, columns = reversed(at_least) if header.orientation in TURNED else at_least
    fits = (r for r in (8, 4, 2) if -(-header.shape[0] // r) >= rows and -(-header.shape[1] // r) >= columns)
    return next(fits, 1)


def _finish(pixels: np.ndarray, header: Header, reduce: int, name: str, *, alpha: bool = False) -> np.ndarray:
    """The decoder's answer is held to what the header announced, then settled."""
    if header.colour == "array":
        return pixels
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    wanted = (-(-header.shape[0] // reduce), -(-header.shape[1] // reduce), header.shape[2])
    if pixels.shape != wanted or pixels.dtype != header.dtype:
        raise InputError(
            "corrupt", f"{name}: {pixels.dtype} pixels of {pixels.shape} came out of a {header.kind} that announces "
            f"{header.dtype} of {wanted}."
        )  # fmt: skip
    return np.ascontiguousarray(colour.settle(pixels, header, alpha=alpha))


@contextlib.contextmanager
def _typed(name: str, kind: str) -> Iterator[None]:
    """Decoders' own errors, a dozen unrelated types, become ours; so does a library that is not there."""
    try:
        yield
    except MissingExtraError as error:
        raise InputError("unsupported", f"{name}: {kind} needs a library. {error.message}") from error
    except InputError as error:
        if error.message.startswith(name):
            raise
        raise InputError(error.code, f"{name}: {error.message}") from error
    except SightlineError:
        raise
    except MemoryError as error:
        raise InputError("too_large", f"{name}: {kind} wants more memory than there is.") from error
    except Exception as error:  # decoders of strangers' bytes raise a dozen unrelated types
        said = str(error).lower()
        short = isinstance(error, struct.error | EOFError | IndexError) or "truncated" in said or "premature" in said
        line = f"{name}: {kind} cannot be decoded ({type(error).__name__}: {error})."
        raise InputError("truncated" if short else "corrupt", line[:300]) from error
