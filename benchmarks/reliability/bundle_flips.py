"""How many flipped bits of a bundle go unnoticed, and how fast a large one is verified.

    python benchmarks/reliability/bundle_flips.py --flips 10000 --megabytes 500

Every flip is one bit, uniform over all bytes of all files, of a bundle as a folder and as one file.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from safetensors.numpy import save as safetensors

from sightline.core import bundle
from sightline.core.errors import BundleError


def members(megabytes: float) -> dict[str, bytes]:
    """What a trained model weighs: mostly weights, and a few small files."""
    weights = np.random.default_rng(0).integers(0, 255, int(megabytes * 2**20), np.uint8)
    return {
        "weights.safetensors": safetensors({"layer": weights}),
        "card.md": b"# A model\n" * 40,
        "report.html": b"<p>all is well</p>" * 200,
    }


def flip(path: Path, flips: int) -> int:
    """How many single flipped bits were loaded as if nothing had happened."""
    paths = sorted(path.iterdir()) if path.is_dir() else [path]
    ends = np.cumsum([one.stat().st_size for one in paths])
    chance, missed = random.Random(0), 0
    for _ in range(flips):
        at = chance.randrange(int(ends[-1]))
        which = int(np.searchsorted(ends, at, side="right"))
        with paths[which].open("r+b", buffering=0) as file:
            inside = at - (int(ends[which - 1]) if which else 0)
            file.seek(inside)
            byte = file.read(1)[0]
            for value in (byte ^ 1 << chance.randrange(8), byte):
                file.seek(inside)
                file.write(bytes([value]))
                if value != byte:
                    try:
                        bundle.load(path)
                        missed += 1
                    except BundleError:
                        pass
    bundle.load(path)  # every flip was taken back
    return missed


def verify(path: Path, times: int = 5) -> list[float]:
    """Seconds of each load, the file cache being warm after the first."""
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        bundle.load(path)
        seconds.append(time.perf_counter() - start)
    return seconds


def main() -> int:
    """Print the machine and the figures; 1 where a promise is broken."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--flips", type=int, default=10_000)
    parser.add_argument("--megabytes", type=float, default=500)
    parser.add_argument("--small", type=float, default=3, help="megabytes of the bundle whose bits are flipped")
    asked = parser.parse_args()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    print(f"machine   {platform.machine()} {os.cpu_count()} cores, {platform.system()} {platform.release()}")
    print(f"load      {os.getloadavg()[0]:.1f} when started")
    print(f"versions  python {platform.python_version()}, numpy {np.__version__}, bundle format {bundle.FORMAT}")
    print(f"commit    {commit.stdout.strip() or 'unknown'}")
    broken = False
    with tempfile.TemporaryDirectory() as folder:
        for name in ("model", "model.sightline"):
            small = bundle.save(Path(folder) / name, {"task": "sort"}, members(asked.small))
            start = time.perf_counter()
            missed = flip(small, asked.flips)
            took = time.perf_counter() - start
            bound = f"; so fewer than {300 / asked.flips:.3g} % at 95 % confidence" if not missed else ""
            print(f"flips     {name}: {missed} of {asked.flips} missed ({took:.0f} s){bound}")
            large = bundle.save(Path(folder) / f"large-{name}", {"task": "sort"}, members(asked.megabytes))
            first, *warm = verify(large)
            median = sorted(warm)[len(warm) // 2]
            rate = f"{asked.megabytes / median:.0f} MB/s"
            print(
                f"verify    {name}: {asked.megabytes:.0f} MB in {median:.2f} s "
                f"(median of {len(warm)}, worst {max(warm):.2f}, first {first:.2f}), {rate}"
            )
            broken |= missed > 0 or median > asked.megabytes / 500
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())
