"""The samples inside shards: found by one walk over headers; what all their labels say is read in one pass and kept."""

from __future__ import annotations

import json
import re
from array import array
from bisect import bisect_right
from collections.abc import Hashable, Iterator, Mapping, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from sightline.core.annotations import Annotation, Labels, Text
from sightline.core.dataset import SIDES, carried
from sightline.core.errors import InputError
from sightline.core.image import LARGEST_FILE, SUFFIXES, Image, StoredImage
from sightline.core.sample import Sample
from sightline.formats import _plain, _tar, _walk

LABELS = ("cls", "json", "txt")
LARGEST_LABEL = 64 * 2**20
_FIELDS = ("id", "split", "group", "names")
_SIDE = re.compile(r"(?:^|[-_.])(train|val|valid|validation|test)(?=[-_.\d]|$)", re.I)


def is_picture(ending: str) -> bool:
    """Whether a member of this ending is a picture."""
    return f".{ending}".lower().endswith(SUFFIXES)


class Shard:
    """One tar file: how many samples it holds, and, once somebody asked, where each begins."""

    def __init__(self, file: Path, count: int | None) -> None:
        self.file, self.told = file, count
        self.starts: array[int] | None = None
        match = _SIDE.search(file.stem)
        self.split = _walk.SPLITS[match.group(1).lower()] if match else None

    def __len__(self) -> int:
        return self.told if self.told is not None else len(self.looked())

    def looked(self) -> array[int]:
        """Where the samples begin."""
        if self.starts is None:
            starts = array("q")
            last = None
            for name, header, _, _ in _tar.members(self.file):
                slash = name.rfind("/") + 1
                dot = name.find(".", slash)
                key = name if dot < 0 else name[:dot]
                if key != last:
                    starts.append(header)
                    last = key
            self._keep(starts)
        assert self.starts is not None
        return self.starts

    def _keep(self, starts: array[int]) -> None:
        if self.told is not None and len(starts) != self.told:
            raise InputError("label", f"{self.file}: {len(starts):,} samples; the index says {self.told:,}.")
        self.starts = starts

    def labels(self) -> Iterator[tuple[str, dict[str, bytes]]]:
        """The key and the label members of every sample, in one pass through the file, opened once."""
        starts, last, found = array("q"), None, dict[str, bytes]()
        with _tar.opened(self.file) as tape:
            for name, header, begins, size in _tar.walk(tape):
                dot = name.find(".", name.rfind("/") + 1)
                key = name if dot < 0 else name[:dot]
                if key != last:
                    if last is not None:
                        yield last, found
                    starts.append(header)
                    last, found = key, {}
                if dot >= 0 and (ending := name[dot + 1 :]) in LABELS:
                    found[ending] = tape.part(begins, size, LARGEST_LABEL)
        if last is not None:
            yield last, found
        self._keep(starts)


