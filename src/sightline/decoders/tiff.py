"""TIFF and BigTIFF: any depth and number of channels; by Pillow where it keeps every bit, else by tifffile."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from sightline.core.errors import InputError
from sightline.core.extras import need
from sightline.core.header import TURNED, Header
from sightline.core.limits import Limits, check
from sightline.decoders import _pillow
from sightline.decoders._directories import Directory, check_whole, directories

SUFFIXES = (".tif", ".tiff")
_COLOURS = {0: "gray", 1: "gray", 2: "rgb", 3: "palette", 5: "cmyk", 6: "rgb", 8: "lab"}
_NONE, _JPEG = (1, 32773), (6, 7)


@dataclass(frozen=True, slots=True)
class _Plan:
    """How a page is decoded."""

    pillow: bool  # it decodes this page without loss
    inverted: bool  # white is zero
    unsigned: bool  # 32-bit whole numbers, kept where they fit in 16
    steps: int  # spread few bits over eight


def recognises(data: bytes) -> int:
    """Byte order and 42, or 43 of the big ones."""
    return 2 * (data[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"))


def look(data: bytes, page: int, limits: Limits) -> Header:
    """From the directories; one more than the limit is enough to know that there are too many."""
    found = list(islice(directories(data), limits.frames + 1))
    if not found:
        raise InputError("truncated", "a TIFF without pages.")
    if len(found) <= limits.frames:
        check_whole(found, len(data))
    total = sum(math.prod(_shape(one)) for one in found)
    chosen = found[page if 0 <= page < len(found) else 0]
    return _header(chosen, len(found), total, limits)


def read(data: bytes, header: Header, page: int, reduce: int) -> np.ndarray:
    """Channels and depth as they are stored."""
    if header.plan.pillow:
        return _by_pillow(data, header, page)
    library = need("tifffile")
    with _pillow.QUIET, library.TiffFile(io.BytesIO(data)) as file:
        return _by_tifffile(file.pages[page], header)


def frames(data: bytes, limits: Limits) -> Iterator[tuple[np.ndarray, Header]]:
    """Every page, with its own size and depth."""
    found = list(islice(directories(data), limits.frames + 1))
    total = sum(math.prod(_shape(one)) for one in found)
    for page, one in enumerate(found):
        header = _header(one, len(found), total, limits)
        check(header, len(data), f"page {page}", limits)
        yield read(data, header, page, 1), header


def _shape(page: Directory) -> tuple[int, int, int]:
    return page.one(257, 0), page.one(256, 0), page.one(277, 1)


def _header(page: Directory, pages: int, total: int, limits: Limits) -> Header:
    rows, columns, samples = _shape(page)
    bits = page.all(258, 4096)[:samples] or (1,)
    format = page.one(339, 1)
    if rows < 1 or columns < 1 or not 1 <= samples <= 4096:
        raise InputError("corrupt", f"a TIFF page of {rows} x {columns} x {samples}.")
    if len(set(bits)) > 1:
        raise InputError("unsupported", f"TIFF with channels of {bits} bits. Give the same number of bits in each.")
    dtype = _dtype(bits[0], format)
    colour = _COLOURS.get(page.one(262, 1), "channels")
    alpha = _alpha(page, samples, colour)
    plain = {"gray": 1, "palette": 1, "rgb": 3, "cmyk": 4, "lab": 3}.get(colour, samples) + bool(alpha)
    if samples != plain:
        colour, alpha = "channels", ""
    header = Header(
        "TIFF", (rows, columns, samples), dtype, bits[0], colour, alpha, colour == "palette", pages, total, False,
        _turn(page), page.raw(34675, limits.profile),
    )  # fmt: skip
    if math.prod(header.shape) <= limits.values:
        _check_strips(page, header, samples * bits[0])
    return _planned(page, header, format)


def _dtype(bits: int, format: int) -> np.dtype[Any]:
    """The depth of the house that holds all bits, or a refusal."""
    if format == 3 and bits in (16, 24, 32):
        return np.dtype(np.float32)
    if format in (1, 4) and (bits <= 16 or bits == 32):
        return np.dtype(np.uint8 if bits <= 8 else np.uint16)
    if format == 2 and bits == 32:
        return np.dtype(np.uint16)
    what = {2: "signed numbers", 3: "floats", 5: "complex numbers", 6: "complex numbers"}.get(format, "numbers")
    raise InputError(
        "unsupported", f"TIFF with {what} of {bits} bits would be changed. Give uint8, uint16, float32, or .npy."
    )


def _turn(page: Directory) -> int:
    turn = page.one(274, 1)
    return turn if 1 <= turn <= 8 else 1


def _alpha(page: Directory, samples: int, colour: str) -> str:
    extra = page.all(338, 4096)
    if not extra and samples == {"gray": 2, "rgb": 4}.get(colour) and page.one(262, 1) == 2:
        return ""
    return {1: "associated", 2: "straight"}.get(extra[-1], "") if extra else ""


def _check_strips(page: Directory, header: Header, depth: int) -> None:
    """As many strips as lengths, none of them empty, and what is not compressed is as long as the picture."""
    tiled = 324 in page.entries
    starts, counts = page.all(324 if tiled else 273), page.all(325 if tiled else 279)
    rows, columns = header.shape[:2]
    if page.one(259, 1) in _NONE[:1] and len(starts) == 1 and not counts:
        counts = (rows * ((columns * depth + 7) // 8),)
    if not starts or len(starts) != len(counts):
        raise InputError("corrupt", f"a TIFF page of {len(starts)} strips and {len(counts)} lengths.")
    if min(counts) == 0:
        raise InputError("unsupported", "a TIFF with strips that hold nothing. Write it whole.")
    if page.one(259, 1) == 1 and page.one(262, 1) != 6 and sum(counts) < rows * (columns * depth // 8):
        raise InputError("truncated", "the strips of the TIFF are shorter than its picture.")
    across = page.one(322, 0) * page.one(323, 0) if tiled else columns * min(page.one(278, rows), rows)
    planes = header.shape[2] if page.one(284, 1) == 2 else 1
    if across <= 0 or len(starts) * across * (header.shape[2] // planes) > 4 * header.values + 2**26:
        raise InputError("corrupt", f"a TIFF page of {len(starts):,} strips of {across:,} pixels for its {rows} rows.")


def _planned(page: Directory, header: Header, format: int) -> Header:
    """Pillow decodes what it keeps whole: up to 8 bits in the usual colours, and one channel of 16 bits or floats."""
    import dataclasses

    white_is_zero = page.one(262, 1) == 0
    usual = header.colour in ("gray", "rgb", "palette", "cmyk")
    lone = header.shape[2] == 1 and not white_is_zero and page.one(259, 1) in (1, 5, 8, 32773, 32946)
    shallow = header.bits in (1, 2, 4, 8) and usual and not (header.alpha and header.colour == "cmyk")
    together = page.one(284, 1) == 1 or header.shape[2] == 1
    lone = lone and header.colour == "gray" and (header.bits, format) in ((16, 1), (32, 3))
    pillow = together and (shallow or lone)
    shape, colour, total = header.shape, header.colour, header.total
    if colour == "palette":
        shape, colour, total = (*shape[:2], 3), "rgb", 3 * total
        pillow = pillow or header.bits <= 8
    steps = 255 // (2**header.bits - 1) if not pillow and header.bits in (1, 2, 4) and colour == "gray" else 1
    alpha = "straight" if pillow and header.alpha else header.alpha  # Pillow undoes what was multiplied
    plan = _Plan(pillow, white_is_zero, header.bits == 32 and header.dtype.kind == "u", steps)
    return dataclasses.replace(header, shape=shape, colour=colour, total=total, alpha=alpha, plan=plan)


def _by_pillow(data: bytes, header: Header, page: int) -> np.ndarray:
    with _pillow.opened(data, "TIFF") as picture:
        picture.seek(page)
        if picture.mode == "F":
            picture.load()
            pixels = np.asarray(picture)
        else:
            pixels = _pillow.pixels_of(picture, header)
    pixels = pixels.reshape(*pixels.shape[:2], -1)
    return _lying(pixels, header.orientation)


def _lying(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Pillow turns TIFF pages upright by itself; the gate does it for every kind, so it is undone here."""
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return pixels.swapaxes(0, 1) if orientation in TURNED else pixels


