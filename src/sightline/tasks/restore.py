"""The picture as it was before it was damaged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from sightline.core import catalog
from sightline.core.annotations import Annotation, Picture
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError
from sightline.core.inputs import Frame, InputSpec, blend, common_spec, cut
from sightline.core.sample import Sample
from sightline.core.task import Arrays, Facts, Fit, Step, Task

_TOP = {"uint8": 255, "uint16": 65535, "float32": 1}


@dataclass(frozen=True)
class Settings:
    """Settings of the task."""

    tile: int = 64  # side of what the network sees at once
    overlap: int = 16  # shared by neighbouring tiles and blended


class Restore(Task):
    """What was lost, added back tile by tile."""

    kind = Picture
    metrics = ("psnr",)
    model = "unet"
    Options = Settings

    def fits(self, data: Dataset) -> Fit:
        if data.kind is not Picture:
            return Fit(0, "needs pairs of a damaged and a clean picture")
        return Fit(2, "pairs of a damaged and a clean picture")

    def prepare(self, data: Dataset, options: Settings, model: str) -> Facts:
        channels, depth, _ = common_spec(data)
        spec = InputSpec((options.tile,) * 2, channels, depth, "tile", options.overlap)
        return Facts({"image": spec}, (), asdict(options))

    def network(self, model: str, facts: Facts) -> Any:
        built = catalog.find("models", model).build(facts.input.channels)
        return catalog.find("heads", "picture")(built, facts.input)

    def targets(self, samples: Sequence[Sample], frames: Sequence[Frame], facts: Facts) -> Arrays:
        windows = []
        for frame in frames:
            truth = samples[frame.sample].truth
            if not isinstance(truth, Picture) or truth.pixels.shape[:2] != frame.original:
                raise InputError("label", f"{samples[frame.sample].id}: a clean picture of the same size is needed.")
            windows.append(cut(truth.pixels, frame))
        top = np.float32(_TOP[str(windows[0].dtype)])
        return {"clean": np.stack(windows).astype(np.float32) / top}

    def augment(self, facts: Facts) -> tuple[tuple[str, dict[str, Any]], ...]:
        return (("crop", {"size": facts.input.size}), ("flip", {}))

    def loss(self, step: Step) -> dict[str, Any]:
        out = step.network(image=step.batch["image"])["picture"]
        return {"pixels": catalog.find("losses", "charbonnier")(out, step.batch["clean"])}

    def decode(self, outputs: Arrays, frames: Sequence[Frame], facts: Facts) -> list[Annotation]:
        depth = facts.input.dtype
        top = _TOP[depth]
        answers: list[Annotation] = []
        for pixels in blend(outputs["picture"], frames, facts.input.overlap):
            whole = np.clip(pixels, 0, 1) * top
            answers.append(Picture((whole if depth == "float32" else np.rint(whole)).astype(depth)))
        return answers


TASK = Restore()
