"""Pictures that lie as rows of one large array: a row is read from the file when its picture is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from sightline.core.annotations import Annotation, Labels
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError
from sightline.core.files import digest
from sightline.core.image import encode, tidy
from sightline.core.lost import Lost
from sightline.core.sample import Sample
from sightline.formats import _writing


@dataclass(frozen=True, slots=True, eq=False)
class RowImage:
    """One picture of an array of pictures."""

    rows: Any  # an array, or something that is indexed like one
    row: int
    name: str
    turned: Callable[[np.ndarray], np.ndarray] | None = None  # from the row as it is stored to rows, columns, channels

    def read(self, at_least: tuple[int, int] | None = None) -> np.ndarray:
        pixels = np.array(self.rows[self.row])
        return tidy(pixels if self.turned is None else self.turned(pixels))

    def encoded(self) -> bytes:
        return encode(self.read())

    def fingerprint(self) -> str:
        pixels = self.read()
        return digest(f"{pixels.dtype}{pixels.shape}".encode() + np.ascontiguousarray(pixels).tobytes())


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One array of pictures and what is true of each."""

    name: str  # begins the ids of its samples
    rows: Any
    count: int
    truth: Callable[[int], Annotation | None]
    split: str | None = None
    file: Path | None = None
    turned: Callable[[np.ndarray], np.ndarray] | None = None


class Rows(Sequence[Sample]):
    """The samples of several parts after each other."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self.parts = parts
        self.ends = np.cumsum([part.count for part in parts])

    def __len__(self) -> int:
        return int(self.ends[-1]) if len(self.ends) else 0

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[place] for place in range(len(self))[index]]
        index = range(len(self))[index]
        number = int(np.searchsorted(self.ends, index, "right"))
        part = self.parts[number]
        row = int(index - (self.ends[number] - part.count))
        name = f"{part.file or part.name} row {row}"
        image = RowImage(part.rows, row, name, part.turned)
        return Sample(f"{part.name}/{row}", (image,), part.truth(row), split=part.split)


def one_label(names: tuple[str, ...], numbers: Any, where: str) -> Callable[[int], Labels]:
    """The label of a row, by the number of its class."""

    @cache
    def label(number: int) -> Labels:
        if not 0 <= number < len(names):
            raise InputError("label", f"{where}: class {number} has no name; there are {len(names)}.")
        return Labels((names[number],))

    return lambda row: label(int(numbers[row]))


def gathered(
    data: Dataset, lost: Lost, wants: Callable[[np.ndarray], str | None], *, labels: bool = True
) -> dict[str | None, list[tuple[Sample, np.ndarray]]]:
    """Pixels by split of all samples that an array can hold; `wants` says what is wrong with a picture."""
    found: dict[str | None, list[tuple[Sample, np.ndarray]]] = {}
    for sample in data:
        if not _writing.holds(sample, lost, "group", "given", "attributes"):
            continue
        truth = sample.truth
        if labels and (not isinstance(truth, Labels) or len(truth.names) != 1):
            lost.drop(sample.id, f"row with {_writing.kind_of(sample)} where exactly one name belongs")
            continue
        if isinstance(truth, Labels) and truth.scores is not None:
            lost.drop(sample.id, "scores")
        try:
            pixels = sample.pixels()
        except InputError as error:
            if lost.strict:
                raise
            lost.drop(sample.id, f"row with a picture that cannot be read ({error.code})")
            continue
        wrong = wants(pixels)
        if wrong is not None:
            lost.drop(sample.id, f"row with {wrong}")
            continue
        found.setdefault(sample.split, []).append((sample, pixels))
    return found
