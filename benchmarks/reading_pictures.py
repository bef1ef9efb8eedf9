"""What reading a JPEG costs beside its decoder alone: processor time, interleaved, one thread, no file read.

Photographs of scikit-image at two sizes; ratios to simplejpeg alone, medians of many rounds.
"""

from __future__ import annotations

import argparse
import io
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable
from importlib.metadata import version

import numpy as np
import simplejpeg
from PIL import Image

from sightline.core.decoding import decode, look

QUICK = True


def seconds(act: Callable[[], object], turns: int) -> float:
    """Processor time of one turn."""
    start = time.process_time()
    for _ in range(turns):
        act()
    return (time.process_time() - start) / turns


def photograph(size: tuple[int, int]) -> bytes:
    """A photograph as a JPEG of this width and height."""
    from skimage import data

    stream = io.BytesIO()
    Image.fromarray(data.astronaut()).resize(size, Image.Resampling.BICUBIC).save(stream, "JPEG", quality=90)
    return stream.getvalue()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=25)
    asked = parser.parse_args()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {commit.stdout.strip()}")
    print(", ".join(f"{name} {version(name)}" for name in ("simplejpeg", "pillow", "numpy")))
    for size, turns in (((500, 375), 20), ((1920, 1280), 3)):
        data = photograph(size)
        least = (size[1] // 4, size[0] // 4)
        ways: dict[str, Callable[[], object]] = {
            "simplejpeg alone": lambda data=data: simplejpeg.decode_jpeg(data, "RGB"),  # type: ignore[misc]
            "sightline": lambda data=data: decode(data),  # type: ignore[misc]
            "sightline, header only": lambda data=data: look(data),  # type: ignore[misc]
            "sightline, at_least a quarter": lambda data=data, least=least: decode(data, at_least=least),  # type: ignore[misc]
            "Pillow": lambda data=data: np.asarray(Image.open(io.BytesIO(data)).convert("RGB")),  # type: ignore[misc]
        }
        taken: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(asked.rounds):
            for name, act in ways.items():
                taken[name].append(seconds(act, turns))
        alone = statistics.median(taken["simplejpeg alone"])
        print(f"\n{size[0]} x {size[1]}, {len(data):,} bytes")
        for name, times in taken.items():
            middle = statistics.median(times)
            print(f"  {name:30} {1000 * middle:8.3f} ms   {middle / alone:5.2f} x")


if __name__ == "__main__":
    main()