class Sharded(Sequence[Sample]):
    """Samples by shard and place."""

    def __init__(self, shards: list[Shard], names: tuple[str, ...] | None) -> None:
        self.shards, self.names = shards, names
        self.ends: list[int] = []
        self.told: _Told | None = None
        for shard in shards:
            self.ends.append((self.ends[-1] if self.ends else 0) + len(shard))

    def __len__(self) -> int:
        return self.ends[-1] if self.ends else 0

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[place] for place in range(len(self))[index]]
        index = range(len(self))[index]
        number = bisect_right(self.ends, index)
        shard = self.shards[number]
        row = index - (self.ends[number - 1] if number else 0)
        return self._sample(shard, shard.looked()[row])

    def column(self, field: str) -> Sequence[Any]:
        """One field of every sample; no shard is opened for splits that the names of the shards tell.

        The first other field reads the labels of every shard, each in one pass; what they say is then remembered.
        """
        if field == "split" and all(shard.split is not None for shard in self.shards):
            return [shard.split for shard in self.shards for _ in range(len(shard))]
        if field not in _FIELDS:
            return [getattr(self[row], field) for row in range(len(self))]
        if self.told is None:
            told = _Told()
            for shard in self.shards:
                self._tell(shard, told)
            self.told = told
        return self.told.column(field)

    def _tell(self, shard: Shard, told: _Told) -> None:
        """Add what the labels of a shard say; of the plainest ones no sample is made."""
        stem, classes = shard.file.stem, dict[bytes | None, tuple[str, ...]]()
        for key, labels in shard.labels():
            plain, word = _words(labels.get("json")), labels.get("cls")
            if plain is None or (word is None and "txt" in labels):
                made = self._made(shard, key, (), labels)
                told.add(made.id, made.split, made.group, carried(made.truth))
                continue
            if word not in classes:
                classes[word] = carried(self._truth(labels, f"{shard.file}:{key}"))
            side = shard.split or plain.get("split")
            told.add(plain.get("id") or f"{stem}/{key}", side, plain.get("group"), classes[word])

    def _sample(self, shard: Shard, start: int) -> Sample:
        key, images, labels = "", dict[str, Image](), dict[str, bytes]()
        with _tar.opened(shard.file) as tape:
            for name, _, begins, size in _tar.walk(tape, start):
                this, ending = _tar.key_of(name)
                if this != (key := key or this):
                    break
                if is_picture(ending):
                    read = partial(_tar.read_part, shard.file, begins, size, LARGEST_FILE)
                    images[ending] = StoredImage(f"{shard.file}:{key}.{ending}", read)
                elif ending in LABELS:
                    labels[ending] = tape.part(begins, size, LARGEST_LABEL)
        return self._made(shard, key, tuple(images.values()), labels)

    def _made(self, shard: Shard, key: str, images: tuple[Image, ...], labels: Mapping[str, bytes]) -> Sample:
        """A sample from its pictures and what its label members hold."""
        where = f"{shard.file}:{key}"
        plain = _plain.load(labels["json"], f"{where}.json") if "json" in labels else {}
        plain = plain if isinstance(plain, dict) else {"json": plain}
        truth = None if "truth" in plain else self._truth(labels, where)
        if shard.split is not None:
            plain["split"] = shard.split
        return _plain.from_plain(plain, images, truth, f"{shard.file.stem}/{key}", where)

    def _truth(self, labels: Mapping[str, bytes], where: str) -> Annotation | None:
        for ending in ("cls", "txt"):
            if ending not in labels:
                continue
            try:
                text = labels[ending].decode("utf-8")
            except UnicodeDecodeError as error:
                raise InputError("label", f"{where}.{ending}: not UTF-8 text.") from error
            if ending == "txt":
                return Text(text)
            word = text.strip()
            if self.names is not None and word.isascii() and word.isdigit():
                if int(word) >= len(self.names):
                    raise InputError("label", f"{where}.cls: class {word} has no name; there are {len(self.names)}.")
                return Labels((self.names[int(word)],))
            return Labels((word,))
        return None


def _words(text: bytes | None) -> dict[str, str | None] | None:
    """What is plainly said besides the label; None where a whole sample has to be made to tell, or to refuse it."""
    if text is None:
        return {}
    try:
        plain = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(plain, dict) or "truth" in plain or plain.get("split") not in (None, *SIDES):
        return None
    said = {field: plain.get(field) for field in ("id", "split", "group")}
    sound = all(value is None or isinstance(value, str) for value in said.values())
    return said if sound and all(isinstance(plain.get(key), dict | None) for key in ("given", "attributes")) else None


class _Told:
    """What labels say, a few bytes a sample: ids as one text, all else as numbers of what occurs."""

    def __init__(self) -> None:
        self.text, self.ends = bytearray(), array("q", [0])
        self.coded = {field: _Coded() for field in ("split", "group", "names")}

    def add(self, identity: str, split: str | None, group: str | None, names: tuple[str, ...]) -> None:
        self.text += identity.encode("utf-8", "surrogatepass")
        self.ends.append(len(self.text))
        for field, value in zip(self.coded.values(), (split, group, names), strict=True):
            field.add(value)

    def column(self, field: str) -> list[Any]:
        if field != "id":
            return self.coded[field].column()
        text = bytes(self.text)
        return [text[begin:end].decode("utf-8", "surrogatepass") for begin, end in pairwise(self.ends)]


class _Coded:
    """A column of values that occur often, each kept once."""

    def __init__(self) -> None:
        self.codes, self.seen = array("i"), dict[Hashable, int]()

    def add(self, value: Hashable) -> None:
        self.codes.append(self.seen.setdefault(value, len(self.seen)))

    def column(self) -> list[Any]:
        values = list(self.seen)
        return [values[code] for code in self.codes]
