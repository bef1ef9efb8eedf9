"""A network cut where it may answer early: its stages, a head for each, and how sure an answer must be to leave."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from sightline.compressing.subject import Subject

GRID = 14  # thresholds tried of each exit
STEPS, RATE, TEMPERATURE = 400, 0.01, 2.0


def spoken_of(level: Tensor) -> Tensor:
    """Mean and spread of every map: what an early head answers from."""
    return torch.cat([level.mean((2, 3)), (level.var((2, 3), correction=0) + 1e-6).sqrt()], 1)


class First(nn.Module):
    """From pixels to the first exit; `features` tell an unlike picture, as far as it is known here."""

    takes = ("image",)

    def __init__(self, network: Any, level: int, head: nn.Module) -> None:
        super().__init__()
        self.network, self.level, self.head = network, level, head

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        maps = self.network.model(self.network.views(image)[0])[: self.level + 1]
        told = torch.cat([functional.normalize(spoken_of(one).float(), dim=1) for one in maps], 1)
        return {"logits": self.head(spoken_of(maps[-1])), "level": maps[-1], "features": told}


class Next(nn.Module):
    """From one exit to the next."""

    takes = ("level",)

    def __init__(self, network: Any, before: int, level: int, head: nn.Module) -> None:
        super().__init__()
        self.levels, self.head = nn.ModuleList(network.model.levels[before + 1 : level + 1]), head

    def forward(self, level: Tensor) -> dict[str, Tensor]:
        for step in self.levels:
            level = step(level)
        return {"logits": self.head(spoken_of(level)), "level": level}


class End(nn.Module):
    """The rest of the levels, and the answer of the parent to what it looks at first."""

    takes = ("level",)

    def __init__(self, network: Any, before: int) -> None:
        super().__init__()
        self.levels, self.head = nn.ModuleList(network.model.levels[before + 1 :]), network.head

    def forward(self, level: Tensor) -> dict[str, Tensor]:
        for step in self.levels:
            level = step(level)
        pooled = level.mean((2, 3))
        return {"logits": self.head(pooled), "pooled": pooled}


class Mirrored(nn.Module):
    """The mirror image as well, where the parent answers from both: what it answers here is what the parent answers."""

    takes = ("image", "pooled")

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor, pooled: Tensor) -> dict[str, Tensor]:
        other = self.network.model(self.network.views(image)[1])[-1].mean((2, 3))
        return {"logits": self.network.head((pooled + other) / 2)}


def cuts(network: Any) -> list[int]:
    """The levels after which there is an exit; none where the network is not built of levels in a row."""
    levels = getattr(getattr(network, "model", None), "levels", None)
    if not isinstance(levels, nn.ModuleList) or not isinstance(getattr(network, "head", None), nn.Module):
        return []
    if not hasattr(network, "views") or not getattr(network.model, "widths", None):
        return []
    return list(range(1, len(levels) - 1)) if len(levels) == len(network.model.widths) else []


def stages(network: Any, heads: Sequence[nn.Module]) -> list[Any]:
    """The parent in a row of stages; run to the end they are the parent."""
    at = cuts(network)
    found: list[Any] = [First(network, at[0], heads[0])]
    found += [
        Next(network, before, level, head)
        for (before, level), head in zip(itertools.pairwise(at), heads[1:], strict=True)
    ]
    found.append(End(network, at[-1]))
    if getattr(network, "mirror", False):
        found.append(Mirrored(network))
    return [stage.eval() for stage in found]


def through(row: Sequence[Any], image: Tensor) -> list[Tensor]:
    """The answer of every stage, none left out."""
    state, answers = {"image": image}, []
    for stage in row:
        state |= stage(**{name: state[name] for name in stage.takes})
        answers.append(state["logits"])
    return answers


def taught(seen: Tensor, wanted: Tensor) -> nn.Module:
    """A head on what an exit sees, that answers like the parent as far as it can; the trunk stays as it is."""
    head = nn.Linear(seen.shape[1], wanted.shape[1])
    mean, spread = seen.mean(0), seen.std(0) + 1e-4
    even, soft = (seen - mean) / spread, (wanted / TEMPERATURE).softmax(1)
    nn.init.zeros_(head.weight)
    nn.init.zeros_(head.bias)
    optimiser = torch.optim.AdamW(head.parameters(), RATE, weight_decay=0.05)
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, STEPS)
    generator = torch.Generator().manual_seed(0)
    for _ in range(STEPS):
        some = torch.randint(len(even), (min(512, len(even)),), generator=generator)
        optimiser.zero_grad()
        functional.cross_entropy(head(even[some]) / TEMPERATURE, soft[some]).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        falling.step()
    with torch.no_grad():  # what was made even goes into the head
        head.weight.div_(spread)
        head.bias.sub_(head.weight @ mean)
    return head.requires_grad_(False).eval()


def exit_heads(subject: Subject, batches: Any) -> list[nn.Module]:
    """A head for each exit, learnt from what the parent answers to training pictures."""
    network = subject.network
    at = cuts(network)
    seen: list[list[Tensor]] = [[] for _ in at]
    wanted = []
    with torch.no_grad():
        for image in batches:
            maps = network.model(network.views(image)[0])
            wanted.append(network(image=image)["logits"])
            for place, level in enumerate(at):
                seen[place].append(spoken_of(maps[level]))
    return [taught(torch.cat(rows), torch.cat(wanted)) for rows in seen]


@dataclass(frozen=True)
class Leave:
    """From how sure an answer a picture leaves each stage but the last; what that costs and gets right."""

    thresholds: tuple[float, ...]
    cost: float  # of the parent's multiplications, on average
    right: float
    shares: tuple[float, ...]  # of the pictures that leave after each stage

    def to_json(self) -> dict[str, Any]:
        return dict(vars(self))


def frontier(scores: np.ndarray, right: np.ndarray, costs: Sequence[float]) -> list[Leave]:
    """The cheapest thresholds for every share of right answers; `scores` and `right` are pictures x stages."""
    count, depth = scores.shape
    tried = [[*np.unique(np.quantile(scores[:, k], np.linspace(0, 1, GRID))), 2.0] for k in range(depth - 1)]
    upto = np.cumsum(costs) / sum(costs)
    found = []
    for thresholds in itertools.product(*tried):
        place = np.full(count, depth - 1)
        for k in reversed(range(depth - 1)):
            place[scores[:, k] >= thresholds[k]] = k
        cost, good = float(upto[place].mean()), float(right[np.arange(count), place].mean())
        found.append((cost, -good, thresholds, place))
    found.sort(key=lambda one: one[:2])
    best, kept = -1.0, []
    for cost, lost, thresholds, place in found:
        if -lost > best:
            best = -lost
            shares = np.bincount(place, minlength=depth) / count
            kept.append(Leave(tuple(map(float, thresholds)), cost, best, tuple(map(float, shares))))
    return kept


def choose(found: Sequence[Leave], parent: float, allowed: float) -> Leave:
    """The cheapest that loses no more than this share of the answers; the best there is where all lose more."""
    fit = [one for one in found if one.right >= parent - allowed]
    return min(fit, key=lambda one: one.cost) if fit else max(found, key=lambda one: one.right)
