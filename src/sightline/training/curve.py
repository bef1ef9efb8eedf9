"""Would more data help, and how much: the same training on growing parts, and the curve drawn out."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from sightline.core import catalog
from sightline.core.annotations import Labels
from sightline.core.chance import generator
from sightline.core.data import open_data
from sightline.core.dataset import Dataset
from sightline.core.errors import SettingsError
from sightline.core.files import canonical, write_durably
from sightline.core.known import remember
from sightline.core.progress import Event, Tell, silent
from sightline.core.splitting import split
from sightline.core.tally import Tally
from sightline.evaluating.evaluate import answered, finite
from sightline.evaluating.intervals import interval
from sightline.training.law import Law, fit
from sightline.training.settings import Settings
from sightline.training.train import settle, train

SHARES = (0.1, 0.2, 0.4, 0.7, 1.0)
LONGER = 4  # times the epochs that a small part may learn, so that it takes about as many steps
DRAWS = 400
AHEAD = (2, 5, 10)  # times the data there is
_DECIBELS = 20  # of a factor of ten


@dataclass(frozen=True, slots=True)
class Missing:
    """What is still missing from a perfect value of a metric, and back: what a law of falling errors is fitted to."""

    higher: bool  # is better
    best: float  # that it can be

    def error(self, value: float) -> float:
        """Never negative, and smaller where the metric is better; without a best value it is taken for decibels."""
        if not self.higher:
            return value
        return self.best - value if math.isfinite(self.best) else 10 ** (-value / _DECIBELS)

    def value(self, error: Any) -> Any:
        """The metric at which so much is missing."""
        if not self.higher:
            return error
        return self.best - error if math.isfinite(self.best) else -_DECIBELS * np.log10(np.maximum(error, 1e-30))


@dataclass(frozen=True, slots=True)
class Curve:
    """Errors of the first metric at growing sizes, the law through them, and what it foretells."""

    metric: str
    points: tuple[Mapping[str, Any], ...]
    law: Law
    ahead: tuple[Mapping[str, Any], ...]
    path: Path
    missing: Missing

    def value_at(self, count: Any) -> np.ndarray:
        """The metric that the law foretells for so many samples."""
        return np.asarray(self.missing.value(self.law.at(count)))

    def needed(self, goal: float) -> float | None:
        """Samples until the metric is this good; None where the law never gets there."""
        found = self.law.needed(self.missing.error(goal))
        return found if math.isfinite(found) else None

    @property
    def line(self) -> str:
        """What it means, in one line."""
        now, twice = self.points[-1], self.ahead[0]
        said = f"{self.metric} {now['value']:.3g} with {now['count']:,} samples"
        reach = f"{twice['value']:.3g} ({twice['low']:.3g} to {twice['high']:.3g})"
        if not math.isfinite(twice["value"]):
            return f"{said}; the curve says nothing of more"
        gain = abs(twice["value"] - float(self.value_at(now["count"])))  # a law only ever gets better
        width = abs(now["high"] - now["low"])
        verdict = "more data would help" if gain > width / 4 else "more data of this kind would hardly help"
        return f"{said}; with twice as many about {reach}: {verdict}"

    def to_json(self) -> dict[str, Any]:
        law = {"floor": self.law.floor, "scale": self.law.scale, "power": self.law.power}
        return {
            "metric": self.metric,
            "points": [dict(point) for point in self.points],
            "law": law,
            "ahead": [dict(row) for row in self.ahead],
            "line": self.line,
            "path": str(self.path),
        }


def learning_curve(
    data: Any,
    task: str | None = None,
    *,
    shares: Sequence[float] = SHARES,
    model: str | None = None,
    out: str | Path | None = None,
    format: str | None = None,
    settings: Settings | Mapping[str, Any] | None = None,
    options: Mapping[str, Any] | None = None,
    tell: Tell = silent,
) -> Curve:
    """Train on growing parts of the training side, measured on the same held-out side; continues where it stopped."""
    given = sorted({float(share) for share in shares})
    if len(given) < 3 or given[0] <= 0 or given[-1] > 1:
        raise SettingsError(f"shares {', '.join(map(str, shares))}: give three or more, above 0 and at most 1.")
    opened = remember(open_data(data, format=format))
    shared = settle(opened, data, task, model, out, format, settings, options, "curve")
    chosen, folder = shared.settings, shared.folder
    parted = split(opened, seed=chosen.seed, by=chosen.split_by or None, tell=tell)
    train_side = parted.side("train")
    order = _order(train_side, chosen.seed)
    points, tallies, name = [], [], ""
    for share in given:
        rows = sorted(_first(order, share))
        part = _with(parted, train_side, rows)
        tell(Event("note", f"learning from {len(rows):,} of {len(train_side):,}"))
        longer = replace(chosen, epochs=max(1, round(chosen.epochs * min(LONGER, 1 / share))))
        place = folder / f"share-{round(100 * share):03}"
        told: dict[str, Any] = {"model": shared.model, "options": shared.options, "settings": asdict(longer)}
        run = train(part, task, out=place, look=False, tell=tell, **told)
        wired, _, truths, said = answered(run, part)
        name = wired.metrics[0]
        tally = catalog.find("metrics", name)(truths, said)
        reach = interval(tally).to_json()
        points.append({"share": share, "count": len(rows), **{key: reach[key] for key in ("value", "low", "high")}})
        tallies.append(tally)
    missing = Missing(tallies[0].better == "higher", tallies[0].limits[1])
    law, ahead = _foretold([point["count"] for point in points], tallies, missing)
    made = Curve(name, tuple(points), law, ahead, folder, missing)
    write_durably(folder / "curve.json", canonical(finite(made.to_json())))
    return made


def _order(train: Dataset, seed: int) -> dict[str, list[int]]:
    """Rows of each name in an order by chance: a larger part holds every smaller one."""
    rows: dict[str, list[int]] = defaultdict(list)
    for row, truth in enumerate(train.column("truth")):
        rows[truth.best if isinstance(truth, Labels) else ""].append(row)
    return {name: [some[place] for place in generator(seed, "curve", name).permutation(len(some))]
            for name, some in sorted(rows.items())}  # fmt: skip


def _first(order: Mapping[str, list[int]], share: float) -> list[int]:
    """The first part of every name, two at least."""
    return [row for rows in order.values() for row in rows[: max(min(2, len(rows)), round(share * len(rows)))]]


def _with(parted: Dataset, train: Dataset, rows: Sequence[int]) -> Dataset:
    """All other sides, and these rows of the training side."""
    kept = {train[row].id for row in rows}
    ids, sides = parted.column("id"), parted.column("split")
    return parted.take([row for row in range(len(parted)) if sides[row] != "train" or ids[row] in kept])


def _foretold(
    counts: Sequence[int], tallies: Sequence[Tally], missing: Missing
) -> tuple[Law, tuple[dict[str, Any], ...]]:
    """The law through all points, and its reach over draws of the held-out samples, the same for every point."""
    first = tallies[0]
    law = fit(counts, [missing.error(tally.value) for tally in tallies])
    rng = generator("curve", len(first))
    draws = [rng.integers(0, len(first), len(first)) for _ in range(DRAWS if first.resample else 0)]
    laws = []
    for drawn in draws:
        values = [float(tally.reduce(tally.rows[drawn])) for tally in tallies]
        if np.isfinite(values).all():
            laws.append(fit(counts, [missing.error(value) for value in values]))
    rows = []
    for times in AHEAD:
        count = times * counts[-1]
        several = np.array([missing.value(float(one.at(count))) for one in laws])
        low, high = np.quantile(several, (0.025, 0.975)) if len(several) else (math.nan, math.nan)
        value = float(missing.value(float(law.at(count))))
        rows.append({"count": count, "value": value, "low": float(low), "high": float(high)})
    return law, tuple(rows)
