"""A data set that remembers what was learnt of each picture, so that its bytes are read once, not once a question.

What is remembered lies in columns, some fifty bytes a picture and a thumbnail until copies have been looked for.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, fields, replace
from itertools import islice
from typing import Any

import numpy as np

from sightline.core.annotations import KINDS
from sightline.core.buckets import SIDE
from sightline.core.chance import generator
from sightline.core.dataset import Dataset, column_of
from sightline.core.decoding import header
from sightline.core.errors import InputError
from sightline.core.files import digest
from sightline.core.image import ArrayImage, Image, read_image
from sightline.core.likeness import CLOSE, SMALL, confirmed, near_copies, thumbnail
from sightline.core.progress import Event, Tell, silent
from sightline.core.sample import Sample
from sightline.core.threads import shared

HELD = 64 * 2**20  # bytes of samples
COMPARED = 200_000  # pictures among which near copies are looked for; more are drawn from
CONFIRMED = 20_000  # pairs that are looked at again in more detail, the surest first
_TOGETHER = 50  # neighbours that are drawn together, since copies often follow one another
NOTHING = {"unreadable", digest(b"")}  # what is not there is not equal
_EMPTY = np.frombuffer(bytes.fromhex(digest(b"")), np.uint8)
_THREADS = min(4, 2 * (os.cpu_count() or 1))
_HASHED, _LOOKED, _SMALL = 1, 2, 4  # what is known: hash, header, thumbnail


class Facts:
    """What is known of the first, second ... pictures of many samples: a row a sample."""

    def __init__(self, count: int, compared: np.ndarray | None = None) -> None:
        self.known = np.zeros(count, np.uint8)
        self.hashes = np.zeros((count, 32), np.uint8)
        self.shapes = np.full((count, 3), -1, np.int32)
        self.faults: dict[int, InputError] = {}
        self.others: dict[int, str] = {}  # fingerprints that are no sha256
        self.compared = np.arange(0) if compared is None else compared  # rows that have a thumbnail, in order
        self.thumbnails = np.zeros(len(self.compared), SMALL)

    def wants(self, row: int) -> bool:
        """Whether a thumbnail of this row is wanted and not there yet."""
        if self.known[row] & _SMALL:
            return False
        place = int(np.searchsorted(self.compared, row))
        return place < len(self.compared) and bool(self.compared[place] == row)

    def keep_small(self, row: int, pixels: np.ndarray | None) -> None:
        """Remember a thumbnail, or that there is nothing to make one of: an empty one is like no other."""
        if self.wants(row):
            if pixels is not None:
                self.thumbnails[np.searchsorted(self.compared, row)] = thumbnail(pixels)
            self.known[row] |= _SMALL


@dataclass(slots=True, eq=False)
class KnownImage:
    """A picture whose fingerprint, size, first complaint and thumbnail are kept; its bytes and pixels are not."""

    image: Image
    facts: Facts = field(default_factory=lambda: Facts(1))
    row: int = 0

    @property
    def name(self) -> str:
        return self.image.name

    def read(self, at_least: tuple[int, int] | None = None) -> np.ndarray:
        return self.image.read(at_least) if at_least else self.image.read()

    def quick(self, at_least: tuple[int, int] | None = None) -> np.ndarray:
        """`read` by the shortcuts of its decoder, where it has any."""
        read: Callable[..., np.ndarray] = getattr(self.image, "quick", self.image.read)
        return read(at_least) if at_least else read()

    def encoded(self) -> bytes:
        return self.image.encoded()

    def fingerprint(self) -> str:
        if not self.facts.known[self.row] & _HASHED:
            self.look()
        if not self.facts.known[self.row] & _HASHED:
            self._keep_hash(self.image.fingerprint())
        other = self.facts.others.get(self.row)
        return self.facts.hashes[self.row].tobytes().hex() if other is None else other

    @property
    def shape(self) -> tuple[int, ...] | None:
        """Its size as far as that is known without decoding: rows, columns (or depth first)."""
        if not self.facts.known[self.row] & _LOOKED:
            self.look()
        lengths = self.facts.shapes[self.row].tolist()
        while lengths and lengths[-1] < 0:
            lengths.pop()
        return tuple(lengths) or None

    @property
    def fault(self) -> InputError | None:
        """Why it cannot be read, as far as its header and its end tell."""
        self.look()
        return self.facts.faults.get(self.row)

    def looked(self, *, closely: bool = False) -> bool:
        """Whether there is nothing left to look at."""
        return bool(self.facts.known[self.row] & _LOOKED) and not (closely and self.facts.wants(self.row))

    def look(self, *, closely: bool = False) -> None:
        """Read the bytes once, for hash and header, and `closely` for the thumbnail too.

        Pictures that are drawn or held as pixels have no bytes to read.
        """
        data = None if self.facts.known[self.row] & _LOOKED else self._look()
        if closely and self.facts.wants(self.row):
            try:
                self.facts.keep_small(self.row, _reduced(self.image, data))
            except InputError:
                self.facts.keep_small(self.row, None)

    def reduced(self, longest: int) -> np.ndarray:
        """The pixels, or a smaller version of a far larger picture where its file can be read at a smaller scale.

        The first time its bytes are read once for these pixels, the hash, the header and the thumbnail.
        """
        data = None if self.facts.known[self.row] & _LOOKED else self._look()
        shape, least = self.shape, None
        if shape is not None and len(shape) == 2 and max(shape) >= 4 * longest:
            rows, columns = (math.ceil(side * longest / max(shape)) for side in shape)
            least = (rows, columns)
        pixels = self.read(least) if data is None else read_image(data, name=self.name, at_least=least)
        if least is None or min(pixels.shape[:2]) >= 2 * SIDE:
            self.facts.keep_small(self.row, pixels)
        return pixels

    def _look(self) -> bytes | None:
        """Hash, header and first complaint; the bytes, where there are any and nothing is wrong with them so far."""
        data = None
        if getattr(self.image, "stored", False):
            try:
                data = self.image.encoded()
                self._keep_hash(digest(data))
                self._keep_shape(header(data, self.name))
                if _looks_cut(data):
                    self.read()
            except InputError as error:
                self.facts.faults[self.row] = error
                self.facts.keep_small(self.row, None)
                data = None
        elif isinstance(self.image, ArrayImage):
            self._keep_shape(self.image.pixels.shape[:-1])
        self.facts.known[self.row] |= _LOOKED
        return data

    def _keep_hash(self, seal: str) -> None:
        if len(seal) == 64 and not set(seal) - set("0123456789abcdef"):
            self.facts.hashes[self.row] = np.frombuffer(bytes.fromhex(seal), np.uint8)
        else:
            self.facts.others[self.row] = seal
        self.facts.known[self.row] |= _HASHED

    def _keep_shape(self, shape: Sequence[int]) -> None:
        self.facts.shapes[self.row, : len(shape[:3])] = shape[:3]


def _reduced(image: Image, data: bytes | None, side: int = 2 * SIDE) -> np.ndarray:
    """The pixels of a picture, or of a smaller version where its file can be read at a smaller scale."""
    return image.read((side, side)) if data is None else read_image(data, name=image.name, at_least=(side, side))


def _looks_cut(data: bytes) -> bool:
    """Whether the mark of the end is missing where it belongs; only decoding can then tell."""
    if data.startswith(b"\xff\xd8\xff"):
        return not data.rstrip(b"\0").endswith(b"\xff\xd9")
    return data.startswith(b"\x89PNG") and not data.endswith(b"IEND\xaeB`\x82")


def remember(data: Dataset) -> Dataset:
    """The same data set, still lazy, with handles that remember."""
    if isinstance(data.samples, _Known):
        return data
    known = _Known(data.samples, _compared(data))
    return Dataset(known, name=data.name, names=data._names, kind=data._kind, recipe=data._recipe, details=data.details)


def _compared(data: Dataset) -> np.ndarray:
    """The rows whose pictures are compared with one another: all, or many drawn evenly; none where a recipe draws."""
    if data._recipe is not None:
        return np.arange(0)
    if len(data) <= COMPARED:
        return np.arange(len(data))
    parts = len(data) // _TOGETHER
    drawn = np.sort(generator("likeness", "drawn", len(data)).permutation(parts)[: COMPARED // _TOGETHER])
    return np.asarray((drawn[:, None] * _TOGETHER + np.arange(_TOGETHER)).ravel())


def look_at_all(data: Dataset, tell: Tell = silent, *, closely: bool = True) -> None:
    """Read the bytes of every picture that was not read yet, some at a time, and say how far it is."""
    images = (image for sample in data for image in sample.images if isinstance(image, KnownImage))
    new = (image for image in images if not image.looked(closely=closely))
    _each(new, lambda image: image.look(closely=closely), tell, len(data))


def _each(images: Iterable[KnownImage], look: Callable[[KnownImage], None], tell: Tell, total: int) -> None:
    """Do something with every picture, a thousand at a time, so that memory stays as it is."""
    rest, done = iter(images), 0
    with ThreadPoolExecutor(_THREADS, "sightline-look") as pool:
        while part := list(islice(rest, 1000)):
            done += len(part)
            list(shared(pool, look, part))
            text = f"looked at {done:,} of {max(done, total):,} pictures"
            tell(Event("progress", text, {"done": done, "total": max(done, total)}))


def seals(data: Dataset, tell: Tell = silent) -> np.ndarray:
    """A number for the content of every sample's first picture, the same for equal ones; -1 where there is none."""
    known = remember(data).samples
    assert isinstance(known, _Known)
    facts = known.facts[0]
    handles = (known.handle(row) for row in np.flatnonzero(facts.known & _HASHED == 0).tolist())
    unknown = (handle for handle in handles if handle is not None)

    def look(image: KnownImage) -> None:
        image.look(closely=True)
        image.fingerprint()

    _each(unknown, look, tell, len(known))
    numbers = np.unique(facts.hashes.view("V32").ravel(), return_inverse=True)[1].astype(np.int64)
    numbers[facts.known & _HASHED == 0] = -1
    seen: dict[str, int] = {}
    for row, other in facts.others.items():
        numbers[row] = -1 if other in NOTHING else len(known) + seen.setdefault(other, len(seen))
    numbers[(facts.hashes == _EMPTY).all(1)] = -1
    return numbers


