"""Train each seed in two fresh processes, with other hash seeds and numbers of loader threads: are the weights equal?

Each seed is trained a third time on what stands for an older machine: the same libraries told to use narrower
instructions. There equal bits are not promised; printed is how far the losses of an epoch are apart. Prints one JSON
document.

    PYTHONPATH=. python benchmarks/reliability/equal_seeds.py --seeds 20
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

SCRIPT = """
import sys
from benchmarks.reliability.kill_training import SETTINGS, TASKS, toy
from sightline.training.train import train
kind, folder, seed, workers, threads = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])
train(toy(kind), TASKS[kind], out=folder, settings={**SETTINGS, "seed": seed, "workers": workers, "threads": threads})
"""
OLDER = {"ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2", "MKL_ENABLE_INSTRUCTIONS": "AVX2"}


def learnt(kind: str, folder: Path, seed: int, workers: int, threads: int, **environment: str) -> Path:
    """A run by a process of its own."""
    words = [sys.executable, "-c", SCRIPT, kind, str(folder), str(seed), str(workers), str(threads)]
    subprocess.run(words, check=True, env={**os.environ, **environment})
    return folder


def losses(folder: Path) -> list[float]:
    return [float(json.loads(line)["loss"]) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20)
    given = parser.parse_args()
    from benchmarks.reliability.kill_training import outcome

    different: list[dict[str, Any]] = []
    apart = 0.0
    with tempfile.TemporaryDirectory() as place:
        for seed in range(given.seeds):
            kind, threads, room = ("labels", "objects")[seed % 2], 1 + seed // 2 % 2, Path(place) / str(seed)
            first = learnt(kind, room / "a", seed, 0, threads, PYTHONHASHSEED="1")
            second = learnt(kind, room / "b", seed, 4, threads, PYTHONHASHSEED="2")
            if outcome(first) != outcome(second):
                different.append({"seed": seed, "kind": kind, "threads": threads})
            older = learnt(kind, room / "c", seed, 0, threads, **OLDER)
            pairs = zip(losses(first), losses(older), strict=True)
            apart = max(apart, *(abs(one - other) / abs(one) for one, other in pairs))
    told = {"seeds": given.seeds, "different": different, "older machine, losses apart": apart}
    print(json.dumps({**told, "machine": platform.machine(), "python": platform.python_version()}, indent=1))


if __name__ == "__main__":
    main()
