"""WebDataset shards: tar files in which the members of one sample follow each other and share their key."""

from __future__ import annotations

import contextlib
import json
import re
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from sightline.core.annotations import Annotation, Labels, Text
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError
from sightline.core.image import LARGEST_FILE, SUFFIXES, Encoded
from sightline.core.lost import Lost
from sightline.core.sample import Sample
from sightline.core.task import Fit
from sightline.formats import _names, _paths, _plain, _shards, _tar, _walk, _writing

LAYOUT = "train-000000.tar with 0001.jpg 0001.cls 0002.jpg 0002.cls … and perhaps index.json, which counts the samples"
_INDEX = "index.json"
_LABELS = ("cls", "json", "txt")
_LARGEST_LABEL = 64 * 2**20
_SIDE = re.compile(r"(?:^|[-_.])(train|val|valid|validation|test)(?=[-_.\d]|$)", re.I)


@dataclass(frozen=True, slots=True)
class PartImage(Encoded):
    """A picture that is a part of a larger file."""

    path: Path
    begins: int
    size: int
    member: str

    @property
    def name(self) -> str:
        return f"{self.path}:{self.member}"

    def encoded(self) -> bytes:
        return _tar.read_part(self.path, self.begins, self.size, LARGEST_FILE)


def sniff(path: Path) -> Fit:
    """Natural where the first shard begins with a picture and its label, or an index counts the shards."""
    shards = _files(path)
    if not shards:
        return Fit(0, "no tar files")
    try:
        first = next(_groups(shards[0]), None)
        if first is None:
            return Fit(0, f"{shards[0].name} holds no files")
        endings = {ending.lower() for ending in first[1]}
        pictures = [ending for ending in endings if _is_picture(ending)]
        if _index(path) is not None:
            return Fit(2, f"{_INDEX} and {len(shards):,} tar files")
    except InputError as error:
        return Fit(1, error.message)
    if not pictures and not endings & set(_LABELS):
        return Fit(0, f"{shards[0].name} does not begin with a picture")
    if pictures and endings & set(_LABELS):
        return Fit(2, f"{len(shards):,} tar files of samples such as {', '.join(sorted(endings))}")
    return Fit(1, f"{shards[0].name} begins with a picture without a label of the same name")


def read(path: Path) -> Dataset:
    """Every sample by its place; with an index a shard is looked at when its first sample is asked for."""
    shards = _files(path)
    if not shards:
        raise InputError("label", f"{path} holds no tar files. Wanted: {LAYOUT}.")
    told = _index(path)
    folder = path if path.is_dir() else path.parent
    names = _names.listed(folder)
    words: dict[str, Any] = {"name": folder.resolve().name, "names": names}
    counts: list[int | None] = [None] * len(shards)
    if told is not None:
        where = f"{path / _INDEX}"
        words |= _plain.whole_of(told, where)
        listed = _listed(told, path, where)
        shards, counts = [file for file, _ in listed], [count for _, count in listed]
    return Dataset(_Samples([_Shard(*pair) for pair in zip(shards, counts, strict=True)], words["names"]), **words)


def write(data: Dataset, path: Path, *, lost: Lost | None = None) -> Path:
    """Shards by split, `classes.txt` where one-line names allow it, and `index.json`."""
    lost = _writing.strict(lost, "webdataset")
    taken: set[str] = set()
    with _writing.appearing(path) as folder:
        with contextlib.closing(_shards.Shards(folder)) as shards:
            for sample in data:
                plain = _plain.to_plain(sample, lost)
                members = _members(sample, plain, data)
                key = _key(sample, taken)
                shards.add(plain.get("split"), [(f"{key}.{ending}", content) for ending, content in members])
            listed = shards.finish()
        _writing.refuse_nothing(shards.count, data, lost)
        index = {
            "__kind__": "wids-shard-index-v1",
            "wids_version": 1,
            **_plain.whole(data),
            "shardlist": listed,
        }
        if data.details and "details" not in index:
            lost.drop(data.name, "details that are not plain JSON")
        _writing.store(folder / _INDEX, (json.dumps(index, indent=1) + "\n").encode())
        if data.kind is Labels and _names.are_listable(data.names):
            _names.write(folder, data.names)
    return path


def _members(sample: Sample, plain: dict[str, Any], data: Dataset) -> Iterator[tuple[str, bytes]]:
    """Ending and bytes of each member of a sample."""
    several = len(sample.images) > 1
    for number, image in enumerate(sample.images):
        encoded = image.encoded()
        suffix = _writing.suffix_of(encoded, image)[1:]
        yield (f"{number}.{suffix}" if several else suffix), encoded
    truth = sample.truth
    if isinstance(truth, Labels) and len(truth.names) == 1 and truth.scores is None and truth.names[0] in data.names:
        del plain["truth"]
        yield "cls", str(data.names.index(truth.names[0])).encode()
    elif isinstance(truth, Text) and truth.confidence is None:
        del plain["truth"]
        yield "txt", truth.text.encode("utf-8", "surrogatepass")
    yield "json", json.dumps(plain, allow_nan=False).encode()


