"""How a picture looks, as a row of numbers: hand-made features, or what a network of the user's makes of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sightline.auditing.suspects import coloured
from sightline.core import vectors
from sightline.core.annotations import Picture, Vector
from sightline.core.errors import InputError, RunError, SettingsError
from sightline.core.measures import read_reduced
from sightline.core.run import Run, open_run
from sightline.core.sample import Sample
from sightline.core.threads import shared

TOGETHER = 64  # pictures that are looked at in one go
Row = np.ndarray | InputError
Maker = Callable[[Sequence[Sample]], np.ndarray]


@dataclass(frozen=True, eq=False)
class Looks:
    """What is looked at, the lengths of its parts, and how rows are made."""

    on: str
    lengths: tuple[int, ...]  # of features side by side, which have the same say; () of a network, where angles count
    rows: Callable[[Sequence[Sample]], list[Row]]  # a row or a complaint for each picture


def open_looks(on: str) -> Looks:
    """Features such as 'hog+lbp:radius=2', 'auto' for a mix of them, or a run or a bundle by its path or name."""
    place = on.removeprefix("bundle:")
    if place != on or "@" in on or Path(on).exists() or Run(Path("runs") / on).exists:
        return Looks(place, (), _each(_network(place)))
    if on.startswith("timm:"):
        raise SettingsError(f"on = '{on}': train on it first (--model {on}) and name that run, whose size is known.")
    if "/" in on or os.sep in on:
        raise RunError(f"there is no run and no bundle at '{on}'. Name one, or features such as hog+colour_histogram.")
    recipe = vectors.check(vectors.AUTO if on == "auto" else on)
    return Looks(recipe, tuple(part.length for part in vectors.blocks(recipe, 3)), _described(recipe))


def _described(recipe: str) -> Callable[[Sequence[Sample]], list[Row]]:
    """Hand-made features of small colour pictures, worked out by threads."""

    def row(sample: Sample) -> Row:
        try:
            return np.asarray(vectors.vectors([_small(sample)], recipe)[0])
        except InputError as error:
            return error

    def rows(samples: Sequence[Sample]) -> list[Row]:
        with ThreadPoolExecutor(min(4, os.cpu_count() or 1), "sightline-looks") as pool:
            return list(shared(pool, row, samples))

    return rows


def _small(sample: Sample) -> np.ndarray:
    """Three channels of 8 bits, at most 64 pixels a side."""
    import cv2

    if not sample.images:
        raise InputError("empty", f"{sample.id}: there is no picture in this sample.")
    pixels = coloured(read_reduced(sample.images[0], vectors.MOST))
    scale = vectors.MOST / max(pixels.shape[:2])
    if scale < 1:
        size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
        pixels = np.asarray(cv2.resize(np.ascontiguousarray(pixels), size, interpolation=cv2.INTER_AREA))
    return np.ascontiguousarray(pixels)


def _each(make: Maker) -> Callable[[Sequence[Sample]], list[Row]]:
    """Rows of many pictures at once; one that cannot be used gets its complaint and harms no neighbour."""

    def rows(samples: Sequence[Sample]) -> list[Row]:
        try:
            return list(make(samples))
        except InputError as error:
            if len(samples) == 1:
                return [error]
            return [row for sample in samples for row in rows([sample])]

    return rows


def _network(where: str) -> Maker:
    """Rows by a run or a bundle: its vectors where it answers with vectors, else what its last layer is given."""
    from sightline.explaining.explain import in_torch
    from sightline.explaining.neighbours import features
    from sightline.explaining.subject import Subject
    from sightline.predicting.answers import torch_run
    from sightline.predicting.model import load, trained

    if Run(Path(where)).exists or Run(Path("runs") / where).exists:
        task, facts, network = trained(open_run(where))
        subject = Subject(task, facts, torch_run(network), network)
    else:
        model = load(where)
        subject = Subject(model.task, model.facts, model.run)
        if model.task.kind is not Vector:
            subject = in_torch(model, where)
    if len(subject.facts.inputs) != 1:
        raise SettingsError(
            f"on = '{where}': it takes {', '.join(subject.facts.inputs) or 'no picture'}; "
            "name one that takes one picture."
        )
    if subject.facts.input.features:
        raise SettingsError(
            f"on = '{where}': it is given features itself; name those instead: --on {subject.facts.input.features}"
        )
    if subject.task.kind is Vector:
        return lambda samples: _unit(_answered(subject, samples))
    if subject.task.kind is Picture:
        return lambda samples: _unit(narrowest(subject, samples, where))
    return lambda samples: _unit(features(subject, samples))


def _answered(subject: Any, samples: Sequence[Sample]) -> np.ndarray:
    """The vectors that a task answers with."""
    arrays, frames = subject.task.inputs(samples, subject.facts)
    answers = subject.task.decode(subject.passes(arrays), frames, subject.facts)
    return np.stack([answer.values for answer in answers])


def narrowest(subject: Any, samples: Sequence[Sample], where: str) -> np.ndarray:
    """Of a network from pictures to pictures the means of its smallest maps, the middle that all has to go through."""
    import torch

    arrays, frames = subject.task.inputs(samples, subject.facts)
    maps: list[Any] = []
    hooks = [
        module.register_forward_hook(lambda module, given, made: maps.append(made))
        for module in subject.network.modules()
        if isinstance(module, torch.nn.Conv2d)
    ]
    try:
        with torch.inference_mode():
            subject.network(**{name: torch.from_numpy(array) for name, array in arrays.items()})
    finally:
        for hook in hooks:
            hook.remove()
    places = [made.shape[-1] * made.shape[-2] for made in maps]
    if not maps or min(places) == max(places):
        raise SettingsError(
            f"on = '{where}': it keeps pictures at their size throughout, so that nothing stands for a whole one. "
            "Name a run of --model unet, or one that learnt names."
        )
    smallest = max(place for place, size in enumerate(places) if size == min(places))
    rows = maps[smallest].float().mean((2, 3)).numpy()
    belongs = np.array([frame.sample for frame in frames])
    return np.stack([rows[belongs == place].mean(0) for place in range(len(samples))])


def _unit(rows: np.ndarray) -> np.ndarray:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12), np.float32)
