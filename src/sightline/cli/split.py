"""Part data into train, val and test, or into folds, and write down who is where; the file opens as the parted data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from sightline.cli._display import Screen

if TYPE_CHECKING:
    from sightline.core.dataset import Dataset


def run(
    screen: Screen,
    data: Annotated[str, "a folder, a label file, or a drawn world such as drawn:parts"],
    *,
    out: Annotated[Path, "the file to write; with folds a folder"] = Path("sides.jsonl"),
    val: Annotated[float, "share to validate on"] = 0.15,
    test: Annotated[float, "share to test on"] = 0.15,
    folds: Annotated[int, "write this many files instead, each with another part as val"] = 0,
    by: Annotated[
        str | None, "an attribute (site, camera, day) whose values stay whole, the last ones for test"
    ] = None,
    seed: Annotated[int, "chance"] = 0,
    format: Annotated[str | None, "the label layout, where it can be read in two ways"] = None,
) -> dict[str, Any]:
    """How many are on each side, and the hash of the split."""
    from sightline.core import splitting
    from sightline.core.data import open_data
    from sightline.core.known import remember

    opened = remember(open_data(data, format=format))
    if folds:
        parts = splitting.folds(opened, folds, seed=seed, by=by, tell=screen.tell)
        written = [
            _written(screen, part, out / f"fold-{number}.jsonl", data, format) for number, part in enumerate(parts, 1)
        ]
        return {"folds": written}
    parted = splitting.split(opened, val=val, test=test, seed=seed, by=by, tell=screen.tell)
    if parted is opened:
        screen.note("the data brings its own split, which is kept")
    return _written(screen, parted, out, data, format)


def _written(screen: Screen, parted: Dataset, path: Path, data: str, format: str | None) -> dict[str, Any]:
    from collections import Counter

    from sightline.core.sides import write_sides

    seal = write_sides(parted, path, where=data, format=format)
    found = Counter(side or "no side" for side in parted.column("split"))
    counts = {side: found[side] for side in ("train", "val", "test", "no side") if found[side]}
    screen.say(f"{path}: {', '.join(f'{side} {count:,}' for side, count in counts.items())} (split {seal[:12]})")
    return {"path": path, "split": seal, "counts": counts}
