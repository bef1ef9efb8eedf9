"""A lazy list of samples, what is known of them as a whole, and how they are parted into sides."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, overload

import numpy as np

from sightline.core.annotations import Annotation, Labels, to_columns
from sightline.core.chance import seed_from
from sightline.core.files import canonical, digest
from sightline.core.sample import Sample

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
        return self._same(_View(self.samples, rows, None), "take", ",".join(map(str, rows)))

    def map(self, change: Callable[[Sample], Sample], recipe: str | None = None) -> Dataset:
        """Every sample changed when it is asked for; `recipe` names the change where content must not be read."""
        view = Dataset(_View(self.samples, range(len(self)), change), name=self.name, names=self._names)
        view.details = self.details
        view._recipe = None if self._recipe is None or recipe is None else f"{self._recipe}|{recipe}"
        return view

    def side(self, split: str) -> Dataset:
        """The samples of one split."""
        return self.take([index for index, sample in enumerate(self) if sample.split == split])

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
        seen: set[str] = set()
        for sample in self:
            seen.update(getattr(sample.truth, "names", ()))
        return tuple(sorted(seen))

    def counts(self) -> Counter[str]:
        """How many samples (or objects) carry each name."""
        counter: Counter[str] = Counter()
        for sample in self:
            truth: Any = sample.truth
            if isinstance(truth, Labels):
                counter.update(truth.names)
            elif hasattr(truth, "classes") and getattr(truth.classes, "ndim", 0) == 1:
                counter.update(truth.names[index] for index in truth.classes.tolist())
        return counter

    @cached_property
    def fingerprint(self) -> str:
        """Changes when any picture, label, group or split changes."""
        if self._recipe is not None:
            return digest(self._recipe.encode())
        rows: list[Any] = [["parents", self.details["parents"]]] if self.details.get("parents") else []
        for sample in self:
            truth = {} if sample.truth is None else to_columns(sample.truth)
            label = {
                name: digest(np.ascontiguousarray(c).tobytes() + f"{c.dtype.str}{c.shape}".encode())
                for name, c in truth.items()
            }
            pictures = [image.fingerprint() for image in sample.images]
            rows.append([sample.id, pictures, label, sample.group, sample.split, repr(sorted(sample.given.items()))])
        return digest(canonical(rows))


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


class _Sided(Sequence[Sample]):
    """Samples with other splits, still lazy."""

    def __init__(self, base: Sequence[Sample], sides: Sequence[str | None]) -> None:
        self.base, self.sides = base, sides

    def __len__(self) -> int:
        return len(self.sides)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[place] for place in range(len(self))[index]]
        return replace(self.base[index], split=self.sides[index])


def split(data: Dataset, *, val: float = 0.15, test: float = 0.15, seed: int = 0, by: str | None = None) -> Dataset:
    """Every sample on one side: balanced over labels; groups and equal pictures are never parted.

    A split that the data brings is kept; where it brings no `val`, one is cut from its `train`. `by` names an attribute
    (site, camera, day): its values are then parted whole, in sorted order for test last, so that time runs forward.
    """
    given = [sample.split for sample in data]
    if "val" in given and "train" in given:
        return data
    rows = [index for index, side in enumerate(given) if side in (None, "train")]
    share = {side: part for side, part in (("test", test), ("val", val)) if part > 0 and side not in given}
    together = _together(data, rows, by)
    if by is not None:
        parted = _in_order(together, share)
    else:
        strata: dict[str, list[list[int]]] = defaultdict(list)
        for members in together:
            truth = data[members[0]].truth
            strata[truth.best if isinstance(truth, Labels) else ""].append(members)
        for name, groups in strata.items():
            groups.sort(key=lambda members: seed_from(seed, "split", name, data[members[0]].id))
        parted = _balanced([groups for _, groups in sorted(strata.items())], share)
    sides = list(given)
    for side, groups in parted.items():
        for index in (index for members in groups for index in members):
            sides[index] = side
    made = None if data._recipe is None else f"{data._recipe}|split {val} {test} {seed} {by}"
    sided = _Sided(data.samples, sides)
    return Dataset(sided, name=data.name, names=data._names, kind=data._kind, recipe=made, details=data.details)


def _balanced(strata: list[list[list[int]]], share: dict[str, float]) -> dict[str, list[list[int]]]:
    """Each side its share of every stratum; what a small stratum cannot give is owed by the next ones."""
    parted: dict[str, list[list[int]]] = {side: [] for side in ("train", *share)}
    owed = dict.fromkeys(share, 0.0)
    for groups in strata:
        total = sum(map(len, groups))
        owed = {side: owed[side] + share[side] * total for side in share}
        for place, members in enumerate(groups):
            side = next((side for side in share if len(members) / 2 <= owed[side]), "train")
            if place == 0:
                side = "train"  # every name is learnt before it is measured
            if side != "train":
                owed[side] -= len(members)
            parted[side].append(members)
    for side in share:  # a side that was asked for is not left empty while another has groups to give
        if not parted[side] and len(parted["train"]) > 1:
            least = min(range(len(parted["train"])), key=lambda place: (len(parted["train"][place]), -place))
            parted[side].append(parted["train"].pop(least))
    return parted


def _in_order(groups: list[list[int]], share: dict[str, float]) -> dict[str, list[list[int]]]:
    """The last groups for test, those before for val, the first for train: nothing is tested on its past."""
    parted: dict[str, list[list[int]]] = {side: [] for side in ("train", *share)}
    rest, total = list(groups), sum(map(len, groups))
    wanted = list(share)[-max(0, len(groups) - 1) :] if len(groups) > 1 else []  # val before test where groups are few
    for place, side in enumerate(wanted):
        have = 0
        while len(rest) > len(wanted) - place and (not have or have + len(rest[-1]) / 2 <= share[side] * total):
            have += len(rest[-1])
            parted[side].append(rest.pop())
    parted["train"] = rest
    return parted


def _together(data: Dataset, rows: list[int], by: str | None) -> list[list[int]]:
    """Positions that must stay on one side: equal pictures, one group, one value of `by`; transitively."""
    leader = {index: index for index in rows}

    def find(index: int) -> int:
        while leader[index] != index:
            leader[index] = leader[leader[index]]
            index = leader[index]
        return index

    first: dict[tuple[str, str], int] = {}
    for index in rows:
        sample = data[index]
        keys = [("picture", print_) for image in sample.images[:1] if (print_ := image.fingerprint()) != "unreadable"]
        if sample.group is not None:
            keys.append(("group", sample.group))
        if by is not None:
            keys.append(("by", str(sample.attributes.get(by, ""))))
        for key in keys:
            leader[find(index)] = find(first.setdefault(key, index))
    parts: dict[int, list[int]] = defaultdict(list)
    for index in rows:
        parts[find(index)].append(index)
    groups = list(parts.values())
    if by is not None:
        groups.sort(key=lambda members: str(data[members[0]].attributes.get(by, "")))
    return groups
