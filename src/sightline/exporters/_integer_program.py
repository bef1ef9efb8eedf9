"""A network of integers as data: tensors at places of one arena, steps between them, and how answers become floats."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

import numpy as np

from sightline.core import golden
from sightline.core.archive import refuse
from sightline.core.errors import BundleError
from sightline.core.files import canonical

FORMAT = 1
KINDS = {"u1": np.uint8, "i1": np.int8, "i2": np.int16, "i4": np.int32}
LARGEST = 2**30  # bytes of an arena that is opened
LEVELS = 256  # of a number in eight bits
FACTOR = 2**15 - 1  # the largest of a number in sixteen


@dataclass(frozen=True)
class Grid:
    """Which number each of 256 codes stands for: scale x (code - zero)."""

    scale: float
    zero: int
    kind: ClassVar[str] = "u1"

    def values(self) -> np.ndarray:
        """The number of every code, in the floats of graphs: pixels on a half are rounded as a runtime rounds them."""
        return np.asarray((np.arange(LEVELS, dtype=np.float32) - self.zero) * np.float32(self.scale))

    def codes(self, values: np.ndarray) -> np.ndarray:
        """The nearest codes of numbers; those beyond the ends get the last one."""
        nearest: np.ndarray = np.rint(values / np.float32(self.scale)) + self.zero
        return nearest.clip(0, LEVELS - 1).astype(np.uint8)


@dataclass(frozen=True)
class FineGrid(Grid):
    """Sixteen bits around zero: for what the graph itself has not rounded and a sum still follows."""

    kind: ClassVar[str] = "i2"

    def codes(self, values: np.ndarray) -> np.ndarray:
        """The nearest codes of numbers."""
        nearest: np.ndarray = np.rint(values / self.scale)
        return nearest.clip(-FACTOR, FACTOR).astype(np.int16)


@dataclass
class Tensor:
    """Numbers of one picture, and where they lie."""

    kind: str
    shape: tuple[int, ...]
    at: int = 0

    @property
    def size(self) -> int:
        """Bytes."""
        return int(math.prod(self.shape)) * np.dtype(KINDS[self.kind]).itemsize


@dataclass(frozen=True)
class Step:
    """One piece of work: what it reads, what it writes, its fixed numbers, and arrays by their place in the list."""

    do: str
    takes: tuple[int, ...]
    gives: int
    settings: Mapping[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, int] = field(default_factory=dict)
    label: str = ""


@dataclass
class Program:
    """All of it; `tail` runs in floats on what the integers have answered, and `outputs` name its rows."""

    inputs: dict[str, int] = field(default_factory=dict)
    tensors: list[Tensor] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    arrays: list[np.ndarray] = field(default_factory=list)
    tail: list[dict[str, Any]] = field(default_factory=list)
    outputs: dict[str, int] = field(default_factory=dict)
    arena: int = 0  # bytes of all tensors, those that never live together at the same place
    scratch: int = 0  # bytes beside it that a step works in

    @property
    def weights(self) -> int:
        """Bytes of all fixed numbers."""
        return sum(array.nbytes for array in self.arrays)

    def tensor(self, kind: str, shape: Sequence[int]) -> int:
        """A new tensor; its number."""
        self.tensors.append(Tensor(kind, tuple(int(side) for side in shape)))
        if not 0 < self.tensors[-1].size <= LARGEST:
            raise ValueError(f"a tensor of {' x '.join(map(str, shape))} numbers")
        return len(self.tensors) - 1

    def array(self, values: np.ndarray) -> int:
        """Fixed numbers; equal ones are kept once."""
        for place, known in enumerate(self.arrays):
            if known.dtype == values.dtype and known.shape == values.shape and np.array_equal(known, values):
                return place
        self.arrays.append(np.ascontiguousarray(values))
        return len(self.arrays) - 1

    def step(
        self,
        do: str,
        takes: Sequence[int],
        kind: str,
        shape: Sequence[int],
        settings: Mapping[str, Any] | None = None,
        arrays: Mapping[str, np.ndarray] | None = None,
        label: str = "",
    ) -> int:
        """One more step; the tensor that it writes."""
        gives = self.tensor(kind, shape)
        held = {name: self.array(values) for name, values in (arrays or {}).items()}
        self.steps.append(Step(do, tuple(takes), gives, dict(settings or {}), held, label))
        return gives


def pack(program: Program) -> bytes:
    """One sealed file of plain arrays that `numpy.load` reads too: the steps as JSON, then all fixed numbers."""
    parts: dict[str, list[np.ndarray]] = {kind: [] for kind in KINDS}
    listed = []
    for array in program.arrays:
        kind = array.dtype.str[1:]
        listed.append([kind, list(array.shape)])
        parts[kind].append(array.ravel())
    plain = {
        "format": FORMAT,
        "inputs": program.inputs,
        "tensors": [[one.kind, list(one.shape), one.at] for one in program.tensors],
        "steps": [asdict(one) for one in program.steps],
        "arrays": listed,
        "tail": program.tail,
        "outputs": program.outputs,
        "arena": program.arena,
        "scratch": program.scratch,
    }
    held = {kind: np.concatenate(found) if found else np.zeros(0, KINDS[kind]) for kind, found in parts.items()}
    return golden.pack_arrays({"program": np.frombuffer(canonical(plain), np.uint8), **held})


def unpack(data: bytes, label: str) -> Program:
    """What `pack` packed; bytes that are damaged, or that it cannot have written, are a `BundleError`."""
    held = golden.unpack_arrays(data, label)
    try:
        plain = json.loads(held["program"].tobytes())
        if plain["format"] != FORMAT:
            refuse(label, f"is of format {plain['format']}; this sightline reads {FORMAT}.")
        arrays, place = [], dict.fromkeys(KINDS, 0)
        for kind, shape in plain["arrays"]:
            count = math.prod(shape)
            arrays.append(held[kind][place[kind] : place[kind] + count].reshape(shape))
            place[kind] += count
        program = Program(
            inputs={str(name): int(number) for name, number in plain["inputs"].items()},
            tensors=[Tensor(str(kind), tuple(map(int, shape)), int(at)) for kind, shape, at in plain["tensors"]],
            steps=[Step(**one) for one in plain["steps"]],
            arrays=arrays,
            tail=[dict(one) for one in plain["tail"]],
            outputs={str(name): int(number) for name, number in plain["outputs"].items()},
            arena=int(plain["arena"]),
            scratch=int(plain["scratch"]),
        )
        _check(program, label)
        return program
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise BundleError(f"{label}: not what a network of integers looks like: {str(error)[:160]}") from error


def _check(program: Program, label: str) -> None:
    """Every tensor lies inside the arena, which is of a size that may be asked for."""
    if not 0 <= program.arena + program.scratch <= LARGEST or min(program.arena, program.scratch) < 0:
        refuse(label, f"asks for {program.arena + program.scratch:,} bytes to work in; at most {LARGEST:,} are given.")
    for one in program.tensors:
        if min(one.shape, default=1) < 1 or one.at < 0 or one.at % 4 or one.at + one.size > program.arena:
            refuse(label, "holds a tensor that lies outside its arena.")
