"""Which container a film is, told by its bytes alone, and whether it is there to its end."""

from __future__ import annotations

from sightline.core.errors import InputError
from sightline.sources._bytes import Bytes

SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".ts", ".m2ts", ".mts", ".mjpeg", ".mjpg")
KNOWN = "mp4, mov, mkv, webm, avi, mpegts, mjpeg and gif"
_BOXES = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot")
_SEGMENT = b"\x18\x53\x80\x67"
_MOST = 100_000  # boxes at the top of an mp4


def kind(source: Bytes) -> str:
    """The one demuxer that may look at these bytes; a playlist or a script is none, whatever it is called."""
    head = source.at(0, 1024)
    if head[4:8] in _BOXES:
        return "mov"
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return "matroska"
    if head.startswith(b"RIFF") and head[8:12] == b"AVI ":
        return "avi"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    if head.startswith(b"\xff\xd8\xff"):
        return "mjpeg"
    for first, step in ((0, 188), (4, 192)):
        if all(head[place : place + 1] == b"\x47" for place in range(first, first + 3 * step, step)):
            return "mpegts"
    raise InputError("unknown_format", f"{source.name}: its bytes are no film that is accepted ({KNOWN}).")


def check_whole(source: Bytes, kind: str) -> None:
    """Refuse a film that says it is longer than it is; some kinds do not say."""
    missing = 0
    if kind == "mov":
        missing = _boxes(source)
    elif kind == "avi":
        missing = 8 + int.from_bytes(source.at(4, 4), "little") - source.size
    elif kind == "matroska":
        missing = _segment(source)
    elif kind == "gif":
        missing = 0 if b";" in source.at(max(0, source.size - 64), 64) else 1
    elif kind == "mjpeg":
        missing = 0 if source.at(max(0, source.size - 512), 512).rstrip(b"\0").endswith(b"\xff\xd9") else 1
    elif kind == "mpegts":
        missing = -source.size % (188 if source.at(188, 1) == b"\x47" else 192)
    if missing > 0:
        raise InputError(
            "truncated",
            f"{source.name}: ends {missing:,} bytes before the film does. Copy it again, or give partial=true for "
            "the part that is there.",
        )


def _boxes(source: Bytes) -> int:
    """How many bytes lack at the end of the last box of an mp4."""
    place, seen = 0, False
    for _ in range(_MOST):
        if place >= source.size:
            break
        head = source.at(place, 16)
        length = int.from_bytes(head[:4], "big")
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        seen = seen or head[4:8] == b"moov"
        if length == 0:  # to the end, wherever that is
            return 0
        if length < 8 or not head[4:8].isascii():
            return 0 if seen else 1  # bytes of no box: padding after the film is let be
        place += length
    return place - source.size if place > source.size or seen else 1


def _segment(source: Bytes) -> int:
    """How many bytes lack at the end of a matroska segment that says how long it is."""
    head = source.at(0, 4096)
    place = head.find(_SEGMENT)
    if place < 0:
        return 0
    first = head[place + 4 : place + 5]
    width = 9 - first[0].bit_length() if first and first[0] else 0
    field = head[place + 4 : place + 4 + width]
    if not width or len(field) < width:
        return 0
    length = int.from_bytes(field, "big") & ~(1 << (7 * width))
    unknown = length == (1 << (7 * width)) - 1
    return 0 if unknown else place + 4 + width + length - source.size
