"""Integers alone, for small boards: int8 weights, sums of 32 bits, tables, and one arena of known size; run by numpy.

It is made of a bundle in int8. Between the raw pixels and the last layer no float occurs. What is written holds plain
arrays and no code, so any process may open it again.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import numpy as np

from sightline.core.errors import BundleError, SettingsError
from sightline.core.task import Arrays, Run
from sightline.exporters._integer_layers import BUILDERS
from sightline.exporters._integer_lowering import Lowering
from sightline.exporters._integer_planning import check, plan
from sightline.exporters._integer_program import Program, pack, unpack
from sightline.exporters._integer_running import run_steps
from sightline.exporters._integer_tail import answered, finish, said
from sightline.exporters._integer_work import Work

SUFFIX = ".integer.npz"
NEEDS = ()
CLOSE = 0.05  # of the largest number an output holds: a few steps of eight bits
NEAR = 0.02  # of answers, where the bundle itself allows less
UNITS = {"": 1, "k": 2**10, "m": 2**20}
_WRONG = (ArithmeticError, AssertionError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


@dataclass(frozen=True)
class Options:
    """What a board has to give."""

    memory: str | int = ""  # bytes for tensors and scratch, such as 512k or 1M; as much as needed without it


def takes(graph: bytes) -> bool:
    """Whether a graph is of the kind that can be run here: one that rounds to eight bits."""
    return b"QuantizeLinear" in graph


def convert(graph: bytes, name: str, options: Options | None = None) -> bytes:
    """The program that a graph in int8 is, as one sealed file."""
    return pack(lowered(graph, name, _bytes((options or Options()).memory)))


def told(data: bytes, name: str) -> dict[str, Any]:
    """What a program needs, in bytes, and which steps of its answers run in floats."""
    program = unpack(data, name)
    needs = {"memory": program.arena + program.scratch, "arena": program.arena, "scratch": program.scratch}
    return {**needs, "weights": program.weights, "steps": len(program.steps), "floats_at_the_end": said(program.tail)}


def reopen(data: bytes, name: str, threads: int | None = None) -> Run:
    """One pass, row by row, of what `convert` has written, here or elsewhere."""
    program = unpack(data, name)
    try:
        check(program, name)
    except _WRONG as error:
        raise BundleError(f"{name}: its steps do not fit together: {str(error)[:200]}") from error
    return _opened(program, name)


def precisions() -> tuple[str, ...]:
    """As a graph is stored."""
    return ("float32",)


def load(data: bytes, name: str, threads: int | None = None, precision: str = "float32") -> Run:
    """One pass, row by row, of a graph in int8; always one thread."""
    if precision not in precisions():
        raise SettingsError(f"precision '{precision}': integers are computed as a graph stores them (float32 here).")
    return _opened(lowered(data, name), name)


def lowered(data: bytes, name: str, memory: int | None = None) -> Program:
    """The program of a graph, planned for so many bytes of memory."""
    try:
        low = Lowering(data, name, BUILDERS)
        finish(low)
        plan(low.program, name, memory)
    except _WRONG as error:
        raise BundleError(f"{name}: no integer program can be made of this graph: {str(error)[:200]}") from error
    return low.program


def _bytes(said_: str | int) -> int | None:
    """Bytes from a number with k or M behind it."""
    text = str(said_).strip().lower().removesuffix("ib").removesuffix("b")
    digits = text.rstrip("km")
    if text in ("", "none"):
        return None
    try:
        count = int(float(digits) * UNITS[text[len(digits) :]])
    except (KeyError, ValueError, OverflowError):
        count = 0
    if count < 1:
        raise SettingsError(f"memory={said_}: must be a number of bytes, such as 524288, 512k or 1M.")
    return count


def _opened(program: Program, name: str) -> Run:
    """One pass, in an arena for every thread that asks."""
    local = threading.local()
    # as wide as numpy sums them; a board keeps them in eight bits
    fixed: list[Any] = [one.astype(np.int32) if one.dtype == np.int8 else one for one in program.arrays]

    def work() -> Work:
        if not hasattr(local, "work"):
            local.work = Work(program)
        held: Work = local.work
        return held

    def row(given: Arrays) -> Arrays:
        held = work()
        run_steps(held, fixed, given)
        answers: Arrays = answered(program.tail, program.outputs, held.tensors.__getitem__)
        return answers

    def passes(arrays: Arrays) -> Arrays:
        count = _rows(program, arrays, name)
        found = [row({key: arrays[key][place] for key in program.inputs}) for place in range(count)]
        return {key: np.concatenate([one[key] for one in found]) for key in program.outputs}

    try:  # one picture of zeros: what is not sound fails here, not at the first picture
        row({key: np.zeros(program.tensors[number].shape[1:], np.uint8) for key, number in program.inputs.items()})
    except _WRONG as error:
        raise BundleError(f"{name}: its steps do not fit together: {str(error)[:200]}") from error
    return passes


def _rows(program: Program, arrays: Arrays, name: str) -> int:
    """How many pictures are asked about; what does not suit is refused."""
    counts = set()
    for key, number in program.inputs.items():
        array, sides = arrays.get(key), program.tensors[number].shape[1:]
        if array is None or array.dtype != np.uint8 or array.shape[1:] != sides:
            found = "nothing" if array is None else f"{' x '.join(map(str, array.shape))} of {array.dtype}"
            wanted = f"any x {' x '.join(map(str, sides))} of uint8"
            raise BundleError(f"{name}: the runtime fails on these inputs: '{key}' is {found}, not {wanted}.")
        counts.add(len(array))
    if len(counts) != 1 or counts == {0}:
        raise BundleError(f"{name}: the runtime fails on these inputs: {sorted(counts)} rows.")
    return counts.pop()
