"""Text on pixels: measured, cut to its room, drawn smooth with the font that Pillow brings."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Any

import numpy as np

from sightline.overlays._paint import Colour

LONGEST = 160  # characters that are ever measured; a name may be a megabyte


@lru_cache(maxsize=32)
def font(size: int) -> Any:
    """The built-in font at a size in pixels."""
    from PIL import ImageFont

    return ImageFont.load_default(size)


def plain(text: str) -> str:
    """One line without control, direction or half characters, which names of strangers hold."""
    kept = (
        " " if letter.isspace() else letter
        for letter in text[: 4 * LONGEST]
        if letter.isspace() or unicodedata.category(letter) not in ("Cc", "Cf", "Cs")
    )
    return " ".join("".join(kept).split())[:LONGEST]


def width_of(text: str, size: int) -> int:
    """Pixels that a line takes."""
    return int(np.ceil(font(size).getlength(text))) if text else 0


def height_of(size: int) -> int:
    """Pixels from the top of the tallest letter to the foot of the lowest."""
    above, below = font(size).getmetrics()
    return int(above + below)


def cut(text: str, size: int, room: int) -> str:
    """The line, shortened with an ellipsis to fit; nothing where not even one letter fits."""
    text = plain(text)
    if width_of(text, size) <= room:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if width_of(text[:middle] + "…", size) <= room else (low, middle - 1)
    return text[:low].rstrip() + "…" if low else ""


def wrap(text: str, size: int, room: int, most: int) -> list[str]:
    """Lines of whole words, at most so many; what does not fit ends in an ellipsis."""
    lines: list[str] = []
    words = plain(text).split(" ")
    while words and words[0]:
        taken = 1
        while taken < len(words) and width_of(" ".join(words[: taken + 1]), size) <= room:
            taken += 1
        if len(lines) == most - 1:
            return [*lines, cut(" ".join(words), size, room)]
        lines.append(cut(" ".join(words[:taken]), size, room))
        words = words[taken:]
    return lines


def write(picture: np.ndarray, x: int, y: int, text: str, size: int, colour: Colour) -> None:
    """Draw a line with its top left corner at a place; what would lie outside is left out."""
    from PIL import Image, ImageDraw

    if not text:
        return
    wide, high = width_of(text, size) + 2, height_of(size)
    sheet = Image.new("L", (wide, high), 0)
    ImageDraw.Draw(sheet).text((0, 0), text, fill=255, font=font(size))
    left, top = max(0, -x), max(0, -y)
    part = picture[max(0, y) : max(0, y + high), max(0, x) : max(0, x + wide)]
    share = np.asarray(sheet, np.float32)[top : top + part.shape[0], left : left + part.shape[1], None] / 255
    part[...] = np.rint(part + (np.array(colour, np.float32) - part) * share).astype(np.uint8)
