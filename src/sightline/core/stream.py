"""Pictures as they come: shots of one source or of many, through bounded queues that count what they drop."""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any

import numpy as np

from sightline.core.errors import InputError, SettingsError, SightlineError, nearest
from sightline.core.image import Image
from sightline.core.progress import Event, Tell, silent
from sightline.core.sample import Sample

DROPS = ("block", "newest", "oldest")  # what gives way when a queue is full: the source, or one of the shots
LONGEST_PAUSE = 30.0  # seconds between two attempts to open a source again
FAREWELL = 10.0  # seconds that a source is given to end

Rest = Callable[[float], bool]  # waits so many seconds; true as soon as the stream is being closed


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """One picture of a stream: which source took it, as which of its pictures, and when."""

    image: Image
    time: float  # seconds into the film; seconds since 1970 where the source is live
    source: str = ""
    number: int = -1  # counted from 0 by the stream; a number that is missing was dropped
    name: str = ""  # what the source calls it, where it has a name of its own
    group: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The source, and its own name of the picture or else the number."""
        return f"{self.source}/{self.name}" if self.name else f"{self.source}#{self.number:06d}"

    def pixels(self) -> np.ndarray:
        """The picture, read."""
        return self.image.read()

    def sample(self) -> Sample:
        """The shot as every other stage takes it; shots of one film stay together."""
        known = {"source": self.source, "time": self.time, **self.attributes}
        return Sample(self.id, (self.image,), group=self.group, attributes=known)


@dataclass(frozen=True, slots=True)
class Feed:
    """What a source gives a stream: how its pictures are taken, and how it wants to be treated."""

    name: str
    shots: Callable[[Rest], Iterator[Shot]]  # runs in a thread of its own
    live: bool = False  # pictures come whether or not anyone takes them
    tries: int = 0  # how often in a row it is opened again after it broke off
    pause: float = 0.5  # seconds before the first of these; doubled with each
    done: Callable[[Shot], None] | None = None  # told when whoever took a shot asks for the next; then none is dropped
    close: Callable[[], None] | None = None  # told when the stream is closed


@dataclass(frozen=True, slots=True)
class Ending:
    """How one source of a stream ended: by itself where there is no error."""

    source: str
    taken: int  # pictures that the source gave
    dropped: int  # of these, given to nobody since a queue was full
    reopened: int
    error: Exception | None = None


class Stream:
    """Shots in the order in which they come, each source read by a thread of its own.

    A full queue makes its source wait (`block`), or drops the shot that waits longest (`oldest`) or the one that has
    just come (`newest`). One source that fails ends alone: `endings` says how. Only when all have failed is the first
    error raised.
    """

    def __init__(self, feeds: Sequence[Feed], *, queue: int = 8, drop: str | None = None, tell: Tell = silent) -> None:
        names = [feed.name for feed in feeds]
        twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
        if twice is not None:
            raise SettingsError(f"two sources are called '{twice}'. Name them: {{'left': …, 'right': …}}.")
        if queue < 1:
            raise SettingsError(f"queue = {queue}: give 1 or more.")
        if drop is not None and drop not in DROPS:
            raise SettingsError(f"drop = '{drop}' is none of {', '.join(DROPS)}.{nearest(drop, DROPS)}")
        careful = next((feed.name for feed in feeds if feed.done is not None), None)
        if careful is not None and drop not in (None, "block"):
            raise SettingsError(f"drop = '{drop}': {careful} remembers every picture and drops none. Give block.")
        self._bell = threading.Condition()
        self._lanes = [_Lane(feed, queue, drop or ("oldest" if feed.live else "block"), self._bell) for feed in feeds]
        self._tell, self._begun, self._next = tell, False, 0
        self._last: tuple[_Lane, Shot] | None = None
        self.endings: dict[str, Ending] = {}

    def __enter__(self) -> Stream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._last = None  # the shot at hand was not dealt with
        self.close()

    def __iter__(self) -> Stream:
        return self

    def __next__(self) -> Shot:
        self._settle()
        self._begin()
        while True:
            found = self._wait()
            if isinstance(found, Ending):
                self._say(found)
            elif found is None:
                self._finish()
                raise StopIteration
            else:
                self._last = found
                return found[1]

    @property
    def taken(self) -> dict[str, int]:
        """How many pictures each source has given so far."""
        return {lane.feed.name: lane.taken for lane in self._lanes}

    @property
    def dropped(self) -> dict[str, int]:
        """How many of them were given to nobody."""
        return {lane.feed.name: lane.dropped for lane in self._lanes}

    def close(self) -> None:
        """End every source and wait for it; what is still queued is let go."""
        self._settle()
        for lane in self._lanes:
            lane.stop()
        for lane in self._lanes:
            late = lane.join()
            if lane.feed.close is not None:
                lane.feed.close()
            self.endings.setdefault(lane.feed.name, lane.ending or lane.how(late))

    def _begin(self) -> None:
        if not self._begun:
            self._begun = True
            for lane in self._lanes:
                lane.start()

    def _settle(self) -> None:
        """Whoever asks for the next shot has dealt with the last."""
        if self._last is not None:
            (lane, shot), self._last = self._last, None
            if lane.feed.done is not None:
                lane.feed.done(shot)

    def _wait(self) -> tuple[_Lane, Shot] | Ending | None:
        """The next shot, taking sources in turn; or a source that has just ended; or None when none is left."""
        with self._bell:
            while True:
                count = len(self._lanes)
                for step in range(count):
                    lane = self._lanes[(self._next + step) % count]
                    if lane.waiting:
                        self._next = (self._next + step + 1) % count
                        self._bell.notify_all()
                        return lane, lane.waiting.popleft()
                    if lane.ending is not None and lane.feed.name not in self.endings:
                        return lane.ending
                if len(self.endings) == count:
                    return None
                self._bell.wait()

    def _say(self, ending: Ending) -> None:
        self.endings[ending.source] = ending
        how = "ended" if ending.error is None else f"ended early: {ending.error}"
        facts = {"source": ending.source, "taken": ending.taken, "dropped": ending.dropped}
        self._tell(Event("note", f"{ending.source} {how} ({ending.taken:,} taken, {ending.dropped:,} dropped)", facts))

    def _finish(self) -> None:
        self.close()
        errors = [ending.error for ending in self.endings.values() if ending.error is not None]
        ours = [error for error in errors if not isinstance(error, SightlineError)]
        if ours:
            raise ours[0]
        if errors and len(errors) == len(self._lanes):
            raise errors[0]


class _Lane:
    """One source, the thread that reads it, and the shots that wait."""

    def __init__(self, feed: Feed, room: int, drop: str, bell: threading.Condition) -> None:
        self.feed, self.room, self.drop, self.bell = feed, room, drop, bell
        self.waiting: deque[Shot] = deque()
        self.taken = self.dropped = self.reopened = 0
        self.ending: Ending | None = None
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name=f"sightline-{self.feed.name}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        with self.bell:
            self._stopping.set()
            self.waiting.clear()
            self.bell.notify_all()

    def join(self) -> InputError | None:
        """Wait for the thread; one that hangs in its source is left behind, and that is said."""
        if self._thread is None:
            return None
        self._thread.join(FAREWELL)
        if not self._thread.is_alive():
            return None
        return InputError("missing", f"{self.feed.name} did not end within {FAREWELL:.0f} s of being closed.")

    def how(self, error: Exception | None) -> Ending:
        return Ending(self.feed.name, self.taken, self.dropped, self.reopened, error)

    def _run(self) -> None:
        error: Exception | None = None
        try:
            self._read()
        except Exception as caught:  # noqa: BLE001 - carried to whoever reads the stream, and raised there
            error = caught
        with self.bell:
            self.ending = self.how(error)
            self.bell.notify_all()

    def _read(self) -> None:
        failed = 0
        while not self._stopping.is_set():
            before = self.taken
            try:
                with contextlib.closing(self.feed.shots(self._stopping.wait)) as shots:  # type: ignore[type-var]
                    for shot in shots:
                        if not self._put(shot):
                            return
                return
            except SightlineError:
                failed = 1 if self.taken > before else failed + 1
                if failed > self.feed.tries:
                    raise
                self.reopened += 1
            self._stopping.wait(min(LONGEST_PAUSE, self.feed.pause * 2 ** (failed - 1)))

    def _put(self, shot: Shot) -> bool:
        """Queue a shot, or drop what the policy says; false when the stream is being closed."""
        with self.bell:
            shot = replace(shot, source=self.feed.name, number=self.taken)
            self.taken += 1
            while len(self.waiting) >= self.room and not self._stopping.is_set():
                if self.drop == "block":
                    self.bell.wait()
                    continue
                self.dropped += 1
                if self.drop == "newest":
                    return True
                self.waiting.popleft()
            if self._stopping.is_set():
                return False
            self.waiting.append(shot)
            self.bell.notify_all()
            return True
