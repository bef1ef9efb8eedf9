"""A rule of parts beside what was learnt: two wheels beside each other and a windshield above them are a car.

    PYTHONPATH=src python -m benchmarks.parts [--count 60] [--model svm]

Drawn side views of cars, and of what has some of their parts: carts (one wheel), bicycles (no windshield), houses (no
wheels). The rule is written down, the model learns from as many pictures as it is asked about, all upright. Both are
asked about new ones that are upright, turned, and cut at a border. The rule says why (which part was found where) and
needs no pictures; what it does not foresee, it cannot know.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import platform
import subprocess
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import numpy as np

SIDE = 96
KINDS = ("car", "cart", "bicycle", "house")
RULE = (
    "circles shade=dark least=0.8 smallest=6 largest=14 | named name=wheel"
    " | join (polygons level=0.72 least=40 | keep name=quadrilateral | named name=windshield)"
    ' | assemble name=car of="2 wheel + windshield"'
    ' where="wheel beside wheel and wheel like wheel and windshield above wheel"'
    ' | rule name=car when="count>=1" otherwise=other'
)


def drawn(kind: str, rng: np.random.Generator, way: str = "upright") -> np.ndarray:
    """One thing on rough ground; `turned` by 60 to 300 degrees, or `cut` at a border."""
    import cv2

    light = rng.uniform(0.38, 0.5) + rng.normal(0, 0.02, (SIDE, SIDE, 1)) + np.zeros(3)
    wide, high = int(rng.integers(56, 66)), int(rng.integers(16, 22))
    left, foot = int(rng.integers(6, SIDE - wide - 6)), int(rng.integers(64, 78))
    left = -int(0.4 * wide) if way == "cut" else left  # with a wheel of a car
    body, glass = rng.uniform(0.12, 0.3, 3), (0.85, 0.9, 0.95)
    if kind != "bicycle":
        cv2.rectangle(light, (left, foot - high), (left + wide, foot), body.tolist(), -1)
        roof = [
            (left + wide // 4, foot - high),
            (left + wide // 3, foot - 2 * high),
            (left + 2 * wide // 3, foot - 2 * high),
        ]
        cv2.fillPoly(light, [np.array([*roof, (left + 3 * wide // 4, foot - high)])], body.tolist())
        pane = (left + wide // 3 + 2, foot - 2 * high + 4)
        cv2.rectangle(light, pane, (pane[0] + wide // 4, pane[1] + high // 2), glass, -1)
    radius = int(rng.integers(8, 11))
    wheels = {"car": (0.2, 0.8), "cart": (0.5,), "bicycle": (0.15, 0.85), "house": ()}[kind]
    for share in wheels:
        cv2.circle(light, (left + int(share * wide), foot), radius, (0.03, 0.03, 0.03), -1, cv2.LINE_AA)
    made = np.rint(np.clip(light, 0, 1) * 255).astype(np.uint8)
    if way == "turned":
        matrix = cv2.getRotationMatrix2D((SIDE / 2, SIDE / 2), rng.uniform(60, 300), 1.0)
        made = cv2.warpAffine(made, matrix, (SIDE, SIDE), borderMode=cv2.BORDER_REFLECT)
    return made


def folder(place: Path, count: int, seed: int, way: str = "upright") -> Path:
    """Pictures in folders of two names, as many of cars as of all others together."""
    from sightline.core.image import encode

    rng = np.random.default_rng(seed)
    for number in range(count):
        kind = "car" if number % 2 else KINDS[1 + number // 2 % 3]
        path = place / ("car" if kind == "car" else "other") / f"{number:04}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode(drawn(kind, rng, way)))
    return place


def machine() -> str:
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    parts = ", ".join(f"{name} {version(name)}" for name in ("numpy", "opencv-python-headless", "scikit-learn"))
    where = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    return f"{where}, {parts}, {commit.stdout.strip()}"


def accuracies(room: Path, count: int, model: str) -> Iterator[tuple[str, float, float]]:
    """Of each way: the share that the rule names rightly, and that the model does."""
    from sightline.applying.chain import Chain
    from sightline.applying.judging import answers_of
    from sightline.core.data import open_data
    from sightline.exporting.export import export
    from sightline.training.train import train

    with contextlib.redirect_stdout(io.StringIO()):
        train(folder(room / "learn", count, 0), "classify", out=room / "run", model=model)
        export(room / "run")
    for seed, way in enumerate(("upright", "turned", "cut"), 1):
        asked = open_data(folder(room / way, count, seed, way))
        right = []
        for chain in (RULE, str(room / "run")):
            _, truths, given = answers_of(Chain.parse(chain), list(asked))
            right.append(
                float(
                    np.mean(
                        [
                            one.names[:1] == (two.best,) if two.names else False
                            for one, two in zip(truths, given, strict=True)
                        ]
                    )
                )
            )
        yield way, right[0], right[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=120)
    parser.add_argument("--model", default="svm")
    given = parser.parse_args()
    print(f"{machine()}\n{given.count} pictures learnt, {given.count} asked of each way\n")
    print(f"| | rule of parts | {given.model} on HOG |\n|---|---|---|")
    with tempfile.TemporaryDirectory() as room:
        for way, rule, learnt in accuracies(Path(room), given.count, given.model):
            print(f"| {way} | {rule:.0%} | {learnt:.0%} |")


if __name__ == "__main__":
    main()
