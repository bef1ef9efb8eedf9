"""The easy first: which rows an epoch shows when hard ones wait (Bengio et al. 2009), the same in every name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from sightline.auditing.suspects import suspects
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError
from sightline.core.files import write_durably
from sightline.core.progress import Event, Tell, silent

FIRST = 0.3  # share of each name that the first epoch shows
WHOLE = 0.5  # of the run, from which everything is shown
NAME = "difficulty.npy"  # in the folder of the run: measured once, so that a continued run draws the same


def difficulties(data: Dataset, folder: Path | None, tell: Tell = silent) -> np.ndarray:
    """How hard each row's label is to tell, 0 to 1: as it was written down when the run began, else measured."""
    kept = None if folder is None else folder / NAME
    if kept is not None and kept.is_file():
        found = np.load(kept, allow_pickle=False)
        if len(found) == len(data):
            return np.asarray(found)
    tell(Event("note", "curriculum: measuring how hard each label is to tell"))
    judged = suspects(data, tell=tell)
    if not judged.able:
        raise InputError(
            "mismatch",
            f"{data.name}: a quick classifier cannot tell its names apart well enough to say what is easy. "
            "Use train.sampling=plain.",
        )
    found = np.asarray(np.nan_to_num(judged.difficulty, nan=0.5))
    if kept is not None:
        write_durably(kept, _bytes(found))
    return found


def easiest_first(names: Sequence[str], difficulty: np.ndarray) -> np.ndarray:
    """For each row the share of its own name that is easier: 0 is the easiest of its name, near 1 the hardest."""
    rows: dict[str, list[int]] = defaultdict(list)
    for row, name in enumerate(names):
        rows[name].append(row)
    place = np.zeros(len(names))
    for some in rows.values():
        order = np.argsort(difficulty[some], kind="stable")
        place[np.array(some)[order]] = np.arange(len(some)) / len(some)
    return place


def shown(place: np.ndarray, progress: float) -> np.ndarray:
    """The rows that an epoch at this point of the run draws from."""
    share = FIRST + (1 - FIRST) * min(1.0, progress / WHOLE)
    return np.flatnonzero(place < share)


def _bytes(column: np.ndarray) -> bytes:
    import io

    held = io.BytesIO()
    np.save(held, column.astype(np.float32), allow_pickle=False)
    return held.getvalue()
