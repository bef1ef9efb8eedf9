"""Which samples must stay on one side of any split: copies of a picture, members of a group; and what they carry."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from sightline.core.annotations import Labels, Objects, Value
from sightline.core.chance import seed_from
from sightline.core.dataset import Dataset
from sightline.core.errors import SettingsError
from sightline.core.known import near, remember, seals
from sightline.core.progress import Event, Tell

LARGEST = 0.05  # of the samples that near copies may tie together; where more look alike, likeness says little
_BINS = 10  # ranges of a number that every side gets its share of


@dataclass(frozen=True, slots=True)
class Ties:
    """Groups of rows that stay together, and what they are balanced by."""

    groups: list[list[int]]
    ids: Sequence[str]  # of every sample
    names: Sequence[tuple[str, ...]]  # of every sample

    @property
    def several(self) -> bool:
        """Whether a sample carries more than one name."""
        return any(len(names) > 1 for names in self.names)

    def ordered(self, seed: int, word: str, groups: Iterable[list[int]]) -> list[list[int]]:
        """Groups by chance that depends on their ids alone, so that the order of files does not matter."""
        return sorted(groups, key=lambda members: seed_from(seed, "split", word, min(self.ids[row] for row in members)))

    def strata(self, seed: int) -> list[list[list[int]]]:
        """The groups by their most frequent name, each by chance."""
        found: dict[str, list[list[int]]] = defaultdict(list)
        for members in self.groups:
            found[_commonest(name for row in members for name in self.names[row])].append(members)
        return [self.ordered(seed, name, groups) for name, groups in sorted(found.items())]


def _commonest(names: Iterable[str]) -> str:
    counts = Counter(names)
    return min(counts, key=lambda name: (-counts[name], name)) if counts else ""


def tied(data: Dataset, rows: list[int], by: str | None, copies: bool, tell: Tell) -> Ties:
    """Rows that must stay on one side: equal and nearly equal pictures, one group, one value of `by`; transitively."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    within = np.array(rows, np.int64)
    known = remember(data) if copies else data
    equal = seals(known, tell)[within] if copies else np.full(len(rows), -1)
    members = data.column("group")
    links = [_chained(equal), _chained(_numbered([members[row] for row in rows]))]
    values = _values(data, rows, by) if by is not None else []
    links.append(_chained(_numbered(values)))

    def joined(edges: Sequence[np.ndarray]) -> np.ndarray:
        first, second = np.concatenate([np.zeros((0, 2), np.int64), *edges]).T
        return np.asarray(connected_components(coo_array((np.ones(len(first)), (first, second)), (len(rows),) * 2))[1])

    parts = joined(links)
    if copies:
        place = np.full(len(data), -1)
        place[within] = np.arange(len(rows))
        found = near(known, tell)
        pairs = place[found.pairs]
        pairs = pairs[(pairs >= 0).all(1)]
        if by is not None:  # whole values matter more than what looks alike
            value = _numbered(values)
            apart = int((value[pairs[:, 0]] != value[pairs[:, 1]]).sum())
            if apart:
                tell(Event("warn", f"{apart:,} pairs of near duplicates have different values of '{by}'"))
            pairs = pairs[:0]
        kept, refused = _capped(parts, pairs, max(20.0, LARGEST * len(rows)))
        alone, together = joined(links[:1]), joined([links[0], kept])
        _say(
            len(rows) - alone.max(initial=-1) - 1,
            alone.max(initial=-1) - together.max(initial=-1),
            refused,
            found.drawn,
            tell,
        )
        parts = joined([*links, kept])
    order = np.argsort(parts, kind="stable")
    groups = [part.tolist() for part in np.split(within[order], np.flatnonzero(np.diff(parts[order])) + 1) if len(part)]
    if by is not None:
        first = dict(zip(rows, values, strict=True))
        groups.sort(key=lambda members: first[members[0]])
    else:
        groups.sort(key=lambda members: members[0])
    return Ties(groups, data.column("id"), _strata_names(data))


def _chained(codes: np.ndarray) -> np.ndarray:
    """Links between neighbours of equal code; a code below 0 is like no other."""
    order = np.argsort(codes, kind="stable")
    same = (codes[order][1:] == codes[order][:-1]) & (codes[order][1:] >= 0)
    return np.stack([order[:-1][same], order[1:][same]], 1)


def _numbered(values: Sequence[Hashable]) -> np.ndarray:
    """A number for every different value, -1 for None."""
    seen: dict[Hashable, int] = {}
    return np.array([-1 if value is None else seen.setdefault(value, len(seen)) for value in values], np.int64)


def _values(data: Dataset, rows: list[int], by: str) -> list[str]:
    found = [data[row].attributes for row in rows]
    if rows and not any(by in attributes for attributes in found):
        known = ", ".join(sorted({name for attributes in found for name in attributes})[:20])
        raise SettingsError(f"no sample has the attribute '{by}'. Attributes: {known or 'none'}.")
    return [str(attributes.get(by, "")) for attributes in found]


def _capped(parts: np.ndarray, pairs: np.ndarray, most: float) -> tuple[np.ndarray, int]:
    """The pairs, surest first, that tie no more than `most` rows together, and how many were refused for that."""
    leader = {int(part): int(part) for part in parts[pairs].ravel()}
    size = dict(zip(*(column.tolist() for column in np.unique(parts, return_counts=True)), strict=True))

    def find(part: int) -> int:
        while leader[part] != part:
            leader[part] = leader[leader[part]]
            part = leader[part]
        return part

    kept, refused = [], 0
    for place, (first, second) in enumerate(parts[pairs].tolist()):
        one, other = find(first), find(second)
        if one != other and size[one] + size[other] > most:
            refused += 1
            continue
        if one != other:
            leader[other] = one
            size[one] += size[other]
        kept.append(place)
    return pairs[kept], refused


def _say(equal: int, alike: int, refused: int, drawn: str, tell: Tell) -> None:
    parts = [f"{equal:,} equal pictures"] if equal else []
    parts += [f"{alike:,} near {'duplicate' if alike == 1 else 'duplicates'}"] if alike else []
    if parts:
        tell(Event("note", f"{' and '.join(parts)} kept together{drawn}", {"equal": equal, "near": alike}))
    elif drawn:
        tell(Event("note", f"no near duplicates{drawn}"))
    if refused:
        text = f"so many pictures resemble one another that {refused:,} pairs of near duplicates could be parted"
        tell(Event("warn", f"{text}; name their groups, or split by an attribute"))


def _strata_names(data: Dataset) -> Sequence[tuple[str, ...]]:
    """What every sample is balanced by: its names, the commonest name of its objects, or the range of its number."""
    if data.kind is Labels and not (len(data) and getattr(data[0].truth, "scores", None) is not None):
        return data.column("names")
    if data.kind is Objects:
        return [(_commonest(names),) if names else () for names in data.column("names")]
    if data.kind is Labels:
        return [(sample.truth.best,) if isinstance(sample.truth, Labels) else () for sample in data]
    if data.kind is Value:
        numbers = np.array(
            [float(s.truth.numbers[0]) if isinstance(s.truth, Value) and len(s.truth.numbers) else np.nan for s in data]
        )
        bins = min(_BINS, max(1, len(numbers) // 20))
        edges = np.nanquantile(numbers, np.arange(1, bins) / bins) if np.isfinite(numbers).any() else np.zeros(0)
        return [(f"{place:02}",) for place in np.searchsorted(edges, numbers).tolist()]
    return [()] * len(data)
