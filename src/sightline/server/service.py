"""All that the routes of one service share: its settings, its models, its engine, and what it counts."""

from __future__ import annotations

import asyncio
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from sightline.core.errors import BundleError, RegistryError, ServingError
from sightline.registering.version import CHAMPION, Source, Version
from sightline.server.bodies import Room
from sightline.server.fetching import Fetcher
from sightline.server.logs import Log
from sightline.server.metrics import Metrics
from sightline.server.rates import Rates
from sightline.server.settings import ServerSettings
from sightline.server.tokens import Keeper
from sightline.serving.asking import Ask, Reply

if TYPE_CHECKING:
    from sightline.serving.examples import Examples
    from sightline.serving.jobs import Jobs
    from sightline.serving.predictions import Predictions
    from sightline.serving.trainings import Trainings


class Engine(Protocol):
    """What the door needs of whoever answers."""

    async def start(self) -> None:
        """Load and warm up."""

    async def predict(self, ask: Ask) -> Reply:
        """One answer, or the error that says why there is none."""

    async def stop(self, seconds: float) -> None:
        """End, letting what is accepted finish within this time."""

    async def refresh(self) -> None:
        """Look at the source again, now."""

    def state(self) -> Mapping[str, Any]:
        """Plain JSON about models, workers and queues."""

    @property
    def ready(self) -> bool:
        """Whether it can answer."""


@dataclass(frozen=True, slots=True)
class Teaching:
    """What callers have shown, and what they want to be learnt from it."""

    examples: Examples
    trainings: Trainings
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)  # pictures are checked one after another


@dataclass(slots=True)
class Service:
    """One process that answers."""

    settings: ServerSettings
    source: Source
    engine: Engine
    keeper: Keeper
    log: Log
    metrics: Metrics
    rates: Rates
    room: Room
    fetch: Fetcher | None = None
    predictions: Predictions | None = None  # the log of answers
    jobs: Jobs | None = None  # the queue of batch jobs
    teaching: Teaching | None = None  # where it learns from what callers show
    draining: bool = False
    models: frozenset[str] = field(default_factory=frozenset)  # known names, as of a second ago

    @classmethod
    def made(cls, settings: ServerSettings, source: Source, engine: Engine, log: Log | None = None) -> Service:
        """A service, checked and not yet started."""
        settings.check()
        fetch = Fetcher(settings.urls, settings.body) if settings.urls else None
        rates = Rates(settings.rate, settings.burst, settings.crowd)
        keeper, room = Keeper(settings.tokens), Room(settings.room, settings.unsized)
        return cls(settings, source, engine, keeper, log or Log(), Metrics(), rates, room, fetch)

    @property
    def ready(self) -> bool:
        """Whether a load balancer should send requests here."""
        return not self.draining and self.engine.ready

    def source_changed(self) -> None:
        """Take note of which models there are."""
        self.models = frozenset(self.source.names())

    def version(self, name: str, which: int | str | None = None) -> Version:
        """A version, or 404."""
        try:
            return self.source.version(name, CHAMPION if which is None else which)
        except RegistryError as error:
            raise ServingError("not_found", error.message) from error

    async def registry(self, who: str, method: str, name: str, *given: Any, **named: Any) -> Any:
        """Ask the registry to change something, in the name of a token; 404 for an unknown model, else 409."""
        acting = getattr(self.source, "acting", None)
        act = None if acting is None else getattr(acting(f"token {who}"), method)
        if act is None:
            raise ServingError("conflict", "This service was given bundles, not a registry: nothing can be changed.")
        try:
            done = await asyncio.to_thread(act, name, *given, **named)
        except RegistryError as error:
            known = await asyncio.to_thread(self.source.names)
            raise ServingError("conflict" if name in known else "not_found", error.message) from error
        await self.engine.refresh()
        return done


@lru_cache(maxsize=64)
def card_of(path: Path, seal: str) -> Mapping[str, Any]:
    """What a bundle says of itself; the seal is part of the question, so that a replaced bundle is read anew."""
    try:
        if path.is_dir():
            data = (path / "model.json").read_bytes()
        else:
            with zipfile.ZipFile(path) as packed:
                data = packed.read("model.json")
        found: Mapping[str, Any] = json.loads(data)
        return found
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise BundleError(f"the bundle {seal[:12]} cannot be read") from error
