"""Every check over a data set, each picture's bytes read once, and one line that says what was found."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sightline.auditing.difficulty import Difficulty, spread
from sightline.auditing.suspects import finding, suspects
from sightline.core import catalog
from sightline.core.data import open_data
from sightline.core.dataset import Dataset
from sightline.core.finding import Finding
from sightline.core.known import KnownImage, look_at_all, remember
from sightline.core.measures import measure_all
from sightline.core.progress import Event, Tell, silent

QUICK = 1000  # pictures that a quick look decodes
PIXELS = 150_000_000  # and how many pixels of them at most


@dataclass(frozen=True, slots=True)
class Audit:
    """What was looked at and what was found, the worst first."""

    name: str
    count: int  # samples
    names: Mapping[str, int]  # how many samples or objects carry each name, the commonest first
    kind: str | None  # of the labels
    findings: tuple[Finding, ...]
    seconds: float
    fingerprint: str
    looked: int = 0  # pictures that were decoded and measured
    depth: str = "whole"  # or quick
    difficulty: Difficulty | None = None  # of the labels; a quick audit does not ask

    @property
    def worst(self) -> str | None:
        """The severity of the worst finding."""
        return self.findings[0].severity if self.findings else None

    @property
    def line(self) -> str:
        """All of it in one line for people."""
        parts = [f"{self.count:,} {'picture' if self.count == 1 else 'pictures'}"]
        if self.kind is None:
            parts.append("no labels")
        elif self.names:
            shown = [f"{name} {count:,}" for name, count in self.names.items()]
            more = f", and {len(shown) - 6} more" if len(shown) > 6 else ""
            carried = "" if self.kind == "labels" else f"{sum(self.names.values()):,} {self.kind} of "
            word = "name" if len(shown) == 1 else "names"
            parts.append(f"{carried}{len(shown)} {word} ({', '.join(shown[:6])}{more})")
        else:
            parts.append(f"labelled with {self.kind}")
        checks = {finding.check for finding in self.findings}
        if "unreadable" not in checks:
            parts.append("nothing unreadable")
        if "duplicates" not in checks:
            parts.append("no exact duplicates")
        return ", ".join([*parts, *(finding.text.split(";")[0] for finding in self.findings)])

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "count": self.count,
            "names": dict(self.names),
            "kind": self.kind,
            "findings": [finding.to_json() for finding in self.findings],
            "seconds": round(self.seconds, 3),
            "fingerprint": self.fingerprint,
            "looked": self.looked,
            "depth": self.depth,
            "difficulty": None if self.difficulty is None else self.difficulty.to_json(),
            "line": self.line,
        }


def audit(data: Any, *, quick: bool = False, tell: Tell = silent, format: str | None = None) -> Audit:
    """Look at data with every check there is, and judge its labels.

    `quick` reads every picture's bytes, decodes about a thousand pictures, and leaves the labels to a later look.
    """
    begun = time.monotonic()
    samples = remember(open_data(data, format=format))
    if quick:
        look_at_all(samples, tell)
        looked = measure_all(samples, _some(samples), tell)
    else:
        looked = measure_all(samples, tell=tell)  # each picture is decoded once, for this and for its thumbnail
        look_at_all(samples)
    findings: list[Finding] = []
    for name in catalog.names("checks"):
        findings += catalog.find("checks", name)(samples)
    difficulty = None
    if not quick:
        doubted = suspects(samples, tell=tell)
        findings += finding(doubted)
        difficulty = spread(samples, doubted)
    findings.sort(key=lambda finding: finding.rank)
    counts = samples.counts()
    kind = samples.kind
    names = dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))
    done = Audit(
        samples.name,
        len(samples),
        names,
        None if kind is None else kind.__name__.lower(),
        tuple(findings),
        time.monotonic() - begun,
        samples.fingerprint,
        len(looked.rows) + len(looked.faults),
        "quick" if quick else "whole",
        difficulty,
    )
    tell(Event("audit", done.line, done.to_json()))
    return done


def _some(samples: Dataset) -> list[int]:
    """Pictures for a quick look, spread evenly: few enough to take seconds, none that would have to be drawn first."""
    stored = [
        place
        for place, sample in enumerate(samples)
        if sample.images and isinstance(sample.images[0], KnownImage) and sample.images[0].shape is not None
    ]
    chosen = stored[:: -(-len(stored) // QUICK)] if len(stored) > QUICK else stored
    sizes = [math.prod(samples[place].images[0].shape) for place in chosen]  # type: ignore[attr-defined]
    while len(chosen) > 1 and sum(sizes) > PIXELS:
        chosen, sizes = chosen[::2], sizes[::2]
    return chosen
