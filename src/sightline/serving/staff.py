"""The workers of one version as processes: born from its template, replaced when they die, relieved when old."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

from sightline.core.errors import ServingError
from sightline.registering.version import Version
from sightline.serving.hand import Hand
from sightline.serving.nurse import Nurse
from sightline.serving.settings import Settings

BIRTH = 5.0  # seconds in which a worker must have shown that it can answer
LAST_WORD = 0.5  # seconds to wait for how a worker has ended
SURPLUS = 3  # times as many workers as are wanted, at most, while some are stuck
_REMEMBERED = 1000  # endings

Heard = Callable[[Hand, dict[str, Any], memoryview], None]
Buried = Callable[[Hand, int | None], None]  # less than 0 is a signal; None is not known


def placeless(text: str, version: Version) -> str:
    """What is said of a version without where it lies: callers hear it, and it is none of their business."""
    for path in (version.path, version.path.resolve()):
        if path.name:
            text = text.replace(str(path), f"{version.name}/{version.number}")
    return text


class Staff:
    """As many workers as are wanted, for as long as it is open."""

    def __init__(
        self,
        version: Version,
        settings: Settings,
        root: Nurse,
        *,
        heard: Heard,
        buried: Buried,
        pump: Callable[[], None],
    ) -> None:
        self.version, self.settings, self.root = version, settings, root
        self.hands: list[Hand] = []
        self.about: dict[str, Any] = {}  # what the model says of itself
        self.protection: dict[str, Any] = {}  # the walls that its workers stand behind
        self.measured: dict[str, Any] = {}  # what its template found
        self.trouble = ""  # why no worker can be born now
        self._heard, self._buried, self._pump = heard, buried, pump
        self._template: Nurse | None = None
        self._opening = asyncio.Lock()
        self._open, self._gone, self._failures = False, False, 0
        self._births: set[asyncio.Task[None]] = set()
        self._hellos: dict[Hand, asyncio.Future[None]] = {}
        self._statuses: dict[int, int | None] = {}
        self._dying: dict[int, Hand] = {}  # that have hung up; how they ended is not known yet

    # ---------------------------------------------------------------------------------------------------------- birth

    async def start(self) -> None:
        """The version loaded and tried, and every worker warm; raises where that cannot be."""
        await self._load()
        for _ in range(self.settings.hands):  # one by one: those who answer meanwhile need the cores
            await self._birth()
        self._open = True

    def _order(self, do: str) -> dict[str, Any]:
        settings, version = self.settings, self.version
        return {
            "do": do, "path": str(version.path), "seal": version.seal, "slow": settings.slow, "batch": settings.batch,
            "room": settings.limits.room, "steps": "" if version.path.name else version.note,
            "backend": settings.backend, "allow": settings.allow, "form": self.measured.get("form"),
        }  # fmt: skip

    async def _load(self) -> None:
        """The template, which has opened the bundle and been held to its golden answers."""
        async with self._opening:
            if self._template and (self._template.alive or not self.measured["shared"]):
                return
            mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            self._template = template = Nurse(mine, self._ended, self.root.session)
            with theirs:
                pid = await self.root.fork(self._order("template"), [theirs.fileno()])
            try:
                told = await template.hello
            except ServingError:
                raise ServingError("not_ready", "its process died while it was loaded and tried.") from None
            except asyncio.CancelledError:
                self.root.kill(pid)
                raise
            if "refused" in told:
                raise ServingError("not_ready", placeless(told["refused"], self.version))
            self.measured = told
            if not told["shared"]:
                template.close()

    async def _birth(self) -> None:
        """One worker more; raises where none can be made."""
        shared = self.measured["shared"] and self._template is not None
        nurse = self._template if shared and self._template else self.root
        hand = Hand(self._said, self._lost)
        self._hellos[hand] = hello = asyncio.get_running_loop().create_future()
        try:
            hand.pid = await nurse.fork(self._order("worker"), [hand.theirs.fileno(), hand.shared])
            hand.begin()
            async with asyncio.timeout(BIRTH if shared else self.settings.start):
                await hello
            if self._gone:
                raise ServingError("not_ready", "it is no longer wanted.")
        except BaseException:
            hand.close()
            if hand.pid:
                self.root.kill(hand.pid)
            raise
        finally:
            del self._hellos[hand]
        self.hands.append(hand)
        hand.ready = True
        self.trim()
        self._pump()

    def _said(self, hand: Hand, told: dict[str, Any], body: memoryview) -> None:
        if hand.ready:
            self._heard(hand, told, body)
            return
        if not self.about:
            self.protection = told["protection"]
            self.about = {key: value for key, value in told.items() if key not in ("pid", "protection")}
        hello = self._hellos[hand]
        if not hello.done():
            hello.set_result(None)

    @property
    def _staying(self) -> int:
        """Those who will take more work."""
        return sum(not (hand.leaving or hand.stalled) for hand in self.hands)

    def replace(self) -> None:
        """One worker more, soon; unless enough stay or are being born, or there are too many already."""
        enough = self._staying + len(self._births) >= self.settings.hands
        if not self._open or enough or len(self.hands) + len(self._births) >= SURPLUS * self.settings.hands:
            return
        task = asyncio.get_running_loop().create_task(self._born_again())
        self._births.add(task)
        task.add_done_callback(self._delivered)

    def _delivered(self, birth: asyncio.Task[None]) -> None:
        """A birth is over; who was lost while it still counted is replaced now."""
        self._births.discard(birth)
        if not birth.cancelled() and birth.exception() is None:
            self.replace()

    async def _born_again(self) -> None:
        """A worker; where the template that it comes from is gone too, that comes first."""
        while self._open:
            try:
                async with asyncio.timeout(self.settings.start):
                    await self._load()
                    await self._birth()
            except (ServingError, OSError, TimeoutError) as error:
                self._failures += 1
                self.trouble = f"no worker can be started: {error}"
                await asyncio.sleep(min(2.0, 0.05 * 2 ** min(self._failures, 6)))
            else:
                self._failures, self.trouble = 0, ""
                return

    # ---------------------------------------------------------------------------------------------------------- death

    def _lost(self, hand: Hand) -> None:
        """A worker has hung up: how it ended is said by whoever forked it, now or in a moment."""
        if hand in self._hellos:
            if not self._hellos[hand].done():
                self._hellos[hand].set_exception(ServingError("not_ready", "a worker died before it could answer."))
            return
        self.hands = [one for one in self.hands if one is not hand]
        if not hand.leaving:
            self.replace()
        if hand.pid in self._statuses:
            self._bury(hand)
            return
        self.root.kill(hand.pid)  # it may have hung up and live on
        self._dying[hand.pid] = hand
        asyncio.get_running_loop().call_later(LAST_WORD, self._bury, hand)

    def _ended(self, pid: int, status: int | None) -> None:
        self._statuses[pid] = status
        if pid in self._dying:
            self._bury(self._dying[pid])
        while len(self._statuses) > _REMEMBERED:
            self._statuses.pop(next(iter(self._statuses)))

    def _bury(self, hand: Hand) -> None:
        """Once a worker, when it is known how it ended, or when nobody will say."""
        self._dying.pop(hand.pid, None)
        if not hand.buried:
            hand.buried = True
            self._buried(hand, self._statuses.pop(hand.pid, None))

    def retire(self, hand: Hand) -> None:
        """At the end of its life: it is given no more, and its heir is born."""
        if not hand.leaving:
            hand.leaving = True
            self.replace()

    def trim(self) -> None:
        """Those that are done leave, and of too many the newest."""
        staying = self._staying
        for hand in [hand for hand in reversed(self.hands) if not hand.groups]:
            if not hand.leaving and staying <= self.settings.hands:
                continue
            staying -= not hand.leaving
            hand.leaving = True
            self.hands = [one for one in self.hands if one is not hand]
            hand.close()

    def close(self) -> None:
        """All of them end, and where they come from."""
        self._open, self._gone = False, True
        for task in list(self._births):
            task.cancel()
        for hand in self.hands:
            hand.leaving = True
            hand.close()
            if hand.pid not in self._statuses:
                self.root.kill(hand.pid)
        self.hands = []
        if self._template:
            self._template.close()
