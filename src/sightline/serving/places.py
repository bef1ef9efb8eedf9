"""Where a service keeps what it remembers: beside the registry, or in the database that the registry is in."""

from __future__ import annotations

import os
from pathlib import Path

from sightline.registering.registry import PLACE

PREDICTIONS, JOBS, ANSWERS = "predictions.db", "jobs.db", "jobs"
EXAMPLES, TRAININGS = "examples", "trainings"  # folders; their databases are called the same, with .db
_URLS = ("postgresql://", "postgres://")


def beside(registry: str | Path | None, name: str) -> str | Path:
    """The place of a database: a file in the registry's folder, or the registry's own URL."""
    where = str(registry or os.environ.get(PLACE) or "registry")
    return where if where.startswith(_URLS) else Path(where) / name


def folder(registry: str | Path | None, name: str = ANSWERS) -> Path:
    """A folder beside the registry; in `registry/` of the working folder where that is a URL."""
    place = beside(registry, name)
    return place if isinstance(place, Path) else Path("registry") / name
