"""From a heap of pictures to groups that look alike: no labels are needed, and the number of groups is found."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sightline.auditing.accord import Accord, accord
from sightline.auditing.looks import TOGETHER, Looks, open_looks
from sightline.core.annotations import Labels
from sightline.core.asked import whole
from sightline.core.data import open_data
from sightline.core.dataset import Dataset
from sightline.core.directions import Directions, directions, parse
from sightline.core.errors import InputError, SettingsError
from sightline.core.finding import count_of
from sightline.core.grouping import Groups, Score, choose, grouped, ratio, silhouette
from sightline.core.known import remember
from sightline.core.progress import Event, Tell, silent

FEWEST = 3  # pictures
SOME = 2000  # from which directions and the number of groups are learnt, spread evenly over the pictures
WHOLE = 20_000  # pictures whose rows are held as they are where nothing is reduced
APART, JOINED = 0.5, 0.25  # silhouettes from which groups stand apart, and below which they run into each other


@dataclass(frozen=True, eq=False)
class Clustering:
    """Which group each picture is in, the largest group first, and how that number of groups was found."""

    name: str
    on: str  # what was looked at
    reduce: str
    seed: int
    asked: int  # groups that were asked for; 0: the number was chosen
    places: np.ndarray  # (n,) of the pictures in the data
    ids: tuple[str, ...]
    groups: np.ndarray  # (n,) from 0
    distances: np.ndarray  # (n,) from the middle of the own group, in units of the usual one
    margins: np.ndarray  # (n,) 1 in the middle of the own group, 0 half way to the next
    sizes: tuple[int, ...]
    scores: tuple[Score, ...]  # of every number of groups that was tried
    skipped: tuple[tuple[str, InputError], ...]
    accord: Accord | None
    notes: tuple[str, ...]
    numbers: int  # of a row before it was reduced
    told: float | None  # share of all differences that the kept directions tell
    seconds: float

    @property
    def count(self) -> int:
        """How many groups there are."""
        return len(self.sizes)

    @property
    def score(self) -> Score:
        """How well this number of groups parts the pictures."""
        return next(score for score in self.scores if score.count == self.count)

    @property
    def line(self) -> str:
        """All of it in one line for people."""
        sizes = ", ".join(f"{size:,}" for size in self.sizes[:12]) + (", ..." if self.count > 12 else "")
        how = "as asked" if self.asked else "found"
        silhouette = self.score.silhouette
        says = "stand apart" if silhouette >= APART else "run into each other" if silhouette < JOINED else "touch"
        return (
            f"{count_of(len(self.ids), 'picture')} in {self.count} groups ({how}: {sizes}); "
            f"silhouette {silhouette:.2f}: the groups {says}"
        )

    def group_name(self, group: int) -> str:
        """What a group is called until a person names it."""
        return f"group-{group + 1:0{len(str(self.count))}}"

    def central(self, group: int, most: int) -> list[int]:
        """The rows of a group that are nearest to its middle."""
        return self._ordered(group)[:most]

    def odd(self, group: int, most: int) -> list[int]:
        """The rows of a group that are farthest from its middle, the farthest first."""
        return self._ordered(group)[::-1][:most]

    def _ordered(self, group: int) -> list[int]:
        mine = np.flatnonzero(self.groups == group)
        ordered: list[int] = mine[np.argsort(self.distances[mine], kind="stable")].tolist()
        return ordered

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, a row a picture."""
        rows = zip(self.ids, self.groups.tolist(), self.distances.tolist(), self.margins.tolist(), strict=True)
        return {
            **{name: getattr(self, name) for name in ("name", "on", "reduce", "seed", "count", "numbers", "told")},
            "sizes": list(self.sizes),
            "scores": [_plain(score) for score in self.scores],
            "accord": None if self.accord is None else self.accord.to_json(),
            "notes": list(self.notes),
            "skipped": [
                {"id": identity, "error": {"code": error.code, "message": error.message}}
                for identity, error in self.skipped
            ],
            "pictures": [
                {"id": identity, "group": self.group_name(group), "distance": round(far, 4), "margin": round(margin, 4)}
                for identity, group, far, margin in rows
            ],
            "seconds": round(self.seconds, 3),
            "line": self.line,
        }


