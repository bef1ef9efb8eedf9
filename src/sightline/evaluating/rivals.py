"""Two runs on the same held-out pictures: which is better, or that it cannot be told."""

from __future__ import annotations

from typing import Any

import numpy as np

from sightline.core.errors import RunError
from sightline.core.run import open_run
from sightline.evaluating.comparing import Comparison, compare
from sightline.evaluating.evaluate import tallies


def rivals(first: Any, second: Any, *, data: Any = None) -> dict[str, Comparison]:
    """A paired comparison for each metric, over the samples that both could read."""
    runs = open_run(first), open_run(second)
    infos = runs[0].info, runs[1].info
    for name in ("task", "split"):
        if infos[0][name] != infos[1][name]:
            both = f"{runs[0].path} and {runs[1].path}"
            raise RunError(f"{both} differ in their {name}, so they cannot be compared sample by sample.")
    (ids, mine), (others, theirs) = (tallies(run, data) for run in runs)
    shared = sorted(set(ids) & set(others))
    rows = [np.array([known.index(name) for name in shared], np.int64) for known in (ids, others)]
    return {name: compare(mine[name].take(rows[0]), theirs[name].take(rows[1])) for name in mine}
