"""Where a model stands while it is studied: its answers, what is so, and what it learnt from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sightline.core.annotations import Annotation
from sightline.core.calibration import NOTHING, Calibration
from sightline.core.dataset import Dataset
from sightline.core.progress import Tell, silent
from sightline.core.run import Run
from sightline.core.sample import Sample
from sightline.core.task import Facts, Task
from sightline.core.task import Run as Pass


@dataclass(frozen=True, eq=False)
class Scene:
    """All that a study may look at; `samples`, `truths` and `answers` are rows of the side that was measured."""

    task: Task
    facts: Facts
    passes: Pass  # one pass of the network over arrays
    network: Any  # in torch; None where only a bundle is known
    samples: Sequence[Sample]
    truths: Sequence[Annotation]
    answers: Sequence[Annotation]
    sides: Dataset | None  # all data with its sides; None where only a bundle is known
    seed: int = 0
    run: Run | None = None
    info: Mapping[str, Any] = field(default_factory=dict)  # of the run
    tell: Tell = silent
    calibration: Calibration = NOTHING  # what the answers went through
    plain: Sequence[Annotation] = ()  # the answers before it
    seconds: float = 2.0  # that each of the slow studies may take, about
