"""How the labels of a data set name pictures: one name each, several or none, and what that makes of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sightline.core.dataset import Dataset

# Words that are grades wherever they stand together, lowest first.
LADDERS = (
    ("none", "low", "medium", "moderate", "high"),
    ("none", "no", "normal", "minimal", "mild", "moderate", "severe", "extreme"),
    ("terrible", "bad", "poor", "fair", "average", "good", "very good", "excellent"),
    ("tiny", "small", "medium", "large", "huge"),
    ("never", "rarely", "sometimes", "often", "always"),
    ("worst", "worse", "same", "better", "best"),
)
_NUMBERS = (  # at the end of a name, halves and tenths too; after more points than one, what follows the last
    re.compile(r"^()(-?\d+(?:\.\d+)?)$"),
    re.compile(r"^(.*[^\d.])(\d+(?:\.\d+)?)$"),
    re.compile(r"^(.*?)(\d+)$"),
)


@dataclass(frozen=True, slots=True)
class Naming:
    """What was found in the labels of pictures; those without a label count nowhere."""

    used: tuple[str, ...]  # names that some picture carries
    single: int  # pictures that carry one name, or shares of several that exclude one another
    several: int  # pictures that carry more than one name
    bare: int  # pictures of which it is known that no name holds

    @property
    def many(self) -> bool:
        """Whether names do not exclude one another: some picture carries more than one, or is known to carry none."""
        return self.several + self.bare > 0


def naming_of(data: Dataset) -> Naming:
    """Looks at every label; a sample is made only where its names alone do not tell."""
    used: set[str] = set()
    found: Counter[str] = Counter()
    for row, names in enumerate(data.column("names")):
        used.update(names)
        if len(names) == 1:
            found["single"] += 1
            continue
        truth = data[row].truth
        if truth is not None:
            found["bare" if not names else "single" if _exclude(getattr(truth, "scores", None)) else "several"] += 1
    return Naming(tuple(sorted(used)), found["single"], found["several"], found["bare"])


def _exclude(scores: Any) -> bool:
    """Whether scores are shares or votes, of which more for one name is less for another."""
    total = 0.0 if scores is None else float(scores.sum())
    return 0 < total < 1.01 or (total > 1.01 and float(scores.max()) > 1.01)  # NaN, for unknown, is neither


def ranked(names: Sequence[str]) -> tuple[tuple[str, ...], str]:
    """The names from lowest to highest and what says so; "" where only the order of the list is known."""
    for form in _NUMBERS:
        ends = [end for end in map(form.match, names) if end]
        numbers = [float(end[2]) for end in ends]
        if len({end[1] for end in ends}) == 1 and len(set(numbers)) == len(names):
            return tuple(name for _, name in sorted(zip(numbers, names, strict=True))), "the numbers in them"
    plain = [name.strip().lower().replace("_", " ") for name in names]
    for ladder in LADDERS:
        if len(set(plain)) == len(names) > 1 and set(plain) <= set(ladder):
            return tuple(sorted(names, key=lambda name: ladder.index(plain[names.index(name)]))), "their words"
    return tuple(names), ""


def listed(names: Iterable[str], most: int = 6, between: str = ", ") -> str:
    """Names for a line: the first ones, and how many more."""
    names = list(names)
    more = [f"and {len(names) - most} more"] if len(names) > most else []
    return between.join(chain(names[:most], more))
