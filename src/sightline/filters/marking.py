"""Filters that mark a picture: for people to see, or for a key to find."""

from __future__ import annotations

from typing import Any

import numpy as np

from sightline.core.asked import one_of, within
from sightline.core.depth import from_unit, unit
from sightline.core.errors import InputError, SettingsError
from sightline.core.marking import busy, mark
from sightline.filters._given import picture_of
from sightline.filters._pixels import on_pixels
from sightline.filters._planes import gray_of

PLACES = ("bottom_right", "bottom_left", "top_right", "top_left", "centre", "everywhere")
_LONGEST = 200  # characters


@on_pixels
def watermark(
    image: np.ndarray,
    *,
    text: str = "preview",
    picture: Any = None,
    place: str = "bottom_right",
    size: float = 0.25,
    opacity: float = 0.5,
) -> np.ndarray:
    """A text, or a `picture` (an array or a file), laid over a corner, the centre or `everywhere`.

    `size` is its share of the picture's width. Text is white with a dark rim, so that it is read on any ground.
    """
    one_of("watermark", PLACES, place=place)
    within("watermark", 0.01, 1, size=size)
    within("watermark", 0, 1, opacity=opacity)
    values = unit(image)
    wide = max(1, round(size * image.shape[1]))
    colours, share = _letters(text, wide) if picture is None else _logo(picture, wide, image.shape)
    share = share * np.float32(opacity)
    for top, left in _corners(place, image.shape, share.shape):
        high, broad = min(share.shape[0], image.shape[0] - top), min(share.shape[1], image.shape[1] - left)
        cover = share[:high, :broad, None]
        under = values[top : top + high, left : left + broad]
        under += (colours[:high, :broad] - under) * cover
    return from_unit(values, image)


def _letters(text: Any, wide: int) -> tuple[np.ndarray, np.ndarray]:
    """White letters with a dark rim as gray of 0 to 1, and how much they cover."""
    from PIL import Image, ImageDraw, ImageFont

    if not isinstance(text, str) or not text.strip() or len(text) > _LONGEST or not text.isprintable():
        raise SettingsError(f"watermark: text = {text!r}: must be one line of 1 to {_LONGEST} characters.")
    unknown = bytes(ImageFont.load_default(12).getmask("\uffff"))
    strange = [letter for letter in text if bytes(ImageFont.load_default(12).getmask(letter)) == unknown]
    if strange:
        raise SettingsError(f"watermark: text has {strange[0]!r}, which the built-in font lacks; give a picture of it.")
    tall = 40
    length = max(1.0, ImageFont.load_default(tall).getlength(text))
    tall = max(4, min(400, round(tall * wide / length)))
    font = ImageFont.load_default(tall)
    rim = max(1, tall // 16)
    left, top, right, bottom = (int(edge) for edge in font.getbbox(text, stroke_width=rim))
    sheets = []
    for stroke in (0, rim):
        sheet = Image.new("L", (max(1, right - left), max(1, bottom - top)), 0)
        ImageDraw.Draw(sheet).text((-left, -top), text, fill=255, font=font, stroke_width=stroke)
        sheets.append(np.asarray(sheet, np.float32) / 255)
    return sheets[0][..., None], sheets[1]


def _logo(picture: Any, wide: int, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """That picture at its width in the picture's channels; its own alpha (2 or 4 channels) is what it covers."""
    import cv2

    given = picture_of("watermark", "picture", picture)
    if given.ndim != 3:
        raise InputError("mismatch", f"watermark: the picture has rows, columns and channels, not {given.shape}.")
    logo = unit(given)
    high = max(1, min(shape[0], round(wide * logo.shape[0] / logo.shape[1])))
    share = np.ones(logo.shape[:2], np.float32)
    if logo.shape[2] in (2, 4):
        logo, share = logo[..., :-1], np.ascontiguousarray(logo[..., -1])
    if logo.shape[2] not in (1, shape[2]):
        logo = gray_of(logo)[..., None]
    logo = np.asarray(cv2.resize(np.ascontiguousarray(logo), (wide, high), interpolation=cv2.INTER_AREA))
    cover = np.asarray(cv2.resize(share, (wide, high), interpolation=cv2.INTER_AREA))
    return logo.reshape(high, wide, -1), cover


def _corners(place: str, shape: tuple[int, ...], mine: tuple[int, ...]) -> list[tuple[int, int]]:
    """Top and left of every copy."""
    rows, columns = shape[0] - mine[0], shape[1] - mine[1]
    rim = round(0.02 * min(shape[:2]))
    if place == "everywhere":
        down, right = 2 * mine[0] + rim, mine[1] + mine[1] // 2
        return [
            (top, left)
            for number, top in enumerate(range(rim, shape[0], down))
            for left in range(rim + (number % 2) * right // 2, shape[1], right)
        ]
    if place == "centre":
        return [(max(0, rows // 2), max(0, columns // 2))]
    top = rim if place.startswith("top") else rows - rim
    left = rim if place.endswith("left") else columns - rim
    return [(min(max(0, top), shape[0] - 1), min(max(0, left), shape[1] - 1))]


@on_pixels
def invisible_watermark(image: np.ndarray, *, key: str = "sightline", strength: float = 1.0) -> np.ndarray:
    """A mark for made pictures that no eye sees and the finder `watermark` finds with the same `key`.

    It outlives JPEG of quality 75, half the size and other shapes of pictures of 256 x 256 pixels and more; not cutting
    and turning. At `strength` 1 about 1.5 levels of 8 bits are added, more where much happens, fewer where it is even.
    """
    within("invisible_watermark", 0, 10, strength=strength)
    if not isinstance(key, str) or not key:
        raise SettingsError(f"invisible_watermark: key = {key!r}: must be a text that is not empty.")
    values = unit(image)
    rows, columns = image.shape[:2]
    added = mark(rows, columns, key) * busy(gray_of(values)) * np.float32(1.5 * strength / 255)
    values += added[..., None]
    return from_unit(values, image)
