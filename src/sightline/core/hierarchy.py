"""Names in names: "animal/dog" is a dog and so an animal, and an animal is as likely as all its kinds together.

A name says by itself what it stands under, or the data set does: `parents` in its details, name -> the name above it,
as supercategories and coarse labels are. Every function takes those as `told`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from sightline.core.annotations import Labels

MARK = "/"
NOTHING: Mapping[str, str] = MappingProxyType({})


def above(name: str, told: Mapping[str, str] = NOTHING) -> tuple[str, ...]:
    """The names that a name stands under, highest first: animal and animal/dog of animal/dog/poodle."""
    chain = [name]
    while (higher := told.get(chain[0], "")) and higher not in chain:
        chain.insert(0, higher)
    found = (*_marked(chain[0]), *chain[:-1])
    return tuple(dict.fromkeys(one for one in (*found, *_marked(name)) if one != name))


def path(name: str, told: Mapping[str, str] = NOTHING) -> tuple[str, ...]:
    """A name below all that it stands under."""
    return (*above(name, told), name)


def _marked(name: str) -> tuple[str, ...]:
    parts = name.split(MARK)
    return tuple(MARK.join(parts[:depth]) for depth in range(1, len(parts)))


@dataclass(frozen=True, slots=True)
class Tree:
    """The names of a hierarchy: leaves exclude one another, and what is above them holds two of them or more."""

    leaves: tuple[str, ...]
    parents: tuple[str, ...] = ()  # as they are met, a higher one before what it holds
    told: Mapping[str, str] = field(default_factory=dict)  # what stands above a name that does not say so itself

    @classmethod
    def of(cls, names: Iterable[str], told: Mapping[str, str] = NOTHING) -> Tree:
        """Names that hold no other are leaves; a name above one leaf alone, or above all of them, says nothing."""
        names = list(dict.fromkeys(names))
        higher = {one for name in names for one in above(name, told)}
        leaves = tuple(name for name in names if name not in higher)
        counts = {one: sum(under(leaf, one, told) for leaf in leaves) for one in sorted(higher)}
        counts = dict(sorted(counts.items(), key=lambda pair: len(above(pair[0], told))))
        kept = tuple(one for one, count in counts.items() if 1 < count < len(leaves) or one in names)
        deep = any(counts[one] > 1 and (counts[one] < len(leaves) or one in names) for one in kept)
        if not deep:
            return cls(tuple(names))
        own = {one: told[one] for one in (*leaves, *counts) if told.get(one, one) not in (one, *_marked(one))}
        return cls(leaves, kept, own)

    @property
    def depth(self) -> int:
        """How many levels there are; 1 where no name holds others."""
        return 1 + max((len(path(one, self.told)) for one in self.parents), default=0)

    def members(self) -> np.ndarray:
        """(parents, leaves): which leaves each parent holds."""
        held = [[under(leaf, one, self.told) for leaf in self.leaves] for one in self.parents]
        return np.array(held, bool).reshape(len(self.parents), len(self.leaves))

    def nodes_of(self, name: str) -> list[int]:
        """The numbers of a name and of all above it; leaves are counted first. Empty where it is unknown."""
        nodes = (*self.leaves, *self.parents)
        if name not in nodes:
            return []
        return [nodes.index(one) for one in (name, *above(name, self.told)) if one in nodes]


def under(name: str, higher: str, told: Mapping[str, str] = NOTHING) -> bool:
    """Whether a name is another one or stands under it."""
    return name == higher or name.startswith(higher + MARK) or (bool(told) and higher in above(name, told))


def score_of(answer: Labels, name: str, told: Mapping[str, str] = NOTHING) -> float:
    """The score of a name, or of a name above others: the sum of what it holds."""
    rows = [row for row, one in enumerate(answer.names) if under(one, name, told)]
    if answer.scores is None:
        return float(bool(rows))
    return float(np.sum(answer.scores[rows], dtype=np.float64))


def at_level(answer: Labels, depth: int, told: Mapping[str, str] = NOTHING) -> Labels:
    """The answer in names of at most `depth` levels: what is deeper counts for the name above it."""
    short = [path(name, told)[:depth][-1] for name in answer.names]
    names = tuple(dict.fromkeys(short))
    if answer.scores is None:
        return Labels(names)
    scores = np.zeros(len(names), np.float64)
    np.add.at(scores, [names.index(name) for name in short], answer.scores.astype(np.float64))
    return Labels(names, scores.astype(answer.scores.dtype))


def depth_of(names: Sequence[str], told: Mapping[str, str] = NOTHING) -> int:
    """The most levels that a name has."""
    return max((len(path(name, told)) for name in names), default=0)
