"""Numbers that the picture stands for: a count, a size, a quality, each with an interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from sightline.core import catalog
from sightline.core.annotations import Annotation, Value
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError
from sightline.core.inputs import Frame, InputSpec, common_spec
from sightline.core.naming import listed
from sightline.core.sample import Sample
from sightline.core.task import Arrays, Facts, Fit, Step, Task
from sightline.core.thresholds import NORMAL


@dataclass(frozen=True)
class Settings:
    """Settings of the task; a `None` is found in the data."""

    size: int | None = None  # side of the network's input; None: from the pictures, at most 224
    dropout: float = 0.0  # part of what the last layer sees that is left out by chance


class Estimate(Task):
    """A shared network, a number and its spread for each name."""

    kind = Value
    metrics = ("mean_absolute_error", "r_squared", "interval_coverage", "interval_score", "root_mean_square_error")
    model = "small"
    Options = Settings

    def fits(self, data: Dataset) -> Fit:
        if data.kind is not Value:
            return Fit(0, "needs numbers for each picture")
        if not data.names:
            names = data[0].truth.names if len(data) and isinstance(data[0].truth, Value) else ()
            return Fit(2 if names else 0, f"numbers: {listed(names)}" if names else "needs numbers, and there are none")
        return Fit(2, f"numbers: {listed(data.names)}")

    def prepare(self, data: Dataset, options: Settings, model: str) -> Facts:
        channels, depth, usual = common_spec(data)
        size = (options.size,) * 2 if options.size else tuple(min(224, max(32, side)) for side in usual)
        names = _names(data)
        rows = np.array([_row(sample, names) for sample in data if sample.truth is not None]).reshape(-1, len(names))
        middle, wide = _standard(rows, names, data.name)
        extra = {"middle": middle.tolist(), "wide": wide.tolist()}
        return Facts({"image": InputSpec(size, channels, depth)}, names, asdict(options), extra)

    def network(self, model: str, facts: Facts) -> Any:
        spec, found, count = facts.input, catalog.find("models", model), len(facts.names)
        built = found.build(spec.channels, **({"count": 2 * count} if found.GIVES == "logits" else {}))
        return catalog.find("heads", "numbers")(built, spec, count, dropout=facts.options["dropout"])

    def targets(self, samples: Sequence[Sample], frames: Sequence[Frame], facts: Facts) -> Arrays:
        """Numbers in spreads of the training side; NaN where nobody knows."""
        rows = np.array([_row(samples[frame.sample], facts.names) for frame in frames])
        return {"numbers": ((rows - facts.extra["middle"]) / facts.extra["wide"]).astype(np.float32)}

    def augment(self, facts: Facts) -> tuple[tuple[str, dict[str, Any]], ...]:
        return (("flip", {}), ("light", {}))  # no zoom: it would change what is measured

    def loss(self, step: Step) -> dict[str, Any]:
        out, truth = step.network(image=step.batch["image"]), step.batch["numbers"]
        likely = catalog.find("losses", "gaussian_likelihood")
        return {  # the spread learns from misses that it cannot excuse: numbers do not learn from the spread
            "numbers": catalog.find("losses", "huber")(out["numbers"], truth),
            "spread": 0.25 * likely(out["numbers"].detach(), out["spread"], truth),
        }

    def decode(self, outputs: Arrays, frames: Sequence[Frame], facts: Facts) -> list[Annotation]:
        middle, wide = np.array(facts.extra["middle"]), np.array(facts.extra["wide"])
        numbers = outputs["numbers"].astype(np.float64) * wide + middle
        reach = NORMAL * outputs["spread"].astype(np.float64) * wide
        columns = (column.astype(np.float32) for column in (numbers, numbers - reach, numbers + reach))
        rows = zip(*columns, strict=True)
        return [Value(facts.names, row, low, high) for row, low, high in rows]


def _names(data: Dataset) -> tuple[str, ...]:
    """The numbers that are asked for, in the order in which the labels give them."""
    first = next((sample.truth.names for sample in data if isinstance(sample.truth, Value)), ())
    return tuple(dict.fromkeys((*first, *data.names)))


def _row(sample: Sample, names: Sequence[str]) -> np.ndarray:
    """The numbers of one picture in this order, NaN for those that it lacks."""
    truth, row = sample.truth, np.full(len(names), np.nan)
    if not isinstance(truth, Value) or not set(truth.names) <= set(names):
        given = listed(getattr(truth, "names", ())) or "none"
        raise InputError("label", f"{sample.id}: has the numbers {given}, wanted are {listed(names)}.")
    row[[names.index(name) for name in truth.names]] = truth.numbers
    if np.isinf(row).any():
        raise InputError("label", f"{sample.id}: {names[int(np.argmax(np.isinf(row)))]} is infinite; give a number.")
    return row


def _standard(rows: np.ndarray, names: Sequence[str], where: str) -> tuple[np.ndarray, np.ndarray]:
    """Mean and spread of each number; one that never differs is nothing to learn."""
    known = ~np.isnan(rows)
    bare = [name for name, count in zip(names, known.sum(0), strict=True) if not count]
    if bare:
        raise InputError("label", f"{where}: no picture has a number for {listed(bare)}.")
    middle, wide = np.nanmean(rows, 0), np.nanstd(rows, 0)
    flat = wide <= 1e-9 * (1 + np.abs(middle))
    still = [name for name, same in zip(names, flat, strict=True) if same]
    if len(still) == len(names):
        raise InputError("label", f"{where}: {listed(still)} is the same for every picture; there is nothing to learn.")
    return middle, np.where(flat, 1.0, wide)


TASK = Estimate()
