"""The data that a run learnt from, opened again and parted into the same sides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sightline.core.data import open_data
from sightline.core.dataset import Dataset, split
from sightline.core.errors import AmbiguousError, RunError


def reopen(info: Mapping[str, Any], data: Any = None) -> Dataset:
    """The data of a run, parted as it was then; `data` where the run cannot find it by itself."""
    known = info["data"]
    where = known["where"] if data is None else data
    if where is None:
        raise RunError("the run was trained on data in memory; give the same data again.")
    chosen = info["settings"]
    return split(open_data(where, format=known["format"]), seed=chosen["seed"], by=chosen["split_by"] or None)


def held_out(parted: Dataset, side: str | None = None) -> tuple[str, Dataset]:
    """The side named, or the first of test, val and train that is not empty."""
    for name in (side,) if side else ("test", "val", "train"):
        if len(part := parted.side(name)):
            return name, part
    raise AmbiguousError(f"{parted.name} has no samples on the side '{side or 'test'}'; sides are train, val and test.")
