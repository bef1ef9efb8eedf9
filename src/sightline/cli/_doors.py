"""Doors do not import each other: the command opens the service's by name, when it is asked to."""

from __future__ import annotations

import importlib
from typing import Any


def server(room: str) -> Any:
    """A module of the HTTP door."""
    return importlib.import_module(f"sightline.server.{room}")
