"""How a data set is parted: balanced over labels, and never between copies of a picture or members of a group."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from sightline.core.annotations import Labels
from sightline.core.dataset import Dataset, column_of
from sightline.core.errors import SettingsError
from sightline.core.progress import Event, Tell, silent
from sightline.core.sample import Sample
from sightline.core.ties import Ties, tied

FEWEST = 2.0  # pictures of a name that a side should have, from which on it is said that it has none
Parted = dict[str, list[list[int]]]  # side -> groups of rows


def split(
    data: Dataset,
    *,
    val: float = 0.15,
    test: float = 0.15,
    seed: int = 0,
    by: str | None = None,
    copies: bool = True,
    tell: Tell = silent,
) -> Dataset:
    """Every sample on one side: balanced over labels; groups, equal and nearly equal pictures are never parted.

    A split that the data brings is kept; where it brings no `val`, one is cut from its `train`. `by` names an attribute
    (site, camera, day): its values are then parted whole, in sorted order for test last, so that time runs forward.
    Without `copies` no picture is opened, and copies may end up on two sides.
    """
    for name, part in (("val", val), ("test", test)):
        if not 0 <= part < 1:
            raise SettingsError(f"{name} = {part}: give a share from 0 to below 1.")
    if val + test >= 1:
        raise SettingsError(f"val = {val} and test = {test} leave nothing to learn from; give less than 1 together.")
    given = list(data.column("split"))
    if "val" in given and "train" in given:
        return data
    rows = [row for row, side in enumerate(given) if side in (None, "train")]
    share = {side: part for side, part in (("test", test), ("val", val)) if part > 0 and side not in given}
    ties = tied(data, rows, by, copies, tell)
    if by is not None:
        parted = _in_order(ties.groups, share)
    elif ties.several:
        parted = _iterative(ties, {"train": 1 - sum(share.values()), **share}, seed)
    else:
        parted = _balanced(ties.strata(seed), share)
    for side, groups in parted.items():
        for members in groups:
            for row in members:
                given[row] = side
    if by is None and data.kind is Labels:
        _say_unmeasured(ties, parted, share, tell)
    return sided(data, given, f"split {val} {test} {seed} {by}")


def folds(
    data: Dataset, k: int = 5, *, seed: int = 0, by: str | None = None, copies: bool = True, tell: Tell = silent
) -> list[Dataset]:
    """The same data `k` times, each time with another part as `val` and the rest as `train`; parted as by `split`.

    Samples that the data gives to `test` stay there.
    """
    given = list(data.column("split"))
    rows = [row for row, side in enumerate(given) if side != "test"]
    numbers = _dealt(tied(data, rows, by, copies, tell), k, seed, by)
    return [_fold(data, given, numbers, fold, f"fold {fold} of {k}, {seed} {by}") for fold in range(k)]


def nested_folds(
    data: Dataset,
    outer: int = 5,
    inner: int = 4,
    *,
    seed: int = 0,
    by: str | None = None,
    copies: bool = True,
    tell: Tell = silent,
) -> list[list[Dataset]]:
    """For each of `outer` parts as `test`, the rest in `inner` folds: choose by those, report what `test` says."""
    ties = tied(data, list(range(len(data))), by, copies, tell)
    parts = _dealt(ties, outer, seed, by)
    made = []
    for part in range(outer):
        rest = replace(ties, groups=[members for members in ties.groups if parts[members[0]] != part])
        numbers = _dealt(rest, inner, seed, by)
        given = ["test" if parts[row] == part else None for row in range(len(data))]
        what = f"of {inner} in {part} of {outer}, {seed} {by}"
        made.append([_fold(data, given, numbers, fold, f"fold {fold} {what}") for fold in range(inner)])
    return made


def split_digest(data: Dataset) -> str:
    """One hash for who is on which side: that of `canonical` pairs of id and side."""
    quote, hashed, between = json.JSONEncoder(ensure_ascii=False).encode, hashlib.sha256(b"["), ""
    pairs = iter(zip(data.column("id"), data.column("split"), strict=True))
    while some := [f"\n [\n  {quote(name)},\n  {quote(side)}\n ]" for name, side in islice(pairs, 10_000)]:
        hashed.update((between + ",".join(some)).encode("utf-8", "surrogatepass"))
        between = ","
    hashed.update(b"\n]\n" if between else b"]\n")
    return hashed.hexdigest()


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

    def column(self, field: str) -> Sequence[Any]:
        """One field of these samples."""
        return self.sides if field == "split" else column_of(self.base, field)


def sided(data: Dataset, sides: Sequence[str | None], recipe: str) -> Dataset:
    """The same samples on these sides; `recipe` names how they came there."""
    made = None if data._recipe is None else f"{data._recipe}|{recipe}"
    samples = _Sided(data.samples, sides)
    return Dataset(samples, name=data.name, names=data._names, kind=data._kind, recipe=made, details=data.details)


def _fold(data: Dataset, given: Sequence[str | None], numbers: dict[int, int], fold: int, recipe: str) -> Dataset:
    sides = [
        side if row not in numbers else "val" if numbers[row] == fold else "train" for row, side in enumerate(given)
    ]
    return sided(data, sides, recipe)


def _balanced(strata: list[list[list[int]]], share: dict[str, float]) -> Parted:
    """Each side its share of every stratum; what a small stratum cannot give is owed by the next ones."""
    parted: Parted = {side: [] for side in ("train", *share)}
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
    return _none_empty(parted, share, strata)


def _none_empty(parted: Parted, share: Iterable[str], strata: list[list[list[int]]]) -> Parted:
    """A side that was asked for is not left empty while another has groups to give, first those of names with more."""
    stratum = {members[0]: number for number, groups in enumerate(strata) for members in groups}
    learnt = parted["train"]
    for side in share:
        if not parted[side] and len(learnt) > 1:
            left = Counter(stratum[members[0]] for members in learnt)
            ranks = [(left[stratum[members[0]]] == 1, len(members), -place) for place, members in enumerate(learnt)]
            parted[side].append(learnt.pop(ranks.index(min(ranks))))
    return parted


def _say_unmeasured(ties: Ties, parted: Parted, share: dict[str, float], tell: Tell) -> None:
    """Names of which a side holds nothing though it should: what is tied together is too large for it."""
    if max(map(len, ties.groups), default=1) == 1:
        return
    whole = _carried(ties, ties.groups)
    for side, part in share.items():
        there = _carried(ties, parted[side])
        lost = sorted(name for name, count in whole.items() if part * count >= FEWEST and name not in there)
        if lost and there:
            named = ", ".join(lost[:5]) + (f" and {len(lost) - 5:,} more" if len(lost) > 5 else "")
            text = f"nothing of {named} is on the side {side}, since pictures that stay together are too many to part"
            tell(Event("warn", f"{text}; what is measured there does not speak of them", {side: lost}))


def _carried(ties: Ties, groups: list[list[int]]) -> Counter[str]:
    return Counter(name for members in groups for row in members for name in set(ties.names[row]))


def _iterative(ties: Ties, share: dict[str, float], seed: int) -> Parted:
    """Iterative stratification (Sechidis et al. 2011): the rarest name first, each group where it is wanted most."""
    carriers: dict[str, list[int]] = defaultdict(list)
    counts: Counter[str] = Counter()
    groups = ties.ordered(seed, "", ties.groups)
    for place, members in enumerate(groups):
        carried = Counter(name for row in members for name in set(ties.names[row]))
        counts.update(carried)
        for name in carried:
            carriers[name].append(place)
    rows = sum(map(len, groups))
    wanted = {side: {name: part * count for name, count in counts.items()} for side, part in share.items()}
    room = {side: part * rows for side, part in share.items()}
    parted: Parted = {side: [] for side in share}
    free = dict.fromkeys(range(len(groups)))  # in order

    def place_in(side: str, place: int) -> None:
        del free[place]
        parted[side].append(groups[place])
        room[side] -= len(groups[place])
        for row in groups[place]:
            for name in set(ties.names[row]):
                wanted[side][name] -= 1

    for name in sorted(counts, key=lambda name: (counts[name], name)):
        for place in carriers[name]:
            if place in free:
                place_in(max(share, key=lambda side: (wanted[side][name], room[side])), place)
    for place in list(free):  # those that carry no name
        place_in(max(share, key=lambda side: room[side]), place)
    if "train" not in share:
        return parted
    return _none_empty(parted, [side for side in share if side != "train"], ties.strata(seed))


def _in_order(groups: list[list[int]], share: dict[str, float]) -> Parted:
    """The last groups for test, those before for val, the first for train: nothing is tested on its past."""
    parted: Parted = {side: [] for side in ("train", *share)}
    rest, total = list(groups), sum(map(len, groups))
    wanted = list(share)[-max(0, len(groups) - 1) :] if len(groups) > 1 else []  # val before test where groups are few
    for place, side in enumerate(wanted):
        have = 0
        while len(rest) > len(wanted) - place and (not have or have + len(rest[-1]) / 2 <= share[side] * total):
            have += len(rest[-1])
            parted[side].append(rest.pop())
    parted["train"] = rest
    return parted


def _dealt(ties: Ties, k: int, seed: int, by: str | None) -> dict[int, int]:
    """A number below `k` for every row: the same for a group, and each number its share of every name."""
    if k < 2:
        raise SettingsError(f"{k} folds: give 2 or more.")
    if len(ties.groups) < k:
        what = f"values of '{by}'" if by else "groups of samples that stay together"
        raise SettingsError(f"{k} folds of {len(ties.groups)} {what}: give {len(ties.groups)} folds or fewer.")
    if ties.several and by is None:
        sides = _iterative(ties, {str(number): 1 / k for number in range(k)}, seed)
        return {row: int(side) for side, groups in sides.items() for members in groups for row in members}
    total, numbers = [0] * k, dict[int, int]()
    for groups in ties.strata(seed) if by is None else [ties.groups]:
        have = [0] * k
        for members in sorted(groups, key=len, reverse=True):
            number = min(range(k), key=lambda each: (have[each], total[each], each))
            have[number] += len(members)
            total[number] += len(members)
            numbers.update(dict.fromkeys(members, number))
    return numbers
