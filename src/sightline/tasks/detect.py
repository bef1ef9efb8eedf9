"""Where things are, and which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from sightline.core import catalog, geometry
from sightline.core.annotations import Annotation, Objects
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError
from sightline.core.inputs import Frame, InputSpec, common_spec
from sightline.core.sample import Sample
from sightline.core.task import Arrays, Facts, Fit, Step, Task


@dataclass(frozen=True)
class Settings:
    """Settings of the task; a `None` is found in the data."""

    size: int | None = None  # side of the network's input, a multiple of 32; None: from the pictures, at most 640
    floor: float = 0.01  # answers below are dropped
    most: int = 100  # answers a picture
    overlap: float = 0.6  # of two boxes of one name that share more, the lesser is dropped


class Detect(Task):
    """Points that each answer with a box and scores, then the lesser of overlapping answers dropped."""

    kind = Objects
    metrics = ("average_precision_50", "average_precision")
    model = "small"
    Options = Settings

    def fits(self, data: Dataset) -> Fit:
        if data.kind is not Objects:
            return Fit(0, "needs boxes")
        return Fit(2, f"boxes of {len(data.names)} names")

    def prepare(self, data: Dataset, options: Settings, model: str) -> Facts:
        channels, depth, usual = common_spec(data)
        side = options.size or min(640, -(-max(usual) // 32) * 32)
        spec = InputSpec((side, side), channels, depth, "letterbox")
        return Facts({"image": spec}, data.names, asdict(options))

    def network(self, model: str, facts: Facts) -> Any:
        built = catalog.find("models", model).build(facts.input.channels)
        return catalog.find("heads", "boxes")(built, facts.input, len(facts.names))

    def targets(self, samples: Sequence[Sample], frames: Sequence[Frame], facts: Facts) -> Arrays:
        place = {name: index for index, name in enumerate(facts.names)}
        truths = []
        for frame in frames:
            truth = samples[frame.sample].truth
            if not isinstance(truth, Objects) or not {truth.names[c] for c in truth.classes} <= place.keys():
                raise InputError(
                    "label", f"{samples[frame.sample].id}: boxes with a name of {', '.join(facts.names)} needed."
                )
            upright = truth.boxes if truth.boxes.shape[1] == 4 else geometry.upright(truth.boxes)
            truths.append((frame.boxes_in(upright), [place[truth.names[c]] for c in truth.classes]))
        most = max((len(classes) for _, classes in truths), default=0)
        boxes = np.zeros((len(frames), most, 4), np.float32)
        classes = np.full((len(frames), most), -1, np.int64)
        for row, (places, names) in enumerate(truths):
            boxes[row, : len(names)] = places
            classes[row, : len(names)] = names
        return {"boxes": boxes, "classes": classes}

    def augment(self, facts: Facts) -> tuple[tuple[str, dict[str, Any]], ...]:
        return (("flip", {}), ("zoom", {}), ("light", {}))

    def loss(self, step: Step) -> dict[str, Any]:
        out = step.network(image=step.batch["image"])
        lose = catalog.find("losses", "detection")
        truth = (step.batch["boxes"], step.batch["classes"])
        parts: dict[str, Any] = lose(out["logits"], out["boxes"], *truth, size=step.facts.input.size)
        return parts

    def decode(self, outputs: Arrays, frames: Sequence[Frame], facts: Facts) -> list[Annotation]:
        options, answers = facts.options, []
        for frame, boxes, logits in zip(frames, outputs["boxes"], outputs["logits"], strict=True):
            scores = 1 / (1 + np.exp(-logits.astype(np.float64)))
            points, classes = np.nonzero(scores >= options["floor"])
            scores = scores[points, classes]
            first = np.argsort(-scores, kind="stable")[: 4 * options["most"]]
            boxes, scores, classes = boxes[points[first]].astype(np.float64), scores[first], classes[first]
            kept = geometry.suppress(boxes, scores, classes, options["overlap"])[: options["most"]]
            places = geometry.clip(frame.boxes_back(boxes[kept]), frame.original[1], frame.original[0])
            answers.append(
                Objects(
                    places.astype(np.float32),
                    classes[kept].astype(np.int64),
                    facts.names,
                    scores[kept].astype(np.float32),
                )
            )
        return list(answers)


TASK = Detect()
