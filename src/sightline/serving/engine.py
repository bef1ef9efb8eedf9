"""Answers for many callers from many models: who is asked, who waits, who is turned away, and who stands in."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sightline.core.errors import InputError, ServingError, SettingsError, SightlineError
from sightline.registering.version import Source
from sightline.serving import chains, routing
from sightline.serving.admission import Admission
from sightline.serving.asking import Ask, Reply
from sightline.serving.crew import Crew, Owner
from sightline.serving.item import Item, Made
from sightline.serving.memory import Memory
from sightline.serving.nurse import Nurse, start_root
from sightline.serving.posts import Post, Posts
from sightline.serving.settings import Settings
from sightline.serving.stage import Carried, carried_out
from sightline.serving.strikes import Strikes

TICK = 0.05  # seconds between looks at workers that may be stuck
FALLBACK = "fallback"  # the arm of who stands in
Heard = Callable[[Ask, Reply | ServingError], None]


class Engine:
    """Start it, ask it, swap what it serves while it is asked, stop it."""

    def __init__(self, source: Source, settings: Settings | None = None, *, shadow: Heard | None = None) -> None:
        self.settings = settings or Settings()
        self.source, self.shadow = source, shadow
        self.strikes, self.memory = Strikes(self.settings.forget), Memory(self.settings.memory)
        self.admission = Admission(self.settings.wait)
        self.counts: Counter[str] = Counter()
        self.chains: dict[str, chains.Served] = {}
        self.accepting = False
        self._crashes: deque[float] = deque(maxlen=1000)
        self._owner = Owner(self.pump, self._crashed)
        self._root: Nurse | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._posts = Posts(source, self.settings, self._crew)
        self._leashes: list[int] = []
        self._tasks: set[asyncio.Task[Any]] = set()
        self._asked = 0

    # ------------------------------------------------------------------------------------------------- start and stop

    async def start(self) -> None:
        """Every champion loaded, verified and warm; a model that cannot be served says why in `state`."""
        if sys.platform != "linux":
            raise SettingsError("a service needs Linux, whose walls its workers stand behind. Use a container.")
        await self._rear()
        await self._posts.refresh()
        for name, text in self.settings.chains.items():
            self.chains[name] = chain = chains.parse(name, text, self._posts.names(), self._crew)
            await asyncio.gather(*(self._posts.adopt(stage.crew) for stage in chain.stages if stage.crew))
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
        while self._leashes:
            os.close(self._leashes.pop())

    async def refresh(self) -> None:
        """Look at what has changed, and serve it as soon as it is warm."""
        await self._posts.refresh()
        self.pump()

    def _keep(self, task: asyncio.Task[Any]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _rear(self) -> Nurse:
        """The root of all workers, also after somebody has ended it."""
        root, self._process, leash = start_root(lambda pid, status: None)
        self._leashes.append(leash)  # of a root that dies too: its workers live on
        self._root = root
        root.when_gone(lambda: self._keep(asyncio.get_running_loop().create_task(self._again())))
        async with asyncio.timeout(self.settings.start):
            await root.hello
        return root

    async def _again(self) -> None:
        if self.accepting:
            if self._process:
                await asyncio.to_thread(_gone, self._process)
            root = await self._rear()
            for crew in self._posts.crews():
                crew.staff.root = root

    def _crew(self, version: Any) -> Crew:
        assert self._root
        return Crew(version, self.settings, self._root, self.strikes, self._owner)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            now = time.monotonic()
            try:
                for crew in self._posts.crews():
                    crew.watch(now)
                self.pump()
            except Exception as error:  # noqa: BLE001 - whatever it is, somebody must go on watching
                self._tell(error)

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(self.settings.poll)
            try:
                await self._posts.look()
            except SightlineError as error:
                self.counts["source_errors"] += 1
                self._posts.trouble = error.message
            except Exception as error:  # noqa: BLE001 - of a database, perhaps; it is asked again
                self.counts["source_errors"] += 1
                self._posts.trouble = type(error).__name__
                self._tell(error)

    def _tell(self, error: Exception) -> None:
        told = {"message": "the engine goes on after an error of its own", "exception": error}
        asyncio.get_running_loop().call_exception_handler(told)

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
        if ask.model in self.chains:
            return await self.chains[ask.model].answer(ask, self._predict, self._carried)
        post = self._posts.post(ask.model)
        routes = post.routes(ask)
        for number, arm in routes.shadows:
            shadowed = self._shadowed(post, ask, number, arm, routes.experiment)
            self._keep(asyncio.get_running_loop().create_task(shadowed))
        try:
            reply = await self._answered(post, routes.number, routes.arm, ask)
        except ServingError as error:
            error.arm, error.number, error.experiment = routes.arm, routes.number, routes.experiment
            raise
        small = reply.decision
        if routes.larger is not None and not (small is not None and small.stands(routes.confidence)):
            try:
                reply = await self._answered(post, *routes.larger, ask)
            except ServingError:
                self.counts["larger_failed"] += 1  # what is less sure is better than nothing
        if not routes.experiment:
            return reply
        return replace(reply, experiment=routes.experiment, drawn=routes.arm if reply.arm == FALLBACK else "")

    async def _answered(self, post: Post, number: int, arm: str, ask: Ask) -> Reply:
        """By this version, or by who stands in for it."""
        crew = await self._posts.crew(post, number, ask.deadline)
        if crew.breaker.allows():
            try:
                return await self._asked_of(crew, ask, arm)
            except ServingError as error:
                instead = self._posts.instead(post, crew) if error.code == "worker_lost" else None
                if instead is None:
                    raise
        else:
            instead = self._posts.instead(post, crew)
            if instead is None:
                raise ServingError(
                    "not_ready", f"'{ask.model}' has failed {crew.breaker.failures} times in a row; ask again later.",
                    retry_after=max(0.1, crew.breaker.wait),
                )  # fmt: skip
        return await self._asked_of(instead, ask, FALLBACK)

    async def _asked_of(self, crew: Crew, ask: Ask, arm: str) -> Reply:
        routing.check_level(ask.level, ask.model, crew.staff.about)
        key = self.memory.key(ask, crew.version.seal) if self.memory.most else None
        if key is not None and (known := self.memory.get(key)) is not None:
            crew.breaker.neither()
            self.counts["kept"] += 1
            return _reply(crew, ask, known, arm, kept=True)
        try:
            waits = self._admit(crew, ask)
            made = await self._made(crew, Item(ask, asyncio.get_running_loop()), waits=waits)
        except (ServingError, asyncio.CancelledError):
            crew.breaker.neither()
            raise
        if key is not None:
            self.memory.put(key, made)
        self.counts["answered"] += 1
        return _reply(crew, ask, made, arm)

    async def _carried(self, crew: Crew, ask: Ask, carried: Carried) -> Any:
        """What a stage of a chain makes of a picture and of what was found in it."""
        waits = self._admit(crew, ask)
        item = Item(ask, asyncio.get_running_loop(), carried_out(carried))
        return (await self._made(crew, item, waits=waits)).answer

    async def _made(self, crew: Crew, item: Item, *, waits: bool) -> Made:
        crew.add(item)
        self.pump()
        try:
            made = await item.future
        except ServingError as error:
            if waits and error.code == "deadline":
                self.admission.missed()
            raise
        finally:
            item.settle()
        self.admission.kept()
        return made

    async def _shadowed(self, post: Post, ask: Ask, number: int, arm: str, experiment: str) -> None:
        """The same question for another version; nobody waits for it, and it is dropped where somebody else does."""
        try:
            crew = await self._posts.crew(post, number, ask.deadline)
            if self.estimate() > 4 * crew.each or not crew.breaker.allows():
                self.counts["shadow_dropped"] += 1
                return
            reply = await self._asked_of(crew, ask, arm)
        except SightlineError as error:
            self.counts["shadow_failed"] += 1
            if self.shadow and isinstance(error, ServingError):
                error.arm, error.number, error.experiment = arm, number, experiment
                self.shadow(ask, error)
            return
        self.counts["shadow"] += 1
        if self.shadow:
            self.shadow(ask, replace(reply, experiment=experiment))

    def _admit(self, crew: Crew, ask: Ask) -> bool:
        """Turn away at once what could not be answered in time; whether it has to wait."""
        if not crew.queue and crew.free is not None:
            return False
        self.admission.admit(self.estimate(), crew.each, ask.deadline - time.monotonic())
        return True

    def estimate(self) -> float:
        """Seconds until something asked now would be begun."""
        return sum(crew.work for crew in self._posts.crews()) / self.settings.hands

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
            "chains": {name: [stage.text for stage in chain.stages] for name, chain in self.chains.items()},
        }  # fmt: skip


def _reply(crew: Crew, ask: Ask, made: Made, arm: str, *, kept: bool = False) -> Reply:
    version = crew.version
    spent = {} if kept else {"queue": made.queue, "decode": made.decode, "compute": made.compute}
    return Reply(
        version.name,
        version.number,
        version.seal,
        arm,
        made.answer,
        made.decision,
        crew.staff.about["least"] if ask.least is None else ask.least,
        spent,
        kept,
    )


def _gone(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(2)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
