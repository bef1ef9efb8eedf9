"""Between which numbers the activations of a graph lie: looked at once, answered by three rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sightline.core.extras import need
from sightline.core.task import Arrays

RULES = ("minmax", "percentile", "entropy")
BINS, LEVELS, TRIED = 2048, 256, 60
TAIL = 5e-5  # of the numbers at each end that `percentile` leaves out
FLOAT = 1  # onnx.TensorProto.FLOAT

Ranges = dict[str, tuple[float, float]]


@dataclass
class Spread:
    """One tensor: its ends, and how its numbers lie between them; zero is always inside."""

    low: float = 0.0
    high: float = 0.0
    counts: np.ndarray = field(default_factory=lambda: np.zeros(BINS))

    def widen(self, values: np.ndarray) -> None:
        """Let the ends hold these numbers."""
        self.low = min(self.low, float(np.min(values, initial=0.0)))
        self.high = max(self.high, float(np.max(values, initial=0.0)))

    def count(self, values: np.ndarray) -> None:
        """Note where these numbers lie."""
        self.counts += np.histogram(values, BINS, (self.low, max(self.high, self.low + 1e-12)))[0]

    def range(self, rule: str) -> tuple[float, float]:
        """The ends that a rule takes; numbers beyond them are cut."""
        if rule == "minmax" or not self.counts.sum() or self.high <= self.low:
            return self.low, self.high
        edges = np.linspace(self.low, self.high, BINS + 1)
        if rule == "percentile":
            share = np.cumsum(self.counts) / self.counts.sum()
            first = int(np.searchsorted(share, TAIL, side="right"))
            last = min(BINS - 1, int(np.searchsorted(share, 1 - TAIL)))
            return min(0.0, float(edges[first])), max(0.0, float(edges[last + 1]))
        first, last = _least_entropy(self.counts, int(np.searchsorted(edges, 0.0)))
        return min(0.0, float(edges[first])), max(0.0, float(edges[last]))


def _least_entropy(counts: np.ndarray, zero: int) -> tuple[int, int]:
    """Bins to keep, as far from zero on both sides, so that coarse steps lose least of the numbers (Migacz 2017)."""
    best, kept = np.inf, (0, len(counts))
    longest = max(zero, len(counts) - zero)
    for reach in np.linspace(LEVELS / 2, longest, TRIED):
        first, last = max(0, zero - round(reach)), min(len(counts), zero + round(reach))
        told = counts[first:last].copy()
        told[0] += counts[:first].sum()
        told[-1] += counts[last:].sum()
        apart = _divergence(told, _coarse(counts[first:last]))
        if apart < best:
            best, kept = apart, (first, last)
    return kept


def _coarse(counts: np.ndarray) -> np.ndarray:
    """The same counts after they were rounded to so many levels: even within each level, zero where it was zero."""
    level = (np.arange(len(counts)) * LEVELS) // len(counts)
    filled = counts > 0
    total = np.bincount(level, counts, LEVELS)
    places = np.maximum(np.bincount(level, filled, LEVELS), 1)
    return np.asarray(np.where(filled, (total / places)[level], 0.0))


def _divergence(true: np.ndarray, told: np.ndarray) -> float:
    """Kullback and Leibler's, with a little of everything so that no bin is impossible."""
    first = (true + 1e-4) / (true + 1e-4).sum()
    second = (told + 1e-4) / (told + 1e-4).sum()
    return float(np.sum(first * np.log(first / second)))


def observe(model: Any, operators: Sequence[str], fed: Sequence[Arrays]) -> dict[str, Spread]:
    """Every float tensor that goes into or comes out of these operators, over all inputs; bounded in memory."""
    wanted = _touched(model, operators)
    run = _showing(model, wanted)
    found = {name: Spread() for name in wanted}
    for arrays in fed:
        for name, values in run(arrays):
            found[name].widen(values)
    for arrays in fed:
        for name, values in run(arrays):
            found[name].count(values)
    return found


def ranges(spreads: Mapping[str, Spread], rule: str) -> Ranges:
    """The ends of every tensor by one rule."""
    return {name: spread.range(rule) for name, spread in spreads.items()}


def _touched(model: Any, operators: Sequence[str]) -> list[str]:
    constants = {tensor.name for tensor in model.graph.initializer}
    listed = (*model.graph.value_info, *model.graph.output, *model.graph.input)
    kinds = {value.name: value.type.tensor_type.elem_type for value in listed}
    names: dict[str, None] = {}
    for node in model.graph.node:
        if node.op_type in operators:
            names |= dict.fromkeys((*node.input, *node.output))
    return [name for name in names if name not in constants and kinds.get(name) == FLOAT]


def _showing(model: Any, names: Sequence[str]) -> Any:
    """A pass that gives these inner tensors as well."""
    onnx, runtime = need("onnx"), need("onnxruntime")
    whole = onnx.ModelProto()
    whole.CopyFrom(model)
    given = {value.name for value in (*whole.graph.output, *whole.graph.input)}
    whole.graph.output.extend(onnx.helper.make_tensor_value_info(n, FLOAT, None) for n in names if n not in given)
    options = runtime.SessionOptions()
    options.log_severity_level = 4
    session = runtime.InferenceSession(whole.SerializeToString(), options, providers=["CPUExecutionProvider"])
    takes = [value.name for value in session.get_inputs()]
    inner = [name for name in names if name not in takes]

    def run(arrays: Arrays) -> Iterable[tuple[str, np.ndarray]]:
        return _pairs(arrays, names, dict(zip(inner, session.run(inner, {n: arrays[n] for n in takes}), strict=True)))

    return run


def _pairs(given: Arrays, names: Sequence[str], made: Arrays) -> Iterator[tuple[str, np.ndarray]]:
    for name in names:
        yield name, made[name] if name in made else given[name]
