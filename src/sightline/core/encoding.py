"""Pixels to files: bytes that read as the same pixels, and the common formats, with nothing in them but pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sightline.core import decoding
from sightline.core.errors import InputError
from sightline.core.files import write_durably

LADDER = {"small": 60, "good": 80, "fine": 92, "best": 100}  # names for JPEG, WebP, AVIF and JPEG 2000 qualities


def encode(pixels: np.ndarray) -> bytes:
    """Lossless bytes that `read_image` turns into the same pixels: PNG where it can hold them, else .npy."""
    gray, rgb = pixels.ndim == 3 and pixels.shape[2] == 1, pixels.ndim == 3 and pixels.shape[2] == 3
    held = (gray and pixels.dtype in (np.uint8, np.uint16)) or (rgb and pixels.dtype == np.uint8)
    made: bytes = decoding.decoders()["png" if held else "npy"].encode(pixels, 100)
    return made


def encode_clear(pixels: np.ndarray) -> bytes:
    """A PNG of gray or colour with transparency as its last channel, for eyes: reading it lays it over white again."""
    made: bytes = decoding.decoders()["png"].encode_clear(pixels)
    return made


def encode_as(pixels: np.ndarray, suffix: str, *, quality: int | str = 92) -> bytes:
    """The bytes of a file whose name would end like this; refused where such a file cannot hold the pixels."""
    quality = LADDER.get(quality, -1) if isinstance(quality, str) else quality
    if not 1 <= quality <= 100:
        raise InputError("unsupported", f"quality is 1 to 100 or one of {', '.join(LADDER)}.")
    ending = suffix.lower()
    writers = {end: one for one in decoding.decoders().values() if hasattr(one, "encode") for end in one.SUFFIXES}
    if ending not in writers:
        raise InputError("unsupported", f"'{suffix}' is not written. Accepted: {', '.join(sorted(writers))}.")
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    if pixels.dtype not in (np.uint8, np.uint16, np.float32) or 0 in pixels.shape:
        raise InputError("unsupported", f"pixels are uint8, uint16 or float32, not {pixels.dtype} {pixels.shape}.")
    try:
        made: bytes = writers[ending].encode(pixels, quality)
    except InputError as error:
        raise InputError(
            error.code, f"{pixels.dtype} {pixels.shape} does not fit '{suffix}': {error.message} .npy holds anything."
        ) from error
    return made


def bare(data: bytes, name: str = "bytes", *, pixels: np.ndarray | None = None) -> bytes:
    """The bytes of a file that reads as the same pixels and says nothing else: no place, time, camera or comment.

    JPEG and PNG lose their notes and stay packed as they are, upright by a note of their own where they need one;
    other kinds become PNG (or .npy), of `pixels` where somebody has decoded them already.
    """
    _, decoder = decoding.recognise(data, name)
    made: bytes | None = decoder.bare(data) if hasattr(decoder, "bare") else None
    if made is not None:
        return made
    if pixels is None:
        pixels = decoding.decode(data, name)
    return encode(pixels if pixels.ndim > 2 else pixels[..., None])


def write_image(path: Path | str, pixels: np.ndarray, *, quality: int | str = 92) -> Path:
    """A picture file in the format that its name says, whole or not at all; no EXIF, XMP, position or comments in it.

    `quality` is 1 to 100, or small, good, fine or best; it matters to JPEG, WebP, AVIF and JPEG 2000 only.
    """
    path = Path(path)
    write_durably(path, encode_as(pixels, path.suffix, quality=quality))
    return path
