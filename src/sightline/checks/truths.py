"""Faults of labels that lie in files of their own: clean pictures and class maps that cannot be read."""

from __future__ import annotations

from collections import Counter

from sightline.checks._truths import whole
from sightline.core.annotations import Picture, Regions
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError
from sightline.core.finding import EXAMPLES, Finding
from sightline.core.measures import measured

QUICK = 200  # files that a look at some pictures of many reads as well


def unreadable_truths(data: Dataset) -> list[Finding]:
    """Clean pictures and class maps that cannot be read whole: nothing is learnt from their pictures."""
    if data.kind not in (Picture, Regions):
        return []
    measures = measured(data)
    looked = measures.rows[:: 1 if measures.whole else -(-len(measures.rows) // QUICK)].tolist()
    found = {row: truth for row in looked if isinstance(truth := whole(data[row]), InputError)}
    if not found:
        return []
    ids, faults = tuple(data[row].id for row in found), list(found.values())
    told = ", ".join(f"{count} {code}" for code, count in Counter(fault.code for fault in faults).most_common())
    what = "clean pictures" if data.kind is Picture else "class maps"
    text = f"{len(ids)} of {len(looked):,} {what} looked at cannot be read ({told}); {faults[0].message}"
    do = "Get them again from where they came; a cleaned view leaves them out."
    details = tuple(fault.message for fault in faults[:EXAMPLES])
    severity = "stop" if 2 * len(ids) > len(looked) else "warn"
    harm = len(ids) / len(looked)
    return [Finding("unreadable_truths", severity, text, ids[:EXAMPLES], len(ids), do, details, ids, harm)]
