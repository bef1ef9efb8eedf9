"""Faults of single pictures."""

from __future__ import annotations

from collections import Counter

from sightline.core.dataset import Dataset
from sightline.core.errors import InputError
from sightline.core.finding import Finding
from sightline.core.known import KnownImage, remember


def unreadable(data: Dataset, *, whole: bool = False) -> list[Finding]:
    """Pictures whose header or end is damaged; `whole` decodes every one."""
    ids: list[str] = []
    reasons: Counter[str] = Counter()
    first = ""
    for sample in remember(data):
        for image in sample.images:
            fault = image.fault if isinstance(image, KnownImage) else None
            if whole and fault is None:
                try:
                    image.read()
                except InputError as error:
                    fault = error
            if fault is not None:
                ids.append(sample.id)
                reasons[fault.code] += 1
                first = first or fault.message
                break
    if not ids:
        return []
    told = ", ".join(f"{count} {code}" for code, count in reasons.most_common())
    severity = "stop" if 2 * len(ids) > len(data) else "warn"
    return [Finding("unreadable", severity, f"{len(ids)} unreadable ({told}); {first}", tuple(ids[:20]), len(ids))]
