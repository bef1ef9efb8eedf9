"""What pairs of a damaged and a clean picture hold, looked at in a few: the same picture twice, or two sizes."""

from __future__ import annotations

import weakref
from collections import Counter
from dataclasses import dataclass

import numpy as np

from sightline.core.annotations import Picture
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError

ENLARGED = (2, 3, 4)  # times as large as its damaged picture a clean one may be
LOOKED = 24  # pairs that are opened


@dataclass(frozen=True, slots=True)
class Pair:
    """One pair: its place in the data, both sizes (rows and columns), and whether both pictures are equal."""

    place: int
    damaged: tuple[int, ...]
    clean: tuple[int, ...]
    equal: bool

    @property
    def factor(self) -> int:
        """How many times as large the clean picture is; 0 where it is no whole number of times."""
        times = [of // to for of, to in zip(self.clean, self.damaged, strict=False)]
        fits = len(set(times)) == 1 and self.clean == tuple(side * times[0] for side in self.damaged)
        return times[0] if fits else 0


_KEPT: weakref.WeakKeyDictionary[Dataset, list[Pair]] = weakref.WeakKeyDictionary()


def pairs(data: Dataset) -> list[Pair]:
    """Some pairs, spread evenly; those that cannot be read are left to whoever needs them. Looked at once."""
    if data not in _KEPT:
        _KEPT[data] = _looked(data)
    return _KEPT[data]


def _looked(data: Dataset) -> list[Pair]:
    found = []
    for place in range(0, len(data), max(1, -(-len(data) // LOOKED))) if data.kind is Picture else ():
        sample = data[place]
        try:
            truth = sample.truth
            if not sample.images or not isinstance(truth, Picture):
                continue
            damaged, clean = sample.pixels(), truth.pixels
        except InputError:
            continue
        equal = damaged.shape == clean.shape and bool(np.array_equal(damaged, clean))
        found.append(Pair(place, damaged.shape[:-1], clean.shape[:-1], equal))
    return found


def refuse_pairs(data: Dataset, scale: int) -> None:
    """One line where a look at some pairs shows that nothing can be learnt from them."""
    looked = pairs(data)
    if looked and all(pair.equal for pair in looked):
        raise InputError(
            "label",
            f"{data.name}: both pictures are the same in each of {len(looked)} pairs looked at; there is nothing to "
            "learn. Look whether one of the folders was written over the other.",
        )
    other = [pair.factor for pair in looked if pair.factor != scale]
    if 2 * len(other) <= len(looked):
        return  # a few are left out while it learns
    larger, count = Counter(other).most_common(1)[0]
    told = f"{data.name}: in {count} of {len(looked)} pairs looked at the clean picture is"
    if larger == 1:
        raise InputError("mismatch", f"{told} of the same size, not {scale} times as large. Leave task.scale out.")
    if larger in ENLARGED:
        hint = f"Learn to enlarge with: --set task.scale={larger} --model espcn"
        raise InputError("mismatch", f"{told} {larger} times as large. {hint}")
    raise InputError(
        "mismatch",
        f"{data.name}: the pictures of {len(other)} of {len(looked)} pairs looked at differ in size. They must be "
        "aligned; the clean one may be 2, 3 or 4 times as large.",
    )
