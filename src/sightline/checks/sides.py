"""Faults of a split that the data brings."""

from __future__ import annotations

from collections import Counter

from sightline.core.annotations import Labels, Objects
from sightline.core.dataset import Dataset
from sightline.core.finding import EXAMPLES, Finding, count_of, listed


def unlearnt(data: Dataset) -> list[Finding]:
    """Names that are only on sides that are held out: whoever learns from the rest cannot answer them.

    Where one name alone is learnt, it is what is usual, and the others are asked about on purpose.
    """
    sides = data.column("split")
    if "train" not in sides or data.kind not in (Labels, Objects):
        return []
    carried = data.column("names")
    learnt = {name for names, side in zip(carried, sides, strict=True) if side in ("train", None) for name in names}
    rows = [row for row, names in enumerate(carried) if not learnt.issuperset(names)]
    if not rows or len(learnt) < 2:
        return []
    asked = Counter(name for row in rows for name in set(carried[row]) - learnt)
    told = [f"{name} {count}" for name, count in sorted(asked.items(), key=lambda pair: (-pair[1], pair[0]))]
    text = f"{count_of(len(asked), 'name')} on no picture to learn from, only on held-out ones: {listed(told)}"
    do = "Move some of their pictures to the side train, or leave them out; new on purpose (few shots), all is well."
    ids = tuple(data[row].id for row in rows[:EXAMPLES])
    return [Finding("unlearnt", "warn", text, ids, len(asked), do, harm=len(rows) / len(data))]
