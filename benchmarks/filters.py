"""Milliseconds of a filter beside the best bare call of the libraries behind it, on one core.

    PYTHONPATH=src python benchmarks/filters.py [--only resize,clahe] [--times 9] [--json out.json]

Each does the same work on the same pixels; bare calls are as short as who knows the library would write them, without
any check. The least CPU time, taking turns in one process, one thread. The goal: never slower than the best bare call
by more than 5 % and 0.05 ms. A filter without a bare call is an algorithm of ours, or several calls, and is left out.

`skeleton` stands beside the call that gives the same answer; `skeletonize` of scikit-image gives another in three
quarters of the time of ours. Whole blocks of 3, 5, 7 … pixels are averaged faster here than by OpenCV, and shapes are
counted faster. Pictures have 8 bits.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import time
import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image
from scipy import ndimage
from skimage import exposure, filters, morphology

from sightline.core import catalog

SIZES = ((1280, 1920), (256, 256))  # rows, columns
SHARE, FIXED = 1.05, 0.05  # of the best bare call, and milliseconds
Call = Callable[[np.ndarray], Any]
TABLE = np.arange(256, dtype=np.uint8)
DISC = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
WIDE = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (13, 13))


def pillow(change: Callable[[Image.Image], Image.Image]) -> Call:
    return lambda image: np.asarray(change(Image.fromarray(image)))


def gray(image: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) if image.ndim == 3 and image.shape[2] == 3 else image


def size(image: np.ndarray, by: float) -> tuple[int, int]:
    return round(image.shape[1] * by), round(image.shape[0] * by)


def on_luma(image: np.ndarray, change: Call) -> np.ndarray:
    parted = cv2.cvtColor(image, cv2.COLOR_RGB2YCrCb)
    parted[..., 0] = change(np.ascontiguousarray(parted[..., 0]))
    return cv2.cvtColor(parted, cv2.COLOR_YCrCb2RGB)


def turned(image: np.ndarray) -> np.ndarray:
    matrix = cv2.getRotationMatrix2D(((image.shape[1] - 1) / 2, (image.shape[0] - 1) / 2), 15, 1)
    return cv2.warpAffine(image, matrix, image.shape[1::-1])


def seen(image: np.ndarray) -> np.ndarray:
    sides = np.array(image.shape[1::-1], np.float32)
    corners = np.array([[0.1, 0.1], [0.9, 0], [1, 1], [0, 0.9]], np.float32) * sides
    whole = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32) * sides
    return cv2.warpPerspective(image, cv2.getPerspectiveTransform(corners, whole), image.shape[1::-1])


def straight(image: np.ndarray) -> np.ndarray:
    longest = max(image.shape[:2])
    camera = np.array([[longest, 0, image.shape[1] / 2], [0, longest, image.shape[0] / 2], [0, 0, 1]], float)
    return cv2.undistort(image, camera, np.array([-0.2, 0, 0, 0]))


def without_small(image: np.ndarray) -> np.ndarray:
    labels, count = ndimage.label(image > 127, np.ones((3, 3)))
    kept = np.bincount(labels.ravel(), minlength=count + 1) >= 64
    kept[0] = False
    return kept[labels]


def small_by_opencv(image: np.ndarray) -> np.ndarray:
    _, labels, facts, _ = cv2.connectedComponentsWithStats(cv2.threshold(image, 127, 255, 0)[1])
    kept = np.where(facts[:, cv2.CC_STAT_AREA] >= 64, 255, 0).astype(np.uint8)
    kept[0] = 0
    return kept[labels]


def filled(image: np.ndarray) -> np.ndarray:
    mask = cv2.threshold(image, 127, 255, 0)[1]
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    return cv2.drawContours(np.zeros_like(mask), outlines, -1, 255, -1)


def hull(image: np.ndarray) -> np.ndarray:
    mask = cv2.threshold(image, 127, 255, 0)[1]
    return cv2.fillConvexPoly(np.zeros_like(mask), cv2.convexHull(cv2.findNonZero(mask).reshape(-1, 1, 2)), 255)


def far(image: np.ndarray) -> np.ndarray:
    made = cv2.distanceTransform(cv2.threshold(image, 127, 255, 0)[1], cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return cv2.convertScaleAbs(made, alpha=255 / made.max())


def stretched(image: np.ndarray) -> np.ndarray:
    reach = np.cumsum(cv2.calcHist([image.reshape(len(image), -1)], [0], None, [256], [0, 256]))
    low, high = np.searchsorted(reach, [reach[-1] * 0.005, reach[-1] * 0.995])
    return cv2.convertScaleAbs(image, alpha=255 / (high - low), beta=-255 * low / (high - low))


def balanced(image: np.ndarray) -> np.ndarray:
    means = np.array(cv2.mean(image)[:3])
    return cv2.transform(image, np.diag(means.mean() / means))


def index(image: np.ndarray) -> np.ndarray:
    first, second = (image[..., n].astype(np.float32) for n in (0, 1))
    total = first + second
    ratio = np.divide(second - first, total, out=np.zeros_like(total), where=total > 0)
    return cv2.convertScaleAbs(ratio, alpha=127.5, beta=127.5)


def powers(image: np.ndarray) -> np.ndarray:
    return cv2.LUT(image, np.rint((np.arange(256) / 255) ** 0.7 * 255).astype(np.uint8))


def gray_matrix(by: float) -> np.ndarray:
    return np.eye(3) * by + (1 - by) * np.array([0.299, 0.587, 0.114])


def morphed(way: int, kernel: np.ndarray) -> Call:
    return lambda image: cv2.morphologyEx(image, way, kernel)


SMALL = np.ones((3, 3), np.uint8)
SMALL[::2, ::2] = 0
# (filter, settings, "rgb" or "gray"), and the bare calls that do the same
CASES: list[tuple[str, dict[str, Any], str, list[Call]]] = [
    ("resize", {"factor": 0.5, "way": "linear"}, "rgb", [lambda p: cv2.resize(p, size(p, 0.5))]),
    ("resize", {"factor": 0.4, "way": "cubic"}, "rgb", [lambda p: cv2.resize(p, size(p, 0.4), interpolation=2)]),
    ("resize", {"factor": 0.4, "way": "lanczos"}, "rgb", [lambda p: cv2.resize(p, size(p, 0.4), interpolation=4)]),
    ("resize", {"factor": 1.5, "way": "nearest"}, "rgb", [lambda p: cv2.resize(p, size(p, 1.5), interpolation=6)]),
    ("resize", {"factor": 0.4, "way": "area"}, "rgb", [lambda p: cv2.resize(p, size(p, 0.4), interpolation=3)]),
    ("resize", {"factor": 0.5, "way": "area"}, "rgb", [lambda p: cv2.resize(p, size(p, 0.5), interpolation=3)]),
    (
        "resize",
        {"factor": 1 / 3, "way": "area"},
        "thirds",
        [lambda p: cv2.resize(p, size(p, 1 / 3), interpolation=3), pillow(lambda p: p.reduce(3))],
    ),
    (
        "resize",
        {"factor": 0.25, "way": "area"},
        "rgb",
        [lambda p: cv2.resize(p, size(p, 0.25), interpolation=3), pillow(lambda p: p.reduce(4))],
    ),
    (
        "resize",
        {"factor": 0.2, "way": "area"},
        "rgb",
        [lambda p: cv2.resize(p, size(p, 0.2), interpolation=3)],
    ),
    (
        "resize",
        {"factor": 0.125, "way": "area"},
        "rgb",
        [lambda p: cv2.resize(p, size(p, 0.125), interpolation=3), pillow(lambda p: p.reduce(8))],
    ),
    (
        "resize",
        {"factor": 0.4},
        "rgb",
        [pillow(lambda p: p.resize((p.width * 2 // 5, p.height * 2 // 5), Image.Resampling.BILINEAR))],
    ),
    ("crop", {"box": (20, 20, 220, 200)}, "rgb", [lambda p: p[20:200, 20:220].copy()]),
    ("pad", {"by": 16}, "rgb", [lambda p: cv2.copyMakeBorder(p, 16, 16, 16, 16, cv2.BORDER_CONSTANT)]),
    ("flip", {}, "rgb", [lambda p: cv2.flip(p, 1)]),
    ("flip", {"way": "diagonal"}, "rgb", [cv2.transpose]),
    ("rotate", {}, "rgb", [turned]),
    ("rotate", {"degrees": 90, "expand": True}, "rgb", [lambda p: cv2.rotate(p, cv2.ROTATE_90_COUNTERCLOCKWISE)]),
    (
        "affine",
        {"matrix": (1, 0.2, 0, 0, 1, 0)},
        "rgb",
        [lambda p: cv2.warpAffine(p, np.array([[1, 0.2, 0], [0, 1, 0]]), p.shape[1::-1])],
    ),
    ("perspective", {}, "rgb", [seen]),
    ("undistort", {}, "rgb", [straight]),
    (
        "brightness",
        {},
        "rgb",
        [lambda p: cv2.convertScaleAbs(p, alpha=1, beta=25.5), lambda p: cv2.add(p, (25.5,) * 4)],
    ),
    (
        "contrast",
        {},
        "rgb",
        [
            lambda p: cv2.addWeighted(p, 1.4, p, 0, -51),
            lambda p: cv2.LUT(p, np.rint((TABLE - 127.5) * 1.4 + 127.5).clip(0, 255).astype(np.uint8)),
        ],
    ),
    ("gamma", {}, "rgb", [powers]),
    (
        "levels",
        {},
        "rgb",
        [lambda p: cv2.LUT(p, np.rint((TABLE / 255 - 0.05).clip(0, 0.9) / 0.9 * 255).astype(np.uint8))],
    ),
    ("curve", {}, "rgb", [lambda p: cv2.LUT(p, TABLE)]),
    ("exposure", {}, "rgb", [lambda p: cv2.LUT(p, TABLE)]),
    ("posterise", {}, "rgb", [lambda p: cv2.LUT(p, TABLE)]),
    ("auto_levels", {}, "rgb", [stretched]),
    ("normalise", {}, "rgb", [lambda p: cv2.normalize(p, None, 0, 255, cv2.NORM_MINMAX)]),
    ("equalise", {}, "gray", [cv2.equalizeHist]),
    ("equalise", {}, "rgb", [lambda p: on_luma(p, cv2.equalizeHist)]),
    ("clahe", {}, "gray", [lambda p: cv2.createCLAHE(2.0, (8, 8)).apply(p), lambda p: exposure.equalize_adapthist(p)]),
    ("clahe", {}, "rgb", [lambda p: on_luma(p, cv2.createCLAHE(2.0, (8, 8)).apply)]),
    ("white_balance", {}, "rgb", [balanced]),
    ("convert", {"to": "hsv"}, "rgb", [lambda p: cv2.cvtColor(p, cv2.COLOR_RGB2HSV_FULL)]),
    ("convert", {"to": "hls"}, "rgb", [lambda p: cv2.cvtColor(p, cv2.COLOR_RGB2HLS_FULL)]),
    ("convert", {"to": "lab"}, "rgb", [lambda p: cv2.cvtColor(p, cv2.COLOR_RGB2Lab)]),
    (
        "convert",
        {"to": "ycbcr"},
        "rgb",
        [lambda p: cv2.cvtColor(p, cv2.COLOR_RGB2YCrCb)[..., [0, 2, 1]], pillow(lambda p: p.convert("YCbCr"))],
    ),
    ("grayscale", {}, "rgb", [gray]),
    ("saturation", {}, "rgb", [lambda p: cv2.transform(p, gray_matrix(1.5))]),
    ("hue", {}, "rgb", [lambda p: cv2.transform(p, gray_matrix(1.5))]),
    ("channel", {}, "rgb", [lambda p: cv2.extractChannel(p, 0)]),
    ("invert", {}, "rgb", [cv2.bitwise_not]),
    ("false_colour", {}, "gray", [lambda p: cv2.applyColorMap(p, cv2.COLORMAP_VIRIDIS)]),
    ("bands", {}, "rgb", [index]),
    ("threshold", {}, "gray", [lambda p: cv2.threshold(p, 127, 255, 0)[1]]),
    (
        "otsu",
        {},
        "gray",
        [lambda p: cv2.threshold(p, 0, 255, cv2.THRESH_OTSU)[1], lambda p: p > filters.threshold_otsu(p)],
    ),
    (
        "adaptive",
        {"window": 31, "offset": 8 / 255},
        "gray",
        [lambda p: cv2.adaptiveThreshold(p, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY, 31, 8)],
    ),
    ("sauvola", {}, "gray", [lambda p: p > filters.threshold_sauvola(p, 31)]),
    (
        "erode",
        {},
        "rgb",
        [morphed(cv2.MORPH_ERODE, DISC), lambda p: morphology.erosion(p, morphology.disk(2)[..., None])],
    ),
    ("dilate", {"shape": "square"}, "rgb", [lambda p: cv2.dilate(p, np.ones((5, 5), np.uint8))]),
    ("open", {}, "rgb", [morphed(cv2.MORPH_OPEN, DISC)]),
    ("close", {}, "rgb", [morphed(cv2.MORPH_CLOSE, DISC)]),
    ("top_hat", {}, "gray", [morphed(cv2.MORPH_TOPHAT, WIDE)]),
    ("black_hat", {}, "gray", [morphed(cv2.MORPH_BLACKHAT, WIDE)]),
    ("morphological_gradient", {}, "rgb", [morphed(cv2.MORPH_GRADIENT, SMALL)]),
    ("skeleton", {}, "blobs", [lambda p: morphology.thin(p > 127)]),
    ("thin", {}, "blobs", [lambda p: morphology.thin(p > 127, 3)]),
    ("fill_holes", {}, "blobs", [lambda p: ndimage.binary_fill_holes(p > 127), filled]),
    ("remove_small", {}, "blobs", [without_small, small_by_opencv]),
    ("distance", {}, "blobs", [far, lambda p: ndimage.distance_transform_edt(p > 127)]),
    ("convex_hull", {}, "blobs", [hull]),
]


def pictures(shape: tuple[int, int]) -> dict[str, np.ndarray]:
    """Soft noise in colour, in gray, and as shapes: the same on every machine."""
    noise = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    soft = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 3), None, 0, 255, cv2.NORM_MINMAX)
    blobs = cv2.threshold(cv2.GaussianBlur(soft[..., 1], (0, 0), 6), 0, 255, cv2.THRESH_OTSU)[1]
    made = {"rgb": soft, "gray": np.ascontiguousarray(soft[..., 0]), "blobs": blobs}
    made["thirds"] = np.ascontiguousarray(soft[: shape[0] // 3 * 3, : shape[1] // 3 * 3])
    return made


def least(calls: list[Callable[[], Any]], times: int) -> list[float]:
    """Milliseconds of each, taking turns; each turn is long enough for the clock."""
    taken: list[list[float]] = [[] for _ in calls]
    rounds = []
    for call in calls:
        call()
        start = time.process_time()
        call()
        rounds.append(max(1, min(200, int(0.004 / max(time.process_time() - start, 1e-6)))))
    for turn in range(times):
        for place in range(len(calls))[:: 1 if turn % 2 else -1]:
            call = calls[place]
            start = time.process_time()
            for _ in range(rounds[place]):
                call()
            taken[place].append((time.process_time() - start) / rounds[place] * 1000)
    return [min(values) for values in taken]


def machine() -> str:
    """Where and from what the numbers come."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False).stdout
    names = ("numpy", "opencv-python-headless", "scikit-image", "scipy", "pillow")
    libraries = ", ".join(f"{name} {version(name)}" for name in names)
    return f"{platform.machine()}, Python {platform.python_version()}, {libraries}, commit {commit.strip()}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="")
    parser.add_argument("--times", type=int, default=9)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    cv2.setNumThreads(1)
    warnings.simplefilter("ignore")
    print(machine())
    wanted = set(given.only.split(",")) if given.only else {name for name, *_ in CASES}
    rows: list[dict[str, Any]] = []
    for shape in SIZES:
        held = pictures(shape)
        for name, settings, kind, bare in CASES:
            if name not in wanted:
                continue
            edit, pixels = catalog.find("filters", name), held[kind]
            calls: list[Callable[[], Any]] = [lambda e=edit, p=pixels, s=settings: e(p, **s)]  # type: ignore[misc]
            calls += [lambda c=call, p=pixels: c(p) for call in bare]  # type: ignore[misc]
            ours, *others = least(calls, given.times)
            best = min(others)
            miss = ours > best * SHARE + FIXED
            words = " ".join(f"{key}={value}" for key, value in settings.items())
            rows.append({"name": name, "settings": words, "kind": kind, "shape": shape, "ours": ours, "bare": best})
            mark = "  MISS" if miss else ""
            times = f"ours {ours:8.3f}  bare {best:8.3f}  {ours / best:5.2f}{mark}"
            print(f"{name:24} {kind:5} {shape[1]}x{shape[0]:<5} {times}   {words}", flush=True)
    missed = [row for row in rows if row["ours"] > row["bare"] * SHARE + FIXED]
    print(f"{len(rows)} measured, {len(missed)} slower than {SHARE:.0%} and {FIXED} ms of the best bare call")
    if given.json:
        given.json.write_text(json.dumps({"machine": machine(), "rows": rows}, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
