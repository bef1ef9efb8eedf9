"""Pictures that promise more than anyone wants: small files of every kind that would cost memory or time."""

import io
import struct
import zlib
from collections.abc import Callable
from functools import cache

import numpy as np
from PIL import Image as Pillow

from tests.decoders.gallery import _heif_of, ihdr, png, saved

IEND = (b"IEND", b"")
PIXEL = (b"IDAT", zlib.compress(bytes(4)))


@cache
def _block() -> bytes:
    """A mebibyte of zeros, packed so that it can be put after itself."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)


def _packed(count: int) -> bytes:
    """This many zeros, to the next mebibyte, as a sound zlib stream; a thousandth of their size."""
    blocks = -(-count // 2**20)
    end = struct.pack(">I", ((blocks * 2**20) % 65521) << 16 | 1)  # Adler-32 of zeros
    return b"\x78\xda" + _block() * blocks + b"\x03\0" + end


def _blank_png(columns: int, rows: int, bits: int, colour: int, stride: int) -> bytes:
    return png(ihdr(columns, rows, bits, colour), (b"IDAT", _packed(rows * (stride + 1) + 2**20)), IEND)


def _apng(frames: int) -> bytes:
    return png(ihdr(1, 1, 8, 0), (b"acTL", struct.pack(">II", frames, 0)), (b"fcTL", bytes(26)), PIXEL, IEND)


def _tiff(entries: list[tuple[int, int, int, int]], following: int = 0, body: bytes = b"") -> bytes:
    rows = b"".join(struct.pack("<HHII", *entry) for entry in sorted(entries))
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + rows + struct.pack("<I", following) + body


def _page(
    columns: int, rows: int, *more: tuple[int, int, int, int], compression: int = 1
) -> list[tuple[int, int, int, int]]:
    base = {256: (4, 1, columns), 257: (4, 1, rows), 258: (3, 1, 8), 259: (3, 1, compression), 262: (3, 1, 1),
            273: (4, 1, 8), 277: (3, 1, 1), 278: (4, 1, rows), 279: (4, 1, 100)}  # fmt: skip
    base.update({tag: tuple(row) for tag, *row in more})  # type: ignore[misc]
    return [(tag, *row) for tag, row in base.items()]


def _many_pages(count: int) -> bytes:
    entries = _page(1, 1)
    size = 2 + 12 * len(entries) + 4
    pages = [
        struct.pack("<H", len(entries))
        + b"".join(struct.pack("<HHII", *entry) for entry in sorted(entries))
        + struct.pack("<I", 8 + (number + 1) * size if number + 1 < count else 0)
        for number in range(count)
    ]
    return b"II*\0\x08\0\0\0" + b"".join(pages)


def _packed_tiff(columns: int, rows: int) -> bytes:
    body = _packed(columns * rows + 2**20)
    entries = _page(columns, rows, (273, 4, 1, 200), (279, 4, 1, len(body)), compression=8)
    return _tiff(entries).ljust(200, b"\0") + body


def _big_tiff() -> bytes:
    tags = [(256, 4, 1, 9), (257, 4, 1, 9), (258, 3, 1, 8), (273, 16, 2**60, 16), (279, 16, 2**60, 16)]
    rows = b"".join(struct.pack("<HHQQ", *tag) for tag in tags)
    return b"II+\0\x08\0\0\0" + struct.pack("<QQ", 16, len(tags)) + rows + bytes(8)


def _gif(columns: int, rows: int, frames: int, wide: int = 1, high: int = 1) -> bytes:
    frame = b"\x21\xf9\4\0\0\0\0\0" + b"," + struct.pack("<HHHHB", 0, 0, wide, high, 0) + b"\x02\x02\x44\x01\0"
    head = b"GIF89a" + struct.pack("<HHBBB", columns, rows, 0x80, 0, 0) + bytes(6)
    return head + frame * frames + b";"


def _riff(*parts: tuple[bytes, bytes]) -> bytes:
    body = b"".join(name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) & 1) for name, data in parts)
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def _canvas(columns: int, rows: int) -> tuple[bytes, bytes]:
    return b"VP8X", b"\x02\0\0\0" + struct.pack("<I", columns - 1)[:3] + struct.pack("<I", rows - 1)[:3]


def _animated_webp(count: int) -> bytes:
    frame = saved(Pillow.new("RGB", (1, 1)), "WEBP")[12:]
    return _riff(_canvas(1, 1), (b"ANIM", bytes(6)), *[(b"ANMF", bytes(16) + frame)] * count)


def _jpeg(rows: int, columns: int) -> bytes:
    """A small JPEG that says that it is larger."""
    data = bytearray(saved(Pillow.new("RGB", (64, 64)), "JPEG"))
    place = data.index(b"\xff\xc0")
    data[place + 5 : place + 9] = struct.pack(">HH", rows, columns)
    return bytes(data)


def _scans(count: int) -> bytes:
    data = saved(Pillow.new("RGB", (4000, 4000)), "JPEG", progressive=True, quality=1)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * count + data[-2:]


def _segments(marker: bytes, each: bytes, count: int) -> bytes:
    data = saved(Pillow.new("RGB", (8, 8)), "JPEG")
    part = b"\xff" + marker + struct.pack(">H", len(each) + 2) + each
    return data[:2] + part * count + data[2:]


def _profile_pieces() -> bytes:
    data = saved(Pillow.new("RGB", (8, 8)), "JPEG")
    parts = [b"ICC_PROFILE\0" + bytes([number, 200]) + bytes(65000) for number in range(1, 201)]
    return data[:2] + b"".join(b"\xff\xe2" + struct.pack(">H", len(part) + 2) + part for part in parts) + data[2:]


def _jp2(columns: int, rows: int, tile: int, count: int) -> bytes:
    size = struct.pack(">H4I4IH", 0, columns, rows, 0, 0, tile, tile, 0, 0, count) + b"\x07\1\1" * count
    return b"\xff\x4f\xff\x51" + struct.pack(">H", len(size) + 2) + size + b"\xff\xd9"


def _heif(columns: int, rows: int, brand: bytes) -> bytes:
    config = struct.pack(">I", 31) + b"hvcC" + bytes(23)
    return _heif_of(config, bytes(64), (columns, rows)).replace(b"heic", brand)


def _bmp(columns: int, rows: int, runs: int = 0) -> bytes:
    body = b"\xff\0" * (runs // 255)
    head = struct.pack("<IiiHHIIiiII", 40, columns, rows, 1, 8, 1 if runs else 0, len(body), 0, 0, 256, 0)
    return b"BM" + struct.pack("<IHHI", 1078 + len(body), 0, 0, 1078) + head + bytes(1024) + body


def _npy(header: str) -> bytes:
    text = header.encode()
    return b"\x93NUMPY\x02\0" + struct.pack("<I", len(text)) + text


BOMBS: dict[str, Callable[[], bytes]] = {
    "png: ten thousand million pixels": lambda: png(ihdr(100_000, 100_000, 8, 2), PIXEL, IEND),
    "png: the most that fits": lambda: png(ihdr(2**31 - 1, 2**31 - 1, 16, 6), PIXEL, IEND),
    "png: blank gray": lambda: _blank_png(14_000, 14_000, 8, 0, 14_000),
    "png: blank bits": lambda: _blank_png(14_100, 14_100, 1, 0, 1763),
    "png: blank colour of 16 bits": lambda: _blank_png(7_000, 7_000, 16, 6, 56_000),
    "png: packed text": lambda: png(ihdr(1, 1, 8, 0), (b"zTXt", b"a\0\0" + _packed(2**27)), PIXEL, IEND),
    "png: packed world text": lambda: png(ihdr(1, 1, 8, 0), (b"iTXt", b"a\0\1\0\0\0" + _packed(2**27)), PIXEL, IEND),
    "png: packed profile": lambda: png(ihdr(1, 1, 8, 0), (b"iCCP", b"a\0\0" + _packed(2**27)), PIXEL, IEND),
    "png: many texts": lambda: png(ihdr(1, 1, 8, 0), *[(b"zTXt", b"a\0\0" + _packed(2**20))] * 300, PIXEL, IEND),
    "png: plain text": lambda: png(ihdr(1, 1, 8, 0), (b"tEXt", b"a\0" + bytes(2**23)), PIXEL, IEND),
    "png: camera notes": lambda: png(ihdr(1, 1, 8, 0), (b"eXIf", bytes(2**23)), PIXEL, IEND),
    "png: more pixels than announced": lambda: png(ihdr(1, 1, 8, 0), (b"IDAT", _packed(2**28)), IEND),
    "png: frames without end": lambda: _apng(2**31 - 1),
    "png: a hundred thousand frames": lambda: _apng(100_000),
    "tiff: the most that fits": lambda: _tiff(_page(2**31 - 1, 2**31 - 1)),
    "tiff: blank, packed": lambda: _packed_tiff(14_000, 14_000),
    "tiff: pages in a circle": lambda: _tiff(_page(1, 1), following=8),
    "tiff: a hundred thousand pages": lambda: _many_pages(100_000),
    "tiff: strips without end": lambda: _tiff(_page(9, 9, (273, 4, 2**30, 8), (279, 4, 2**30, 8))),
    "tiff: values without end, in a big one": _big_tiff,
    "tiff: channels without end": lambda: _tiff(_page(5000, 5000, (277, 3, 1, 65535))),
    "tiff: a profile of a gigabyte": lambda: _tiff(_page(1, 1, (34675, 7, 2**30, 8))),
    "tiff: tiles of nothing": lambda: _tiff(
        _page(4000, 4000, (322, 4, 1, 2**16), (323, 4, 1, 2**16), (324, 4, 1, 8), (325, 4, 1, 9), compression=8)
    ),
    "gif: a screen of 65,535": lambda: _gif(65535, 65535, 1),
    "gif: a hundred thousand frames": lambda: _gif(1, 1, 100_000),
    "gif: large frames": lambda: _gif(3000, 3000, 900),
    "gif: blank": lambda: _gif(9_000, 7_000, 1, 9_000, 7_000),
    "webp: a canvas of 16,384": lambda: _riff(_canvas(16_384, 16_384), (b"ANIM", bytes(6))),
    "webp: frames": lambda: _animated_webp(3000),
    "webp: blank": lambda: _riff((b"VP8L", b"\x2f" + struct.pack("<I", 15_999 | 3_999 << 14) + bytes(9))),
    "jpeg: 65,500 squared": lambda: _jpeg(65500, 65500),
    "jpeg: gray as large as allowed": lambda: _jpeg(8000, 8000),
    "jpeg: two thousand scans": lambda: _scans(2000),
    "jpeg: a profile in two hundred pieces": _profile_pieces,
    "jp2: the most that fits": lambda: _jp2(2**31, 2**31, 2**31, 3),
    "jp2: tiles of one pixel": lambda: _jp2(4000, 4000, 1, 3),
    "jp2: sixteen thousand channels": lambda: _jp2(5000, 5000, 5000, 16_384),
    "heif: 65,535 squared": lambda: _heif(65535, 65535, b"heic"),
    "heif: 2^31 squared": lambda: _heif(2**31 - 1, 2**31 - 1, b"heic"),
    "avif: 65,535 squared": lambda: _heif(65535, 65535, b"avif"),
    "bmp: the most that fits": lambda: _bmp(2**31 - 1, 2**31 - 1),
    "bmp: blank, in runs": lambda: _bmp(14_000, 14_000, 14_000 * 14_000),
    "pnm: digits without end": lambda: b"P6 99999999999 99999999999 255\n" + bytes(100),
    "pnm: a hundred thousand squared": lambda: b"P4 100000 100000\n" + bytes(100),
    "npy: a petabyte": lambda: _npy("{'descr': '|u1', 'fortran_order': False, 'shape': (9999999, 99999999), }\n"),
    "npy: brackets": lambda: _npy("(" * 200_000),
    "npz: a zip is no picture": lambda: _zip(),
}


def _zip() -> bytes:
    stream = io.BytesIO()
    np.savez_compressed(stream, np.zeros(2**24, np.uint8))
    return stream.getvalue()
