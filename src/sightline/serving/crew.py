"""The queue and the workers of one version: items go out in groups, answers come back, deaths are judged."""

from __future__ import annotations

import asyncio
import signal
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sightline.core.confining import CPU
from sightline.core.errors import INPUT_CODES, InputError, ServingError
from sightline.predicting.breaker import Breaker
from sightline.registering.version import Version
from sightline.serving import wire
from sightline.serving.hand import Group, Hand
from sightline.serving.item import Item, Made
from sightline.serving.nurse import Nurse
from sightline.serving.settings import Settings
from sightline.serving.staff import Staff, placeless
from sightline.serving.stage import carried_in, crops_in
from sightline.serving.strikes import Strikes

LIFE = 20_000  # groups; then a fresh worker takes over
LONGEST = 3600.0  # seconds that a worker may say that it took
STALL = 0.25  # seconds (or ten usual times) after which a worker counts as stuck, and another is born beside it
MARGIN = 0.7  # of the usual time, in which an answer may still come
RATE = 0.05  # of the newest time in the running mean
SLOW = "slow"
TOGETHER = 0.5  # of a group's usual time, before the next one lies behind it; later ones are larger, and cheaper
_FAULTS = ("SIGSEGV", "SIGABRT", "SIGBUS", "SIGILL", "SIGFPE", "SIGXCPU", "SIGSYS")  # of a program's own doing
_BLAMED = {-getattr(signal, name) for name in _FAULTS if hasattr(signal, name)}


@dataclass(frozen=True)
class Owner:
    """What a crew calls back: something may be dispatched; a worker has died of itself."""

    pump: Callable[[], None]
    crashed: Callable[[], None]


