"""Portable maps: PBM, PGM, PPM (plain and raw, 8 and 16 bits), PAM, and PFM with floats; read by NumPy alone."""

from __future__ import annotations

import re

import numpy as np

from sightline.core.errors import InputError
from sightline.core.header import Header
from sightline.core.limits import Limits

SUFFIXES = (".ppm", ".pgm", ".pbm", ".pnm", ".pam", ".pfm")
_KINDS = (b"P1", b"P2", b"P3", b"P4", b"P5", b"P6", b"P7", b"PF", b"Pf")
_WORD = re.compile(rb"(?:\s|#[^\n]*\n)*([^\s#]{1,20})")
_LINE = re.compile(rb"([A-Z]+)(?:[ \t]+([^\n]{1,60}))?\n")


def recognises(data: bytes) -> int:
    """Two letters and white space."""
    return int(data[:2] in _KINDS and data[2:3] in (b" ", b"\t", b"\n", b"\r", b"#"))


def look(data: bytes, page: int, limits: Limits) -> Header:
    """From the words before the pixels, held to the bytes that follow them."""
    kind = data[:2]
    words, start = _pam(data) if kind == b"P7" else _words(data, 2 if kind in (b"P1", b"P4") else 3)
    columns, rows, channels = int(words[0]), int(words[1]), 3 if kind in (b"P3", b"P6", b"PF") else 1
    if kind == b"P7":
        channels = int(words[2])
    top = float(words[-1]) if kind in (b"PF", b"Pf") else 1.0 if kind in (b"P1", b"P4") else float(int(words[-1]))
    if rows < 1 or columns < 1 or channels < 1 or (kind[1:] not in (b"F", b"f") and not 1 <= top <= 65535) or top == 0:
        raise InputError("corrupt", f"a map of {rows} x {columns} x {channels} up to {top:g}.")
    is_float = kind in (b"PF", b"Pf")
    dtype = np.dtype(np.float32 if is_float else np.uint8 if top < 256 else np.uint16)
    needed = rows * ((columns + 7) // 8) if kind == b"P4" else rows * columns * channels * dtype.itemsize
    plain = kind in (b"P1", b"P2", b"P3")
    needed = rows * columns * channels if plain else needed
    if rows * columns * channels <= limits.values and len(data) - start < needed:
        raise InputError("truncated", "the map ends before its picture does.")
    colour = {1: "gray", 2: "gray", 3: "rgb", 4: "rgb"}.get(channels, "channels")
    bits = 32 if is_float else max(1, int(top).bit_length())
    stored = () if is_float or top in (1, 255, 65535) else (f"values up to {top:g} spread over all of {dtype}",)
    return Header(
        "PNM", (rows, columns, channels), dtype, 8 * dtype.itemsize if stored else bits, colour,
        "straight" if kind == b"P7" and channels in (2, 4) else "", total=rows * columns * channels,
        notes=stored, plan=(kind, start, top),
    )  # fmt: skip


def read(data: bytes, header: Header, page: int, reduce: int) -> np.ndarray:
    """White is white: values are spread from the largest that the file names to the largest of the depth."""
    kind, start, top = header.plan
    if kind in (b"PF", b"Pf"):
        order = np.dtype("<f4" if top < 0 else ">f4")
        floats = np.frombuffer(data, order, header.values, start).reshape(header.shape)[::-1]
        return np.ascontiguousarray(floats, np.float32)
    rows, columns, _ = header.shape
    if kind == b"P4":
        packed = np.frombuffer(data, np.uint8, rows * ((columns + 7) // 8), start).reshape(rows, -1)
        return 255 * (1 - np.unpackbits(packed, axis=1)[:, :columns, None])
    if kind in (b"P1", b"P2", b"P3"):
        pixels = _plain(data[start:], header, digits=kind == b"P1")
        pixels = 1 - pixels if kind == b"P1" else pixels
    else:
        pixels = np.frombuffer(data, header.dtype.newbyteorder(">"), header.values, start)
    if pixels.max(initial=0) > top:
        raise InputError("corrupt", f"a map with values above {top:g}, the largest that it names.")
    full = 255 if header.dtype == np.uint8 else 65535
    if top != full:
        pixels = (pixels.astype(np.uint32) * full + int(top) // 2) // int(top)
    return np.ascontiguousarray(pixels.reshape(header.shape), header.dtype)


def _words(data: bytes, count: int) -> tuple[list[bytes], int]:
    found, place = [], 2
    for _ in range(count):
        word = _WORD.match(data, place, place + 4096)
        if not word:
            raise InputError("truncated" if len(data) < 64 else "corrupt", "a map without size.")
        found.append(word[1])
        place = word.end()
    return found, place + 1


def _pam(data: bytes) -> tuple[list[bytes], int]:
    told: dict[bytes, bytes] = {}
    place = 3
    while line := _LINE.match(data, place, 4096):
        place = line.end()
        if line[1] == b"ENDHDR":
            return [told[word] for word in (b"WIDTH", b"HEIGHT", b"DEPTH", b"MAXVAL")], place
        told[line[1]] = line[2] or b""
    raise InputError("corrupt", "a PAM whose header does not end.")


def _plain(text: bytes, header: Header, *, digits: bool) -> np.ndarray:
    """Numbers in words; of one-bit maps they may touch."""
    text = re.sub(rb"#[^\n]*", b"", text)
    if digits:
        found = np.frombuffer(b"".join(text.split()), np.uint8) - 48
    else:
        found = np.array(text.split()[: header.values], dtype="S6").astype(np.int64)
    if len(found) < header.values:
        raise InputError("truncated", "the map ends before its picture does.")
    found = found[: header.values]
    if found.max(initial=0) > 65535 or found.min(initial=0) < 0:
        raise InputError("corrupt", "a map with values beyond 16 bits.")
    return found.astype(np.uint32)


def encode(pixels: np.ndarray, quality: int) -> bytes:
    """Gray or colour of 8 or 16 bits, or floats."""
    if pixels.ndim != 3 or pixels.shape[2] not in (1, 3):
        raise InputError("unsupported", "a portable map holds 1 or 3 channels.")
    rows, columns, channels = pixels.shape
    if pixels.dtype.kind == "f":
        head = f"{'PF' if channels == 3 else 'Pf'}\n{columns} {rows}\n-1.0\n"
        return head.encode() + pixels[::-1].astype("<f4").tobytes()
    top = np.iinfo(pixels.dtype).max
    head = f"{'P6' if channels == 3 else 'P5'}\n{columns} {rows}\n{top}\n"
    return head.encode() + pixels.astype(pixels.dtype.newbyteorder(">")).tobytes()
