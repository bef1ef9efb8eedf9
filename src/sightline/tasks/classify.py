"""Which of some names fits the picture; names in names ("animal/dog") are learnt on every level."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from sightline.core import catalog
from sightline.core.annotations import Annotation, Labels
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError
from sightline.core.hierarchy import Tree
from sightline.core.inputs import Frame, InputSpec, common_spec
from sightline.core.naming import listed
from sightline.core.sample import Sample
from sightline.core.task import Arrays, Facts, Fit, Step, Task, name_rows, name_shares
from sightline.tasks._features import kept, network_on_features, takes_features, with_features

_MEASURED = re.compile(r"-?\d+(?:[.,]\d+)?\s*\S{0,8}")  # with its unit, perhaps
_ONCE = "each of {:,} names is on one picture alone, so what is learnt of it can be tried on no other{}"
_ALONE = "one name only: '{}'; give pictures of a second name, or learn what is usual with --task novelty"


@dataclass(frozen=True)
class Settings:
    """Settings of the task; a `None` is found in the data."""

    size: int | None = None  # side of the network's input; None: from the pictures, at most 224
    dropout: float = 0.1  # part of what the last layer sees that is left out by chance
    smoothing: float = 0.05  # part of the certainty of a label that all names share
    features: str = "auto"  # of models that take them: such as hog+lbp:radius=2, timm:NAME or bundle:PATH
    keep: int | None = None  # directions of the features that are looked at; 0: all; None: the model's own
    reduce: str | None = None  # the same in words: pca:N, random:N or none
    loss: Literal["cross_entropy", "focal"] = "cross_entropy"  # focal: what is still wrong counts more
    mirror: bool = False  # answer from the picture and its mirror image, a step apart: better, and twice the time


class Classify(Task):
    """A shared network, one score a name."""

    kind = Labels
    # a picture named by a parent alone is learnt from, and measured where the levels of names are
    metrics = ("accuracy", "balanced_accuracy", "f1", "log_loss")
    even = "balanced_accuracy"
    taught: ClassVar[Mapping[str, str]] = {"logits": "distillation"}
    model = "small"
    Options = Settings

    def fits(self, data: Dataset) -> Fit:
        if data.kind is not Labels:
            return Fit(0, "needs a name for each picture")
        found = data.naming
        if found.many:
            other = found.several + found.bare
            return Fit(0, f"needs one name a picture, and {other:,} of {found.single + other:,} carry several or none")
        count = len(data.names)
        if count == 1 and found.used:
            return Fit(1, _ALONE.format(data.names[0]))
        if count < 2:
            return Fit(0, f"needs two names or more, found {count}")
        if alone := _learnt_alone(data):
            return Fit(1, _ALONE.format(alone))
        if found.single == len(found.used) and max(data.counts().values()) == 1:
            measured = all(_MEASURED.fullmatch(name) for name in found.used)
            return Fit(1, _ONCE.format(found.single, "; what is measured belongs under 'value'" if measured else ""))
        tree = _read(data)
        told = f"{len(tree.leaves)} names under {len(tree.parents)} above them" if tree.parents else f"{count} names"
        return Fit(1 if data.details.get("ordered") else 2, f"{told}, one a picture")

    def prepare(self, data: Dataset, options: Settings, model: str) -> Facts:
        if len(data.names) < 2:
            raise InputError("label", f"{data.name}: {_ALONE.format(listed(data.names) or 'none')}")
        channels, depth, usual = common_spec(data)
        size = (options.size,) * 2 if options.size else tuple(min(224, max(32, side)) for side in usual)
        tree = _read(data)
        extra: dict[str, Any] = {"parents": list(tree.parents)} if tree.parents else {}
        extra |= {"above": dict(tree.told)} if tree.told else {}
        facts = Facts({"image": InputSpec(size, channels, depth)}, tree.leaves, asdict(options), extra)
        return with_features(facts, model, options)

    def network(self, model: str, facts: Facts) -> Any:
        if takes_features(model):
            return network_on_features(model, facts, len(facts.names), kept(facts.options))
        spec, found = facts.input, catalog.find("models", model)
        given: Mapping[str, int] = {"count": len(facts.names)} if found.GIVES == "logits" else {}
        built = found.build(spec.channels, **given)
        dropout, mirror = facts.options["dropout"], facts.options.get("mirror", False)
        return catalog.find("heads", "labels")(built, spec, len(facts.names), dropout=dropout, mirror=mirror)

    def targets(self, samples: Sequence[Sample], frames: Sequence[Frame], facts: Facts) -> Arrays:
        if facts.extra.get("parents"):
            shares = _tree_shares(samples, frames, _tree(facts))
            leaves = shares[:, : len(facts.names)]
            return {"shares": shares, "classes": np.where(leaves.any(1), leaves.argmax(1), -1)}
        if any(getattr(sample.truth, "scores", None) is not None for sample in samples):
            return {"classes": name_shares(samples, frames, facts.names)}
        return {"classes": name_rows(samples, frames, facts.names)}

    def augment(self, facts: Facts) -> tuple[tuple[str, dict[str, Any]], ...]:
        return (("flip", {}), ("zoom", {}), ("light", {}))

    def loss(self, step: Step) -> dict[str, Any]:
        logits = step.network(image=step.batch["image"])["logits"]
        options = step.facts.options
        if step.facts.extra.get("parents"):
            members = logits.new_tensor(_tree(step.facts).members()).bool()
            lose = catalog.find("losses", "tree_cross_entropy")
            return {"names": lose(logits, step.batch["shares"], members, smoothing=options["smoothing"])}
        lose = catalog.find("losses", options.get("loss", "cross_entropy"))
        return {"names": lose(logits, step.batch["classes"], smoothing=options["smoothing"])}

    def reference(self, sample: Sample, facts: Facts) -> Annotation | None:
        """None where only a parent is known: nobody can say whether the leaf is right."""
        truth = sample.truth
        partial = isinstance(truth, Labels) and truth.best in facts.extra.get("parents", ())
        return None if partial else truth

    def decode(self, outputs: Arrays, frames: Sequence[Frame], facts: Facts) -> list[Annotation]:
        powers = outputs["logits"].astype(np.float64)
        powers -= powers.max(1, keepdims=True)
        np.exp(powers, out=powers)
        powers /= powers.sum(1, keepdims=True)
        scores = powers.astype(np.float32)
        return [Labels(facts.names, row) for row in scores]


def _learnt_alone(data: Dataset) -> str:
    """The only name that is there to learn from, where the data has sides and others are only asked about."""
    sides = data.column("split")
    if not any(side == "train" for side in sides):
        return ""
    truths = data.column("truth")
    names = {truths[row].best for row, side in enumerate(sides) if side == "train" and truths[row] is not None}
    return str(names.pop()) if len(names) == 1 else ""


def _read(data: Dataset) -> Tree:
    """What its names say themselves, and what the data set says of them."""
    return Tree.of(data.names, data.details.get("parents") or {})


def _tree(facts: Facts) -> Tree:
    return Tree(facts.names, tuple(facts.extra["parents"]), facts.extra.get("above", {}))


def _tree_shares(samples: Sequence[Sample], frames: Sequence[Frame], tree: Tree) -> np.ndarray:
    """A row a frame: how much of it each leaf and each parent is; what nobody knows is zero."""
    shares = np.zeros((len(frames), len(tree.leaves) + len(tree.parents)), np.float32)
    for row, frame in enumerate(frames):
        sample = samples[frame.sample]
        truth = sample.truth if isinstance(sample.truth, Labels) else Labels(())
        scores = np.ones(len(truth.names)) if truth.scores is None else truth.scores
        nodes = [tree.nodes_of(name) for name in truth.names]
        if not nodes or not all(nodes) or not scores.sum() > 0:
            raise InputError("label", f"{sample.id}: its label {truth.best!r} is none of {listed(tree.leaves, 20)}.")
        for mine, score in zip(nodes, scores / scores.sum(), strict=True):
            shares[row, mine] += score
    return shares


TASK = Classify()
