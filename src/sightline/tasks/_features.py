"""Models that take features instead of pixels: what they are given, and the network around them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from sightline.core import bundle as bundles
from sightline.core import catalog, vectors
from sightline.core.directions import parse
from sightline.core.errors import InputError, RunError, SettingsError
from sightline.core.run import Run
from sightline.core.task import Facts

_NETWORKS = ("timm", "bundle")
_OF_NETWORKS = ("dropout", "smoothing", "loss", "mirror")  # options that learners of features know nothing of


def takes_features(model: str) -> bool:
    """Whether this model learns from rows of numbers."""
    return getattr(catalog.find("models", model), "TAKES", "pictures") == "features"


def with_features(facts: Facts, model: str, options: Any) -> Facts:
    """The facts with inputs as the model takes them; pixels stay as they are for one that takes pixels."""
    recipe, size = options.features, options.size
    if not takes_features(model):
        if recipe != "auto":
            raise SettingsError(
                f"features = '{recipe}': '{model}' takes pixels; features are for models such as 'svm'."
            )
        if options.reduce is not None:
            raise SettingsError(f"reduce = '{options.reduce}': '{model}' takes pixels; only features are made shorter.")
        return facts
    _refuse_others(model, options)
    kept({"keep": options.keep, "reduce": options.reduce})
    if recipe.partition(":")[0] in _NETWORKS:
        return _from_network(facts, recipe)
    spec = facts.input
    if len(spec.size) != 2:
        raise InputError("mismatch", "features are of flat pictures, and these are volumes; choose another model.")
    recipe = vectors.check(vectors.AUTO if recipe == "auto" else recipe)
    length = sum(block.length for block in vectors.blocks(recipe, spec.channels))
    inside = spec.size if size else tuple(min(vectors.MOST, side) for side in spec.size)
    return replace(facts, inputs={"features": replace(spec, size=inside, features=recipe, length=length)})


def _refuse_others(model: str, options: Any) -> None:
    """One line for options that steer how a network learns, which this model would pass over."""
    usual = type(options)()
    asked = [name for name in _OF_NETWORKS if getattr(options, name, None) != getattr(usual, name, None)]
    if asked:
        named = ", ".join(f"task.{name} = {getattr(options, name)!r}" for name in asked)
        only = "that is" if len(asked) == 1 else "these are"
        raise SettingsError(
            f"{named}: {only} for networks, and '{model}' learns from features in one go. "
            f"Leave it out, or take a network such as --model small."
        )


def kept(options: Mapping[str, Any]) -> int | str | None:
    """How many of the widest directions a model looks at, or a word for random ones; None where nobody says."""
    word: str | None = options.get("reduce")  # runs of earlier releases say nothing of it
    if word is None:
        said: int | None = options["keep"]
        return said
    kind, count = parse(word)
    if options["keep"] is not None:
        raise SettingsError(f"keep = {options['keep']} and reduce = '{word}' say the same. Leave one of them out.")
    return word if kind == "random" else count


def network_on_features(model: str, facts: Facts, count: int, keep: int | str | None) -> Any:
    """A model that takes features with all that stands before it."""
    build = catalog.find("models", model).build
    if "backbone" not in facts.extra:
        return catalog.find("heads", "described")(build, facts.input, count, keep=keep)
    backbone = _backbone(facts.extra["backbone"], facts.input.channels)
    return catalog.find("heads", "embedded")(build, facts.input, count, backbone, keep=keep)


def _from_network(facts: Facts, recipe: str) -> Facts:
    kind, _, where = recipe.partition(":")
    if kind == "timm":
        catalog.find("models", recipe)
        return replace(facts, extra={**facts.extra, "backbone": {"model": recipe}})
    known, _ = _opened(where)
    theirs = Facts.from_json(known["facts"])
    if "image" not in theirs.inputs or len(theirs.inputs) != 1:
        raise SettingsError(
            f"features = '{recipe}': it takes {', '.join(theirs.inputs)}; name one that takes a picture."
        )
    found = {"where": where, **{name: known[name] for name in ("task", "model", "facts")}}
    return replace(facts, inputs=theirs.inputs, extra={**facts.extra, "backbone": found})


def _backbone(found: Mapping[str, Any], channels: int) -> Any:
    """The network before its last layer; where its weights are no longer, those of the run or bundle follow."""
    if "task" not in found:
        return catalog.find("models", found["model"]).build(channels, count=1)
    whole = catalog.find("tasks", found["task"]).TASK.network(found["model"], Facts.from_json(found["facts"]))
    if Path(found["where"]).exists():
        import torch

        weights = _opened(found["where"])[1]
        whole.load_state_dict({name: torch.as_tensor(value) for name, value in weights.items()})
    return whole.model


def _opened(where: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """What a run or a bundle says of itself, and its weights."""
    run = Run(Path(where))
    if not run.exists:
        opened = bundles.load(Path(where))
        return opened.model, bundles.weights(opened)
    if not run.weights.is_file():
        raise RunError(f"{where} is not done. Continue it with the command that began it.")
    from safetensors.numpy import load as unpack

    return run.info, unpack(run.weights.read_bytes())
