"""What would help a picture: measured where it is sharpest to measure, at its own resolution, and said in words."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sightline.core.measures import measure
from sightline.enhancing import weights
from sightline.enhancing.steps import STEPS
from sightline.enhancing.weights import unit_like

NOISY = 5.0  # gray levels of eight bits: more is seen
BLOCKY = 0.15  # steps across the grid of blocks over steps beside it, less one: more is seen
DARK = 0.22  # mean light
SMALL = 480  # pixels of the longer side: less looks coarse on any screen
_SIDES = (96, 256)  # pixels of a part that is measured, at least and at most
_PARTS = 3  # parts along each axis


@dataclass(frozen=True, slots=True)
class Advice:
    """A step, whether it would help, and why."""

    name: str
    helps: bool
    why: str


def measured(pixels: np.ndarray) -> dict[str, float]:
    """Noise, blockiness, light and size of a picture.

    Noise is that of its quietest parts but one, since texture looks like noise; all else is in the middle of the parts.
    """
    rows, columns = pixels.shape[:2]
    clear = pixels.shape[2] in (2, 4)
    seen, cover = (pixels[..., :-1], pixels[..., -1]) if clear else (pixels, None)
    least, most = _SIDES
    high, wide = (min(side, max(least, min(most, side // _PARTS))) for side in (rows, columns))
    tops, lefts = (
        sorted({round(at) // 8 * 8 for at in np.linspace(0, side - part, _PARTS)})
        for side, part in ((rows, high), (columns, wide))
    )
    found: list[Mapping[str, float]] = []
    places = list(itertools.product(tops, lefts))
    if cover is not None:  # what is hidden is as nobody sees it: measured where most is covered
        covered = [float(unit_like(cover[y : y + high, x : x + wide], cover).mean()) for y, x in places]
        places = [place for place, share in zip(places, covered, strict=True) if share >= min(0.9, max(covered))]
    for top, left in places:
        part = unit_like(seen[top : top + high, left : left + wide], seen)
        found.append(measure((part * 255).round().clip(0, 255).astype(np.uint8)))
    middle = {name: _middle([each[name] for each in found]) for name in ("noise", "blockiness", "brightness")}
    quiet = sorted(each["noise"] for each in found if each["noise"] == each["noise"])
    noise = quiet[min(1, len(quiet) - 1)] if quiet else math.nan
    return {**middle, "noise": noise, "rows": float(rows), "columns": float(columns)}


def advice(pixels: np.ndarray, *, folder: Path | None = None) -> tuple[dict[str, float], list[Advice]]:
    """What was measured, and each step in the order in which it would be done."""
    told = measured(pixels)
    noise, blocks, light = told["noise"], told["blockiness"], told["brightness"]
    longest = int(max(told["rows"], told["columns"]))
    seen = NOISY * min(1.0, max(light, 0.1) / DARK)  # more light shows more of it
    rows = [
        ("deblock", blocks > BLOCKY, f"blockiness {blocks:.2f}, seen above {BLOCKY:g}"),
        ("denoise", noise > seen, f"noise {noise:.1f} gray levels, seen above {seen:.2g}"),
        ("brighten", light < DARK, f"mean light {light:.2f}, dark is below {DARK:g}"),
        ("enlarge2", longest < SMALL, f"{longest} pixels along its longer side, coarse below {SMALL}"),
    ]
    answer = []
    for name, helps, why in rows:
        kind = STEPS[name].weights
        if helps and kind and not weights.there(kind, folder):
            helps, why = False, f"{why}, but no weights for it are here"
        answer.append(Advice(name, bool(helps), why))
    return told, answer


def _middle(values: list[float]) -> float:
    known = [value for value in values if value == value]
    return float(np.median(known)) if known else math.nan
