"""Few pictures a name: one-shot on Omniglot's 20 official runs, and what 5 to 200 pictures a name are worth.

    PYTHONPATH=src python benchmarks/few_shot.py omniglot FOLDER [--background small2] [--epochs 16] [--copies 12]
    PYTHONPATH=src python benchmarks/few_shot.py shots FOLDER [--counts 5 10 50 200] [--seeds 3] [--base 1000]

`omniglot` reads the archives of github.com/brendenlake/omniglot as they are (images_background_small1.zip and
one-shot-classification/all_runs.zip; FOLDER may also be given as SIGHTLINE_DATA with a folder `omniglot` in it). An
embedding learns from the five alphabets of one background archive alone, quarter turns being further characters; then
each run's 20 characters are learnt from one drawing each with `prototypes:RUN`, and its 20 drawings are judged, each
by itself. Intervals: Student over the 20 runs, Wilson over the 400 drawings.

`shots` takes any classified pictures that have a train and a test side (CIFAR-10 in folders, say). A network learns
the first half of the names; of each name of the other half so many pictures are then learnt: from chance (`scratch`),
as means through that network (`prototypes`), and by training that network on as usual (`transfer`). Every way sees
the same pictures and is measured on the same test pictures. The interval is Student's over seeds.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import tempfile
import time
import zipfile
from collections.abc import Iterator
from dataclasses import fields, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cv2
import numpy as np

import sightline
from sightline.core import catalog
from sightline.core.annotations import Labels
from sightline.core.chance import generator
from sightline.core.dataset import Dataset
from sightline.core.image import ArrayImage, as_image
from sightline.core.sample import Sample
from sightline.evaluating.intervals import student
from sightline.predicting.answers import answers, torch_run
from sightline.predicting.model import trained
from sightline.training.settings import Settings

SIDE = 56  # of the drawings kept; the network sees half
MOVES: list[Any] = [
    {"name": "affine", "degrees": 15.0, "scale": [0.83, 1.2], "shear": 12.0, "most": 0.12, "border": "edge"},
    {"name": "elastic", "strength": 0.03, "smooth": 0.2, "border": "edge"},
]
GENTLE: dict[str, Any] = {"degrees": 8.0, "scale": (0.92, 1.09), "shear": 6.0, "most": 0.05, "border": "edge"}
PLAIN = {"precision": "float32", "layout": "plain", "threads": 1, "workers": 0}


def drawing(data: bytes) -> np.ndarray:
    """Ink white on black, smaller."""
    ink = 255 - as_image(data).read()[..., 0]
    return cv2.resize(ink, (SIDE, SIDE), interpolation=cv2.INTER_AREA)[..., None]


def sample(name: str, pixels: np.ndarray, label: str, side: str = "train") -> Sample:
    """One drawing with its character."""
    return Sample(name, (ArrayImage(np.ascontiguousarray(pixels), name),), Labels((label,)), split=side)


def background(path: Path) -> Dataset:
    """Every drawing at four quarter turns, each turn a character of its own."""
    made = []
    with zipfile.ZipFile(path) as archive:
        for member in sorted(archive.namelist()):
            if member.endswith(".png"):
                pixels, label = drawing(archive.read(member)), member.rsplit("/", 1)[0]
                made += [sample(f"{member}@{turn}", np.rot90(pixels, turn), f"{label}@{turn}") for turn in range(4)]
    return Dataset(made, name=path.stem)


def episodes(path: Path) -> Iterator[tuple[list[tuple[str, np.ndarray]], list[tuple[str, np.ndarray]]]]:
    """Of each official run: one drawing a character, and the drawings to tell, each with its character."""
    with zipfile.ZipFile(path) as archive:
        for run in range(1, 21):
            pairs = [line.split() for line in archive.read(f"run{run:02d}/class_labels.txt").decode().splitlines()]
            known = {shown for _, shown in pairs}
            yield (
                [(shown, drawing(archive.read(shown))) for shown in sorted(known)],
                [(shown, drawing(archive.read(asked))) for asked, shown in pairs],
            )


def copies(pixels: np.ndarray, name: str, count: int) -> list[Sample]:
    """The drawing itself, and others of it a little moved."""
    whole, move = sample(name, pixels, "?"), catalog.find("augmentations", "affine")
    return [whole, *(move(whole, generator(0, "copy", name, turn), **GENTLE) for turn in range(1, count))]


def told(
    base: Path, shown: list[tuple[str, np.ndarray]], asked: list[tuple[str, np.ndarray]], count: int, room: Path
) -> list[bool]:
    """Whether each drawing was told rightly after one look at each character."""
    few = [
        replace(one, id=f"{name}+{turn}", truth=Labels((name,)))
        for name, pixels in shown
        for turn, one in enumerate(copies(pixels, name, count))
    ]
    run = sightline.train(
        Dataset(few, name="one-shot"), "classify", model=f"prototypes:{base}", out=room, settings=PLAIN, look=False
    )
    task, facts, network = trained(run)
    right = []
    for place, (name, pixels) in enumerate(asked):
        looks = [replace(one, id=f"{place}+{turn}") for turn, one in enumerate(copies(pixels, f"asked {place}", count))]
        given = [answer for _, answer in answers(task, torch_run(network), looks, facts) if isinstance(answer, Labels)]
        sure = np.mean([np.log(np.maximum(answer.scores, 1e-12)) for answer in given], 0)
        right.append(given[0].names[int(np.argmax(sure))] == name)
    return right


def spread(rows: list[list[bool]]) -> str:
    """The share of errors, with an interval over runs and one over drawings."""
    wrong = 1 - np.array([np.mean(row) for row in rows])
    reach = student(0.95, len(rows)) * wrong.std(ddof=1) / len(rows) ** 0.5
    count, share = sum(map(len, rows)), float(np.mean([not one for row in rows for one in row]))
    quantile = 1.959964
    middle = (share + quantile**2 / 2 / count) / (1 + quantile**2 / count)
    wide = quantile * (share * (1 - share) / count + quantile**2 / 4 / count**2) ** 0.5 / (1 + quantile**2 / count)
    return (
        f"error {share:.2%}  by run {wrong.mean() - reach:.2%} to {wrong.mean() + reach:.2%}  "
        f"by drawing {middle - wide:.2%} to {middle + wide:.2%}  ({len(rows)} runs, {count} drawings)"
    )


def omniglot(given: argparse.Namespace) -> None:
    """Background to embedding, embedding to 20 runs."""
    places = [given.folder, Path(os.environ["SIGHTLINE_DATA"]) / "omniglot" if "SIGHTLINE_DATA" in os.environ else None]
    folder = next((place for place in places if place), None)
    if folder is None or not (folder / f"images_background_{given.background}.zip").is_file():
        print("no Omniglot here: name the folder of its archives, or set SIGHTLINE_DATA")
        return
    with tempfile.TemporaryDirectory(prefix="sightline-few-") as room:
        base = given.out or Path(room) / "base"
        begun = time.process_time()
        data = background(folder / f"images_background_{given.background}.zip")
        settings = {"epochs": given.epochs, "batch": 128, "patience": 0, "threads": 1, "workers": 1, "rate": 2e-3}
        settings |= {
            "precision": given.precision,
            "layout": "channels_last",
            "augmentations": MOVES,
            "seed": given.seed,
        }
        sightline.train(
            data, "embed", model=given.model, out=base, settings=settings, options={"size": given.size}, look=False,
        )  # fmt: skip
        print(
            f"{given.background}: {len(data)} drawings, {given.epochs} epochs, "
            f"{time.process_time() - begun:.0f} s of CPU"
        )
        runs = list(episodes(folder / "one-shot-classification" / "all_runs.zip"))
        for count in sorted({1, given.copies}):
            begun = time.process_time()
            rows = [told(base, *run, count, Path(room) / f"{count}-{place}") for place, run in enumerate(runs)]
            print(
                f"{given.model}, copies {count}: {spread(rows)}  ({time.process_time() - begun:.0f} s of CPU)",
                flush=True,
            )
            if given.json:
                given.json.write_text(json.dumps({"copies": count, "right": [list(map(int, row)) for row in rows]}))


def half(data: Dataset, names: tuple[str, ...], side: str, count: int, seed: int) -> list[Sample]:
    """So many pictures of each of these names, of one side."""
    truths, sides = data.column("truth"), data.column("split")
    made = []
    for name in names:
        rows = [row for row, truth in enumerate(truths) if truth.best == name and sides[row] == side]
        made += [data[row] for row in generator(seed, "shots", name, side).permutation(rows)[:count].tolist()]
    return made


def accuracy(run: Any, test: list[Sample]) -> float:
    """The share of pictures that are named rightly."""
    task, facts, network = trained(run)
    given = answers(task, torch_run(network), test, facts, batch=64)
    return float(np.mean([answer.best == one.truth.best for one, answer in given]))  # type: ignore[union-attr]


def shots(given: argparse.Namespace) -> None:
    """A table: a row a number of pictures, a column a way to learn them."""
    data = sightline.open_data(given.folder)
    cut = len(data.names) // 2
    old, new = data.names[:cut], data.names[cut:]
    usual = {"patience": 0, "threads": 1, "workers": 1, "precision": given.precision, "layout": "channels_last"}
    able = "start" in {field.name for field in fields(Settings)}
    ways = [way for way in given.ways if way != "transfer" or able]
    test = half(data, new, "test", given.test, 0)
    with tempfile.TemporaryDirectory(prefix="sightline-few-") as room:
        base = given.out or Path(room) / "base"
        first = Dataset(half(data, old, "train", given.base, 0), name="base", names=old)
        sightline.train(
            first, "classify", model=given.model, out=base, settings={**usual, "epochs": 10, "batch": 64}, look=False
        )
        print(
            f"learnt before: {', '.join(old)}, {len(first)} pictures; new: {', '.join(new)}, {len(test)} to measure on"
        )
        for count in given.counts:
            figures: dict[str, list[float]] = {way: [] for way in ways}
            spent = dict.fromkeys(ways, 0.0)
            for seed in range(given.seeds):
                few = Dataset(half(data, new, "train", count, seed), name=f"few {count}", names=new)
                epochs = max(15, min(given.most // len(few), 120))
                for way in ways:
                    begun = time.process_time()
                    model = f"prototypes:{base}" if way == "prototypes" else given.model
                    settings = {**usual, "epochs": epochs, "seed": seed}
                    if way == "transfer":  # as it is without further options
                        settings = {**usual, "seed": seed, "start": str(base)}
                        del settings["patience"]
                    out = Path(room) / f"{way}-{count}-{seed}"
                    run = sightline.train(few, "classify", model=model, out=out, settings=settings, look=False)
                    spent[way] += (time.process_time() - begun) / given.seeds
                    figures[way].append(accuracy(run, test))
            cells = []
            for way, found in figures.items():
                reach = student(0.95, len(found)) * np.std(found, ddof=1) / len(found) ** 0.5 if len(found) > 1 else 0.0
                cells.append(f"{way} {np.mean(found):.1%} +- {reach:.1%} ({spent[way]:.1f} s)")
            print(f"{count} a name: " + "  ".join(cells), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parts = parser.add_subparsers(dest="part", required=True)
    one = parts.add_parser("omniglot")
    one.add_argument("folder", nargs="?", type=Path)
    one.add_argument("--background", choices=("small1", "small2"), default="small1")
    one.add_argument("--model", default="quick:s")
    one.add_argument("--size", type=int, default=28)
    one.add_argument("--epochs", type=int, default=16)
    one.add_argument("--copies", type=int, default=12)
    one.add_argument("--precision", choices=("float32", "bfloat16"), default="bfloat16")
    one.add_argument("--seed", type=int, default=0)
    one.add_argument("--out", type=Path, help="keep the run of the embedding here; one that is there is continued")
    one.add_argument("--json", type=Path)
    two = parts.add_parser("shots")
    two.add_argument("folder")
    two.add_argument("--model", default="quick:s")
    two.add_argument("--counts", type=int, nargs="+", default=[5, 10, 50, 200])
    two.add_argument("--seeds", type=int, default=3)
    two.add_argument("--base", type=int, default=1000, help="pictures of each name learnt before")
    two.add_argument("--test", type=int, default=200, help="pictures of each name to measure on")
    two.add_argument(
        "--most", type=int, default=6000, help="pictures shown in a training, where that is over 15 epochs"
    )
    two.add_argument("--ways", nargs="+", default=["scratch", "prototypes", "transfer"])
    two.add_argument("--precision", choices=("float32", "bfloat16"), default="bfloat16")
    two.add_argument("--out", type=Path, help="keep the run of what was learnt before here")
    given = parser.parse_args()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False).stdout
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, torch {version('torch')}, "
        f"commit {commit.strip()}"
    )
    {"omniglot": omniglot, "shots": shots}[given.part](given)


if __name__ == "__main__":
    main()
