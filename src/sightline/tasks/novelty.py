"""Whether a picture is like those that are usual, learnt from usual pictures alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from sightline.core.annotations import Annotation, Labels
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError, SettingsError
from sightline.core.inputs import Frame, InputSpec, common_spec
from sightline.core.sample import Sample
from sightline.core.task import Arrays, Facts, Fit, Step, Task
from sightline.tasks._features import kept, network_on_features, takes_features, with_features

OTHER = "other"
USUAL = ("good", "normal", "ok", "usual", "healthy", "negative")  # names that say so themselves


@dataclass(frozen=True)
class Settings:
    """Settings of the task; a `None` is found in the data."""

    usual: str | None = None  # the name of what is usual; None: the only one, one that says so, or the most frequent
    size: int | None = None  # side of the pictures that features are made of; None: from the pictures, at most 64
    features: str = "auto"  # such as hog+lbp:radius=2, timm:NAME or bundle:PATH
    keep: int | None = None  # directions of the features that are looked at; 0: all; None: the model's own
    reduce: str | None = None  # the same in words: pca:N, random:N or none


class Novelty(Task):
    """One model of what is usual; everything else is `other`."""

    kind = Labels
    metrics = ("balanced_accuracy", "log_loss")
    model = "one_class"
    Options = Settings

    def fits(self, data: Dataset) -> Fit:
        if data.kind is not Labels:
            return Fit(0, "needs a name for each picture")
        learnt = Counter(name for name, side in _named(data) if side in (None, "train"))
        if len(learnt) == 1:
            return Fit(2, f"one name only to learn from, {next(iter(learnt))}: is a picture like those or not?")
        if not learnt:
            return Fit(0, "needs pictures to learn")
        return Fit(1, f"{_usual(learnt)} is what is usual, all else is not, unless task.usual says otherwise")

    def prepare(self, data: Dataset, options: Settings, model: str) -> Facts:
        counts = Counter(name for name, _ in _named(data))
        usual = options.usual or _usual(counts)
        if usual not in counts:
            raise SettingsError(f"task.usual = '{usual}': is none of {', '.join(sorted(counts))}.")
        if not takes_features(model):
            raise SettingsError(f"novelty is learnt by 'one_class', 'one_class:gauss' or alike, not by '{model}'.")
        channels, depth, shown = common_spec(data)
        size = (options.size,) * 2 if options.size else tuple(min(224, max(32, side)) for side in shown)
        facts = Facts({"image": InputSpec(size, channels, depth)}, (usual, OTHER), asdict(options))
        return with_features(facts, model, options)

    def network(self, model: str, facts: Facts) -> Any:
        return network_on_features(model, facts, 2, kept(facts.options))

    def targets(self, samples: Sequence[Sample], frames: Sequence[Frame], facts: Facts) -> Arrays:
        return {"classes": np.array([_is_other(samples[frame.sample], facts) for frame in frames], np.int64)}

    def reference(self, sample: Sample, facts: Facts) -> Annotation | None:
        return Labels((facts.names[_is_other(sample, facts)],))

    def loss(self, step: Step) -> dict[str, Any]:
        raise SettingsError("novelty is solved in one pass; it has no loss.")

    def decode(self, outputs: Arrays, frames: Sequence[Frame], facts: Facts) -> list[Annotation]:
        margin = (outputs["logits"][:, 1] - outputs["logits"][:, 0]).astype(np.float64)
        other = np.exp(-np.logaddexp(0, -margin))
        return [Labels(facts.names, np.array([1 - share, share], np.float32)) for share in other]


def _named(data: Dataset) -> list[tuple[str, str | None]]:
    """The name and the side of every sample that has one name."""
    named = zip(data.column("names"), data.column("split"), strict=True)
    return [(names[0], side) for names, side in named if len(names) == 1]


def _usual(counts: Counter[str]) -> str:
    """The name that says so itself, in capitals or not, else the most frequent one."""
    said = [name for word in USUAL for name in counts if name.lower() == word]
    return said[0] if said else counts.most_common(1)[0][0]


def _is_other(sample: Sample, facts: Facts) -> int:
    best = getattr(sample.truth, "best", None)
    if best is None:
        raise InputError("label", f"{sample.id}: it has no name, so it cannot be said whether it is usual.")
    return int(best != facts.names[0])


TASK = Novelty()
