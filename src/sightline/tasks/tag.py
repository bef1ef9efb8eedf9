"""Which of some names fit the picture: none, one or many, each judged by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from sightline.core import catalog
from sightline.core.annotations import Annotation, Labels
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError
from sightline.core.inputs import Frame, InputSpec, common_spec
from sightline.core.naming import listed
from sightline.core.sample import Sample
from sightline.core.task import Arrays, Facts, Fit, Step, Task, name_marks

HEAVIEST = 10.0  # weight of a rare name where it holds


@dataclass(frozen=True)
class Settings:
    """Settings of the task; a `None` is found in the data."""

    size: int | None = None  # side of the network's input; None: from the pictures, at most 224
    dropout: float = 0.1  # part of what the last layer sees that is left out by chance
    balance: bool = True  # where a rare name holds, it counts more; its scores stay honest


class Tag(Task):
    """A shared network, one yes or no a name."""

    kind = Labels
    metrics = ("mean_average_precision", "macro_f1", "micro_f1", "sample_f1", "exact_match", "hamming_loss")
    model = "small"
    several = True
    Options = Settings

    def fits(self, data: Dataset) -> Fit:
        if data.kind is not Labels:
            return Fit(0, "needs names for each picture")
        found = data.naming
        if not found.used:
            return Fit(0, "needs names, and no picture carries one")
        if not found.many:
            count = len(found.used)
            return Fit(min(1, count - 1), f"needs names to tell apart, found {count}; each is judged by itself")
        carried = f"{found.several:,} pictures carry several and {found.bare:,} none"
        return Fit(2, f"{len(data.names)} names, any number a picture; {carried}")

    def prepare(self, data: Dataset, options: Settings, model: str) -> Facts:
        channels, depth, usual = common_spec(data)
        size = (options.size,) * 2 if options.size else tuple(min(224, max(32, side)) for side in usual)
        shares = _shares(data)
        idle = [name for name, share in zip(data.names, shares, strict=True) if not 0 < share < 1]
        if len(idle) == len(data.names):
            raise InputError("label", f"{data.name}: {listed(idle)}: each holds for every picture or for none.")
        weights = np.sqrt((1 - shares) / np.maximum(shares, 1e-9)).clip(1, HEAVIEST) if options.balance else shares**0
        extra = {"shares": shares.round(6).tolist(), "weights": weights.round(4).tolist()}
        return Facts({"image": InputSpec(size, channels, depth)}, data.names, asdict(options), extra)

    def network(self, model: str, facts: Facts) -> Any:
        spec, found, count = facts.input, catalog.find("models", model), len(facts.names)
        built = found.build(spec.channels, **({"count": count} if found.GIVES == "logits" else {}))
        weighed = np.array(facts.extra["shares"]).clip(0.005, 0.995)
        weighed = weighed * facts.extra["weights"] / (weighed * facts.extra["weights"] + 1 - weighed)
        settings = {"dropout": facts.options["dropout"], "shares": weighed.tolist()}
        return catalog.find("heads", "marks")(built, spec, count, **settings)

    def targets(self, samples: Sequence[Sample], frames: Sequence[Frame], facts: Facts) -> Arrays:
        return {"marks": name_marks(samples, frames, facts.names)}

    def augment(self, facts: Facts) -> tuple[tuple[str, dict[str, Any]], ...]:
        return (("flip", {}), ("zoom", {}), ("light", {}))

    def loss(self, step: Step) -> dict[str, Any]:
        logits = step.network(image=step.batch["image"])["logits"]
        weights = logits.new_tensor(step.facts.extra["weights"])
        lose = catalog.find("losses", "weighted_binary_cross_entropy")
        return {"names": lose(logits, step.batch["marks"], weights)}

    def decode(self, outputs: Arrays, frames: Sequence[Frame], facts: Facts) -> list[Annotation]:
        # learnt with weights, a logit is too high by the logarithm of its weight
        logits = outputs["logits"].astype(np.float64) - np.log(facts.extra["weights"])
        scores = (1 / (1 + np.exp(-logits.clip(-60, 60)))).astype(np.float32)
        return [Labels(facts.names, row) for row in scores]


def _shares(data: Dataset) -> np.ndarray:
    """How often each name holds, of the pictures of which that is known."""
    count, held = np.zeros(len(data.names)), np.zeros(len(data.names))
    place = {name: index for index, name in enumerate(data.names)}
    unlisted = 0
    for sample in data:
        truth = sample.truth
        if not isinstance(truth, Labels):
            continue
        unlisted += 1
        for name in truth.names:
            mark = truth.score(name)
            held[place[name]] += 0.0 if np.isnan(mark) else float(np.clip(mark, 0, 1))
            count[place[name]] -= float(np.isnan(mark))
    return np.asarray(held / np.maximum(1.0, count + unlisted))


TASK = Tag()
