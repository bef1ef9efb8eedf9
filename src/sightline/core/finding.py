"""What a check has to say about data: how bad, in one line, of which samples, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

SEVERITIES = ("stop", "warn", "note")  # the worst first: results would be worthless, doubtful, worth knowing
EXAMPLES = 20  # ids that a finding carries to be shown


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found; `ids` are examples, `count` is all of them."""

    check: str
    severity: str
    text: str
    ids: tuple[str, ...] = ()
    count: int = 0
    do: str = ""  # what to do about it, in one sentence
    details: tuple[str, ...] = ()  # what is so of each example, where there is more to say than the text
    leave: tuple[str, ...] = ()  # every sample that a cleaned view of the data does without
    harm: float = 0.0  # expected share of the samples that mislead; orders findings of one severity

    def __post_init__(self) -> None:
        if self.severity not in SEVERITIES:
            raise ValueError(f"severity is one of {', '.join(SEVERITIES)}, not {self.severity!r}")
        if self.details and len(self.details) != len(self.ids):
            raise ValueError(f"{len(self.ids)} examples but {len(self.details)} details")

    @property
    def rank(self) -> tuple[int, float, int, str]:
        """Sorts the worst, the most harmful and the most numerous first."""
        return SEVERITIES.index(self.severity), -self.harm, -self.count, self.check

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "ids": list(self.ids), "details": list(self.details), "leave": list(self.leave)}


def count_of(count: int, noun: str, plural: str = "") -> str:
    """A number and its noun: '1 picture', '2,000 pictures'."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def listed(names: Sequence[str], most: int = 5) -> str:
    """The first names, and how many more there are."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
