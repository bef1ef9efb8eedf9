"""What an audit costs: CPU seconds by part and memory, on a data set that is named or on drawn pictures.

    PYTHONPATH=src python -m benchmarks.audit [DATA] [--quick] [--repeat 1]

DATA (or SIGHTLINE_DATA) is anything that can be audited; without it 2,000 small scenes are drawn into memory. The bar:
60,000 pictures of 32 x 32 with near copies in 90 seconds on 2 cores and 2 GB; the gate in 2 ms at 640 x 480.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import subprocess
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import numpy as np

from sightline.auditing.gate import Gate
from sightline.auditing.suspects import finding, suspects
from sightline.core import catalog
from sightline.core.annotations import Labels
from sightline.core.data import open_data
from sightline.core.dataset import Dataset
from sightline.core.image import BytesImage, encode
from sightline.core.known import look_at_all, remember
from sightline.core.measures import measure_all
from sightline.core.sample import Sample

QUICK = True


def machine() -> str:
    """Where and from what the numbers come."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    libraries = ", ".join(f"{name} {version(name)}" for name in ("numpy", "opencv-python-headless", "pillow"))
    made = commit.stdout.strip() or "no commit"
    return f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {libraries}, {made}"


def scene(seed: int, size: tuple[int, int]) -> np.ndarray:
    """Rectangles in many colours with a little noise."""
    rng = np.random.default_rng(seed)
    pixels = np.full((*size, 3), rng.integers(90, 160, 3), np.float32)
    for _ in range(30):
        y, x = rng.integers(0, size[0] - 6), rng.integers(0, size[1] - 6)
        pixels[y : y + rng.integers(4, size[0]), x : x + rng.integers(4, size[1])] = rng.integers(30, 220, 3)
    return np.clip(pixels + rng.normal(0, 3, pixels.shape), 0, 255).astype(np.uint8)


def drawn(count: int = 2000) -> Dataset:
    """Small scenes in memory, with names by chance."""
    made = [BytesImage(encode(scene(n, (32, 32)))) for n in range(count)]
    return Dataset([Sample(str(n), (one,), Labels((f"name {n % 5}",))) for n, one in enumerate(made)], name="drawn")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", default=os.environ.get("SIGHTLINE_DATA"))
    parser.add_argument("--labels", action="store_true", help="judge the labels as well")
    given = parser.parse_args()
    data = remember(open_data(given.data) if given.data else drawn())
    print(f"{machine()}\n{data.name}: {len(data):,} pictures\n")
    print("| part | CPU s | wall s | µs a picture |")
    print("|---" * 4 + "|")
    total = [0.0, 0.0]

    def timed(name: str, work: Callable[[], Any]) -> Any:
        cpu, wall = time.process_time(), time.perf_counter()
        answer = work()
        spent = time.process_time() - cpu, time.perf_counter() - wall
        total[0], total[1] = total[0] + spent[0], total[1] + spent[1]
        if spent[0] > 0.02:
            print(f"| {name} | {spent[0]:.2f} | {spent[1]:.2f} | {1e6 * spent[0] / len(data):.0f} |", flush=True)
        return answer

    timed("bytes, headers, pixels", lambda: measure_all(data))
    timed("what is left to look at", lambda: look_at_all(data))
    found = []
    for name in catalog.names("checks"):
        found += timed(name, lambda check=name: catalog.find("checks", check)(data))  # type: ignore[misc]
    if given.labels:
        found += finding(timed("labels judged", lambda: suspects(data)))
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"| all | {total[0]:.2f} | {total[1]:.2f} | {1e6 * total[0] / len(data):.0f} |")
    print(f"\n{len(found)} findings, {most:,.0f} MB at most")
    gate, large = Gate(), scene(0, (480, 640))
    gate.decide(large)
    start = time.process_time()
    for _ in range(100):
        gate.decide(large)
    print(f"gate: {10 * (time.process_time() - start):.2f} ms CPU for 640 x 480")


if __name__ == "__main__":
    main()