def cluster(
    data: Any,
    *,
    on: str = "auto",
    count: int = 0,
    reduce: str = "pca:32",
    most: int = 20,
    seed: int = 0,
    format: str | None = None,
    tell: Tell = silent,
) -> Clustering:
    """Group pictures by what they look like; labels are not looked at, only compared with where there are any.

    `on` is a mix of hand-made features, or a run or a bundle whose network looks. Each feature has the same say, rows
    are made shorter (`pca:N`, `random:N` or `none`) and parted by k-means. Without a `count`, 2 to `most` groups are
    tried and the number with the largest mean silhouette is kept.
    """
    begun = time.monotonic()
    if whole("cluster", "count", count, 0, 10_000) == 1:
        raise SettingsError("cluster: count = 1: one group is all pictures. Give 2 or more, or 0 to find the number.")
    whole("cluster", "most", most, 2, 200)
    whole("cluster", "seed", seed, 0, 2**31)
    parse(reduce)
    looks = open_looks(on)
    samples = remember(open_data(data, format=format))
    if reduce == "none" and len(samples) > WHOLE:
        raise SettingsError(
            f"reduce = 'none' is for at most {WHOLE:,} pictures; here are {len(samples):,}. Use pca:32."
        )
    rows, places, skipped, front = _rows(samples, looks, reduce, seed, tell)
    if len(rows) < FEWEST:
        raise InputError("empty", _too_few(len(rows), skipped, samples.name))
    single, copied = _without_copies(rows)
    different = len(single)
    if different < 2:
        raise InputError(
            "empty",
            f"all {len(rows):,} pictures of {samples.name} look the same to {looks.on}: there is nothing to part.",
        )
    if count > different:
        raise SettingsError(f"count = {count}: {samples.name} holds {different:,} different pictures. Ask for fewer.")
    groups, scores = _parted(rows[single], count, min(most, different), seed, tell)
    groups = _largest_first(Groups(groups.middles, groups.nearest[copied], groups.inertia))
    apart = groups.distances(rows)
    place = np.arange(len(rows))
    own = apart[place, groups.nearest]
    apart[place, groups.nearest] = np.inf
    ids = tuple(samples[at].id for at in places)
    done = Clustering(
        samples.name, looks.on, reduce, seed, count, np.array(places), ids, groups.nearest,
        own / max(float(own.mean()), 1e-12), 1 - own / np.maximum(apart.min(1), 1e-12),
        tuple(np.bincount(groups.nearest).tolist()), scores, skipped,
        accord([_name(samples, at) for at in places], groups.nearest, len(groups), seed),
        _notes(len(rows), different, skipped, len(groups), 0 if count else most),
        front.numbers, None if front.turn is None else front.turn.told, time.monotonic() - begun,
    )  # fmt: skip
    tell(Event("cluster", done.line, {"count": done.count, "sizes": list(done.sizes)}))
    return done


@dataclass(frozen=True, eq=False)
class _Front:
    """What rows go through before they are compared: features of equal say, then fewer directions."""

    numbers: int
    middle: np.ndarray
    gain: np.ndarray
    turn: Directions | None

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        even = (rows - self.middle) * self.gain
        return even if self.turn is None else self.turn(even)


def _front(rows: np.ndarray, lengths: Sequence[int], reduce: str, seed: int) -> _Front:
    """Learnt from some rows: all spreads of a feature together are one."""
    middle, spread = rows.mean(0, dtype=np.float64), rows.var(0, dtype=np.float64)
    parts = np.split(spread, np.cumsum(lengths)[:-1]) if lengths else [spread]
    gain = [np.full(len(part), 1 / np.sqrt(part.sum()) if part.sum() > 1e-12 else 0.0) for part in parts]
    even = _Front(rows.shape[1], middle, np.concatenate(gain), None)
    return _Front(even.numbers, middle, even.gain, directions(even(rows), reduce, seed=seed))


def _rows(
    samples: Dataset, looks: Looks, reduce: str, seed: int, tell: Tell
) -> tuple[np.ndarray, list[int], tuple[tuple[str, InputError], ...], _Front]:
    """A short row for each picture that can be read, where it is in the data, and what could not be read.

    Some pictures from everywhere are looked at first: what is learnt from them shortens the rows of all others.
    """
    some = _spread(len(samples))
    others = np.setdiff1d(np.arange(len(samples)), some)
    faults: dict[int, InputError] = {}
    first = {place: row for made in _looked(samples, looks, some, faults, 0, tell) for place, row in made.items()}
    if not first:
        if faults:
            raise next(iter(faults.values()))
        raise InputError("empty", _too_few(0, (), samples.name))
    front = _front(np.stack(list(first.values())), looks.lengths, reduce, seed)
    short = dict(zip(first, front(np.stack(list(first.values()))), strict=True))
    del first
    for made in _looked(samples, looks, others, faults, len(some), tell):
        if made:
            short |= dict(zip(made, front(np.stack(list(made.values()))), strict=True))
    places = sorted(short)
    skipped = tuple((samples[place].id, faults[place]) for place in sorted(faults))
    return np.stack([short[place] for place in places]), places, skipped, front


