"""Faults of single pictures: those that cannot be read, and those unlike all others."""

from __future__ import annotations

from collections import Counter

import numpy as np

from sightline.checks._telling import FEW, tell
from sightline.core.chance import generator
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError
from sightline.core.finding import EXAMPLES, Finding
from sightline.core.known import KnownImage, remember
from sightline.core.measures import Measures, measured

LARGER = 2.0  # powers of two by which a size is odd
LONGER = 1.0  # powers of two by which a shape is odd
KINDRED = 2000  # pictures that each one is compared with
NEAREST = 5  # of them must be near
LONELY = 3.0  # times the distance that all but a hundredth keep


def unreadable(data: Dataset) -> list[Finding]:
    """Pictures that cannot be read whole: cut short, damaged, empty, or no pictures at all."""
    faults: dict[int, InputError] = {}
    measures = measured(data)
    for place, sample in enumerate(remember(data)):
        heads = (image.fault for image in sample.images if isinstance(image, KnownImage))
        fault = measures.faults.get(place) or next((fault for fault in heads if fault), None)
        if fault is not None:
            faults[place] = fault
    if not faults:
        return []
    ids = tuple(data[place].id for place in faults)
    codes = Counter(fault.code for fault in faults.values()).most_common()
    told = ", ".join(f"{count} {code}" for code, count in codes)
    text = f"{len(ids)} unreadable ({told}); {next(iter(faults.values())).message}"
    do = "Get them again from where they came; a cleaned view leaves them out."
    details = tuple(fault.message for fault in list(faults.values())[:EXAMPLES])
    severity = "stop" if 2 * len(ids) > len(data) else "warn"
    share = len(ids) / len(data)
    return [Finding("unreadable", severity, text, ids[:EXAMPLES], len(ids), do, details, leave=ids, harm=share)]


def odd_sizes(data: Dataset) -> list[Finding]:
    """Pictures four times as large or as small as the others: thumbnails among originals, or another source."""
    measures = measured(data)
    power = np.log2(np.maximum(measures["rows"] * measures["columns"], 1)) / 2
    away = _away(power)
    return tell(
        "odd_sizes",
        data,
        (measures, away >= LARGER),
        away,
        lambda count: f"{count} of a size unlike the others",
        "Look whether they are thumbnails, or from another source; what is scaled up shows no more detail.",
        lambda place: _size(measures, place),
        severity="note",
        harm=0.1,
    )


def odd_shapes(data: Dataset) -> list[Finding]:
    """Pictures twice as long or as tall as the others: strips, panoramas, cuttings, turned ones."""
    measures = measured(data)
    away = _away(np.log2(measures["columns"] / measures["rows"]))
    return tell(
        "odd_shapes",
        data,
        (measures, away >= LONGER),
        away,
        lambda count: f"{count} of a shape unlike the others",
        "Look whether they are cut or turned; stretched to the common shape, what they show is distorted.",
        lambda place: _size(measures, place),
        severity="note",
        harm=0.1,
    )


def outliers(data: Dataset) -> list[Finding]:
    """Pictures unlike all others in colour, light and detail: often not what this data is about."""
    measures = measured(data)
    if len(measures) < 4 * FEW:
        return []
    features = _features(measures)
    kin = features[np.sort(generator(0, "outliers").permutation(len(features))[:KINDRED])]
    away = np.empty(len(features), np.float32)
    for start in range(0, len(features), 1024):
        part = features[start : start + 1024]
        apart = (part**2).sum(1)[:, None] - 2 * part @ kin.T + (kin**2).sum(1)[None]
        away[start : start + 1024] = np.sqrt(np.partition(apart, NEAREST, 1)[:, NEAREST].clip(0))
    usual = max(1e-3, float(np.quantile(away, 0.5)))
    limit = max(LONELY * usual, 2 * float(np.quantile(away, 0.95)))
    return tell(
        "outliers",
        data,
        (measures, away > limit),
        away,
        lambda count: f"{count} unlike all others",
        "Look at them; leave out what does not belong, and get more of what does.",
        lambda place: f"{away[place] / usual:.1f} times as far from its kin as is usual",
        severity="note",
        harm=0.2,
    )


def _features(measures: Measures) -> np.ndarray:
    """Columns of one scale: what is measured, and the coarse colours; a gap counts as the middle."""
    names = ("brightness", "contrast", "shadows", "highlights", "blur", "entropy", "colour")
    columns = [measures[name] for name in names]
    columns += [np.log(measures["sharpness"] + 1), np.log(measures["noise"] + 1)]
    table = np.stack(columns, 1)
    gaps = np.isnan(table)
    middle = np.nanmedian(np.where(gaps.all(0), 0, table), 0)
    table = np.where(gaps, middle, table)
    table = (table - middle) / (table.std(0) + 1e-3)
    tiles = measures.tiles.reshape(len(table), -1).astype(np.float32)
    tiles = (tiles - tiles.mean(0)) / (tiles.std() + 1e-3)
    return np.concatenate([table, tiles / np.sqrt(tiles.shape[1] / 4)], 1).astype(np.float32)


def _away(power: np.ndarray) -> np.ndarray:
    """How far each value is from the middle one; nothing is, where the values are spread anyway."""
    if len(power) < FEW:
        return np.zeros(len(power))
    middle = np.median(power)
    away = np.abs(power - middle)
    spread = 1.4826 * float(np.median(away))
    return np.asarray(np.where(away > 4 * spread, away, 0.0))


def _size(measures: Measures, place: int) -> str:
    return f"{measures['columns'][place]:.0f} x {measures['rows'][place]:.0f} pixels"
