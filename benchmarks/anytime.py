"""A ladder of a given time against each of its networks with all of that time for itself.

    PYTHONPATH=src python benchmarks/anytime.py [--data FOLDER] [--minutes 2] [--count 10000] [--models quick:s quick:m]

Every contender keeps to the same time, has the same recipe and the same sides, and its schedule ends with the time: the
strictest opponent there is. All begin alike: every file was read and every library loaded before, and nothing is
remembered of the others. The folder is as in cifar.py; without one, drawn parts are used. What is compared is the first
metric on the test side, with a paired interval of the difference, which says when nothing can be said.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from sightline.core.chance import generator
from sightline.core.data import open_data
from sightline.core.dataset import Dataset
from sightline.core.progress import Event
from sightline.core.run import Run
from sightline.evaluating.evaluate import evaluate, tallies
from sightline.training.train import train

QUICK = False


def some(data: Dataset, count: int) -> Dataset:
    """So many of the training side, and a test side whole."""
    sides = list(data.column("split"))
    train_rows = np.array([row for row, side in enumerate(sides) if side != "test"])
    drawn = generator("anytime").permutation(train_rows)[:count]
    return data.take([*sorted(map(int, drawn)), *(row for row, side in enumerate(sides) if side == "test")])


def spoken(event: Event) -> None:
    if event.kind in ("note", "warn"):
        print(f"    {event.text}", flush=True)


def contend(data: Dataset, folder: Path, model: str | None, minutes: float) -> tuple[Run, float, Any]:
    """One contender: its run, the seconds it took, and its first figure on the test side."""
    os.environ["SIGHTLINE_CACHE"] = str(folder.with_name(f"{folder.name}-cache"))
    start = time.monotonic()
    run = train(data, model=model, out=folder, minutes=minutes, tell=spoken)
    taken = time.monotonic() - start
    return run, taken, evaluate(run, data).figures[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("SIGHTLINE_DATA"))
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--models", nargs="+", default=["ridge", "quick:s", "quick:m", "quick:l"])
    given = parser.parse_args()
    where = "drawn:parts?count=2000" if given.data is None else str(given.data)
    data = some(open_data(where), given.count)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    print(f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {commit.stdout.strip()}")
    print(f"{len(data):,} pictures of {where}, {given.minutes:g} minutes each")
    folder = Path(tempfile.mkdtemp())
    for sample in data:
        sample.images[0].read()
    contend(data.take(range(0, len(data), 50)), folder / "first", None, 0.1)  # who trains first waits for the libraries
    rows: dict[str, Any] = {}
    for name in ("ladder", *given.models):
        made, taken, figure = contend(
            data, folder / name.replace(":", "-"), None if name == "ladder" else name, given.minutes
        )
        rows[name] = tallies(made, data)[1][figure["name"]]
        print(f"{name}: {figure['name']} {figure['value']:.4f} ({figure['low']:.4f} to {figure['high']:.4f}), ", end="")
        print(f"{taken:.0f} s; kept {made.info['model']}", flush=True)
    ours = rows.pop("ladder")
    for name, theirs in rows.items():
        apart = ours.rows.astype(float).reshape(-1) - theirs.rows.astype(float).reshape(-1)
        reach = 1.96 * apart.std() / max(1, len(apart)) ** 0.5
        verdict = "better" if apart.mean() > reach else "worse" if apart.mean() < -reach else "cannot be told apart"
        print(f"ladder - {name}: {apart.mean():+.4f} +- {reach:.4f}: {verdict}")


if __name__ == "__main__":
    main()
