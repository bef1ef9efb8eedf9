"""Every check over a data set, each picture's bytes read once, and one line that says what was found."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sightline.core import catalog
from sightline.core.data import open_data
from sightline.core.finding import Finding
from sightline.core.known import look_at_all, remember
from sightline.core.progress import Event, Tell, silent


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
            "line": self.line,
        }


def audit(data: Any, *, tell: Tell = silent, format: str | None = None) -> Audit:
    """Look at data with every check there is."""
    begun = time.monotonic()
    samples = remember(open_data(data, format=format))
    look_at_all(samples, tell)
    findings: list[Finding] = []
    for name in catalog.names("checks"):
        findings += catalog.find("checks", name)(samples)
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
    )
    tell(Event("audit", done.line, done.to_json()))
    return done
