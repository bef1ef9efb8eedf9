"""How long a 12-megapixel photograph takes, how much memory, and what our tiles cost over bare ONNX Runtime.

    PYTHONPATH=src python benchmarks/restoration/speed.py [--what denoise] [--weights FOLDER] [--megapixels 12]
        [--rounds 3] [--threads 2]

`ours` is `sightline.enhance` from pixels to pixels: looking, tiles, network, blending. `bare` is what one writes by
hand: a session of ONNX Runtime on the same graph, tiles of the same side and overlap cut in a loop, the middles of the
answers pasted. Both take turns in one process and on the same threads; printed are medians, the ratio of each round's
processor time, and the largest memory of a process that does nothing else (measured in one of its own).
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from sightline.core import bundle as bundles
from sightline.core.annotations import Picture
from sightline.core.task import Facts
from sightline.enhancing.enhance import enhance
from sightline.predicting.named import SHIPPED
from sightline.sources.drawn import dataset


def photograph(megapixels: float) -> np.ndarray:
    """A drawn place of 3 to 4, with the noise of a dim evening."""
    rows = round((megapixels * 1e6 * 3 / 4) ** 0.5)
    columns = round(rows * 4 / 3)
    truth = dataset("pairs", 1, size=512)[0].truth
    assert isinstance(truth, Picture)
    whole = np.tile(truth.pixels, (-(-rows // 512), -(-columns // 512), 1))[:rows, :columns]
    noise = np.random.default_rng(0).normal(0, 15, (512, columns, 3))
    made = np.empty_like(whole)
    for top in range(0, rows, 512):
        part = whole[top : top + 512]
        made[top : top + 512] = np.clip(part + noise[: len(part)], 0, 255)
    return made


def bare(path: Path, threads: int) -> Callable[[np.ndarray], np.ndarray]:
    """The same graph in a bare session, with tiles cut by hand."""
    import onnxruntime

    opened = bundles.load(path)
    facts = Facts.from_json(opened.model["facts"])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = onnxruntime.InferenceSession(opened.files["model.onnx"], options, providers=["CPUExecutionProvider"])
    side, overlap = int(facts.options.get("window") or facts.input.size[0]), facts.input.overlap
    deep, scale = facts.input.dtype == "float32", int(facts.options.get("scale", 1))

    def run(pixels: np.ndarray) -> np.ndarray:
        rows, columns = pixels.shape[:2]
        made = np.empty((rows * scale, columns * scale, 3), np.uint8)
        half = overlap // 2
        for top in range(0, max(1, rows - overlap), side - overlap):
            for left in range(0, max(1, columns - overlap), side - overlap):
                y, x = min(top, max(0, rows - side)), min(left, max(0, columns - side))
                tile = pixels[y : y + side, x : x + side][None]
                given = tile.astype(np.float32) / 255 if deep else np.ascontiguousarray(tile)
                out = (session.run(["picture"], {"image": given})[0][0] * 255).round().clip(0, 255).astype(np.uint8)
                a, b = (half if y else 0), (half if x else 0)
                made[(y + a) * scale : (y + side) * scale, (x + b) * scale : (x + side) * scale] = out[
                    a * scale :, b * scale :
                ]
        return made

    return run


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--what", default="denoise")
    words.add_argument("--weights", type=Path, default=SHIPPED)
    words.add_argument("--megapixels", type=float, default=12)
    words.add_argument("--rounds", type=int, default=3)
    words.add_argument("--threads", type=int, default=os.cpu_count())
    words.add_argument("--alone", action="store_true", help="enhance once and print the largest memory")
    given = words.parse_args()
    path = given.weights / f"{given.what}_colour.sightline"
    if not path.exists():
        sys.exit(f"{path} is not there; train it, or name a folder of bundles with --weights.")
    pixels = photograph(given.megapixels)
    if given.alone:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        started = time.perf_counter()
        enhance(pixels, what=given.what, weights=given.weights)
        seconds, most = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"alone: {seconds:.1f} s from nothing loaded, {most:,.0f} MiB at most, {before:,.0f} before")
        return
    print(machine(), f"{pixels.shape[1]} x {pixels.shape[0]}, {path.stem}, {given.threads} threads", sep="\n")
    ways: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "ours": lambda p: enhance(p, what=given.what, weights=given.weights).pixels,
        "bare": bare(path, given.threads),
    }
    for way in ways.values():
        way(pixels[:600, :800])
    walls: dict[str, list[float]] = {name: [] for name in ways}
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for round_ in range(given.rounds):
        for name in sorted(ways, reverse=bool(round_ % 2)):
            wall, cpu = time.perf_counter(), time.process_time()
            ways[name](pixels)
            walls[name].append(time.perf_counter() - wall)
            spent[name].append(time.process_time() - cpu)
    for name in ways:
        print(f"{name}: {statistics.median(walls[name]):.1f} s, processor {statistics.median(spent[name]):.1f} s")
    ratios = [one / other for one, other in zip(spent["ours"], spent["bare"], strict=True)]
    print(f"ours / bare, processor: {statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})")
    same = [sys.executable, __file__, "--alone", "--what", given.what, "--weights", str(given.weights)]
    subprocess.run([*same, "--megapixels", str(given.megapixels)], check=True)


def machine() -> str:
    """Where this was measured."""
    import onnxruntime

    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    versions = f"Python {platform.python_version()}, ONNX Runtime {onnxruntime.__version__}, {commit.stdout.strip()}"
    return f"{platform.machine()}, {os.cpu_count()} cores, {versions}"


if __name__ == "__main__":
    main()
