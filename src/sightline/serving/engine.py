"""Answers for many callers from many models: who is asked, who waits, who is turned away, and who stands in."""

from __future__ import annotations

import asyncio
import math
import subprocess
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import Any

from sightline.core.errors import InputError, ServingError, SightlineError
from sightline.registering.version import Source
from sightline.serving.asking import Ask, Reply
from sightline.serving.crew import Crew, Owner
from sightline.serving.item import Item, Made
from sightline.serving.memory import Memory
from sightline.serving.nurse import Nurse, start_root
from sightline.serving.posts import Post, Posts
from sightline.serving.routing import Route
from sightline.serving.settings import Settings
from sightline.serving.strikes import Strikes

TICK = 0.05  # seconds between looks at workers that may be stuck
Heard = Callable[[Ask, Reply], None]


class Engine:
    """Start it, ask it, swap what it serves while it is asked, stop it."""

    def __init__(self, source: Source, settings: Settings | None = None, *, shadow: Heard | None = None) -> None:
        self.settings = settings or Settings()
        self.source, self.shadow = source, shadow
        self.strikes, self.memory = Strikes(self.settings.forget), Memory(self.settings.memory)
        self.counts: Counter[str] = Counter()
        self.accepting = False
        self._crashes: deque[float] = deque(maxlen=1000)
        self._owner = Owner(self.pump, self._crashed)
        self._root: Nurse | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._posts = Posts(source, self.settings, self._crew)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._asked = 0

    # ------------------------------------------------------------------------------------------------- start and stop

    async def start(self) -> None:
        """Every champion loaded, verified and warm; a model that cannot be served says why in `state`."""
        await self._rear()
        await self._posts.refresh()
        self.accepting = True
        for work in (self._watch(), self._poll()):
            self._keep(asyncio.get_running_loop().create_task(work))

    async def stop(self, seconds: float = 30.0) -> None:
        """Take no more, answer what was accepted, end every process."""
        self.accepting = False
        until = time.monotonic() + seconds
        while self._asked and time.monotonic() < until:
            await asyncio.sleep(0.005)
        for task in list(self._tasks):
            task.cancel()
        await self._posts.close()
        if self._root:
            self._root.close()
        if self._process:
            await asyncio.to_thread(_gone, self._process)
            self._process = None

    async def refresh(self) -> None:
        """Look at what has changed, and serve it as soon as it is warm."""
        await self._posts.refresh()
        self.pump()

    def _keep(self, task: asyncio.Task[Any]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _rear(self) -> None:
        """The root of all workers, also after somebody has ended it."""
        self._root, self._process = start_root(lambda pid, status: None)
        self._root.when_gone(lambda: self._keep(asyncio.get_running_loop().create_task(self._again())))
        async with asyncio.timeout(self.settings.start):
            await self._root.hello

    async def _again(self) -> None:
        if self.accepting:
            if self._process:
                await asyncio.to_thread(_gone, self._process)
            await self._rear()
            for crew in self._posts.crews():
                crew.root = self._root  # type: ignore[assignment]

    def _crew(self, version: Any) -> Crew:
        assert self._root
        return Crew(version, self.settings, self._root, self.strikes, self._owner)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            now = time.monotonic()
            for crew in self._posts.crews():
                crew.watch(now)
            self.pump()

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(self.settings.poll)
            try:
                await self._posts.look()
            except SightlineError as error:
                self.counts["source_errors"] += 1
                self._posts.trouble = error.message

    # ------------------------------------------------------------------------------------------------------ answering

    async def predict(self, ask: Ask) -> Reply:
        """The answer; an `InputError` for a bad picture, a `ServingError` for everything else."""
        if not self.accepting:
            raise ServingError("draining" if self._root else "not_ready", "the service takes no requests now.")
        self._asked += 1
        try:
            return await self._predict(ask)
        except (InputError, ServingError) as error:
            self.counts[error.code] += 1
            raise
        except asyncio.CancelledError:
            self.counts["cancelled"] += 1
            raise
        finally:
            self._asked -= 1

    async def _predict(self, ask: Ask) -> Reply:
        self.strikes.refuse(ask.data)
        post = self._posts.post(ask.model)
        routes = post.routes(ask)
        for route in routes[1:]:
            self._keep(asyncio.get_running_loop().create_task(self._shadowed(post, ask, route)))
        route = routes[0]
        crew = await self._posts.crew(post, route.number, ask.deadline)
        if crew.breaker.allows():
            try:
                return await self._asked_of(crew, ask, route.arm)
            except ServingError as error:
                if error.code != "worker_lost":
                    raise
                instead = self._posts.instead(post, crew)
                if instead is None:
                    raise
        else:
            instead = self._posts.instead(post, crew)
            if instead is None:
                wait = crew.breaker.wait
                raise ServingError(
                    "not_ready", f"'{ask.model}' has failed {crew.breaker.failures} times in a row; ask again later.",
                    retry_after=max(0.1, wait),
                )  # fmt: skip
        return await self._asked_of(instead, ask, "fallback")

    async def _asked_of(self, crew: Crew, ask: Ask, arm: str) -> Reply:
        key = self.memory.key(ask, crew.version.seal) if self.memory.most else None
        if key is not None and (known := self.memory.get(key)) is not None:
            crew.breaker.neither()
            self.counts["kept"] += 1
            return _reply(crew, known, arm, kept=True)
        try:
            self._admit(crew, ask)
            item = Item(ask, asyncio.get_running_loop())
            crew.add(item)
            self.pump()
            try:
                made = await item.future
            finally:
                item.settle()
        except (ServingError, asyncio.CancelledError):
            crew.breaker.neither()
            raise
        if key is not None:
            self.memory.put(key, made)
        self.counts["answered"] += 1
        return _reply(crew, made, arm)

    async def _shadowed(self, post: Post, ask: Ask, route: Route) -> None:
        """The same question for another version; nobody waits for it, and it is dropped where somebody else does."""
        try:
            crew = await self._posts.crew(post, route.number, ask.deadline)
            if self.estimate(crew) > 4 * crew.each or not crew.breaker.allows():
                self.counts["shadow_dropped"] += 1
                return
            reply = await self._asked_of(crew, ask, route.arm)
        except SightlineError:
            self.counts["shadow_failed"] += 1
            return
        self.counts["shadow"] += 1
        if self.shadow:
            self.shadow(ask, reply)

    def _admit(self, crew: Crew, ask: Ask) -> None:
        """Turn away at once what could not be answered in time."""
        if not crew.queue and crew.free is not None:
            return
        wait, left = self.estimate(crew), ask.deadline - time.monotonic()
        most = min(self.settings.wait, left - crew.each)
        if wait > most:
            again = wait - most if math.isfinite(most) and most > 0 else wait
            raise ServingError(
                "queue_full", f"more is asked than can be answered: about {wait:.2f} s of work wait already.",
                retry_after=round(max(0.05, again), 3),
            )  # fmt: skip

    def estimate(self, crew: Crew | None = None) -> float:
        """Seconds until something asked now would be begun."""
        work = sum((one.waiting + 0.5 * one.flying) * one.each for one in self._posts.crews())
        return work / self.settings.hands

    def pump(self) -> None:
        """Give to free workers what has waited longest, whichever model it is for."""
        crews = [crew for crew in self._posts.crews() if crew.queue]
        if len(crews) == 1:
            while crews[0].dispatch():
                pass
            return
        most = self.settings.hands * (1 + self.settings.ahead)
        while crews:
            out = sum(
                len(hand.groups) for crew in self._posts.crews() for hand in crew.hands if not hand.stalled
            )  # of workers that get on
            if out >= most:
                return
            heads = [(head.arrived, place) for place, crew in enumerate(crews) if (head := crew.head()) is not None]
            for _, place in sorted(heads):
                if crews[place].dispatch():
                    break
            else:
                return

    # -------------------------------------------------------------------------------------------------------- telling

    def _crashed(self) -> None:
        self._crashes.append(time.monotonic())
        self.counts["crashes"] += 1

    @property
    def crashes(self) -> int:
        """Workers that died of themselves within the window."""
        now = time.monotonic()
        return sum(now - when < self.settings.window for when in self._crashes)

    @property
    def ready(self) -> bool:
        """Whether requests should be sent here: something is served, and its workers live."""
        return self.accepting and self.crashes < self.settings.crashes and self._posts.served

    def state(self) -> dict[str, Any]:
        """All that health pages and metrics tell, as a plain dict."""
        return {
            "ready": self.ready, "accepting": self.accepting, "models": self._posts.told(), "wait": self.estimate(),
            "crashes": self.crashes, "refused_pictures": len(self.strikes), "counts": dict(self.counts),
            "memory": {
                "bytes": self.memory.held, "answers": len(self.memory), "hits": self.memory.hits,
                "misses": self.memory.misses,
            },
            "asked": self._asked, "workers": self.settings.hands, "trouble": self._posts.trouble,
        }  # fmt: skip


def _reply(crew: Crew, made: Made, arm: str, *, kept: bool = False) -> Reply:
    version = crew.version
    spent = {} if kept else {"queue": made.queue, "decode": made.decode, "compute": made.compute}
    return Reply(
        version.name, version.number, version.seal, arm, made.answer, made.decision, crew.about["least"], spent, kept
    )


def _gone(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(2)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
