"""Hand-made against learnt features on the same data: cheap learners on each feature, and a network from scratch.

    PYTHONPATH=src python -m benchmarks.classical [DATA] [--epochs 20] [--most 1500] [--no-network]

DATA (or SIGHTLINE_DATA) is a folder that may hold `orl_faces` (a folder a person) and `pneumoniamnist` (npz files);
drawn shapes are always measured. Half of the pictures of every name are learnt, the others are asked.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import tempfile
import time
from collections import defaultdict
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sightline.core import catalog
from sightline.core.annotations import Labels
from sightline.core.data import open_data
from sightline.core.dataset import Dataset
from sightline.core.image import ArrayImage, read_image
from sightline.core.sample import Sample

FEATURES = ("pixels", "colour_histogram", "glcm", "gabor", "lbp", "hog", "sift", "auto")
LEARNERS = ("naive_bayes", "knn", "logistic", "svm", "forest:100")


def machine() -> str:
    """Where and from what the numbers come."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    libraries = ", ".join(f"{name} {version(name)}" for name in ("numpy", "scikit-learn", "torch"))
    made = commit.stdout.strip() or "no commit"
    return f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {libraries}, {made}"


def halves(data: Dataset) -> Dataset:
    """The first half of every name to learn from, the second to ask."""
    rows = defaultdict(list)
    for sample in data:
        rows[sample.truth.best].append(sample)  # type: ignore[union-attr]
    made = [
        replace(sample, split="train" if place < len(mine) // 2 else "val")
        for mine in rows.values()
        for place, sample in enumerate(mine)
    ]
    return Dataset(made, name=data.name, names=data.names, kind=Labels, recipe=f"{data.name} in halves")


def sets(folder: Path | None, most: int) -> list[Dataset]:
    """What there is to measure on."""
    found = [halves(open_data("drawn:shapes?count=400&size=64"))]
    if folder and (folder / "orl_faces").is_dir():
        paths = sorted((folder / "orl_faces").glob("*/*.pgm"), key=lambda path: (path.parent.name, int(path.stem)))
        faces = [Sample(str(n), (ArrayImage(read_image(p)),), Labels((p.parent.name,))) for n, p in enumerate(paths)]
        found.append(halves(Dataset(faces, name="orl_faces", recipe="orl")))
    pneumonia = folder / "pneumoniamnist" / "pneumoniamnist_varun.npz" if folder else None
    if pneumonia and pneumonia.is_file():
        held = np.load(pneumonia)
        parts = []
        for side, name in (("train", "train"), ("val", "test")):
            some = np.sort(np.random.default_rng(0).permutation(len(held[f"{name}_labels"]))[:most])
            x, y = held[f"{name}_images"][some], held[f"{name}_labels"].ravel()[some]
            parts += [
                Sample(f"{name}-{n}", (ArrayImage(one[..., None]),), Labels(("sick" if mark else "well",)), split=side)
                for n, (one, mark) in enumerate(zip(x, y, strict=True))
            ]
        found.append(Dataset(parts, name="pneumoniamnist", recipe="pneumonia"))
    if len(found) == 1:
        print("no folder with orl_faces or pneumoniamnist was given; drawn shapes only\n")
    return found


def cheap(data: Dataset, recipe: str, model: str, kept: dict[tuple[str, str], Any]) -> str:
    """Share right of the side that was not learnt."""
    task = catalog.find("tasks", "classify").TASK
    train, held = data.side("train"), data.side("val")
    facts = task.prepare(train, task.Options(features=recipe), model)
    for side, part in (("train", train), ("val", held)):
        if (recipe, side) not in kept:
            arrays, frames = task.inputs(list(part), facts)
            kept[recipe, side] = arrays["features"], task.targets(list(part), frames, facts)["classes"]
    torch.manual_seed(0)
    network = task.network(model, facts).eval()
    rows, classes = kept[recipe, "train"]
    network.solve([{"features": torch.from_numpy(rows), "classes": torch.from_numpy(classes)}])
    rows, classes = kept[recipe, "val"]
    with torch.inference_mode():
        given = network(torch.from_numpy(rows))["logits"].argmax(1).numpy()
    return f"{(given == classes).mean():.3f}"


def learnt(data: Dataset, epochs: int) -> tuple[str, float]:
    """The small network from scratch on the same sides, and the CPU seconds that it took."""
    from sightline.evaluating.evaluate import evaluate
    from sightline.training.train import train

    with tempfile.TemporaryDirectory() as folder:
        start = time.process_time()
        run = train(data, "classify", out=Path(folder) / "run", settings={"epochs": epochs}, look=False)
        spent = time.process_time() - start
        found = evaluate(run, data, side="val").figures[0]
    return f"{found['value']:.3f} ({found['low']:.3f} to {found['high']:.3f})", spent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", default=os.environ.get("SIGHTLINE_DATA"))
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--most", type=int, default=1500)
    parser.add_argument("--no-network", action="store_true")
    given = parser.parse_args()
    print(machine())
    for data in sets(Path(given.data) if given.data else None, given.most):
        counts = f"{len(data.side('train'))} learnt, {len(data.side('val'))} asked, {len(data.names)} names"
        print(f"\n{data.name}: {counts}\n\n| features | {' | '.join(LEARNERS)} |\n|{'---|' * (len(LEARNERS) + 1)}")
        kept: dict[tuple[str, str], Any] = {}
        for recipe in FEATURES:
            print(f"| {recipe} | {' | '.join(cheap(data, recipe, model, kept) for model in LEARNERS)} |", flush=True)
        if not given.no_network:
            share, spent = learnt(data, given.epochs)
            print(f"\nthe network 'small' from scratch, {given.epochs} epochs, {spent:.0f} CPU s: {share}", flush=True)


if __name__ == "__main__":
    main()
