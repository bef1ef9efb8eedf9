"""Circles with a matching score: precision, recall and counts by the score that is asked for.

    PYTHONPATH=src python benchmarks/circles.py [--beds 150] [--size 512] [--plot sweep.png] [--json out.json] [--speed]

Beds are drawn (`drawn:mushrooms`: caps that overlap, light that falls off by up to 60 % across and 40 % to the corners)
with a seed that nothing was tuned on. A circle is right if it shares 60 % of the union with the true circle of a cap
and no better circle has taken that cap. A cap counts as missed if at least 30 % of it is seen. The count error of a bed
is the number of circles less the number of such caps; stated are its mean, the mean of its size, and that as a share.

With `--speed` also the time of `hough_circles` beside cv2.HoughCircles on one thread, on the same picture, with the
radii given to both, and how many of the true circles each finds.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from sightline.core import catalog
from sightline.core.annotations import Objects
from sightline.sources import drawn

LEVELS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.925, 0.95, 0.975, 0.99, 1.0)
SEED, SEEN, SHARED = 31337, 0.3, 0.6


def numbers(found: Objects) -> np.ndarray:
    """(n, 4) x, y, radius and the visible share."""
    rows = [[one["x"], one["y"], one["radius"], one.get("visible", 1.0)] for one in found.details or ()]
    return np.array(rows, np.float64).reshape(-1, 4)


def shared(truth: np.ndarray, circle: np.ndarray) -> np.ndarray:
    """Intersection over union of one circle with many."""
    away = np.hypot(truth[:, 0] - circle[0], truth[:, 1] - circle[1])
    one, other = truth[:, 2], circle[2]
    safe = np.maximum(away, 1e-9)
    first = np.arccos(np.clip((safe**2 + one**2 - other**2) / (2 * safe * one), -1, 1))
    second = np.arccos(np.clip((safe**2 + other**2 - one**2) / (2 * safe * other), -1, 1))
    four = (one + other - safe) * (safe + one - other) * (safe - one + other) * (safe + one + other)
    lens = one**2 * first + other**2 * second - 0.5 * np.sqrt(np.maximum(four, 0))
    lens = np.where(
        away >= one + other, 0, np.where(away <= np.abs(one - other), np.pi * np.minimum(one, other) ** 2, lens)
    )
    return np.asarray(lens / (np.pi * (one**2 + other**2) - lens))


def twins(found: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """For each circle, best first, the row of the true one that it stands for, or -1."""
    free, rows = np.ones(len(truth), bool), []
    for circle in found:
        share = shared(truth, circle) * free if len(truth) else np.zeros(0)
        best = int(share.argmax()) if len(share) else -1
        hit = best >= 0 and share[best] >= SHARED
        if hit:
            free[best] = False
        rows.append(best if hit else -1)
    return np.array(rows, np.int64)


def beds(count: int, size: int) -> tuple[list[dict[str, Any]], float]:
    """What was found and what is there, bed by bed, and the CPU seconds a bed."""
    find, made, spent = catalog.find("finders", "circles"), [], 0.0
    for index in range(count):
        scene = drawn.draw("mushrooms", SEED, size, index=index)
        begin = time.process_time()
        found = find(scene.image, least=LEVELS[0])
        spent += time.process_time() - begin
        truth, got = numbers(scene.objects), numbers(found)
        row = twins(got, truth)
        made.append({"scores": found.scores, "row": row, "truth": truth, "found": got, "crowd": scene.labels.best})
    return made, spent / count


def sweep(made: list[dict[str, Any]]) -> list[dict[str, float]]:
    """One row a level."""
    rows = []
    for level in LEVELS:
        right = circles = found = there = 0
        errors, counts, off = [], [], []
        for bed in made:
            kept = bed["scores"] >= level - 1e-6
            hit = bed["row"][kept]
            seen = bed["truth"][:, 3] >= SEEN
            circles, right = circles + int(kept.sum()), right + int((hit >= 0).sum())
            found, there = found + int(seen[hit[hit >= 0]].sum()), there + int(seen.sum())
            errors.append(int(kept.sum()) - int(seen.sum()))
            counts.append(int(seen.sum()))
            pairs = bed["found"][kept][hit >= 0, :3] - bed["truth"][hit[hit >= 0], :3]
            off += np.hypot(pairs[:, 0], pairs[:, 1]).tolist()
        rows.append(
            {
                "least": level,
                "circles": circles,
                "precision": right / max(1, circles),
                "recall": found / max(1, there),
                "count_error": float(np.mean(errors)),
                "count_error_size": float(np.mean(np.abs(errors))),
                "count_error_share": float(np.abs(errors).sum() / np.sum(counts)),
                "middle_off": float(np.median(off)) if off else 0.0,
            }
        )
    return rows


def plot(rows: list[dict[str, float]], path: Path) -> None:
    """The sweep as a picture."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    figure, axis = pyplot.subplots(figsize=(7, 4), dpi=110)
    for name in ("precision", "recall", "count_error_share"):
        axis.plot([row["least"] for row in rows], [row[name] for row in rows], marker="o", label=name.replace("_", " "))
    axis.axvline(0.95, color="gray", linestyle=":")
    axis.set(xlabel="least matching score", ylim=(0, 1.02), title="Circles on drawn mushroom beds")
    axis.grid(alpha=0.3)
    axis.legend(loc="lower left")
    figure.tight_layout()
    figure.savefig(path)


