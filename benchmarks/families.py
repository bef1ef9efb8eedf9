"""Networks of one family against each other on the same pictures, each at the best of three rates.

    PYTHONPATH=src python benchmarks/families.py hybrid|curves [--data WHERE] [--train 5000] [--test 2000] [--epochs 8]
        [--batch 50] [--seeds 2] [--side 32] [--rates 0.33,1,3]
        [--models hybrid,hybrid:near] [--first 0]
    PYTHONPATH=src python benchmarks/families.py hybrid --twins OMNIGLOT --side 64 --train 12000 --test 2000 --epochs 12

`hybrid` holds a network of convolutions and attention against convolutions alone and attention alone, of equal cost;
`curves` holds networks whose inputs are bent by learnt curves against one without. Learning is as in optimisers.py,
with AdamW. Accuracy is the mean over seeds (from `--first` on), each with rows in its own order and weights of its own,
and their spread.

`--twins` asks whether the two characters in a picture are one drawing twice, wherever they lie; OMNIGLOT is the folder
of images_background_small1.zip and images_background_small2.zip (github.com/brendenlake/omniglot). The characters that
are measured on are a quarter of all, and none of them is learnt from.
"""

from __future__ import annotations

import argparse
import platform
import subprocess
import zipfile
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

import cv2
import numpy as np
import torch

from optimisers import FACTORS, PLAIN, Sides, learn, sides
from sightline.core.chance import generator
from sightline.core.image import as_image
from sightline.core.inputs import InputSpec
from sightline.core.task import Facts
from sightline.evaluating.counting import count_multiplications, count_parameters
from sightline.tasks.classify import Classify
from sightline.training.learner import build
from sightline.training.settings import Settings

GLYPH = 28  # pixels of a character in a picture of two
LINES = {
    "hybrid": ("hybrid", "hybrid:near", "hybrid:far"),
    "curves": ("kan:plain", "kan:rational", "kan:gram", "kan:spline", "kan:rbf"),
}


def size(model: str, side: int) -> tuple[int, int]:
    """Numbers, and multiplications of one picture."""
    facts = Facts({"image": InputSpec((side, side))}, tuple("ab"), asdict(Classify.Options()))
    network = build(Classify(), model, facts, PLAIN, 0).eval()
    return count_parameters(network), count_multiplications(network, torch.zeros(1, side, side, 3, dtype=torch.uint8))


def _archives(folder: Path) -> list[Path]:
    return [folder / f"images_background_small{part}.zip" for part in (1, 2)]


def characters(folder: Path) -> list[np.ndarray]:
    """Every character once: its drawings, ink white on black, small."""
    found: dict[str, dict[str, np.ndarray]] = {}
    for place in _archives(folder):
        with zipfile.ZipFile(place) as archive:
            for member in archive.namelist():
                if member.endswith(".png"):
                    *_, alphabet, character, name = member.split("/")  # both archives hold some alphabets
                    ink = 255 - as_image(archive.read(member)).read()[..., 0]
                    drawn = cv2.resize(ink, (GLYPH, GLYPH), interpolation=cv2.INTER_AREA)
                    found.setdefault(f"{alphabet}/{character}", {})[name] = drawn
    return [np.stack([drawings[name] for name in sorted(drawings)]) for _, drawings in sorted(found.items())]


def twins(folder: Path, train: int, test: int, side: int) -> Sides:
    """Pictures of two characters that do not touch: half of them one drawing twice, half two characters."""
    drawn, rng = characters(folder), generator(0, "twins")
    order = rng.permutation(len(drawn))
    cut = len(order) * 3 // 4

    def made(count: int, pool: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        pictures, same = np.zeros((count, side, side, 3), np.uint8), rng.permutation(count) % 2
        for picture, alike in zip(pictures, same, strict=True):
            first, second = (drawn[one][rng.integers(len(drawn[one]))] for one in rng.choice(pool, 2, replace=False))
            places = np.zeros((2, 2), np.int64)
            while abs(places[0] - places[1]).max() < GLYPH:
                places = rng.integers(0, side - GLYPH + 1, (2, 2))
            for (y, x), shown in zip(places, (first, first if alike else second), strict=True):
                picture[y : y + GLYPH, x : x + GLYPH] = shown[..., None]
        return pictures, same

    facts = Facts({"image": InputSpec((side, side))}, ("two", "twins"), asdict(Classify.Options()))
    return facts, made(train, order[:cut]), made(test, order[cut:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("line", choices=LINES)
    parser.add_argument("--data", default="drawn:shapes?count=3000&size=32")
    parser.add_argument("--twins", type=Path)
    parser.add_argument("--rates", default=",".join(map(str, FACTORS)))
    parser.add_argument("--models", help="some of the line, so that several processes can share it")
    for name, value in (
        ("train", 2000),
        ("test", 1000),
        ("epochs", 8),
        ("batch", 50),
        ("seeds", 2),
        ("side", 32),
        ("first", 0),
    ):
        parser.add_argument(f"--{name}", type=int, default=value)
    given = parser.parse_args()
    models = given.models.split(",") if given.models else LINES[given.line]
    if others := set(models) - set(LINES[given.line]):
        parser.error(f"{', '.join(sorted(others))} is none of {', '.join(LINES[given.line])}.")
    if given.twins and given.side < 2 * GLYPH:
        parser.error(f"--side {given.side}: two characters need {2 * GLYPH} pixels or more.")
    if given.twins and not all(archive.is_file() for archive in _archives(given.twins)):
        parser.error(f"no Omniglot here: {given.twins} lacks one of {[one.name for one in _archives(given.twins)]}.")
    torch.set_num_threads(1)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False).stdout
    print(
        f"{platform.machine()}, Python {platform.python_version()}, torch {version('torch')}, commit {commit.strip()}"
    )
    if given.twins:
        made = twins(given.twins, given.train, given.test, given.side)
    else:
        made = sides(given.data, given.train, given.test, given.side)
    learnt = f"{given.train} to learn from, {given.test} to measure on, {given.epochs} epochs, {given.side} px"
    print(f"{given.twins or given.data}: {learnt}")
    print(
        f"{'model':14} {'numbers':>10} {'products':>10}  {'accuracy':>8} {'spread':>7}  {'rate':>7} {'CPU s':>6}  seeds"
    )
    usual = Settings(optimiser="adamw").settled().rate or 0.0
    for model in models:
        numbers, products = size(model, given.side)
        tried = {}
        for rate in (usual * float(factor) for factor in given.rates.split(",")):
            fixed = {"optimiser": "adamw", "rate": rate, "schedule": "one_cycle", "batch": given.batch}
            runs = [
                learn(made, model, Settings(**fixed, epochs=given.epochs, seed=given.first + seed))
                for seed in range(given.seeds)
            ]
            tried[rate] = (float(np.mean([found for found, _ in runs])), runs)
        rate, (mean, runs) = max(tried.items(), key=lambda pair: pair[1][0])
        spread = float(np.std([found for found, _ in runs], ddof=1)) if given.seeds > 1 else float("nan")
        took = float(np.mean([seconds for _, seconds in runs]))
        print(
            f"{model:14} {numbers:10,} {products / 1e6:9.1f}M  {mean:8.3f} {spread:7.3f}  {rate:7.2g} {took:6.1f}  "
            + " ".join(f"{found:.4f}" for found, _ in runs),
            flush=True,
        )


if __name__ == "__main__":
    main()