def _by_tifffile(page: Any, header: Header) -> np.ndarray:
    """One page; the many layouts that the library knows are not asked for."""
    rows, columns, samples = header.shape
    if getattr(page, "imagedepth", 1) != 1:
        raise InputError("unsupported", "a TIFF page that is a volume. Give one page a slice, or .npy.")
    pixels: np.ndarray = page.asarray(maxworkers=1)
    if page.planarconfig == 2 and samples > 1:
        pixels = np.moveaxis(pixels.reshape(samples, rows, columns), 0, -1)
    pixels = pixels.reshape(rows, columns, samples)
    if header.plan.unsigned:
        if pixels.min(initial=0) < 0 or pixels.max(initial=0) > 65535:
            raise InputError("unsupported", "32-bit integer pixels beyond 16 bits. Give uint16, float32, or .npy.")
        pixels = pixels.astype(np.uint16)
    elif pixels.dtype == bool:
        pixels = pixels.astype(np.uint8)
    elif header.dtype.kind == "f":
        pixels = pixels.astype(np.float32)
    if header.plan.steps > 1:
        pixels = pixels * np.uint8(header.plan.steps)
    if header.plan.inverted and pixels.dtype.kind == "u":
        pixels = np.iinfo(pixels.dtype).max - pixels
    return np.ascontiguousarray(pixels.astype(pixels.dtype.newbyteorder("="), copy=False))


def encode(pixels: np.ndarray, quality: int) -> bytes:
    """Any depth of the house and any number of channels, packed without loss."""
    if pixels.ndim != 3:
        raise InputError("unsupported", "a TIFF page holds rows, columns and channels.")
    channels = pixels.shape[2]
    if pixels.dtype == np.uint8 and channels in (1, 3):
        return _pillow.encode(pixels, "TIFF", (1, 3), compression="tiff_adobe_deflate")
    stream = io.BytesIO()
    need("tifffile").imwrite(
        stream, pixels[..., 0] if channels == 1 else pixels, photometric="rgb" if channels == 3 else "minisblack",
        planarconfig="contig" if channels > 1 else None, extrasamples=(0,) * (channels - 1) if channels != 3 else None,
        metadata=None, software=False,
    )  # fmt: skip
    return stream.getvalue()
