"""Flat pages of text: what is written, where, and the ink."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import numpy as np

KINDS = ("letter", "invoice", "receipt", "notice")
NAMES = ("title", "line", "number")
_FIRST = (
    "Anna",
    "Boris",
    "Chen",
    "Dara",
    "Elif",
    "Femi",
    "Grete",
    "Hugo",
    "Ines",
    "Jonas",
    "Kavya",
    "Luca",
    "Mira",
    "Noah",
)
_GOODS = (
    "Apples", "Bread", "Cable", "Drill", "Envelopes", "Filter", "Glue", "Hinges", "Ink", "Jar", "Lamp", "Milk", "Nails",
    "Oil", "Paper", "Rope", "Screws", "Tea", "Valve", "Wire",
)  # fmt: skip
_WORDS = (
    "the", "of", "and", "to", "in", "a", "is", "that", "for", "it", "was", "on", "are", "as", "with", "his", "they",
    "at", "be", "this", "from", "have", "or", "by", "one", "had", "not", "but", "water", "light", "machine", "river",
    "window", "letter", "garden", "station", "morning", "picture", "number", "people", "summer", "north", "small",
)  # fmt: skip
_SHOPS = ("North Market", "River Shop", "Old Mill", "Green Corner", "Harbour Store")
_NOTICES = ("NOTICE", "WARNING", "OPEN TODAY", "NO ENTRY", "MEETING", "LOST CAT", "FOR SALE", "CLOSED")
_fonts = threading.local()


@dataclass(frozen=True, slots=True)
class Line:
    """Words on a page: where they begin (or end, where `right`), in units of 1/256 of the picture."""

    text: str
    x: float
    y: float
    height: float
    name: str = "line"
    right: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """Paper with ink on it; quads are the tight corners of each line, in pixels of the ink."""

    ink: np.ndarray  # (rows, columns) uint8, 255 is black
    quads: np.ndarray  # (n, 4, 2)
    lines: tuple[Line, ...]


def write(kind: str, scale: float, chance: np.random.Generator) -> Page:
    """A page of a kind with `scale` pixels a unit."""
    from PIL import Image, ImageDraw

    wide, tall = {"letter": (168, 216), "invoice": (172, 212), "receipt": (112, 216), "notice": (176, 190)}[kind]
    lines, rules = _LAYOUTS[kind](wide, tall, chance)
    sheet = Image.new("L", (round(wide * scale), round(tall * scale)), 0)
    pen = ImageDraw.Draw(sheet)
    quads = []
    for line in lines:
        font, anchor = _font(max(4, round(line.height * scale))), "rs" if line.right else "ls"
        at = (round(line.x * scale), round(line.y * scale))
        bold = 1 if line.name == "title" and line.height * scale > 20 else 0
        pen.text(at, line.text, fill=255, font=font, anchor=anchor, stroke_width=bold)
        x0, y0, x1, y1 = pen.textbbox(at, line.text, font=font, anchor=anchor, stroke_width=bold)
        quads.append([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])
    for y in rules:
        pen.line(
            [(10 * scale, y * scale), ((wide - 10) * scale, y * scale)], fill=120, width=max(1, round(scale * 0.7))
        )
    return Page(np.asarray(sheet), np.array(quads, np.float64), tuple(lines))


def _font(height: int) -> Any:
    """Pillow's own font at a height; one a thread, for the library does not say that they may be shared."""
    from PIL import ImageFont

    held: dict[int, Any] = _fonts.__dict__.setdefault("held", {})
    if height not in held:
        held[height] = ImageFont.load_default(height)
    return held[height]


def _sentence(chance: np.random.Generator, room: float, height: float) -> str:
    """As many words as fit about `room` units of this height."""
    words: list[str] = []
    length = 0.0
    while True:
        word = _WORDS[int(chance.integers(len(_WORDS)))]
        length += (len(word) + 1) * height * 0.52
        if length > room and words:
            return " ".join(words)
        words.append(word)


def _date(chance: np.random.Generator) -> str:
    return f"{int(chance.integers(1, 29)):02d}.{int(chance.integers(1, 13)):02d}.{int(chance.integers(2001, 2031))}"


def _name(chance: np.random.Generator) -> str:
    return _FIRST[int(chance.integers(len(_FIRST)))]


def _letter(wide: int, tall: int, chance: np.random.Generator) -> tuple[list[Line], list[float]]:
    lines = [Line(_date(chance), wide - 14, 22, 10, "number", True), Line(f"Dear {_name(chance)},", 14, 48, 12)]
    rooms = [wide - 30 - (40 if row % 4 == 3 else 0) for row in range(int(chance.integers(6, 9)))]
    lines += [Line(_sentence(chance, room, 11), 14, 68 + row * 15, 11) for row, room in enumerate(rooms)]
    lines.append(Line(f"Yours, {_name(chance)}", 14, 68 + (len(lines) - 2) * 15 + 14, 13))
    return lines, []


def _rows(wide: int, top: float, step: float, height: float, chance: np.random.Generator) -> tuple[list[Line], float]:
    """Goods with prices, and their true sum below."""
    count = int(chance.integers(4, 7))
    cents = chance.integers(95, 9900, count)
    lines = []
    for row, good in enumerate(chance.choice(_GOODS, count, replace=False)):
        y = top + row * step
        lines.append(Line(str(good), 14, y, height))
        lines.append(Line(f"{cents[row] / 100:.2f}", wide - 14, y, height, "number", True))
    bottom = top + count * step + 5
    lines.append(Line("Total", 14, bottom, height + 1.5))
    lines.append(Line(f"{cents.sum() / 100:.2f}", wide - 14, bottom, height + 1.5, "number", True))
    return lines, bottom - step + 1


def _invoice(wide: int, tall: int, chance: np.random.Generator) -> tuple[list[Line], list[float]]:
    head = [
        Line(f"INVOICE {int(chance.integers(1000, 9999))}", 14, 28, 17, "title"),
        Line(f"To {_name(chance)}", 14, 50, 11),
    ]
    head.append(Line(_date(chance), wide - 14, 50, 10, "number", True))
    rows, rule = _rows(wide, 82, 17, 11, chance)
    return head + rows, [62, rule]


def _receipt(wide: int, tall: int, chance: np.random.Generator) -> tuple[list[Line], list[float]]:
    head = [
        Line(_SHOPS[int(chance.integers(len(_SHOPS)))], 14, 24, 12, "title"),
        Line(_date(chance), 14, 42, 9, "number"),
    ]
    rows, rule = _rows(wide, 66, 16, 10.5, chance)
    return [*head, *rows, Line("Thank you", 14, 200, 10)], [50, rule]


def _notice(wide: int, tall: int, chance: np.random.Generator) -> tuple[list[Line], list[float]]:
    lines = [Line(_NOTICES[int(chance.integers(len(_NOTICES)))], 14, 42, 24, "title")]
    rows = range(int(chance.integers(3, 6)))
    return lines + [Line(_sentence(chance, wide - 30, 16), 14, 78 + row * 22, 16) for row in rows], [54]


_LAYOUTS = {"letter": _letter, "invoice": _invoice, "receipt": _receipt, "notice": _notice}
