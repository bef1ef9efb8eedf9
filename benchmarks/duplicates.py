"""Planted copies: how many are found, how many strangers are paired, and what it costs.

    PYTHONPATH=src python benchmarks/duplicates.py [--data FOLDER] [--count 2000] [--json out.json]

Copies are planted in drawn scenes, in parts of scikit-image's photographs, and in the pictures of `--data` (or of the
folder that SIGHTLINE_DATA names). "found" is the share of copies paired with their original; "strangers" the share of
pictures in a pair that was not planted: in a folder of real pictures these are often real duplicates, so look at them.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import platform
import resource
import subprocess
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image as Pillow

from sightline.core.data import open_data
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError
from sightline.core.image import ArrayImage
from sightline.core.known import near
from sightline.core.likeness import thumbnail
from sightline.core.sample import Sample

QUICK = True
Change = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def packed(pixels: np.ndarray, quality: int) -> np.ndarray:
    stream = io.BytesIO()
    Pillow.fromarray(pixels).save(stream, "JPEG", quality=quality)
    return np.asarray(Pillow.open(stream))


def cut(pixels: np.ndarray, rng: np.random.Generator, share: float) -> np.ndarray:
    rows, columns = (max(1, round((1 - share) * side)) for side in pixels.shape[:2])
    y, x = rng.integers(0, pixels.shape[0] - rows + 1), rng.integers(0, pixels.shape[1] - columns + 1)
    return np.ascontiguousarray(pixels[y : y + rows, x : x + columns])


def scaled(pixels: np.ndarray, factor: float) -> np.ndarray:
    way = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=way))


KINDS: dict[str, Change] = {
    "the same": lambda pixels, rng: pixels,
    "resized to 50 %": lambda pixels, rng: scaled(pixels, 0.5),
    "resized to 150 %": lambda pixels, rng: scaled(pixels, 1.5),
    "JPEG 60": lambda pixels, rng: packed(pixels, 60),
    "5 % of the area cut": lambda pixels, rng: cut(pixels, rng, 1 - 0.95**0.5),
    "5 % of each side cut": lambda pixels, rng: cut(pixels, rng, 0.05),
    "10 % of each side cut": lambda pixels, rng: cut(pixels, rng, 0.10),
    "mirrored": lambda pixels, rng: np.ascontiguousarray(pixels[:, ::-1]),
    "20 % lighter": lambda pixels, rng: np.clip(pixels * 1.2, 0, 255).astype(np.uint8),
    "20 % darker": lambda pixels, rng: (pixels * 0.8).astype(np.uint8),
    "cut, mirrored, JPEG 60": lambda pixels, rng: packed(np.ascontiguousarray(cut(pixels, rng, 0.05)[:, ::-1]), 60),
}


def drawn(count: int) -> list[np.ndarray]:
    """Scenes of four drawn worlds."""
    each = count // 4
    worlds = ("parts", "street", "cells", "documents")
    return [one.pixels() for world in worlds for one in open_data(f"drawn:{world}?count={each}&size=128&keep=false")]


def photographs(count: int) -> list[np.ndarray]:
    """Windows of scikit-image's photographs that share no pixel; those of plain sky or paper are left out."""
    from skimage import data

    made: list[np.ndarray] = []
    names = ("astronaut", "coffee", "chelsea", "rocket", "camera", "coins", "page", "clock", "moon", "brick", "grass")
    for name in names:
        try:
            pixels = getattr(data, name)()
        except Exception as error:  # those that are not in the package would be downloaded
            print(f"without {name}: {type(error).__name__}")
            continue
        pixels = np.ascontiguousarray(pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, 2))
        corners = ((y, x) for y in range(0, pixels.shape[0] - 95, 96) for x in range(0, pixels.shape[1] - 95, 96))
        made += [np.ascontiguousarray(pixels[y : y + 96, x : x + 96]) for y, x in corners]
    telling = [one for one in made if thumbnail(one)["grey"].std() >= 6]
    return [telling[row] for row in np.random.default_rng(0).permutation(len(telling))[:count]]


def stored(folder: Path, count: int) -> list[np.ndarray]:
    """Pictures of a folder, those that can be read; in three channels of eight bits."""
    made = []
    data = open_data(folder)
    for row in np.random.default_rng(0).permutation(len(data))[:count].tolist():
        try:
            pixels = data[row].pixels()
        except InputError as error:
            print(error.message)
            continue
        if pixels.dtype == np.uint8 and pixels.ndim == 3 and pixels.shape[2] in (1, 3):
            made.append(np.repeat(pixels, 3, 2) if pixels.shape[2] == 1 else pixels)
    return made


def measure(name: str, pictures: list[np.ndarray], copies: int) -> dict[str, Any]:
    """Plant copies of some pictures in every way, look for them among all, and print a table."""
    rng, whole, planted = np.random.default_rng(0), list(pictures), []
    for kind, change in KINDS.items():
        for row in rng.permutation(len(pictures))[:copies].tolist():
            planted.append((kind, row, len(whole)))
            whole.append(change(pictures[row], rng))
    data = Dataset([Sample(f"{row}", (ArrayImage(pixels),)) for row, pixels in enumerate(whole)])
    begun, spent = time.perf_counter(), time.process_time()
    pairs = near(data).pairs
    wall, spent = time.perf_counter() - begun, time.process_time() - spent
    found = set(map(tuple, pairs.tolist()))
    rates = {
        kind: float(np.mean([(row, place) in found for which, row, place in planted if which == kind]))
        for kind in KINDS
    }
    strange = {row for pair in found for row in pair if max(pair) < len(pictures)}
    print(
        f"\n{name}: {len(pictures):,} pictures and {len(planted):,} copies, {wall:.1f} s ({spent:.1f} s of processor)"
    )
    for kind, rate in rates.items():
        print(f"  {kind:24} found {rate:7.2%}")
    print(
        f"  {'strangers':24} {len(strange)} pictures in pairs that were not planted, {len(strange) / len(pictures):.2%}"
    )
    return {
        "pictures": len(pictures),
        "copies": len(planted),
        "found": rates,
        "strangers": len(strange),
        "seconds": spent,
    }


def machine() -> str:
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    parts = ", ".join(f"{name} {version(name)}" for name in ("numpy", "opencv-python-headless"))
    where = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    return f"{where}, {parts}, {commit.stdout.strip()}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("SIGHTLINE_DATA"))
    parser.add_argument("--count", type=int, default=2000, help="pictures of each source")
    parser.add_argument("--copies", type=int, default=200, help="copies of each kind")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    print(machine())
    rows = {
        "drawn scenes": measure("drawn scenes", drawn(given.count), given.copies),
        "photographs": measure("photographs", photographs(given.count), given.copies),
    }
    if given.data is None:
        print("\nno folder of pictures: name one with --data or SIGHTLINE_DATA")
    else:
        rows["folder"] = measure(str(given.data), stored(Path(given.data), given.count), given.copies)
    print(f"\nmost memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3:,.0f} MB")
    if given.json:
        given.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
