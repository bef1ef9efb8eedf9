"""A folder into which pictures are put, as a stream: watch:inbox?settle=2&remember=inbox.seen."""

from __future__ import annotations

import contextlib
import json
import os
import stat
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from sightline.core.errors import InputError, RunError, SettingsError
from sightline.core.files import digest, naming, sync_folder, write_durably
from sightline.core.image import LARGEST_FILE, SUFFIXES, read_image
from sightline.core.stream import Feed, Rest, Shot
from sightline.sources._words import given

FORGET = 7 * 24 * 3600.0  # seconds after which a picture that is gone is forgotten
_TIDY = 3600.0  # seconds between two times of forgetting


@dataclass(frozen=True, slots=True)
class Settings:
    """What the words after `?` may set."""

    settle: float = 1.0  # seconds that a file must stay as it is before it counts as written
    every: float = 0.5  # seconds between two looks
    patience: float = 60.0  # seconds that a picture which is not whole is waited for after it last grew
    idle: float = 0.0  # ends when nothing has come for so many seconds; 0: never
    remember: str = ""  # a file that remembers what was dealt with, over kills and restarts

    def __post_init__(self) -> None:
        if not min(self.settle, self.patience, self.idle) >= 0 or not self.every > 0:
            raise SettingsError("of a watch: settle, patience and idle are 0 or more, every is more than 0.")


class Mark(NamedTuple):
    """What tells one state of a file from any other."""

    path: str  # within the folder
    inode: int
    size: int
    changed: int  # nanoseconds

    @property
    def keys(self) -> tuple[tuple[str | int, int, int], ...]:
        """The same state under the same name, or in the same file whatever its name has become."""
        return (self.path, self.size, self.changed), (self.inode, self.size, self.changed)


@dataclass(frozen=True, slots=True, eq=False)
class SeenImage:
    """A picture as it was when it was found whole, whatever becomes of its file."""

    name: str
    data: bytes
    pixels: np.ndarray | None

    def read(self, at_least: tuple[int, int] | None = None) -> np.ndarray:
        return self.pixels if self.pixels is not None else read_image(self.data, name=self.name)

    def encoded(self) -> bytes:
        return self.data

    def fingerprint(self) -> str:
        return digest(self.data)


def feed(where: str) -> Feed:
    """Every picture in a folder and every one that comes, each once it is whole, in the order of their writing.

    A picture counts as dealt with when the next one is asked for. What was not is given again by the next stream that
    remembers by the same file, under the same id.
    """
    place, settings = given(where, Settings, "watch")
    folder = Path(place)
    try:
        os.scandir(place).close()  # nothing is no folder, though Path() is
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError("missing", f"{place!r} cannot be watched: {reason}. Name a folder.") from error
    watched = _Watched(folder, settings, Memory(Path(settings.remember) if settings.remember else None))
    return Feed(f"watch:{folder.resolve().name}", watched.shots, done=watched.done, close=watched.memory.close)


