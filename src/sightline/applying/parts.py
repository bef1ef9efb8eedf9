"""Things recognised by their parts: two wheels beside each other and a windshield above them are a car."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from sightline.applying.chain import Chain
from sightline.core import geometry
from sightline.core.annotations import Objects
from sightline.core.asked import within
from sightline.core.errors import InputError, SettingsError, nearest

MOST = 20_000  # ways of putting parts together that are tried in a picture
_PART = re.compile(r"\s*(?:(\d+)\s+)?([A-Za-z_][\w.-]*)\s*")
_RELATED = re.compile(r"\s*([A-Za-z_][\w.-]*)\s+(\w+)\s+([A-Za-z_][\w.-]*)\s*")

Box = tuple[float, float, float, float]


def _size(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _above(one: Box, other: Box) -> bool:
    """The middle of one lies over the upper edge of the other."""
    return (one[1] + one[3]) / 2 < other[1]


def _left(one: Box, other: Box) -> bool:
    return (one[0] + one[2]) / 2 < other[0]


def _beside(one: Box, other: Box) -> bool:
    """Next to each other at one height: most of the lower one's height is shared."""
    shared = min(one[3], other[3]) - max(one[1], other[1])
    apart = _left(one, other) or _left(other, one)
    return apart and shared > 0.5 * min(one[3] - one[1], other[3] - other[1])


def _inside(one: Box, other: Box) -> bool:
    """The middle of one lies in the other, which is larger."""
    x, y = (one[0] + one[2]) / 2, (one[1] + one[3]) / 2
    return other[0] <= x <= other[2] and other[1] <= y <= other[3] and _size(one) < _size(other)


def _like(one: Box, other: Box) -> bool:
    """As large as the other, within a third."""
    sizes = sorted((_size(one), _size(other)))
    return sizes[0] > 0.44 * sizes[1]


RELATIONS: dict[str, Callable[[Box, Box], bool]] = {
    "above": _above,
    "below": lambda one, other: _above(other, one),
    "left_of": _left,
    "right_of": lambda one, other: _left(other, one),
    "beside": _beside,
    "inside": _inside,
    "like": _like,
}


@dataclass(frozen=True, slots=True)
class Parts:
    """How many of which parts: `2 wheel + windshield`."""

    text: str
    counts: tuple[tuple[str, int], ...]

    @classmethod
    def parse(cls, text: Any) -> Self:
        """The parts of a text, joined by plus signs."""
        if isinstance(text, cls):
            return text
        counts: Counter[str] = Counter()
        for word in str(text).split("+"):
            found = _PART.fullmatch(word)
            if found is None or not 1 <= int(found[1] or 1) <= 8:
                raise SettingsError(f"assemble: '{word.strip()}' is no part; write them as 2 wheel + windshield.")
            counts[found[2]] += int(found[1] or 1)
        return cls(str(text), tuple(counts.items()))

    def plain(self) -> str:
        """As it was written."""
        return self.text


@dataclass(frozen=True, slots=True)
class Lie:
    """How parts lie to one another: `windshield above wheel and wheel beside wheel`."""

    text: str
    told: tuple[tuple[str, str, str], ...]

    @classmethod
    def parse(cls, text: Any) -> Self:
        """The relations of a text; all must hold."""
        if isinstance(text, cls):
            return text
        told = []
        for word in re.split(r"\band\b", str(text)):
            found = _RELATED.fullmatch(word)
            if found is None:
                line = f"assemble: '{word.strip()}' is no relation; write one such as windshield above wheel."
                raise SettingsError(line)
            if found[2] not in RELATIONS:
                known = ", ".join(RELATIONS)
                raise SettingsError(
                    f"assemble: parts cannot lie '{found[2]}'.{nearest(found[2], RELATIONS)} Known: {known}."
                )
            told.append((found[1], found[2], found[3]))
        return cls(str(text), tuple(told))

    def plain(self) -> str:
        """As it was written."""
        return self.text

    def holds(self, placed: Mapping[str, list[Box]]) -> bool:
        """Whether every part of the one name lies so to every part of the other; of one name, to every other part."""
        for one, relation, other in self.told:
            pairs = (
                itertools.combinations(placed[one], 2)
                if one == other
                else itertools.product(placed[one], placed[other])
            )
            if not all(RELATIONS[relation](*pair) for pair in pairs):
                return False
        return True


