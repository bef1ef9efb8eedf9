"""Say which Sightline this is."""

from __future__ import annotations

import platform
from typing import Any

from sightline import __version__
from sightline.cli._display import Screen


def run(screen: Screen) -> dict[str, Any]:
    """One line."""
    screen.say(f"sightline {__version__}")
    return {"version": __version__, "python": platform.python_version()}
