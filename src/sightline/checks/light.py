"""Faults of exposure: pictures in which there is little to see."""

from __future__ import annotations

import numpy as np

from sightline.checks._telling import far_above, tell
from sightline.core.dataset import Dataset
from sightline.core.finding import Finding
from sightline.core.measures import measured

DARK, BLACK = 0.06, 0.9  # brightness below, or share of black pixels above
BRIGHT, WHITE = 0.85, 0.5  # brightness above, and share of white pixels above
GLARE = 0.1  # share of the picture inside areas of plain white
FLAT, PLAIN = 0.012, 1.0  # contrast below, or bits of the histogram below


def dark(data: Dataset) -> list[Finding]:
    """Pictures that are all but black: what they show is hidden, and a model learns the darkness."""
    measures = measured(data)
    marked = (measures["brightness"] < DARK) | (measures["shadows"] > BLACK)
    return tell(
        "dark",
        data,
        (measures, marked),
        -measures["brightness"],
        lambda count: f"{count} too dark to show much",
        "Expose longer or add light; leave out those in which a person sees nothing.",
        lambda place: f"brightness {measures['brightness'][place]:.2f}",
    )


def overexposed(data: Dataset) -> list[Finding]:
    """Pictures that are mostly plain white: detail is lost for good."""
    measures = measured(data)
    return tell(
        "overexposed",
        data,
        (measures, _washed(measures["brightness"], measures["highlights"])),
        measures["highlights"],
        lambda count: f"{count} overexposed",
        "Expose shorter; a white background is harmless as long as the thing itself is not white.",
        lambda place: f"{measures['highlights'][place]:.0%} white",
    )


def glare(data: Dataset) -> list[Finding]:
    """Areas of plain white in pictures that are otherwise well exposed: lamps, reflections, paper."""
    measures = measured(data)
    marked = far_above(measures["glare"], 6, GLARE) & ~_washed(measures["brightness"], measures["highlights"])
    return tell(
        "glare",
        data,
        (measures, marked),
        measures["glare"],
        lambda count: f"{count} with areas of plain white",
        "Look whether light is reflected; move the lamp, or put a polariser before the lens.",
        lambda place: f"{measures['glare'][place]:.0%} plain white",
        severity="note",
        harm=0.1,
    )


def low_information(data: Dataset) -> list[Finding]:
    """Pictures of one colour: a lens cap, an empty page, a frame that was never filled."""
    measures = measured(data)
    marked = (measures["contrast"] < FLAT) | (measures["entropy"] < PLAIN)
    return tell(
        "low_information",
        data,
        (measures, marked),
        -measures["entropy"],
        lambda count: f"{count} with next to nothing in them",
        "Leave them out, unless empty pictures are something to be recognised.",
        lambda place: f"{measures['entropy'][place]:.1f} bits of gray",
        harm=0.5,
    )


def _washed(brightness: np.ndarray, highlights: np.ndarray) -> np.ndarray:
    return np.asarray((brightness > BRIGHT) & (highlights > WHITE))
