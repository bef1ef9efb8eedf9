"""Which runtime and precision answer fastest on this machine: measured once for a bundle, remembered, and said aloud.

Only forms whose answers to the golden samples are close enough take part. A lower precision than that of the graph
takes part only where the user says how far answers may differ, or where what it loses was measured on labelled pictures
and found small enough (`sightline bench`): a few golden samples alone are too few to say.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from sightline.core import catalog
from sightline.core.errors import BundleError, StorageError
from sightline.core.files import cache_folder, canonical, digest, write_durably
from sightline.core.record import apart
from sightline.core.task import Arrays, Run
from sightline.predicting.runtimes import PRECISIONS, Form, forms, open_graph, runtimes

BATCHES = (1, 8)
WORTH = 1.03  # a form must be this much faster than the usual one to be taken
FEWEST, MOST = 3, 40  # rounds of timing
FAR = 0.1  # of the largest number of an output: a form farther from the usual one than this computes something else
PATIENCE = 0.8  # seconds for each number of rows, all forms together
Answering = Callable[[Run], float]  # gives the golden answers through a run; the largest gap


@dataclass(frozen=True)
class Measured:
    """One form of one bundle on this machine."""

    form: Form
    gap: float  # of its golden answers
    away: float = 0.0  # how far its plain outputs are from those of the usual form, as a share of the largest number
    seconds: Mapping[int, float] = field(default_factory=dict)  # rows of a pass -> for each row
    accepted: bool = False  # its loss was measured on labelled pictures and found small enough
    refused: str = ""  # why it cannot run here at all

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; what is infinitely far is null."""
        far = {
            name: value if math.isfinite(value) else None for name, value in (("gap", self.gap), ("away", self.away))
        }
        return asdict(self) | far | {"seconds": {str(rows): each for rows, each in self.seconds.items()}}

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Measured:
        """What `to_json` wrote."""
        gap, away = (math.inf if plain[name] is None else float(plain[name]) for name in ("gap", "away"))
        seconds = {int(rows): float(each) for rows, each in plain["seconds"].items()}
        return cls(Form(**plain["form"]), gap, away, seconds, bool(plain["accepted"]), str(plain["refused"]))


@dataclass(frozen=True)
class Choice:
    """The form to take, and all that was measured."""

    form: Form
    measured: tuple[Measured, ...]
    allowed: float  # gap of the answers
    rows: int

    @property
    def gap(self) -> float:
        """Of the golden answers, as it was measured; a little more is rounding."""
        return 1.1 * next(row.gap for row in self.measured if row.form == self.form)

    def told(self, graph: bytes) -> str:
        """One line for people."""
        rows = {row.form: row for row in self.measured}
        own, usual = rows[self.form], self.measured[0]
        line = f"runtime: {self.form.told(graph)}"
        if own is not usual and usual.seconds:
            line += f", {_pace(usual, self.rows) / _pace(own, self.rows):.2f} times as fast as {usual.form.told(graph)}"
        why = "accepted before" if own.accepted and own.gap > self.allowed else f"allowed {self.allowed:.2g}"
        return f"{line}; golden answers at most {own.gap:.2g} apart ({why}), outputs {own.away:.2%}"


def choose(
    graph: bytes,
    seal: str,
    answering: Answering,
    *,
    allowed: float,
    lower: bool = False,
    threads: int | None = None,
    rows: int = 1,
) -> Choice:
    """The fastest form within `allowed`, of a lower precision too where that may be; a bundle is measured once."""
    memory = _memory(seal, threads)
    measured = recall(memory)
    if not measured:
        measured = measure(graph, answering, threads=threads)
        remember(memory, measured)
    return pick(measured, allowed, lower, rows)


def pick(measured: Sequence[Measured], allowed: float, lower: bool = False, rows: int = 1) -> Choice:
    """The fastest of those whose answers are close enough; the usual one where the gain is nothing."""
    able = [row for row in measured if row.accepted or _close(row, allowed, lower)]
    if not able:
        whys = "; ".join(f"{row.form}: {row.refused or f'gap {row.gap:.3g}'}" for row in measured)
        raise BundleError(f"no runtime here gives the golden answers within {allowed:.3g} ({whys}).")
    best = min(able, key=lambda row: _pace(row, rows))
    usual = next((row for row in able if row is measured[0]), best)
    best = best if _pace(usual, rows) > WORTH * _pace(best, rows) else usual
    return Choice(best.form, tuple(measured), allowed, rows)


