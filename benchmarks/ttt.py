"""Where learning while reading overtakes attention: seconds a picture over its side, for the four ways to mix tokens.

DeiT-T with attention written out (the baseline of the papers), with torch's fused attention, ViT3-T and Vision-TTT-T.
Untrained weights, batches of one, one thread; a child process a point, so that peak memory is that network's own.
Besides seconds: multiplications, and the most memory a process held above what it held before the first pass.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys

QUICK = False
WAYS = {
    "attention, written out": ("vit", {"naive": True}),
    "attention, fused": ("vit", {}),
    "vit3": ("vit3", {}),
    "vision_ttt": ("vision_ttt", {}),
}
CHILD = """
import json, pathlib, statistics, sys, time
import torch
from sightline.core import catalog
name, settings, side, rounds = json.loads(sys.argv[1])
torch.set_num_threads(1)
torch.manual_seed(0)
network = catalog.find("models", name).build(3, **settings).eval()
x = torch.randn(1, 3, side, side)
def held(word):
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith(word))) / 1024
with torch.inference_mode():
    network(torch.randn(1, 3, 32, 32))  # what a first pass of any size allocates for good
pathlib.Path("/proc/self/clear_refs").write_text("5")  # Linux: the high-water mark begins anew
before = held("VmRSS")
taken = []
with torch.inference_mode():
    for turn in range(rounds + 1):
        start = time.process_time()
        network(x)
        taken.append(time.process_time() - start)
print(json.dumps([statistics.median(taken[1:] or taken), held("VmHWM") - before]))
"""


def measured(way: str, side: int, rounds: int) -> tuple[float, float]:
    """Seconds of processor time a picture, and MiB on top."""
    name, settings = WAYS[way]
    words = [sys.executable, "-c", CHILD, json.dumps([name, settings, side, rounds])]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    seconds, memory = json.loads(done.stdout.splitlines()[-1])
    return seconds, memory


def multiplications(way: str, side: int) -> float:
    """In thousand millions. Fused attention multiplies as often as the other, whatever a counter sees of it."""
    import torch

    from sightline.core import catalog
    from sightline.evaluating.counting import count_multiplications

    name, settings = WAYS[way]
    if name == "vit":
        settings = {"naive": True}
    with torch.device("meta"):
        x = torch.zeros(1, 3, side, side)
        one, two = (
            count_multiplications(catalog.find("models", name).build(3, depth=depth, **settings).eval(), x)
            for depth in (1, 2)
        )
    return (one + 11 * (two - one)) / 1e9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sides", type=int, nargs="+", default=[224, 384, 512, 768, 1024, 1280])
    parser.add_argument("--rounds", type=int, default=2)
    given = parser.parse_args()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    print(f"{platform.machine()}, {os.cpu_count()} cores, one thread, {commit.stdout.strip()}")
    print(f"{'side':>5} {'':24} {'GMACs':>8} {'seconds':>9} {'x faster':>9} {'MiB on top':>11} {'saved':>7}")
    for side in given.sides:
        base: tuple[float, float] | None = None
        for way in WAYS:
            seconds, memory = measured(way, side, given.rounds)
            base = base or (seconds, memory)
            saved = f"{100 * (1 - memory / max(base[1], 1e-9)):6.1f}%"
            cost = multiplications(way, side)
            print(
                f"{side:>5} {way:24} {cost:>8.2f} {seconds:>9.3f} {base[0] / seconds:>9.2f} {memory:>11.1f} {saved:>7}",
                flush=True,
            )


if __name__ == "__main__":
    main()
