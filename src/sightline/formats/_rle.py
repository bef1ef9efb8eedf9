"""Masks as lengths of runs, which begin with the run of what is not the thing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sightline.core.errors import InputError

_LARGEST = 200 * 10**6  # pixels


def from_runs(runs: np.ndarray, rows: int, columns: int, where: str, *, down: bool = False) -> np.ndarray:
    """The mask; the runs go along the rows, or down the columns."""
    runs = np.asarray(runs, np.int64)
    if rows < 0 or columns < 0 or rows * columns > _LARGEST:
        raise InputError("too_large", f"{where}: a mask of {rows} x {columns}; the limit is {_LARGEST:,} pixels.")
    if (len(runs) and (runs.min() < 0 or runs.max() > rows * columns)) or int(runs.sum()) != rows * columns:
        raise InputError("label", f"{where}: runs of {int(runs.sum())} pixels for a mask of {rows} x {columns}.")
    flat = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    return np.ascontiguousarray(flat.reshape(columns, rows).T) if down else flat.reshape(rows, columns)


def to_runs(mask: np.ndarray, *, down: bool = False) -> list[int]:
    """The runs of a mask, the first of them perhaps of no pixel."""
    flat = (mask.T if down else mask).ravel()
    turns = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    runs = np.diff(np.concatenate([[0], turns, [flat.size]])).tolist() if flat.size else []
    return [0, *runs] if flat.size and flat[0] else runs


def from_text(text: str, where: str) -> np.ndarray:
    """The runs in the compressed spelling of COCO: six bits a letter, differences of runs."""
    letters = np.frombuffer(text.encode("utf-8", "replace"), np.uint8).astype(np.int64) - 48
    if len(letters) == 0:
        return np.zeros(0, np.int64)
    ends = np.flatnonzero((letters & 32) == 0)
    if letters.min() < 0 or letters.max() > 63 or not len(ends) or ends[-1] != len(letters) - 1:
        raise InputError("label", f"{where}: 'counts' is no run-length text of COCO.")
    starts = np.concatenate([[0], ends[:-1] + 1])
    lengths = ends - starts + 1
    if lengths.max() > 8:
        raise InputError("label", f"{where}: 'counts' holds a run of more than 40 bits.")
    nth = np.arange(len(letters)) - np.repeat(starts, lengths)
    values = np.add.reduceat((letters & 31) << (5 * nth), starts)
    values -= np.where(letters[ends] & 16, np.int64(1) << (5 * lengths), 0)
    values[1::2] = np.cumsum(values[1::2])
    values[2::2] = np.cumsum(values[2::2])
    return values


def to_text(runs: Sequence[int]) -> str:
    """The compressed spelling of runs."""
    made = bytearray()
    for place, run in enumerate(runs):
        value = run - runs[place - 2] if place > 2 else run
        more = True
        while more:
            letter, value = value & 31, value >> 5
            more = value != (-1 if letter & 16 else 0)
            made.append(letter + 48 + (32 if more else 0))
    return made.decode()


def runs_of(value: Any, where: str) -> tuple[np.ndarray, int, int]:
    """Runs, rows and columns of COCO's {"size": [rows, columns], "counts": runs or text}."""
    size = value.get("size")
    if not isinstance(size, list) or len(size) != 2 or not all(type(length) is int for length in size):
        raise InputError("label", f"{where}: 'size' of a run-length mask must be rows and columns.")
    counts = value.get("counts")
    if isinstance(counts, list) and all(type(run) is int and abs(run) < 2**40 for run in counts):
        return np.array(counts, np.int64), size[0], size[1]
    if isinstance(counts, str):
        return from_text(counts, where), size[0], size[1]
    raise InputError("label", f"{where}: 'counts' must be a list of runs or their text.")


def from_coco(value: Any, where: str) -> np.ndarray:
    """The mask that COCO's runs say; they go down the columns."""
    return from_runs(*runs_of(value, where), where, down=True)


def to_coco(mask: np.ndarray) -> dict[str, Any]:
    """A mask as COCO's compressed runs."""
    return {"size": list(mask.shape), "counts": to_text(to_runs(mask, down=True))}
