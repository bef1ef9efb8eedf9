"""Scenes by position: drawn when asked for, never twice while they are held."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sightline.core.annotations import Annotation, Labels
from sightline.core.chance import seed_from
from sightline.core.files import digest
from sightline.core.image import encode
from sightline.core.sample import Sample
from sightline.sources.drawn.scene import Scene, World

EDITION = 1  # raise when any world draws other pixels or truths than before: fingerprints must change with them
HELD = 64 * 2**20  # bytes of scenes kept


class Store:
    """The scenes asked for last, within a number of bytes; a scene is drawn by one thread while others wait for it."""

    def __init__(self, limit: int) -> None:
        self._limit, self._held = limit, 0
        self._scenes: OrderedDict[int, Scene] = OrderedDict()
        self._lock = threading.Lock()
        self._turns = tuple(threading.Lock() for _ in range(32))

    def get(self, index: int, series: Series) -> Scene:
        with self._turns[index % len(self._turns)]:
            with self._lock:
                if index in self._scenes:
                    self._scenes.move_to_end(index)
                    return self._scenes[index]
            scene = series.draw(index)
            with self._lock:
                self._scenes[index] = scene
                self._held += scene.weight
                while self._held > self._limit and len(self._scenes) > 1:
                    self._held -= self._scenes.popitem(last=False)[1].weight
            return scene

    def __reduce__(self) -> tuple[Any, ...]:
        return Store, (self._limit,)  # locks stay behind; another process draws for itself


@dataclass(frozen=True, eq=False)
class DrawnImage:
    """A handle on one picture of a scene."""

    drawn: ClassVar[bool] = True  # its fingerprint says how it is drawn, not what came out
    series: Series
    index: int
    place: int

    @property
    def name(self) -> str:
        return self.series.id(self.index) + ("" if self.place == 0 else f"-{self.place}")

    def read(self, at_least: tuple[int, int] | None = None) -> np.ndarray:
        pixels = self.series.scene(self.index).images(self.series.truth)[self.place]
        pixels.setflags(write=False)
        return pixels

    def encoded(self) -> bytes:
        return encode(self.read())

    def shows(self, name: str) -> np.ndarray | None:
        """Where the things of this name are, (rows, columns) true or false; None where the scene has no such thing."""
        found = self.series.scene(self.index).objects
        if found is None or found.masks is None or name not in found.names:
            return None
        here = found.masks[found.classes == found.names.index(name)]
        return np.asarray(here.any(0)) if len(here) else None

    def fingerprint(self) -> str:
        return digest(f"{self.series.look} {self.index} {self.place}".encode())


class Series(Sequence[Sample]):
    """The samples of one world, each a pure function of (world, seed, index, size)."""

    def __init__(
        self, name: str, world: World, count: int, size: int, truth: str, seed: int, split: bool, keep: bool
    ) -> None:
        self.name, self.world, self.length, self.size = name, world, count, size
        self.truth, self.seed, self.split = truth, seed, split
        self._store = Store(HELD if keep else 0)
        self._places = 2 if name == "pairs" and truth != "picture" else 1

    @property
    def look(self) -> str:
        """Everything that the pixels depend on but the index."""
        spoiled = " degraded" if self.truth == "picture" else ""
        return f"drawn {EDITION} {self.name} size {self.size} seed {self.seed}{spoiled}"

    @property
    def recipe(self) -> str:
        return f"{self.look} count {self.length} truth {self.truth} split {self.split}"

    def id(self, index: int) -> str:
        return f"{self.name}-{index:06d}"

    def draw(self, index: int) -> Scene:
        return self.world.draw(self.world.plan(self.seed, index), self.seed, index, self.size)

    def scene(self, index: int) -> Scene:
        return self._store.get(index, self)

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[place] for place in range(self.length)[index]]
        index = range(self.length)[index]
        plan = self.world.plan(self.seed, index)
        truth: Annotation
        if self.truth == "labels" and plan.label is not None:
            truth = Labels((plan.label,))  # known without drawing
        else:
            truth = self.scene(index).truth(self.truth)
        images = tuple(DrawnImage(self, index, place) for place in range(self._places))
        side = self._side(index, plan.group) if self.split else None
        return Sample(
            self.id(index), images, truth, group=plan.group, split=side, attributes=plan.attributes
        )  # fmt: skip

    def _side(self, index: int, group: str | None) -> str:
        """A side by hash, so that more samples never move the ones before; a group stays on one side."""
        place = seed_from("drawn", "split", self.name, self.seed, group if group is not None else index) % 100
        return "train" if place < 70 else "val" if place < 85 else "test"
