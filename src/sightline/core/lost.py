"""What a layout of labels cannot hold: refused, or dropped and written down, never dropped in silence."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from sightline.core.errors import InputError


@dataclass(slots=True)
class Lost:
    """What was left out while writing, by kind; a strict one refuses the first thing instead."""

    layout: str
    strict: bool = True
    counts: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)  # kind of loss -> the first sample that met it

    def drop(self, sample: str, what: str) -> None:
        """Leave `what` of a sample out; `what` names a kind of thing ("group", "masks"), the same for all samples."""
        if self.strict:
            raise InputError(
                "label",
                f"{sample}: the layout '{self.layout}' cannot hold its {what}. "
                "Write jsonlines, which holds all, or convert, which lists what is lost.",
            )
        self.counts[what] += 1
        self.examples.setdefault(what, sample)

    @property
    def lines(self) -> list[str]:
        """One line a kind of loss, the most frequent first."""
        return [
            f"{count:,} x {what} (first in {self.examples[what]})"
            for what, count in sorted(self.counts.items(), key=lambda pair: (-pair[1], pair[0]))
        ]
