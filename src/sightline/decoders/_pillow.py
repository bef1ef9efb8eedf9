"""Pillow behind a list of what it may open: header and pixels of the kinds that it decodes without loss."""

from __future__ import annotations

import contextlib
import io
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from sightline.core.errors import InputError
from sightline.core.header import Header
from sightline.core.limits import Limits

# mode -> channels, colour, transparency
MODES = {
    "1": (1, "gray", ""), "L": (1, "gray", ""), "LA": (2, "gray", "straight"), "La": (2, "gray", "associated"),
    "RGB": (3, "rgb", ""), "RGBA": (4, "rgb", "straight"), "RGBa": (4, "rgb", "associated"), "RGBX": (3, "rgb", ""),
    "P": (3, "rgb", ""), "PA": (4, "rgb", "straight"), "CMYK": (4, "cmyk", ""), "YCbCr": (3, "rgb", ""),
    "I;16": (1, "gray", ""), "I;16B": (1, "gray", ""), "I;16L": (1, "gray", ""), "I;16N": (1, "gray", ""),
}  # fmt: skip


class _Quiet:
    """Warnings off while any thread decodes; the filters of the process are put back by the last one to leave."""

    def __init__(self) -> None:
        self.lock, self.inside, self.kept = threading.Lock(), 0, contextlib.ExitStack()

    def __enter__(self) -> None:
        with self.lock:
            self.inside += 1
            if self.inside == 1:
                self.kept.enter_context(warnings.catch_warnings())
                warnings.simplefilter("ignore")

    def __exit__(self, *_: object) -> None:
        with self.lock:
            self.inside -= 1
            if self.inside == 0:
                self.kept.close()


QUIET = _Quiet()


@contextlib.contextmanager
def opened(data: bytes, kind: str) -> Iterator[Any]:
    """The picture with its header read; nothing but `kind` may open it."""
    from PIL import Image as Pillow

    try:
        with QUIET, Pillow.open(io.BytesIO(data), formats=(kind,)) as picture:
            yield picture
    except Pillow.DecompressionBombError as error:
        raise InputError("too_large", str(error)) from error


def header_of(picture: Any, kind: str, limits: Limits, **more: Any) -> Header:
    """The header of the page that is open; palettes and single transparent shades are told from channels."""
    mode = picture.mode
    if mode not in MODES:
        raise InputError("unsupported", f"{kind} with pixels of the kind '{mode}'. Give 8 or 16 bits a channel.")
    channels, colour, alpha = MODES[mode]
    if not alpha and "transparency" in picture.info:
        channels, alpha = channels + 1, "straight"
    pages = int(getattr(picture, "n_frames", 1))
    profile = picture.info.get("icc_profile") or b""
    if len(profile) > limits.profile:
        raise InputError("too_large", f"a colour profile of {len(profile):,} bytes; the limit is {limits.profile:,}.")
    told = {
        "kind": kind, "shape": (picture.height, picture.width, channels), "colour": colour, "alpha": alpha,
        "dtype": np.dtype(np.uint16 if mode.startswith("I;16") else np.uint8), "palette": mode in ("P", "PA"),
        "bits": 16 if mode.startswith("I;16") else 1 if mode == "1" else 8, "pages": pages,
        "total": pages * picture.height * picture.width * channels, "animated": pages > 1,
        "profile": profile,
    }  # fmt: skip
    return Header(**{**told, **more})


def pixels_of(picture: Any, header: Header) -> np.ndarray:
    """The page that is open, with the channels that its header told."""
    picture.load()
    mode = picture.mode
    clear = bool(header.alpha)
    if mode == "1":
        picture = picture.convert("LA" if clear else "L")
    elif clear and mode not in ("LA", "La", "RGBA", "RGBa"):
        picture = picture.convert("LA" if header.shape[2] == 2 else "RGBA")
    elif mode == "P" and header.colour == "indices":
        pass
    elif mode in ("P", "RGBX", "YCbCr") or (mode == "RGBA" and not clear):
        picture = picture.convert("RGB")
    pixels = np.asarray(picture)
    return pixels.astype(pixels.dtype.newbyteorder("="), copy=False)


def look(data: bytes, kind: str, page: int, limits: Limits, **more: Any) -> Header:
    """Header of a page, for kinds that need no care of their own."""
    with opened(data, kind) as picture:
        if page and 0 < page < getattr(picture, "n_frames", 1) <= limits.frames:
            picture.seek(page)
        if "orientation" not in more:
            turn = picture.getexif().get(0x0112, 1)
            more["orientation"] = turn if turn in range(1, 9) else 1
        return header_of(picture, kind, limits, **more)


def read(data: bytes, kind: str, header: Header, page: int) -> np.ndarray:
    """Pixels of a page, for kinds that need no care of their own."""
    with opened(data, kind) as picture:
        if page:
            picture.seek(page)
        return pixels_of(picture, header)


def frames(data: bytes, kind: str, limits: Limits, **more: Any) -> Iterator[tuple[np.ndarray, Header]]:
    """Every frame in one pass; a frame is composed of those before it."""
    from PIL import Image as Pillow

    with QUIET:
        picture: Any = Pillow.open(io.BytesIO(data), formats=(kind,))
    with picture:
        for page in range(picture.n_frames):
            with QUIET:
                picture.seek(page)
                header = header_of(picture, kind, limits, **more)
                pixels = pixels_of(picture, header)
            yield pixels, header


def encode(pixels: np.ndarray, kind: str, channels: tuple[int, ...], **options: Any) -> bytes:
    """A file of 8 bits a channel, with nothing in it besides the pixels."""
    from PIL import Image as Pillow

    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] not in channels:
        accepted = " or ".join(str(count) for count in channels)
        raise InputError("unsupported", f"{kind} holds uint8 of {accepted} channels here.")
    stream = io.BytesIO()
    Pillow.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).save(stream, kind, **options)
    return stream.getvalue()
