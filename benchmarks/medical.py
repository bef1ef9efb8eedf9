"""Chest radiographs of 28 pixels (PneumoniaMNIST): accuracy and area under the curve of a small network, over seeds.

    PYTHONPATH=src python benchmarks/medical.py FILE.npz [FILE.npz ...] [--seeds 3] [--epochs 12] [--model quick:s]

The first file gives the sides `val` and `test`; pictures to learn from come from the train sides of all files, each
once, and none that is in val or test too. Training is that of `sightline train` with the settings printed. The epoch is
kept by the val side, and the test side is looked at once a seed. Area: the share of pairs (pneumonia, normal) that the
scores put in the right order.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import tempfile
import time
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

import sightline
from sightline.core.dataset import Dataset
from sightline.predicting.answers import answers, torch_run
from sightline.predicting.model import trained

MOVES: list[Any] = [
    {"name": "affine", "degrees": 8.0, "scale": [0.85, 1.15], "shear": 4.0, "most": 0.1, "border": "edge"},
    {"name": "light", "brightness": 0.25, "contrast": 0.25},
    "gamma",
]


def gathered(files: list[Path]) -> Dataset:
    """The sides of the first file, and whatever the others add to what is learnt from."""
    made, seen = [], set()
    whole = [sightline.open_data(str(file)) for file in files]
    for sample in whole[0]:
        if sample.split != "train":
            made.append(sample)
            seen.add(sample.image.fingerprint())
    for number, data in enumerate(whole):
        for sample in data:
            if sample.split == "train" and sample.image.fingerprint() not in seen:
                seen.add(sample.image.fingerprint())
                made.append(replace(sample, id=f"{number}/{sample.id}"))
    return Dataset(made, name="radiographs", names=whole[0].names)


def area(scores: np.ndarray, truths: np.ndarray) -> float:
    """The area under the curve, ties half."""
    above, below = scores[truths], scores[~truths]
    return float(np.mean((above[:, None] > below) + 0.5 * (above[:, None] == below)))


def figures(run: Any, side: Dataset, positive: str) -> tuple[float, float]:
    """Area under the curve and accuracy at the likelier name."""
    task, facts, network = trained(run)
    pairs = [(given, sample.truth.best) for sample, given in answers(task, torch_run(network), side, facts, batch=64)]
    truths = np.array([truth == positive for _, truth in pairs])
    scores = np.array([given.score(positive) for given, _ in pairs])
    return area(scores, truths), float(np.mean([given.best == truth for given, truth in pairs]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--model", default="quick:s")
    parser.add_argument("--size", type=int, default=28)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--sampling", default="balanced")
    given = parser.parse_args()
    files = given.files
    if not files and "SIGHTLINE_DATA" in os.environ:
        files = sorted((Path(os.environ["SIGHTLINE_DATA"]) / "pneumoniamnist").glob("*.npz"), reverse=True)
    if not files:
        print("no radiographs here: name PneumoniaMNIST files (.npz), or set SIGHTLINE_DATA")
        return
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False).stdout
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, torch {version('torch')}, "
        f"commit {commit.strip()}"
    )
    data = gathered(files)
    settings = {"epochs": given.epochs, "batch": 64, "patience": 0, "threads": 1, "workers": 1, "augmentations": MOVES}
    settings |= {"precision": "bfloat16", "layout": "channels_last", "sampling": given.sampling, "decay": 0.05}
    print(f"{len(data.side('train'))} to learn from; {settings}")
    rows = []
    with tempfile.TemporaryDirectory(prefix="sightline-medical-") as room:
        for seed in range(given.seeds):
            begun = time.process_time()
            run = sightline.train(
                data, "classify", model=given.model, out=Path(room) / str(seed), settings={**settings, "seed": seed},
                options={"size": given.size, "smoothing": 0.1}, look=False,
            )  # fmt: skip
            val, test = (figures(run, data.side(side), "pneumonia") for side in ("val", "test"))
            rows.append(test)
            print(
                f"seed {seed}: val area {val[0]:.4f} accuracy {val[1]:.4f}; test area {test[0]:.4f} accuracy "
                f"{test[1]:.4f} ({time.process_time() - begun:.0f} s of CPU)",
                flush=True,
            )
    middle = [statistics.median(column) for column in zip(*rows, strict=True)]
    print(f"median of {len(rows)}: area {middle[0]:.4f}, accuracy {middle[1]:.4f}")


if __name__ == "__main__":
    main()
