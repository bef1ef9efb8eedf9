"""Where every tensor lies: those that never live together share places, the largest placed first."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sightline.core.archive import refuse
from sightline.core.errors import BundleError, SettingsError
from sightline.exporters._integer_program import LARGEST, Program
from sightline.exporters._integer_running import least

ALIGNED = 8  # bytes
IN_PLACE = ("table", "combine")  # steps that read a piece of the same place before they write it
ROOM, PIECES = 64, 2**20  # bytes of scratch that a number takes at most, and pieces of one step
USUAL = 2**16  # bytes of scratch where nobody says how much memory there is


@dataclass(frozen=True)
class Life:
    """How many bytes are needed from one step to another, both included."""

    size: int
    first: int
    last: int


def plan(program: Program, name: str, memory: int | None = None) -> None:
    """Give every tensor its place, and say how much is worked in; refuse where that is more than there is."""
    reuse(program)
    lives = lives_of(program)
    places = placed(lives)
    for tensor, at in zip(program.tensors, places, strict=True):
        tensor.at = at
    program.arena = max((at + life.size for at, life in zip(places, lives, strict=True)), default=0)
    need = max((least(step, program) for step in program.steps), default=0)
    if program.arena + need > LARGEST:
        raise BundleError(f"{name}: {_peak(program, lives, need, LARGEST)}")
    program.scratch = _up(max(need, USUAL if memory is None else min(USUAL, memory - program.arena)))
    if memory is not None and program.arena + _up(need) > memory:
        raise SettingsError(f"{name}: {_peak(program, lives, need, memory)}")
    if memory is not None:
        program.scratch = min(program.scratch, (memory - program.arena) // ALIGNED * ALIGNED)


def reuse(program: Program) -> None:
    """Let look-ups and sums write where they read, where what they read is needed no more."""
    last = {number: place for place, step in enumerate(program.steps) for number in step.takes}
    kept = {*program.inputs.values(), *(one["tensor"] for one in program.tail if one["do"] == "widen")}
    other: dict[int, int] = {}
    for place, step in enumerate(program.steps):
        own = program.tensors[step.gives]
        for taken in step.takes if step.do in IN_PLACE else ():
            now, one = other.get(taken, taken), program.tensors[taken]
            if last[taken] == place and not {taken, now} & kept and (one.kind, one.shape) == (own.kind, own.shape):
                other[step.gives] = now
                break
    program.steps = [
        replace(step, takes=tuple(other.get(one, one) for one in step.takes), gives=other.get(step.gives, step.gives))
        for step in program.steps
    ]
    for entry in program.tail:
        if entry["do"] == "widen":
            entry["tensor"] = other.get(entry["tensor"], entry["tensor"])


def check(program: Program, label: str) -> None:
    """Refuse steps that could take for ever or beyond what there is: windows, shifts and pieces are of sound sizes."""
    for step in program.steps:
        settings = [step.settings, *step.settings.get("readers", [])]
        shifts = [one[name] for one in settings for name in ("bits", "shift", "part") if name in one]
        if not all(isinstance(one, int) and 0 <= one <= 62 for one in shifts):
            refuse(label, "holds a shift that is none.")
        taps = math.prod(step.settings.get("kernel", ()))
        pieces = program.tensors[step.gives].size * ROOM // max(1, program.scratch)
        if least(step, program) > program.scratch or not 0 < taps <= PIECES or taps * pieces > PIECES:
            refuse(label, "holds a step that takes beyond all measure.")


def lives_of(program: Program) -> list[Life]:
    """From the step that writes a tensor to the last that reads it; what is answered lives to the end."""
    end = len(program.steps)
    first = dict.fromkeys(program.inputs.values(), -1)
    last = dict.fromkeys(first, -1)
    for place, step in enumerate(program.steps):
        first.setdefault(step.gives, place)
        last[step.gives] = place
        for taken in step.takes:
            last[taken] = place
    for entry in program.tail:
        if entry["do"] == "widen":
            last[entry["tensor"]] = end
    return [
        Life(_up(one.size) if number in last else 0, first.get(number, -1), last.get(number, -1))
        for number, one in enumerate(program.tensors)
    ]


def placed(lives: Sequence[Life]) -> list[int]:
    """A place for each, greedy by size: the lowest gap between those that live at the same time."""
    places: dict[int, int] = {}
    for number in sorted(range(len(lives)), key=lambda one: (-lives[one].size, one)):
        life, at = lives[number], 0
        beside = sorted(
            (places[other], places[other] + lives[other].size)
            for other in places
            if lives[other].first <= life.last and life.first <= lives[other].last
        )
        for start, stop in beside:
            if at + life.size <= start:
                break
            at = max(at, stop)
        places[number] = at
    return [places[number] for number in range(len(lives))]


def _peak(program: Program, lives: Sequence[Life], need: int, memory: int) -> str:
    """What is too much, which layer makes it so, and what to do."""
    held = [sum(life.size for life in lives if life.first <= place <= life.last) for place in range(len(program.steps))]
    most = max(range(len(held)), key=held.__getitem__)
    step = program.steps[most]
    shape = " x ".join(map(str, program.tensors[step.gives].shape[1:]))
    total = program.arena + _up(need)
    return (
        f"it needs {total:,} bytes of memory ({program.arena:,} for its tensors, {_up(need):,} to work in), and "
        f"{memory:,} are given. Most is held at the {step.do} that gives {shape} numbers ('{step.label[-50:]}'). "
        "Train with a smaller size of pictures (task.size) or a smaller network, or give more memory."
    )


def _up(size: int) -> int:
    return -(-size // ALIGNED) * ALIGNED
