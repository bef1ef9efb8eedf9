"""One step of a chain: found by its name among filters, finders, enhancers and models, and given what it asks for."""

from __future__ import annotations

import importlib
import inspect
import typing
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sightline.applying.text import Spec, to_text
from sightline.applying.values import Setting, answer_of, plain, settings_of, settle
from sightline.core import catalog
from sightline.core.annotations import Annotation, Heatmap, Objects, Picture, Regions
from sightline.core.errors import InputError, SettingsError, UnknownNameError, nearest
from sightline.core.run import Run

PLACED = (Objects, Regions, Heatmap)  # what is found at places, which a picture that is moved no longer has
_MOVING = ("geometry", "warping")  # files of filters whose entries move pixels, where `moves` does not say it

_ENHANCING = "sightline.enhancing.steps"  # offers NAMES and find(name)


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What a step found: which step, in what, and of which size the picture was then."""

    step: int  # counted from 1
    text: str
    record: Annotation
    size: tuple[int, int]
    frame: int  # how often pixels had been moved before


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """A picture on its way through a chain, with what was found so far."""

    pixels: np.ndarray
    found: tuple[Found, ...] = ()
    frame: int = 0

    @property
    def answer(self) -> Annotation:
        """What was found last; the picture itself where nothing was looked for."""
        return self.found[-1].record if self.found else Picture(self.pixels)


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """A function with its settings; a picture that it answers with goes on, a record is kept beside the picture."""

    text: str
    name: str
    family: str  # filter, finder, enhancer, verb or model
    line: str  # what it does, in one line
    function: Callable[..., Any]
    settings: Mapping[str, Any]
    takes: Mapping[str, Setting]  # settings that hold a record, which the chain hands over
    gives: frozenset[type] | None  # kinds of answers, where they are known
    moves: bool
    seal: Mapping[str, Any]  # JSON that differs wherever its answers would

    def __call__(self, state: State, place: int) -> State:
        """The picture and the findings after this step."""
        made = self.function(state.pixels, **self.settings, **self._handed(state))
        if isinstance(made, Picture):
            made = made.pixels
        if isinstance(made, np.ndarray):
            moved = self.moves or made.shape[:2] != state.pixels.shape[:2]
            return State(made, state.found, state.frame + moved)
        if not isinstance(made, Annotation):
            raise TypeError(f"{self.name} answered with {type(made).__name__}, not with a picture or a record")
        size = (int(state.pixels.shape[0]), int(state.pixels.shape[1]))
        return State(state.pixels, (*state.found, Found(place, self.text, made, size, state.frame)), state.frame)

    def _handed(self, state: State) -> dict[str, Annotation]:
        """The last record of each kind that it takes."""
        given: dict[str, Annotation] = {}
        for name, setting in self.takes.items():
            kind = setting.record
            fitting = [one for one in state.found if isinstance(one.record, kind or Annotation)]
            placed = kind in PLACED
            there = [one for one in fitting if not placed or one.frame == state.frame]
            if there:
                given[name] = there[-1].record
            elif setting.default is inspect.Parameter.empty:
                why = "were found before the picture was moved or cut" if fitting else "were not found before it"
                raise InputError("mismatch", f"{self.name} takes {name}, which {why}. Put what finds them before it.")
        return given


def step(spec: Spec, before: Collection[type] | None) -> Step:
    """The step that is meant; `before` are the kinds of records found ahead of it, None where they are not known."""
    family, function, line = _looked_up(spec.name, before)
    known = settings_of(function)
    settings = settle(spec.name, known, spec.settings)
    takes = {name: setting for name, setting in known.items() if setting.record is not None}
    lacking = _lacking(takes, before)
    if lacking:
        raise SettingsError(f"{spec.name} takes {lacking[0]}, and no step before it finds them. {_finders(lacking[1])}")
    tail = getattr(function, "__module__", "").rpartition(".")[2]
    moves = bool(getattr(function, "moves", family == "filter" and tail in _MOVING))
    if family == "verb":
        moves = spec.name in _verbs().MOVING
    seal = {"step": spec.name, "family": family, "settings": plain(settings), "version": _version(function)}
    text = to_text(spec.name, {name: _shown(value) for name, value in spec.settings.items()})
    return Step(text, spec.name, family, line, function, settings, takes, _gives(function), moves, seal)


def every_name() -> list[str]:
    """All that a step may be called, but for paths of models."""
    return sorted({*catalog.names("filters"), *catalog.names("finders"), *_enhancers(), *_verbs().VERBS})


def _looked_up(name: str, before: Collection[type] | None) -> tuple[str, Callable[..., Any], str]:
    """Family, function and line; what works on findings goes first where there are some.

    A filter goes before a finder of the same name, which `finders.name` asks for.
    """
    verb = _verbs().VERBS.get(name)
    if verb is not None and not _lacking({n: s for n, s in settings_of(verb).items() if s.record}, before):
        return "verb", verb, _line(verb)
    home, _, own = name.partition(".")
    for family in ("filters", "finders"):
        wanted = own if home == family else name
        if wanted.partition(":")[0] in catalog.names(family):
            found = catalog.find(family, wanted)
            return family[:-1], found, _line(found)
    if name in _enhancers():
        found = importlib.import_module(_ENHANCING).find(name)
        return "enhancer", found, _line(found)
    if verb is not None:
        return "verb", verb, _line(verb)
    place = _place(name)
    if place is None:
        known = every_name()
        raise UnknownNameError(
            f"no step is called '{name}', and no bundle or run is there.{nearest(name, known)} "
            "See: sightline list filters, sightline list finders"
        )
    from sightline.applying.models import ModelStep

    model = ModelStep(place)
    return "model", model, f"a model that answers with {model.kind.__name__.lower()}"


def _verbs() -> Any:
    from sightline.applying import verbs  # which hold chains of their own

    return verbs


def _enhancers() -> tuple[str, ...]:
    """What restores by learning, where that stage is there."""
    try:
        return tuple(importlib.import_module(_ENHANCING).NAMES)
    except ModuleNotFoundError as error:
        if error.name not in (_ENHANCING, _ENHANCING.rpartition(".")[0]):
            raise
        return ()


def _place(name: str) -> Path | None:
    """The bundle or run of this name."""
    path = Path(name)
    if "\0" in name:
        return None
    for place in (path, Path("runs") / path):
        if Run(place).exists or (place / "model.json").is_file() or (place.suffix == ".sightline" and place.is_file()):
            return place
    return None


def _lacking(takes: Mapping[str, Setting], before: Collection[type] | None) -> tuple[str, type] | None:
    """The first record that a step must have and that nothing before it finds."""
    for name, setting in takes.items():
        kind = setting.record
        if kind is None or before is None or setting.default is not inspect.Parameter.empty:
            continue
        if not any(issubclass(one, kind) for one in before):
            return name, kind
    return None


def _finders(kind: type) -> str:
    """Which steps find this kind of record."""
    filters = catalog.names("filters")
    able = [name for name in catalog.names("finders") if kind in (_gives(catalog.find("finders", name)) or ())]
    able = [f"finders.{name}" if name in filters else name for name in able]
    able += [name for name, verb in _verbs().VERBS.items() if answer_of(verb) is kind]
    return f"Such a step is {', '.join(able[:5])}." if able else "A model may find them."


def _gives(function: Callable[..., Any]) -> frozenset[type] | None:
    """The kinds that a step says it answers with; None where it only says that it is a record."""
    told = getattr(function, "kind", None) or answer_of(function)
    kinds = [one for one in (told, *typing.get_args(told)) if isinstance(one, type)]
    kinds = [np.ndarray if one is Picture else one for one in kinds]
    kinds = [one for one in kinds if one is np.ndarray or issubclass(one, Annotation)]
    return None if not kinds or Annotation in kinds else frozenset(kinds)


def _version(function: Callable[..., Any]) -> str:
    """What changes when the step does: the seal of a model, or the release that a function comes from."""
    told = getattr(function, "version", None)
    if isinstance(told, str):
        return told
    from sightline import __version__

    module = getattr(function, "__module__", None) or ""
    return __version__ if module.startswith("sightline.") else f"{module} beside {__version__}"


def _line(function: Callable[..., Any]) -> str:
    return (inspect.getdoc(function) or "").split("\n")[0]


def _shown(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return f"<{' x '.join(map(str, value.shape))} numbers>"
    return value


def kinds_before(steps: Iterator[Step] | list[Step]) -> set[type] | None:
    """What these steps find, where all of them say it."""
    found: set[type] = set()
    for one in steps:
        if one.gives is None:
            return None
        found |= {kind for kind in one.gives if kind is not np.ndarray}
    return found
