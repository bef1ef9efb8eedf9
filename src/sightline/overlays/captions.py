"""Answers about the picture as a whole: written on a strip added below it, so that no pixel is hidden."""

from __future__ import annotations

import numpy as np

from sightline.core.annotations import Labels, Text, Value, Vector
from sightline.overlays._letters import cut, height_of, width_of, wrap, write
from sightline.overlays._paint import INK, PAPER, Colour, colours, contrast, display, letter_size, shade

_DIM: Colour = (150, 158, 168)
_TRACK: Colour = (52, 58, 66)


def labels(image: np.ndarray, annotation: Labels, *, most: int = 3) -> np.ndarray:
    """The best names with a bar for each score, best first; names without scores stand alone.

    Of names that stand side by side all that hold are shown, as far as twice `most`.
    """
    picture = display(image)
    scores = annotation.scores
    sure = len(annotation.names) if scores is None else int((np.nan_to_num(scores) >= 0.5).sum())
    most = max(most, min(sure, 2 * most))
    order = range(len(annotation.names)) if scores is None else np.argsort(-np.nan_to_num(scores), kind="stable")
    palette = colours(annotation.names)
    rows = [
        (
            annotation.names[row],
            "" if scores is None else f"{float(scores[row]):.2f}",
            palette[row],
            _share(scores, row),
        )
        for row in [int(row) for row in order][:most]
    ]
    left = len(annotation.names) - len(rows)
    more = [(f"and {left} more", "", _DIM, None)] if left > 0 and scores is None else []
    return _strip(picture, [*rows, *more] or [("no label", "", _DIM, None)])


def _number(scores: np.ndarray | None, row: int) -> str:
    return "" if scores is None else f"{float(scores[row]):.2f}"


def _share(scores: np.ndarray | None, row: int) -> float | None:
    return None if scores is None else float(np.clip(np.nan_to_num(scores[row]), 0, 1))


def value(image: np.ndarray, annotation: Value, *, most: int = 6) -> np.ndarray:
    """Each number with its name and, where known, its interval."""
    picture = display(image)
    rows: list[tuple[str, str, Colour, float | None]] = []
    size = letter_size(picture)
    room = picture.shape[1] - 4 * _pad(size) - 4 * size  # beside a few letters of the name
    for row, name in enumerate(annotation.names[:most]):
        says = f"{float(annotation.numbers[row]):.4g}"
        rows.append((name, says, PAPER, None))
        if annotation.low is not None and annotation.high is not None:
            reach = f"{float(annotation.low[row]):.3g} to {float(annotation.high[row]):.3g}"
            if width_of(f"{says}  ({reach})", size) <= room:
                rows[-1] = (name, f"{says}  ({reach})", PAPER, None)
            else:  # on a line of its own, rather than not at all
                rows.append((reach, "", _DIM, None))
    return _strip(picture, rows or [("no value", "", _DIM, None)])


def text(image: np.ndarray, annotation: Text, *, most: int = 4) -> np.ndarray:
    """The words, wrapped to the picture, with their confidence."""
    picture = display(image)
    size = letter_size(picture)
    lines = wrap(annotation.text, size, picture.shape[1] - 2 * _pad(size), most) or ["no text"]
    rows: list[tuple[str, str, Colour, float | None]] = [(line, "", PAPER, None) for line in lines]
    if annotation.confidence is not None:
        rows.append(("confidence", f"{annotation.confidence:.2f}", _DIM, None))
    return _strip(picture, rows, dots=False)


def vector(image: np.ndarray, annotation: Vector, *, most: int = 96) -> np.ndarray:
    """The numbers as bars around a middle line, up for more and down for less than nothing; long ones averaged."""
    picture = display(image)
    size = letter_size(picture)
    pad, wide = _pad(size), picture.shape[1]
    strip = np.full((3 * height_of(size) + 2 * pad, wide, 3), INK, np.uint8)
    numbers = np.nan_to_num(annotation.values.astype(np.float64).ravel(), posinf=0, neginf=0)
    count = max(1, min(most, numbers.size, (wide - 2 * pad) // 3))
    bars = np.array([part.mean() for part in np.array_split(numbers, count)]) if numbers.size else np.zeros(0)
    bars = bars / max(float(np.abs(bars).max(initial=0.0)), 1e-12)
    middle, reach = len(strip) // 2, len(strip) // 2 - pad
    strip[middle, pad : wide - pad] = _TRACK
    edges = np.linspace(pad, wide - pad, len(bars) + 1).astype(int)
    for bar, left, right in zip(bars, edges[:-1], edges[1:], strict=True):
        high = round(float(bar) * reach)
        part = strip[middle - high : middle + 1] if high > 0 else strip[middle : middle - high + 1]
        part[:, left : max(left + 1, right - 1)] = (86, 180, 233) if high >= 0 else (230, 159, 0)
    return np.concatenate([picture, strip])


def _pad(size: int) -> int:
    return max(3, size // 2)


def _strip(picture: np.ndarray, rows: list[tuple[str, str, Colour, float | None]], *, dots: bool = True) -> np.ndarray:
    """The picture and below it one line a row: a dot of its colour, a name, a bar, a number at the right."""
    size = letter_size(picture)
    pad, step = _pad(size), height_of(size) + max(2, size // 4)
    wide = picture.shape[1]
    strip = np.full((len(rows) * step + 2 * pad, wide, 3), INK, np.uint8)
    numbers = max((width_of(says, size) for _, says, _, _ in rows), default=0)
    numbers = numbers if numbers < wide - 4 * pad else 0
    bar = wide // 4 if numbers and wide >= 20 * size and any(share is not None for *_, share in rows) else 0
    indent = pad + (size if dots and wide >= 6 * size else 0)
    room = wide - indent - pad - (numbers + pad if numbers else 0) - (bar + pad if bar else 0)
    for row, (name, says, hue, share) in enumerate(rows):
        colour = hue if contrast(hue) == INK or hue == _DIM else shade(hue, 1.4)  # dark hues would drown in the strip
        top = pad + row * step
        if indent > pad:
            middle, half = top + height_of(size) // 2, max(2, size // 4)
            strip[middle - half : middle + half, pad : pad + 2 * half] = colour
        write(strip, indent, top, cut(name, size, room), size, colour if colour == _DIM else PAPER)
        if numbers:
            write(strip, wide - pad - width_of(says, size), top, says, size, PAPER)
        if bar and share is not None:
            left, middle = wide - 2 * pad - numbers - bar, top + height_of(size) // 2
            thick = max(1, size // 6)
            strip[middle - thick : middle + thick, left : left + bar] = _TRACK
            strip[middle - thick : middle + thick, left : left + round(bar * share)] = colour
    return np.concatenate([picture, strip])
