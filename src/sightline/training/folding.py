"""Cross-validation: every sample is answered once by a model that never saw it, nor anything of its group."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sightline.core import catalog
from sightline.core.annotations import Annotation
from sightline.core.data import open_data
from sightline.core.errors import SettingsError
from sightline.core.files import canonical, write_durably
from sightline.core.known import remember
from sightline.core.progress import Event, Tell, silent
from sightline.core.run import Run
from sightline.core.sides import write_sides
from sightline.core.splitting import nested_folds
from sightline.core.tally import Tally
from sightline.core.task import Task
from sightline.evaluating.evaluate import answered, finite
from sightline.evaluating.intervals import interval
from sightline.training.settings import Settings
from sightline.training.train import settle, train

INNER = 5  # of the rest of a fold, one part of this many chooses the best epoch


@dataclass(frozen=True, slots=True)
class Folds:
    """The runs, and each metric over all samples and over the folds."""

    path: Path
    runs: tuple[Run, ...]
    count: int  # samples that were answered
    figures: tuple[Mapping[str, Any], ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "path": self.path,
            "runs": [run.path for run in self.runs],
            "count": self.count,
            "figures": [dict(row) for row in self.figures],
        }


def cross_validate(
    data: Any,
    task: str | None = None,
    *,
    folds: int = 5,
    model: str | None = None,
    out: str | Path | None = None,
    format: str | None = None,
    settings: Settings | Mapping[str, Any] | None = None,
    options: Mapping[str, Any] | None = None,
    look: bool = True,
    tell: Tell = silent,
) -> Folds:
    """Train once a fold on the others and answer what was left out; the same call continues where it stopped.

    A part of the other folds chooses the best epoch, so that nothing is measured on what chose.
    """
    if folds < 2:
        raise SettingsError(f"--folds {folds}: give 2 or more.")
    opened = remember(open_data(data, format=format))
    shared = settle(opened, data, task, model, out, format, settings, options, f"{folds}-folds")
    chosen, folder = shared.settings, shared.folder
    parts = nested_folds(opened, folds, INNER, seed=chosen.seed, by=chosen.split_by or None, tell=tell)
    runs, truths, given = [], list[list[Annotation]](), list[list[Annotation]]()
    for number, inner in enumerate(parts, 1):
        part = inner[0]
        tell(Event("note", f"fold {number} of {folds}"))
        place: Any = part
        if isinstance(data, str | Path):
            place = folder / f"fold-{number}.jsonl"
            write_sides(part, place, where=str(data), format=format)
        run = train(
            place,
            task,
            model=shared.model,
            out=folder / f"fold-{number}",
            settings=asdict(chosen),
            options=shared.options,
            look=look and number == 1,
            tell=tell,
        )
        runs.append(run)
        _, _, so, said = answered(run, part)
        truths.append(so)
        given.append(said)
    wired: Task = catalog.find("tasks", runs[0].info["task"]).TASK
    figures = tuple(_figure(name, truths, given) for name in wired.metrics)
    made = Folds(folder, tuple(runs), sum(map(len, truths)), figures)
    write_durably(folder / "folds.json", canonical(finite(made.to_json())))
    return made


def _figure(name: str, truths: list[list[Annotation]], given: list[list[Annotation]]) -> dict[str, Any]:
    """Over all samples with an interval, and how far the folds lie apart."""
    metric = catalog.find("metrics", name)
    whole: Tally = metric([one for some in truths for one in some], [one for some in given for one in some])
    each = np.array([metric(so, said).value for so, said in zip(truths, given, strict=True)])
    reach = {**interval(whole).to_json(), "of": "fresh samples, and models trained on as many"}
    spread = {"mean": float(each.mean()), "spread": float(each.std(ddof=1)), "folds": each.tolist()}
    return {"name": name, **reach, **spread}
