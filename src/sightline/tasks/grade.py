"""Which of some names in order fits the picture: a miss by one costs less than a miss by three."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from sightline.core import catalog
from sightline.core.annotations import Annotation, Labels
from sightline.core.dataset import Dataset
from sightline.core.errors import SettingsError, nearest
from sightline.core.inputs import Frame, InputSpec, common_spec
from sightline.core.naming import listed, ranked
from sightline.core.sample import Sample
from sightline.core.task import Arrays, Facts, Fit, Step, Task, name_rows


@dataclass(frozen=True)
class Settings:
    """Settings of the task; a `None` is found in the data."""

    size: int | None = None  # side of the network's input; None: from the pictures, at most 224
    order: list[str] | None = None  # every name, lowest first; None: by their numbers or words, else as they are listed
    dropout: float = 0.1  # part of what the last layer sees that is left out by chance


class Grade(Task):
    """A shared network that asks, step by step, whether the picture is higher still."""

    kind = Labels
    metrics = ("mean_rank_error", "quadratic_kappa", "accuracy", "log_loss")
    model = "small"
    Options = Settings

    def fits(self, data: Dataset) -> Fit:
        if data.kind is not Labels:
            return Fit(0, "needs a name for each picture")
        if data.naming.many:
            return Fit(0, "needs one name a picture, and some carry several or none")
        if len(data.names) < 2:
            return Fit(0, f"needs two names or more, found {len(data.names)}")
        names, by = _in_order(data)
        told = f"{listed(names, between=' < ')} by {by or 'their order in the list'}"
        return Fit(2 if data.details.get("ordered") else 1, f"{len(names)} names in order: {told}")

    def prepare(self, data: Dataset, options: Settings, model: str) -> Facts:
        channels, depth, usual = common_spec(data)
        size = (options.size,) * 2 if options.size else tuple(min(224, max(32, side)) for side in usual)
        names = _in_order(data)[0] if options.order is None else _checked(options.order, data.names)
        return Facts({"image": InputSpec(size, channels, depth)}, names, asdict(options))

    def network(self, model: str, facts: Facts) -> Any:
        spec, found, steps = facts.input, catalog.find("models", model), len(facts.names) - 1
        built = found.build(spec.channels, **({"count": steps} if found.GIVES == "logits" else {}))
        return catalog.find("heads", "marks")(built, spec, steps, dropout=facts.options["dropout"])

    def targets(self, samples: Sequence[Sample], frames: Sequence[Frame], facts: Facts) -> Arrays:
        return {"ranks": name_rows(samples, frames, facts.names)}

    def augment(self, facts: Facts) -> tuple[tuple[str, dict[str, Any]], ...]:
        return (("flip", {}), ("zoom", {}), ("light", {}))

    def loss(self, step: Step) -> dict[str, Any]:
        logits = step.network(image=step.batch["image"])["logits"]
        return {"ranks": catalog.find("losses", "conditional_ordinal")(logits, step.batch["ranks"])}

    def decode(self, outputs: Arrays, frames: Sequence[Frame], facts: Facts) -> list[Annotation]:
        """Each logit answers for those who came that far, so their products fall and the differences are shares."""
        higher = np.cumprod(1 / (1 + np.exp(-outputs["logits"].astype(np.float64).clip(-60, 60))), 1)
        edge = np.ones((len(higher), 1))
        scores = -np.diff(np.concatenate([edge, higher, 0 * edge], 1), axis=1)
        return [Labels(facts.names, row) for row in scores.astype(np.float32)]


def _in_order(data: Dataset) -> tuple[tuple[str, ...], str]:
    """The names from lowest to highest, and what says so."""
    return (data.names, "the word of the data") if data.details.get("ordered") else ranked(data.names)


def _checked(order: Sequence[str], names: Sequence[str]) -> tuple[str, ...]:
    for name in order:
        if name not in names or list(order).count(name) > 1:
            wrong = "is there twice" if name in names else f"is no name of the data.{nearest(name, names)}"
            raise SettingsError(f"task.order: '{name[:60]}' {wrong} Known: {listed(names, 20)}.")
    left = [name for name in names if name not in order]
    if left:
        raise SettingsError(f"task.order leaves out {listed(left)}; give every name once, lowest first.")
    return tuple(order)


TASK = Grade()
