"""Filters against noise and blocks with their own settings: PSNR, SSIM and time a megapixel, noise measured and told.

    PYTHONPATH=src python -m benchmarks.denoise_filters [--data FOLDER] [--most 68]

FOLDER (or SIGHTLINE_DATA) is any folder of gray or colour pictures, such as the 68 of the Berkeley set that papers on
denoising use; drawn scenes where there is none. White noise is added to gray and not clipped, as published: `float`
pictures are wider than 0 to 1 then, so they are moved into it. BM3D is published at 31.07, 28.57 and 25.62 dB on those
68 for noise of 15, 25 and 50. `peer` is the nearest function of another library on the same pictures.
"""

from __future__ import annotations

import argparse
import inspect
import os
import platform
import subprocess
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import cv2
import numpy as np
from skimage.restoration import denoise_tv_chambolle

from sightline.core import catalog
from sightline.core.annotations import Picture
from sightline.core.image import SUFFIXES, read_image

NAMES = (
    "gaussian", "median", "bilateral", "guided", "anisotropic", "wiener_denoise", "total_variation", "wavelet",
    "non_local_means", "sliding_cosines",
)  # fmt: skip
SIGMAS = (15, 25, 50)
LOW, TOP = -1.0, 2.0  # what unclipped noise may reach
Edit = Callable[[np.ndarray, float], np.ndarray]


def machine() -> str:
    """Where and from what the numbers come."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    libraries = ", ".join(f"{name} {version(name)}" for name in ("numpy", "opencv-python-headless", "scikit-image"))
    made = commit.stdout.strip() or "no commit"
    python = f"Python {platform.python_version()}"
    return f"{platform.machine()}, {os.cpu_count()} cores, 1 thread, {python}, {libraries}, {made}"


def pictures(folder: Path | None, most: int) -> list[np.ndarray]:
    """Gray pictures of 8 bits."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES) if folder else []
    if not paths:
        print("no folder of pictures was given (--data FOLDER or SIGHTLINE_DATA); drawn scenes only\n")
        from sightline.core.data import open_data

        return [gray(sample.pixels()) for sample in open_data(f"drawn:shapes?count={min(most, 16)}&size=256")]
    return [gray(read_image(path)) for path in paths[:most]]


def gray(pixels: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY) if pixels.shape[2] == 3 else np.ascontiguousarray(pixels[..., 0])


def ours(name: str, told: bool) -> Edit:
    """Float pictures of a wider range, moved into 0 to 1; the noise told or measured."""
    edit = catalog.find("filters", name)
    takes = "noise" in inspect.signature(edit).parameters
    best = {"gaussian": lambda sigma: {"sigma": 0.6 + sigma / 50}, "median": lambda sigma: {"radius": 1 + (sigma > 20)}}

    def run(noisy: np.ndarray, sigma: float) -> np.ndarray:
        moved = ((noisy - LOW) / (TOP - LOW)).astype(np.float32)
        settings = {"noise": sigma / (TOP - LOW)} if takes and told else best.get(name, lambda _: {})(sigma)
        return np.asarray(edit(moved, **settings)) * (TOP - LOW) + LOW

    return run


def peer_total_variation(noisy: np.ndarray, sigma: float) -> np.ndarray:
    return np.asarray(denoise_tv_chambolle(noisy, weight=0.75 * sigma / 255))


def peer_non_local_means(noisy: np.ndarray, sigma: float) -> np.ndarray:
    """In 8 bits, so clipped."""
    eight = np.clip(np.rint(noisy * 255), 0, 255).astype(np.uint8)
    return cv2.fastNlMeansDenoising(eight, None, 0.95 * sigma, 5, 21) / np.float32(255)


def row(label: str, edit: Edit, seen: list[np.ndarray], psnr: Callable, ssim: Callable) -> None:
    """One line of the table."""
    cells, spent, area = [], 0.0, 0
    for sigma in SIGMAS:
        truths, answers = [], []
        for number, plane in enumerate(seen):
            true = (plane / 255).astype(np.float32)
            noise = np.random.default_rng(number).normal(0, sigma / 255, true.shape).astype(np.float32)
            begun = time.process_time()
            made = edit(true + noise, sigma)
            spent += time.process_time() - begun
            area += plane.size
            truths.append(Picture(true[..., None]))
            answers.append(Picture(np.clip(made, 0, 1).astype(np.float32)[..., None]))
        cells.append(f"{psnr(truths, answers).value:6.2f} {ssim(truths, answers).value:.3f}")
    print(f"| {label:28} | {' | '.join(cells)} | {spent / area * 1e9:7.0f} |", flush=True)


def blocks(seen: list[np.ndarray], psnr: Callable) -> None:
    """JPEG of four qualities, as it is and softened."""
    print("\n| JPEG quality | as it is, dB | softened, dB | ms a Mpx |\n|---|---|---|---|")
    edit = catalog.find("filters", "soften_blocks")
    for quality in (10, 20, 40, 75):
        packed = [cv2.imdecode(cv2.imencode(".jpg", plane, [1, quality])[1], 0) for plane in seen]
        begun = time.process_time()
        made = [edit(plane) for plane in packed]
        spent = (time.process_time() - begun) / sum(plane.size for plane in seen) * 1e9
        truths, before, after = ([Picture(each[..., None]) for each in some] for some in (seen, packed, made))
        print(f"| {quality} | {psnr(truths, before).value:.2f} | {psnr(truths, after).value:.2f} | {spent:.0f} |")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=os.environ.get("SIGHTLINE_DATA"))
    parser.add_argument("--most", type=int, default=68)
    asked = parser.parse_args()
    cv2.setNumThreads(1)
    print(machine(), "\n")
    seen = pictures(Path(asked.data) if asked.data else None, asked.most)
    psnr, ssim = catalog.find("metrics", "psnr"), catalog.find("metrics", "ssim")
    print(f"{len(seen)} pictures\n\n| filter | {' | '.join(f'noise {s}: dB, SSIM' for s in SIGMAS)} | ms a Mpx |")
    print("|---" * (2 + len(SIGMAS)) + "|")
    row("as it is", lambda noisy, sigma: noisy, seen, psnr, ssim)
    for name in NAMES:
        takes = name not in ("gaussian", "median")
        row(f"{name}{', measured' if takes else ''}", ours(name, told=False), seen, psnr, ssim)
        if takes:
            row(f"{name}, told", ours(name, told=True), seen, psnr, ssim)
    row("peer total variation, told", peer_total_variation, seen, psnr, ssim)
    row("peer non-local means, told", peer_non_local_means, seen, psnr, ssim)
    blocks(seen, psnr)


if __name__ == "__main__":
    main()
