"""Names in names: "animal/dog" is a dog and so an animal, and an animal is as likely as all its kinds together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from sightline.core.annotations import Labels

MARK = "/"


def above(name: str) -> tuple[str, ...]:
    """The names that a name stands under, highest first: animal and animal/dog of animal/dog/poodle."""
    parts = name.split(MARK)
    return tuple(MARK.join(parts[:depth]) for depth in range(1, len(parts)))


@dataclass(frozen=True, slots=True)
class Tree:
    """The names of a hierarchy: leaves exclude one another, and what is above them holds two of them or more."""

    leaves: tuple[str, ...]
    parents: tuple[str, ...] = ()  # as they are met, a higher one before what it holds

    @classmethod
    def of(cls, names: Iterable[str]) -> Tree:
        """Names that hold no other are leaves; a name above one leaf alone, or above all of them, says nothing."""
        names = list(dict.fromkeys(names))
        higher = {one for name in names for one in above(name)}
        leaves = tuple(name for name in names if name not in higher)
        counts = {one: sum(under(leaf, one) for leaf in leaves) for one in sorted(higher)}
        kept = tuple(one for one, count in counts.items() if 1 < count < len(leaves) or one in names)
        deep = any(counts[one] > 1 and (counts[one] < len(leaves) or one in names) for one in kept)
        return cls(leaves, kept) if deep else cls(tuple(names))

    @property
    def depth(self) -> int:
        """How many levels there are; 1 where no name holds others."""
        return 1 + max((one.count(MARK) + 1 for one in self.parents), default=0)

    def members(self) -> np.ndarray:
        """(parents, leaves): which leaves each parent holds."""
        held = [[under(leaf, one) for leaf in self.leaves] for one in self.parents]
        return np.array(held, bool).reshape(len(self.parents), len(self.leaves))

    def nodes_of(self, name: str) -> list[int]:
        """The numbers of a name and of all above it; leaves are counted first. Empty where it is unknown."""
        nodes = (*self.leaves, *self.parents)
        if name not in nodes:
            return []
        return [nodes.index(one) for one in (name, *above(name)) if one in nodes]


def under(name: str, higher: str) -> bool:
    """Whether a name is another one or stands under it."""
    return name == higher or name.startswith(higher + MARK)


def score_of(answer: Labels, name: str) -> float:
    """The score of a name, or of a name above others: the sum of what it holds."""
    rows = [row for row, one in enumerate(answer.names) if under(one, name)]
    if answer.scores is None:
        return float(bool(rows))
    return float(np.sum(answer.scores[rows], dtype=np.float64))


def at_level(answer: Labels, depth: int) -> Labels:
    """The answer in names of at most `depth` parts: what is deeper counts for the name above it."""
    short = [MARK.join(name.split(MARK)[:depth]) for name in answer.names]
    names = tuple(dict.fromkeys(short))
    if answer.scores is None:
        return Labels(names)
    scores = np.zeros(len(names), np.float64)
    np.add.at(scores, [names.index(name) for name in short], answer.scores.astype(np.float64))
    return Labels(names, scores.astype(answer.scores.dtype))


def depth_of(names: Sequence[str]) -> int:
    """The most parts that a name has."""
    return max((name.count(MARK) + 1 for name in names), default=0)
