"""What is asked of a served model and what comes back, whichever door it came through."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sightline.core.annotations import Annotation
from sightline.core.decisions import Decision


@dataclass(frozen=True, slots=True, eq=False)
class Ask:
    """One picture for one model."""

    model: str
    data: bytes | np.ndarray  # a file's bytes, or pixels
    which: int | str | None = None  # a number or an alias; None: as the model's traffic says
    caller: str = ""  # equal callers get equal arms
    deadline: float = math.inf  # on the clock of time.monotonic
    level: float | None = None  # of the conformal sets
    least: float | None = None  # the score that an answer needs
    seed: int = 0
    request: str = ""  # its id, in logs and errors
    given: Mapping[str, Any] = field(default_factory=dict)  # prompts, clicks, conditions


@dataclass(frozen=True, slots=True, eq=False)
class Reply:
    """An answer, and whose it is."""

    model: str
    number: int
    seal: str
    arm: str  # champion, challenger, fallback ... or the alias or number that was asked for
    answer: Annotation
    decision: Decision | None  # what it comes to, with the sets and limits of this version
    least: float  # the score below which nothing is said: what was asked for, else what suits this version
    seconds: Mapping[str, float] = field(default_factory=dict)  # queue, decode, compute, and each stage of a chain
    kept: bool = False  # from the memory of answers, not computed anew
    experiment: str = ""  # under which the arm was drawn; nothing where a version was asked for by name
    drawn: str = ""  # the arm that could not answer, where another one did
