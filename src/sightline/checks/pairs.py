"""Faults of pairs of a damaged and a clean picture."""

from __future__ import annotations

from collections import Counter

from sightline.core.dataset import Dataset
from sightline.core.finding import EXAMPLES, Finding
from sightline.core.pairs import Pair, pairs


def equal_pairs(data: Dataset) -> list[Finding]:
    """Pairs that hold the same picture twice: there is nothing to mend, and leaving all as it is looks perfect."""
    looked = pairs(data)
    found = [pair for pair in looked if pair.equal]
    severity = "stop" if len(found) == len(looked) else "warn"
    text = f"{len(found)} of {len(looked)} pairs looked at hold the same picture twice"
    do = "Look whether one of the folders was written over the other."
    return _told("equal_pairs", severity, text, do, data, found, looked)


def pair_sizes(data: Dataset) -> list[Finding]:
    """Pairs of two sizes that no common factor explains: which pixel belongs to which, nobody can say."""
    looked = pairs(data)
    usual = max(Counter(pair.factor for pair in looked).items(), key=lambda one: (one[1], one[0] > 0), default=(1, 0))
    found = [pair for pair in looked if not pair.factor or pair.factor != usual[0]]
    beside = "" if usual[0] < 2 else f", where others are {usual[0]} times as large"
    text = f"{len(found)} of {len(looked)} pairs looked at differ in size{beside}"
    do = "Both pictures of a pair must be aligned; the clean one may be 2, 3 or 4 times as large, the same for all."
    return _told("pair_sizes", "warn", text, do, data, found, looked)


def _told(
    check: str, severity: str, text: str, do: str, data: Dataset, found: list[Pair], looked: list[Pair]
) -> list[Finding]:
    if not found:
        return []
    some = found[:EXAMPLES]
    details = tuple(f"{_spoken(pair.damaged)} and {_spoken(pair.clean)}" for pair in some)
    ids = tuple(data[pair.place].id for pair in some)
    return [Finding(check, severity, text, ids, len(found), do, details, harm=len(found) / len(looked))]


def _spoken(size: tuple[int, ...]) -> str:
    return " x ".join(map(str, size))
