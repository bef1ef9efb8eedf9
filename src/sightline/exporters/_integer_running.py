"""Runs a network of integers in one arena that is there before the first picture: no float comes before the answers."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from sightline.exporters._integer_program import Program, Step
from sightline.exporters._integer_values import moved, moved_shape
from sightline.exporters._integer_windows import conv, dense, largest, windows
from sightline.exporters._integer_work import INDEX, Place, Work, blocks, look, shared


def run_steps(work: Work, fixed: Sequence[np.ndarray], given: Mapping[str, np.ndarray]) -> None:
    """One picture through every step; `fixed` are the program's arrays, those of weights as wide as they are summed."""
    for name, number in work.program.inputs.items():
        work.tensors[number][...] = given[name]
    for step in work.program.steps:
        taken = [work.tensors[number] for number in step.takes]
        arrays = {name: fixed[place] for name, place in step.arrays.items()}
        DOES[step.do](work, step.settings, arrays, taken, work.tensors[step.gives])


def _table(work: Work, settings: Mapping[str, Any], arrays: Any, taken: Any, gives: np.ndarray) -> None:
    axis = settings["axis"]
    for place in blocks(gives.shape, work.program.scratch // (INDEX + 2)):
        work.begin()
        out = work.room(np.uint8, [part.stop - part.start for part in place])
        start = place[axis].start if axis >= 0 else 0
        gives[place] = look(work, taken[0][place], arrays["table"], axis, start, out)


def _combine(work: Work, settings: Mapping[str, Any], arrays: Any, taken: Any, gives: np.ndarray) -> None:
    how = settings["how"]
    for place in blocks(gives.shape, work.program.scratch // (4 * INDEX + 8)):
        work.begin()
        sides = [part.stop - part.start for part in place]
        total = work.room(np.int64 if how == "multiply" else np.int32, sides)
        held = work.used
        for number, (one, reader) in enumerate(zip(taken, settings["readers"], strict=True)):
            work.used = held
            found = _side(work, one, reader, arrays.get(f"reader{number}"), place)
            if number == 0:
                total[...] = found
            else:
                _JOIN[how](total, found, out=total, casting="same_kind")
        if how == "multiply":
            _scaled(total, settings)
        else:
            total += settings["start"] + ((1 << settings["bits"]) >> 1)
            np.right_shift(total, settings["bits"], out=total)
            np.clip(total, settings["low"], settings["high"], out=total)
        if "table" in arrays:
            work.used = held
            _finer(work, settings, arrays, total, gives[place])
        else:
            np.copyto(gives[place], total, casting="unsafe")


_JOIN: dict[str, Callable[..., Any]] = {
    "add": np.add, "multiply": np.multiply, "max": np.maximum, "min": np.minimum,
}  # fmt: skip


def _finer(work: Work, settings: Any, arrays: Mapping[str, np.ndarray], total: np.ndarray, out: np.ndarray) -> None:
    """What follows a sum: the entry of the last of `breaks` that it has reached, or a place between two entries."""
    place = work.room(np.int64, total.shape)
    if "part" in settings:
        _between(work, settings["part"], arrays["table"], total, place)
        np.copyto(out, place, casting="unsafe")
        return
    _reached(work, arrays["breaks"], total, place)
    found = work.room(arrays["table"].dtype, total.shape)
    out[...] = np.take(arrays["table"], place, out=found, mode="clip")


def _between(work: Work, part: int, table: np.ndarray, total: np.ndarray, place: np.ndarray) -> None:
    """Between two neighbouring entries, as far as the last bits say."""
    lower, upper = work.room(np.int32, total.shape), work.room(np.int32, total.shape)
    np.right_shift(total, part, out=place)
    np.take(table, place, out=lower, mode="clip")
    place += 1
    np.take(table, place, out=upper, mode="clip")
    upper -= lower
    np.bitwise_and(total, (1 << part) - 1, out=place)
    place *= upper
    place += 1 << (part - 1)
    np.right_shift(place, part, out=place)
    place += lower


def _reached(work: Work, breaks: np.ndarray, total: np.ndarray, place: np.ndarray) -> None:
    """How many breaks every number has reached; there are 2^n - 1 of them, so that halving ends evenly."""
    probe, held = work.room(np.int64, total.shape), work.room(np.int32, total.shape)
    passed = work.room(np.bool_, total.shape)
    place[...] = 0
    step = (len(breaks) + 1) // 2
    while step:
        np.add(place, step - 1, out=probe)
        np.take(breaks, probe, out=held, mode="clip")
        np.less_equal(held, total, out=passed)
        np.multiply(passed, step, out=probe)
        place += probe
        step //= 2


def _side(work: Work, one: np.ndarray, reader: Mapping[str, int], table: Any, place: Place) -> np.ndarray:
    """One side of a sum or product, piece by piece, in the numbers that all sides share."""
    own = shared(place, one.shape)
    codes = one[own]
    if "multiplier" in reader:
        wide = work.room(np.int64, codes.shape)
        np.copyto(wide, codes)
        wide *= reader["multiplier"]
        wide += (1 << reader["shift"]) >> 1
        np.right_shift(wide, reader["shift"], out=wide)
        return wide
    start = own[reader["axis"]].start if reader["axis"] >= 0 else 0
    return look(work, codes, table, reader["axis"], start, work.room(np.int32, codes.shape))


def _scaled(wide: np.ndarray, settings: Mapping[str, Any]) -> None:
    """x multiplier / 2^shift, halves up, moved to the zero and cut: the one way that sums become codes."""
    wide *= settings["multiplier"]
    wide += (1 << settings["shift"]) >> 1
    np.right_shift(wide, settings["shift"], out=wide)
    wide += settings["zero"]
    np.clip(wide, settings["low"], settings["high"], out=wide)


def _narrow(work: Work, settings: Mapping[str, Any], arrays: Any, taken: Any, gives: np.ndarray) -> None:
    for place in blocks(gives.shape, work.program.scratch // INDEX):
        work.begin()
        wide = work.room(np.int64, [part.stop - part.start for part in place])
        np.copyto(wide, taken[0][place])
        _scaled(wide, settings)
        np.copyto(gives[place], wide, casting="unsafe")


def _sum(work: Work, settings: Mapping[str, Any], arrays: Any, taken: Any, gives: np.ndarray) -> None:
    x, over, axis = taken[0], tuple(settings["over"]), settings["axis"]
    out = gives.reshape([1 if place in over else side for place, side in enumerate(x.shape)])
    out[...] = 0
    for place in blocks(x.shape, work.program.scratch // (INDEX + 8)):
        work.begin()
        sides = [part.stop - part.start for part in place]
        start = place[axis].start if axis >= 0 else 0
        found = look(work, x[place], arrays.get("reader0"), axis, start, work.room(np.int32, sides))
        to = out[shared(place, out.shape)]
        to += np.add.reduce(found, over, np.int32, work.room(np.int32, to.shape), keepdims=True)


def _spread(work: Work, settings: Mapping[str, Any], arrays: Any, taken: Any, gives: np.ndarray) -> None:
    x, over, axis = taken[0], tuple(settings["over"]), settings["axis"]
    count, sides = math.prod(x.shape[one] for one in over), [1 if n in over else m for n, m in enumerate(x.shape)]
    work.begin()
    sums, squares = work.room(np.int64, sides), work.room(np.int64, sides)
    sums[...] = squares[...] = 0
    held = work.used
    for place in blocks(x.shape, (len(work.memory) - held) // (4 * INDEX)):
        work.used = held
        piece = [part.stop - part.start for part in place]
        found, codes = work.room(np.int64, piece), work.room(np.int32, piece)
        start = place[axis].start if axis >= 0 else 0
        np.copyto(found, look(work, x[place], arrays.get("reader0"), axis, start, codes))
        to = shared(place, sides)
        one = work.room(np.int64, sums[to].shape)
        sums[to] += np.add.reduce(found, over, np.int64, one, keepdims=True)
        np.multiply(found, found, out=found)
        squares[to] += np.add.reduce(found, over, np.int64, one, keepdims=True)
    squares *= count
    np.multiply(sums, sums, out=sums)
    squares -= sums
    squares <<= settings["bits"]
    squares += count**2 // 2
    squares //= count**2
    np.copyto(gives, squares.reshape(gives.shape), casting="unsafe")


def _move(do: str) -> Callable[..., None]:
    def move(work: Work, settings: Mapping[str, Any], arrays: Any, taken: Any, gives: np.ndarray) -> None:
        if do == "concat":
            start = 0
            for one in taken:
                place = [slice(None)] * gives.ndim
                place[settings["axis"]] = slice(start, start + one.shape[settings["axis"]])
                gives[tuple(place)] = one
                start += one.shape[settings["axis"]]
        else:
            if moved_shape(do, settings, [taken[0].shape]) != gives.shape:
                raise ValueError(f"what {do} gives is of another shape")
            gives[...] = moved(do, settings, taken, int(settings.get("filling", 0)))

    return move


DOES: dict[str, Callable[..., None]] = {
    "table": _table, "combine": _combine, "narrow": _narrow, "conv": conv, "dense": dense, "largest": largest,
    "windows": windows, "sum": _sum, "spread": _spread,
    **{do: _move(do) for do in ("transpose", "reshape", "concat", "slice", "pad", "repeat", "depth")},
}  # fmt: skip


def least(step: Step, program: Program) -> int:
    """Scratch bytes without which a step cannot do even the smallest piece."""
    taken, gives = program.tensors[step.takes[0]].shape, program.tensors[step.gives].shape
    held = {name: program.arrays[place].shape for name, place in step.arrays.items()}
    if step.do in ("conv", "dense"):
        across, *inner = held["weights"]
        return int(4 * math.prod(inner) * step.settings.get("groups", 1) + 12 * across + 64)
    return 16 * math.prod(gives) + 256 if step.do == "spread" else 16 * len(taken) + 256