@dataclass(frozen=True, slots=True, eq=False)
class Near:
    """Pairs of samples whose first pictures are near copies, the surest first, and among how many they were sought."""

    pairs: np.ndarray  # (n, 2) rows, first < second
    sure: np.ndarray  # (n,)
    compared: int
    total: int

    @property
    def drawn(self) -> str:
        """What to say where only some were compared; pictures of a recipe never are."""
        return f" (sought among {self.compared:,} of {self.total:,} pictures)" if 0 < self.compared < self.total else ""


def near(data: Dataset, tell: Tell = silent) -> Near:
    """The near copies of a data set, found once where it is one that remembers."""
    known = remember(data).samples
    assert isinstance(known, _Known)
    if known.near is None:
        known.near = _near(known, tell)
    return known.near


def _near(known: _Known, tell: Tell) -> Near:
    facts = known.facts[0]
    missing = (known.handle(row) for row in facts.compared.tolist() if facts.wants(row))
    _each((handle for handle in missing if handle), lambda image: image.look(closely=True), tell, len(facts.compared))
    pairs, sure = near_copies(facts.thumbnails, tell)
    pairs = facts.compared[pairs].reshape(-1, 2)
    order = np.lexsort((pairs[:, 1], pairs[:, 0], -sure))
    pairs, sure = pairs[order], sure[order]
    with ThreadPoolExecutor(_THREADS, "sightline-look") as pool:
        same = np.array([*pool.map(lambda pair: _confirmed(known, *pair), pairs[:CONFIRMED].tolist())], bool)
    kept = np.append(same, np.ones(len(pairs) - len(same), bool))
    compared = len(facts.compared)
    facts.compared, facts.thumbnails = np.arange(0), np.zeros(0, SMALL)  # what they were kept for is known
    return Near(pairs[kept], sure[kept], compared, len(known))


