"""Which runtime and precision answer fastest on this machine: measured once for a bundle, remembered, and said aloud.

Only forms whose answers to the golden samples are close enough take part. A lower precision than that of the graph
takes part only where the user says how far answers may differ, or where what it loses was measured on labelled pictures
and found small enough (`sightline bench`): a few golden samples alone are too few to say.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path

from sightline.core import catalog
from sightline.core.errors import BundleError, StorageError
from sightline.core.files import cache_folder, canonical, digest, write_durably
from sightline.predicting.measuring import Answering, Measured, measure
from sightline.predicting.runtimes import PRECISIONS, Form, runtimes

WORTH = 1.03  # a form must be this much faster than the usual one to be taken
FAR = 0.1  # of the largest number of an output: a form farther from the usual one than this computes something else


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
            line += f", {usual.pace(self.rows) / own.pace(self.rows):.2f} times as fast as {usual.form.told(graph)}"
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
    able = [row for row in measured if row.accepted or close_enough(row, allowed, lower)]
    if not able:
        whys = "; ".join(f"{row.form}: {row.refused or f'gap {row.gap:.3g}'}" for row in measured)
        raise BundleError(f"no runtime here gives the golden answers within {allowed:.3g} ({whys}).")
    best = min(able, key=lambda row: row.pace(rows))
    usual = next((row for row in able if row is measured[0]), best)
    best = best if usual.pace(rows) > WORTH * best.pace(rows) else usual
    return Choice(best.form, tuple(measured), allowed, rows)


def close_enough(row: Measured, allowed: float, lower: bool) -> bool:
    """Whether a form may be taken without its loss being known."""
    full = row.form.precision == PRECISIONS[0]
    return not row.refused and row.gap <= allowed and row.away <= FAR and (full or lower)


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
