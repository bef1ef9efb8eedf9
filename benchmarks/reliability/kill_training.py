"""Kill training with SIGKILL at random moments and compare what comes out with a run that nobody killed.

Every kill falls after a checkpoint of that very process has been written, so that each one costs real work; runs
alternate between numbers of loader threads, also within one run. Prints one JSON document.

    python benchmarks/reliability/kill_training.py --kills 200
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch

from sightline.core.annotations import Labels, Objects
from sightline.core.dataset import Dataset
from sightline.core.files import digest_file
from sightline.core.image import ArrayImage
from sightline.core.run import Run
from sightline.core.sample import Sample
from sightline.training.train import train


def toy(kind: str, count: int = 64) -> Dataset:
    """Coloured squares on noise, the same every time."""
    samples = []
    for index in range(count):
        rng = np.random.default_rng(index)
        pixels = rng.integers(0, 60, (32, 32, 3)).astype(np.uint8)
        name, (x, y), side = index % 3, rng.integers(2, 14, 2), int(rng.integers(8, 16))
        pixels[y : y + side, x : x + side, name] = 220
        boxes = np.array([[x, y, x + side, y + side]], np.float32)
        names = ("red", "green", "blue")
        truth = Labels((names[name],)) if kind == "labels" else Objects(boxes, np.array([name]), names)
        samples.append(Sample(f"toy-{index:03d}", (ArrayImage(pixels),), truth))
    return Dataset(samples, name="toy", names=("blue", "green", "red"), recipe=f"toy {kind} {count}")


SETTINGS: dict[str, Any] = {
    "epochs": 2, "batch": 8, "precision": "float32", "layout": "plain", "checkpoint_seconds": 1e-3, "threads": 1,
}  # fmt: skip
TASKS = {"labels": "classify", "objects": "detect"}


def learn(kind: str, folder: Path, workers: int) -> None:
    """One attempt, in this process."""
    train(toy(kind), TASKS[kind], out=folder, settings={**SETTINGS, "workers": workers})


def attempt(kind: str, folder: Path, workers: int) -> int:
    """One attempt in a child that shares the libraries already loaded; answers its process id."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            learn(kind, folder, workers)
            code = 0
        finally:
            sys.stderr.flush()
            os._exit(code)
    return child


def newest(folder: Path) -> int:
    return max((int(path.stem) for path in (folder / "checkpoints").glob("*.json")), default=-1)


def killed(kind: str, folder: Path, workers: int, rng: random.Random) -> bool:
    """Start, wait until this process has written a checkpoint, kill within the next steps; False: it finished first."""
    before, child = newest(folder), attempt(kind, folder, workers)
    while newest(folder) <= before:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            if status:
                raise SystemExit(f"an attempt in {folder} failed with status {status}")
            return False
        time.sleep(0.001)
    time.sleep(rng.uniform(0, 0.25))
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status) and not Run(folder).weights.exists()


def outcome(folder: Path) -> dict[str, str]:
    """Hashes of the weights kept, of the last state with its optimiser, and of the history."""
    last = max((folder / "checkpoints").glob("*.safetensors"))
    return {
        "weights": digest_file(Run(folder).weights),
        "state": digest_file(last),
        "history": digest_file(folder / "metrics.jsonl"),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--each", type=int, default=4, help="kills a run")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", nargs="+", default=["labels", "objects"], choices=sorted(TASKS))
    given = parser.parse_args()
    rng, start = random.Random(given.seed), time.time()
    room = Path(tempfile.mkdtemp(prefix="sightline-kill-"))
    wanted = {}
    for kind in given.kinds:
        os.waitpid(attempt(kind, room / f"{kind}-whole", 0), 0)
        wanted[kind] = outcome(room / f"{kind}-whole")
    kills = runs = different = 0
    used: set[int] = set()
    while kills < given.kills:
        kind = given.kinds[runs % len(given.kinds)]
        folder = room / f"{kind}-{runs}"
        here = 0
        while here < min(given.each, given.kills - kills):
            workers = rng.choice([0, 2, 4]) if runs % 4 == 3 else (0, 2, 4)[runs % 3]
            used.add(workers)
            if not killed(kind, folder, workers, rng):
                break
            here += 1
        kills += here
        _, status = os.waitpid(attempt(kind, folder, rng.choice([0, 2, 4])), 0)
        runs += 1
        if status or outcome(folder) != wanted[kind]:
            different += 1
            print(f"DIFFERENT: {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    print(
        json.dumps(
            {
                "kills": kills,
                "runs": runs,
                "different": different,
                "bound_95": None if different else round(3 / max(1, runs), 4),  # rule of three
                "workers": sorted(used),
                "seconds": round(time.time() - start, 1),
                "machine": f"{platform.machine()}, {os.cpu_count()} cores",
                "versions": {"python": platform.python_version(), "torch": torch.__version__},
                "commit": commit.stdout.strip(),
            }
        )
    )
    if not different:
        shutil.rmtree(room)
    sys.exit(bool(different))


if __name__ == "__main__":
    main()