class Memory:
    """Which states of which files were dealt with; where a file is named, a line each, synced before it counts."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._seen: dict[tuple[str | int, int, int], Mark] = {}
        self._last: dict[Mark, float] = {}  # when it was still there
        self._close: Callable[[], object] = int
        self._handle = -1
        if path is not None:
            self._open(path)

    def _open(self, path: Path) -> None:
        with naming(path, 0):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
            self._close = weakref.finalize(self, os.close, self._handle)
            sync_folder(path.parent)
        self._hold(path)
        data = path.read_bytes()
        whole = data[: data.rfind(b"\n") + 1]  # a line that a kill cut short was never relied on
        for number, line in enumerate(whole.splitlines(), 1):
            try:
                name, inode, size, changed = json.loads(line)
                self._note(Mark(str(name), int(inode), int(size), int(changed)))
            except (ValueError, TypeError) as error:
                raise InputError("corrupt", f"{path}, line {number}: not written by a watch. Name another.") from error
        if len(whole) < len(data):
            with naming(path, len(whole)):
                os.ftruncate(self._handle, len(whole))

    def _hold(self, path: Path) -> None:
        """One stream at a time; the hold dies with its process."""
        if sys.platform == "win32":
            return
        import fcntl

        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self.close()
            raise RunError(f"{path} is used by another watch. Wait for it, or name another.") from error

    def _note(self, mark: Mark) -> None:
        self._seen.update(dict.fromkeys(mark.keys, mark))
        self._last[mark] = time.time()

    def knows(self, mark: Mark) -> bool:
        """Whether this state was dealt with, under this name or another; noted as still there."""
        with self._lock:
            known = next((self._seen[key] for key in mark.keys if key in self._seen), None)
            if known is not None:
                self._last[known] = time.time()
            return known is not None

    def add(self, mark: Mark) -> None:
        """Remember, durably where there is a file."""
        with self._lock:
            self._note(mark)
            if self.path is not None and self._handle >= 0:
                line = _line(mark)
                with naming(self.path, len(line)):
                    os.write(self._handle, line)
                    os.fsync(self._handle)

    def tidy(self, older: float = FORGET) -> None:
        """Forget what has long been gone, so that neither file nor memory grows for ever."""
        with self._lock:
            before = time.time() - older
            gone = [mark for mark, seen in self._last.items() if seen < before]
            for mark in gone:
                del self._last[mark]
                for key in mark.keys:
                    self._seen.pop(key, None)
            if gone and self.path is not None:
                self.close()
                write_durably(self.path, b"".join(map(_line, self._last)))
                self._open(self.path)

    def close(self) -> None:
        """Let go of the file."""
        self._close()
        self._handle = -1


def _line(mark: Mark) -> bytes:
    return json.dumps(list(mark)).encode() + b"\n"


class _Watched:
    """One folder, looked at again and again."""

    def __init__(self, folder: Path, settings: Settings, memory: Memory) -> None:
        self.folder, self.settings, self.memory = folder, settings, memory
        self._waiting: dict[str, tuple[Mark, float]] = {}  # path -> its last state, and since when
        self._broken: dict[Mark, float] = {}  # not whole -> when it may be looked at again
        self._given: dict[str, Mark] = {}  # id of a shot -> state
        self._out: set[Mark] = set()

    def done(self, shot: Shot) -> None:
        mark = self._given.pop(shot.name, None)
        if mark is not None:
            self.memory.add(mark)
            self._out.discard(mark)

    def shots(self, rest: Rest) -> Iterator[Shot]:
        last = tidied = time.monotonic()
        while True:
            begun = time.monotonic()
            present = self._look()
            for mark, final in self._settled(present):
                shot = self._shot(mark, final)
                if shot is not None:
                    last = time.monotonic()
                    yield shot
            now = time.monotonic()
            if self.settings.idle and now - last > self.settings.idle and not self._growing(now):
                yield from filter(None, (self._shot(mark, True) for mark in list(self._broken)))
                return
            if now - tidied > _TIDY:
                tidied = now
                self.memory.tidy()
            if rest(max(self.settings.every, 4 * (now - begun) if len(present) > 1000 else 0.0)):
                return

    def _growing(self, now: float) -> bool:
        return any(now - since <= self.settings.settle for _, since in self._waiting.values())

    def _look(self) -> list[Mark]:
        """Every picture file that is there now, the oldest first."""
        start = len(os.path.join(self.folder, ""))  # noqa: PTH118 - for its length
        found = []
        for entry in _pictures(os.fspath(self.folder)):
            with contextlib.suppress(OSError):  # files come and go
                state = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(state.st_mode):
                    found.append(Mark(entry.path[start:], state.st_ino, state.st_size, state.st_mtime_ns))
        return sorted(found, key=lambda mark: (mark.changed, mark.path))

    def _settled(self, present: list[Mark]) -> list[tuple[Mark, bool]]:
        """The states that are new and have lasted; and whether their time to become whole is over."""
        now = time.monotonic()
        before, self._waiting = self._waiting, {}
        ready = []
        for mark in present:
            if mark in self._out or self.memory.knows(mark):
                continue
            held = before.get(mark.path)
            since = held[1] if held is not None and held[0] == mark else now
            self._waiting[mark.path] = mark, since
            if now - since >= self.settings.settle and now >= self._broken.get(mark, 0.0):
                ready.append((mark, now - since >= self.settings.settle + self.settings.patience))
        there = {mark for mark, _ in self._waiting.values()}
        self._broken = {mark: until for mark, until in self._broken.items() if mark in there}
        return ready

    def _shot(self, mark: Mark, final: bool) -> Shot | None:
        """The picture if it is whole, or if waiting for it is over; what has changed meanwhile waits on."""
        path = self.folder / mark.path
        try:
            with path.open("rb") as file:
                data = file.read(LARGEST_FILE + 1)
                state = os.fstat(file.fileno())
        except OSError:  # gone again
            return None
        if (state.st_ino, state.st_size, state.st_mtime_ns) != mark[1:]:
            return None
        pixels = None
        try:
            pixels = read_image(data, name=str(path))
        except InputError:
            if not final:
                self._broken[mark] = time.monotonic() + max(self.settings.every, self.settings.patience / 10)
                return None
        self._waiting.pop(mark.path, None)
        self._broken.pop(mark, None)
        self._out.add(mark)
        name = f"{mark.path}@{digest(data)[:12]}"
        self._given[name] = mark
        return Shot(SeenImage(str(path), data, pixels), mark.changed / 1e9, name=name, attributes={"file": mark.path})


def _pictures(folder: str) -> Iterator[os.DirEntry[str]]:
    """What is called like a picture, at any depth; links to folders are not followed, and folders come and go."""
    folders = [folder]
    while folders:
        with contextlib.suppress(OSError), os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                elif entry.name.lower().endswith(SUFFIXES):
                    yield entry
