"""Weights for tests: one small network for gray pictures, learnt in seconds from a folder of clean ones."""

import fcntl
import shutil
from pathlib import Path

from sightline.core.annotations import Picture
from sightline.core.image import encode
from sightline.core.run import Run
from sightline.evaluating.evaluate import Evaluation, evaluate
from sightline.exporting.export import export
from sightline.sources.drawn import dataset
from sightline.training.train import train

OPTIONS = {"damage": "noise", "least": 20.0, "most": 40.0, "channels": 1, "deep": True, "tile": 32, "overlap": 16}
SETTINGS = {"precision": "float32", "layout": "plain", "threads": 1, "workers": 0, "epochs": 6, "batch": 8}


def photographs(folder: Path, count: int = 40) -> Path:
    """A folder of clean pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    for index, sample in enumerate(dataset("pairs", count, size=64)):
        assert isinstance(sample.truth, Picture)
        (folder / f"{index:03d}.png").write_bytes(encode(sample.truth.pixels))
    return folder


def learnt(base: Path) -> Run:
    """The run, learnt once and shared by every worker."""
    base.mkdir(parents=True, exist_ok=True)
    with (base / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        run = Run(base / "run")
        if not (base / "done").exists():
            photos = photographs(base / "photos")
            settings = {**SETTINGS, "rate": 0.004, "patience": 0}
            options = {**OPTIONS, "window": 128}
            run = train(str(photos), "restore", out=base / "run", options=options, settings=settings, look=False)
            evaluate(run, quick=True)
            (base / "weights").mkdir(exist_ok=True)
            first, second = (base / "weights" / f"{name}_gray.sightline" for name in ("denoise", "deblock"))
            export(run, first)
            shutil.copy(first, second)
            (base / "done").touch()
    return run


def weights(base: Path) -> Path:
    """A folder of bundles named as the shipped ones."""
    learnt(base)
    return base / "weights"


def evaluation(base: Path) -> Evaluation:
    """What the run measured."""
    return Evaluation.read(learnt(base).evaluation)
