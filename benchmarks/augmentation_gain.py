"""What augmentation is worth: the same training with and without it, on the same pictures, over several seeds.

    PYTHONPATH=src python benchmarks/augmentation_gain.py [--data drawn:shapes?count=600&size=64] [--train 100]
        [--seeds 6] [--epochs 30] [--json out.json]

Each seed parts the data anew (so many pictures to learn from, 40 to stop by, the rest to measure on) and trains twice.
Printed are the figures of each seed, and the mean difference with a 95 % Student interval over seeds. Any data that
Sightline opens will do, a folder of CIFAR-10 pictures for example.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import tempfile
import time
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

import sightline
from sightline.core.chance import generator
from sightline.core.dataset import Dataset
from sightline.evaluating.intervals import student


def parted(data: Dataset, train: int, seed: int) -> Dataset:
    """The same pictures on other sides."""
    rows = generator(seed, "gain").permutation(len(data)).tolist()
    side = {
        row: "train" if place < train else "val" if place < train + 40 else "test" for place, row in enumerate(rows)
    }
    return Dataset([replace(data[row], split=side[row]) for row in range(len(data))], name=f"gain {seed}")


def figure(data: Dataset, folder: Path, seed: int, epochs: int, augment: bool) -> float:
    """The first metric on the test side."""
    settings: dict[str, Any] = {"epochs": epochs, "patience": 0, "seed": seed, "augment": augment}
    settings |= {"precision": "float32", "layout": "plain", "threads": 1}
    run = sightline.train(data, out=folder / f"{seed}-{augment}", settings=settings)
    rows = sightline.evaluate(run, data, side="test").figures
    return float(rows[0]["value"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="drawn:shapes?count=600&size=64")
    parser.add_argument("--train", type=int, default=100)
    parser.add_argument("--seeds", type=int, default=6, choices=range(2, 100), metavar="N")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False).stdout
    print(
        f"{platform.machine()}, Python {platform.python_version()}, torch {version('torch')}, commit {commit.strip()}"
    )
    data = sightline.open_data(given.data)
    pairs = []
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(given.seeds):
            begun = time.process_time()
            sides = parted(data, given.train, seed)
            pair = [figure(sides, Path(folder), seed, given.epochs, augment) for augment in (False, True)]
            pairs.append(pair)
            spent = time.process_time() - begun
            print(f"seed {seed}: without {pair[0]:.4f}  with {pair[1]:.4f}  ({spent:.0f} s of CPU)", flush=True)
    gain = np.array([after - before for before, after in pairs])
    reach = student(0.95, given.seeds) * gain.std(ddof=1) / given.seeds**0.5
    means = np.mean(pairs, 0)
    print(
        f"{given.data}, {given.train} to learn from: {means[0]:.4f} without, {means[1]:.4f} with; "
        f"gain {gain.mean():+.4f} ({gain.mean() - reach:+.4f} to {gain.mean() + reach:+.4f})"
    )
    if given.json:
        given.json.write_text(json.dumps({"pairs": pairs, "gain": gain.mean(), "reach": reach}), encoding="utf-8")


if __name__ == "__main__":
    main()
