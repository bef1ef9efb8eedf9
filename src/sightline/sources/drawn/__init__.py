"""Drawn scenes: seeded, photo-like worlds whose every label is exact (drawn:parts?count=400&size=128)."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sightline.core import settings
from sightline.core.dataset import Dataset
from sightline.core.errors import SettingsError, UnknownNameError, nearest

if TYPE_CHECKING:
    from sightline.sources.drawn.scene import Scene, World

WORLDS = ("parts", "street", "cells", "documents", "shapes", "motion", "pairs", "mushrooms")
SIZES = (32, 1024)


@dataclass(frozen=True, slots=True)
class Settings:
    """What the words after `?` may set."""

    count: int = 300
    size: int = 256  # rows and columns
    truth: str | None = None  # the world's own where not given
    seed: int = 0
    split: bool = False  # part the samples 70/15/15 into train, val and test
    keep: bool = True  # hold the last scenes in memory


def read(where: str) -> Dataset:
    """The data set that words such as `parts?count=400&size=128&truth=objects` stand for."""
    world, _, query = where.partition("?")
    _world(world)
    given = settings.fill(
        Settings, settings.from_words(word for word in query.split("&") if word), where=f"drawn:{world}"
    )
    return _dataset(world, given)


def dataset(
    world: str, count: int = 300, *, size: int = 256, truth: str | None = None, seed: int = 0, keep: bool = True
) -> Dataset:
    """`count` scenes of a world, each drawn when it is asked for."""
    return _dataset(world, Settings(count, size, truth, seed, False, keep))


def draw(world: str, seed: int, size: int = 256, *, index: int = 0) -> Scene:
    """One scene with every truth that its world knows."""
    _check_size(size)
    made = _world(world)
    return made.draw(made.plan(seed, index), seed, index, size)


def _dataset(world: str, given: Settings) -> Dataset:
    from sightline.sources.drawn.scene import KINDS
    from sightline.sources.drawn.series import Series

    made = _world(world)
    truth = given.truth or made.default
    if truth not in made.names:
        raise SettingsError(
            f"drawn:{world} has no truth called '{truth}'.{nearest(truth, made.names)} "
            f"It offers {', '.join(made.names)}."
        )
    _check_size(given.size)
    if given.count < 0:
        raise SettingsError(f"count = {given.count}: give 0 or more.")
    series = Series(world, made, given.count, given.size, truth, given.seed, given.split, given.keep)
    return Dataset(series, name=f"drawn:{world}", names=made.names[truth], kind=KINDS[truth], recipe=series.recipe)


def _world(name: str) -> World:
    if name not in WORLDS:
        raise UnknownNameError(f"no world is called '{name}'.{nearest(name, WORLDS)} Known: {', '.join(WORLDS)}.")
    found: Any = importlib.import_module(f"{__name__}.{name}")
    world: World = found.WORLD
    return world


def _check_size(size: int) -> None:
    if not SIZES[0] <= size <= SIZES[1]:
        raise SettingsError(f"size = {size}: give {SIZES[0]} to {SIZES[1]} pixels.")
