"""Faults of mixture: pictures that are stored or coloured in another way than the others."""

from __future__ import annotations

from collections import Counter

import numpy as np

from sightline.checks._telling import FEW, tell
from sightline.core.dataset import Dataset
from sightline.core.finding import EXAMPLES, Finding, count_of
from sightline.core.measures import measured

GRAY = 0.004  # mean distance between channels below which nobody sees a colour


def mixed_colour(data: Dataset) -> list[Finding]:
    """Gray pictures among colour ones, or the other way: the presence of colour may then tell the label."""
    measures = measured(data)
    colour = measures["colour"]
    gray = colour < GRAY
    rare_gray = gray.sum() <= len(gray) / 2
    marked = gray if rare_gray else colour > 3 * GRAY
    if not marked.any() or len(measures) < FEW:
        return []
    what, others = ("gray", "coloured") if rare_gray else ("coloured", "gray")
    return tell(
        "mixed_colour",
        data,
        (measures, marked),
        -colour if rare_gray else colour,
        lambda count: f"{count} {what} among {others} ones",
        "Make sure that no name has more of them than others; turn all gray if colour is not needed.",
        lambda place: f"colour {colour[place]:.2f}",
        severity="note",
        harm=0.1,
    )


def mixed_depths(data: Dataset) -> list[Finding]:
    """Pictures with another number of channels or bits than most: they cannot be learnt from together as they are."""
    measures = measured(data)
    kinds = list(zip(measures["channels"].astype(int).tolist(), measures["bits"].astype(int).tolist(), strict=True))
    counts = Counter("gray or colour of 8 bits" if kind in ((1, 8), (3, 8)) else _spoken(kind) for kind in kinds)
    if len(counts) < 2:
        return []
    usual = counts.most_common(1)[0][0]
    other = [
        place
        for place, kind in enumerate(kinds)
        if ("gray or colour of 8 bits" if kind in ((1, 8), (3, 8)) else _spoken(kind)) != usual
    ]
    ids = tuple(data[int(measures.rows[place])].id for place in other[:EXAMPLES])
    told = ", ".join(f"{name} {count:,}" for name, count in counts.most_common())
    text = f"{count_of(len(other), 'picture')} stored in another way than the rest ({told})"
    do = "Convert them to one depth and one number of channels, or learn from each kind by itself."
    details = tuple(_spoken(kinds[place]) for place in other[:EXAMPLES])
    return [Finding("mixed_depths", "warn", text, ids, len(other), do, details, harm=0.3 * len(other) / len(kinds))]


def _spoken(kind: tuple[int, int]) -> str:
    channels, bits = kind
    return f"{count_of(channels, 'channel')} of {np.where(bits == 32, 'float', f'{bits} bits')}"
