"""Layers with weights and windows: products gathered block by block, summed in 32 bits, and cut to codes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from sightline.exporters._integer_work import INDEX, Work, blocks, look

MANY = 128  # positions of a map at a time


def _settled(work: Work, sums: np.ndarray, part: slice, settings: Any, arrays: Any, out: np.ndarray) -> None:
    """Accumulators of (groups, channels, places) to codes: bias, then a multiplier and a shift of each channel."""
    sides = (sums.shape[0], sums.shape[1], 1)
    sums += arrays["bias"].reshape(sides)
    wide = work.room(np.int64, sums.shape)
    np.copyto(wide, sums)
    wide *= arrays["multiplier"].reshape(sides)
    wide += ((1 << arrays["shift"].astype(np.int64)) >> 1).reshape(sides)
    np.right_shift(wide, arrays["shift"].reshape(sides), out=wide)
    wide += settings["zero"]
    np.clip(wide, settings["low"], settings["high"], out=wide)
    np.copyto(out, wide.reshape(out.shape), casting="unsafe")


def conv(work: Work, settings: Mapping[str, Any], arrays: Any, taken: Any, gives: np.ndarray) -> None:
    """Sums of products under a window, over all channels of a group."""
    groups, (across, inner) = settings["groups"], arrays["weights"].shape[:2]
    weights = arrays["weights"].reshape(groups, across // groups, -1)
    each = 4 * groups * weights.shape[2] + 12 * across
    for rows, columns in blocks(gives.shape[2:], work.program.scratch // each):
        work.begin()
        sides = (rows.stop - rows.start, columns.stop - columns.start)
        sums = work.room(np.int32, (groups, across // groups, math.prod(sides)))
        below = (groups * inner, *settings["kernel"])
        if math.prod(sides) >= MANY:  # numpy sums fastest along the longer of the two axes
            under = work.room(np.int32, (*below, *sides))
            _gathered(settings, taken[0][0], rows, columns, under)
            np.einsum("gok,gkp->gop", weights, under.reshape(groups, -1, math.prod(sides)), out=sums)
        else:
            under = work.room(np.int32, (*sides, *below))
            _gathered(settings, taken[0][0], rows, columns, under.transpose(2, 3, 4, 0, 1))
            np.einsum("gok,pgk->gop", weights, under.reshape(math.prod(sides), groups, -1), out=sums)
        _settled(work, sums, rows, settings, arrays, gives[0, :, rows, columns])


def _gathered(settings: Mapping[str, Any], x: np.ndarray, rows: slice, columns: slice, out: np.ndarray) -> None:
    """Under every place of the window, the codes of all its positions; the zero where it reaches beyond the map."""
    parts = [
        [
            _along(side, part, settings["steps"][axis], settings["before"][axis], settings["gaps"][axis] * tap)
            for tap in range(settings["kernel"][axis])
        ]
        for axis, (side, part) in enumerate(zip(x.shape[1:], (rows, columns), strict=True))
    ]
    for down, (to_rows, from_rows, all_rows) in enumerate(parts[0]):
        for right, (to_columns, from_columns, all_columns) in enumerate(parts[1]):
            here = out[:, down, right]
            if not (all_rows and all_columns):
                here[...] = settings["filling"]
            here[:, to_rows, to_columns] = x[:, from_rows, from_columns]


def _along(side: int, part: slice, step: int, before: int, reach: int) -> tuple[slice, slice, bool]:
    """Which answers of a part see this tap inside the map, where that is, and whether all do."""
    first = max(part.start, -((reach - before) // step))
    last = min(part.stop, (side - 1 - reach + before) // step + 1)
    if last <= first:
        return slice(0, 0), slice(0, 0), False
    start = first * step - before + reach
    whole = first == part.start and last == part.stop
    return (
        slice(first - part.start, last - part.start),
        slice(start, start + (last - first - 1) * step + 1, step),
        whole,
    )


def dense(work: Work, settings: Mapping[str, Any], arrays: Any, taken: Any, gives: np.ndarray) -> None:
    """Sums of products of a row with fixed weights."""
    weights = arrays["weights"]
    given, out = taken[0].reshape(-1, weights.shape[1]), gives.reshape(-1, len(weights))
    for (rows,) in blocks((len(given),), work.program.scratch // (4 * weights.shape[1] + 12 * len(weights))):
        work.begin()
        wide = work.room(np.int32, (rows.stop - rows.start, weights.shape[1]))
        np.copyto(wide, given[rows])
        sums = work.room(np.int32, (1, len(weights), len(wide)))
        np.einsum("ok,pk->op", weights, wide, out=sums[0])
        _settled(work, sums, rows, settings, arrays, out[rows].T)


def largest(work: Work, settings: Mapping[str, Any], arrays: Any, taken: Any, gives: np.ndarray) -> None:
    """The largest code under a window."""
    gives[...] = 0  # the least code there is
    for to, here in _taps(settings, taken[0], gives):
        np.maximum(to, here, out=to)


def _taps(settings: Mapping[str, Any], x: np.ndarray, gives: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """For every place of a window: the answers that see it, and what they see there."""
    whole = [slice(0, side) for side in gives.shape[2:]]
    for taps in np.ndindex(*settings["kernel"]):
        found = [
            _along(side, part, settings["steps"][axis], settings["before"][axis], settings["gaps"][axis] * taps[axis])
            for axis, (side, part) in enumerate(zip(x.shape[2:], whole, strict=True))
        ]
        lead = (slice(None), slice(None))
        yield gives[(*lead, *(one[0] for one in found))], x[(*lead, *(one[1] for one in found))]


def windows(work: Work, settings: Mapping[str, Any], arrays: Any, taken: Any, gives: np.ndarray) -> None:
    """The sum under a window, in 32 bits."""
    gives[...] = 0
    axis = settings["axis"]
    for to, here in _taps(settings, taken[0], gives):
        for place in blocks(to.shape, work.program.scratch // (INDEX + 4)):
            work.begin()
            out = work.room(np.int32, [part.stop - part.start for part in place])
            start = place[axis].start if axis >= 0 else 0
            to[place] += look(work, here[place], arrays.get("reader0"), axis, start, out)
    if "shares" in arrays:
        gives *= arrays["shares"]
