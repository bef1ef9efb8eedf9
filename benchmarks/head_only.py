"""Ten epochs of a head on a frozen backbone: features worked out once, against running the backbone in each epoch.

    PYTHONPATH=src python benchmarks/head_only.py [--data drawn:shapes?count=400&size=64] [--model timm:resnet18]
        [--epochs 10] [--threads 1]

Both are the same command with the same seed, and one of them is forbidden to remember. The whole of `train` is timed,
of both the time of the processor, and the weights that come out are compared.
"""

from __future__ import annotations

import argparse
import platform
import subprocess
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

import sightline
from sightline.core.progress import Event
from sightline.training import loop as looping


def learn(data: str, model: str, out: Path, settings: dict[str, Any]) -> tuple[tuple[float, float, float], bytes]:
    """Seconds of the processor for all, for learning alone and for the last epoch; and the weights."""
    marks: list[float] = []

    def tell(event: Event) -> None:
        if event.kind in ("start", "epoch"):
            marks.append(time.process_time())

    start = time.process_time()
    run = sightline.train(data, model=model, out=out, settings=settings, look=False, tell=tell)
    return (time.process_time() - start, marks[-1] - marks[0], marks[-1] - marks[-2]), run.weights.read_bytes()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="drawn:shapes?count=400&size=64")
    parser.add_argument("--model", default="timm:resnet18")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False).stdout
    print(
        f"{platform.machine()}, Python {platform.python_version()}, torch {version('torch')}, commit {commit.strip()}"
    )
    settings = {"epochs": given.epochs, "freeze": "backbone", "augment": False, "patience": 0}
    settings |= {"precision": "float32", "layout": "plain", "threads": given.threads, "workers": 1}
    taken, weights, parted = {}, {}, looping.parted
    with tempfile.TemporaryDirectory() as room:
        for way in ("remembered", "again"):
            looping.parted = parted if way == "remembered" else lambda learner, facts: False
            taken[way], weights[way] = learn(given.data, given.model, Path(room) / way, settings)
            whole, learning, last = taken[way]
            print(f"{way:10} {whole:7.1f} CPU s in all, {learning:7.1f} s to learn, {last:6.2f} s the last", flush=True)
    whole, learning, last = (np.array(taken["again"]) / np.array(taken["remembered"])).tolist()
    equal = "the same weights, bit by bit" if weights["again"] == weights["remembered"] else "OTHER WEIGHTS"
    print(f"{learning:.1f} times as fast to learn, {whole:.1f} in all, {last:.0f} times the last epoch; {equal}")


if __name__ == "__main__":
    main()
