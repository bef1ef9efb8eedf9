"""What `sightline train FOLDER --minutes N` reaches on small photographs, from the command to the weights.

    PYTHONPATH=src python benchmarks/cifar.py [--data FOLDER] [--minutes 5] [--seed 0] [--out FOLDER]

The folder (or that in SIGHTLINE_DATA) holds `train` and `test`, each with a folder of pictures a class; a set of
CIFAR-10 is what the recipes were measured on. The run is started as a user would, in a process of its own. Printed:
seconds from start to weights, processor seconds, the ladder, and accuracy and calibration on the official test side.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

QUICK = False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("SIGHTLINE_DATA"))
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    if given.data is None or not Path(given.data).is_dir():
        print("no folder of pictures: name one with --data or SIGHTLINE_DATA")
        return
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    print(f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {commit.stdout.strip()}")
    out = given.out or Path(tempfile.mkdtemp()) / "run"
    words = [sys.executable, "-m", "sightline", "train", str(given.data), "--minutes", f"{given.minutes:g}"]
    words += ["--out", str(out), "--seed", str(given.seed), "--no-report"]
    start = time.monotonic()
    subprocess.run(words, check=True)
    whole, used = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    book = json.loads((out / "ladder.json").read_text())
    found = json.loads((out / "evaluation.json").read_text())
    print(f"\n{book['seconds']:.0f} s to the weights, {whole:.0f} s with evaluation and bundle, ", end="")
    print(f"{used.ru_utime + used.ru_stime:.0f} s of processors; looking at data {book['data_seconds']:.0f} s")
    for rung in book["rungs"]:
        value = "" if rung["found"] is None else f"{rung['found']['value']:.4f} on validation"
        print(f"  {rung['model']:10} {rung['state']:9} {rung['seconds']:6.0f} s {value}")
    for row in found["figures"]:
        print(f"  {row['name']}: {row['value']:.4f} ({row['low']:.4f} to {row['high']:.4f}) on {found['side']}")


if __name__ == "__main__":
    main()
