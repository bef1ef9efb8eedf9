"""Augmentations in a row: which, how often and how strongly, as plain JSON; applied, noted and replayed."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import numpy as np

from sightline.core import catalog
from sightline.core.carried import trail
from sightline.core.errors import SettingsError, nearest
from sightline.core.image import ArrayImage
from sightline.core.sample import Sample
from sightline.core.views import View

Others = Callable[[int], list[Sample]]  # so many other samples, to mix with
Note = dict[str, Any]  # what happened: name, settings, the chance it began with, and where the pixels went
_WORDS = ("name", "one_of", "chance", "repeat", "weight")


@dataclass(frozen=True, slots=True)
class Move:
    """One augmentation by name, or one drawn from some; `chance` that it happens, `repeat` times."""

    name: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    one_of: tuple[Move, ...] = ()
    chance: float = 1.0
    repeat: int = 1
    weight: float = 1.0  # among its siblings in a `one_of`

    def to_json(self) -> dict[str, Any]:
        """As it is written in a file of settings."""
        plain: dict[str, Any] = {"one_of": [move.to_json() for move in self.one_of]} if self.one_of else {}
        plain |= {"name": self.name, **self.settings} if self.name else {}
        for name, usual in (("chance", 1.0), ("repeat", 1), ("weight", 1.0)):
            if getattr(self, name) != usual:
                plain[name] = getattr(self, name)
        return plain


def parse(given: Sequence[Any]) -> tuple[Move, ...]:
    """Moves from plain rows: `"flip"`, `{"name": "rotate", "degrees": 15, "chance": 0.5}`, `{"one_of": [...]}`."""
    if isinstance(given, (str, Mapping)) or not isinstance(given, Sequence):
        raise SettingsError(f"augmentations are a list of names or tables, not {type(given).__name__}.")
    return tuple(_parsed(row) for row in given)


def _parsed(row: Any) -> Move:
    if isinstance(row, Move):
        return row
    if isinstance(row, str):
        row = {"name": row}
    if isinstance(row, Sequence) and len(row) == 2:  # (name, settings), as tasks give them
        row = {"name": row[0], **row[1]}
    if not isinstance(row, Mapping) or ("name" in row) == ("one_of" in row):
        raise SettingsError(f"an augmentation is a name or a table with `name` or `one_of`, not {str(row)[:80]}.")
    own = dict(row)
    name, choices = own.pop("name", ""), own.pop("one_of", ())
    known = _parameters(name) if name else frozenset()
    words = {word: own.pop(word) for word in ("chance", "repeat", "weight") if word in own and word not in known}
    for setting in own:
        if setting not in known:
            raise SettingsError(
                f"{name or 'one_of'} has no setting '{setting}'.{nearest(setting, [*known, *_WORDS])} "
                f"Known: {', '.join(sorted(known | {'chance', 'repeat', 'weight'}))}."
            )
    move = Move(name, own, parse(choices) if choices else (), **words)
    _check(move)
    return move


def _check(move: Move) -> None:
    where = move.name or "one_of"
    if not isinstance(move.chance, int | float) or not 0 <= move.chance <= 1:
        raise SettingsError(f"{where}: chance = {move.chance!r}: must be from 0 to 1.")
    if not isinstance(move.repeat, int) or not 1 <= move.repeat <= 100:
        raise SettingsError(f"{where}: repeat = {move.repeat!r}: must be a whole number from 1 to 100.")
    if not isinstance(move.weight, int | float) or not move.weight > 0:
        raise SettingsError(f"{where}: weight = {move.weight!r}: must be more than 0.")
    if not move.name and not move.one_of:
        raise SettingsError("one_of: holds nothing to choose from.")


@cache
def _entry(name: str) -> tuple[Callable[..., Sample], frozenset[str]]:
    function = catalog.find("augmentations", name)
    return function, frozenset(inspect.signature(function).parameters)


def _parameters(name: str) -> frozenset[str]:
    """What an augmentation can be told."""
    return _entry(str(name))[1] - {"sample", "rng", "others", "turn"}


def apply(
    moves: Sequence[Move],
    sample: Sample,
    rng: np.random.Generator,
    *,
    others: Others | None = None,
    notes: list[Note] | None = None,
    turn: int | None = None,
) -> Sample:
    """The sample after all moves; `notes` is given what happened, enough to `replay` it.

    `turn` grows by one every time that the sample is asked for: what happens every second time on average does so.
    """
    sample = _held(sample)
    for move in moves:
        for _ in range(move.repeat):
            if move.chance < 1 and rng.random() >= move.chance:
                continue
            if move.one_of:
                sample = apply([_chosen(move, rng)], sample, rng, others=others, notes=notes)
            else:
                counted = turn if move.chance == move.repeat == 1 else None
                sample = _moved(move.name, move.settings, sample, rng, others, notes, counted)
    return sample


def _held(sample: Sample) -> Sample:
    """Its pictures read once, however often moves ask for them."""
    if not [image for image in sample.images if type(image) not in (View, ArrayImage)]:
        return sample
    return replace(sample, images=tuple(ArrayImage(image.read(), image.name) for image in sample.images))


def _chosen(move: Move, rng: np.random.Generator) -> Move:
    reach = np.cumsum([each.weight for each in move.one_of])
    place = int(np.searchsorted(reach, rng.random() * reach[-1], side="right"))
    return move.one_of[min(place, len(reach) - 1)]


def _moved(
    name: str,
    settings: Mapping[str, Any],
    sample: Sample,
    rng: np.random.Generator,
    others: Others | None,
    notes: list[Note] | None,
    turn: int | None = None,
) -> Sample:
    function, parameters = _entry(name)
    more: dict[str, Any] = {"turn": turn} if turn is not None and "turn" in parameters else {}
    if "others" in parameters:
        if others is None:
            raise SettingsError(f"{name} mixes samples and needs others to mix with; none are given here.")
        more["others"] = others
    if notes is None:
        return function(sample, rng, **settings, **more)
    begun = _state(rng)
    with trail() as warps:
        answer = function(sample, rng, **settings, **more)
    if answer is not sample:
        places = [warp.matrix.tolist() for warp in warps if warp.field is None]
        notes.append({"name": name, "settings": dict(settings), "chance": begun, "turn": turn, "matrices": places})
    return answer


def replay(notes: Sequence[Note], sample: Sample, *, others: Others | None = None) -> Sample:
    """What was noted of one sample, done to another (or to the same again) with the very same chance."""
    sample = _held(sample)
    for note in notes:
        sample = _moved(note["name"], note["settings"], sample, _generator(note["chance"]), others, None, note["turn"])
    return sample


def apply_alike(
    moves: Sequence[Move], samples: Sequence[Sample], rng: np.random.Generator, *, others: Others | None = None
) -> list[Sample]:
    """One draw for a whole set: a query and its context, the frames of a clip, the views of a scene."""
    if not samples:
        return []
    notes: list[Note] = []
    first = apply(moves, samples[0], rng, others=others, notes=notes)
    return [first, *(replay(notes, sample, others=others) for sample in samples[1:])]


def _state(rng: np.random.Generator) -> list[str]:
    """The state of a generator as text that JSON keeps whole."""
    state: Any = rng.bit_generator.state
    if state["bit_generator"] != "PCG64":
        raise SettingsError(f"only chance of PCG64 can be noted, not of {state['bit_generator']}.")
    inner = state["state"]
    return [format(part, "x") for part in (inner["state"], inner["inc"], state["has_uint32"], state["uinteger"])]


def _generator(state: Sequence[str]) -> np.random.Generator:
    parts = [int(part, 16) for part in state]
    bits = np.random.PCG64(0)
    bits.state = {
        "bit_generator": "PCG64",
        "state": {"state": parts[0], "inc": parts[1]},
        "has_uint32": parts[2],
        "uinteger": parts[3],
    }
    return np.random.Generator(bits)
