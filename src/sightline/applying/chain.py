"""Steps in a row: one value that reads the same from text, TOML and Python, and applies to one picture at a time."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np

from sightline.applying import steps as parts
from sightline.applying.steps import Found, State, Step
from sightline.applying.text import Spec, from_list, from_table, from_text
from sightline.core.annotations import Annotation
from sightline.core.errors import InputError
from sightline.core.files import canonical, digest
from sightline.core.image import as_image
from sightline.core.run import Run
from sightline.core.sample import Sample
from sightline.core.settings import from_toml


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What a chain makes of one picture: its pixels, what was found on the way, and the seconds of every step."""

    pixels: np.ndarray
    found: tuple[Found, ...]
    seconds: tuple[float, ...]
    moved: bool  # whether pixels no longer lie where they lay

    @property
    def answer(self) -> Annotation:
        """What was found last; the picture itself where nothing was looked for."""
        return State(self.pixels, self.found).answer


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """A picture on its way: which step has just been, what it found, how long it took."""

    text: str
    line: str
    pixels: np.ndarray
    record: Annotation | None
    seconds: float


class StepFault(Exception):
    """Which step failed; its cause is what it raised."""

    def __init__(self, place: int, text: str) -> None:
        super().__init__(f"step {place}, {text}")
        self.place, self.text = place, text


class Chain:
    """Filters, finders, enhancers and models in a row."""

    EXAMPLE = "(gaussian | otsu)"

    def __init__(self, steps: list[Step]) -> None:
        self.steps = tuple(steps)

    @classmethod
    def parse(cls, what: Any) -> Chain:
        """A chain from text, from a list of steps, or from another chain; settings are checked at once."""
        if isinstance(what, Chain):
            return what
        return cls._of(from_text(what) if isinstance(what, str) else from_list(what))

    @classmethod
    def load(cls, path: str | Path) -> Chain:
        """The chain of a TOML file: a list called `steps`."""
        return cls._of(from_table(from_toml(Path(path)), str(path)))

    @classmethod
    def _of(cls, specs: list[Spec]) -> Self:
        made: list[Step] = []
        for spec in specs:
            made.append(parts.step(spec, parts.kinds_before(made)))
        return cls(made)

    def __call__(self, image: Any) -> Outcome:
        """Apply every step to a picture (pixels, path, bytes, picture or sample)."""
        state = State(pixels_of(image))
        seconds = []
        for place, _ in enumerate(self.steps, 1):
            begun = time.perf_counter()
            state = self._step(state, place)
            seconds.append(time.perf_counter() - begun)
        return Outcome(state.pixels, state.found, tuple(seconds), state.frame > 0)

    def stages(self, image: Any) -> list[Stage]:
        """The picture as it came and after each step."""
        return list(self.walk(image))

    def walk(self, image: Any) -> Iterator[Stage]:
        """The stages one by one, as they come."""
        state = State(pixels_of(image))
        yield Stage("as it came", "", state.pixels, None, 0.0)
        for place, step in enumerate(self.steps, 1):
            begun, known = time.perf_counter(), len(state.found)
            state = self._step(state, place)
            record = state.found[-1].record if len(state.found) > known else None
            yield Stage(step.text, step.line, state.pixels, record, time.perf_counter() - begun)

    def traced(self, image: Any) -> Iterator[State]:
        """The state after every step, as it comes; a step that fails raises `StepFault`."""
        state = State(pixels_of(image))
        for place, step in enumerate(self.steps, 1):
            try:
                state = self._step(state, place)
            except Exception as error:
                raise StepFault(place, step.text) from error
            yield state

    def _step(self, state: State, place: int) -> State:
        step = self.steps[place - 1]
        try:
            return step(state, place)
        except InputError as error:
            if error.message.startswith(step.name):
                raise
            raise InputError(error.code, f"{step.name} (step {place}): {error.message}") from error

    @property
    def kind(self) -> type[Annotation] | None:
        """The record that its last finding is, where the steps say so."""
        for step in reversed(self.steps):
            kinds = step.gives
            if kinds is None or (len(kinds) > 1 and kinds != {np.ndarray}):
                return None
            found = [kind for kind in kinds if kind is not np.ndarray]
            if found:
                return found[0]
        return None

    @property
    def edits(self) -> bool:
        """Whether some step makes another picture, rather than all of them looking only."""
        return any(step.gives is None or np.ndarray in step.gives for step in self.steps)

    @cached_property
    def seal(self) -> str:
        """A hash that changes with any step, setting, model or release."""
        return digest(canonical(self.plain()))

    def plain(self) -> list[Any]:
        """What the seal is made of."""
        return [dict(step.seal) for step in self.steps]

    def __str__(self) -> str:
        return " | ".join(step.text for step in self.steps)


def is_chain(what: Any) -> bool:
    """Whether a word is a chain, rather than a path: it has a bar or settings, or is the name of a step."""
    if isinstance(what, Chain):
        return True
    if not isinstance(what, str) or "\0" in what or os.path.exists(what):  # noqa: PTH110 - of any length
        return False
    if Run(Path("runs") / what).exists:
        return False
    first = (what.split() or [""])[0].removeprefix("filters.").removeprefix("finders.").partition(":")[0]
    return "|" in what or first in parts.every_name()


def pixels_of(image: Any) -> np.ndarray:
    """The pixels of whatever stands for a picture."""
    if isinstance(image, Sample):
        return image.pixels()
    if isinstance(image, np.ndarray):
        return image
    return as_image(image).read()