def join(image: np.ndarray, *, objects: Objects, chain: Chain) -> Objects:
    """The things found so far and those that the chain in brackets finds in the same picture, each with its name."""
    more = chain(image).answer
    if not isinstance(more, Objects):
        raise InputError("mismatch", f"join: the chain in brackets answered {type(more).__name__.lower()}, not things.")
    names = tuple(dict.fromkeys((*objects.names, *more.names)))
    both = (objects, more)
    boxes = np.concatenate([_upright(each) for each in both]).reshape(-1, 4)
    classes = [names.index(each.names[number]) for each in both for number in each.classes.tolist()]
    scores = np.concatenate([_scores(each) for each in both])
    return Objects(boxes.astype(np.float32), np.array(classes, np.int64), names, scores=scores)


def assemble(
    image: np.ndarray, *, objects: Objects, name: str, of: Parts, where: Lie | None = None, reach: float = 2.0
) -> Objects:
    """One thing for every group of parts, such as `of="2 wheel + windshield" where="windshield above wheel"`.

    A part lies above, below, left_of, right_of, beside or inside another one, or is as large (`like`). The box of a
    group is at most `reach` times as long as its parts in a row. A part belongs to one thing, the surest and nearest
    group first; `details` name the boxes of its parts.
    """
    within("assemble", 1, 100, reach=reach)
    parts = dict(of.counts)
    for word in {part for one, _, other in (where.told if where else ()) for part in (one, other)} - set(parts):
        raise SettingsError(f"assemble: '{word}' is no part of {of.text}.{nearest(word, parts)}")
    boxes, scores = _upright(objects).astype(np.float64), _scores(objects)
    rows = {
        part: [row for row, at in enumerate(objects.classes.tolist()) if objects.names[at] == part] for part in parts
    }
    found = []
    for group in _groups(rows, parts):
        placed = {part: [_box(boxes[row]) for row in some] for part, some in group.items()}
        every = [row for some in group.values() for row in some]
        around = np.concatenate([boxes[every, :2].min(0), boxes[every, 2:].max(0)])
        spread = float((around[2:] - around[:2]).max() / (boxes[every, 2:] - boxes[every, :2]).max(1).sum())
        if spread <= reach and (where is None or where.holds(placed)):
            found.append((-float(scores[every].min()), spread, every, around, placed))
    found.sort(key=lambda one: one[:3])
    used: set[int] = set()
    kept = []
    for one in found:
        if not used & set(one[2]):
            used |= set(one[2])
            kept.append(one)
    details = tuple({"parts": {part: [list(box) for box in some] for part, some in one[4].items()}} for one in kept)
    return Objects(
        np.array([one[3] for one in kept], np.float32).reshape(-1, 4),
        np.zeros(len(kept), np.int64),
        (name,),
        scores=np.array([-one[0] for one in kept], np.float32),
        details=details,
    )


def _groups(rows: Mapping[str, list[int]], parts: Mapping[str, int]) -> Iterator[dict[str, tuple[int, ...]]]:
    """Every way of taking the parts; refused where there are far too many."""
    ways = [list(itertools.islice(itertools.combinations(rows[part], count), MOST)) for part, count in parts.items()]
    if np.prod([float(len(way)) for way in ways]) >= MOST:
        many = ", ".join(f"{len(some)} {part}" for part, some in rows.items())
        raise InputError("too_large", f"assemble: {many} can be put together in too many ways; keep fewer of them.")
    for chosen in itertools.product(*ways):
        yield dict(zip(parts, chosen, strict=True))


def _upright(objects: Objects) -> np.ndarray:
    return objects.boxes if objects.boxes.shape[1] == 4 else np.asarray(geometry.upright(objects.boxes))


def _scores(objects: Objects) -> np.ndarray:
    return np.ones(len(objects), np.float32) if objects.scores is None else objects.scores


def _box(row: np.ndarray) -> Box:
    left, top, right, bottom = row.tolist()
    return left, top, right, bottom
