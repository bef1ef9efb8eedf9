"""JPEG: 8 bits by simplejpeg, odd samplings by Pillow, more bits by imagecodecs."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from sightline.core.errors import InputError
from sightline.core.extras import need
from sightline.core.header import Header
from sightline.core.limits import Limits

SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif")
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_ALONE = {0x01, *range(0xD0, 0xD9)}  # markers without a length
_SHALLOW, _DEEP = np.dtype(np.uint8), np.dtype(np.uint16)
_INVERTED = ("inks of an Adobe file, which are stored inverted",)
_SAMPLINGS = (0x11, 0x21, 0x22, 0x12, 0x41, 0x14)  # of brightness over colours, that the fast decoder knows
_EXACT: dict[str, Any] = {}
_HURRIED = {"fastdct": True, "fastupsample": True}
_NEXT = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")  # a marker: neither a stuffed byte nor a restart within a scan
_JFIF = b"\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0"  # says how colours are stored; without its thumbnail
_EXTRA = re.compile(r"(\d+) extraneous bytes before marker 0xd9")


def recognises(data: bytes) -> int:
    """Start of image, and another marker."""
    return 2 * (data[:3] == b"\xff\xd8\xff")


def look(data: bytes, page: int, limits: Limits) -> Header:
    """From the markers before the first scan."""
    frame, profile, orientation, adobe = _markers(data, limits)
    place, marker, bits, rows, columns, channels = frame
    samplings = data[place + 11 : place + 10 + 3 * channels : 3]
    fast = channels == 1 or (samplings[0] in _SAMPLINGS and set(samplings[1:3]) == {0x11})
    fast &= channels != 4 or samplings[3] == samplings[0]
    if channels not in (1, 3, 4):
        raise InputError("unsupported", f"a JPEG of {channels} channels. Give 1, 3 or 4.")
    if rows == 0 or columns == 0:
        raise InputError("corrupt", f"a JPEG of {rows} rows and {columns} columns.")
    if marker & 3 == 2:  # each scan of a progressive picture passes over all of it
        scans = data.count(b"\xff\xda")
        if scans > limits.scans or (scans > 16 and scans * rows * columns > limits.total // 2):
            raise InputError("too_large", f"a JPEG of {scans:,} scans over {rows} x {columns} pixels.")
    colour = {1: "gray", 3: "rgb", 4: "cmyk"}[channels]
    plain = bits == 8 and marker not in (0xC3, 0xC7, 0xCB, 0xCF)
    way = "deep" if not plain else "fast" if fast else "slow"
    return Header(
        "JPEG", (rows, columns, channels), _SHALLOW if bits == 8 else _DEEP, bits, colour,
        total=rows * columns * channels, orientation=orientation, profile=profile, plan=(way, place),
        reducible=way == "fast", notes=_INVERTED if channels == 4 and adobe >= 0 else (),
    )  # fmt: skip


def read(data: bytes, header: Header, page: int, reduce: int) -> np.ndarray:
    """Whole or refused: what the decoder would only warn of is an error here."""
    return _whole(data, header, reduce, _EXACT)


def quick(data: bytes, header: Header, page: int, reduce: int) -> np.ndarray:
    """The same, with coarser arithmetic and colours of half size that are repeated, not interpolated."""
    return _whole(data, header, reduce, _HURRIED)


def _whole(data: bytes, header: Header, reduce: int, how: dict[str, Any]) -> np.ndarray:
    way, frame = header.plan
    if data.find(b"\xff\xd9", len(data) - 64) < 0 and data.rfind(b"\xff\xd9", frame) < 0:
        raise InputError("truncated", "the JPEG ends before its picture does.")
    if way == "fast":
        return _decoded(data, header, reduce, how)
    return _deep(data) if way == "deep" else _by_pillow(data, header)


def _decoded(data: bytes, header: Header, reduce: int, how: dict[str, Any]) -> np.ndarray:
    import simplejpeg

    space = {"gray": "GRAY", "cmyk": "CMYK"}.get(header.colour, "RGB")
    wanted = how
    if reduce > 1:
        rows, columns, _ = header.shape
        wanted = {**how, "min_height": -(-rows // reduce), "min_width": -(-columns // reduce), "min_factor": reduce}
    try:
        pixels: np.ndarray = simplejpeg.decode_jpeg(data, space, **wanted)
    except ValueError as error:
        if "bad ICC marker" in str(error) and b"ICC_PROFILE\0" in data:  # pieces of a profile that do not fit together
            return _decoded(data.replace(b"ICC_PROFILE\0", b"no profile.\0"), header, reduce, how)
        if not _harmless(data, str(error)):
            raise
        pixels = simplejpeg.decode_jpeg(data, space, strict=False, **wanted)
    if header.notes:  # inverted inks
        pixels = 255 - pixels
    return pixels


def _harmless(data: bytes, said: str) -> bool:
    """Padding between the last block and the end mark, which some cameras write."""
    found = _EXTRA.search(said)
    end = data.rfind(b"\xff\xd9")
    if not found or end < 0:
        return False
    padding = data[end - int(found[1]) : end]
    return len(set(padding)) == 1


def _by_pillow(data: bytes, header: Header) -> np.ndarray:
    from sightline.decoders import _pillow

    with _pillow.opened(data, "JPEG") as picture:
        return _pillow.pixels_of(picture, header)


def _deep(data: bytes) -> np.ndarray:
    pixels: np.ndarray = need("imagecodecs").jpeg_decode(data)
    return pixels if pixels.dtype == np.uint8 or pixels.dtype == np.uint16 else pixels.astype(np.uint16)


def _markers(data: bytes, limits: Limits) -> tuple[tuple[int, int, int, int, int, int], bytes, int, int]:
    """(place, marker, bits, rows, columns, channels) of the frame; the profile; the orientation; Adobe's transform."""
    place, orientation, adobe, size = 2, 1, -1, len(data)
    frame, profile = None, {}
    while place + 4 <= size:
        if data[place] != 0xFF:
            place = data.find(b"\xff", place)
            if place < 0:
                break
            continue
        marker = data[place + 1]
        if marker == 0xFF:
            place += 1
            continue
        if marker in _ALONE or marker == 0:
            place += 2
            continue
        if marker in (0xDA, 0xD9):
            break
        if marker < 0xC0:
            raise InputError("corrupt", f"a marker {marker:#04x} that no JPEG has.")
        length = data[place + 2] << 8 | data[place + 3]
        start, end = place + 4, place + 2 + length
        if length < 2 or end > size:
            break
        if marker in _FRAMES and frame is None and length >= 8:
            frame = (place, marker, data[start], data[start + 1] << 8 | data[start + 2],
                     data[start + 3] << 8 | data[start + 4], data[start + 5])  # fmt: skip
        elif marker == 0xE1 and orientation == 1 and data[start : start + 6] == b"Exif\0\0":
            orientation = exif_orientation(data[start + 6 : end])
        elif marker == 0xE2 and data[start : start + 12] == b"ICC_PROFILE\0":
            profile[data[start + 12]] = data[start + 14 : end]
        elif marker == 0xEE and data[start : start + 5] == b"Adobe" and length >= 14:
            adobe = data[start + 11]
        place = end
    if frame is None:
        raise InputError("truncated" if place + 4 > size or data[-2:] != b"\xff\xd9" else "corrupt", "no JPEG frame.")
    joined = b"".join(profile[number] for number in sorted(profile)) if profile else b""
    if len(joined) > limits.profile:
        raise InputError("too_large", f"a colour profile of {len(joined):,} bytes; the limit is {limits.profile:,}.")
    return frame, joined, orientation, adobe


