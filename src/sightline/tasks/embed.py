"""A vector for each picture, near for the same name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from sightline.core import catalog
from sightline.core.annotations import Annotation, Labels, Vector
from sightline.core.dataset import Dataset
from sightline.core.inputs import Frame, InputSpec, common_spec
from sightline.core.sample import Sample
from sightline.core.task import Arrays, Facts, Fit, Step, Task, name_rows


@dataclass(frozen=True)
class Settings:
    """Settings of the task; a `None` is found in the data."""

    size: int | None = None  # side of the network's input; None: from the pictures, at most 224
    length: int = 64  # of the vector
    each: int = 4  # pictures of one name in a batch, so that every batch holds pairs
    temperature: float = 0.1  # at which likenesses are compared


class Embed(Task):
    """Vectors learnt by contrast between names."""

    kind = Vector
    truth = Labels
    metrics = ("recall_at_1",)
    model = "small"
    Options = Settings

    def fits(self, data: Dataset) -> Fit:
        if data.kind is not Labels:
            return Fit(0, "needs a name for each picture")
        counts = data.counts()
        if len(counts) < 2:
            return Fit(0, f"needs pictures of two names or more, found {len(counts)}: what is unlike is learnt too")
        if max(counts.values()) == 1:
            return Fit(0, "needs a name that is on two pictures or more, and each is on one alone")
        return Fit(1, "names say which pictures belong together")

    def prepare(self, data: Dataset, options: Settings, model: str) -> Facts:
        channels, depth, usual = common_spec(data)
        size = (options.size,) * 2 if options.size else tuple(min(224, max(32, side)) for side in usual)
        return Facts({"image": InputSpec(size, channels, depth)}, data.names, asdict(options))

    def network(self, model: str, facts: Facts) -> Any:
        built = catalog.find("models", model).build(facts.input.channels)
        return catalog.find("heads", "vector")(built, facts.input, facts.options["length"])

    def targets(self, samples: Sequence[Sample], frames: Sequence[Frame], facts: Facts) -> Arrays:
        return {"classes": name_rows(samples, frames, facts.names)}

    def augment(self, facts: Facts) -> tuple[tuple[str, dict[str, Any]], ...]:
        return (("flip", {}), ("zoom", {}), ("light", {}))

    def order(self, data: Dataset, facts: Facts, size: int, rng: np.random.Generator) -> list[list[int]]:
        """Batches of several names with `each` pictures of every one; every picture is used once."""
        each, rows = facts.options["each"], defaultdict(list)
        for index in rng.permutation(len(data)).tolist():
            truth = data[index].truth
            rows[truth.best if isinstance(truth, Labels) else ""].append(index)
        clusters = [mine[i : i + each] for _, mine in sorted(rows.items()) for i in range(0, len(mine), each)]
        mixed = [clusters[index] for index in rng.permutation(len(clusters))]
        batches: list[list[int]] = [[]]
        for cluster in mixed:
            if len(batches[-1]) + len(cluster) > size and batches[-1]:
                batches.append([])
            batches[-1] += cluster
        return batches

    def loss(self, step: Step) -> dict[str, Any]:
        vectors = step.network(image=step.batch["image"])["vector"]
        lose = catalog.find("losses", "supervised_contrast")
        return {"contrast": lose(vectors, step.batch["classes"], temperature=step.facts.options["temperature"])}

    def decode(self, outputs: Arrays, frames: Sequence[Frame], facts: Facts) -> list[Annotation]:
        return [Vector(row.astype(np.float32)) for row in outputs["vector"]]


TASK = Embed()
