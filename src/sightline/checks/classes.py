"""Faults of the numbers of examples."""

from __future__ import annotations

from sightline.core.dataset import Dataset
from sightline.core.finding import Finding

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
    return [Finding("imbalance", "note", f"'{common}' is {most / least:.0f} times as frequent as '{rare}'", (), least)]


def tiny_classes(data: Dataset) -> list[Finding]:
    """Names with next to no examples: what is measured for them is chance."""
    counts = data.counts()
    few = {name: counts[name] for name in data.names if counts[name] < FEW} if counts else {}
    if not few:
        return []
    told = ", ".join(f"{name} {count}" for name, count in sorted(few.items(), key=lambda pair: pair[1])[:5])
    more = f" and {len(few) - 5} more" if len(few) > 5 else ""
    return [Finding("tiny_classes", "warn", f"fewer than {FEW} examples of {told}{more}", (), len(few))]