def exif_orientation(block: bytes) -> int:
    """Tag 274 of the first directory of an EXIF block; 1 where it is not there or makes no sense."""
    order = {b"II": "little", b"MM": "big"}.get(block[:2])
    if order is None:
        return 1
    place = int.from_bytes(block[4:8], order)  # type: ignore[arg-type]
    count = int.from_bytes(block[place : place + 2], order)  # type: ignore[arg-type]
    for entry in range(place + 2, min(place + 2 + 12 * count, len(block) - 11), 12):
        if int.from_bytes(block[entry : entry + 2], order) == 0x0112:  # type: ignore[arg-type]
            turn = int.from_bytes(block[entry + 8 : entry + 10], order)  # type: ignore[arg-type]
            return turn if 1 <= turn <= 8 else 1
    return 1


def exif_turn(turn: int) -> bytes:
    """An EXIF block that says which side is up, and nothing else."""
    entry = b"\x12\1\3\0\1\0\0\0" + turn.to_bytes(4, "little")
    return b"II*\0\x08\0\0\0\1\0" + entry + b"\0\0\0\0"


def bare(data: bytes) -> bytes | None:
    """The same picture to the bit, without notes, comments, thumbnails and what follows its end; None where unsure."""
    place, turn, jfif, scanned = 2, 1, b"", False
    kept: list[bytes] = []
    while (found := _NEXT.search(data, place)) is not None:
        place, marker = found.end(), data[found.end() - 1]
        if marker == 0xD9:
            note = b"" if turn == 1 else b"Exif\0\0" + exif_turn(turn)
            note = note and b"\xff\xe1" + (len(note) + 2).to_bytes(2, "big") + note
            return b"".join([b"\xff\xd8", jfif, note, *kept, b"\xff\xd9"]) if scanned else None
        if marker in _ALONE:
            continue
        end = place + int.from_bytes(data[place : place + 2], "big")
        body = data[place + 2 : end]
        if end > len(data) or end < place + 2:
            return None
        if marker == 0xE0 and body[:5] == b"JFIF\0":
            jfif = _JFIF
        elif marker == 0xE1 and turn == 1 and not scanned and body[:6] == b"Exif\0\0":
            turn = exif_orientation(body[6:])
        colours = (marker == 0xE2 and body[:12] == b"ICC_PROFILE\0") or (marker == 0xEE and body[:5] == b"Adobe")
        if marker < 0xE0 or (colours and not scanned):
            kept.append(bytes((0xFF, marker)) + data[place:end])
        place = end
        if marker == 0xDA:
            after = _NEXT.search(data, place)
            if after is None:
                return None
            kept.append(data[place : after.start()])
            place, scanned = after.start(), True
    return None


def encode(pixels: np.ndarray, quality: int) -> bytes:
    """Gray or colour of 8 bits; without halved colours from quality 90 on."""
    import simplejpeg

    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] not in (1, 3):
        raise InputError("unsupported", "JPEG holds uint8 of 1 or 3 channels.")
    space = "GRAY" if pixels.shape[2] == 1 else "RGB"
    halved = "Gray" if space == "GRAY" else "444" if quality >= 90 else "420"
    made: bytes = simplejpeg.encode_jpeg(np.ascontiguousarray(pixels), quality, space, halved, False)
    return made
