"""Which version of each model answers: what the source says, as soon as it is warm; until then what answered before."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from sightline.core.errors import RegistryError, ServingError, SettingsError, SightlineError, nearest
from sightline.registering.version import CHAMPION, LATEST, Source, Version
from sightline.serving import routing
from sightline.serving.arms import Traffic
from sightline.serving.asking import Ask
from sightline.serving.crew import Crew
from sightline.serving.routing import Routes
from sightline.serving.settings import Settings


@dataclass(eq=False)
class Post:
    """One model: who answers for it, who did before, who else is at hand, and who was refused and why."""

    name: str
    aliases: dict[str, int] = field(default_factory=dict)
    names: dict[str, int] = field(default_factory=dict)  # them, and `latest`: what a request or an arm may say
    traffic: Traffic | None = None
    champion: Crew | None = None
    previous: Crew | None = None  # kept warm, so that the way back takes no time
    crews: dict[int, Crew] = field(default_factory=dict)
    starting: dict[int, asyncio.Task[None]] = field(default_factory=dict)
    refused: dict[int, str] = field(default_factory=dict)
    named: set[int] = field(default_factory=set)  # versions that callers asked for by name
    swaps: int = 0

    def routes(self, ask: Ask) -> Routes:
        """Who answers, who only listens."""
        if ask.which is None:
            if self.champion is None:
                raise self.absent()
            return routing.routes(ask, self.champion.version.number, self.names, self.traffic)
        if ask.which == CHAMPION and self.champion is not None:
            return Routes(self.champion.version.number, CHAMPION)
        return Routes(routing.asked_for(self.name, ask.which, self.names), str(ask.which))

    def absent(self) -> ServingError:
        """Why nobody answers."""
        why = "; ".join(f"version {number}: {reason}" for number, reason in self.refused.items()).rstrip(".")
        return ServingError("not_ready", f"no version of '{self.name}' is ready{f': {why}' if why else ' yet'}.")


class Posts:
    """Every model of the source."""

    def __init__(self, source: Source, settings: Settings, make: Callable[[Version], Crew]) -> None:
        self.source, self.settings, self.make = source, settings, make
        self.trouble = ""  # what the source last complained of
        self._posts: dict[str, Post] = {}
        self._crews: list[Crew] = []
        self._seen: int | None = None
        self._asking = ThreadPoolExecutor(1, "source")  # one thread: a database is asked from where it was opened
        self._leaving: set[asyncio.Task[None]] = set()

    # ------------------------------------------------------------------------------------------- what there should be

    async def look(self) -> None:
        """Refresh, if anything has changed."""
        loop = asyncio.get_running_loop()
        if await loop.run_in_executor(self._asking, self.source.changed) != self._seen:
            await self.refresh()
        for post in self._posts.values():
            if post.named:
                self._settle(post)

    async def refresh(self) -> None:
        """Serve what the source names now; answers when that is warm, or refused."""
        loop = asyncio.get_running_loop()
        seen, table = await loop.run_in_executor(self._asking, self._read)
        if seen != self._seen:
            for post in self._posts.values():
                post.refused.clear()
        self._seen, self.trouble = seen, ""
        for name in set(self._posts) - set(table):
            self._dismiss(self._posts.pop(name))
        waiting = []
        for name, (aliases, names, traffic, versions) in table.items():
            post = self._posts.setdefault(name, Post(name))
            post.aliases, post.names, post.traffic = aliases, names, traffic
            waiting += [task for version in versions if (task := self._wanted(post, version)) is not None]
            self._settle(post)
        if waiting:
            await asyncio.wait(waiting)

    def _read(self) -> tuple[int, dict[str, tuple[dict[str, int], dict[str, int], Any, list[Version]]]]:
        source, seen = self.source, self.source.changed()
        table = {}
        for name in source.names():
            aliases, traffic = source.aliases(name), routing.read(source.traffic(name))
            names = dict(aliases)
            with contextlib.suppress(RegistryError):  # all of its versions may have been given up
                names[LATEST] = source.version(name, LATEST).number
            numbers = routing.needed(names, traffic) | ({aliases[CHAMPION]} if CHAMPION in aliases else set())
            table[name] = aliases, names, traffic, [source.version(name, number) for number in sorted(numbers)]
        return seen, table

    def _wanted(self, post: Post, version: Version) -> asyncio.Task[None] | None:
        """Begin to warm a version, unless it is there, under way, or known to be bad."""
        number = version.number
        if number in post.crews or number in post.refused:
            return None
        if number not in post.starting:
            crew = self.make(version)
            task = asyncio.get_running_loop().create_task(self._warm(post, crew))
            post.starting[number] = task
        return post.starting[number]

    async def _warm(self, post: Post, crew: Crew) -> None:
        number = crew.version.number
        self._crews = [*self._crews, crew]
        try:
            await crew.start()
        finally:
            post.starting.pop(number, None)
            if crew.state == "ready":
                post.crews[number] = crew
                post.refused.pop(number, None)
            else:
                crew.close()
                self._crews = [one for one in self._crews if one is not crew]
                post.refused[number] = crew.reason
        if self._posts.get(post.name) is not post:
            self._dismiss(post)
            return
        self._settle(post)
        self._make_room(crew)

    def _settle(self, post: Post) -> None:
        """The champion answers from now on, if it is warm; who is no longer needed leaves with its last item."""
        wanted = post.aliases.get(CHAMPION)
        crew = post.crews.get(wanted) if wanted is not None else None
        if crew is not None and crew is not post.champion:
            if post.champion is not None:
                post.previous = post.champion
                post.swaps += 1
            post.champion = crew
        needed = routing.needed(post.names, post.traffic)
        soon = time.monotonic() - self.settings.idle
        for number, one in list(post.crews.items()):
            visited = number in post.named and one.used > soon
            if one not in (post.champion, post.previous) and number not in needed and not visited:
                self._retire(post, number)
        for number, task in list(post.starting.items()):
            if number != wanted and number not in needed | post.named:
                task.cancel()

    def _retire(self, post: Post, number: int) -> None:
        crew = post.crews.pop(number)
        post.named.discard(number)
        task = asyncio.get_running_loop().create_task(self._last_item(crew))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def _last_item(self, crew: Crew) -> None:
        """It stays as long as it has something to answer."""
        until = time.monotonic() + self.settings.seconds
        while (crew.waiting or crew.flying) and time.monotonic() < until:
            await asyncio.sleep(0.01)
        crew.close()
        self._crews = [one for one in self._crews if one is not crew]

    def _make_room(self, newest: Crew) -> None:
        """Where more versions are held than may be, those that were not asked for longest leave."""
        most = self.settings.sessions
        while most and len(self._crews) > most:
            held = [(c.used, p.name, n) for p in self._posts.values() for n, c in p.crews.items() if c is not newest]
            if not held:
                return
            _, name, number = min(held)
            post = self._posts[name]
            gone = post.crews[number]
            self._retire(post, number)
            self._crews = [one for one in self._crews if one is not gone or one.waiting or one.flying]
            if post.previous is gone:
                post.previous = None
            if len(self._crews) > most and gone in self._crews:
                return

    def _dismiss(self, post: Post) -> None:
        for number in list(post.crews):
            self._retire(post, number)
        for task in post.starting.values():
            task.cancel()

    # ---------------------------------------------------------------------------------------------------- who there is

    def crews(self) -> list[Crew]:
        """All that live, also those that are about to leave."""
        return self._crews

    async def adopt(self, crew: Crew) -> None:
        """Workers of a stage of a chain: they stay as long as the service does."""
        self._crews = [*self._crews, crew]
        await crew.start()
        if crew.state != "ready":
            raise SettingsError(f"{crew.version.note}: {crew.reason}")

    def names(self) -> list[str]:
        """Every model."""
        return list(self._posts)

    def post(self, name: str) -> Post:
        """One model."""
        if name not in self._posts:
            raise ServingError("not_found", f"no model is called '{name[:80]}'.{nearest(name, self._posts)}")
        return self._posts[name]

    async def crew(self, post: Post, number: int, deadline: float = math.inf) -> Crew:
        """The version, warm; one that is not is loaded first, while there is time."""
        crew = post.crews.get(number)
        if crew is not None:
            return crew
        if number in post.refused:
            raise ServingError("not_ready", f"version {number} of '{post.name}': {post.refused[number]}")
        task = post.starting.get(number)
        if task is None:
            version = await self._version(post.name, number)
            post.named.add(number)
            task = self._wanted(post, version)
        if task is not None:
            left = None if deadline == math.inf else max(0.0, deadline - time.monotonic())
            with contextlib.suppress(asyncio.CancelledError if task.cancelled() else TimeoutError):
                await asyncio.wait_for(asyncio.shield(task), left)
        crew = post.crews.get(number)
        if crew is None:
            why = post.refused.get(number, "it is still being loaded")
            raise ServingError("not_ready", f"version {number} of '{post.name}': {why}", retry_after=1.0)
        return crew

    async def _version(self, name: str, number: int) -> Version:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._asking, self.source.version, name, number)
        except RegistryError as error:
            raise ServingError("not_found", error.message) from error
        except SightlineError as error:
            raise ServingError("not_ready", error.message) from error

    def instead(self, post: Post, crew: Crew) -> Crew | None:
        """Who answers in place of a version that fails: the model named for it, or who answered before."""
        named = self.settings.fallback.get(post.name)
        other = self._posts.get(named) if named else None
        choices: Iterable[Crew | None] = (other.champion if other else None, post.previous, post.champion)
        for choice in choices:
            if choice is not None and choice is not crew and choice.state == "ready" and choice.breaker.allows():
                return choice
        return None

    @property
    def served(self) -> bool:
        """Whether every model has somebody who answers."""
        posts = self._posts.values()
        return bool(posts) and all(post.champion is not None for post in posts if CHAMPION in post.aliases)

    def told(self) -> dict[str, Any]:
        """Every model with its versions."""
        return {name: _told(post) for name, post in self._posts.items()}

    async def close(self) -> None:
        """End all."""
        for post in self._posts.values():
            for task in list(post.starting.values()):
                task.cancel()
        for task in list(self._leaving):
            task.cancel()
        for crew in self._crews:
            crew.close()
        self._crews = []
        self._asking.shutdown(wait=False)


def _told(post: Post) -> dict[str, Any]:
    return {
        "champion": None if post.champion is None else post.champion.version.number,
        "wanted": post.aliases.get(CHAMPION), "aliases": dict(post.aliases), "swaps": post.swaps,
        "versions": {number: crew.told() for number, crew in post.crews.items()},
        "loading": sorted(post.starting), "refused": dict(post.refused),
    }  # fmt: skip
