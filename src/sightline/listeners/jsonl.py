"""Every event as a line of events.jsonl in the run's folder."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sightline.core.files import naming
from sightline.core.progress import Event
from sightline.listeners._rows import Listener

NEEDS = ""


def open(folder: Path, facts: Mapping[str, Any]) -> Listener:
    """Append to what an earlier part of the same run left."""
    return _Lines(folder / "events.jsonl")


class _Lines:
    def __init__(self, path: Path) -> None:
        with naming(path, 0):
            path.parent.mkdir(parents=True, exist_ok=True)
            self.path, self.file = path, path.open("a", encoding="utf-8")

    def __call__(self, event: Event) -> None:
        row = json.dumps({"kind": event.kind, "text": event.text, "facts": _finite(event.facts)}, default=str)
        with naming(self.path, len(row)):
            self.file.write(row + "\n")
            self.file.flush()

    def close(self) -> None:
        self.file.close()


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {str(key): _finite(inner) for key, inner in value.items()}
    return [_finite(inner) for inner in value] if isinstance(value, (list, tuple)) else value