def _close(row: Measured, allowed: float, lower: bool) -> bool:
    """Whether a form may be taken without its loss being known."""
    full = row.form.precision == PRECISIONS[0]
    return not row.refused and row.gap <= allowed and row.away <= FAR and (full or lower)


def measure(
    graph: bytes, answering: Answering, *, threads: int | None = None, batches: Sequence[int] = BATCHES
) -> list[Measured]:
    """Gap and seconds of every form; timed in turn, so that a busy machine treats all alike."""
    found: list[Measured] = []
    runs: dict[Form, Run] = {}
    seen: dict[Form, tuple[Arrays, Arrays]] = {}  # the last pass of each
    for form in forms():
        try:
            run = open_graph(form, graph, f"the graph in {form}", threads)
            gap = answering(_noting(run, form, seen))
        except BundleError as error:
            found.append(Measured(form, math.inf, refused=error.message))
            continue
        runs[form] = run
        usual = next(iter(runs))
        found.append(Measured(form, gap, _apart(seen[usual][1], seen[form][1]) if form in seen else 0.0))
    paces: dict[Form, dict[int, float]] = {form: {} for form in runs}
    for rows in batches if seen else ():
        for form, times in timed(runs, tiled(next(iter(seen.values()))[0], rows)).items():
            paces[form][rows] = float(np.quantile(times, 0.25)) / rows
    return [replace(row, seconds=paces.get(row.form, {})) for row in found]


def _noting(run: Run, form: Form, seen: dict[Form, tuple[Arrays, Arrays]]) -> Run:
    """The same run; what it was given last and answered is kept in `seen`."""

    def noted(arrays: Arrays) -> Arrays:
        made = run(arrays)
        seen[form] = arrays, made
        return made

    return noted


def _apart(usual: Arrays, own: Arrays) -> float:
    """The largest difference of two passes' outputs, each as a share of its largest number."""
    return max(
        (apart(value, own[name], max(1e-12, float(np.abs(value).max(initial=0.0)))) for name, value in usual.items()),
        default=0.0,
    )


def tiled(arrays: Arrays, rows: int) -> Arrays:
    """The inputs of a pass with this many rows."""
    most = max((len(array) for array in arrays.values() if array.ndim), default=1)
    order = np.arange(rows) % most
    return {name: array[order] if array.ndim and len(array) == most else array for name, array in arrays.items()}


def timed(runs: Mapping[Form, Run], given: Arrays, patience: float = PATIENCE) -> dict[Form, list[float]]:
    """Seconds of passes, a few at least; the first of each warms up."""
    times: dict[Form, list[float]] = {form: [] for form in runs}
    for run in runs.values():
        run(given)
    end = time.perf_counter() + patience
    for turn in range(MOST):
        if turn >= FEWEST and time.perf_counter() > end:
            break
        for form, run in runs.items():
            start = time.perf_counter()
            run(given)
            times[form].append(time.perf_counter() - start)
    return times


def accept(seal: str, threads: int | None, accepted: Sequence[Form], measured: Sequence[Measured]) -> None:
    """Remember what was measured anew, and which forms may be taken although their answers differ a little."""
    remember(_memory(seal, threads), [replace(row, accepted=row.form in accepted) for row in measured])


def remember(memory: Path, measured: Sequence[Measured]) -> None:
    """Keep what was measured; a full or closed disk is no reason to fail."""
    with contextlib.suppress(StorageError):
        write_durably(memory, canonical([row.to_json() for row in measured]), sync=False)


def recall(memory: Path) -> list[Measured]:
    """What is kept; nothing where it cannot be read."""
    try:
        return [Measured.from_json(row) for row in json.loads(memory.read_bytes())]
    except (OSError, ValueError, TypeError, LookupError, AttributeError):
        return []


def _memory(seal: str, threads: int | None) -> Path:
    """A file a bundle, machine, number of threads and set of runtimes."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    machine = [platform.node(), platform.machine(), platform.processor(), usable]
    libraries = [library for name in runtimes() for library in catalog.find("exporters", name).NEEDS]
    versions = {library: _version(library) for library in libraries}
    question = {"seal": seal, "threads": threads, "machine": machine, "versions": versions}
    return cache_folder() / "runtimes" / f"{digest(canonical(question))[:32]}.json"


def _version(library: str) -> str:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:  # built by hand, or under another name
        return ""


def _pace(row: Measured, rows: int) -> float:
    """Seconds for each row at the nearest number of rows that was timed."""
    if not row.seconds:
        return math.inf
    return row.seconds[min(row.seconds, key=lambda have: abs(have - rows))]
