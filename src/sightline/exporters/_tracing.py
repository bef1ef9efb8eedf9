"""What exporters that read a torch network share: its example inputs, and which of their axes may vary."""

from __future__ import annotations

from typing import Any

from sightline.core.extras import need
from sightline.core.task import Graph


def example(graph: Graph) -> dict[str, Any]:
    """Two rows of every input: with one, a tracer takes the number of rows for a constant."""
    torch = need("torch")
    return {name: torch.from_numpy(array).repeat(2, *[1] * (array.ndim - 1)) for name, array in graph.inputs.items()}


def dynamic(graph: Graph) -> dict[str, dict[int, Any]]:
    """The axes of every input that may vary; all first ones are one and the same."""
    torch = need("torch")
    batch = torch.export.Dim("batch", min=1)
    return {
        name: {axis: batch if axis == 0 else torch.export.Dim.DYNAMIC for axis in graph.dynamic.get(name, ())}
        for name in graph.inputs
    }
