"""Where the model is weaker: by attribute, by name, by light and sharpness, and in groups that were searched for.

A slice is called weak where its interval, widened for how many slices were looked at, lies wholly on the bad side of
the interval of all others. Groups are searched for on one half of the samples and believed on the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from sightline.core import catalog
from sightline.core.chance import generator
from sightline.core.tally import Tally, mean
from sightline.evaluating.chart import readable, spoken, tame
from sightline.evaluating.facets import facets
from sightline.evaluating.intervals import interval
from sightline.evaluating.page import section as part
from sightline.evaluating.page import table
from sightline.evaluating.scene import Scene

ORDER = 40
MOST = 3  # slices that the verdict names
LEAST = 10  # samples of a slice
SHOWN = 40  # slices that are kept, the weakest first
SEARCHED, BELIEVED = 8, 3  # groups that the search hands on, and that are told of at most


def study(scene: Scene) -> dict[str, Any] | None:
    """The first metric on every slice with enough samples."""
    name = scene.task.metrics[0]
    tally: Tally = catalog.find("metrics", name)(scene.truths, scene.answers)
    if not tally.resample or len(tally) < 2 * LEAST:
        return None
    known = facets(scene.samples, scene.truths, scene.seconds / 2)
    masks = {(facet, str(value)): column == value for facet, column in known.items() for value in np.unique(column)}
    masks = {key: mask for key, mask in masks.items() if key[1] and LEAST <= mask.sum() <= len(mask) - LEAST}
    if not masks:
        return None
    level = 1 - 0.05 / len(masks)
    rows = [_slice(tally, {facet: value}, mask, level) for (facet, value), mask in masks.items()]
    groups = _searched(tally, masks, scene.seed) if tally.reduce is mean and tally.groups is None else []
    sign = 1 if tally.better == "higher" else -1
    rows.sort(key=lambda row: (not row["weak"], sign * row["value"] if row["value"] is not None else 0.0))
    found = {"metric": name, "better": tally.better, "value": tally.value, "count": len(tally), "looked": len(masks)}
    return {**found, "slices": rows[:SHOWN], "groups": groups, "line": _line(name, rows, groups)}


def _slice(tally: Tally, of: Mapping[str, str], mask: np.ndarray, level: float) -> dict[str, Any]:
    inside, outside = tally.take(mask), tally.take(~mask)
    usual = interval(inside)
    wide, rest = interval(inside, level=level), interval(outside)
    weak = wide.high < rest.low if tally.better == "higher" else wide.low > rest.high
    plain = usual.to_json()
    return {
        "of": dict(of),
        "count": int(mask.sum()),
        **{key: plain[key] for key in ("value", "low", "high")},
        "others": rest.to_json()["value"],
        "weak": bool(weak),
    }


def _searched(tally: Tally, masks: Mapping[tuple[str, str], np.ndarray], seed: int) -> list[dict[str, Any]]:
    """Pairs of facets whose samples fare worst on one half, as far as the other half says the same."""
    bad = tally.rows.reshape(len(tally), -1).mean(1) * (-1 if tally.better == "higher" else 1)
    half = generator(seed, "slices").permutation(len(bad)) % 2 == 0
    scored = []
    for (one, first), (other, second) in combinations(masks.items(), 2):
        mask = first & second
        searched = mask & half
        if one[0] == other[0] or min(searched.sum(), (mask & ~half).sum()) < LEAST:
            continue
        gap = bad[searched].mean() - bad[~mask & half].mean()
        alone = max(bad[first & half].mean(), bad[second & half].mean())
        if gap > 0 and bad[searched].mean() > alone:  # together they must say more than either
            scored.append((gap * np.sqrt(searched.sum()), {one[0]: one[1], other[0]: other[1]}, mask))
    scored.sort(key=lambda found: -found[0])
    best = scored[:SEARCHED]
    kept = np.flatnonzero(~half)
    level = 1 - 0.05 / max(1, len(best))
    told = [_slice(tally.take(kept), of, mask[kept], level) for _, of, mask in best]
    return [row for row in told if row["weak"]][:BELIEVED]


def _line(name: str, rows: Sequence[Mapping[str, Any]], groups: Sequence[Mapping[str, Any]]) -> str:
    weak = [*groups, *(row for row in rows if row["weak"])]
    if not weak:
        return f"no slice is clearly weaker than the others by {spoken(name)}, of {len(rows)} looked at"
    row = min(weak, key=lambda one: -abs((one["others"] or 0.0) - (one["value"] or 0.0)))
    reach = f"{readable(row['low'])} to {readable(row['high'])}"
    where, value = called(row["of"]), readable(row["value"])
    return (
        f"weakest where {where}: {spoken(name)} {value} ({reach}, {row['count']} samples), "
        f"{readable(row['others'])} elsewhere"
    )


def called(of: Mapping[str, str]) -> str:
    """A slice in words."""
    return " and ".join(f"{facet} is {value}" for facet, value in of.items())


def doubted(found: Mapping[str, Any]) -> list[str]:
    """Slices that chance cannot explain."""
    weak = [*found["groups"], *(row for row in found["slices"] if row["weak"])][:MOST]
    return [
        f"Pictures where {tame(called(row['of']), 60)}: {spoken(found['metric'])} {readable(row['value'])}, "
        f"{readable(row['others'])} elsewhere."
        for row in weak
    ]


def section(found: Mapping[str, Any], scene: Scene) -> str:
    """The weakest slices as a table with bars."""
    heads = ("Where", "Value", "95 % interval", "Elsewhere", "Samples", "")
    rows = [
        (
            tame(called(row["of"]), 60),
            readable(row["value"]),
            f"{readable(row['low'])} to {readable(row['high'])}",
            readable(row["others"]),
            f"{row['count']:,}",
            "✕ weaker" if row["weak"] else "",
        )
        for row in [*found["groups"], *found["slices"][:14]]
    ]
    line = found["line"]
    lead = f"{line[:1].upper()}{line[1:]}. {found['looked']} slices with at least {LEAST} samples were looked at"
    lead += "; called weaker is only what chance cannot explain among so many."
    caption = f"{spoken(found['metric'])} by slice"
    return part("Where it is weaker", table(heads, rows, numbers=(1, 2, 3, 4), caption=caption), lead)
