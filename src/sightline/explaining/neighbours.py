"""What a picture is like among those that were learnt from: by the features on which the answer is built."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sightline.core.dataset import Dataset
from sightline.core.errors import SettingsError
from sightline.core.sample import Sample
from sightline.explaining.subject import BATCH, Subject, readable

MOST = 5000  # pictures of the training side that are looked at


@dataclass(frozen=True, slots=True)
class Near:
    """A picture that was learnt from, what it is called, and how far it is away (0 the same way, 2 the opposite)."""

    id: str
    names: tuple[str, ...]
    distance: float


@dataclass(frozen=True, eq=False)
class Bank:
    """Features of pictures that were learnt from, as unit vectors."""

    ids: tuple[str, ...]
    names: tuple[tuple[str, ...], ...]
    vectors: np.ndarray

    def nearest(self, vectors: np.ndarray, count: int = 3) -> list[list[Near]]:
        """For each vector the pictures that are most like it, the nearest first."""
        apart = 1 - _unit(vectors) @ self.vectors.T
        found = []
        for row in apart:
            order = np.argsort(row, kind="stable")[:count]
            found.append([Near(self.ids[place], self.names[place], max(0.0, float(row[place]))) for place in order])
        return found

    def prototypes(self, count: int = 1) -> dict[str, list[Near]]:
        """For each name the pictures nearest to the mean of all that carry it: the most typical ones."""
        found: dict[str, list[Near]] = {}
        for name in sorted({name for names in self.names for name in names}):
            rows = np.array([place for place, names in enumerate(self.names) if name in names])
            apart = 1 - self.vectors[rows] @ _unit(self.vectors[rows].mean(0, keepdims=True))[0]
            order = np.argsort(apart, kind="stable")[:count]
            found[name] = [Near(self.ids[rows[at]], self.names[rows[at]], max(0.0, float(apart[at]))) for at in order]
        return found


def bank(subject: Subject, train: Dataset, *, most: int = MOST) -> Bank:
    """The features of at most so many pictures of the training side, spread evenly."""
    spread = np.linspace(0, len(train) - 1, min(most, len(train)))
    rows: list[int] = np.unique(spread.round().astype(int)).tolist()
    ids: list[str] = []
    names: list[tuple[str, ...]] = []
    vectors: list[np.ndarray] = []
    for start in range(0, len(rows), BATCH):
        part = [train[row] for row in rows[start : start + BATCH]]
        kept = readable(part, len(part))
        if kept:
            vectors.append(features(subject, kept))
            ids += [sample.id for sample in kept]
            names += [tuple(getattr(sample.truth, "names", ())) for sample in kept]
    if not vectors:
        raise SettingsError("there is no picture on the training side to compare with.")
    return Bank(tuple(ids), tuple(names), _unit(np.concatenate(vectors)))


def features(subject: Subject, samples: Sequence[Sample]) -> np.ndarray:
    """What the last layer is given, one row a sample: the mean of its inputs where there are several."""
    import torch

    if subject.network is None:
        raise SettingsError("features need the network in torch, and this model comes without.")
    arrays, frames = subject.task.inputs(samples, subject.facts)
    seen: list[Any] = []
    hooks = [
        module.register_forward_hook(lambda module, given, made: seen.append(given[0]))
        for module in subject.network.modules()
        if isinstance(module, torch.nn.Linear)
    ]
    maps: list[Any] = []
    hooks += [
        module.register_forward_hook(lambda module, given, made: maps.append(made))
        for module in subject.network.modules()
        if isinstance(module, torch.nn.Conv2d)
    ]
    try:
        with torch.inference_mode():
            outputs = subject.network(**{name: torch.from_numpy(array) for name, array in arrays.items()})
    finally:
        for hook in hooks:
            hook.remove()
    flat = [given for given in seen if given.ndim == 2 and len(given) == len(frames)]
    if flat:
        found = flat[-1]
    elif maps:
        found = maps[-1].mean((2, 3))
    else:
        found = next(iter(outputs.values())).flatten(1)
    rows = found.float().numpy()
    belongs = np.array([frame.sample for frame in frames])
    return np.stack([rows[belongs == place].mean(0) for place in range(len(samples))])


def _unit(vectors: np.ndarray) -> np.ndarray:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12), np.float32)
