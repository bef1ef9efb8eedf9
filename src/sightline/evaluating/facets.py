"""By what the samples of a side can be parted: their attributes, their true names, and what is measured of pictures."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from sightline.core.annotations import Annotation, Labels
from sightline.core.errors import InputError
from sightline.core.measures import NAMES, measure_row, read_reduced
from sightline.core.sample import Sample

MOST_KINDS = 40  # values of an attribute; one with more tells samples apart, not kinds of them
MOST_MEASURED = 2000  # pictures
MEASURES = {  # column of core/measures -> how its low and its high third are called
    "brightness": ("dark", "bright"),
    "contrast": ("flat", "contrasty"),
    "blur": ("sharp", "blurred"),
    "noise": ("clean", "noisy"),
    "colour": ("gray", "colourful"),
    "size": ("small", "large"),
}
EDGE = 320  # pixels to which a picture is reduced before it is measured


def facets(samples: Sequence[Sample], truths: Sequence[Annotation], seconds: float) -> dict[str, np.ndarray]:
    """A value (or '' where unknown) a sample, by the name of the facet."""
    found: dict[str, np.ndarray] = {}
    for name in sorted({str(key) for sample in samples for key in sample.attributes}):
        values = [sample.attributes.get(name, "") for sample in samples]
        column = np.array([f"{value:g}" if isinstance(value, float) else str(value) for value in values])
        if 1 < len(set(column.tolist())) <= MOST_KINDS:
            found[name] = column
    names = [truth.best if isinstance(truth, Labels) and len(truth.names) == 1 else "" for truth in truths]
    if len(set(names) - {""}) > 1:
        found["name"] = np.array(names)
    return found | {name: column for name, column in measured(samples, seconds).items() if name not in found}


def measured(samples: Sequence[Sample], seconds: float) -> dict[str, np.ndarray]:
    """Thirds of what is measured of pictures; evenly chosen ones where measuring all would take too long."""
    wanted = np.unique(np.linspace(0, len(samples) - 1, min(len(samples), MOST_MEASURED)).round().astype(int))
    rng = np.random.default_rng(0)
    values = np.full((len(samples), len(MEASURES)), np.nan)
    end = time.monotonic() + seconds
    for row in rng.permutation(wanted):
        if time.monotonic() > end:
            break
        values[row] = _measure(samples[row])
    return {
        f"{name}": _thirds(column, MEASURES[name])
        for name, column in zip(MEASURES, values.T, strict=True)
        if len(np.unique(column[np.isfinite(column)])) > 2
    }


def _measure(sample: Sample) -> list[float]:
    if not sample.images:
        return [np.nan] * len(MEASURES)
    try:
        row, _ = measure_row(read_reduced(sample.images[0], EDGE))
    except InputError:
        return [np.nan] * len(MEASURES)
    known = dict(zip(NAMES, row.tolist(), strict=True))
    known["size"] = known["rows"] * known["columns"]
    return [known[name] for name in MEASURES]


def _thirds(column: np.ndarray, called: tuple[str, str]) -> np.ndarray:
    low, high = np.nanquantile(column, (1 / 3, 2 / 3))
    words = np.full(len(column), "", "<U12")
    words[np.isfinite(column)] = "middling"
    words[column <= low] = called[0]
    words[column > high] = called[1]
    return words
