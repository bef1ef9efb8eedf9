"""A lazy list of samples, and what is known of them as a whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from itertools import chain
from typing import Any, overload

import numpy as np

from sightline.core.annotations import Annotation, Labels, Objects, to_columns
from sightline.core.errors import InputError
from sightline.core.files import digest, digest_rows
from sightline.core.naming import Naming, naming_of
from sightline.core.sample import Sample
from sightline.core.threads import shared

SIDES = ("train", "val", "test")


class Dataset(Sequence[Sample]):
    """Samples by position; nothing is read before it is asked for."""

    def __init__(
        self,
        samples: Sequence[Sample],
        *,
        name: str = "data",
        names: tuple[str, ...] | None = None,
        kind: type[Annotation] | None = None,
        recipe: str | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        self.samples, self.name = samples, name
        self.details: Mapping[str, Any] = (
            details or {}
        )  # plain JSON that a layout says of the whole (licences, parents)
        self._names, self._kind, self._recipe = names, kind, recipe

    def __len__(self) -> int:
        return len(self.samples)

    @overload
    def __getitem__(self, index: int) -> Sample: ...
    @overload
    def __getitem__(self, index: slice) -> Dataset: ...
    def __getitem__(self, index: int | slice) -> Sample | Dataset:
        if isinstance(index, slice):
            return self.take(range(len(self))[index])
        return self.samples[index]

    def __iter__(self) -> Iterator[Sample]:
        return (self.samples[index] for index in range(len(self)))

    def take(self, rows: Sequence[int]) -> Dataset:
        """The samples at these positions, still lazy."""
        recipe = "" if self._recipe is None else ",".join(map(str, rows))
        return self._same(_View(self.samples, rows, None), "take", recipe)

    def map(
        self, change: Callable[[Sample], Sample], recipe: str | None = None, *, kind: type[Annotation] | None = None
    ) -> Dataset:
        """Every sample changed when it is asked for; `recipe` names the change where content must not be read."""
        view = Dataset(_View(self.samples, range(len(self)), change), name=self.name, names=self._names, kind=kind)
        view.details = self.details
        view._recipe = None if self._recipe is None or recipe is None else f"{self._recipe}|{recipe}"
        return view

    def side(self, split: str) -> Dataset:
        """The samples of one split."""
        return self.where("split", lambda side: side == split)

    def where(self, field: str, keep: Callable[[Any], bool]) -> Dataset:
        """The samples whose "id", "split", "group" or "names" is as wanted; no picture is opened for that."""
        return self.take([row for row, value in enumerate(self.column(field)) if keep(value)])

    def column(self, field: str) -> Sequence[Any]:
        """The "id", "split", "group" or "names" of every sample; where a layout knows how, no sample is made."""
        return column_of(self.samples, field)

    def _same(self, samples: Sequence[Sample], *recipe: str) -> Dataset:
        made = None if self._recipe is None else f"{self._recipe}|{digest('|'.join(recipe).encode())[:16]}"
        return Dataset(samples, name=self.name, names=self._names, kind=self._kind, recipe=made, details=self.details)

    @property
    def kind(self) -> type[Annotation] | None:
        """The record that labels these samples, or None where they have no truth."""
        if self._kind is None and len(self):
            truth = self[0].truth
            return None if truth is None else type(truth)
        return self._kind

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The vocabulary of the labels, in the order given by the format, else sorted."""
        if self._names is not None:
            return self._names
        if self.kind is Labels:
            return tuple(sorted(set(chain.from_iterable(self.column("names")))))
        seen: set[str] = set()
        for sample in self:
            seen.update(getattr(sample.truth, "names", ()))
        return tuple(sorted(seen))

    @cached_property
    def naming(self) -> Naming:
        """How its labels name pictures: one name each, several, or none."""
        return naming_of(self)

    def counts(self) -> Counter[str]:
        """How many samples (or objects) carry each name."""
        return Counter(chain.from_iterable(self.column("names")))

    @cached_property
    def fingerprint(self) -> str:
        """Changes when any picture, label, group or split changes."""
        if self._recipe is not None:
            return digest(self._recipe.encode())
        return digest_rows(self._seals())

    def _seals(self) -> Iterator[Any]:
        """What the fingerprint is made of, a sample at a time; pictures are read by threads, a few ahead."""
        if self.details.get("parents"):
            yield ["parents", self.details["parents"]]
        sealed = _Seals()
        with ThreadPoolExecutor(4, "sightline-fingerprint") as pool:
            for begin in range(0, len(self), 256):
                part = [self.samples[row] for row in range(begin, min(begin + 256, len(self)))]
                yield from map(sealed, part, shared(pool, _pictures, part))


def _pictures(sample: Sample) -> list[str]:
    return [image.fingerprint() for image in sample.images]


class _Seals:
    """What stands for a sample; samples that share a label have its part made once."""

    def __init__(self) -> None:
        self.last: tuple[Any, dict[str, str]] = (None, {})

    def __call__(self, sample: Sample, pictures: list[str]) -> list[Any]:
        if sample.truth is not self.last[0]:
            self.last = (sample.truth, _sealed(sample.truth))
        given = repr(sorted(sample.given.items()))
        return [sample.id, pictures, self.last[1], sample.group, sample.split, given]


def _sealed(truth: Annotation | None) -> dict[str, str]:
    """What stands for a label; where it lies in a picture that cannot be read, the kind of fault."""
    try:
        return {} if truth is None else {name: _seal(column) for name, column in to_columns(truth).items()}
    except InputError as error:
        if error.code == "label":
            raise
        return {"unreadable": error.code}


def _seal(column: np.ndarray) -> str:
    return digest(np.ascontiguousarray(column).tobytes() + f"{column.dtype.str}{column.shape}".encode())


def column_of(samples: Sequence[Sample], field: str) -> Sequence[Any]:
    """One field of every sample; what has a `column` of its own is asked for it."""
    known = getattr(samples, "column", None)
    return _looped(samples, field) if known is None else known(field)


def _looped(samples: Sequence[Sample], field: str) -> list[Any]:
    each = (samples[row] for row in range(len(samples)))
    if field == "names":
        return [carried(sample.truth) for sample in each]
    return [getattr(sample, field) for sample in each]


def carried(truth: Any) -> tuple[str, ...]:
    """The names that a sample counts for: its labels, or the name of each of its objects."""
    if isinstance(truth, Labels):
        return truth.names
    if isinstance(truth, Objects):
        return tuple(truth.names[index] for index in truth.classes.tolist())
    return ()


class _View(Sequence[Sample]):
    """Positions of another sequence, each perhaps changed."""

    def __init__(self, base: Sequence[Sample], rows: Sequence[int], change: Callable[[Sample], Sample] | None) -> None:
        self.base, self.rows, self.change = base, rows, change

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return _View(self.base, self.rows[index], self.change)
        sample = self.base[self.rows[index]]
        return sample if self.change is None else self.change(sample)

    def column(self, field: str) -> Sequence[Any]:
        """One field of these samples."""
        if self.change is not None:
            return _looped(self, field)
        whole = column_of(self.base, field)
        return [whole[row] for row in self.rows]
