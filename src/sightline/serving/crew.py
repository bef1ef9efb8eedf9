"""The workers of one version: born from its template, given items in turn, replaced when they die."""

from __future__ import annotations

import asyncio
import signal
import socket
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from sightline.core.confining import CPU
from sightline.core.errors import INPUT_CODES, InputError, ServingError
from sightline.registering.version import Version
from sightline.serving import wire
from sightline.serving.breaker import Breaker
from sightline.serving.hand import Group, Hand
from sightline.serving.item import Item, Made
from sightline.serving.nurse import Nurse, kill
from sightline.serving.settings import Settings
from sightline.serving.strikes import Strikes

LIFE = 20_000  # groups; then a fresh worker takes over
STALL = 0.25  # seconds (or ten usual times) after which a worker counts as stuck, and another is born beside it
BIRTH = 5.0  # seconds in which a worker must have shown that it can answer
SURPLUS = 3  # times as many workers as are wanted, at most, while some are stuck
_RATE = 0.05  # of the newest time in the running mean
_BLAMED = {signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL, signal.SIGFPE, signal.SIGXCPU, signal.SIGSYS}


class Crew:
    """A version that is ready to answer, or says why not."""

    def __init__(self, version: Version, settings: Settings, root: Nurse, strikes: Strikes, owner: Owner) -> None:
        self.version, self.settings, self.root, self.strikes, self.owner = version, settings, root, strikes, owner
        self.state, self.reason = "loading", ""
        self.hands: list[Hand] = []
        self.queue: deque[Item] = deque()
        self.waiting = self.flying = 0  # items in the queue; items with workers
        self.each, self.group, self.apart, self.seconds = 0.01, 1, 0.0, 0.0
        self.about: dict[str, Any] = {}
        self.protection: dict[str, Any] = {}
        self.names: tuple[str, ...] = ()
        self.breaker = Breaker(settings.failures, settings.rest)
        self.used, self.served, self.deaths = time.monotonic(), 0, 0
        self._template: Nurse | None = None
        self._shared, self._births = True, set[asyncio.Task[None]]()
        self._statuses: dict[int, int | None] = {}
        self._failed_births = 0

    # ------------------------------------------------------------------------------------------------------ being born

    async def start(self) -> None:
        """Load, verify, warm every worker; `state` is ready afterwards, or failed with the reason."""
        try:
            async with asyncio.timeout(self.settings.start):
                await self._open()
                await asyncio.gather(*(self._birth() for _ in range(self.settings.hands)))
            self.state = "ready"
        except TimeoutError:
            self._fail(f"it was not ready after {self.settings.start:g} s.")
        except (ServingError, OSError) as error:
            self._fail(str(error))
        except asyncio.CancelledError:
            self._fail("it was no longer wanted.")
            raise

    def _order(self, do: str) -> dict[str, Any]:
        settings, version = self.settings, self.version
        return {
            "do": do, "path": str(version.path), "seal": version.seal, "slow": settings.slow, "batch": settings.batch,
            "room": settings.limits.room,
        }  # fmt: skip

    async def _open(self) -> None:
        mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        template = Nurse(mine, self._ended)
        self._template = template
        with theirs:
            pid = await self.root.fork(self._order("template"), [theirs.fileno()])
        try:
            told = await template.hello
        except ServingError:
            raise ServingError("not_ready", "its process died while it was loaded and tried.") from None
        except asyncio.CancelledError:
            kill(pid)
            raise
        if "refused" in told:
            raise ServingError("not_ready", told["refused"])
        self.each, self.group, self.apart = told["each"], told["group"], told["apart"]
        self.seconds, self._shared = told["seconds"], told["shared"]
        if not self._shared:
            template.close()

    async def _birth(self) -> None:
        """One worker more; raises where none can be made."""
        hand = Hand(self._heard, self._lost)
        nurse = self._template if self._shared and self._template else self.root
        hello: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        hand.about = {"hello": hello}
        try:
            hand.pid = await nurse.fork(self._order("worker"), [hand.theirs.fileno(), hand.shared])
            hand.begin()
            async with asyncio.timeout(BIRTH if self._shared else self.settings.start):
                await hello
        except BaseException:
            hand.close()
            kill(hand.pid) if hand.pid else None
            raise
        self.hands.append(hand)
        hand.ready = True
        self.owner.pump()

    def _fail(self, reason: str) -> None:
        self.state, self.reason = "failed", reason
        self.close()

    # ------------------------------------------------------------------------------------------------------- answering

    @property
    def free(self) -> Hand | None:
        """The worker that should have the next group."""
        best = None
        for hand in self.hands:
            if hand.leaving or hand.exclusive or hand.stalled or len(hand.groups) > self.settings.ahead:
                continue
            if not hand.groups:
                return hand
            if best is None or len(hand.groups) < len(best.groups):
                best = hand
        return best

    def add(self, item: Item, *, first: bool = False) -> None:
        """Queue an item."""
        self.queue.appendleft(item) if first else self.queue.append(item)
        self.waiting += 1
        self.used = item.arrived

    def head(self) -> Item | None:
        """The item that has waited longest and is still wanted."""
        while self.queue:
            item = self.queue[0]
            if item.open:
                return item
            self.queue.popleft()
            self.waiting -= 1
        return None

    def dispatch(self) -> bool:
        """Give the next group to a worker, if there are both."""
        item, hand = self.head(), self.free
        if item is None or hand is None:
            return False
        if item.alone and hand.groups:
            return False
        self.queue.popleft()
        items = [item]
        most = min(self.group, -(-self.waiting // max(1, len(self.hands)))) if self.group > 1 else 1
        while len(items) < most and not item.alone:
            mate = self.head()
            if mate is None or mate.alone or mate.ask.seed != item.ask.seed:
                break
            items.append(self.queue.popleft())
        self.waiting -= len(items)
        self.flying += len(items)
        now = time.monotonic()
        for one in items:
            one.sent = now
        hand.exclusive = item.alone
        line = {"items": [one.line for one in items], "seed": item.ask.seed}
        hand.give(Group(items), wire.packed(line, [one.body for one in items]))
        return True

    def _heard(self, hand: Hand, told: dict[str, Any], body: memoryview) -> None:
        if not hand.ready and "protection" in told:
            self._greeted(hand, told)
            return
        group = hand.groups[0]  # nothing was asked of a worker that speaks now: LookupError, and its end
        rows = told["items"]
        if len(rows) != len(group.items):
            raise wire.WireError("answers to other questions")
        busy, compute = min(float(told["busy"]), 3600.0), min(float(told["compute"]), 3600.0)
        share, place = len(rows), 0
        made: list[tuple[Item, Any]] = []
        for item, row in zip(group.items, rows, strict=True):
            if row["id"] != item.number:
                raise wire.WireError("an answer to another question")
            outcome, taken = self._outcome(item, row, body[place:], (busy - compute) / share, compute / share)
            place += taken
            made.append((item, outcome))
        hand.groups.popleft()
        hand.turns += 1
        hand.exclusive = hand.stalled = False
        now = time.monotonic()
        if hand.groups:
            hand.groups[0].begun = now
        self.each += _RATE * (busy / share - self.each)
        for item, outcome in made:
            self._settle(item, outcome)
        if hand.turns >= LIFE or float(told["cpu"]) > CPU / 2:
            self._retire(hand)
        self.trim()
        self.owner.pump()

    def _greeted(self, hand: Hand, told: dict[str, Any]) -> None:
        hello = hand.about["hello"]
        if not self.about:
            self.about = {key: value for key, value in told.items() if key not in ("pid", "protection")}
            self.names, self.protection = tuple(told["names"]), told["protection"]
        if not hello.done():
            hello.set_result(None)

    def _outcome(self, item: Item, row: Mapping[str, Any], body: memoryview, decode: float, compute: float) -> Any:
        if "code" in row:
            code = str(row["code"])
            return InputError(code if code in INPUT_CODES else "corrupt", str(row["message"])[:500]), 0
        if "fault" in row:
            return ServingError("worker_lost", f"the model failed on this picture: {str(row['fault'])[:300]}"), 0
        record, taken = wire.record_in(row, body, self.names)
        decision = wire.decision_in(row["decision"])
        return Made(record, decision, item.sent - item.arrived, decode, compute), taken

    def _settle(self, item: Item, outcome: Any) -> None:
        self.flying -= 1
        if isinstance(outcome, Made):
            self.served += 1
            self.breaker.good()
            if item.deaths:
                self.strikes.forgive(item.ask.data)
            if item.open:
                item.future.set_result(outcome)
        elif isinstance(outcome, ServingError):
            self.breaker.bad()
            item.fail(outcome)
        else:
            self.breaker.neither()
            item.fail(outcome)
        item.settle()

    # ------------------------------------------------------------------------------------------------- dying, replaced

    def watch(self, now: float) -> None:
        """End what takes too long; give away what waits behind it."""
        for hand in list(self.hands):
            if not hand.groups:
                continue
            group, (_, doing) = hand.groups[0], hand.at
            spent = now - group.begun
            limit = self.settings.limits.seconds if doing == wire.DECODING else self.settings.seconds
            if spent > limit:
                hand.killed = "slow"
                kill(hand.pid)
            elif spent > max(STALL, 10 * self.each * len(group.items)) and not hand.stalled:
                hand.stalled = True
                for later in list(hand.groups)[1:]:
                    later.hedged = True
                    self._again(later.items)
                if len(self.hands) + len(self._births) < SURPLUS * self.settings.hands:
                    self._replace()

    def _again(self, items: Any, *, alone: bool = False) -> None:
        """Items go back to the front of the queue."""
        for item in reversed(list(items)):
            if item.open:
                item.alone = alone
                self.add(item, first=True)

    def _lost(self, hand: Hand) -> None:
        """A worker has hung up: how it ended is said by whoever forked it, now or in a moment."""
        if hand in self.hands:
            self.hands.remove(hand)
        if not hand.ready:
            hello = hand.about["hello"]
            if not hello.done():
                hello.set_exception(ServingError("not_ready", "a worker died before it could answer."))
            return
        kill(hand.pid)
        if self.state == "ready" and not hand.leaving:
            self._replace()
        if hand.pid in self._statuses or not hand.groups:
            self._bury(hand)
        else:
            asyncio.get_running_loop().call_later(0.02, self._bury, hand)

    def _ended(self, pid: int, status: int | None) -> None:
        """From the template: a child's status; its door may still hold answers, and closes by itself."""
        self._statuses[pid] = status
        while len(self._statuses) > 1000:
            self._statuses.pop(next(iter(self._statuses)))

    def _bury(self, hand: Hand) -> None:
        """Decide who is to blame for a death: nobody is punished for what lay beside it."""
        status = self._statuses.pop(hand.pid, None)
        item, doing = hand.last
        blamed = (status is not None and (status >= 0 or -status in _BLAMED)) or bool(hand.killed)
        picture = doing == wire.DECODING and blamed
        if not hand.leaving:
            self.deaths += 1
            if not picture:
                self.owner.crashed()
        for place, group in enumerate(hand.groups):
            self.flying -= len(group.items)
            if place or doing == wire.RESTING:
                if not group.hedged:
                    self._again(group.items)
                continue
            guilty = [one for one in group.items if doing != wire.DECODING or one.number == item] or list(group.items)
            self._again(one for one in group.items if one not in guilty)
            for one in guilty:
                self._suspected(one, hand.killed, blamed)
        hand.groups.clear()
        self.owner.pump()

    def _suspected(self, item: Item, killed: str, blamed: bool) -> None:
        """Once is chance, and it is tried again by itself; twice is not, nor is it to take all the time there is."""
        item.deaths += 1
        if killed == "slow":
            self.strikes.add(item.ask.data)
            self.breaker.neither()
            item.fail(InputError("too_slow", "picture: its worker took more time than the limit."))
        elif item.deaths < 2:
            self._again([item], alone=True)
        elif blamed:
            self.strikes.add(item.ask.data)
            self.strikes.add(item.ask.data)
            self.breaker.neither()
            item.fail(InputError("crashed", "picture: the workers that read it died of it."))
        else:
            self.breaker.bad()
            item.fail(ServingError("worker_lost", "the workers that had it died; ask again."))

    def _replace(self) -> None:
        task = asyncio.get_running_loop().create_task(self._born_again())
        self._births.add(task)
        task.add_done_callback(self._births.discard)

    async def _born_again(self) -> None:
        """A worker in place of one that died; where its template is gone too, that comes first."""
        while self.state == "ready":
            try:
                if self._template is None or (self._shared and not self._template.alive):
                    async with asyncio.timeout(self.settings.start):
                        await self._open()
                await self._birth()
            except (ServingError, OSError, TimeoutError) as error:
                self._failed_births += 1
                self.reason = f"no worker can be started: {error}"
                await asyncio.sleep(min(2.0, 0.05 * 2**self._failed_births))
            else:
                self._failed_births, self.reason = 0, ""
                return

    def _retire(self, hand: Hand) -> None:
        """At the end of its life; its heir is born first."""
        if not hand.leaving:
            hand.leaving = True
            self._replace()

    def trim(self) -> None:
        """Those that are done or too many leave."""
        idle = [hand for hand in self.hands if not hand.groups]
        for hand in idle:
            staying = sum(not (other.leaving or other.stalled) for other in self.hands)
            if hand.leaving or staying > self.settings.hands:
                hand.leaving = True
                self.hands.remove(hand)
                hand.close()

    def close(self) -> None:
        """All workers and the template end; whoever still waits hears so."""
        if self.state != "failed":
            self.state = "gone"
        for task in list(self._births):
            task.cancel()
        for hand in self.hands:
            hand.leaving = True
            hand.close()
            kill(hand.pid)
        if self._template:
            self._template.close()
        lost = ServingError("worker_lost", "the version that had it was withdrawn; ask again.")
        for item in [*self.queue, *(one for hand in self.hands for group in hand.groups for one in group.items)]:
            item.fail(lost)
        self.hands.clear()
        self.queue.clear()
        self.waiting = self.flying = 0

    def told(self) -> dict[str, Any]:
        """For health and metrics."""
        return {
            "number": self.version.number, "seal": self.version.seal, "state": self.state, "reason": self.reason,
            "queue": self.waiting, "flying": self.flying, "workers": [hand.pid for hand in self.hands],
            "protection": self.protection, "each": self.each, "group": self.group, "apart": self.apart,
            "seconds": self.seconds, "served": self.served, "deaths": self.deaths, "breaker": self.breaker.state,
            "about": self.about,
        }  # fmt: skip


class Owner:
    """What a crew calls back: something may be dispatched; a worker has died of itself."""

    def __init__(self, pump: Callable[[], None], crashed: Callable[[], None]) -> None:
        self.pump, self.crashed = pump, crashed
