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
from sightline.decoders.jpeg import exif_orientation, exif_turn

SUFFIXES = (".png", ".apng")
_CHANNELS = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}
_HELD = 64 * 2**20  # bytes of rows that may be held while they are counted
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_SEEN = {  # chunks of pixels and of what they mean; all others are notes
    *(b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"acTL", b"fcTL", b"fdAT"),
    *(b"iCCP", b"gAMA", b"cHRM", b"sRGB", b"sBIT"),
}
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
    if page == 0:
        data = _whole(data, header)
    if header.bits == 16 and header.shape[2] > 1:
        if header.animated:
            raise InputError("unsupported", "an animated PNG of 16 bits a channel would be cut to 8.")
        pixels: np.ndarray = need("imagecodecs").png_decode(data)
        return pixels
    return _pillow.read(data, "PNG", header, page)


def _whole(data: bytes, header: Header) -> bytes:
    """The same picture, its rows counted: a decoder that runs out of them leaves the rest black and says nothing.

    Rows that were unpacked to be counted are handed on unpacked, so that nobody unpacks them again.
    """
    view, kept, packed = memoryview(data), [], []
    for name, start, end in _chunks(data):
        if name == b"IDAT":
            packed.append(view[start + 8 : end - 4])
        elif name in (b"IHDR", b"PLTE", b"tRNS"):
            kept.append(view[start:end])
    expected, unpacker, rows, count = _length(data), zlib.decompressobj(), [], 0
    hold = expected <= _HELD and not header.animated
    for part in packed:
        block = unpacker.decompress(part, expected + 1 - count)
        count += len(block)
        rows += [block] if hold else []
        if count > expected:
            break
    if count != expected:
        code = "truncated" if count < expected else "corrupt"
        raise InputError(code, f"a PNG whose pixels unpack to {count:,} bytes, and it needs {expected:,}.")
    if not hold:
        return data
    stored = b"IDAT" + zlib.compress(b"".join(rows), 0)
    pixels = (len(stored) - 4).to_bytes(4, "big") + stored + zlib.crc32(stored).to_bytes(4, "big")
    return b"".join([data[:8], *kept, pixels, b"\0\0\0\0IEND\xaeB`\x82"])


def _length(data: bytes) -> int:
    """Bytes of all rows before they are packed, each with the word for its filter."""
    columns, rows = int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    depth = data[24] * (1 if data[25] == 3 else _CHANNELS[data[25]])
    if data[28] == 0:
        return rows * ((columns * depth + 7) // 8 + 1)
    total = 0
    for left, top, across, down in _PASSES:
        wide, high = -(-max(0, columns - left) // across), -(-max(0, rows - top) // down)
        total += high * ((wide * depth + 7) // 8 + 1) if wide else 0
    return total


def frames(data: bytes, limits: Limits) -> Iterator[tuple[np.ndarray, Header]]:
    """Every frame of an animation in one pass."""
    header = look(data, 0, limits)
    if header.bits == 16:
        raise InputError("unsupported", "an animated PNG of 16 bits a channel would be cut to 8.")
    return _pillow.frames(data, "PNG", limits, pages=header.pages, total=header.total, profile=header.profile)


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and end of every chunk, up to the mark of the end."""
    place = 8
    while place + 12 <= len(data):
        end = place + 12 + int.from_bytes(data[place : place + 4], "big")
        if end > len(data):
            break
        name = data[place + 4 : place + 8]
        yield name, place, end
        if name == b"IEND":
            return
        place = end
    raise InputError("truncated", "the PNG ends before its picture does.")


def _walk(data: bytes, limits: Limits) -> _Chunks:
    """Every chunk as its checksum says; the decoder checks them not for pixels."""
    chunks, view = _Chunks(), memoryview(data)
    for name, start, end in _chunks(data):
        if zlib.crc32(view[start + 4 : end - 4]) != int.from_bytes(data[end - 4 : end], "big"):
            raise InputError("corrupt", "a part of the PNG does not match its checksum.")
        _note(chunks, name, view[start + 8 : end - 4], limits)
    if not chunks.packed:
        raise InputError("corrupt", "a PNG without pixels.")
    return chunks


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


def bare(data: bytes) -> bytes | None:
    """The same picture to the bit, without notes, texts, times and what follows its end."""
    turn, kept = 1, [data[:8]]
    for name, start, end in _chunks(data):
        if name == b"eXIf":
            turn = exif_orientation(data[start + 8 : end - 4])
        if name in _SEEN:
            kept.append(data[start:end])
    if turn != 1:
        block = b"eXIf" + exif_turn(turn)
        kept.insert(2, (len(block) - 4).to_bytes(4, "big") + block + zlib.crc32(block).to_bytes(4, "big"))
    return b"".join(kept)


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


def encode_clear(pixels: np.ndarray) -> bytes:
    """8 or 16 bits of gray or colour, the last channel transparency."""
    if pixels.dtype == np.uint16 and pixels.ndim == 3 and pixels.shape[2] in (2, 4):
        made: bytes = need("imagecodecs").png_encode(np.ascontiguousarray(pixels), level=3)
        return made
    return _pillow.encode(pixels, "PNG", (2, 4), compress_level=3)
