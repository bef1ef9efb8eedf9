"""Milliseconds a finder takes on one core, beside the bare library that does the same.

    PYTHONPATH=src python benchmarks/finders.py [--only sobel,canny] [--times 9] [--size 1280x1920]

Each does its own usual call on the same gray bytes and comes to the same answer: ours a record through the public
function, the library its arrays. Least CPU time of several runs, interleaved in one process, one thread. The goal is
never to be slower than the best backend by more than 5 % and a twentieth of a millisecond; where ours does more
(scores, refined places, things kept apart) that is in the time. `hough_circles` is in benchmarks/circles.py.
"""

from __future__ import annotations

import argparse
import platform
import subprocess
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import cv2
import numpy as np

from sightline.core import catalog

Call = Callable[[np.ndarray], Any]


def picture(rows: int, columns: int) -> np.ndarray:
    """Soft shapes under a little noise."""
    chance = np.random.default_rng(0)
    soft = cv2.GaussianBlur(chance.random((rows, columns)).astype(np.float32), (0, 0), 9)
    soft = (soft - soft.min()) / np.ptp(soft) * 225 + chance.normal(0, 3, soft.shape) + 12
    return np.clip(soft, 0, 255).astype(np.uint8)


def slopes(image: np.ndarray) -> np.ndarray:
    """Sobel's magnitude as it is usually written."""
    right = cv2.Sobel(image, cv2.CV_32F, 1, 0, scale=1 / 255 / 4)
    down = cv2.Sobel(image, cv2.CV_32F, 0, 1, scale=1 / 255 / 4)
    return np.asarray(cv2.magnitude(right, down))


def corners(image: np.ndarray, harris: bool) -> np.ndarray:
    """Good features with their places refined."""
    found = cv2.goodFeaturesToTrack(image, 1000, 0.01, 5, blockSize=3, useHarrisDetector=harris, k=0.04)
    limits = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_COUNT, 20, 0.01)
    return np.asarray(cv2.cornerSubPix(image, np.asarray(found).reshape(-1, 1, 2), (3, 3), (-1, -1), limits))


def edges(image: np.ndarray) -> np.ndarray:
    return np.asarray(cv2.Canny(cv2.GaussianBlur(image, (0, 0), 1.4), 51, 102, L2gradient=True))


def skimage(module: str, name: str, **settings: Any) -> Call | None:
    """A function of scikit-image, where it is installed."""
    try:
        found = getattr(__import__(f"skimage.{module}", fromlist=[name]), name)
    except ImportError:
        return None
    return lambda image: found(image, **settings)


def blurred_level(image: np.ndarray) -> np.ndarray:
    around = cv2.GaussianBlur(image.astype(np.float32) * (1 / 255), (0, 0), 17 / 3)
    return np.asarray(image * np.float32(1 / 255) > around - 0.02)


PART = (slice(100, 148), slice(120, 184))
CASES: dict[str, tuple[dict[str, Any], dict[str, Call | None]]] = {
    "sobel": ({}, {"cv2": slopes, "skimage": skimage("filters", "sobel")}),
    "laplacian": ({}, {"cv2": lambda i: np.abs(cv2.Laplacian(i, cv2.CV_32F, ksize=1, scale=1 / 1020))}),
    "canny": ({"low": 0.05, "high": 0.1}, {"cv2": lambda i: cv2.multiply(edges(i), 1 / 255, dtype=cv2.CV_32F)}),
    "harris": ({}, {"cv2": lambda i: corners(i, True)}),
    "shi_tomasi": ({}, {"cv2": lambda i: corners(i, False)}),
    "fast": ({"step": 40 / 255}, {"cv2": lambda i: cv2.FastFeatureDetector_create(40, True).detect(i)}),
    "hough_lines": (
        {"edges": True, "least": 700},
        {"cv2": lambda i: cv2.HoughLines(((i > 127) * np.uint8(255)), 1, np.pi / 180, 700)},
    ),
    "components": (
        {"level": 0.5},
        {
            "cv2": lambda i: cv2.connectedComponentsWithStats((i > 127).view(np.uint8), connectivity=8),
            "skimage": skimage("measure", "label", connectivity=2),
        },
    ),
    "template": (
        {"like": None, "least": 0.9},
        {"cv2": lambda i: cv2.matchTemplate(i, np.ascontiguousarray(i[PART]), cv2.TM_CCOEFF_NORMED)},
    ),
    "blobs": ({"steps": 5}, {"skimage": skimage("feature", "blob_log", min_sigma=2, max_sigma=28, num_sigma=5)}),
    "threshold": ({}, {"cv2": lambda i: cv2.threshold(i, 127, 1, cv2.THRESH_BINARY)}),
    "otsu": (
        {},
        {"cv2": lambda i: cv2.threshold(i, 0, 1, cv2.THRESH_OTSU), "skimage": skimage("filters", "threshold_otsu")},
    ),
    "adaptive": ({}, {"cv2": blurred_level, "skimage": skimage("filters", "threshold_local", block_size=35)}),
    "sauvola": ({}, {"skimage": skimage("filters", "threshold_sauvola", window_size=25)}),
    "multi_otsu": ({}, {"skimage": skimage("filters", "threshold_multiotsu")}),
    "slic": ({}, {"skimage": skimage("segmentation", "slic", n_segments=200, channel_axis=None, max_num_iter=5)}),
    "flood": ({}, {"skimage": skimage("segmentation", "flood", seed_point=(640, 960), tolerance=20)}),
}


def timed(calls: dict[str, Call], image: np.ndarray, times: int) -> dict[str, float]:
    """The least CPU seconds of each; one that is slow is run less often."""
    best = dict.fromkeys(calls, float("inf"))
    for turn in range(times):
        for name, call in calls.items():
            if turn > 1 and best[name] > 1:
                continue
            begin = time.process_time()
            call(image)
            best[name] = min(best[name], time.process_time() - begin)
    return best


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--only", default="")
    words.add_argument("--times", type=int, default=9)
    words.add_argument("--size", default="1280x1920")
    given = words.parse_args()
    cv2.setNumThreads(1)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    print(
        f"{platform.machine()}, Python {platform.python_version()}, OpenCV {cv2.__version__}, "
        f"numpy {version('numpy')}, commit {commit.stdout.strip()}"
    )
    rows, columns = (int(side) for side in given.size.split("x"))
    image = picture(rows, columns)
    for name, (settings, peers) in CASES.items():
        if given.only and name not in given.only.split(","):
            continue
        find = catalog.find("finders", name)
        settings = {**settings, "like": image[PART]} if "like" in settings else settings
        calls: dict[str, Call] = {"ours": lambda i, find=find, settings=settings: find(i, **settings)}
        calls |= {peer: call for peer, call in peers.items() if call is not None}
        took = timed(calls, image, given.times)
        told = "  ".join(f"{peer} {seconds * 1e3:.2f} ms" for peer, seconds in took.items())
        best = min((seconds for peer, seconds in took.items() if peer != "ours"), default=float("nan"))
        kept = took["ours"] <= 1.05 * best + 5e-5
        print(f"{name:12} {told}  ours / best {took['ours'] / best:.2f}{'' if kept else '  slower'}")


if __name__ == "__main__":
    main()
