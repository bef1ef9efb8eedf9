"""Versions of models as lines for people and as rows for machines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sightline.cli._lines import number
from sightline.registering.version import Version

WHERE = "a folder, or a postgresql:// URL; registry/ or SIGHTLINE_REGISTRY without it"


def figure(version: Version) -> str:
    """The first thing that was measured, with its interval."""
    if not version.figures:
        return "not evaluated"
    row = version.figures[0]
    line = f"{row.get('name')} {number(row.get('value'))}"
    if row.get("low") is None or row.get("high") is None:
        return line
    return f"{line} ({number(row['low'])} to {number(row['high'])})"


def data_name(version: Version) -> str:
    """What it learnt from."""
    return str((version.lineage.get("data") or {}).get("name") or "unknown")


def plain(version: Version, aliases: Mapping[str, int]) -> dict[str, Any]:
    """A version for machines."""
    return {
        "name": version.name,
        "number": version.number,
        "aliases": sorted(alias for alias, named in aliases.items() if named == version.number),
        "seal": version.seal,
        "path": version.path,
        "size": version.size,
        "created": version.created,
        "task": version.task,
        "figures": list(version.figures),
        "lineage": dict(version.lineage),
        "note": version.note,
        "deleted": version.deleted,
    }
