"""One form of a model: a graph, how it was made, and what is known of it before it is measured."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from sightline.core.errors import RunError
from sightline.core.files import canonical, digest, write_durably
from sightline.core.progress import Event, Tell


@dataclass(frozen=True, slots=True)
class Form:
    """A graph that answers like its parent, nearly; `facts` hold counts such as parameters and multiplications."""

    name: str
    method: str
    graph: bytes
    says: str  # what was done, in one line
    settings: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    rounded: bool = False  # to int8 already

    @property
    def size(self) -> int:
        """Bytes of the graph."""
        return len(self.graph)

    def keep(self, folder: Path) -> None:
        """Write graph and record; the record last, so that what has one is whole."""
        told = {key: value for key, value in asdict(self).items() if key != "graph"}
        write_durably(folder / f"{self.name}.onnx", self.graph)
        write_durably(folder / f"{self.name}.json", canonical({**told, "sha256": digest(self.graph)}))


def kept(folder: Path, name: str) -> Form:
    """The form that was kept under this name; one line where a file is not what its record says."""
    try:
        told = json.loads((folder / f"{name}.json").read_bytes())
        graph = (folder / f"{name}.onnx").read_bytes()
        if told.pop("sha256") != digest(graph):
            raise ValueError("the graph is another one")
        return Form(graph=graph, **told)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise RunError(f"{folder / name}: not what a search keeps ({error}). Delete {folder.parent}.") from error


@dataclass(frozen=True, slots=True)
class Budget:
    """What a method may take, and whom it tells how far it is."""

    seconds: float
    most: float  # points that may be lost
    tell: Tell

    def tell_progress(self, done: int, total: int) -> None:
        """How far it is."""
        self.tell(Event("progress", "learning", {"done": done, "total": total}))
