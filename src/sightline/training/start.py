"""Beginning where another training ended: the weights of a run or a bundle, as far as they suit."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from sightline.core import bundle as bundles
from sightline.core.errors import RunError, SettingsError
from sightline.core.run import Run, open_run
from sightline.core.task import Facts
from sightline.training.layers import answering


def weights_of(where: str, setting: str) -> tuple[dict[str, Any], Facts, str, str]:
    """Weights as arrays, facts, task and model of the run or bundle at this place."""
    from safetensors.numpy import load as unpack

    found = _found(where, setting)
    card = found.info if isinstance(found, Run) else found.model
    weights = unpack(found.weights.read_bytes()) if isinstance(found, Run) else dict(bundles.weights(found))
    return weights, Facts.from_json(card["facts"]), card["task"], card["model"]


def model_of(where: str, setting: str) -> str:
    """The name of the network of the run or bundle at this place."""
    found = _found(where, setting)
    return str((found.info if isinstance(found, Run) else found.model)["model"])


def _found(where: str, setting: str) -> Run | bundles.Bundle:
    """A run that is done, or a bundle; one line where there is neither."""
    path = Path(where)
    if not Run(path).exists and path.exists():
        return bundles.load(path)
    try:
        run = open_run(where)
    except RunError as error:
        raise SettingsError(f"{setting} = '{where}': {error.message} Name the folder of a run, or a bundle.") from error
    if not run.weights.is_file():
        raise SettingsError(f"{setting} = '{where}': that run is not done, so there are no weights to take yet.")
    return run


@torch.no_grad()
def begin(network: nn.Module, facts: Facts, where: str) -> dict[str, Any]:
    """Take over every tensor of equal name and shape; of other names of things, not the layer that answers.

    What was taken and what begins anew is answered as plain JSON, with a line that says it.
    """
    found, theirs, _, model = weights_of(where, "train.start")
    own: Mapping[str, Tensor] = network.state_dict()
    answers = answering(network) if theirs.names != facts.names else frozenset()
    taken = {
        name: torch.as_tensor(found[name])
        for name, value in own.items()
        if name in found and tuple(found[name].shape) == tuple(value.shape) and name not in answers
    }
    if not any(value.numel() > 1 for value in taken.values()):
        raise SettingsError(f"train.start = '{where}': not one layer of its {model} suits this network.")
    network.load_state_dict(taken, strict=False)
    anew = [name for name in own if name not in taken]
    share = sum(own[name].numel() for name in taken) / max(1, sum(value.numel() for value in own.values()))
    more = f" and {len(anew) - 4} more" if len(anew) > 4 else ""
    line = f"began with {share:.1%} of the weights from {where} ({model}, {len(taken)} of {len(own)} tensors)"
    line += f"; begun anew: {', '.join(anew[:4])}{more}" if anew else ""
    found_in = {"from": where, "model": model, "taken": len(taken), "of": len(own)}
    return {**found_in, "share": share, "anew": anew, "line": line}
