"""Train the weights that Sightline ships, on one processor, from pictures that anybody may use.

    PYTHONPATH=src python benchmarks/restoration/train.py NAME [--out FOLDER] [--minutes 20] [--seed 0]
    PYTHONPATH=src python benchmarks/restoration/train.py list

Every draw is a function of seed and step, and the state is saved as it goes: stopped at any moment, the same command
continues to the same weights. `--minutes` are of one processor; the number of steps that fit is measured once, at the
beginning, and kept. A job that begins from another one needs that one's folder beside its own.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from safetensors.torch import load_file, save_file

from sightline.core import catalog
from sightline.core.chance import generator, seed_from

try:
    from benchmarks.restoration import damage, pictures
except ImportError:  # run as a file
    import damage  # type: ignore[no-redef]
    import pictures  # type: ignore[no-redef]

Spoil = Callable[[np.ndarray, np.random.Generator], np.ndarray]
MEAN, SPREAD = 0.5, 0.25  # what inputs are brought to, as the spec of an input says where nothing else is measured
HELD = Path("/tmp/sightline-weights")


@dataclass(frozen=True)
class Job:
    """One network to train: what it mends, how it is built and where it begins."""

    channels: int
    spoils: Mapping[str, float]  # name of a damage -> how often
    scale: int = 1
    model: str = "drunet"
    settings: Mapping[str, Any] = field(default_factory=dict)
    start: str = ""  # the job whose weights it begins with
    patch: int = 64
    batch: int = 16
    rate: float = 2e-3
    minutes: float = 15.0


SPOILS: Mapping[str, Spoil] = {"noise": damage.noise, "blocks": damage.blocks, "camera": damage.camera}
JOBS = {
    "gray": Job(1, {"noise": 0.6, "blocks": 0.4}, minutes=20),
}


class Pool:
    """Pictures in memory, and patches of them turned, mirrored, rescaled and recoloured."""

    def __init__(self, photographs: list[np.ndarray], drawn: list[np.ndarray], share: float = 0.75) -> None:
        self.sides = [_scales(photographs), _scales(drawn)]
        self.share = share  # of patches from photographs

    def patch(self, chance: np.random.Generator, side: int, channels: int) -> np.ndarray:
        """A clean one, uint8."""
        kept = self.sides[int(chance.random() > self.share)]
        picture = kept[int(chance.integers(len(kept)))]
        y, x = (int(chance.integers(0, length - side + 1)) for length in picture.shape[:2])
        made = picture[y : y + side, x : x + side]
        turn = int(chance.integers(8))
        made = np.rot90(made, turn % 4)
        made = made[:, ::-1] if turn > 3 else made
        made = made[..., chance.permutation(3)]
        if channels == 1:
            made = cv2.cvtColor(np.ascontiguousarray(made), cv2.COLOR_RGB2GRAY)[..., None]
        if chance.random() < 0.3:
            made = _relit(made, chance)
        return np.ascontiguousarray(made)


def _scales(pictures_: list[np.ndarray]) -> list[np.ndarray]:
    """Each at several scales, the larger ones more often: a row in the list for every eighth of a megapixel begun."""
    made = []
    for picture in pictures_:
        for scale in (1.0, 0.8, 0.6, 0.45):
            smaller = pictures.shrunk(picture, scale)
            if min(smaller.shape[:2]) >= 128:
                made += [smaller] * (1 + smaller.shape[0] * smaller.shape[1] // 2**17)
    return made


def _relit(clean: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    """Other light: a gamma, and ends drawn in."""
    low, top = chance.uniform(0, 60), chance.uniform(180, 255)
    table = np.linspace(0, 1, 256) ** np.exp(chance.normal(0, 0.3)) * (top - low) + low
    return np.asarray(cv2.LUT(clean, np.rint(table).astype(np.uint8))).reshape(clean.shape)


def open_pool(leaves: int = 60, scenes: int = 8, seed: int = 0) -> Pool:
    """All that anything shipped has seen."""
    drawn = pictures.scenes(scenes, seed) + [pictures.leaves(seed * 1000 + index) for index in range(leaves)]
    return Pool(pictures.photographs(), drawn)


def batch(job: Job, pool: Pool, seed: int, step: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Damaged and clean patches of a step, channels first, 0 to 1."""
    chance = generator("restoration", seed, step)
    names, often = list(job.spoils), np.array(list(job.spoils.values()))
    given, wanted = [], []
    for _ in range(job.batch):
        clean = pool.patch(chance, job.patch * job.scale, job.channels)
        spoil = SPOILS[names[int(chance.choice(len(names), p=often / often.sum()))]]
        given.append(spoil(clean, chance))
        wanted.append(clean.astype(np.float32) / 255)
    return _tensor(given), _tensor(wanted)


def _tensor(rows: list[np.ndarray]) -> torch.Tensor:
    whole = torch.from_numpy(np.stack(rows).astype(np.float32)).movedim(-1, 1)
    return whole.contiguous(memory_format=torch.channels_last)


def build(job: Job) -> torch.nn.Module:
    """The network of a job, untrained."""
    found = catalog.find("models", job.model)
    network: torch.nn.Module = found.build(job.channels, **job.settings, **({"scale": job.scale} if job.scale > 1 else {}))
    return network.to(memory_format=torch.channels_last)


class Learning:
    """A network on its way: weights, their running mean, the optimiser, the step."""

    def __init__(self, job: Job, seed: int, steps: int) -> None:
        torch.manual_seed(seed_from("restoration", seed))
        self.job, self.seed, self.steps, self.step = job, seed, steps, 0
        self.network = build(job)
        self.mean = {name: weight.detach().clone() for name, weight in self.network.named_parameters()}
        self.optimiser = torch.optim.Adam(self.network.parameters(), job.rate, betas=(0.9, 0.99), fused=True)

    def rate(self) -> float:
        """One cycle: up for a twentieth, down along a cosine."""
        done = self.step / self.steps
        return min(done * 20 + 0.01, 1.0, 0.5 + 0.5 * math.cos(math.pi * min(1.0, max(0.0, done - 0.05) / 0.95)))

    def learn(self, given: torch.Tensor, wanted: torch.Tensor) -> float:
        """One step; the mean absolute difference before it."""
        for group in self.optimiser.param_groups:
            group["lr"] = self.job.rate * self.rate()
        with torch.autocast("cpu", torch.bfloat16):
            added = self.network((given - MEAN) / SPREAD)
        loss = torch.nn.functional.l1_loss(enlarged(given, self.job.scale) + added.float(), wanted)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 0.5)
        self.optimiser.step()
        self.step += 1
        keep = min(0.999, self.step / (self.step + 10))
        with torch.no_grad():
            for name, weight in self.network.named_parameters():
                self.mean[name].lerp_(weight, 1 - keep)
        return float(loss.detach())


def enlarged(given: torch.Tensor, scale: int) -> torch.Tensor:
    """What the head of pictures adds to."""
    return torch.nn.functional.interpolate(given, scale_factor=scale, mode="bilinear") if scale > 1 else given
