"""A chain as one endpoint: models go through their own queues, versions and arms; what lies between has workers too.

`denoise | detect | each (classify)`: a step that is called as a model of the service is that model, `each (model)`
asks it about every thing that was found, all at once; other steps are those of `applying`. The seconds of each stage
are told.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from sightline.applying.steps import Found
from sightline.applying.text import INNER, Spec, from_text, to_text
from sightline.core.annotations import Annotation, Objects, Picture, to_json
from sightline.core.errors import InputError, SettingsError
from sightline.core.files import digest
from sightline.registering.version import Version
from sightline.serving.asking import Ask, Reply
from sightline.serving.crew import Crew
from sightline.serving.stage import CROPS, Carried, Crops

Predict = Callable[[Ask], Awaitable[Reply]]
Local = Callable[[Crew, Ask, Carried], Awaitable[Any]]


@dataclass(eq=False)
class Stage:
    """A model that is asked once, or about each thing; or steps with workers of their own."""

    text: str
    model: str = ""
    each: bool = False
    crew: Crew | None = None
    least: float | None = None


class Served:
    """One chain, its stages in order."""

    def __init__(self, name: str, stages: list[Stage]) -> None:
        self.name, self.stages = name, stages

    async def answer(self, ask: Ask, predict: Predict, local: Local) -> Reply:
        """The answer of the last stage that finds anything; the picture that was made where none does."""
        carried, last, seals = Carried(ask.data), None, []
        seconds: dict[str, float] = {}
        for place, stage in enumerate(self.stages, 1):
            begun = time.monotonic()
            if stage.each:
                carried, last = await self._each(stage, place, carried, ask, predict, local)
            elif stage.model:
                last = await predict(_asked(ask, stage, carried.data))
                carried = _found(carried, place, stage.text, last.answer)
            else:
                assert stage.crew
                made: Carried = await local(stage.crew, ask, carried)
                carried = made if len(made.data) else replace(made, data=carried.data)
                last = None
                seals.append(stage.crew.version.seal)
            if last is not None:
                seals.append(last.seal)
            seconds[f"{place} {stage.text}"] = time.monotonic() - begun
        seal = digest("\n".join([self.name, *seals]).encode())
        answer = carried.found[-1].record if carried.found else _picture(carried)
        number, arm = (1, "champion") if last is None else (last.number, last.arm)
        decision = None if last is None or self.stages[-1].each else last.decision
        return Reply(self.name, number, seal, arm, answer, decision, 0.0 if last is None else last.least, seconds)

    async def _each(
        self, stage: Stage, place: int, carried: Carried, ask: Ask, predict: Predict, local: Local
    ) -> tuple[Carried, Reply | None]:
        """Every thing of the last finding asked about, together, so that they share groups."""
        there = [one.record for one in carried.found if isinstance(one.record, Objects) and one.frame == carried.frame]
        if not there:
            raise InputError(
                "mismatch", f"{stage.text}: nothing was found before it. Put a model that finds things first."
            )
        assert stage.crew
        things = there[-1]
        crops: Crops = await local(stage.crew, ask, replace(carried, found=(Found(place, "", things, (0, 0), 0),)))
        asked = [
            _told(predict, _asked(ask, stage, part)) if isinstance(part, np.ndarray) else _error(part)
            for part in crops.pixels
        ]
        given = await asyncio.gather(*asked)
        known = things.details or tuple({} for _ in range(len(things)))
        rows = []
        for before, one in zip(known, given, strict=True):
            if isinstance(one, InputError):
                rows.append({**before, "error": {"code": one.code, "message": one.message}})
            else:
                rows.append({**before, "answer": to_json(one.answer)})
        replies = [one for one in given if isinstance(one, Reply)]
        made = replace(things, details=tuple(rows))
        return _found(carried, place, stage.text, made), replies[0] if replies else None


async def _told(predict: Predict, ask: Ask) -> Reply | InputError:
    """One thing that cannot be read harms no other."""
    try:
        return await predict(ask)
    except InputError as error:
        return error


async def _error(error: InputError) -> InputError:
    return error


def _asked(ask: Ask, stage: Stage, data: bytes | np.ndarray) -> Ask:
    return replace(
        ask, model=stage.model, data=data, which=None, least=ask.least if stage.least is None else stage.least
    )


def _found(carried: Carried, place: int, text: str, record: Annotation) -> Carried:
    data = carried.data
    if isinstance(record, Picture):  # a model that makes pictures: what comes after sees that one
        return Carried(record.pixels, carried.found, carried.frame + 1)
    size = (0, 0) if isinstance(data, bytes) else (int(data.shape[0]), int(data.shape[1]))
    return replace(carried, found=(*carried.found, Found(place, text, record, size, carried.frame)))


def _picture(carried: Carried) -> Picture:
    assert isinstance(carried.data, np.ndarray)
    return Picture(carried.data)


def parse(name: str, text: str, models: Collection[str], make: Callable[[Version], Crew]) -> Served:
    """The stages of a chain; steps side by side are one stage."""
    stages: list[Stage] = []
    steps: list[Spec] = []

    def flush() -> None:
        if steps:
            told = " | ".join(to_text(step.name, step.settings) for step in steps)
            stages.append(Stage(told, crew=make(_version(name, len(stages), told))))
            steps.clear()

    for spec in from_text(text):
        inner = str(spec.settings.get(INNER, "")).strip()
        if spec.name in models:
            flush()
            stages.append(Stage(spec.name, spec.name, least=_least(spec)))
        elif spec.name == "each" and inner in models:
            flush()
            crew = make(_version(name, len(stages), f"{CROPS} {float(spec.settings.get('margin', 0.0))}"))
            stages.append(Stage(f"each {inner}", inner, each=True, crew=crew))
        else:
            steps.append(spec)
    flush()
    if not stages:
        raise SettingsError(f"the chain '{name}' has no steps.")
    return Served(name, stages)


def _least(spec: Spec) -> float | None:
    unknown = set(spec.settings) - {"least"}
    if unknown:
        raise SettingsError(f"{spec.name}: no setting is called '{min(unknown)}' of a model. Known: least.")
    return float(spec.settings["least"]) if "least" in spec.settings else None


def _version(name: str, place: int, text: str) -> Version:
    """Steps as a version, whose path is their text."""
    from sightline import __version__

    return Version(f"{name}.{place + 1}", 1, digest(f"{__version__} {text}".encode()), Path(), note=text)
