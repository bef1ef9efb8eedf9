"""What differs between two versions of a data set: pictures and labels, by id and by content."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from sightline.core.annotations import Annotation, Labels, to_columns
from sightline.core.data import open_data
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError
from sightline.core.files import digest
from sightline.core.known import NOTHING, look_at_all, remember
from sightline.core.progress import Tell, silent

SHOWN = 20  # ids of each kind of difference
_WORDS = {
    "added": "added",
    "removed": "removed",
    "renamed": "renamed",
    "changed": "with other pixels",
    "relabelled": "with other labels",
    "moved": "on another side",
    "regrouped": "in another group",
}
Shown = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """How many samples differ in which way; the first ids of each way, and names that came or went."""

    before: int
    after: int
    counts: dict[str, int]  # way -> samples
    examples: dict[str, Shown]  # way -> ids, or 'old -> new'
    names_added: Shown
    names_removed: Shown
    compared: str  # what was held against what

    @property
    def equal(self) -> bool:
        """Whether nothing differs that was compared."""
        return not (any(self.counts.values()) or self.names_added or self.names_removed)

    @property
    def line(self) -> str:
        """All of it in one line."""
        parts = [f"{count:,} {_WORDS[way]}" for way, count in self.counts.items() if count]
        parts += [f"names added: {', '.join(self.names_added)}"] if self.names_added else []
        parts += [f"names removed: {', '.join(self.names_removed)}"] if self.names_removed else []
        sizes = (
            f"{self.before:,} samples" if self.before == self.after else f"{self.before:,} -> {self.after:,} samples"
        )
        return f"{sizes}: {', '.join(parts) or 'nothing differs'}{self.compared}"

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "equal": self.equal, "line": self.line}


@dataclass(frozen=True, slots=True)
class _Version:
    """What is compared of a data set: a few bytes a sample."""

    data: Dataset
    ids: Sequence[str]
    pictures: np.ndarray  # (n,) of 16 bytes; empty where there is nothing to compare
    labels: np.ndarray  # (n,) of 16 bytes


def diff(a: Any, b: Any, *, format: str | None = None, pictures: bool = True, tell: Tell = silent) -> Difference:
    """Hold two versions of a data set against each other; without `pictures`, only what is said of them."""
    first, second = (_version(open_data(data, format=format), pictures, tell) for data in (a, b))
    place = {name: row for row, name in enumerate(first.ids)}
    rows = np.array([place.get(name, -1) for name in second.ids], np.int64)
    both = np.flatnonzero(rows >= 0)
    came = np.flatnonzero(rows < 0)
    kept = np.zeros(len(first.ids), bool)
    kept[rows[both]] = True
    gone = np.flatnonzero(~kept)
    renamed = _renamed(first, gone, second, came)
    lost = np.setdiff1d(gone, [row for row, _ in renamed]).tolist()
    new = np.setdiff1d(came, [row for _, row in renamed]).tolist()
    pairs = list(zip(rows[both].tolist(), both.tolist(), strict=True))
    sides, groups = ((first.data.column(f), second.data.column(f)) for f in ("split", "group"))
    moved = [(one, other) for one, other in pairs if sides[0][one] != sides[1][other]]
    regrouped = [other for one, other in pairs if groups[0][one] != groups[1][other]]
    found: dict[str, tuple[int, Iterable[str]]] = {
        "added": _ids(second, new),
        "removed": _ids(first, lost),
        "renamed": (len(renamed), (f"{first.ids[old]} -> {second.ids[row]}" for old, row in renamed)),
        "changed": _ids(second, both[first.pictures[rows[both]] != second.pictures[both]]),
        "relabelled": _ids(second, both[first.labels[rows[both]] != second.labels[both]]),
        "moved": (len(moved), (f"{second.ids[row]}: {sides[0][old]} -> {sides[1][row]}" for old, row in moved)),
        "regrouped": _ids(second, regrouped),
    }
    names = set(first.data.names), set(second.data.names)
    return Difference(
        len(first.ids),
        len(second.ids),
        {way: count for way, (count, _) in found.items()},
        {
            way: tuple(one for one, _ in zip(ids, range(SHOWN), strict=False))
            for way, (count, ids) in found.items()
            if count
        },
        tuple(sorted(names[1] - names[0])),
        tuple(sorted(names[0] - names[1])),
        "" if pictures else " (pictures were not compared)",
    )


def _ids(version: _Version, rows: Any) -> tuple[int, Iterable[str]]:
    return len(rows), (version.ids[row] for row in rows)


def _renamed(first: _Version, gone: np.ndarray, second: _Version, came: np.ndarray) -> list[tuple[int, int]]:
    """Rows that left under one id and came under another with the same pictures, each once."""
    left: dict[bytes, list[int]] = {}
    for row in gone[::-1].tolist():
        left.setdefault(first.pictures[row].tobytes(), []).append(row)
    left.pop(bytes(16), None)
    twins = ((left.get(second.pictures[row].tobytes()), row) for row in came.tolist())
    return [(rest.pop(), row) for rest, row in twins if rest]


def _version(data: Dataset, pictures: bool, tell: Tell) -> _Version:
    ids = data.column("id")
    if len(set(ids)) < len(ids):
        raise InputError("label", f"{data.name} has ids that are there twice; versions are compared by id.")
    seen = remember(data)
    if pictures:
        look_at_all(seen, tell, closely=False)
    prints, labels = bytearray(), bytearray()
    for sample in seen:
        seals = [image.fingerprint() for image in sample.images] if pictures else []
        prints += bytes(16) if not seals or NOTHING & set(seals) else _short("\x1f".join(seals).encode())
        labels += _short(_said(sample.truth))
    return _Version(data, ids, *(np.frombuffer(bytes(column), "V16") for column in (prints, labels)))


def _short(data: bytes) -> bytes:
    return bytes.fromhex(digest(data)[:32])


def _said(truth: Annotation | None) -> bytes:
    """The bytes that a label stands for."""
    if truth is None:
        return b""
    if type(truth) is Labels and truth.scores is None:
        return "\x1f".join(("labels", *sorted(truth.names))).encode("utf-8", "surrogatepass")
    parts = []
    for name, column in to_columns(truth).items():
        parts.append(f"{name}{column.dtype.str}{column.shape}".encode())
        parts.append(np.ascontiguousarray(column).tobytes())
    return b"\x1e".join(parts)
