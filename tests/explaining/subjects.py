"""Small networks whose explanations are known in closed form."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sightline.core.image import ArrayImage
from sightline.core.inputs import InputSpec
from sightline.core.sample import Sample
from sightline.core.task import Facts
from sightline.explaining.subject import TOP, Subject, View
from sightline.predicting.answers import torch_run
from sightline.tasks.classify import TASK


class Linear(nn.Module):
    """A weight for every number of the picture."""

    def __init__(self, size: tuple[int, int], channels: int, names: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(names, *size, channels, generator=torch.Generator().manual_seed(3)))

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        return {"logits": torch.einsum("nijc,rijc->rn", self.weight, image.float()) / 1e4}


class Pooled(nn.Module):
    """One convolution, the mean of each map, one linear layer: Grad-CAM of it is CAM (Zhou et al. 2016)."""

    def __init__(self, names: int = 3, width: int = 5) -> None:
        super().__init__()
        torch.manual_seed(4)
        self.conv, self.head = nn.Conv2d(3, width, 3, 2, 1), nn.Linear(width, names)

    def maps(self, image: Tensor) -> Tensor:
        return torch.nn.functional.silu(self.conv(image.float().movedim(-1, 1) / 255))

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        scaled = image.float().movedim(-1, 1) / 255
        return {"logits": self.head(torch.nn.functional.silu(self.conv(scaled)).mean((2, 3)))}


class Patch(nn.Module):
    """Sure of the first name where one place is bright, and blind to the rest."""

    def __init__(self, place: tuple[slice, slice], top: float) -> None:
        super().__init__()
        self.place, self.top = place, top
        self.scale = nn.Parameter(torch.tensor([6.0, -6.0]))

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        light = image.float()[:, self.place[0], self.place[1]].mean((1, 2, 3)) / self.top - 0.5
        return {"logits": light[:, None] * self.scale}


def subject(
    network: Any,
    size: tuple[int, int] = (24, 24),
    *,
    names: tuple[str, ...] = ("a", "b", "c"),
    channels: int = 3,
    dtype: str = "uint8",
    fit: str = "stretch",
) -> Subject:
    """A network as it would come from a run."""
    facts = Facts({"image": InputSpec(size, channels, dtype, fit)}, names)
    return Subject(TASK, facts, torch_run(network.eval()), network.eval())


def pictures(count: int, size: tuple[int, int] = (24, 24), channels: int = 3, dtype: str = "uint8") -> list[Sample]:
    """Noise of any depth."""
    rng = np.random.default_rng(0)
    made = rng.random((count, *size, channels)) * TOP[dtype]
    return [Sample(f"noise-{row}", (ArrayImage(each.astype(dtype)),)) for row, each in enumerate(made)]


def bright(
    count: int, place: tuple[slice, slice], size: tuple[int, int] = (32, 32), dtype: str = "uint8"
) -> list[Sample]:
    """Noise that is bright at one place."""
    samples = []
    for sample in pictures(count, size, 3, dtype):
        pixels = (sample.pixels() * 0.3).astype(dtype)
        pixels[place] = 0.9 * TOP[dtype]
        samples.append(Sample(sample.id, (ArrayImage(pixels),)))
    return samples


def view_of(network: Any, samples: list[Sample], **how: Any) -> View:
    """The samples as this network sees them."""
    return subject(network, **how).look(samples)
