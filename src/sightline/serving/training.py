"""A training that a service was asked for, as it is kept: from which data set, into which model, and how far it is."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sightline.core import catalog
from sightline.core.errors import SettingsError
from sightline.core.schema import Schema, Step

if TYPE_CHECKING:
    from sqlalchemy import Connection

_SIZE = re.compile(r"[a-z0-9_]{0,40}")
QUEUED, RUNNING, DONE, CANCELLED, FAILED = "queued", "running", "done", "cancelled", "failed"
USUAL, LONGEST = 5.0, 24 * 60.0  # minutes


@dataclass(frozen=True, slots=True)
class Wish:
    """How a training is wanted; what is not said is chosen from the data."""

    minutes: float = USUAL
    task: str | None = None
    network: str | None = None
    alias: str | None = None  # what the new version is called; the first of a model becomes its champion anyway
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.minutes <= LONGEST or not math.isfinite(self.minutes):
            raise SettingsError(f"minutes {self.minutes:g}: must be more than 0, and {LONGEST:g} at most.")
        if not 0 <= self.seed < 2**31:
            raise SettingsError(f"seed {self.seed}: must be a whole number from 0 to {2**31 - 1}.")
        if self.task is not None and self.task not in catalog.names("tasks"):
            raise SettingsError(f"task '{self.task[:40]}': is none of {', '.join(catalog.names('tasks'))}.")
        if self.network is not None:
            _check_network(self.network)


def _check_network(network: str) -> None:
    """Networks by name and size; none that begins with files of this machine, or with what is fetched."""
    name, _, size = network.partition(":")
    if name not in catalog.names("models"):
        raise SettingsError(f"network '{name[:40]}': is none of {', '.join(catalog.names('models'))}.")
    if not _SIZE.fullmatch(size) or (name == "prototypes" and size):
        raise SettingsError(f"network '{network[:60]}': a service learns from nothing but what it was shown.")


@dataclass(frozen=True, slots=True)
class Training:
    """A training as it is now."""

    id: str
    model: str  # the name under which it is registered
    dataset: str
    who: str
    state: str
    folder: Path
    wish: Wish = field(default_factory=Wish)
    note: str = ""  # what it is doing
    pictures: int = 0
    created: float = 0.0
    begun: float = 0.0
    ended: float = 0.0
    why: str = ""  # it failed
    number: int = 0  # the version that came of it
    figures: Sequence[Mapping[str, Any]] = ()  # what was measured on pictures that it had not seen

    @property
    def line(self) -> str:
        """For people."""
        told = {DONE: f"{self.model} {self.number}", FAILED: self.why, RUNNING: self.note}.get(self.state, "")
        return f"{self.state}: {told}" if told else self.state

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {**asdict(self), "folder": str(self.folder), "figures": [dict(row) for row in self.figures]}


def _first(connection: Connection) -> None:
    import sqlalchemy as sql

    tables = sql.MetaData()
    text, number, real = sql.Text, sql.Integer, sql.Double
    words = ("model", "dataset", "who", "state", "wish", "note", "why", "figures", "owner")
    sql.Table(
        "trainings", tables, sql.Column("id", text, primary_key=True),
        *(sql.Column(name, text, nullable=False) for name in words),
        *(sql.Column(name, number, nullable=False) for name in ("pictures", "number", "attempt")),
        *(sql.Column(name, real, nullable=False) for name in ("created", "begun", "ended", "until")),
    )  # fmt: skip
    tables.create_all(connection)


SCHEMA = Schema("trainings", (Step("trainings that were asked for", _first),))
