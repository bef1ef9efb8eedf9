"""A file of every kind and variant, made on the spot, with the pixels that reading it must give."""

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
from PIL import Image as Pillow

CHANCE = np.random.default_rng(5)
ROWS, COLUMNS = 24, 37
_Y, _X = np.mgrid[:ROWS, :COLUMNS]
GRAY = ((_Y * 5 + _X * 3) % 256).astype(np.uint8)
RGB = np.stack([GRAY, 255 - GRAY, (_X * 6).astype(np.uint8)], 2)
DEEP = (_Y * 2500 + _X * 31).astype(np.uint16)
DEEP_RGB = np.stack([DEEP, 65535 - DEEP, DEEP // 3], 2)
FLOAT = CHANCE.normal(0, 100, (ROWS, COLUMNS)).astype(np.float32)
FIVE = CHANCE.integers(0, 65536, (ROWS, COLUMNS, 5)).astype(np.uint16)
CLEAR = np.where(_X < 18, 255, 0).astype(np.uint8)
OVER = np.where(CLEAR[..., None] == 255, RGB, 255).astype(np.uint8)


@dataclass(frozen=True)
class Piece:
    """One file: its bytes, what reading gives, how far a lossy one may be off, and what must be said of it."""

    kind: str
    data: bytes
    pixels: np.ndarray
    off: float = 0
    says: str = ""
    pages: int = 1
    extra: bool = False  # a library of the `io` extra is needed
    facts: dict[str, Any] = field(default_factory=dict)


def saved(pixels: Any, format: str, **options: Any) -> bytes:
    """The bytes that Pillow writes."""
    stream = io.BytesIO()
    (pixels if isinstance(pixels, Pillow.Image) else Pillow.fromarray(pixels)).save(stream, format, **options)
    return stream.getvalue()


def tiff(pixels: np.ndarray, **options: Any) -> bytes:
    """The bytes that tifffile writes."""
    import tifffile

    stream = io.BytesIO()
    big = options.pop("bigtiff", False)
    with tifffile.TiffWriter(stream, bigtiff=big) as file:
        for page in pixels if options.pop("pages", False) else [pixels]:
            file.write(page, metadata=None, **options)
    return stream.getvalue()


def png(*chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG of these chunks, each with its checksum."""
    parts = [struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def ihdr(width: int, height: int, bits: int, colour: int) -> tuple[bytes, bytes]:
    """The first chunk."""
    return b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)


def interlaced(pixels: np.ndarray, colour: int, rows: slice = slice(None)) -> bytes:
    """A PNG in seven passes."""
    passes = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
    big = pixels.astype(pixels.dtype.newbyteorder(">"))
    lines = [row for left, top, across, down in passes for row in big[top::down, left::across] if row.size]
    body = b"".join(b"\0" + row.tobytes() for row in lines[rows])
    name, head = ihdr(pixels.shape[1], pixels.shape[0], 8 * pixels.dtype.itemsize, colour)
    return png((name, head[:-1] + b"\1"), (b"IDAT", zlib.compress(body)), (b"IEND", b""))


def swapped_profile() -> bytes:
    """A sound profile in which red and blue have changed places, so that applying it shows."""
    from PIL import ImageCms

    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    table, count = 132, int.from_bytes(profile[128:132], "big")
    rows = {bytes(profile[place : place + 4]): place for place in range(table, table + 12 * count, 12)}
    profile[rows[b"rXYZ"] : rows[b"rXYZ"] + 4], profile[rows[b"bXYZ"] : rows[b"bXYZ"] + 4] = b"bXYZ", b"rXYZ"
    return bytes(profile.replace(b"s\0R\0G\0B", b"o\0d\0d\0s").replace(b"sRGB", b"odds"))


def dng() -> bytes:
    """A small raw picture as cameras write them: one number a pixel behind a mosaic of colours."""
    mosaic = CHANCE.integers(2000, 60000, (64, 96)).astype(np.uint16)
    matrix = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
    rational = tuple(part for number in matrix for part in (int(number * 1000), 1000))
    tags = [
        (50706, "B", 4, (1, 4, 0, 0), True), (50707, "B", 4, (1, 1, 0, 0), True), (50708, "s", 0, "Drawn One", True),
        (33421, "H", 2, (2, 2), True), (33422, "B", 4, (0, 1, 1, 2), True), (271, "s", 0, "Drawn", True),
        (272, "s", 0, "One", True), (50721, "2i", 9, rational, True), (50778, "H", 1, 21, True),
        (50728, "2I", 3, (1, 1, 1, 1, 1, 1), True), (50717, "I", 1, 65535, True), (254, "I", 1, 0, True),
    ]  # fmt: skip
    return tiff(mosaic, photometric="cfa", extratags=tags)


def heic() -> bytes:
    """One frame of HEVC in the boxes of a HEIC; the frame is made by the encoder of a video library."""
    import av

    stream = io.BytesIO()
    with av.open(stream, "w", "mp4") as file:
        track = file.add_stream("libx265", rate=1, options={"crf": "4", "x265-params": "log-level=none:keyint=1"})
        track.width, track.height, track.pix_fmt = 64, 64, "yuv420p"
        smooth = np.add.outer(np.arange(64), np.arange(64)).astype(np.uint8)
        frame = av.VideoFrame.from_ndarray(np.stack([smooth] * 3, 2), format="rgb24")
        for packet in [*track.encode(frame), *track.encode()]:
            file.mux(packet)
    made = stream.getvalue()
    place = made.index(b"hvcC") - 4
    config = made[place : place + int.from_bytes(made[place : place + 4], "big")]
    place = made.index(b"mdat") - 4
    body = made[place + 8 : place + int.from_bytes(made[place : place + 4], "big")]
    return _heif_of(config, body)


def _heif_of(config: bytes, body: bytes, size: tuple[int, int] = (64, 64)) -> bytes:
    def box(name: bytes, *parts: bytes, full: int | None = None) -> bytes:
        inside = (b"" if full is None else struct.pack(">I", full)) + b"".join(parts)
        return struct.pack(">I", 8 + len(inside)) + name + inside

    head = box(b"ftyp", b"heic", bytes(4), b"mif1heic")
    shape = box(b"ispe", struct.pack(">II", *size), full=0)
    where = box(b"iloc", struct.pack(">BBH", 0x44, 0, 1), struct.pack(">HHHII", 1, 0, 1, 0, len(body)), full=0)
    entry = box(b"infe", struct.pack(">HH", 1, 0), b"hvc1", b"\0", full=2 << 24)
    meta = [
        box(b"hdlr", bytes(4), b"pict", bytes(13), full=0), box(b"pitm", struct.pack(">H", 1), full=0), where,
        box(b"iinf", struct.pack(">H", 1), entry, full=0),
        box(b"iprp", box(b"ipco", config, shape), box(b"ipma", struct.pack(">IHBBB", 1, 1, 2, 0x81, 2), full=0)),
    ]  # fmt: skip
    length = len(head) + len(box(b"meta", *meta, full=0)) + 8
    meta[2] = box(b"iloc", struct.pack(">BBH", 0x44, 0, 1), struct.pack(">HHHII", 1, 0, 1, length, len(body)), full=0)
    return head + box(b"meta", *meta, full=0) + box(b"mdat", body)


def _rgba() -> Pillow.Image:
    return Pillow.fromarray(np.dstack([RGB, CLEAR]))


def _inks() -> Pillow.Image:
    inks = np.dstack([255 - _smooth(), np.full((ROWS, COLUMNS), 40, np.uint8)])
    return Pillow.merge("CMYK", [Pillow.fromarray(np.ascontiguousarray(inks[..., ink])) for ink in range(4)])


def _palette() -> Pillow.Image:
    picture = Pillow.fromarray((GRAY // 16).astype(np.uint8)).convert("P")
    picture.putpalette([value for shade in range(16) for value in (shade * 16, 255 - shade, shade * 7)])
    return picture


def _colours_of_palette() -> np.ndarray:
    shade = (GRAY // 16).astype(int)
    return np.stack([shade * 16, 255 - shade, shade * 7], 2).astype(np.uint8)


def _frames(format: str, **options: Any) -> bytes:
    shades = [Pillow.new("RGB", (COLUMNS, ROWS), (shade, 10, 250 - shade)) for shade in (10, 90, 200)]
    return saved(shades[0], format, save_all=True, append_images=shades[1:], **options)


def _first_frame() -> np.ndarray:
    return np.broadcast_to(np.array([10, 10, 240], np.uint8), (ROWS, COLUMNS, 3))


def _smooth() -> np.ndarray:
    return np.stack([_Y * 4 + _X, _Y * 2 + _X * 3, 200 - _X * 4], 2).astype(np.uint8)


def _turned(turn: int) -> bytes:
    exif = Pillow.Exif()
    exif[0x0112] = turn
    return exif.tobytes()


def _cmyk() -> np.ndarray:
    ink = np.dstack([255 - _smooth(), np.full((ROWS, COLUMNS), 40, np.uint8)]).astype(int)
    light = 255 - ink
    return ((light[..., :3] * light[..., 3:] + 127) // 255).astype(np.uint8)


def _imagecodecs(name: str, pixels: np.ndarray, **options: Any) -> bytes:
    import imagecodecs

    return bytes(getattr(imagecodecs, name)(pixels, **options))


MAKERS: dict[str, Callable[[], Piece]] = {
    "jpeg": lambda: Piece("JPEG", saved(_smooth(), "JPEG", quality=95, subsampling=0), _smooth(), 4),
    "jpeg gray": lambda: Piece("JPEG", saved(_smooth()[..., 0], "JPEG", quality=95), _smooth()[..., :1], 4),
    "jpeg progressive": lambda: Piece("JPEG", saved(_smooth(), "JPEG", quality=95, progressive=True), _smooth(), 6),
    "jpeg restarts": lambda: Piece("JPEG", saved(_smooth(), "JPEG", quality=95, restart_marker_rows=1), _smooth(), 6),
    "jpeg cmyk": lambda: Piece("JPEG", saved(_inks(), "JPEG", quality=98), _cmyk(), 8, "CMYK"),
    "jpeg turned": lambda: Piece(
        "JPEG", saved(_smooth(), "JPEG", quality=95, exif=_turned(6)), np.rot90(_smooth(), -1), 6, "upright"
    ),
    "jpeg profile": lambda: Piece(
        "JPEG",
        saved(_smooth(), "JPEG", quality=95, subsampling=0, icc_profile=swapped_profile()),
        _smooth()[..., ::-1],
        9,
        "converted to sRGB",
    ),
    "jpeg 12 bits": lambda: Piece(
        "JPEG",
        _imagecodecs("jpeg8_encode", DEEP >> 4, level=98, bitspersample=12),
        (DEEP >> 4)[..., None],
        60,
        "12 bits",
        extra=True,
    ),
    "jpeg lossless": lambda: Piece(
        "JPEG", _imagecodecs("ljpeg_encode", DEEP, bitspersample=16), DEEP[..., None], extra=True
    ),
    "png": lambda: Piece("PNG", saved(RGB, "PNG"), RGB),
    "png gray": lambda: Piece("PNG", saved(GRAY, "PNG"), GRAY[..., None]),
    "png clear": lambda: Piece("PNG", saved(_rgba(), "PNG"), OVER, says="transparency"),
    "png gray clear": lambda: Piece(
        "PNG",
        saved(Pillow.merge("LA", [Pillow.fromarray(GRAY), Pillow.fromarray(CLEAR)]), "PNG"),
        np.where(CLEAR == 255, GRAY, 255).astype(np.uint8)[..., None],
        says="transparency",
    ),
    "png one clear shade": lambda: Piece(
        "PNG",
        saved(Pillow.fromarray(GRAY), "PNG", transparency=5),
        np.where(GRAY == 5, 255, GRAY)[..., None],
        says="transparency",
    ),
    "png palette": lambda: Piece("PNG", saved(_palette(), "PNG"), _colours_of_palette(), says="palette"),
    "png one bit": lambda: Piece(
        "PNG", saved(Pillow.fromarray(GRAY > 99), "PNG"), 255 * (GRAY > 99)[..., None].astype(np.uint8)
    ),
    "png 16 gray": lambda: Piece("PNG", saved(DEEP, "PNG"), DEEP[..., None]),
    "png 16 colour": lambda: Piece("PNG", _imagecodecs("png_encode", DEEP_RGB), DEEP_RGB, extra=True),
    "png 16 clear": lambda: Piece(
        "PNG",
        _imagecodecs("png_encode", np.dstack([DEEP_RGB, CLEAR.astype(np.uint16) * 257])),
        np.where(CLEAR[..., None] == 255, DEEP_RGB, 65535).astype(np.uint16),
        says="transparency",
        extra=True,
    ),
    "png profile": lambda: Piece(
        "PNG", saved(_smooth(), "PNG", icc_profile=swapped_profile()), _smooth()[..., ::-1], 3, "converted to sRGB"
    ),
    "png 16 profile": lambda: Piece(
        "PNG",
        _with_profile(_imagecodecs("png_encode", DEEP_RGB // 4 + 9000)),
        (DEEP_RGB // 4 + 9000)[..., ::-1],
        700,
        "converted to sRGB",
        extra=True,
    ),
    "png turned": lambda: Piece("PNG", saved(RGB, "PNG", exif=_turned(8)), np.rot90(RGB, 1), says="upright"),
    "png passes": lambda: Piece("PNG", interlaced(RGB, 2), RGB),
    "png 16 passes": lambda: Piece("PNG", interlaced(DEEP_RGB, 2), DEEP_RGB, extra=True),
    "png pass of one": lambda: Piece("PNG", interlaced(RGB[:3, :1], 2), RGB[:3, :1]),
    "apng": lambda: Piece("PNG", _frames("PNG"), _first_frame(), pages=3, says="3 pages"),
    "gif": lambda: Piece("GIF", saved(_palette(), "GIF"), _colours_of_palette(), says="palette"),
    "gif frames": lambda: Piece("GIF", _frames("GIF"), _first_frame(), 2, pages=3, says="animation"),
    "webp": lambda: Piece("WEBP", saved(RGB, "WEBP", lossless=True), RGB),
    "webp lossy": lambda: Piece("WEBP", saved(_smooth(), "WEBP", quality=95), _smooth(), 14),
    "webp clear": lambda: Piece("WEBP", saved(_rgba(), "WEBP", lossless=True, exact=True), OVER, says="transparency"),
    "webp frames": lambda: Piece("WEBP", _frames("WEBP", lossless=True), _first_frame(), 1, pages=3, says="animation"),
    "bmp": lambda: Piece("BMP", saved(RGB, "BMP"), RGB),
    "bmp palette": lambda: Piece("BMP", saved(_palette(), "BMP"), _colours_of_palette(), says="palette"),
    "bmp one bit": lambda: Piece(
        "BMP", saved(Pillow.fromarray(GRAY > 99), "BMP"), 255 * (GRAY > 99)[..., None].astype(np.uint8)
    ),
    "avif": lambda: Piece("AVIF", saved(_smooth(), "AVIF", quality=95), _smooth(), 16),
    "avif clear": lambda: Piece(
        "AVIF", saved(_rgba(), "AVIF", quality=100, subsampling="4:4:4"), OVER, 16, "transparency"
    ),
    "avif 10 bits": lambda: Piece(
        "AVIF",
        _imagecodecs("avif_encode", (DEEP_RGB >> 6), level=100, bitspersample=10),
        DEEP_RGB >> 6,
        4,
        "10 bits",
        extra=True,
    ),
    "jp2": lambda: Piece("JPEG2000", saved(RGB, "JPEG2000"), RGB),
    "jp2 gray": lambda: Piece("JPEG2000", saved(GRAY, "JPEG2000"), GRAY[..., None]),
    "jp2 16 colour": lambda: Piece("JPEG2000", _imagecodecs("jpeg2k_encode", DEEP_RGB, level=0), DEEP_RGB, extra=True),
    "j2k 12 gray": lambda: Piece(
        "JPEG2000",
        _imagecodecs("jpeg2k_encode", DEEP >> 4, level=0, bitspersample=12, codecformat="j2k"),
        (DEEP >> 4)[..., None],
        says="12 bits",
        extra=True,
    ),
    "pbm": lambda: Piece(
        "PNM",
        b"P4 9 2\n" + bytes([0b10110010, 0b10000000, 0xFF, 0]),
        255 - 255 * np.unpackbits(np.array([[0b10110010, 128], [255, 0]], np.uint8), axis=1)[:, :9, None],
    ),
    "pbm plain": lambda: Piece("PNM", b"P1 # a note\n3 1\n1 01", np.array([[[0], [255], [0]]], np.uint8)),
    "pgm plain": lambda: Piece("PNM", b"P2 2 2 255\n0 7\n9 255\n", np.array([[0, 7], [9, 255]], np.uint8)[..., None]),
    "pgm": lambda: Piece("PNM", b"P5\n# a note\n37 24\n255\n" + GRAY.tobytes(), GRAY[..., None]),
    "pgm of few shades": lambda: Piece(
        "PNM", b"P5 3 1 5 \0\1\5", np.array([0, 51, 255], np.uint8)[None, :, None], says="spread"
    ),
    "pgm 16": lambda: Piece("PNM", b"P5 37 24 65535\n" + DEEP.astype(">u2").tobytes(), DEEP[..., None]),
    "ppm": lambda: Piece("PNM", b"P6 37 24 255\n" + RGB.tobytes(), RGB),
    "ppm plain": lambda: Piece("PNM", b"P3 1 1 65535 1 2 65535", np.array([[[1, 2, 65535]]], np.uint16)),
    "ppm 16": lambda: Piece("PNM", b"P6 37 24 65535\n" + DEEP_RGB.astype(">u2").tobytes(), DEEP_RGB),
    "pam": lambda: Piece(
        "PNM",
        b"P7\nWIDTH 37\nHEIGHT 24\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n"
        + np.dstack([RGB, CLEAR]).tobytes(),
        OVER,
        says="transparency",
    ),
    "pfm": lambda: Piece("PNM", b"Pf\n37 24\n-1.0\n" + FLOAT[::-1].astype("<f4").tobytes(), FLOAT[..., None]),
    "npy": lambda: Piece("NPY", _npy(FIVE), FIVE),
    "npy of another order": lambda: Piece("NPY", _npy(FIVE.astype(">u2")), FIVE),
    "tiff": lambda: Piece("TIFF", saved(RGB, "TIFF"), RGB),
    "tiff packed": lambda: Piece("TIFF", saved(RGB, "TIFF", compression="tiff_lzw"), RGB),
    "tiff jpeg": lambda: Piece("TIFF", saved(_smooth(), "TIFF", compression="jpeg"), _smooth(), 12),
    "tiff fax": lambda: Piece(
        "TIFF",
        saved(Pillow.fromarray(GRAY > 99), "TIFF", compression="group4"),
        255 * (GRAY > 99)[..., None].astype(np.uint8),
    ),
    "tiff palette": lambda: Piece("TIFF", saved(_palette(), "TIFF"), _colours_of_palette(), says="palette"),
    "tiff turned": lambda: Piece("TIFF", saved(RGB, "TIFF", tiffinfo={274: 6}), np.rot90(RGB, -1), says="upright"),
    "tiff cmyk": lambda: Piece(
        "TIFF", tiff(np.asarray(_inks()), photometric="separated"), _cmyk(), 1, "CMYK", extra=True
    ),
    "tiff 16": lambda: Piece("TIFF", saved(DEEP, "TIFF"), DEEP[..., None]),
    "tiff 16 colour": lambda: Piece("TIFF", tiff(DEEP_RGB, photometric="rgb"), DEEP_RGB, extra=True),
    "tiff 16 turned": lambda: Piece(
        "TIFF",
        tiff(DEEP_RGB, photometric="rgb", extratags=[(274, "H", 1, 5, True)]),
        DEEP_RGB.swapaxes(0, 1),
        says="upright",
        extra=True,
    ),
    "tiff 16 packed": lambda: Piece(
        "TIFF", tiff(DEEP_RGB, photometric="rgb", compression="zlib", predictor=True), DEEP_RGB, extra=True
    ),
    "tiff big": lambda: Piece("TIFF", tiff(DEEP_RGB, photometric="rgb", bigtiff=True), DEEP_RGB, extra=True),
    "tiff big endian": lambda: Piece("TIFF", tiff(DEEP_RGB.astype(">u2"), photometric="rgb"), DEEP_RGB, extra=True),
    "tiff float": lambda: Piece("TIFF", saved(FLOAT, "TIFF"), FLOAT[..., None]),
    "tiff float colour": lambda: Piece(
        "TIFF", tiff(np.dstack([FLOAT] * 3), photometric="rgb", compression="zlib"), np.dstack([FLOAT] * 3), extra=True
    ),
    "tiff half float": lambda: Piece(
        "TIFF", tiff(FLOAT.astype(np.float16)), FLOAT.astype(np.float16).astype(np.float32)[..., None], extra=True
    ),
    "tiff five channels": lambda: Piece(
        "TIFF", tiff(FIVE, photometric="minisblack", planarconfig="contig"), FIVE, extra=True
    ),
    "tiff planes": lambda: Piece(
        "TIFF", tiff(np.moveaxis(FIVE, 2, 0), photometric="minisblack", planarconfig="separate"), FIVE, extra=True
    ),
    "tiff tiles": lambda: Piece("TIFF", tiff(DEEP_RGB, photometric="rgb", tile=(16, 16)), DEEP_RGB, extra=True),
    "tiff clear": lambda: Piece(
        "TIFF", tiff(np.dstack([RGB, CLEAR]), photometric="rgb", extrasamples=["unassalpha"]), OVER, says="transparency"
    ),
    "tiff 16 clear": lambda: Piece(
        "TIFF",
        tiff(np.dstack([DEEP_RGB, CLEAR.astype(np.uint16) * 257]), photometric="rgb", extrasamples=["unassalpha"]),
        np.where(CLEAR[..., None] == 255, DEEP_RGB, 65535).astype(np.uint16),
        says="transparency",
        extra=True,
    ),
    "tiff 16 multiplied": lambda: Piece(
        "TIFF",
        tiff(
            np.dstack(
                [np.where(CLEAR[..., None] == 255, DEEP_RGB, 0).astype(np.uint16), CLEAR.astype(np.uint16) * 257]
            ),
            photometric="rgb",
            extrasamples=["assocalpha"],
        ),
        np.where(CLEAR[..., None] == 255, DEEP_RGB, 65535).astype(np.uint16),
        says="premultiplied",
        extra=True,
    ),
    "tiff white is zero": lambda: Piece(
        "TIFF", tiff(DEEP, photometric="miniswhite"), 65535 - DEEP[..., None], extra=True
    ),
    "tiff whole numbers": lambda: Piece("TIFF", tiff(DEEP.astype(np.uint32)), DEEP[..., None], extra=True),
    "tiff pages": lambda: Piece(
        "TIFF", tiff(np.stack([DEEP, DEEP // 2, DEEP // 3]), pages=True), DEEP[..., None], pages=3, says="3 pages"
    ),
    "heic": lambda: Piece(
        "HEIF", heic(), np.stack([np.add.outer(np.arange(64), np.arange(64)).astype(np.uint8)] * 3, 2), 12, extra=True
    ),
    "dng": lambda: Piece("RAW", dng(), np.zeros((64, 96, 3), np.uint16), 65535, "white balance", extra=True),
}


def _npy(pixels: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, pixels)
    return stream.getvalue()


def _with_profile(data: bytes) -> bytes:
    body = b"odds\0\0" + zlib.compress(swapped_profile())
    chunk = png((b"iCCP", body))[8:]
    return data[:33] + chunk + data[33:]


@cache
def piece(name: str) -> Piece:
    """A piece by name, made once."""
    return MAKERS[name]()


def pieces() -> Iterator[tuple[str, Piece]]:
    """All of them."""
    for name in MAKERS:
        yield name, piece(name)
