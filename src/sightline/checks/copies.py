"""Faults of equal pictures: counted twice, labelled twice, or on both sides of a split."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import numpy as np

from sightline.core.annotations import Annotation, Labels, to_columns
from sightline.core.dataset import Dataset
from sightline.core.files import digest
from sightline.core.finding import Finding

_NOTHING = {"unreadable", digest(b"")}  # what is not there is not equal


def duplicates(data: Dataset) -> list[Finding]:
    """Pictures whose bytes are there more than once; splits keep them together, but they count twice."""
    copies = [data[row].id for rows in _equal(data) for row in rows[1:]]
    if not copies:
        return []
    severity = "warn" if 10 * len(copies) > len(data) else "note"
    text = f"{len(copies)} exact {'duplicate' if len(copies) == 1 else 'duplicates'}"
    return [Finding("duplicates", severity, text, tuple(copies[:20]), len(copies))]


def conflicts(data: Dataset) -> list[Finding]:
    """Equal pictures with different labels: at most one of them is right."""
    ids: list[str] = []
    for rows in _equal(data):
        labels = {_key(data[row].truth) for row in rows}
        if len(labels) > 1:
            ids += [data[row].id for row in rows]
    if not ids:
        return []
    return [Finding("conflicts", "warn", f"{len(ids)} equal pictures with different labels", tuple(ids[:20]), len(ids))]


def leaks(data: Dataset) -> list[Finding]:
    """The same picture, or the same group, on two sides of a split that the data brings: results would flatter."""
    found = []
    groups: dict[str, list[int]] = defaultdict(list)
    for row, sample in enumerate(data):
        if sample.group is not None and sample.split is not None:
            groups[sample.group].append(row)
    for what, sets in (("pictures", _equal(data)), ("groups", groups.values())):
        ids, count = _across(data, sets)
        if count:
            text = (
                f"{count} equal {what} on two sides of the split"
                if what == "pictures"
                else f"{count} groups on two sides"
            )
            found.append(Finding("leaks", "warn", text, tuple(ids[:20]), count))
    return found


def _across(data: Dataset, sets: Iterable[list[int]]) -> tuple[list[str], int]:
    """Samples of the sets that lie on more than one side, and the number of such sets."""
    ids, count = [], 0
    for rows in sets:
        if len({data[row].split for row in rows} - {None}) > 1:
            ids += [data[row].id for row in rows]
            count += 1
    return ids, count


def _equal(data: Dataset) -> list[list[int]]:
    """Positions of samples whose pictures are all equal, in sets of two or more."""
    rows: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for row, sample in enumerate(data):
        key = tuple(image.fingerprint() for image in sample.images)
        if key and not _NOTHING & set(key):
            rows[key].append(row)
    return [same for same in rows.values() if len(same) > 1]


def _key(truth: Annotation | None) -> str:
    if truth is None:
        return ""
    if isinstance(truth, Labels):
        return "\x1f".join(sorted(truth.names))
    columns = to_columns(truth).items()
    return "".join(f"{name}{array.shape}{digest(np.ascontiguousarray(array).tobytes())}" for name, array in columns)
