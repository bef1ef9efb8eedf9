"""Faults of equal and nearly equal pictures: counted twice, labelled twice, or on both sides of a split."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import numpy as np

from sightline.core.annotations import Annotation, Labels, to_columns
from sightline.core.dataset import Dataset
from sightline.core.files import digest
from sightline.core.finding import EXAMPLES, Finding
from sightline.core.known import NOTHING, near, remember, seals

MANY = 0.1  # share of copies from which results would be doubtful
_KEPT_FIRST = {"test": 0, "val": 1, "train": 2, None: 3}  # a copy goes from where it is learnt, not from a test


def duplicates(data: Dataset) -> list[Finding]:
    """Pictures whose bytes are there more than once; splits keep them together, but they count twice."""
    data, twins = remember(data), dict[int, int]()
    sides = data.column("split")
    for rows in _equal(data):
        first, *copies = sorted(rows, key=lambda row: (_KEPT_FIRST.get(sides[row], 3), row))
        twins.update(dict.fromkeys(copies, first))
    if not twins:
        return []
    severity = "warn" if len(twins) > MANY * len(data) else "note"
    text = f"{len(twins)} exact {'duplicate' if len(twins) == 1 else 'duplicates'}"
    do = "Keep one of each; a cleaned view leaves the copies out, first those that would be learnt."
    return [_told("duplicates", severity, text, data, twins, do, leave=True)]


def near_duplicates(data: Dataset) -> list[Finding]:
    """Pictures that are others resized, recompressed, cut a little, mirrored or lightened; splits do not part them."""
    data = remember(data)
    pairs, drawn = _near(data)
    twins = {max(pair): min(pair) for pair in pairs[::-1]}
    if not twins:
        return []
    severity = "warn" if len(twins) > MANY * len(data) else "note"
    text = f"{len(twins)} near {'duplicate' if len(twins) == 1 else 'duplicates'}{drawn}"
    do = "Look at them; they say little more than one picture, and a split of your own must keep them together."
    return [_told("near_duplicates", severity, text, data, twins, do)]


def conflicts(data: Dataset) -> list[Finding]:
    """Equal or nearly equal pictures with different labels: at most one of them is right."""
    data, equal, twins = remember(data), set[int](), dict[int, int]()
    for rows in _equal(data):
        if len({_key(data[row].truth) for row in rows}) > 1:
            equal.update(rows)
            twins.update({row: rows[0] if row != rows[0] else rows[1] for row in rows})
    pairs = _near(data)[0] if data.kind is Labels else []  # outlines move when a picture is cut; names do not
    for first, second in pairs:
        if _key(data[first].truth) != _key(data[second].truth):
            twins.setdefault(first, second)
            twins.setdefault(second, first)
    if not twins:
        return []
    alike = len(twins) - len(equal)
    parts = [f"{len(equal)} equal pictures"] if equal else []
    parts += [f"{alike} near duplicates"] if alike else []
    do = "Look which label is right; what is learnt from both is neither."
    return [_told("conflicts", "warn", f"{' and '.join(parts)} with different labels", data, twins, do, harm=1.0)]


def leaks(data: Dataset) -> list[Finding]:
    """A picture, a near copy of it or its group on two sides of a split that the data brings: results would flatter."""
    data = remember(data)
    sides = data.column("split")
    if len(set(sides) - {None}) < 2:
        return []
    groups: dict[str, list[int]] = defaultdict(list)
    for row, (group, side) in enumerate(zip(data.column("group"), sides, strict=True)):
        if group is not None and side is not None:
            groups[group].append(row)
    do = "Split again by group (a split that is not given keeps copies and groups together), or leave one side's out."
    found = []
    for kind, sets in (
        ("equal pictures", _equal(data)),
        ("near duplicates", _near(data)[0]),
        ("groups", groups.values()),
    ):
        apart = [rows for rows in sets if len({sides[row] for row in rows} - {None}) > 1]
        twins = {row: next(other for other in rows if sides[other] != sides[row]) for rows in apart for row in rows}
        if apart:
            text = f"{len(apart)} {kind} on two sides" + ("" if kind == "groups" else " of the split")
            found.append(_told("leaks", "warn", text, data, twins, do, count=len(apart), harm=1.0))
    return found


def _told(
    check: str,
    severity: str,
    text: str,
    data: Dataset,
    twins: dict[int, int],
    do: str,
    *,
    count: int = 0,
    harm: float = 0.2,
    leave: bool = False,
) -> Finding:
    """A finding about rows, each with its twin."""
    ids = data.column("id")
    shown = list(twins.items())[:EXAMPLES]
    return Finding(
        check,
        severity,
        text,
        tuple(ids[row] for row, _ in shown),
        count or len(twins),
        do,
        tuple(f"like {ids[twin]}" for _, twin in shown),
        leave=tuple(ids[row] for row in twins) if leave else (),
        harm=harm * len(twins) / len(data),
    )


def _equal(data: Dataset) -> list[list[int]]:
    """Positions of samples whose pictures are all equal, in sets of two or more."""
    numbers = seals(data)
    order = np.argsort(numbers, kind="stable")
    edges = np.flatnonzero(np.diff(numbers[order])) + 1
    sets = [part.tolist() for part in np.split(order, edges) if len(part) > 1 and numbers[part[0]] >= 0]
    return sorted(rows for same in sets for rows in _all_equal(data, same))


def _all_equal(data: Dataset, rows: list[int]) -> Iterable[list[int]]:
    """Those of samples with equal first pictures whose other pictures are equal too."""
    found: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for row in rows:
        key = tuple(image.fingerprint() for image in data[row].images[1:])
        if not NOTHING & set(key):
            found[key].append(row)
    return (same for same in found.values() if len(same) > 1)


def _near(data: Dataset) -> tuple[list[tuple[int, int]], str]:
    """Pairs of near copies that are not equal, of samples of one picture; what to say where not all were sought."""
    found, numbers = near(data), seals(data)
    pairs = [(first, second) for first, second in found.pairs.tolist() if numbers[first] != numbers[second]]
    return sorted(pair for pair in pairs if all(len(data[row].images) == 1 for row in pair)), found.drawn


def _key(truth: Annotation | None) -> str:
    if truth is None:
        return ""
    if isinstance(truth, Labels):
        return "\x1f".join(sorted(truth.names))
    columns = to_columns(truth).items()
    return "".join(f"{name}{array.shape}{digest(np.ascontiguousarray(array).tobytes())}" for name, array in columns)
