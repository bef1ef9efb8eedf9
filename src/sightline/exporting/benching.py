"""Every form of one or several bundles side by side: size, seconds, memory, gap, and its figure on labelled data."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from sightline.core import bundle as bundles
from sightline.core import catalog, golden
from sightline.core.annotations import Annotation
from sightline.core.data import open_data
from sightline.core.dataset import Dataset
from sightline.core.errors import AmbiguousError, SettingsError
from sightline.core.progress import Event, Tell, silent
from sightline.core.sample import Sample
from sightline.core.tally import Tally
from sightline.core.task import posed
from sightline.core.thresholds import bound
from sightline.evaluating.intervals import interval
from sightline.predicting.answers import judged, torch_run
from sightline.predicting.choosing import accept, close_enough
from sightline.predicting.measuring import PATIENCE, Measured, open_forms, tiled, timed
from sightline.predicting.model import (
    Model,
    bare_model,
    bundle_of,
    check_threads,
    golden_gap,
    largest_gap,
    torch_network,
)
from sightline.predicting.runtimes import Form
from sightline.predicting.weighing import weigh

BATCHES = (8, 16)  # pictures asked about at a time, beside one
TORCH = Form("torch")


@dataclass(frozen=True)
class Row:
    """One form of one bundle."""

    model: str
    form: Form
    told: str  # runtime and numbers, for people
    size: int  # bytes of what it opens
    gap: float  # of its answers to the golden samples of the first bundle
    taken: bool  # whether its answers are close enough to be taken without a word
    p50: float = math.nan  # milliseconds from the bytes of one picture to its answer
    p95: float = math.nan
    network: float = math.nan  # milliseconds of the network alone, in the middle
    rates: Mapping[int, float] = field(default_factory=dict)  # pictures asked about at a time -> answered in a second
    memory: float = math.nan  # bytes at the peak of a process of its own
    figure: Mapping[str, Any] | None = None  # the first metric of the task, with its interval
    drop: float = math.nan  # of that metric, in points of a hundred, against the first row
    refused: str = ""  # why it does not run here

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; what is no number is left to the writer."""
        return asdict(self) | {"rates": {str(rows): rate for rows, rate in self.rates.items()}}


@dataclass(frozen=True)
class Bench:
    """The table, and whether a budget holds."""

    rows: tuple[Row, ...]
    threads: int | None
    count: int  # labelled pictures
    budget: float | None = None  # milliseconds for one picture
    accepted: tuple[str, ...] = ()  # forms that may be taken from now on, by what they lose

    @property
    def holder(self) -> Row | None:
        """The quickest form that may be taken, where it keeps to the budget."""
        able = [row for row in self.rows if (row.taken or row.told in self.accepted) and not math.isnan(row.p95)]
        best = min(able, key=lambda row: row.p95, default=None)
        return best if best is not None and self.budget is not None and best.p95 <= self.budget else None

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        holder = self.holder
        plain = {"threads": self.threads, "count": self.count, "accepted": list(self.accepted)}
        kept = {"milliseconds": self.budget, "holds": holder is not None, "by": holder.told if holder else None}
        return {"rows": [row.to_json() for row in self.rows], **plain, "budget": None if self.budget is None else kept}


@dataclass(frozen=True)
class _Entry:
    """A form that is open."""

    row: Row
    model: Model
    measured: Measured | None  # None: torch, which no bundle is opened in by itself
    graph: bytes


def bench(
    models: Sequence[str | Path],
    data: Any = None,
    *,
    side: str | None = None,
    format: str | None = None,
    threads: int | None = None,
    budget: float | None = None,
    max_drop: float | None = None,
    memory: bool = True,
    tell: Tell = silent,
) -> Bench:
    """Measure every form of every bundle; the first bundle in the usual runtime is what all others are held to.

    With `data` and `max_drop` (points of a hundred) the forms of each bundle that lose no more are remembered, so that
    `load(..., backend="fastest")` may take them.
    """
    check_threads(threads)
    for name, given in {"max_drop": max_drop, "budget": budget}.items():
        if given is not None and not given >= 0:
            raise SettingsError(f"{name} = {given:g}: must be 0 or more.")
    held = None if data is None else open_data(data, format=format)
    entries: list[_Entry] = []
    first: tuple[list[Sample], list[Annotation], int] | None = None
    for path in models:
        where = bundle_of(path)
        opened = bundles.load(where)
        tell(Event("note", f"opening {path} in every runtime that is here"))
        first = first or golden.unpack(opened.files["golden.npz"], f"{where}/golden.npz")
        entries += _entries(str(path), opened, str(where), threads, first)
    assert first is not None
    running = [place for place, entry in enumerate(entries) if not entry.row.refused]
    entries = _timed(entries, running, first[0], tell)
    if memory:
        entries = [_weighed(entry, first[0], threads, tell) if not entry.row.refused else entry for entry in entries]
    count = 0
    if held is not None:
        entries, count = _judged(entries, running, held.side(side) if side else held, tell)
    accepted = _accepted(entries, threads, max_drop if data is not None else None)
    return Bench(tuple(entry.row for entry in entries), threads, count, budget, accepted)


