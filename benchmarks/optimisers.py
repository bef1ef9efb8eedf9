"""Every optimiser on the same network for as many epochs, each at the best of three rates around its own usual one.

    PYTHONPATH=src python benchmarks/optimisers.py [--data WHERE ...] [--model quick:s] [--train 2000] [--test 1000]
        [--epochs 5] [--batch 50] [--seeds 1] [--names adamw,muon] [--json out.json]

Data is anything that Sightline opens: a drawn world, or a folder of CIFAR-10 pictures. Pictures are fitted once to
32 x 32 and kept in memory; rows are mirrored by chance. The rate rises and falls as `one_cycle` says, label smoothing
is 0.05, and what is measured is the moving average. Time is that of the processor, for learning alone.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import time
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sightline.core import catalog
from sightline.core.chance import generator
from sightline.core.data import open_data
from sightline.core.inputs import InputSpec
from sightline.core.task import Facts
from sightline.predicting.answers import torch_run
from sightline.tasks.classify import Classify
from sightline.training.choices import Choices
from sightline.training.learner import Learner, build
from sightline.training.settings import Settings
from sightline.training.step import Stepper

PLAIN = Choices("cpu", "float32", "plain", 1)
FACTORS = (0.33, 1.0, 3.0)
Sides = tuple[Facts, tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def sides(where: str, train: int, test: int, side: int = 32) -> Sides:
    """Pictures and names in memory: those to learn from, those to measure on."""
    data = open_data(where)
    rows = generator(0, "optimisers").permutation(len(data))[: train + test].tolist()
    samples = [data[row] for row in rows]
    task = Classify()
    facts = Facts({"image": InputSpec((side, side))}, data.names, asdict(Classify.Options()))
    pieces = [task.inputs(samples[at : at + 100], facts) for at in range(0, len(samples), 100)]
    pixels = np.concatenate([arrays["image"] for arrays, _ in pieces])
    names = np.array([data.names.index(sample.truth.best) for sample in samples])  # type: ignore[union-attr]
    return facts, (pixels[:train], names[:train]), (pixels[train:], names[train:])


def learn(made: Sides, model: str, settings: Settings) -> tuple[float, float]:
    """Accuracy of the average on the rest, and seconds of the processor."""
    facts, (pixels, names), (others, truths) = made
    task, batch = Classify(), settings.batch
    learner = Learner(task, build(task, model, facts, PLAIN, settings.seed), settings, PLAIN)
    stepper, schedule = Stepper(task, facts, learner), catalog.find("schedules", settings.schedule)
    steps, start, step = len(pixels) // batch * settings.epochs, time.process_time(), 0
    for epoch in range(settings.epochs):
        rng = generator(settings.seed, "epoch", epoch)
        order = rng.permutation(len(pixels))
        for first in range(0, len(order) - batch + 1, batch):
            rows = order[first : first + batch]
            shown = np.where(rng.random(batch)[:, None, None, None] < 0.5, pixels[rows][:, :, ::-1], pixels[rows])
            progress = step / steps
            stepper.take([{"image": shown, "classes": names[rows]}], step, schedule(progress, []), progress)
            step += 1
    taken, run = time.process_time() - start, torch_run(learner.average)
    answers = [run({"image": others[at : at + 250]})["logits"].argmax(1) for at in range(0, len(others), 250)]
    return float((np.concatenate(answers) == truths).mean()), taken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", nargs="+", default=["drawn:shapes?count=3000&size=32"])
    parser.add_argument("--model", default="quick:s")
    for name, value in (("train", 2000), ("test", 1000), ("epochs", 5), ("batch", 50), ("seeds", 1)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--names", default=",".join(catalog.names("optimisers")))
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    torch.set_num_threads(1)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False).stdout
    print(
        f"{platform.machine()}, Python {platform.python_version()}, torch {version('torch')}, commit {commit.strip()}"
    )
    found: list[dict[str, Any]] = []
    for where in given.data:
        made = sides(where, given.train, given.test)
        print(f"\n{where}: {given.model}, {given.train} to learn from, {given.epochs} epochs, {given.seeds} seeds")
        print(f"{'optimiser':10} {'rates':>24}  {'accuracy at each':>24}  {'best':>6}  {'CPU s':>6}", flush=True)
        for name in given.names.split(","):
            usual = Settings(optimiser=name).settled().rate or 0.0
            rates = [usual * factor for factor in FACTORS]
            tried = []
            for rate in rates:
                fixed = {"optimiser": name, "rate": rate, "schedule": "one_cycle", "batch": given.batch}
                runs = [
                    learn(made, given.model, Settings(**fixed, epochs=given.epochs, seed=seed))
                    for seed in range(given.seeds)
                ]
                tried.append((float(np.mean([score for score, _ in runs])), float(np.mean([took for _, took in runs]))))
            best = max(tried)[0]
            row = {"data": where, "name": name, "rates": rates, "accuracy": [score for score, _ in tried]}
            found.append({**row, "best": best, "seconds": float(np.mean([took for _, took in tried]))})
            said = "  ".join(f"{score:.3f}" for score, _ in tried)
            tries = "  ".join(f"{rate:.2g}" for rate in rates)
            print(f"{name:10} {tries:>24}  {said:>24}  {best:6.3f}  {found[-1]['seconds']:6.1f}", flush=True)
    if given.json:
        given.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
