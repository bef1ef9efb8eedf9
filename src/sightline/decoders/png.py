"""PNG and APNG: every chunk held to its checksum; 16-bit colour by imagecodecs, since Pillow would cut it to 8."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from sightline.core.errors import InputError
from sightline.core.extras import need
from sightline.core.header import Header
from sightline.core.limits import Limits
from sightline.decoders import _pillow
from sightline.decoders.jpeg import exif_orientation

SUFFIXES = (".png", ".apng")
_CHANNELS = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}
_BITS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}


@dataclass(slots=True)
class _Chunks:
    """What the chunks before and around the pixels say."""

    frames: int = 1
    packed: int = 0  # bytes of compressed pixels
    clear: bool = False  # a tRNS chunk
    palette: bool = False
    orientation: int = 1
    profile: bytes = b""
    unpacked: int = 0  # bytes of texts, camera notes and profile
    control: bool = False  # the animation begins with the still picture
    seen: set[bytes] = field(default_factory=set)


def recognises(data: bytes) -> int:
    """The eight bytes of the standard."""
    return 2 * (data[:8] == b"\x89PNG\r\n\x1a\n")


def look(data: bytes, page: int, limits: Limits) -> Header:
    """From the first chunk, with all chunks walked and checked."""
    chunks = _walk(data, limits)
    columns, rows = int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    bits, colour = data[24], data[25]
    if data[12:16] != b"IHDR" or rows == 0 or columns == 0 or bits not in _BITS.get(colour, ()):
        raise InputError("corrupt", f"a PNG of {columns} x {rows} with {bits} bits of colour type {colour}.")
    if colour == 3 and not chunks.palette:
        raise InputError("corrupt", "a PNG that counts on a palette and has none.")
    alpha = colour in (4, 6) or chunks.clear
    channels = _CHANNELS[colour] + (alpha and colour not in (4, 6))
    stored = rows * (columns * bits * (1 if colour == 3 else _CHANNELS[colour]) // 8 + 2)
    if chunks.frames == 1 and chunks.packed > 2 * stored + 2**16:
        raise InputError("corrupt", f"a PNG that packs {chunks.packed:,} bytes for a picture of {stored:,}.")
    return Header(
        "PNG", (rows, columns, channels), np.dtype(np.uint16 if bits == 16 else np.uint8), bits,
        "gray" if colour in (0, 4) else "rgb", "straight" if alpha else "", colour == 3, chunks.frames,
        chunks.frames * rows * columns * channels, chunks.frames > 1, chunks.orientation, chunks.profile,
    )  # fmt: skip


def read(data: bytes, header: Header, page: int, reduce: int) -> np.ndarray:
    """All bits: 16 of them by imagecodecs, which the `io` extra brings, but for gray without transparency."""
    if header.bits == 16 and header.shape[2] > 1:
        if header.animated:
            raise InputError("unsupported", "an animated PNG of 16 bits a channel would be cut to 8.")
        pixels: np.ndarray = need("imagecodecs").png_decode(data)
        return pixels
    return _pillow.read(data, "PNG", header, page)


def frames(data: bytes, limits: Limits) -> Iterator[tuple[np.ndarray, Header]]:
    """Every frame of an animation in one pass."""
    header = look(data, 0, limits)
    if header.bits == 16:
        raise InputError("unsupported", "an animated PNG of 16 bits a channel would be cut to 8.")
    return _pillow.frames(data, "PNG", limits, pages=header.pages, total=header.total, profile=header.profile)


def _walk(data: bytes, limits: Limits) -> _Chunks:
    """Every chunk as its checksum says, up to the mark of the end; the decoder checks neither for pixels."""
    chunks, view, place = _Chunks(), memoryview(data), 8
    while place + 12 <= len(data):
        end = place + 12 + int.from_bytes(data[place : place + 4], "big")
        if end > len(data):
            break
        name = data[place + 4 : place + 8]
        if zlib.crc32(view[place + 4 : end - 4]) != int.from_bytes(data[end - 4 : end], "big"):
            raise InputError("corrupt", "a part of the PNG does not match its checksum.")
        if name == b"IEND":
            if not chunks.packed:
                raise InputError("corrupt", "a PNG without pixels.")
            return chunks
        _note(chunks, name, view[place + 8 : end - 4], limits)
        place = end
    raise InputError("truncated", "the PNG ends before its picture does.")


def _note(chunks: _Chunks, name: bytes, body: memoryview, limits: Limits) -> None:
    if name in (b"IDAT", b"fdAT"):
        chunks.packed += len(body)
    elif name == b"fcTL":
        chunks.control |= not chunks.packed
    elif name == b"PLTE":
        chunks.palette = True
    elif name == b"tRNS":
        chunks.clear = True
    elif name == b"acTL" and not chunks.packed:
        chunks.frames = max(1, int.from_bytes(body[:4], "big"))
    elif name in (b"iCCP", b"zTXt", b"iTXt", b"tEXt", b"eXIf"):
        _note_text(chunks, name, bytes(body), limits)
    if name == b"IDAT" and chunks.frames > 1 and not chunks.control and b"still" not in chunks.seen:
        chunks.seen.add(b"still")
        chunks.frames += 1  # the still picture is no frame of the animation, and is read as the first


def _note_text(chunks: _Chunks, name: bytes, body: bytes, limits: Limits) -> None:
    """Texts are unpacked only to see that they are small; nothing of them is kept."""
    plain = len(body)
    _, _, rest = body.partition(b"\0")
    if name in (b"iCCP", b"zTXt"):
        text = _unpacked(rest[1:], limits.profile)
        plain = len(text)
        if name == b"iCCP":
            chunks.profile = text
    elif name == b"iTXt" and rest[:1] == b"\1":
        plain = len(_unpacked(rest[2:].split(b"\0", 2)[-1], limits.profile))
    elif name == b"eXIf":
        chunks.orientation = exif_orientation(body)
    chunks.unpacked += plain
    if chunks.unpacked > limits.profile:
        raise InputError("too_large", f"texts and profiles of more than {limits.profile:,} bytes, unpacked.")


def _unpacked(packed: bytes, most: int) -> bytes:
    try:
        return zlib.decompressobj().decompress(packed, most + 1)
    except zlib.error:
        return b""


def encode(pixels: np.ndarray, quality: int) -> bytes:
    """8 bits of gray or colour by Pillow, 16 bits of gray by Pillow and of colour by imagecodecs."""
    if pixels.dtype == np.uint16 and pixels.ndim == 3 and pixels.shape[2] == 1:
        import io

        from PIL import Image as Pillow

        stream = io.BytesIO()
        Pillow.fromarray(np.ascontiguousarray(pixels[..., 0])).save(stream, "PNG", compress_level=3)
        return stream.getvalue()
    if pixels.dtype == np.uint16 and pixels.ndim == 3 and pixels.shape[2] == 3:
        made: bytes = need("imagecodecs").png_encode(np.ascontiguousarray(pixels), level=3)
        return made
    return _pillow.encode(pixels, "PNG", (1, 3), compress_level=3)