def _entries(
    path: str,
    opened: bundles.Bundle,
    label: str,
    threads: int | None,
    first: tuple[list[Sample], list[Annotation], int],
) -> list[_Entry]:
    """The forms of one bundle, with the gap of their answers to those of the first."""
    bare, graph = bare_model(opened, label), opened.files.get("model.onnx", b"")
    allowed = float(bare.card["golden"]["tolerance"])
    found: list[_Entry] = []
    if graph:
        held = open_forms(graph, golden_gap(bare, opened, label), threads)
        for measured in held.measured:
            form = measured.form
            run = held.runs.get(form, bare.run)
            model = replace(bare, run=run, backend=form.runtime, precision=form.precision)
            gap = math.inf if measured.refused else _gap(model, first)
            taken = close_enough(measured, allowed, lower=False)
            row = Row(path, form, form.told(graph), len(graph), gap, taken, refused=measured.refused)
            found.append(_Entry(row, model, measured, graph))
    weights = opened.files.get("weights.safetensors", b"")
    if weights and find_spec("torch") is not None:
        network = torch_network(bare.task, bare.card["model"], bare.facts, bundles.weights(opened))
        model = replace(bare, run=torch_run(network, threads=threads), backend=TORCH.runtime)
        gap = _gap(model, first)
        found.append(_Entry(Row(path, TORCH, str(TORCH), len(weights), gap, gap <= allowed), model, None, graph))
    return found


def _gap(model: Model, first: tuple[list[Sample], list[Annotation], int]) -> float:
    samples, wanted, seed = first
    return largest_gap(model.predict(samples, seed=seed), wanted)


def _timed(entries: list[_Entry], running: list[int], samples: list[Sample], tell: Tell) -> list[_Entry]:
    """All forms in turn: from the bytes of a picture to its answer, in batches too, and the network alone."""
    tell(Event("note", f"timing {len(running)} forms in turn"))
    alone = timed({n: partial(entries[n].model.predict, samples[:1]) for n in running}, 4 * PATIENCE)
    bare = timed({n: partial(entries[n].model.run, _given(entries[n].model, samples, 1)) for n in running})
    rates: dict[int, dict[int, float]] = {n: {} for n in running}
    for rows in BATCHES:
        many = [replace(samples[k % len(samples)], id=f"bench-{k}") for k in range(rows)]
        times = timed({n: partial(_all_of, entries[n].model, many, rows) for n in running})
        for n, spent in times.items():
            rates[n][rows] = rows / float(np.median(spent))
    made = list(entries)
    for n in running:
        milliseconds = 1000 * np.array(alone[n])
        network = 1000 * float(np.median(bare[n]))
        middle, most = (float(number) for number in np.quantile(milliseconds, (0.5, 0.95)))
        row = replace(entries[n].row, p50=middle, p95=most, network=network, rates=rates[n])
        measured = entries[n].measured
        if measured is not None:
            paces = {1: network / 1000} | {rows: 1 / rate for rows, rate in rates[n].items()}
            measured = replace(measured, seconds=paces)
        made[n] = replace(entries[n], row=row, measured=measured)
    return made


def _all_of(model: Model, samples: list[Sample], rows: int) -> None:
    for _ in model.predict_all(samples, batch=rows):
        pass


def _given(model: Model, samples: list[Sample], rows: int) -> dict[str, np.ndarray]:
    """The inputs of a pass over so many pictures."""
    seen: list[dict[str, np.ndarray]] = []

    def noting(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        seen[:] = [arrays]
        return model.run(arrays)

    replace(model, run=noting).predict(samples[:1])
    return tiled(seen[0], rows)


def _weighed(entry: _Entry, samples: list[Sample], threads: int | None, tell: Tell) -> _Entry:
    if entry.measured is None:
        return entry
    tell(Event("note", f"memory of {entry.row.told}"))
    given = _given(entry.model, samples, max(BATCHES))
    return replace(entry, row=replace(entry.row, memory=weigh(entry.graph, entry.row.form, given, threads)))


def _judged(entries: list[_Entry], running: list[int], held: Dataset, tell: Tell) -> tuple[list[_Entry], int]:
    """The first metric of the task for each form, and what it loses against the first row."""
    made, count, usual = list(entries), 0, math.nan
    for n in running:
        model = entries[n].model
        tell(Event("note", f"asking {entries[n].row.told} about {len(held)} samples"))
        tally = _tally(model, held)
        figure = interval(tally).to_json()
        usual = tally.value if math.isnan(usual) else usual
        drop = 100 * (usual - tally.value) * (1 if tally.better == "higher" else -1)
        name = model.task.metrics[0]
        made[n] = replace(entries[n], row=replace(entries[n].row, figure={"name": name, **figure}, drop=drop))
        count = len(tally)
    return made, count


def _tally(model: Model, held: Dataset) -> Tally:
    given = model.predict_all(posed(model.task, held, model.facts))
    pairs = [(truth, answer) for _, truth, answer, _ in judged(model.task, given, model.facts)]
    if not pairs:
        raise AmbiguousError(f"{held.name}: there is nothing to measure on: no sample that can be read has a truth.")
    metric = bound(catalog.find("metrics", model.task.metrics[0]), model.card["thresholds"])
    tally: Tally = metric([truth for truth, _ in pairs], [answer for _, answer in pairs])
    return tally


def _accepted(entries: list[_Entry], threads: int | None, most: float | None) -> tuple[str, ...]:
    """Keep what was measured of each bundle, and which forms lose no more than `most` points."""
    named: list[str] = []
    for seal in dict.fromkeys(entry.model.version for entry in entries):
        own = [entry for entry in entries if entry.model.version == seal and entry.measured is not None]
        forms = [entry.row.form for entry in own if most is not None and entry.row.drop <= most]
        accept(seal, threads, forms, [entry.measured for entry in own if entry.measured is not None])
        named += [entry.row.told for entry in own if entry.row.form in forms]
    return tuple(named)
