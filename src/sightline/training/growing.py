"""Small pictures first: the early epochs of a run see them smaller, take less time, and leave it for more epochs.

What is learnt on small pictures is learnt for large ones too, as long as the last epochs see them whole (Howard 2018;
Touvron et al. 2019). It asks for a network that takes any size.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sightline.core.errors import SettingsError
from sightline.core.task import Facts
from sightline.predicting.answers import torch_run
from sightline.training.state import State

GROWN = 0.6  # of a phase, from which pictures are seen whole
STEP = 8  # pixels by which sides are made smaller


def smaller(facts: Facts, share: float) -> Facts:
    """The facts with pictures of this share of their sides, a multiple of eight each and never more than it was."""
    inputs = {}
    for name, spec in facts.inputs.items():
        sides = tuple(min(side, max(STEP, round(side * share / STEP) * STEP)) for side in spec.size)
        inputs[name] = spec if spec.features else replace(spec, size=sides)
    return replace(facts, inputs=inputs)


def of_epoch(facts: Facts, share: float, state: State, phases: Sequence[float]) -> Facts:
    """What the batches of this epoch are made by; settled as it begins, whatever its length is planned to be later."""
    if state.place == 0:
        state.small = share < 1 and state.epoch < GROWN * state.length(phases)
    return smaller(facts, share) if state.small else facts


def light(facts: Facts, share: float) -> float:
    """What a step of small pictures takes, of a whole one: as many pixels."""
    whole, less = (
        sum(math.prod(spec.size) for spec in some.inputs.values()) for some in (facts, smaller(facts, share))
    )
    return less / max(1, whole)


def usual(facts: Facts, share: float) -> float:
    """What a step takes in the mean over a phase, of a whole one."""
    return GROWN * light(facts, share) + 1 - GROWN


def check(network: Any, facts: Facts, model: str, device: str) -> None:
    """Refuse a network that takes pictures of one size alone."""
    example = {name: spec.example() for name, spec in facts.inputs.items()}
    try:
        torch_run(network, device)(example)
    except (RuntimeError, AssertionError, ValueError, IndexError) as error:
        sides = " x ".join(map(str, facts.input.size))
        raise SettingsError(
            f"train.grow: {model} takes pictures of one size, not of {sides} as well ({str(error).splitlines()[0]}). "
            "Leave train.grow at 1, or name another network."
        ) from error
