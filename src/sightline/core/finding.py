"""What a check has to say about data: how bad, in one line, and of which samples."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

SEVERITIES = ("stop", "warn", "note")  # the worst first: results would be worthless, doubtful, worth knowing


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found; `ids` are examples, `count` is all of them."""

    check: str
    severity: str
    text: str
    ids: tuple[str, ...] = ()
    count: int = 0

    def __post_init__(self) -> None:
        if self.severity not in SEVERITIES:
            raise ValueError(f"severity is one of {', '.join(SEVERITIES)}, not {self.severity!r}")

    @property
    def rank(self) -> tuple[int, int, str]:
        """Sorts the worst and the most numerous first."""
        return SEVERITIES.index(self.severity), -self.count, self.check

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "ids": list(self.ids)}