def coins() -> str:
    """How many of the 24 coins are counted, where scikit-image is there to bring its picture."""
    try:
        from skimage import data
    except ImportError:
        return "scikit-image is not installed: no coins"
    find = catalog.find("finders", "circles")
    return ", ".join(f"{len(find(data.coins(), least=level))} at {level}" for level in (0.7, 0.8, 0.9, 0.95, 0.99))


def speed() -> None:
    """hough_circles beside OpenCV's, on one thread."""
    cv2.setNumThreads(1)
    find = catalog.find("finders", "hough_circles")
    for rows, columns in ((320, 480), (640, 960), (1280, 1920)):
        image, truth = scattered(rows, columns)
        low, high = truth[:, 2].min() * 0.8, truth[:, 2].max() * 1.2
        ours, theirs, mine, other = [], [], None, None
        for _ in range(3 if rows > 1000 else 7):
            begin = time.process_time()
            mine = find(image, smallest=float(low), largest=float(high))
            middle = time.process_time()
            other = cv2.HoughCircles(
                image, cv2.HOUGH_GRADIENT, 1, low, param1=100, param2=30, minRadius=int(low), maxRadius=int(high)
            )
            ours.append(middle - begin)
            theirs.append(time.process_time() - middle)
        got = numbers(mine)
        its = (
            np.zeros((0, 3)) if other is None else np.asarray(other, np.float64).reshape(-1, np.shape(other)[-1])[:, :3]
        )
        hits = [int((twins(circles, truth) >= 0).sum()) for circles in (got, its)]
        print(
            f"{columns}x{rows}: ours {min(ours) * 1e3:.0f} ms, {hits[0]} of {len(truth)}, {len(got) - hits[0]} wrong; "
            f"OpenCV {min(theirs) * 1e3:.0f} ms, {hits[1]} of {len(truth)}, {len(its) - hits[1]} wrong; "
            f"ratio {min(theirs) / min(ours):.1f}"
        )


def scattered(rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Discs that do not touch, on noisy ground."""
    chance = np.random.default_rng(7)
    unit, truth = rows / 320, np.zeros((0, 4))
    while len(truth) < 14:
        radius = chance.uniform(12, 30) * unit
        x, y = chance.uniform(radius + 4, columns - radius - 4), chance.uniform(radius + 4, rows - radius - 4)
        if (np.hypot(truth[:, 0] - x, truth[:, 1] - y) > truth[:, 2] + radius + 6 * unit).all():
            truth = np.vstack([truth, [x, y, radius, 1]])
    image = np.full((rows, columns), 70.0)
    across, down = np.meshgrid(np.arange(columns) + 0.5, np.arange(rows) + 0.5)
    for x, y, radius, _ in truth:
        image += 90 * np.clip(0.5 + radius - np.hypot(across - x, down - y), 0, 1)
    image += cv2.GaussianBlur(chance.normal(0, 14, image.shape), (0, 0), 0.7)
    return np.clip(image, 0, 255).astype(np.uint8), truth


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--beds", type=int, default=150)
    words.add_argument("--size", type=int, default=512)
    words.add_argument("--plot", type=Path)
    words.add_argument("--json", type=Path)
    words.add_argument("--speed", action="store_true")
    given = words.parse_args()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    print(
        f"{platform.machine()}, Python {platform.python_version()}, OpenCV {cv2.__version__}, "
        f"numpy {version('numpy')}, commit {commit.stdout.strip()}"
    )
    made, seconds = beds(given.beds, given.size)
    rows = sweep(made)
    caps = sum(int((bed["truth"][:, 3] >= SEEN).sum()) for bed in made)
    print(f"{given.beds} beds of {given.size} pixels, {caps} caps, {seconds * 1e3:.0f} ms CPU a bed")
    print("least  circles  precision  recall  count error (mean, mean size, share)  middles off (pixels)")
    for row in rows:
        print(
            f"{row['least']:5.3f}  {row['circles']:7.0f}  {row['precision']:9.4f}  {row['recall']:6.4f}  "
            f"{row['count_error']:+7.2f} {row['count_error_size']:6.2f} {row['count_error_share']:7.1%}"
            f"{row['middle_off']:24.2f}"
        )
    print("coins:", coins())
    if given.plot:
        plot(rows, given.plot)
    if given.json:
        given.json.write_text(json.dumps({"beds": given.beds, "size": given.size, "rows": rows}, indent=1))
    if given.speed:
        speed()


if __name__ == "__main__":
    main()
