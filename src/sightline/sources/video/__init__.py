"""Films as pictures: video:clip.mp4?every=10&start=5&stop=20, or a folder or pattern of them; also as a stream."""

from __future__ import annotations

import glob
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from sightline.core.dataset import Dataset
from sightline.core.errors import InputError, SettingsError
from sightline.core.extras import need
from sightline.core.image import SUFFIXES, ArrayImage
from sightline.core.stream import Feed, Rest, Shot
from sightline.core.task import Fit
from sightline.sources._bytes import Bytes, FileBytes
from sightline.sources._words import given
from sightline.sources.video import containers
from sightline.sources.video.films import Film, Frames
from sightline.sources.video.reader import Reader

_LOOK = 10_000  # files of a folder that are looked at


@dataclass(frozen=True, slots=True)
class Settings:
    """What the words after `?` may set."""

    every: int = 1  # of so many pictures one is taken
    fps: float = 0.0  # pictures taken a second, at most; 0: all
    start: float = 0.0  # seconds from the beginning
    stop: float = float("inf")
    partial: bool = False  # read what is there of a film that was cut
    pace: float = 0.0  # of a stream: 1 as it was shot, 2 twice as fast, 0 as fast as possible

    def __post_init__(self) -> None:
        if self.every < 1 or not self.fps >= 0 or not self.pace >= 0 or not 0 <= self.start < self.stop:
            raise SettingsError("of a video: every is 1 or more, fps and pace 0 or more, and start lies before stop.")
        if self.every > 1 and self.fps:
            raise SettingsError("of a video: give every or fps, not both.")


def sniff(path: Path) -> Fit:
    """Natural where name and bytes both say so, and where a folder holds films and no pictures."""
    if path.is_dir():
        names = [name.lower() for name in islice((name for _, _, inside in os.walk(path) for name in inside), _LOOK)]
        films = sum(name.endswith(containers.SUFFIXES) for name in names)
        if not films or any(name.endswith(SUFFIXES) for name in names):
            return Fit(0, "no folder of films alone")
        return Fit(2, "films")
    if not path.name.lower().endswith(containers.SUFFIXES):
        return Fit(0, "no film by its name")
    try:
        containers.kind(FileBytes(path))
    except InputError as error:
        return Fit(0, error.message)
    return Fit(2, "a film")


def read(where: str) -> Dataset:
    """The pictures of one film or many, each film a group, each picture with its time in seconds."""
    need("av")
    place, settings = given(where, Settings, "video")
    paths = _films(place)
    root = os.path.commonpath([path.parent for path in paths])
    names = [Path(os.path.relpath(path, root)).as_posix() for path in paths]
    return frames([FileBytes(path) for path in paths], names, settings)


def frames(sources: list[Bytes], names: list[str], settings: Settings) -> Dataset:
    """The pictures of films, wherever their bytes lie."""
    films = [Film(source, partial=settings.partial) for source in sources]
    rows = [_chosen(film.times, settings) for film in films]
    if not any(map(len, rows)):
        length = max(float(film.times[-1]) for film in films)
        raise InputError("empty", f"{names[0]}: no picture lies there; the film lasts {length:.1f} s.")
    name = Path(names[0]).stem if len(names) == 1 else "films"
    return Dataset(Frames(films, names, rows), name=name, names=())


def feed(where: str) -> Feed:
    """A film as a stream: decoded once from start to end, as fast as it is taken or at the pace it was shot."""
    need("av")
    place, settings = given(where, Settings, "video")
    path = _films(place)
    if len(path) > 1:
        raise InputError("unsupported", f"video:{place} is {len(path)} films; open each as a stream of its own.")
    source = FileBytes(path[0])
    if not settings.partial:
        containers.check_whole(source, containers.kind(source))

    def shots(rest: Rest) -> Iterator[Shot]:
        return _played(source, settings, rest)

    return Feed(source.name, shots, live=settings.pace > 0)


def _played(source: Bytes, settings: Settings, rest: Rest) -> Iterator[Shot]:
    reader = Reader(source)
    first: int | None = None
    last, begun = -1, time.monotonic()
    try:
        for number, frame in enumerate(reader.frames()):
            stamp = frame.pts if frame.pts is not None else number
            first = stamp if first is None else first
            at = (stamp - first) * reader.unit
            tick = _tick(at, settings) if settings.fps else number // settings.every
            if at >= settings.stop:
                return
            if at < settings.start or tick == last or (not settings.fps and number % settings.every):
                continue
            last = tick
            if settings.pace and rest(max(0.0, begun + (at - settings.start) / settings.pace - time.monotonic())):
                return
            facts = {"video": source.name, "frame": number}
            yield Shot(ArrayImage(reader.pixels(frame), source.name), at, group=source.name, attributes=facts)
    except InputError:
        if not (settings.partial and first is not None):
            raise
    finally:
        reader.close()


def _tick(at: Any, settings: Settings) -> Any:
    """Which of the wanted pictures a second a time belongs to; the first of each is taken."""
    return np.floor((at - settings.start) * settings.fps + 1e-6)


def _chosen(times: np.ndarray, settings: Settings) -> np.ndarray:
    """The positions that the settings ask for."""
    inside = np.flatnonzero((times >= settings.start) & (times < settings.stop))
    if settings.fps:
        return np.asarray(inside[np.diff(_tick(times[inside], settings), prepend=-1.0) > 0])
    return np.asarray(inside[inside % settings.every == 0])


def _films(place: str) -> list[Path]:
    """The film named, or those in a folder or of a pattern."""
    path = Path(place)
    if not place or "\0" in place:
        raise InputError("missing", "name a film: video:clip.mp4")
    if os.path.isdir(place):  # noqa: PTH112 - a name that is too long is no error here
        inside = (Path(folder) / name for folder, _, names in os.walk(path) for name in names)
        found = sorted(p for p in inside if p.name.lower().endswith(containers.SUFFIXES) and p.name[0] != ".")
    elif os.path.lexists(path) or not set(place) & set("*?["):
        return [path]
    else:
        matching = glob.glob(place, recursive=True)  # noqa: PTH207 - may be absolute
        found = sorted(Path(name) for name in matching if Path(name).is_file())
    if not found:
        raise InputError("empty", f"video:{place} holds no films ({', '.join(containers.SUFFIXES)}).")
    return found
