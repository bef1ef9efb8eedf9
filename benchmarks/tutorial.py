"""The network of the well-known CIFAR-10 tutorial (122,570 numbers), ten epochs, as one command: about 70 % are right.

    PYTHONPATH=src python benchmarks/tutorial.py [--data FOLDER] [--epochs 10] [--seeds 1] [--default]

The folder (or that in SIGHTLINE_DATA) holds `train` and `test`, each with a folder of pictures a class. LINES is the
whole program that is timed, without a setting but the number of epochs. `--default` also asks the same without naming a
network. Printed: accuracy on the official test side with its interval, and seconds of wall and of processors.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

LINES = """
import sys
import sightline

folder, out, seed, epochs, model = sys.argv[1:]
settings = {"epochs": int(epochs), "seed": int(seed)} if int(epochs) else {"seed": int(seed)}
run = sightline.train(folder, model=model or None, out=out, settings=settings)
for row in sightline.evaluate(run, quick=True).figures:
    print(f"  {row['name']} {row['value']:.4f} ({row['low']:.4f} to {row['high']:.4f})")
"""


def measured(data: Path, seed: int, epochs: int, model: str) -> None:
    """One program from start to end, in a process of its own."""
    start, before = time.monotonic(), os.times()
    with tempfile.TemporaryDirectory(prefix="sightline-tutorial-") as room:
        words = [sys.executable, "-c", LINES, str(data), f"{room}/run", str(seed), str(epochs), model]
        print(f"{model or 'without a name'}, seed {seed}:", flush=True)
        subprocess.run(words, check=True)
    after = os.times()
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    print(f"  {time.monotonic() - start:.0f} s, {spent:.0f} s of processors", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("SIGHTLINE_DATA"))
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--default", action="store_true", help="also what `train` does where no network is named")
    given = parser.parse_args()
    if given.data is None or not Path(given.data).is_dir():
        print("no folder of pictures: name one with --data or SIGHTLINE_DATA")
        return
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    about = f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, torch {version('torch')}"
    print(f"{about}, commit {commit.stdout.strip()}; {len(LINES.strip().splitlines())} lines")
    for seed in range(given.seeds):
        measured(given.data, seed, given.epochs, "tutorial")
        if given.default:
            measured(given.data, seed, 0, "")


if __name__ == "__main__":
    main()
