"""How long it takes before anything happens: import, --help and one prediction, each against bare Python.

Interleaved fresh processes; the median of each and its ratio to `python -c pass` in the same run.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

QUICK = True


def seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    given = parser.parse_args()
    python, room = sys.executable, Path(tempfile.mkdtemp(prefix="sightline-start-"))
    data = "drawn:shapes?count=40&size=64"
    sightline = [python, "-m", "sightline"]
    made = [*sightline, "train", data, "--epochs", "1", "--out", str(room / "run"), "--no-report"]
    subprocess.run(made, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    picture = room / "picture.png"
    draw = (
        "from sightline.sources.drawn import draw; from PIL import Image; Image.fromarray(draw('shapes', 1, 256).image)"
    )
    subprocess.run([python, "-c", f"{draw}.save({str(picture)!r})"], check=True)
    commands = {
        "python -c pass": [python, "-c", "pass"],
        "import sightline": [python, "-c", "import sightline"],
        "sightline --help": [*sightline, "--help"],
        "sightline version": [*sightline, "version"],
        "sightline predict (ONNX, cold)": [*sightline, "predict", str(room / "run"), str(picture)],
        "import torch": [python, "-c", "import torch"],
    }
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for turn in range(given.rounds + 1):
        for name, command in commands.items():
            spent = seconds(command)
            if turn:
                taken[name].append(spent)
    bare = statistics.median(taken["python -c pass"])
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {commit.stdout.strip()}")
    rows = {name: statistics.median(spent) for name, spent in taken.items()}
    for name, middle in rows.items():
        print(f"{name:34} {1000 * middle:8.1f} ms   {middle / bare:6.1f} x bare")
    print(json.dumps({name: round(middle, 4) for name, middle in rows.items()}))


if __name__ == "__main__":
    main()
