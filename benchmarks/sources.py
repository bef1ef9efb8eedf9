"""What it takes to open lists and archives as they grow, and to read films against plain PyAV.

    python benchmarks/sources.py --most 1000000

Every opening is a fresh process: CPU seconds of `open_data` alone, and the peak of memory over a bare import.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from pathlib import Path

import numpy as np

OPEN = """
import re, sys, time
from pathlib import Path
from sightline.core.data import open_data
def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024
open_data("drawn:parts?count=1")
idle, begun = peak(), time.process_time()
data = open_data(sys.argv[1])
spent = time.process_time() - begun
assert data[len(data) - 1].id
print(len(data), spent, peak() - idle)
"""


def grown(folder: Path, count: int) -> dict[str, str]:
    """A list, a zip and a tar of so many members of four bytes, in ten class folders."""
    names = [f"{number % 10}/{number:07d}.png" for number in range(count)]
    (folder / "photos.txt").write_text("\n".join(names))
    with zipfile.ZipFile(folder / "photos.zip", "w") as archive:
        for name in names:
            archive.writestr(zipfile.ZipInfo(name), b"four")
    head = tarfile.TarInfo("x")
    head.size = 4
    block = head.tobuf()
    with (folder / "photos.tar").open("wb") as file:
        for name in names:
            entry = bytearray(name.encode().ljust(100, b"\0") + block[100:148] + b" " * 8 + block[156:])
            entry[148:156] = b"%06o\0 " % sum(entry)
            file.write(entry + b"four".ljust(512, b"\0"))
        file.write(bytes(1024))
    return {"list": f"list:{folder}/photos.txt", "zip": f"{folder}/photos.zip", "tar": f"{folder}/photos.tar"}


def growth(most: int) -> None:
    """A table of openings."""
    print(f"{'opens':>10} {'members':>10} {'CPU s':>8} {'MB':>7} {'us each':>8}")
    count = 1000
    while count <= most:
        with tempfile.TemporaryDirectory(prefix="sightline-sources-") as room:
            for kind, where in grown(Path(room), count).items():
                done = subprocess.run([sys.executable, "-c", OPEN, where], capture_output=True, text=True, check=True)
                found, spent, memory = done.stdout.split()
                each = float(spent) / int(found) * 1e6
                print(
                    f"{kind:>10} {int(found):>10,} {float(spent):>8.2f} {float(memory):>7.0f} {each:>8.1f}", flush=True
                )
        count *= 10


def film(path: Path, count: int) -> None:
    """A film of a drawn world, a key picture every second."""
    import av

    from sightline.sources import drawn

    scenes = [sample.pixels() for sample in drawn.dataset("motion", 16, size=256)]
    with av.open(str(path), "w") as made:
        stream = made.add_stream("libx264", rate=25, options={"g": "25"})
        stream.width = stream.height = 256
        for number in range(count):
            made.mux(stream.encode(av.VideoFrame.from_ndarray(scenes[number % 16], "rgb24")))
        made.mux(stream.encode())


def reading(count: int) -> None:
    """CPU seconds of three ways through one film, and their ratio to plain PyAV, interleaved."""
    import av

    from sightline.core.data import open_data, open_stream

    with tempfile.TemporaryDirectory(prefix="sightline-sources-") as room:
        path = Path(room) / "film.mp4"
        film(path, count)
        shuffled = np.random.default_rng(0).permutation(count)[: count // 10].tolist()

        def plain() -> int:
            with av.open(str(path)) as opened:
                return sum(frame.to_ndarray(format="rgb24").size > 0 for frame in opened.decode(video=0))

        def in_order() -> int:
            return sum(sample.pixels().size > 0 for sample in open_data(path))

        def streamed() -> int:
            with open_stream(path) as stream:
                return sum(shot.pixels().size > 0 for shot in stream)

        def anywhere() -> int:
            data = open_data(path)
            return sum(data[row].pixels().size > 0 for row in shuffled)

        ways = {"plain PyAV": plain, "data set, in order": in_order, "stream": streamed, "data set, anywhere": anywhere}
        taken: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(5):
            for name, way in ways.items():
                begun = time.process_time()
                shown = way()
                taken[name].append((time.process_time() - begun) / shown)
        bare = float(np.median(taken["plain PyAV"]))
        for name, spent in taken.items():
            each = float(np.median(spent))
            print(f"{name:>20} {each * 1e3:>7.2f} ms a picture {each / bare:>6.2f} x")


def main() -> None:
    """Print the machine and both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--most", type=int, default=100_000)
    parser.add_argument("--pictures", type=int, default=500)
    given = parser.parse_args()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {commit.stdout.strip()}")
    growth(given.most)
    reading(given.pictures)


if __name__ == "__main__":
    main()
