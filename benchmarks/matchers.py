"""How near matchers come on drawn pairs whose truth is exact, and what they cost beside the bare library.

    python -m benchmarks.matchers [--repeat 9]

Speed is CPU seconds of one process, both sides in turns, the least of several; ours checks the pictures, finds the
same and answers with a record. A ratio of 1.05 is the bar. Where ours does more (a way back, a last step by light)
the bare side does the same, or stands beside it as it is, as said.
"""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

from sightline.core import catalog
from sightline.core.relation import Move, corner_error, end_point_error
from tests.matchers.known import blotches, laid, layered, quarter_shift, side_by_side, tilted, turned

Call = Callable[[], Any]


def gray(picture: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)


def bare_homography(one: np.ndarray, two: np.ndarray, tool: Any, norm: int) -> np.ndarray:
    """As tutorials have it: detect, two nearest, ratio, mutual, MAGSAC++."""
    (a, first), (b, second) = (tool.detectAndCompute(gray(each), None) for each in (one, two))
    matcher = cv2.BFMatcher(norm)
    back = {m.queryIdx: m.trainIdx for (m,) in matcher.knnMatch(second, first, 1)}
    pairs = [m[0] for m in matcher.knnMatch(first, second, 2) if len(m) == 2 and m[0].distance < 0.8 * m[1].distance]
    pairs = [m for m in pairs if back[m.trainIdx] == m.queryIdx]
    source = np.float32([b[m.trainIdx].pt for m in pairs])
    target = np.float32([a[m.queryIdx].pt for m in pairs])
    return cv2.findHomography(source, target, cv2.USAC_MAGSAC, 2.0, None, 20_000, 0.9999)[0]


def bare_phase(one: np.ndarray, two: np.ndarray) -> Any:
    window = cv2.createHanningWindow(one.shape[1::-1], cv2.CV_32F)
    return cv2.phaseCorrelate(np.float32(gray(one)), np.float32(gray(two)), window)


def bare_ecc(one: np.ndarray, two: np.ndarray, start: np.ndarray) -> np.ndarray:
    """From a start that is near, which ours is not given."""
    stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 50, 1e-5)
    matrix = np.float32(start)
    return cv2.findTransformECC(gray(one), gray(two), matrix, cv2.MOTION_HOMOGRAPHY, stop, None, 5)[1]


