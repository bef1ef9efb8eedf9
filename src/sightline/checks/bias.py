"""Faults of how the data came together: what tells the label without looking at the thing."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np

from sightline.checks import _dependence
from sightline.core.annotations import Labels
from sightline.core.chance import generator
from sightline.core.dataset import Dataset
from sightline.core.finding import EXAMPLES, Finding, listed
from sightline.core.measures import measured

STRONG = 0.3  # Cramér's V from which an attribute tells too much
SURE = 0.01  # probability that chance alone ties them as much
TELLING = 0.8  # share of what is left to guess that one number of a picture may tell
MANY = 2  # times its equal share, from which one group speaks for the others
FEW = 20  # samples below which nothing can be said


def attributes_tell_labels(data: Dataset) -> list[Finding]:
    """An attribute that goes with the label, as when all scratches come from one camera: it is learnt instead."""
    rows, labels, names = _labels(data)
    if len(rows) < FEW or len(names) < 2:
        return []
    told: list[str] = []
    worst, ids = 0.0, tuple[str, ...]()
    attributes = _attributes(data, rows)
    for attribute, values in sorted(attributes.items()):
        codes, kinds = _dependence.codes(values)
        if not 2 <= len(kinds) <= len(rows) / 5:
            continue
        table = _dependence.table(codes, labels, len(kinds), len(names))
        strength = _dependence.cramer(table)
        if strength < STRONG:
            continue
        chance = _dependence.by_chance(codes, labels, table, generator(0, "bias", attribute))
        if chance * len(attributes) > SURE:
            continue
        value, name, share = _dependence.strongest(table)
        told.append(
            f"'{attribute}' tells the label (Cramér's V {strength:.2f}): "
            f"{share:.0%} of '{names[name]}' have {attribute} {kinds[value]}"
        )
        if strength > worst:
            here = np.flatnonzero((codes == value) & (labels == name))[:EXAMPLES]
            worst, ids = strength, tuple(data[rows[int(place)]].id for place in here)
    if not told:
        return []
    do = "Collect every name under every value of it, part the data by it (--by), and judge each value by itself."
    return [Finding("attributes_tell_labels", "warn", listed(told, 3), ids, len(told), do, harm=0.5 * worst)]


def quality_tells_labels(data: Dataset) -> list[Finding]:
    """One plain number, such as size or brightness, that tells the label: a model may learn that and nothing else."""
    measures = measured(data)
    rows, labels, names = _labels(data)
    place_of = {row: place for place, row in enumerate(measures.rows.tolist())}
    kept = [place for place, row in enumerate(rows) if row in place_of]
    if len(kept) < 2 * FEW or len(names) < 2:
        return []
    labels = labels[kept]
    taken = [place_of[rows[place]] for place in kept]
    told = []
    for what in ("rows", "columns", "channels", "bits", "brightness", "contrast", "blur", "noise", "colour"):
        gain = _dependence.guessed(measures[what][taken], labels, len(names))
        if gain > TELLING:
            told.append((gain, what))
    if not told:
        return []
    told.sort(reverse=True)
    shown = ", ".join(f"{what} ({gain:.0%} of what is left to guess)" for gain, what in told)
    do = "If that is not what the names mean, even it out: the same camera, light and size for every name."
    text = f"the label can be told from one number of a picture: {shown}"
    return [Finding("quality_tells_labels", "warn", text, (), len(told), do, harm=0.5 * told[0][0])]


def uneven_groups(data: Dataset) -> list[Finding]:
    """A group (patient, video, product) with most of the pictures: results are then about that one."""
    groups = data.column("group")
    sizes = Counter(group for group in groups if group is not None)
    if len(sizes) < 3:
        return []
    group, most = sizes.most_common(1)[0]
    total = sum(sizes.values())
    if most < total / 3 or most < MANY * total / len(sizes) or most < FEW:
        return []
    text = f"group '{group}' holds {most / total:.0%} of the pictures of {len(sizes):,} groups"
    ids = [name for name, one in zip(data.column("id"), groups, strict=True) if one == group][:EXAMPLES]
    do = "Take fewer of that group, or weigh groups equally; test on others."
    return [Finding("uneven_groups", "note", text, tuple(ids), most, do, harm=0.1 * most / total)]


def attributes_on_both_sides(data: Dataset) -> list[Finding]:
    """An attribute that names many small sets, each on both sides of the split: perhaps groups that nobody declared."""
    if any(group is not None for group in data.column("group")) or not any(data.column("split")):
        return []
    sides: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    sizes: dict[str, Counter[str]] = defaultdict(Counter)
    for sample in data:
        for attribute, value in sample.attributes.items() if sample.split else ():
            if isinstance(value, str | int) and not isinstance(value, bool):
                sides[attribute][str(value)].add(str(sample.split))
                sizes[attribute][str(value)] += 1
    told, count = [], 0
    for attribute, values in sorted(sides.items()):
        several = [value for value in values if sizes[attribute][value] > 1]
        both = [value for value in several if len(values[value]) > 1]
        small = len(several) >= 10 and sum(sizes[attribute].values()) / len(values) <= 50
        if small and len(both) > len(several) / 2:
            told.append(f"{len(both):,} of {len(several):,} values of '{attribute}'")
            count += len(both)
    if not told:
        return []
    text = f"{listed(told, 3)} on two sides of the split"
    do = "If each value is one patient, product or day, make it the group, and split again."
    return [Finding("attributes_on_both_sides", "warn", text, (), count, do, harm=0.4)]


def _labels(data: Dataset) -> tuple[list[int], np.ndarray, list[str]]:
    """Positions with one name each, its number, and the names."""
    rows, found = [], []
    for place, sample in enumerate(data) if data.kind is Labels else ():
        if isinstance(sample.truth, Labels) and len(sample.truth.names) == 1:
            rows.append(place)
            found.append(sample.truth.names[0])
    codes, names = _dependence.codes(found)
    return rows, codes, names


def _attributes(data: Dataset, rows: list[int]) -> dict[str, list[str]]:
    """Each attribute's value of every row; long numbers are put into fifths."""
    names = Counter(name for row in rows for name in data[row].attributes)
    attributes: dict[str, list[str]] = {}
    for name, count in names.items():
        values = [data[row].attributes.get(name) for row in rows]
        if count < len(rows) / 2 or not all(isinstance(value, str | int | float | None) for value in values):
            continue
        attributes[name] = _dependence.binned(values)
    return attributes