def _key(sample: Sample, taken: set[str]) -> str:
    name = _writing.place_of(sample, ".tmp", taken)[: -len(".tmp")]
    plain = PurePosixPath(sample.id).suffix.lower()
    stem = name[: -len(plain)] if plain in SUFFIXES and name.lower().endswith(plain) else name
    key = stem.replace(".", "_")
    count = 1
    while (free := key if count == 1 else f"{key}-{count}") in taken:
        count += 1
    taken.add(free)
    return free


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return [path / name for name in _walk.look(path).others if name.lower().endswith(".tar")]
    return [path] if path.suffix.lower() == ".tar" and path.is_file() else []


def _is_picture(ending: str) -> bool:
    return f".{ending}".lower().endswith(SUFFIXES)


def _index(path: Path) -> dict[str, Any] | None:
    """The index of a folder of shards, or None where there is none."""
    file = path / _INDEX
    if not path.is_dir() or not file.is_file():
        return None
    told = _plain.load(_paths.whole(file, _LARGEST_LABEL), str(file))
    return told if isinstance(told, dict) and isinstance(told.get("shardlist"), list) else None


def _listed(told: dict[str, Any], path: Path, where: str) -> list[tuple[Path, int]]:
    found = []
    for one in told["shardlist"]:
        count = one.get("nsamples") if isinstance(one, dict) else None
        if not isinstance(count, int) or isinstance(count, bool) or count < 0:
            raise InputError("label", f"{where}: every shard needs a 'url' and a whole number of 'nsamples'.")
        file = _paths.inside(path, one.get("url"), where)
        if not file.is_file():
            raise InputError("missing", f"{file}: the index names it and it is not there.")
        found.append((file, count))
    return found


def _groups(file: Path, begin: int = 0) -> Iterator[tuple[int, dict[str, tuple[int, int]]]]:
    """Where each sample begins, and its members: ending -> begin and size."""
    key, start = None, 0
    inside: dict[str, tuple[int, int]] = {}
    for name, header, begins, size in _tar.members(file, begin):
        this, ending = _tar.key_of(name)
        if this != key:
            if inside:
                yield start, inside
            key, start, inside = this, header, {}
        inside[ending] = (begins, size)
    if inside:
        yield start, inside


class _Shard:
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
            if self.told is not None and len(starts) != self.told:
                raise InputError("label", f"{self.file}: {len(starts):,} samples; the index says {self.told:,}.")
            self.starts = starts
        return self.starts


class _Samples(Sequence[Sample]):
    """Samples by shard and place."""

    def __init__(self, shards: list[_Shard], names: tuple[str, ...] | None) -> None:
        self.shards, self.names = shards, names
        self.ends: list[int] = []
        for shard in shards:
            self.ends.append((self.ends[-1] if self.ends else 0) + len(shard))

    def __len__(self) -> int:
        return self.ends[-1] if self.ends else 0

    def __getitem__(self, index: Any) -> Any:
        from bisect import bisect_right

        if isinstance(index, slice):
            return [self[place] for place in range(len(self))[index]]
        index = range(len(self))[index]
        number = bisect_right(self.ends, index)
        shard = self.shards[number]
        row = index - (self.ends[number - 1] if number else 0)
        return self._sample(shard, row, shard.looked()[row])

    def _sample(self, shard: _Shard, row: int, start: int) -> Sample:
        members: dict[str, tuple[int, int]] = {}
        key = ""
        for name, _, begins, size in _tar.members(shard.file, start, ahead=4096):
            this, ending = _tar.key_of(name)
            if members and this != key:
                break
            key = this
            members[ending] = (begins, size)
        where = f"{shard.file}:{key}"

        def content(ending: str) -> bytes:
            return _tar.read_part(shard.file, *members[ending], _LARGEST_LABEL)

        images = tuple(
            PartImage(shard.file, *members[ending], f"{key}.{ending}") for ending in members if _is_picture(ending)
        )
        plain = _plain.load(content("json"), f"{where}.json") if "json" in members else {}
        plain = plain if isinstance(plain, dict) else {"json": plain}
        truth = None if "truth" in plain else self._truth(members, content, where)
        if shard.split is not None:
            plain.setdefault("split", shard.split)
        return _plain.from_plain(plain, images, truth, f"{shard.file.stem}/{key}", where)

    def _truth(
        self, members: dict[str, tuple[int, int]], content: Callable[[str], bytes], where: str
    ) -> Annotation | None:
        for ending in ("cls", "txt"):
            if ending not in members:
                continue
            try:
                text = content(ending).decode("utf-8")
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
