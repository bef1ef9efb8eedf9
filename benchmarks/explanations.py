"""How well explanations point, whether they follow the weights, and what they cost: on drawn scenes of known things.

Two networks learn to tell solids on a table. Each method is then asked why: how often its brightest place lies on a
solid (pointing game, Zhang et al. 2016) with a 95 % interval, beside a place drawn by chance and the middle of the
picture; what its checks say of the network, and of the same network with its weights shuffled.
"""

from __future__ import annotations

import argparse
import platform
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

import sightline
from sightline.core.sides import held_out, reopen
from sightline.explaining.check import check, pointing, share
from sightline.explaining.methods import METHODS, maps
from sightline.explaining.placing import back
from sightline.explaining.subject import Subject
from sightline.predicting.answers import torch_run
from sightline.predicting.model import trained

QUICK = False  # it trains two networks: some minutes
CHECKED = 16


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=900, help="scenes, 15 in a hundred of them held out")
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--runs", type=Path, help="where runs lie or go; a folder that is removed without")
    given = parser.parse_args()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    print(f"{platform.machine()}, torch {torch.__version__}, sightline {sightline.__version__}, commit {commit}")
    with tempfile.TemporaryDirectory() as folder:
        for model in ("small", "quick:s"):
            run = sightline.train(
                f"drawn:shapes?count={given.count}&size={given.size}",
                model=model,
                out=(given.runs or Path(folder)) / model.replace(":", "-"),
                settings={"epochs": given.epochs},
                look=False,
            )
            measure(run, model)


def measure(run: sightline.Run, model: str) -> None:
    """A table of the methods."""
    task, facts, network = trained(run)
    held = held_out(reopen(run.info, folder=run.path))[1]
    subject = Subject(task, facts, torch_run(network), network)
    samples = [held[row] for row in range(len(held))]
    view = subject.look(samples)
    right = np.mean([answer.best == s.truth.best for answer, s in zip(view.answers, samples, strict=True)])
    masks = [sample.image.shows(sample.truth.best) for sample in samples]
    middle = np.mean([mask[len(mask) // 2, len(mask) // 2] for mask in masks])
    chance = np.mean([mask.mean() for mask in masks])
    print(
        f"\n{model}: {len(samples)} held-out scenes, {right:.3f} right; by chance {chance:.3f}, the middle {middle:.3f}"
    )
    print(f"{'method':<14}{'pointing':>10}{'95 % interval':>18}{'ms each':>10}{'stays':>8}  verdict; when shuffled")
    some, none = subject.look(samples[:CHECKED]), subject.randomised(7).look(samples[:CHECKED])
    for name in METHODS:
        if name == "rollout":
            continue  # these networks have no attention
        start = time.process_time()
        found = maps(name, view)
        each = 1000 * (time.process_time() - start) / len(samples)
        hits = share(pointing(back(found, view.frames), masks))
        verdict, shuffled = check(name, some), check(name, none)
        said = " / ".join("shown" if one.shown else "withheld" for one in (verdict, shuffled))
        reach = f"{hits['low']:.3f} to {hits['high']:.3f}"
        print(
            f"{name:<14}{hits['value']:>10.3f}{reach:>18}{each:>10.1f}{verdict.figures['stays']['value']:>8.2f}  {said}"
        )


if __name__ == "__main__":
    main()
