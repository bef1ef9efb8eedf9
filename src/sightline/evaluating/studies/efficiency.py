"""What an answer costs: parameters, multiplications, memory, time, and a stand-in for energy."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from sightline.evaluating.page import pairs
from sightline.evaluating.page import section as part
from sightline.evaluating.scene import Scene

ORDER = 80
FEWEST, MOST = 5, 200  # passes that are timed
BATCH = 16
PICOJOULES = 4.6  # a product and a sum of 32 bits in 45 nm (Horowitz 2014): a scale to compare by, not a meter


def study(scene: Scene) -> dict[str, Any] | None:
    """Counted on one pass, timed on many, in torch on this machine; None where only a bundle is known."""
    if scene.network is None:
        return None
    from sightline.core.extras import need
    from sightline.evaluating.counting import count_multiplications, count_parameters

    torch = need("torch")
    graphs = scene.task.graphs(scene.network, scene.facts)
    if not graphs:
        return {"parameters": count_parameters(scene.network), "threads": torch.get_num_threads()}
    graph = next(iter(graphs.values()))
    arrays = {name: value[:1] for name, value in graph.inputs.items()}
    inputs = {name: torch.from_numpy(np.ascontiguousarray(value)) for name, value in arrays.items()}
    module = graph.module.eval()
    multiplications = count_multiplications(lambda: module(**inputs))
    times = _times(lambda: scene.passes(arrays), scene.seconds / 4)
    many = {name: np.repeat(value, BATCH, 0) for name, value in arrays.items()}
    together = _times(lambda: scene.passes(many), scene.seconds / 4)
    parameters = count_parameters(scene.network)
    return {
        "parameters": parameters,
        "megabytes": 4 * parameters / 1e6,
        "multiplications": multiplications,
        "activations": _activations(module, inputs),
        "p50": 1000 * float(np.median(times)),
        "p95": 1000 * float(np.quantile(times, 0.95)),
        "passes": len(times),
        "each_of_many": 1000 * float(np.median(together)) / BATCH,
        "batch": BATCH,
        "threads": int(torch.get_num_threads()),
        "microjoules": multiplications * PICOJOULES / 1e6,
    }


def _times(once: Any, seconds: float) -> list[float]:
    once()  # warms up
    times: list[float] = []
    end = time.perf_counter() + seconds
    while len(times) < FEWEST or (len(times) < MOST and time.perf_counter() < end):
        start = time.perf_counter()
        once()
        times.append(time.perf_counter() - start)
    return times


def _activations(module: Any, inputs: Mapping[str, Any]) -> float:
    """Megabytes of the largest moment: what one layer reads and writes."""
    import torch

    most = 0

    def size(found: Any) -> int:
        if isinstance(found, torch.Tensor):
            return found.numel() * found.element_size()
        if isinstance(found, Mapping):
            return sum(map(size, found.values()))
        return sum(map(size, found)) if isinstance(found, (list, tuple)) else 0

    def hook(layer: Any, given: Any, made: Any) -> None:
        nonlocal most
        if not any(True for _ in layer.children()):
            most = max(most, size(given) + size(made))

    handles = [layer.register_forward_hook(hook) for layer in module.modules()]
    try:
        with torch.no_grad():
            module(**inputs)
    finally:
        for handle in handles:
            handle.remove()
    return most / 1e6


def section(found: Mapping[str, Any], scene: Scene) -> str:
    """A list of facts."""
    facts = {"Parameters": f"{found['parameters']:,}"}
    if "p50" in found:
        facts |= {
            "Weights": f"{found['megabytes']:.2f} MB as 32-bit numbers",
            "Multiplications": f"{found['multiplications'] / 1e6:,.1f} million a picture",
            "Memory of one layer at most": f"{found['activations']:.2f} MB",
            "One picture": f"{found['p50']:.2f} ms in the middle, {found['p95']:.2f} ms for 95 % of {found['passes']}",
            f"In batches of {found['batch']}": f"{found['each_of_many']:.2f} ms a picture",
            "Energy, by products alone": f"about {found['microjoules']:,.0f} µJ a picture",
        }
    lead = f"In torch, {found['threads']} threads, on the machine that evaluated; without reading the picture."
    return part("What an answer costs", pairs(facts), lead)
