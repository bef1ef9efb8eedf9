"""What every way to run a graph gives and costs on this machine: its gap, and its seconds for some numbers of rows."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

import numpy as np

from sightline.core.errors import BundleError
from sightline.core.record import apart
from sightline.core.task import Arrays, Run
from sightline.predicting.runtimes import Form, forms, open_graph

BATCHES = (1, 8)
FEWEST, MOST = 3, 40  # rounds of timing
PATIENCE = 0.8  # seconds for each number of rows, all forms together
Answering = Callable[[Run], float]  # gives the golden answers through a run; the largest gap
_Key = TypeVar("_Key", bound=Hashable)


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

    def pace(self, rows: int) -> float:
        """Seconds for each row at the nearest number of rows that was timed."""
        if not self.seconds:
            return math.inf
        return self.seconds[min(self.seconds, key=lambda have: abs(have - rows))]


@dataclass(frozen=True)
class Opened:
    """The forms that run a graph here, what was found of each, and inputs as they are given."""

    measured: list[Measured]
    runs: dict[Form, Run]
    given: Arrays | None  # of a pass over golden samples; None where none was asked for


def open_forms(graph: bytes, answering: Answering, threads: int | None = None) -> Opened:
    """Every form that opens, with the gap of its answers; the others with the reason."""
    found: list[Measured] = []
    runs: dict[Form, Run] = {}
    seen: dict[Form, tuple[Arrays, Arrays]] = {}  # the last pass of each
    for form in forms(graph):
        try:
            run = open_graph(form, graph, f"the graph in {form}", threads)
            gap = answering(_noting(run, form, seen))
        except BundleError as error:
            found.append(Measured(form, math.inf, refused=error.message))
            continue
        runs[form] = run
        usual = next(iter(runs))
        found.append(Measured(form, gap, _apart(seen[usual][1], seen[form][1]) if form in seen else 0.0))
    return Opened(found, runs, next(iter(seen.values()))[0] if seen else None)


def measure(
    graph: bytes, answering: Answering, *, threads: int | None = None, batches: Sequence[int] = BATCHES
) -> list[Measured]:
    """Gap and seconds of every form; timed in turn, so that a busy machine treats all alike."""
    opened = open_forms(graph, answering, threads)
    paces: dict[Form, dict[int, float]] = {form: {} for form in opened.runs}
    for rows in batches if opened.given is not None else ():
        given = tiled(opened.given or {}, rows)
        calls = {form: partial(run, given) for form, run in opened.runs.items()}
        for form, times in timed(calls).items():
            paces[form][rows] = float(np.quantile(times, 0.25)) / rows
    return [replace(row, seconds=paces.get(row.form, {})) for row in opened.measured]


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


def timed(calls: Mapping[_Key, Callable[[], object]], patience: float = PATIENCE) -> dict[_Key, list[float]]:
    """Seconds of each call, taken in turn, a few at least; the first of each warms up."""
    times: dict[_Key, list[float]] = {key: [] for key in calls}
    for call in calls.values():
        call()
    end = time.perf_counter() + patience
    for turn in range(MOST):
        if turn >= FEWEST and time.perf_counter() > end:
            break
        for key, call in calls.items():
            start = time.perf_counter()
            call()
            times[key].append(time.perf_counter() - start)
    return times
