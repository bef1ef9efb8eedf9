"""New pictures like those it has seen, from chance alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from sightline.core import catalog
from sightline.core.annotations import Annotation, Picture
from sightline.core.dataset import Dataset
from sightline.core.inputs import Frame, InputSpec, common_spec, fit_all
from sightline.core.sample import Sample
from sightline.core.task import Arrays, Facts, Fit, Graph, Run, Step, Task


@dataclass(frozen=True)
class Settings:
    """Settings of the task."""

    size: int = 32  # side of the pictures
    steps: int = 24  # of the walk from noise to picture


class Generate(Task):
    """Rectified flow (Liu et al. 2023): learn the straight way from noise to picture, then walk it."""

    kind = Picture
    metrics = ("frechet",)
    model = "unet"
    Options = Settings

    def fits(self, data: Dataset) -> Fit:
        return Fit(1, "any pictures can be imitated") if len(data) and data[0].images else Fit(0, "needs pictures")

    def prepare(self, data: Dataset, options: Settings, model: str) -> Facts:
        channels, _, _ = common_spec(data)
        return Facts({"image": InputSpec((options.size,) * 2, channels)}, (), asdict(options))

    def network(self, model: str, facts: Facts) -> Any:
        built = catalog.find("models", model).build(facts.input.channels, time=True)
        return catalog.find("heads", "velocity")(built, facts.input)

    def targets(self, samples: Sequence[Sample], frames: Sequence[Frame], facts: Facts) -> Arrays:
        return {}

    def augment(self, facts: Facts) -> tuple[tuple[str, dict[str, Any]], ...]:
        return (("flip", {}),)

    def loss(self, step: Step) -> dict[str, Any]:
        import torch

        clean = step.batch["image"].float() / 127.5 - 1
        noise = torch.randn_like(clean)
        time = torch.rand(len(clean), device=clean.device)
        place = time[:, None, None, None]
        way = step.network(picture=clean + (noise - clean) * place, time=time)["velocity"]
        return {"way": catalog.find("losses", "mean_square")(way, noise - clean)}

    def reference(self, sample: Sample, facts: Facts) -> Annotation | None:
        if not sample.images:
            return None
        arrays, _ = fit_all([sample], facts.inputs)
        return Picture(arrays["image"][0])

    def predict(
        self, run: Run, samples: Sequence[Sample], facts: Facts, rng: Callable[[Sample], np.random.Generator]
    ) -> list[Annotation]:
        shape = (*facts.input.size, facts.input.channels)
        picture = np.stack([rng(sample).standard_normal(shape, np.float32) for sample in samples])
        count = facts.options["steps"]
        for step in range(count):
            time = np.full(len(samples), 1 - step / count, np.float32)
            picture = (picture - run({"picture": picture, "time": time})["velocity"] / count).astype(np.float32)
        return self.decode({"picture": picture}, [], facts)

    def decode(self, outputs: Arrays, frames: Sequence[Frame], facts: Facts) -> list[Annotation]:
        pixels = np.rint(np.clip(outputs["picture"] * 127.5 + 127.5, 0, 255)).astype(np.uint8)
        return [Picture(row) for row in pixels]

    def graphs(self, network: Any, facts: Facts) -> dict[str, Graph]:
        shape = (1, *facts.input.size, facts.input.channels)
        example = {"picture": np.zeros(shape, np.float32), "time": np.zeros(1, np.float32)}
        return {"model": Graph(network, example, {"picture": (0,), "time": (0,)})}


TASK = Generate()
