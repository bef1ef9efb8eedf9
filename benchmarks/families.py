"""Networks of one family against each other on the same pictures, each at the best of three rates.

    PYTHONPATH=src python benchmarks/families.py hybrid|curves [--data WHERE] [--train 5000] [--test 2000] [--epochs 8]
        [--batch 50] [--seeds 2] [--side 32]

`hybrid` holds a network of convolutions and attention against convolutions alone and attention alone, of equal cost;
`curves` holds networks whose inputs are bent by learnt curves against one without. Learning is as in optimisers.py,
with AdamW. Accuracy is the mean over seeds, each with rows in its own order and weights of its own, and their spread.
"""

from __future__ import annotations

import argparse
import platform
import subprocess
from dataclasses import asdict
from importlib.metadata import version

import numpy as np
import torch

from optimisers import FACTORS, PLAIN, learn, sides
from sightline.core.inputs import InputSpec
from sightline.core.task import Facts
from sightline.evaluating.counting import count_multiplications, count_parameters
from sightline.tasks.classify import Classify
from sightline.training.learner import build
from sightline.training.settings import Settings

LINES = {
    "hybrid": ("hybrid", "hybrid:near", "hybrid:far"),
    "curves": ("kan:plain", "kan:rational", "kan:gram", "kan:spline", "kan:rbf"),
}


def size(model: str, side: int) -> tuple[int, int]:
    """Numbers, and multiplications of one picture."""
    facts = Facts({"image": InputSpec((side, side))}, tuple("ab"), asdict(Classify.Options()))
    network = build(Classify(), model, facts, PLAIN, 0).eval()
    return count_parameters(network), count_multiplications(network, torch.zeros(1, side, side, 3, dtype=torch.uint8))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("line", choices=LINES)
    parser.add_argument("--data", default="drawn:shapes?count=3000&size=32")
    for name, value in (("train", 2000), ("test", 1000), ("epochs", 8), ("batch", 50), ("seeds", 2), ("side", 32)):
        parser.add_argument(f"--{name}", type=int, default=value)
    given = parser.parse_args()
    torch.set_num_threads(1)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False).stdout
    print(
        f"{platform.machine()}, Python {platform.python_version()}, torch {version('torch')}, commit {commit.strip()}"
    )
    made = sides(given.data, given.train, given.test, given.side)
    print(
        f"{given.data}: {given.train} to learn from, {given.test} to measure on, {given.epochs} epochs, {given.side} px"
    )
    print(f"{'model':14} {'numbers':>10} {'products':>10}  {'accuracy':>8} {'spread':>7}  {'rate':>7} {'CPU s':>6}")
    usual = Settings(optimiser="adamw").settled().rate or 0.0
    for model in LINES[given.line]:
        numbers, products = size(model, given.side)
        tried = {}
        for rate in (usual * factor for factor in FACTORS):
            fixed = {"optimiser": "adamw", "rate": rate, "schedule": "one_cycle", "batch": given.batch}
            runs = [
                learn(made, model, Settings(**fixed, epochs=given.epochs, seed=seed)) for seed in range(given.seeds)
            ]
            tried[rate] = (float(np.mean([found for found, _ in runs])), runs)
        rate, (mean, runs) = max(tried.items(), key=lambda pair: pair[1][0])
        spread = float(np.std([found for found, _ in runs], ddof=1)) if given.seeds > 1 else float("nan")
        took = float(np.mean([seconds for _, seconds in runs]))
        print(
            f"{model:14} {numbers:10,} {products / 1e6:9.1f}M  {mean:8.3f} {spread:7.3f}  {rate:7.2g} {took:6.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
