"""A page of pictures with words under them: quiet ground, white cards, dim captions."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

WIDE = 1240
MARGIN, GAP, INSIDE = 36, 16, 8
GROUND, CARD, RIM, INK, DIM, FAULT = (
    (243, 244, 246),
    (255, 255, 255),
    (226, 228, 232),
    (24, 27, 33),
    (118, 124, 134),
    (180, 35, 40),
)
SMALL, SMALLER, LARGE, TITLE = 13, 11, 17, 26


@dataclass(frozen=True, slots=True)
class Tile:
    """A picture, what it is called, and a dim line below; without a picture the line says why."""

    picture: np.ndarray | None
    name: str
    line: str


class Page:
    """Bands one below the other, each as wide as the page."""

    def __init__(self, title: str, line: str) -> None:
        self.bands: list[np.ndarray] = [_ground(MARGIN - GAP)]
        self.heading(title, line, TITLE)

    def side(self, across: int) -> int:
        """How large a picture may be where so many stand in a row."""
        return (WIDE - 2 * MARGIN - (across - 1) * GAP) // across - 2 * INSIDE

    def heading(self, title: str, line: str, size: int = LARGE) -> None:
        """A title and a dim line."""
        lines = _wrapped(line, SMALL, WIDE - 2 * MARGIN)
        band = _ground(GAP + round(size * 1.5) + len(lines) * 20)
        write(band, MARGIN, GAP, title, size, INK, WIDE - 2 * MARGIN)
        for number, each in enumerate(lines):
            write(band, MARGIN, GAP + round(size * 1.5) + number * 20, each, SMALL, DIM, WIDE - 2 * MARGIN)
        self.bands.append(band)

    def grid(self, tiles: Sequence[Tile], across: int) -> None:
        """Rows of cards, each row as high as its highest picture."""
        side = self.side(across)
        for first in range(0, len(tiles), across):
            row = tiles[first : first + across]
            pictures = [None if tile.picture is None else fitted(tile.picture, side) for tile in row]
            high = max([side // 2, *(len(picture) for picture in pictures if picture is not None)])
            band = _ground(GAP + high + 2 * INSIDE + 40)
            for place, (tile, picture) in enumerate(zip(row, pictures, strict=True)):
                left = MARGIN + place * (side + 2 * INSIDE + GAP)
                _card(band[GAP:, left : left + side + 2 * INSIDE], tile, picture, side, high)
            self.bands.append(band)

    def pixels(self) -> np.ndarray:
        """The whole page."""
        return np.concatenate([*self.bands, _ground(MARGIN)])


def fitted(picture: np.ndarray, side: int) -> np.ndarray:
    """A picture no wider than its room and not much higher: strips of words make pictures higher than they were."""
    from sightline.core.inputs import resize

    scale = min(1.0, side / picture.shape[1], 1.35 * side / picture.shape[0])
    return resize(picture, (max(1, round(picture.shape[0] * scale)), max(1, round(picture.shape[1] * scale))))


def _card(band: np.ndarray, tile: Tile, picture: np.ndarray | None, side: int, high: int) -> None:
    band[...] = CARD
    for edge in (band[:1], band[-1:], band[:, :1], band[:, -1:]):
        edge[...] = RIM
    top = INSIDE
    if picture is None:
        band[top : top + high, INSIDE : INSIDE + side] = GROUND
        for number, line in enumerate(_wrapped(tile.line, SMALLER, side - 16)[: max(1, (high - 16) // 16)]):
            write(band, INSIDE + 8, top + 8 + number * 16, line, SMALLER, FAULT, side - 16)
    else:
        down, right = top + (high - len(picture)) // 2, INSIDE + (side - picture.shape[1]) // 2
        band[down : down + len(picture), right : right + picture.shape[1]] = picture
    write(band, INSIDE, top + high + 5, tile.name, SMALL, INK, side)
    if picture is not None:
        write(band, INSIDE, top + high + 22, tile.line, SMALLER, DIM, side)


def _ground(high: int) -> np.ndarray:
    return np.full((high, WIDE, 3), GROUND, np.uint8)


@lru_cache(maxsize=8)
def _font(size: int) -> Any:
    from PIL import ImageFont

    return ImageFont.load_default(size)


def _plain(text: str) -> str:
    """One line without control or direction characters, which names of strangers hold."""
    return " ".join("".join(c if unicodedata.category(c)[0] != "C" else " " for c in text[:2000]).split())


def _cut(text: str, size: int, room: int) -> str:
    """Shortened in its middle, since names of files differ at both ends."""
    text, font = _plain(text), _font(size)
    if font.getlength(text) <= room:
        return text
    kept = len(text)
    while kept > 1 and font.getlength(text[: (kept + 1) // 2] + "…" + text[len(text) - kept // 2 :]) > room:
        kept = min(kept - 1, int(kept * 0.95))
    return text[: (kept + 1) // 2] + "…" + text[len(text) - kept // 2 :]


def _wrapped(text: str, size: int, room: int) -> list[str]:
    lines: list[str] = [""]
    for word in _plain(text).split(" "):
        longer = f"{lines[-1]} {word}".strip()
        if _font(size).getlength(longer) <= room or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines[:6]


def write(band: np.ndarray, x: int, y: int, text: str, size: int, colour: tuple[int, int, int], room: int) -> None:
    """A line of text, cut to its room."""
    from PIL import Image, ImageDraw

    text = _cut(text, size, room)
    if not text:
        return
    mask = Image.new("L", (min(room, int(_font(size).getlength(text)) + 2), round(size * 1.5)), 0)
    ImageDraw.Draw(mask).text((0, 0), text, fill=255, font=_font(size))
    part = band[y : y + mask.height, x : x + mask.width]
    share = np.asarray(mask, np.float32)[: part.shape[0], : part.shape[1], None] / 255
    part[...] = np.rint(part + (np.array(colour, np.float32) - part) * share).astype(np.uint8)
