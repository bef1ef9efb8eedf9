"""Films by position: which pictures they hold is known without decoding, and any one is decoded when asked for."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sightline.core.errors import InputError
from sightline.core.files import digest
from sightline.core.image import encode
from sightline.core.sample import Sample
from sightline.sources._bytes import Bytes
from sightline.sources._made import Made, same
from sightline.sources.video.containers import check_whole, kind
from sightline.sources.video.reader import Reader

MOST = 5_000_000  # pictures of one film
HELD = 32 * 2**20  # bytes of decoded pictures that a film keeps
OPEN = 8  # films that are kept open for decoding


class Film:
    """One film: when each of its pictures is shown, and where decoding can begin."""

    def __init__(self, source: Bytes, *, partial: bool = False) -> None:
        self.source, self.name, self.partial = source, Path(source.name).name, partial
        if not partial:
            check_whole(source, kind(source))
        self._lock = threading.Lock()
        self._reader: Reader | None = None
        self._coming: Iterator[Any] | None = None
        self._next = 0  # position of the picture that decoding gives next
        self._held: OrderedDict[int, np.ndarray] = OrderedDict()
        self._print = ""
        self._index()

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (self.source, self.partial)

    def __len__(self) -> int:
        return len(self.stamps)

    def _index(self) -> None:
        reader = Reader(self.source, self.name)
        stamps: list[int] = []
        orders: list[int] = []
        keys: list[bool] = []
        said, self.unit = reader.stream.frames, reader.unit
        try:
            for packet in reader.packets():
                stamp = packet.stamp if packet.stamp is not None else packet.order
                stamps.append(stamp if stamp is not None else len(stamps))
                orders.append(packet.order if packet.order is not None else stamps[-1])
                keys.append(packet.key)
                if len(stamps) > MOST:
                    raise InputError("too_large", f"{self.name}: more than {MOST:,} pictures.")
        except InputError:
            if not (self.partial and stamps):
                raise
        finally:
            reader.close()
            self.source.release()
        if not stamps:
            raise InputError("empty", f"{self.name}: holds no pictures.")
        if said > len(stamps) and not self.partial:
            raise InputError(
                "truncated",
                f"{self.name}: says it holds {said:,} pictures, and holds {len(stamps):,}. Copy it again, or give "
                "partial=true for the part that is there.",
            )
        shown = np.argsort(stamps, kind="stable")
        self.stamps = np.asarray(stamps, np.int64)[shown]
        self._orders = np.asarray(orders, np.int64)[shown]
        places = np.where(np.asarray(keys, bool)[shown], np.arange(len(shown)), 0)
        self._begins = np.maximum.accumulate(places)  # where decoding begins for each
        self._in_order = len(np.unique(self.stamps)) < len(self.stamps)  # times that repeat cannot be sought
        self.times = (self.stamps - self.stamps[0]) * self.unit

    def fingerprint(self) -> str:
        """The hash of the whole file, made once."""
        with self._lock:
            if not self._print:
                whole = hashlib.sha256()
                for start in range(0, self.source.size, 2**20):
                    whole.update(self.source.at(start, 2**20))
                self._print = whole.hexdigest()
                if self._reader is None:
                    self.source.release()
            return self._print

    def read(self, position: int) -> np.ndarray:
        """The picture at a position; those after it come cheaply, those before it from the last place to begin."""
        with self._lock:
            if position in self._held:
                self._held.move_to_end(position)
                return self._held[position]
            return self._decoded(position)

    def release(self) -> None:
        """Close the file and forget its pictures; it opens again when it is asked for more."""
        with self._lock:
            self._drop()
            self._held.clear()
            self.source.release()

    def _drop(self) -> None:
        if self._reader is not None:
            self._reader.close()
        self._reader, self._coming = None, None

    def _decoded(self, position: int) -> np.ndarray:
        begin = 0 if self._in_order else int(self._begins[position])
        if self._coming is None or position < self._next or begin > self._next:
            self._go(begin)
        found, fault = self._forward(position)
        if found is None and begin:  # its neighbours may need the pictures of the stretch before
            self._go(int(self._begins[begin - 1]))
            found, fault = self._forward(position)
        if found is None and begin and fault is None:  # sought past it
            self._go(0)
            found, fault = self._forward(position)
        if found is None:
            self._drop()
            why = "the film holds a picture here that is not given"
            raise fault or InputError("corrupt", f"{self.name}#{position:06d}: {why}.")
        return found

    def _go(self, position: int) -> None:
        """Make ready to decode from a picture that needs none before it."""
        if self._reader is None or position == 0 or not self._reader.seek(int(self._orders[position])):
            self._drop()
            self._reader = Reader(self.source, self.name)
            if position:
                self._reader.seek(int(self._orders[position]))
        self._coming, self._next = self._reader.frames(), position

    def _forward(self, position: int) -> tuple[np.ndarray | None, InputError | None]:
        """The picture, decoded; or nothing, and what stopped it."""
        assert self._coming is not None
        assert self._reader is not None
        wanted = int(self.stamps[position])
        try:
            for frame in self._coming:
                here = self._next if self._in_order else self._place(frame)
                if here is None:
                    continue
                self._next = here + 1
                if here == position:
                    return self._keep(position, self._reader.pixels(frame)), None
                if not self._in_order and frame.pts > wanted:
                    return None, None
        except InputError as error:
            self._drop()
            return None, error
        self._drop()
        return None, None

    def _place(self, frame: Any) -> int | None:
        if frame.pts is None:
            return None
        place = int(np.searchsorted(self.stamps, frame.pts))
        return place if place < len(self.stamps) and self.stamps[place] == frame.pts else None

    def _keep(self, position: int, pixels: np.ndarray) -> np.ndarray:
        pixels.setflags(write=False)
        self._held[position] = pixels
        while len(self._held) > 1 and len(self._held) * pixels.nbytes > HELD:
            self._held.popitem(last=False)
        return pixels


def _again(source: Bytes, partial: bool) -> Film:
    return Film(source, partial=partial)


class Shelf:
    """Films, of which the last few asked for are open."""

    def __init__(self, films: Sequence[Film]) -> None:
        self.films = films
        self._lock = threading.Lock()
        self._open: OrderedDict[int, None] = OrderedDict()

    def __reduce__(self) -> tuple[Any, ...]:
        return Shelf, (self.films,)

    def read(self, film: int, position: int) -> np.ndarray:
        """A picture of a film."""
        with self._lock:
            self._open[film] = None
            self._open.move_to_end(film)
            over = self._open.popitem(last=False)[0] if len(self._open) > OPEN else None
        if over is not None:
            self.films[over].release()
        return self.films[film].read(position)


@dataclass(frozen=True, slots=True, eq=False)
class FrameImage:
    """A handle on one picture of a film."""

    shelf: Shelf
    film: int
    position: int

    @property
    def name(self) -> str:
        return f"{self.shelf.films[self.film].name}#{self.position:06d}"

    def read(self, at_least: tuple[int, int] | None = None) -> np.ndarray:
        return self.shelf.read(self.film, self.position)

    def encoded(self) -> bytes:
        return encode(self.read())

    def fingerprint(self) -> str:
        return digest(f"{self.shelf.films[self.film].fingerprint()} {self.position}".encode())


class Frames(Made):
    """A sample a chosen picture, made when it is asked for; the pictures of one film are a group."""

    def __init__(self, films: Sequence[Film], names: Sequence[str], rows: Sequence[np.ndarray]) -> None:
        self.shelf, self.names, self.rows = Shelf(films), names, rows
        self._ends = np.cumsum([len(chosen) for chosen in rows])

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    def known(self, field: str) -> Sequence[Any] | None:
        each = list(zip(self.names, self.rows, strict=True))
        if field == "id":
            return [f"{name}#{position:06d}" for name, chosen in each for position in chosen.tolist()]
        if field == "group":
            return [name for name, chosen in each for _ in range(len(chosen))]
        return None if field in ("images", "attributes") else same(field, len(self))

    def sample(self, index: int) -> Sample:
        film = int(np.searchsorted(self._ends, index, side="right"))
        position = int(self.rows[film][index - (self._ends[film - 1] if film else 0)])
        name = self.names[film]
        known = {"video": name, "frame": position, "time": float(self.shelf.films[film].times[position])}
        return Sample(f"{name}#{position:06d}", (FrameImage(self.shelf, film, position),), group=name, attributes=known)
