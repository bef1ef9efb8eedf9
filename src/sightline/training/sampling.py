"""Which rows an epoch shows: each once, every name as often, or as their weights say; a pure function of chance."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sightline.core.annotations import Labels
from sightline.core.chance import generator
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError, SettingsError
from sightline.core.progress import Event, Tell, silent
from sightline.core.sample import Sample
from sightline.core.task import Facts, Task

KINDS = ("auto", "plain", "balanced", "weighted")  # auto: as imbalance.py finds


def check(sampling: str) -> None:
    """Refuse a way of sampling that is none."""
    kind, colon, attribute = sampling.partition(":")
    if kind not in KINDS or (colon and (kind in KINDS[:2] or not attribute)):
        raise SettingsError(
            f"train.sampling = '{sampling}': write auto, plain, balanced, balanced:ATTRIBUTE, weighted or "
            "weighted:ATTRIBUTE."
        )


@dataclass(frozen=True, slots=True)
class Draw:
    """The rows of a data set in groups that are shown as often as their share says; no groups: every row once."""

    length: int
    groups: tuple[tuple[str, np.ndarray, float], ...] = ()  # name, rows, share of the epoch

    def rows(self, rng: np.random.Generator) -> list[int] | None:
        """The rows of one epoch, as many as the data set has, sorted; a row again within an epoch is named `row +
        length`, then `row + 2 length`, so that its chance is another. None: each once."""
        if not self.groups:
            return None
        drawn: list[np.ndarray] = []
        counts = _apportion([share for _, _, share in self.groups], self.length, rng)
        for (_, rows, _), count in zip(self.groups, counts, strict=True):
            turns = -(-count // len(rows))
            cycles = [rng.permutation(rows) + turn * self.length for turn in range(turns)]
            drawn += [np.concatenate(cycles)[:count]] if cycles else []
        return sorted(np.concatenate(drawn).tolist())

    def said(self) -> str:
        """How often each group is shown in an epoch, the rarest first."""
        lines = [
            f"{name} ({len(rows):,}) {share * self.length / len(rows):.2g} times"
            for name, rows, share in sorted(self.groups, key=lambda group: len(group[1]))
        ]
        more = f" and {len(lines) - 8} more" if len(lines) > 8 else ""
        return ", ".join(lines[:8]) + more


def draw_from(data: Dataset, sampling: str, tell: Tell = silent) -> Draw:
    """How epochs are drawn from this data; what is shown more or less often than once is said."""
    check(sampling)
    kind, _, attribute = sampling.partition(":")
    if kind in KINDS[:2] or not len(data):
        return Draw(len(data))
    made = _weighted(data, attribute or "weight") if kind == "weighted" else _balanced(data, attribute)
    tell(Event("note", f"sampling: {sampling}; an epoch shows {made.said()}"))
    return made


def plan(
    task: Task, data: Dataset, facts: Facts, size: int, seed: int, epoch: int, draw: Draw | None = None
) -> list[list[int]]:
    """The batches of an epoch as rows: a pure function of seed and epoch; the task orders whatever was drawn."""
    rows = None if draw is None else draw.rows(generator(seed, "draw", epoch))
    if rows is None:
        return task.order(data, facts, size, generator(seed, "order", epoch))
    seen = data.take([row % len(data) for row in rows])
    return [
        [rows[place] for place in batch] for batch in task.order(seen, facts, size, generator(seed, "order", epoch))
    ]


def _balanced(data: Dataset, attribute: str) -> Draw:
    """Every name, or value of the attribute, as often as any other."""
    groups: dict[str, list[int]] = defaultdict(list)
    if attribute:
        for row, sample in enumerate(data):
            groups[_attribute(sample, attribute)].append(row)
    else:
        names = [_names(sample) for sample in data]
        counts = Counter(name for several in names for name in several)
        for row, several in enumerate(names):
            groups[min(several, key=lambda name: (counts[name], name), default="nothing")].append(row)
    if len(groups) < 2:
        what = f"one value of '{attribute}'" if attribute else "one name"
        raise InputError("mismatch", f"{data.name} holds {what} ({', '.join(groups)}); there is nothing to balance.")
    share = 1 / len(groups)
    return Draw(len(data), tuple((name, np.array(rows), share) for name, rows in sorted(groups.items())))


def _weighted(data: Dataset, attribute: str) -> Draw:
    """Each row in proportion to a number that its sample carries; rows of one weight are a group."""
    groups: dict[float, list[int]] = defaultdict(list)
    for row, sample in enumerate(data):
        text = _attribute(sample, attribute)
        try:
            weight = float(text)
        except ValueError:
            weight = -1.0
        if not 0 <= weight < float("inf"):
            raise InputError("label", f"{sample.id}: its '{attribute}' is {text}; a weight is a number of 0 or more.")
        groups[weight].append(row)
    total = sum(weight * len(rows) for weight, rows in groups.items())
    if not total > 0:
        raise InputError("label", f"{data.name}: every '{attribute}' is 0; nothing would be shown.")
    return Draw(
        len(data),
        tuple(
            (f"{attribute} {weight:g}", np.array(rows), weight * len(rows) / total)
            for weight, rows in sorted(groups.items())
            if weight > 0
        ),
    )


def _attribute(sample: Sample, name: str) -> str:
    if name not in sample.attributes:
        have = ", ".join(map(str, sample.attributes)) or "none"
        raise InputError("label", f"{sample.id}: has no attribute '{name}' to sample by. It has: {have}.")
    return str(sample.attributes[name])


def _names(sample: Sample) -> Sequence[str]:
    """The names that a label holds, once each."""
    truth: Any = sample.truth
    if isinstance(truth, Labels):
        return [truth.best] if truth.scores is not None else truth.names
    classes, names = getattr(truth, "classes", None), getattr(truth, "names", ())
    return [] if classes is None else [names[index] for index in np.unique(classes).tolist() if 0 <= index < len(names)]


def _apportion(shares: Sequence[float], total: int, rng: np.random.Generator) -> list[int]:
    """Whole numbers that add up to `total`; who gets the remainder is chance, so that over epochs it evens out."""
    exact = np.array(shares) * total
    counts = np.floor(exact + 1e-9).astype(int)
    left = total - int(counts.sum())
    if left > 0:
        rest = np.maximum(exact - counts, 1e-12)
        counts[rng.choice(len(counts), size=left, replace=left > len(counts), p=rest / rest.sum())] += 1
    return [int(count) for count in counts]
