"""Train the weights that Sightline ships, on one processor, from pictures that anybody may use.

    PYTHONPATH=src python benchmarks/restoration/train.py all [--out FOLDER] [--seed 0]
    PYTHONPATH=src python benchmarks/restoration/train.py denoise_gray deblock_gray
    PYTHONPATH=src python benchmarks/restoration/train.py list

Every draw is a function of seed and step, and the state is saved as it goes: stopped at any moment, the same command
continues to the same weights. A job that begins from another one needs that one done, in the same folder.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save

from sightline.core import catalog, files
from sightline.core.chance import generator, seed_from

sys.path[:0] = [str(Path(__file__).parent)]
import damage  # noqa: E402 - after the path
import pictures  # noqa: E402

Spoil = Callable[[np.ndarray, np.random.Generator], np.ndarray]
MEAN, SPREAD = 0.5, 0.25  # what inputs are brought to, as the spec of an input says where nothing else is measured
HELD = Path("/tmp/sightline-weights")


@dataclass(frozen=True)
class Job:
    """One network to train: what it mends, how it is built, where it begins and how long it learns."""

    channels: int
    spoils: Mapping[str, float]  # name of a damage -> how often
    steps: int
    decay: float = 1.0  # the last part of the steps, over which the rate falls to nothing
    start: str = ""  # the job whose weights it begins with
    scale: int = 1
    model: str = "drunet"
    settings: Mapping[str, Any] = field(default_factory=dict)
    patch: int = 64
    batch: int = 16
    optimiser: str = "muon"
    rate: float = 4e-3
    shrink: float = 0.1  # decay of weights; without it they grow until units fall silent


SPOILS: dict[str, Spoil] = {
    "noise": damage.noise,
    "blocks": damage.blocks,
    "camera": damage.camera,
    "small2": damage.small(2),
    "small3": damage.small(3),
    "small4": damage.small(4),
}
BOTH = {"noise": 0.55, "blocks": 0.45}
ALL = {"noise": 0.35, "blocks": 0.3, "camera": 0.35}
JOBS = {  # a trunk learns at one rate; each branch ends one job of its own while its rate falls
    "gray": Job(1, BOTH, 5000, decay=0),
    "denoise_gray": Job(1, {"noise": 1}, 12000, start="gray"),
    "deblock_gray": Job(1, {"blocks": 1}, 2500, start="gray"),
    "enlarge2_gray": Job(1, {"small2": 1}, 3000, start="gray", scale=2, patch=48),
    "colour": Job(3, ALL, 2500, decay=0, start="gray"),
    "denoise_colour": Job(3, {"noise": 0.45, "camera": 0.55}, 2500, start="colour"),
    "deblock_colour": Job(3, {"blocks": 1}, 2000, start="colour"),
    "enlarge3_gray": Job(1, {"small3": 1}, 1000, start="enlarge2_gray", scale=3, patch=48),
    "enlarge4_gray": Job(1, {"small4": 1}, 1000, start="enlarge2_gray", scale=4, patch=48),
    "enlarge2_colour": Job(3, {"small2": 1}, 1000, start="enlarge2_gray", scale=2, patch=48),
    "enlarge3_colour": Job(3, {"small3": 1}, 800, start="enlarge3_gray", scale=3, patch=48),
    "enlarge4_colour": Job(3, {"small4": 1}, 800, start="enlarge4_gray", scale=4, patch=48),
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
        while min(picture.shape[:2]) < side:
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


def open_pool(seed: int = 0, *, leaves: int = 60, scenes: int = 8) -> Pool:
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
    network: torch.nn.Module = found.build(job.channels, scale=job.scale, **job.settings)
    return network.to(memory_format=torch.channels_last)


class Learning:
    """A network on its way: weights, their running mean, the optimiser, the step."""

    def __init__(self, job: Job, seed: int) -> None:
        torch.manual_seed(seed_from("restoration", seed))
        self.job, self.seed, self.step, self.seconds = job, seed, 0, 0.0
        self.network = build(job)
        self.mean = {name: weight.detach().clone() for name, weight in self.network.named_parameters()}
        weights = list(self.network.parameters())
        self.optimiser = catalog.find("optimisers", job.optimiser)(weights, job.rate, job.shrink)

    def begin(self, weights: Mapping[str, torch.Tensor]) -> None:
        """Begin with the weights of another job, widened where that one was gray."""
        with torch.no_grad():
            for name, weight in self.network.named_parameters():
                found = widened(name, weights[name], weight)
                if found is not None:
                    weight.copy_(found)
                self.mean[name].copy_(weight)

    def rate(self) -> float:
        """Up over a hundred steps, level, then down to nothing in a straight line."""
        decay = self.job.decay * self.job.steps
        left = (self.job.steps - self.step) / decay if decay else 1.0
        return min((self.step + 1) / 100, 1.0, left)

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
        keep = min(0.998, self.step / (self.step + 10))
        with torch.no_grad():
            for name, weight in self.network.named_parameters():
                self.mean[name].lerp_(weight, 1 - keep)
        return float(loss.detach())

    def told(self) -> str:
        """What a state must have been begun with; one whose rate never falls may go on for longer."""
        return repr(self.job if self.job.decay else replace(self.job, steps=0))

    def save(self, path: Path) -> None:
        """Everything that the next step depends on, whole or not at all."""
        tensors = {f"network.{name}": weight.detach() for name, weight in self.network.named_parameters()}
        tensors |= {f"mean.{name}": weight for name, weight in self.mean.items()}
        state = self.optimiser.state_dict()["state"]
        tensors |= {f"state.{place}.{key}": value for place, row in state.items() for key, value in row.items()}
        said = {"step": self.step, "seconds": self.seconds, "seed": self.seed, "job": self.told()}
        plain = {name: value.contiguous() for name, value in tensors.items()}
        files.write_durably(path, save(plain, {"said": json.dumps(said)}))

    def resume(self, path: Path) -> None:
        """Continue where `save` left off; another job or seed is refused."""
        with safe_open(path, "pt") as held:
            said = json.loads(held.metadata()["said"])
            tensors = {name: held.get_tensor(name) for name in held.keys()}  # noqa: SIM118 - it is no mapping
        if (said["seed"], said["job"]) != (self.seed, self.told()):
            raise SystemExit(f"{path} was begun with other settings; name another folder, or remove it")
        self.step, self.seconds = said["step"], said["seconds"]
        with torch.no_grad():
            for name, weight in self.network.named_parameters():
                weight.copy_(tensors[f"network.{name}"])
                self.mean[name].copy_(tensors[f"mean.{name}"])
        rows: dict[int, dict[str, torch.Tensor]] = {}
        for name, value in tensors.items():
            if name.startswith("state."):
                _, place, key = name.split(".", 2)
                rows.setdefault(int(place), {})[key] = value
        self.optimiser.load_state_dict({**self.optimiser.state_dict(), "state": rows})


def enlarged(given: torch.Tensor, scale: int) -> torch.Tensor:
    """What the head of pictures adds to."""
    return torch.nn.functional.interpolate(given, scale_factor=scale, mode="bilinear") if scale > 1 else given


def widened(name: str, have: torch.Tensor, like: torch.Tensor) -> torch.Tensor | None:
    """Weights of a gray network in a colour one, so that it mends light as that one did; None: begin anew."""
    if have.shape == like.shape:
        return have
    if name == "enter.weight" and have.shape[1] * 3 == like.shape[1]:
        return torch.cat([have * share for share in (0.299, 0.587, 0.114)], 1)
    if name.startswith("leave.") and have.shape[0] * 3 == like.shape[0]:
        return torch.cat([have] * 3, 0)
    return None


def train(
    name: str,
    out: Path,
    seed: int = 0,
    *,
    most: float = math.inf,
    jobs: Mapping[str, Job] | None = None,
    opened: Callable[[int], Pool] = open_pool,
) -> bool:
    """Train or continue a job in a folder, at most so many seconds by the clock; whether it is done."""
    job, kept, begun = (jobs or JOBS)[name], out / f"{name}.state", time.monotonic()
    learning = Learning(job, seed)
    if kept.is_file():
        learning.resume(kept)
    elif job.start:
        with safe_open(out / f"{job.start}.safetensors", "pt") as before:
            learning.seconds = float(before.metadata()["seconds"])  # a branch counts its trunk
            learning.begin({name_: before.get_tensor(name_) for name_ in before.keys()})  # noqa: SIM118
    pool, losses, spent, saved = opened(seed), list[float](), 0.0, time.monotonic()
    while learning.step < job.steps and time.monotonic() - begun < most:
        start = time.process_time()
        losses.append(learning.learn(*batch(job, pool, seed_from(name, seed), learning.step)))
        learning.seconds += time.process_time() - start
        spent += time.process_time() - start
        if learning.step % 250 == 0:
            speed = len(losses) * job.batch / spent
            print(f"{name} {learning.step}/{job.steps}: {np.mean(losses):.5f}, {speed:.0f} patches/s", flush=True)
            losses, spent = [], 0.0
        if time.monotonic() - saved > 60:
            learning.save(kept)
            saved = time.monotonic()
    learning.save(kept)
    if learning.step < job.steps:
        return False
    mean = {name_: weight.contiguous() for name_, weight in learning.mean.items()}
    said = {"seconds": f"{learning.seconds:.0f}", "steps": str(job.steps), "seed": str(seed), "name": name}
    files.write_durably(out / f"{name}.safetensors", save(mean, said))
    return True


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("names", nargs="+", choices=[*JOBS, "list", "all"])
    parser.add_argument("--out", type=Path, default=HELD)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    if "list" in given.names:
        print("\n".join(f"{name}: {job.steps} steps of {job.batch} x {job.patch}" for name, job in JOBS.items()))
        return
    given.out.mkdir(parents=True, exist_ok=True)
    for name in JOBS if "all" in given.names else given.names:
        if not (given.out / f"{name}.safetensors").is_file():
            train(name, given.out, given.seed)


if __name__ == "__main__":
    main()