def _confirmed(known: _Known, first: int, second: int) -> bool:
    """Whether two pictures that look alike when small do so when larger; equal and small ones need no second look."""
    facts, least = known.facts[0], 2 * SIDE
    if all(0 <= min(facts.shapes[row, :2]) < least for row in (first, second)):
        return True
    if facts.known[first] & facts.known[second] & _HASHED and (facts.hashes[first] == facts.hashes[second]).all():
        return True
    images = [known.handle(row) for row in (first, second)]
    try:
        pixels = [_reduced(image.image, None, CLOSE) for image in images if image is not None]
    except InputError:
        return True  # the thumbnail is all that is left of it
    return len(pixels) < 2 or confirmed(*pixels)


class _Known(Sequence[Sample]):
    """Samples with remembering handles; labels are held too while they are small, since some are costly to make."""

    def __init__(self, base: Sequence[Sample], compared: np.ndarray) -> None:
        self.base = base
        self.facts = [Facts(len(base), compared)]  # of the first pictures; those of second ones come when there are any
        self.held: dict[int, Sample] = {}
        self.weight = 0
        self.near: Near | None = None

    def __len__(self) -> int:
        return len(self.base)

    def column(self, name: str) -> Sequence[Any]:
        """One field of every sample, as the base knows it."""
        return column_of(self.base, name)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[place] for place in range(len(self))[index]]
        index = range(len(self))[index]
        if index in self.held:
            return self.held[index]
        sample = self.base[index]
        while len(self.facts) < len(sample.images):
            self.facts.append(Facts(len(self.base)))
        handles = (KnownImage(image, facts, index) for image, facts in zip(sample.images, self.facts, strict=False))
        sample = replace(sample, images=tuple(handles))
        self.weight += (weight := _weight(sample))
        if self.weight <= HELD:
            self.held[index] = sample
        else:
            self.weight -= weight
        return sample

    def handle(self, row: int) -> KnownImage | None:
        """The first picture of a sample."""
        image = next(iter(self[row].images), None)
        return image if isinstance(image, KnownImage) else None


def _weight(sample: Sample) -> int:
    """About how many bytes a sample holds; a label that reads its arrays when asked holds none of them."""
    if type(sample.truth) not in KINDS.values():
        return 1500
    columns = (getattr(sample.truth, field.name) for field in fields(sample.truth))  # type: ignore[arg-type]
    rings = (ring for rings in getattr(sample.truth, "outlines", None) or () for ring in rings)
    arrays = (column for column in (*columns, *rings) if isinstance(column, np.ndarray))
    return 1500 + sum(array.nbytes for array in arrays) + 500 * len(getattr(sample.truth, "details", None) or ())