class Crew:
    """A version that is ready to answer, or says why not."""

    def __init__(self, version: Version, settings: Settings, root: Nurse, strikes: Strikes, owner: Owner) -> None:
        self.version, self.settings, self.strikes, self.owner = version, settings, strikes, owner
        self.state, self.reason = "loading", ""
        self.staff = Staff(version, settings, root, heard=self._heard, buried=self._buried, pump=owner.pump)
        self.breaker = Breaker(settings.failures, settings.rest)
        self.queue: deque[Item] = deque()
        self.waiting = self.flying = 0  # items in the queue; items with workers
        self.each, self.group = 0.01, 1  # seconds of a worker that an item takes; the largest group that pays
        self.names: tuple[str, ...] = ()
        self._called = False  # whether somebody looks again by itself
        self.used, self.served, self.deaths = time.monotonic(), 0, 0

    @property
    def hands(self) -> list[Hand]:
        """Its workers."""
        return self.staff.hands

    async def start(self) -> None:
        """Load, verify, warm every worker; `state` is ready afterwards, or failed with the reason."""
        try:
            async with asyncio.timeout(self.settings.start):
                await self.staff.start()
        except TimeoutError:
            self._fail(f"it was not ready after {self.settings.start:g} s.")
        except (ServingError, OSError) as error:
            self._fail(str(error))
        except asyncio.CancelledError:
            self._fail("it was no longer wanted.")
            raise
        else:
            self.each, self.group = self.staff.measured["each"], self.staff.measured["group"]
            self.names = tuple(self.staff.about["names"])
            self.state = "ready"

    def _fail(self, reason: str) -> None:
        self.state, self.reason = "failed", reason
        self.close()

    # ----------------------------------------------------------------------------------------------------- giving out

    @property
    def free(self) -> Hand | None:
        """The worker that should have the next group."""
        best, now = None, time.monotonic()
        for hand in self.staff.hands:
            if not self._takes(hand) or (hand.groups and self._due(hand) > now):
                continue
            if not hand.groups:
                return hand
            if best is None or len(hand.groups) < len(best.groups):
                best = hand
        return best

    def _takes(self, hand: Hand) -> bool:
        return not (hand.leaving or hand.exclusive or hand.stalled or len(hand.groups) > self.settings.ahead)

    def _due(self, hand: Hand) -> float:
        """When the next group may lie behind the one that it is at; what comes until then may go with others."""
        group = hand.groups[0]
        return group.begun + TOGETHER * self.each * len(group.items) if self.group > 1 else 0.0

    def _later(self) -> None:
        """Look again as soon as a worker may have another group."""
        due = [self._due(hand) for hand in self.staff.hands if hand.groups and self._takes(hand)]
        if due and not self._called:
            self._called = True
            asyncio.get_running_loop().call_later(max(0.0, min(due) - time.monotonic()), self._look)

    def _look(self) -> None:
        self._called = False
        self.owner.pump()

    @property
    def work(self) -> float:
        """Seconds of one worker that everything takes which is not answered yet; who is at work is halfway through."""
        busy = sum(bool(hand.groups) and not hand.stalled for hand in self.staff.hands)
        return max(0.0, self.waiting + self.flying - 0.5 * busy * self.group) * self.each

    def add(self, item: Item, *, first: bool = False) -> None:
        """Queue an item."""
        if first:
            self.queue.appendleft(item)
        else:
            self.queue.append(item)
            self.used = item.arrived
        item.home = self
        self.waiting += 1

    def _take(self) -> Item:
        item = self.queue.popleft()
        item.leave()
        return item

    def head(self) -> Item | None:
        """The item that has waited longest and is still wanted."""
        while self.queue:
            if self.queue[0].open:
                return self.queue[0]
            self._take()
        return None

    def dispatch(self) -> bool:
        """Give the next group to a worker, if there are both."""
        item = self.head()
        if item is None:
            return False
        hand = self.free
        if hand is None:
            self._later()
            return False
        if item.alone and hand.groups:
            return False
        self._take()
        now = time.monotonic()
        if item.ask.deadline - now < MARGIN * self.each * (1 + len(hand.groups)):
            item.fail(ServingError("deadline", "the time that the request gave would be over before its answer."))
            return True
        items = [item, *self._mates(item)]
        self.flying += len(items)
        for one in items:
            one.sent = now
        hand.exclusive = item.alone
        line = f'{{"seed":{int(item.ask.seed)},"items":[{",".join(one.line for one in items)}]}}'
        hand.give(Group(items), wire.framed(line, [one.body for one in items]))
        return True

    def _mates(self, item: Item) -> list[Item]:
        """Those that go through the model with it: never more than leaves work for every other worker."""
        if self.group == 1 or item.alone:
            return []
        most = min(self.group, -(-(1 + self.waiting) // max(1, len(self.staff.hands))))
        mates: list[Item] = []
        while len(mates) < most - 1:
            mate = self.head()
            if mate is None or mate.alone or mate.ask.seed != item.ask.seed:
                break
            mates.append(self._take())
        return mates

    # -------------------------------------------------------------------------------------------------- coming back

    def _heard(self, hand: Hand, told: dict[str, Any], body: memoryview) -> None:
        """Answers to a group; whatever is not that raises, and ends the worker that said it."""
        group, rows = hand.groups[0], told["items"]
        if len(rows) != len(group.items):
            raise wire.WireError("answers to other questions")
        share, place = len(rows), 0
        busy, compute = min(float(told["busy"]), LONGEST), min(float(told["compute"]), LONGEST)
        made: list[tuple[Item, Made | Exception]] = []
        for item, row in zip(group.items, rows, strict=True):
            if row["id"] != item.number:
                raise wire.WireError("an answer to another question")
            spent = {"decode": max(0.0, busy - compute) / share, "compute": compute / share}
            outcome, taken = self._outcome(item, row, body[place:], spent)
            place += taken
            made.append((item, outcome))
        old = hand.turned(float(told["cpu"]) > CPU / 2, LIFE)
        self.each += max(RATE, 1 / (10 + self.served)) * (busy / share - self.each)  # what was measured counts as ten
        for item, outcome in made:
            self._settle(item, outcome)
        if old or told.get("swollen") is True:
            self.staff.retire(hand)
        self.staff.trim()
        self.owner.pump()

    def _outcome(
        self, item: Item, row: Mapping[str, Any], body: memoryview, spent: Mapping[str, float]
    ) -> tuple[Made | Exception, int]:
        """What became of an item, and how many bytes tell it."""
        if "code" in row:
            code = str(row["code"])
            return InputError(code if code in INPUT_CODES else "corrupt", str(row["message"])[:500]), 0
        if "fault" in row:
            why = placeless(str(row["fault"])[:300], self.version)
            return ServingError("worker_lost", f"the model failed on this picture: {why}"), 0
        if "carried" in row or "crops" in row:
            made, taken = carried_in(row["carried"], body) if "carried" in row else crops_in(row["crops"], body)
            return Made(made, None, item.sent - item.arrived, **spent), taken
        record, taken = wire.record_in(row, body, self.names)
        return Made(record, wire.decision_in(row["decision"]), item.sent - item.arrived, **spent), taken

    def _settle(self, item: Item, outcome: Made | Exception) -> None:
        self.flying -= 1
        if isinstance(outcome, Made):
            self.served += 1
            self.breaker.good()
            if item.deaths:
                self.strikes.forgive(item.ask.data)
            if item.open:
                item.future.set_result(outcome)
            item.settle()
            return
        if isinstance(outcome, ServingError):
            self.breaker.bad()
        else:
            self.breaker.neither()
        item.fail(outcome)

    # ---------------------------------------------------------------------------------------------------------- faults

    def watch(self, now: float) -> None:
        """End what takes too long; give away what waits behind it."""
        for hand in self.staff.hands:
            if not hand.groups:
                continue
            group, spent = hand.groups[0], now - hand.groups[0].begun
            limit = self.settings.limits.seconds if hand.at[1] == wire.DECODING else self.settings.seconds
            if spent > limit:
                hand.killed = SLOW
                self.staff.root.kill(hand.pid)
            elif spent > max(STALL, 10 * self.each * len(group.items)) and not hand.stalled:
                hand.stalled = True
                for later in list(hand.groups)[1:]:
                    later.hedged = True
                    self._again(later.items)
                self.staff.replace()

    def _again(self, items: Iterable[Item], *, alone: bool = False) -> None:
        """Items go back to the front of the queue."""
        for item in reversed(list(items)):
            if item.open:
                item.alone = alone
                self.add(item, first=True)

    def _buried(self, hand: Hand, status: int | None) -> None:
        """Decide who is to blame for a death: nobody is punished for what lay beside it."""
        item, doing = hand.last
        blamed = bool(hand.killed) or (status is not None and (status >= 0 or status in _BLAMED))
        if not hand.leaving:
            self.deaths += 1
            if not (blamed and doing == wire.DECODING):  # a picture's doing says nothing of the service
                self.owner.crashed()
        for place, group in enumerate(hand.groups):
            self.flying -= len(group.items)
            begun = place == 0 and doing != wire.RESTING and any(one.number == item for one in group.items)
            guilty = [one for one in group.items if begun and (doing != wire.DECODING or one.number == item)]
            if not group.hedged:
                self._again(one for one in group.items if one not in guilty)
            for one in guilty:
                self._suspected(one, hand.killed, blamed)
        hand.groups.clear()
        self.owner.pump()

    def _suspected(self, item: Item, killed: str, blamed: bool) -> None:
        """Once is chance, and it is tried again by itself; twice is not, nor is it to take all the time there is."""
        item.deaths += 1
        if killed == SLOW:
            self.strikes.add(item.ask.data)
            self.breaker.neither()
            item.fail(InputError("too_slow", "picture: its worker took more time than the limit."))
        elif item.deaths < 2:
            self._again([item], alone=True)
        elif blamed:
            self.strikes.add(item.ask.data, item.deaths)
            self.breaker.neither()
            item.fail(InputError("crashed", "picture: the workers that read it died of it."))
        else:
            self.breaker.bad()
            item.fail(ServingError("worker_lost", "the workers that had it died; ask again."))

    def close(self) -> None:
        """All workers end; whoever still waits hears so."""
        if self.state != "failed":
            self.state = "gone"
        lost = ServingError("worker_lost", "the version that had it was withdrawn; ask again.")
        for item in [*self.queue, *(one for hand in self.hands for group in hand.groups for one in group.items)]:
            item.fail(lost)
        self.staff.close()
        self.queue.clear()
        self.waiting = self.flying = 0

    def told(self) -> dict[str, Any]:
        """For health and metrics."""
        staff = self.staff
        return {
            "number": self.version.number, "seal": self.version.seal, "state": self.state,
            "reason": self.reason or staff.trouble, "queue": self.waiting, "flying": self.flying,
            "workers": [hand.pid for hand in staff.hands], "protection": staff.protection, "about": staff.about,
            "each": self.each, "group": self.group, "apart": staff.measured.get("apart", 0.0),
            "seconds": staff.measured.get("seconds", 0.0), "served": self.served, "deaths": self.deaths,
            "breaker": self.breaker.state,
        }  # fmt: skip