def speed(repeat: int) -> None:
    """Ours beside the bare library, in turns."""
    find = lambda name: catalog.find("matchers", name)  # noqa: E731
    truth = tilted(1, far=20)
    one, two = laid(truth, world="pairs")
    left, right, _ = side_by_side(1, (480, 640))
    a, b = gray(one), gray(two)
    whole = blotches(500, 660)
    still, slid = whole[:480, :640], whole[13:493, 20:660]
    sift = cv2.SIFT_create(4000, contrastThreshold=0.02, enable_precise_upscale=True)
    orb = cv2.ORB_create(4000, fastThreshold=10)
    near = np.linalg.inv(truth) + np.array([[0, 0, 2], [0, 0, -2], [0, 0, 0]])
    flow = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    lone, pair = {"check": False}, {"check": True}

    def ours(name: str, settings: dict[str, Any]) -> Call:
        return lambda: find(name)(one, two, **settings)

    def sgbm(left: np.ndarray, right: np.ndarray) -> np.ndarray:
        made = cv2.StereoSGBM_create(
            0, 64, 5, 200, 800, disp12MaxDiff=-1, uniquenessRatio=5, speckleWindowSize=100, speckleRange=2
        )
        return made.compute(gray(left), gray(right))

    def farneback(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return cv2.calcOpticalFlowFarneback(gray(x), gray(y), None, 0.5, 5, 15, 3, 7, 1.5, 0)

    def followed() -> Any:
        corners = cv2.goodFeaturesToTrack(gray(one), 2000, 0.005, 5, blockSize=5)
        there, _, _ = cv2.calcOpticalFlowPyrLK(gray(one), gray(two), corners, None, winSize=(21, 21), maxLevel=4)
        return cv2.calcOpticalFlowPyrLK(gray(two), gray(one), there, None, winSize=(21, 21), maxLevel=4)

    plain, orbs = {"fine": False}, {"places": "orb", "fine": False}
    rows: list[tuple[str, Call, Call]] = [
        ("homography, sift", ours("homography", plain), lambda: bare_homography(one, two, sift, cv2.NORM_L2)),
        ("homography, orb", ours("homography", orbs), lambda: bare_homography(one, two, orb, cv2.NORM_HAMMING)),
        ("phase, not fine", ours("phase", plain), lambda: bare_phase(one, two)),
        ("intensity (bare: ECC)", ours("intensity", {"kind": "homography"}), lambda: bare_ecc(one, two, near)),
        ("farneback", ours("farneback", lone), lambda: farneback(one, two)),
        ("farneback, both ways", ours("farneback", pair), lambda: (farneback(one, two), farneback(two, one))),
        ("dis", ours("dis", lone), lambda: flow.calc(gray(one), gray(two), None)),
        ("dis, both ways", ours("dis", pair), lambda: (flow.calc(a, b, None), flow.calc(b, a, None))),
        ("lucas_kanade", ours("lucas_kanade", {}), followed),
        ("disparity", lambda: find("disparity")(left, right, **lone), lambda: sgbm(left, right)),
        (
            "disparity, both ways",
            lambda: find("disparity")(left, right, **pair),
            lambda: (sgbm(left, right), sgbm(right, left)),
        ),
    ]
    try:
        from skimage.registration import phase_cross_correlation

        rows.append(("phase (bare: scikit-image, 1/50)", lambda: find("phase")(still, slid),
                     lambda: phase_cross_correlation(gray(still), gray(slid), upsample_factor=50)))  # fmt: skip
    except ImportError:
        print("scikit-image is not installed; its row is left out")
    print(f"\n{'640 x 480, CPU ms':36} {'ours':>8} {'bare':>8} {'ratio':>7}")
    for name, ours, bare in rows:
        took: tuple[list[float], list[float]] = ([], [])
        for turn in range(repeat + 1):
            for side, call in enumerate((ours, bare)):
                begun = time.process_time()
                call()
                if turn:
                    took[side].append(time.process_time() - begun)
        mine, theirs = (1000 * min(side) for side in took)
        print(f"{name:36} {mine:8.2f} {theirs:8.2f} {mine / theirs:7.2f}", flush=True)


def accuracy() -> None:
    """Every matcher on pairs of three worlds."""
    find = lambda name: catalog.find("matchers", name)  # noqa: E731
    print(f"\n{'largest corner error, pixels':44} {'street':>8} {'pairs':>8} {'cells':>8}")
    tries: list[tuple[str, str, dict[str, Any], bool, bool]] = [
        ("homography, sift, places alone", "homography", {"fine": False}, True, False),
        ("homography, sift", "homography", {}, True, False),
        ("homography, orb", "homography", {"places": "orb"}, True, False),
        ("affine, similarity", "affine", {"kind": "similarity"}, False, False),
        ("phase, turned", "phase", {"turned": True}, False, False),
        ("intensity, homography", "intensity", {"kind": "homography"}, True, False),
        ("intensity, mutual, dark for light, gamma 0.6", "intensity", {"light": "mutual"}, False, True),
    ]
    for title, name, settings, tilts, other in tries:
        cells = []
        for world in ("street", "pairs", "cells"):
            worst = []
            for seed in (1, 2, 3):
                truth = tilted(seed) if tilts else turned(7, 1.08, (12, -9))
                one, two = laid(truth, seed=seed, world=world, noise=5)
                if other:
                    two = (255 * (1 - (two / 255.0) ** 0.6)).astype(np.uint8)
                worst.append(_tried(find(name), one, two, settings, truth))
            refused = worst.count("refused")
            numbers = [each for each in worst if not isinstance(each, str)]
            cells.append("refused" if refused == len(worst) else f"{max(numbers):.3f}" + "*" * refused)
        print(f"{title:44} {cells[0]:>8} {cells[1]:>8} {cells[2]:>8}", flush=True)
    print("* one of three was refused or not sure: too few places stand out")
    shifts = [
        float(np.hypot(*(-find("phase")(*quarter_shift(x, y, s, w)).matrix[:2, 2] - (x / 4, y / 4))))
        for s in (1, 2)
        for w in ("street", "pairs", "cells")
        for x, y in ((13, -6), (63, 49), (-1, 2))
    ]
    print(f"phase, shifts of quarters of a pixel: {np.median(shifts):.3f} in the middle, {max(shifts):.3f} at most")
    print(f"\n{'end-point error, pixels, where both show it':44} {'mean':>8} {'still':>8} {'its seen':>9}")
    for name, settings in (("dis", {}), ("farneback", {}), ("lucas_kanade", {"dense": True})):
        made = []
        for seed in range(1, 7):
            one, two, truth, seen = layered(seed)
            field = find(name)(one, two, **settings)
            still = end_point_error(0 * truth, truth, seen)
            made.append(
                (end_point_error(field.steps, truth, seen), still, end_point_error(field.steps, truth, field.seen))
            )
        mean = np.mean(made, 0)
        print(f"{name:44} {mean[0]:8.3f} {mean[1]:8.3f} {mean[2]:9.3f}", flush=True)
    print(f"\n{'disparity, where both show it':44} {'<0.5 px':>8} {'RMSE':>8} {'its seen':>9}")
    for search, block in (("global", 5), ("block", 11)):
        made = []
        for seed in range(1, 7):
            left, right, depth = side_by_side(seed)
            field = find("disparity")(left, right, search=search, block=block)
            known = np.isfinite(depth)
            missed = np.abs(-field.steps[..., 0] - depth)
            near = missed < 0.5
            made.append((near[known].mean(), np.sqrt(np.square(missed[known]).mean()), near[known & field.seen].mean()))
        mean = np.mean(made, 0)
        print(f"{search:44} {mean[0]:8.1%} {mean[1]:8.3f} {mean[2]:9.1%}", flush=True)


def _tried(match: Any, one: np.ndarray, two: np.ndarray, settings: dict[str, Any], truth: np.ndarray) -> float | str:
    from sightline.core.errors import InputError

    try:
        found: Move = match(one, two, **settings)
    except InputError:
        return "refused"
    return corner_error(found, truth) if found.score >= 0.5 else "refused"


def main() -> None:
    """Both tables."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--repeat", type=int, default=9)
    cv2.setNumThreads(1)
    print(f"{platform.machine()}, Python {platform.python_version()}, OpenCV {cv2.__version__}, NumPy {np.__version__}")
    speed(words.parse_args().repeat)
    accuracy()


if __name__ == "__main__":
    main()
