"""How the rare names fare, where some names are rare: how often each is found, beside how often it was learnt from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sightline.core.annotations import Labels
from sightline.evaluating.page import section as part
from sightline.evaluating.page import table
from sightline.evaluating.scene import Scene

ORDER = 31
SHOWN = 40  # names, the rarest first


def study(scene: Scene) -> dict[str, Any] | None:
    """What training found and did, and the share of each name that is found."""
    uneven = scene.info.get("imbalance")
    if not uneven:
        return None
    asked: dict[str, int] = {}
    found: dict[str, int] = {}
    for truth, answer in zip(scene.truths, scene.answers, strict=True):
        if isinstance(truth, Labels) and isinstance(answer, Labels):
            asked[truth.best] = asked.get(truth.best, 0) + 1
            found[truth.best] = found.get(truth.best, 0) + (answer.best == truth.best)
    rows = [
        {"name": name, "learnt_from": count, "asked": asked.get(name, 0), "found": found.get(name, 0)}
        for name, count in sorted(uneven["counts"].items(), key=lambda pair: (pair[1], pair[0]))
    ]
    return {**uneven, "names": rows[:SHOWN]}


def section(found: Mapping[str, Any], scene: Scene) -> str:
    """A table, the rarest first."""
    rows = [
        (row["name"], f"{row['learnt_from']:,}", f"{row['found']:,} of {row['asked']:,}", _share(row))
        for row in found["names"]
    ]
    lead = f"The commonest name, {found['common']}, was learnt from {found['ratio']:.0f} times as many samples as the "
    lead += f"rarest, {found['rare']}. "
    if str(found["sampling"]).startswith("balanced"):
        lead += "Training showed every name as often. "
    lead += f"It kept the epoch with the best {str(found['kept_by']).replace('_', ' ')}."
    shown = table(("Name", "Learnt from", "Found", "Share"), rows, numbers=(1, 2, 3), caption="Rare and common names")
    return part("Rare names", shown, lead)


def _share(row: Mapping[str, Any]) -> str:
    return f"{row['found'] / row['asked']:.0%}" if row["asked"] else "–"
