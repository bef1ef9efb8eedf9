"""A changed network learns again for a given time: from the task's own loss, and from what its parent answers."""

from __future__ import annotations

import contextlib
import itertools
import math
import time
from collections.abc import Callable, Generator
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from sightline.compressing.subject import Subject
from sightline.core import catalog
from sightline.core.chance import generator
from sightline.core.errors import RunError
from sightline.core.progress import Event, Tell, silent
from sightline.core.settings import fill
from sightline.training.assemble import computing
from sightline.training.choices import Choices
from sightline.training.keeping import keeping
from sightline.training.learner import Called, Learner, place
from sightline.training.loader import Loader, mover
from sightline.training.settings import Settings
from sightline.training.step import NotFinite, Stepper
from sightline.training.teacher import Teacher

TRIED = 3  # steps that say how many there is time for
FEWEST = 8  # steps, however short the time
MOST_ROWS = 64  # of a batch: in a short time many small steps do more than a few large ones
WARM = 0.1  # of the steps
SHARE, TEMPERATURE = 0.7, 2.0  # of the teacher in the loss, and how soft its scores are

After = Callable[[nn.Module, float], None]  # (network, progress), once a step


def why_not(subject: Subject) -> str:
    """Why this network cannot learn again here; empty where it can."""
    if hasattr(subject.network, "solve"):
        return "it learns in closed form, so there are no steps to take"
    if getattr(catalog.find("models", subject.info["model"]), "TAKES", "pictures") == "features":
        return "it learns from features that are worked out once"
    if not any(parameter.requires_grad or parameter.numel() for parameter in subject.network.parameters()):
        return "it has nothing that learns"
    return ""


def tune(
    subject: Subject,
    network: nn.Module,
    seconds: float,
    *,
    rate: float = 3e-4,
    precision: str = "",
    teach: bool = True,
    after: After | None = None,
    tell: Tell = silent,
) -> tuple[nn.Module, dict[str, Any]]:
    """The network after so many seconds, and how many steps that were; the rate rises, then falls to nothing."""
    settings, choices = _settings(subject, rate), _choices(subject, precision)
    train, seed = subject.parted.side("train"), subject.seed
    with keeping(settings.cache, (train, train[:0]), epochs=2, tell=silent) as (side, _), computing(choices.threads):
        learner = Learner(subject.task, place(network, choices), settings, choices)
        if teach:
            learner.teacher = _teacher(subject, choices)
        stepper = Stepper(subject.task, subject.facts, learner)
        move = mover(subject.task, subject.facts, settings)
        loader = Loader(subject.task, subject.facts, side, seed, move, settings.workers)
        steps, rows, parts = 0, 0, dict[str, float]()
        start = time.monotonic()
        planned: float = FEWEST
        with contextlib.closing(_stream(subject, loader, side, settings)) as stream:
            for batch in stream:
                if not batch.rows:
                    continue
                done = (time.monotonic() - start) / max(seconds, 1e-6)
                progress = max(0.0, min(1.0, steps / planned if steps < TRIED else max(done, steps / 1e9)))
                if steps >= FEWEST and done >= 1:
                    break
                parts = _take(stepper, batch.arrays, steps, _factor(progress), progress)
                steps, rows = steps + 1, rows + len(batch.rows)
                if after is not None:
                    after(network, progress)
                if steps == TRIED:
                    planned = max(FEWEST, TRIED * seconds / max(1e-6, time.monotonic() - start))
                tell(Event("progress", "learning again", {"done": steps, "total": round(max(planned, steps))}))
        made = learner.average.float().cpu().eval()
    if after is not None:
        after(made, 1.0)
    told = {"steps": steps, "pictures": rows, "loss": sum(parts.values()), "rate": rate}
    return place(made, replace(choices, device="cpu", layout="plain")), told


def _take(stepper: Stepper, arrays: dict[str, Any], step: int, rate: float, progress: float) -> dict[str, float]:
    try:
        return stepper.take([arrays], step, rate, progress)
    except NotFinite as error:
        raise RunError(f"{error.what} is not finite while the changed network learns again.") from error


def _factor(progress: float) -> float:
    """Up in a line, then down in half a wave."""
    if progress < WARM:
        return max(0.02, progress / WARM)
    return max(0.01, 0.5 * (1 + math.cos(math.pi * (progress - WARM) / (1 - WARM))))


def _stream(subject: Subject, loader: Loader, side: Any, settings: Settings) -> Generator[Any, None, None]:
    """Batches of epoch after epoch, as the task orders them."""
    for epoch in itertools.count():
        rng = generator(subject.seed, "compress", "order", epoch)
        with contextlib.closing(
            loader.batches(epoch, subject.task.order(side, subject.facts, settings.batch, rng), set())
        ) as batches:  # type: ignore[type-var]
            yield from batches


def _settings(subject: Subject, rate: float) -> Settings:
    """How the run learnt, but with small steps of a steady optimiser."""
    known = {name: value for name, value in subject.info["settings"].items() if name in _KEPT}
    known["batch"] = min(MOST_ROWS, known.get("batch", MOST_ROWS))
    chosen = {"optimiser": "adamw", "rate": rate, "decay": 0.0, "average": 0.98, "clip": 1.0, "schedule": "constant"}
    made: Settings = fill(Settings, {**known, **chosen}, where="train")
    return made


_KEPT = ("batch", "augment", "augmentations", "seed", "resample", "scale", "workers", "cache")


def _choices(subject: Subject, precision: str) -> Choices:
    """What the run computed with, where it is here; else the processor in floats."""
    known = {"device": "cpu", "precision": "float32", "layout": "plain", "threads": torch.get_num_threads()}
    made = Choices(**{**known, **subject.info.get("choices", {}), "compiled": False})
    if made.device != "cpu" and not (made.device.startswith("cuda") and torch.cuda.is_available()):
        made = Choices("cpu", "float32", "plain", torch.get_num_threads())
    threads = max(1, min(made.threads, torch.get_num_threads()))
    return replace(made, threads=threads, precision=precision or made.precision)


def _teacher(subject: Subject, choices: Choices) -> Teacher:
    network = place(subject.copied(), choices)
    network.requires_grad_(False)
    return Teacher(Called(network.eval(), choices), subject.task.taught, SHARE, TEMPERATURE)
