"""What would help a picture: measured where it is sharpest to measure, at its own resolution, and said in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sightline.core.measures import measure
from sightline.enhancing import weights
from sightline.enhancing.steps import STEPS
from sightline.enhancing.weights import unit_like

NOISY = 3.0  # gray levels of eight bits: more is seen
BLOCKY = 0.35  # steps across the grid of blocks over steps beside it, less one: more is seen
DARK = 0.22  # mean light
SMALL = 480  # pixels of the longer side: less looks coarse on any screen
_SIDE = 320  # pixels of a part that is measured
_PLACES = ((0.5, 0.5), (0.2, 0.2), (0.2, 0.8), (0.8, 0.2), (0.8, 0.8))


@dataclass(frozen=True, slots=True)
class Advice:
    """A step, whether it would help, and why."""

    name: str
    helps: bool
    why: str


def measured(pixels: np.ndarray) -> dict[str, float]:
    """Noise, blockiness, light and size of a picture, in the middle of what its parts say."""
    rows, columns = pixels.shape[:2]
    seen = pixels[..., :-1] if pixels.shape[2] in (2, 4) else pixels
    found: list[Mapping[str, float]] = []
    for down, across in _PLACES if max(rows, columns) > 2 * _SIDE else _PLACES[:1]:
        top, left = (max(0, int((side - _SIDE) * at)) // 8 * 8 for side, at in ((rows, down), (columns, across)))
        part = unit_like(seen[top : top + _SIDE, left : left + _SIDE], seen)
        found.append(measure((part * 255).round().clip(0, 255).astype(np.uint8)))
    middle = {name: _median([each[name] for each in found]) for name in ("noise", "blockiness", "brightness")}
    return {**middle, "rows": float(rows), "columns": float(columns)}


def advice(pixels: np.ndarray, *, folder: Path | None = None) -> tuple[dict[str, float], list[Advice]]:
    """What was measured, and each step in the order in which it would be done."""
    told = measured(pixels)
    noise, blocks, light = told["noise"], told["blockiness"], told["brightness"]
    longest = int(max(told["rows"], told["columns"]))
    rows = [
        ("brighten", light < DARK, f"mean light {light:.2f}, dark is below {DARK:g}"),
        ("deblock", blocks > BLOCKY, f"blockiness {blocks:.2f}, seen above {BLOCKY:g}"),
        ("denoise", noise > NOISY, f"noise {noise:.1f} gray levels, seen above {NOISY:g}"),
        ("enlarge2", longest < SMALL, f"{longest} pixels along its longer side, coarse below {SMALL}"),
    ]
    answer = []
    for name, helps, why in rows:
        kind = STEPS[name].weights
        if helps and kind and not weights.there(kind, folder):
            helps, why = False, f"{why}, but no weights for it are here"
        answer.append(Advice(name, bool(helps), why))
    return told, answer


def _median(values: list[float]) -> float:
    known = [value for value in values if value == value]
    return float(np.median(known)) if known else float("nan")
