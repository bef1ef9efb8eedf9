"""What a model can be trusted with, and what it must not be used for, gathered from what was measured of it.

A study says its part of it: `trusted(found)` and `doubted(found)` answer lines, none where it has nothing to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from sightline.evaluating.chart import readable, spoken
from sightline.evaluating.evaluate import Evaluation


@dataclass(frozen=True)
class Verdict:
    """The first screen of a report."""

    line: str  # one sentence
    trusted: tuple[str, ...] = ()
    doubted: tuple[str, ...] = ()


def verdict(evaluation: Evaluation, studies: Mapping[str, ModuleType]) -> Verdict:
    """In a sentence whether to use it, and what the studies say for it and against it."""
    said, good = _sentence(evaluation)
    trusted = [line for name, each in studies.items() for line in _asked(each, "trusted", evaluation.studies[name])]
    doubted = [line for name, each in studies.items() for line in _asked(each, "doubted", evaluation.studies[name])]
    if evaluation.side == "train":
        doubted.insert(0, "Anything: these are pictures that it learnt from, so every figure here is too good.")
    elif good is False:
        doubted.insert(0, "Anything, as it is: answering without looking does about as well.")
    return Verdict(said, tuple(trusted) if good else (), tuple(doubted))


def _asked(study: ModuleType, what: str, found: Mapping[str, Any]) -> list[str]:
    return list(getattr(study, what)(found)) if hasattr(study, what) else []


def _sentence(evaluation: Evaluation) -> tuple[str, bool | None]:
    """The first metric with its interval against the baseline; whether that speaks for the model, if it is known."""
    first = evaluation.figures[0]
    name, floor = spoken(first["name"]), first["baseline"]
    if first["value"] is None:
        return f"The {name} has no value on the {evaluation.count} samples of '{evaluation.side}'.", None
    reach = "" if first["low"] is None else f" (95 % interval {readable(first['low'])} to {readable(first['high'])})"
    learnt = "HAS" if evaluation.side == "train" else "has not"
    said = f"{name} {readable(first['value'])}{reach} on {evaluation.count:,} samples that it {learnt} learnt from"
    if floor is None or first["low"] is None:
        return f"{said[:1].upper()}{said[1:]}.", None
    clear = first["low"] > floor if first["better"] == "higher" else first["high"] < floor
    against = f"{evaluation.baseline} ({readable(floor)})"
    if evaluation.side == "train":
        return f"Not to be judged by this: {said}; {against} is the baseline.", None
    if clear:
        return f"It has learnt something that holds: {said}, clearly better than {against}.", True
    return f"Not to be relied on: {said}, not clearly better than {against}.", False
