"""Which of some names fits the picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from sightline.core import catalog
from sightline.core.annotations import Annotation, Labels
from sightline.core.dataset import Dataset
from sightline.core.inputs import Frame, InputSpec, common_spec
from sightline.core.sample import Sample
from sightline.core.task import Arrays, Facts, Fit, Step, Task, name_rows, name_shares


@dataclass(frozen=True)
class Settings:
    """Settings of the task; a `None` is found in the data."""

    size: int | None = None  # side of the network's input; None: from the pictures, at most 224
    dropout: float = 0.1
    smoothing: float = 0.05
    loss: Literal["cross_entropy", "focal"] = "cross_entropy"  # focal: what is still wrong counts more


class Classify(Task):
    """A shared network, one score a name."""

    kind = Labels
    metrics = ("accuracy", "balanced_accuracy", "f1", "log_loss")
    even = "balanced_accuracy"
    taught: ClassVar[Mapping[str, str]] = {"logits": "distillation"}
    model = "small"
    Options = Settings

    def fits(self, data: Dataset) -> Fit:
        if data.kind is not Labels:
            return Fit(0, "needs a name for each picture")
        count = len(data.names)
        return (
            Fit(2, f"{count} names, one a picture") if count > 1 else Fit(0, f"needs two names or more, found {count}")
        )

    def prepare(self, data: Dataset, options: Settings, model: str) -> Facts:
        channels, depth, usual = common_spec(data)
        size = (options.size,) * 2 if options.size else tuple(min(224, max(32, side)) for side in usual)
        return Facts({"image": InputSpec(size, channels, depth)}, data.names, asdict(options))

    def network(self, model: str, facts: Facts) -> Any:
        spec, found = facts.input, catalog.find("models", model)
        given: Mapping[str, int] = {"count": len(facts.names)} if found.GIVES == "logits" else {}
        built = found.build(spec.channels, **given)
        return catalog.find("heads", "labels")(built, spec, len(facts.names), dropout=facts.options["dropout"])

    def targets(self, samples: Sequence[Sample], frames: Sequence[Frame], facts: Facts) -> Arrays:
        if any(getattr(sample.truth, "scores", None) is not None for sample in samples):
            return {"classes": name_shares(samples, frames, facts.names)}
        return {"classes": name_rows(samples, frames, facts.names)}

    def augment(self, facts: Facts) -> tuple[tuple[str, dict[str, Any]], ...]:
        return (("flip", {}), ("zoom", {}), ("light", {}))

    def loss(self, step: Step) -> dict[str, Any]:
        logits = step.network(image=step.batch["image"])["logits"]
        lose = catalog.find("losses", step.facts.options.get("loss", "cross_entropy"))
        return {"names": lose(logits, step.batch["classes"], smoothing=step.facts.options["smoothing"])}

    def decode(self, outputs: Arrays, frames: Sequence[Frame], facts: Facts) -> list[Annotation]:
        logits = outputs["logits"].astype(np.float64)
        powers = np.exp(logits - logits.max(1, keepdims=True))
        scores = (powers / powers.sum(1, keepdims=True)).astype(np.float32)
        return [Labels(facts.names, row) for row in scores]


TASK = Classify()
