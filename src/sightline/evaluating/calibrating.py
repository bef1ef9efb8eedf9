"""What the held-back side of a run says of its scores and of unusual pictures: learnt once, kept beside the weights."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from sightline.core import golden
from sightline.core.annotations import Annotation, Labels
from sightline.core.calibration import Calibration, learn, too_few
from sightline.core.chance import generator
from sightline.core.dataset import Dataset
from sightline.core.errors import RunError
from sightline.core.files import canonical, digest, write_durably
from sightline.core.outliers import ASKED, FEWEST, refer
from sightline.core.progress import Event, Tell, silent
from sightline.core.run import Run
from sightline.core.sample import Sample
from sightline.core.task import Facts, Task
from sightline.core.task import Run as Pass
from sightline.predicting.answers import judged, noted
from sightline.predicting.model import REFERENCE

NAME = "calibration.json"
LEARNT = 2000  # training pictures that are looked at once more, to know what is usual


def calibrated(run: Run, task: Task, facts: Facts, passes: Pass, parted: Dataset, tell: Tell = silent) -> Calibration:
    """What the run keeps, where it belongs to these weights; else it is learnt from the validation side and kept."""
    seal = digest(run.weights.read_bytes())
    kept = _kept(run, seal)
    if kept is not None:
        return kept
    seed = int(run.info["settings"]["seed"])
    made = learnt_by(task, facts, passes, parted, seed, tell)
    arrays = {} if made.outliers is None else made.outliers.arrays()
    packed = golden.pack_arrays(arrays) if arrays else b""
    if packed:
        write_durably(run.path / REFERENCE, packed)
    plain = {"weights": seal, "reference": digest(packed) if packed else None, "calibration": made.to_json()}
    write_durably(run.path / NAME, canonical(plain))
    for note in made.notes:
        tell(Event("note", note))
    return made


def _kept(run: Run, seal: str) -> Calibration | None:
    """What was learnt for the weights with this seal; None where there is nothing, or it is of other weights."""
    try:
        plain: dict[str, Any] = json.loads((run.path / NAME).read_bytes())
        if plain.get("weights") != seal:
            return None
        arrays = {}
        if plain["reference"] is not None:
            packed = (run.path / REFERENCE).read_bytes()
            if digest(packed) != plain["reference"]:
                return None
            arrays = golden.unpack_arrays(packed, REFERENCE)
        return Calibration.from_json(plain["calibration"], arrays)
    except OSError:
        return None
    except (ValueError, LookupError, AttributeError) as error:
        raise RunError(f"{run.path / NAME} is damaged: {error}. Delete it, and it is made anew.") from error


def learnt_by(task: Task, facts: Facts, passes: Pass, parted: Dataset, seed: int, tell: Tell) -> Calibration:
    """What a pass says of the held-back side, whatever computes it; nothing is kept."""
    val = parted.side("val")
    truths: list[Annotation] = []
    given: list[Annotation] = []
    rows: dict[str, list[np.ndarray]] = {name: [] for name in ASKED}
    for _, truth, answer, row in judged(task, noted(task, passes, val, facts, seed=seed), facts):
        truths.append(truth)
        given.append(answer)
        for name, numbers in row.items():
            rows[name].append(numbers)
    made = learn(truths, given, seed=seed)
    output = next((name for name in ASKED if len(rows[name]) == len(given) >= FEWEST), None)
    if task.kind is not Labels or not made.count:
        return made
    if output is None:
        return _without(made, f"No limit for unusual pictures: {too_few(len(given))} to know the usual.")
    tell(Event("note", "looking at what is usual"))
    learnt = _rows(task, facts, passes, _some(parted.side("train"), seed), seed, output)
    found = refer(output, learnt, np.array(rows[output]))
    if found is None:
        return _without(made, "No limit for unusual pictures: the network says too little of them.")
    return replace(made, outliers=found)


def _without(made: Calibration, why: str) -> Calibration:
    return replace(made, notes=(*made.notes, why))


def _some(train: Dataset, seed: int) -> Iterable[Sample]:
    order = generator(seed, "usual").permutation(len(train))[:LEARNT]
    return (train[int(place)] for place in np.sort(order))


def _rows(task: Task, facts: Facts, passes: Pass, samples: Iterable[Sample], seed: int, output: str) -> np.ndarray:
    found = [row[output] for _, _, row in noted(task, passes, samples, facts, seed=seed) if output in row]
    return np.array(found) if found else np.zeros((0, 1))