def _looked(
    samples: Dataset, looks: Looks, places: np.ndarray, faults: dict[int, InputError], before: int, tell: Tell
) -> Iterator[dict[int, np.ndarray]]:
    """Rows by place, some pictures at a time; complaints are noted beside."""
    for start in range(0, len(places), TOGETHER):
        part = places[start : start + TOGETHER].tolist()
        made = {}
        for place, row in zip(part, looks.rows([samples[place] for place in part]), strict=True):
            if isinstance(row, InputError):
                faults[place] = row
            elif np.isfinite(row).all():
                made[place] = row
            else:
                name = samples[place].id
                faults[place] = InputError("mismatch", f"{name}: {looks.on} answers with what is no number.")
        done = before + start + len(part)
        tell(Event("progress", f"looked at {done:,} pictures", {"done": done, "total": len(samples)}))
        yield made


def _without_copies(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The first row of each kind in their order, and for every row which of them it equals.

    Copies would make a group of each picture that has some: nothing is as near as they are.
    """
    if not rows.shape[1]:  # there is no direction in which they differ
        return np.zeros(1, np.int64), np.zeros(len(rows), np.int64)
    even = np.round(rows / max(float(np.abs(rows).max()), 1e-12), 6)
    _, first, kinds = np.unique(even, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")
    return first[order], np.argsort(order)[kinds.ravel()]


def _spread(count: int) -> np.ndarray:
    """Some places from everywhere."""
    return np.unique(np.linspace(0, max(0, count - 1), min(SOME, count)).round().astype(int))


def _parted(rows: np.ndarray, count: int, most: int, seed: int, tell: Tell) -> tuple[Groups, tuple[Score, ...]]:
    """The groups of all rows, and the scores of the numbers that were tried on some of them."""
    tell(Event("note", f"how many groups part {count_of(len(rows), 'picture')} best"))
    some = _spread(len(rows))
    fewest, most = (count, count) if count else (2, most)
    chosen = choose(rows[some], fewest=fewest, most=most, seed=seed)
    if chosen.scores:
        return grouped(rows, chosen.count, begin=chosen.groups.middles), chosen.scores
    groups = grouped(rows, count or 2, seed=seed)  # as many groups as there are pictures that differ
    score = silhouette(rows[some], groups.nearest[some])
    return groups, (Score(len(groups), score, ratio(rows, groups), groups.inertia),)


def _largest_first(groups: Groups) -> Groups:
    order = np.argsort(-np.bincount(groups.nearest, minlength=len(groups)), kind="stable")
    return Groups(groups.middles[order], np.argsort(order)[groups.nearest], groups.inertia)


def _name(samples: Dataset, place: int) -> str | None:
    truth = samples[place].truth
    return truth.names[0] if isinstance(truth, Labels) and len(truth.names) == 1 else None


def _too_few(count: int, skipped: Sequence[tuple[str, InputError]], name: str) -> str:
    more = f" ({count_of(len(skipped), 'other')} could not be read)" if skipped else ""
    return f"{name} holds {count_of(count, 'picture')}{more}; groups need at least {FEWEST}."


def _notes(
    count: int,
    different: int,
    skipped: Sequence[tuple[str, InputError]],
    chosen: int,
    most: int,
) -> tuple[str, ...]:
    """What a person should know before they trust the groups."""
    notes = []
    if skipped:
        first = skipped[0][1].message
        notes.append(f"{count_of(len(skipped), 'picture')} could not be used and left out; the first: {first}")
    if different < count:
        notes.append(f"{count - different:,} of the pictures are copies of others to the last digit; they count once")
    if most and chosen == most < different - 1:
        notes.append(f"{most} groups are the most that were tried; with a larger --most there may be better ones")
    return tuple(notes)


def _plain(score: Score) -> dict[str, Any]:
    plain = {name: getattr(score, name) for name in ("count", "silhouette", "ratio", "inertia")}
    return {name: value if np.isfinite(value) else None for name, value in plain.items()}
