"""Faults of names and of the numbers of their examples."""

from __future__ import annotations

import re
from collections import defaultdict

from sightline.checks._truths import maps_of
from sightline.core.annotations import Objects, Regions
from sightline.core.dataset import Dataset
from sightline.core.finding import EXAMPLES, Finding, count_of, listed

FEW = 10  # examples below which neither learning nor measuring says much
UNEVEN = 10  # commonest over rarest from which plain accuracy misleads


def imbalance(data: Dataset) -> list[Finding]:
    """A name much rarer than another: plain accuracy then rewards never saying it."""
    counts = data.counts()
    if len(counts) < 2:
        return []
    (common, most), (rare, least) = counts.most_common(1)[0], min(counts.items(), key=lambda pair: (pair[1], pair[0]))
    if most < UNEVEN * least:
        return []
    text = f"'{common}' is {most / least:.0f} times as frequent as '{rare}'"
    do = "Judge by balanced accuracy, sample the rare name more often, or collect more of it."
    return [Finding("imbalance", "note", text, (), least, do, harm=0.05)]


def tiny_classes(data: Dataset) -> list[Finding]:
    """Names with next to no examples: what is measured for them is chance."""
    counts = data.counts()
    few = {name: counts[name] for name in data.names if counts[name] < FEW} if counts else {}
    if not few:
        return []
    told = [f"{name} {count}" for name, count in sorted(few.items(), key=lambda pair: pair[1])]
    do = "Collect more of them, merge them with a name that means the same, or leave them out."
    return [Finding("tiny_classes", "warn", f"fewer than {FEW} examples of {listed(told)}", (), len(few), do)]


def odd_names(data: Dataset) -> list[Finding]:
    """Names that differ by case, spaces or marks alone, or that are empty: most often one name spelt in two ways."""
    alike: dict[str, list[str]] = defaultdict(list)
    for name in data.names:
        alike[re.sub(r"[\W_]+", "", name.casefold()) or name].append(name)
    told = [" and ".join(f"'{name}'" for name in names) for names in alike.values() if len(names) > 1]
    told += [f"'{name}'" for name in data.names if not name.strip() or name != name.strip()]
    if not told:
        return []
    do = "Give them one spelling; until then they are learnt as different things."
    text = f"{count_of(len(told), 'name')} spelt oddly or in two ways: {listed(told)}"
    return [Finding("odd_names", "warn", text, (), len(told), do, harm=0.1)]


def nameless(data: Dataset) -> list[Finding]:
    """Labels that point at a name that is not there: a list of names of another version, or an unmarked void value."""
    ids, details = [], []
    values: set[int] = set()
    labelled = ((sample, sample.truth) for sample in data) if data.kind is Objects else maps_of(data)
    for sample, truth in labelled:
        if isinstance(truth, Objects | Regions) and truth.classes.size:
            low, high = int(truth.classes.min()), int(truth.classes.max())
            if low < 0 or high >= len(truth.names):
                wrong = {low} if low < 0 else set()
                wrong |= {high} if high >= len(truth.names) else set()
                values |= wrong
                ids.append(sample.id)
                details.append(f"value {', '.join(map(str, sorted(wrong)))}, {count_of(len(truth.names), 'name')}")
    if not ids:
        return []
    text = f"values without a name in {count_of(len(ids), 'picture')}: {listed([str(one) for one in sorted(values)])}"
    do = "Name them, or mark them as void, before they are learnt from."
    shown = slice(EXAMPLES)
    harm = len(ids) / len(data)
    return [Finding("nameless", "warn", text, tuple(ids[shown]), len(ids), do, tuple(details[shown]), harm=harm)]
