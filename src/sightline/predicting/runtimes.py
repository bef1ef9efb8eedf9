"""Ways to run the graph of a bundle on this machine: which runtime, and in which precision."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

from sightline.core import catalog
from sightline.core.errors import SettingsError
from sightline.core.task import Run

USUAL = "onnx"  # what a bundle is made for and was compared in
PRECISIONS = ("float32", "bfloat16")
_EIGHT_BITS = b"DequantizeLinear"  # the operator by which a graph says that its numbers are small integers


@dataclass(frozen=True, slots=True, order=True)
class Form:
    """A runtime, and what it computes in where the graph does not say."""

    runtime: str
    precision: str = "float32"

    def __str__(self) -> str:
        return f"{self.runtime} {self.precision}"

    def told(self, graph: bytes) -> str:
        """The same, with what a graph says of its own numbers."""
        if not in_eight_bits(graph):
            return str(self)
        return f"{self.runtime} int8" + ("" if self.precision == "float32" else f" and {self.precision}")


def in_eight_bits(graph: bytes) -> bool:
    """Whether a graph holds quantised layers."""
    return _EIGHT_BITS in graph


def runtimes() -> list[str]:
    """Entries of the exporters that run a graph and whose library is here, the usual one first."""
    found = [name for name in catalog.names("exporters") if _runs(name)]
    return sorted(found, key=lambda name: (name != USUAL, name))


def forms(graph: bytes = b"") -> list[Form]:
    """Every way to run a graph here, the usual one first; a runtime that takes only some graphs has a say."""
    entries = {name: catalog.find("exporters", name) for name in runtimes()}
    able = [name for name, entry in entries.items() if not hasattr(entry, "takes") or entry.takes(graph)]
    return [Form(name, each) for name in able for each in entries[name].precisions()]


def open_graph(form: Form, graph: bytes, name: str, threads: int | None = None) -> Run:
    """A run of a graph's bytes, in this form; a runtime that is unknown or cannot run graphs is refused."""
    entry = catalog.find("exporters", form.runtime)
    if not hasattr(entry, "load"):
        able = ", ".join(
            name for name in catalog.names("exporters") if hasattr(catalog.find("exporters", name), "load")
        )
        raise SettingsError(f"'{form.runtime}' writes files for others and runs no graph. These do: {able}.")
    load: Callable[..., Run] = entry.load
    return load(graph, name, threads, form.precision)


def _runs(name: str) -> bool:
    entry = catalog.find("exporters", name)
    return hasattr(entry, "load") and all(find_spec(library) is not None for library in entry.NEEDS)
