"""WebDataset shards: tar files in which the members of one sample follow each other and share their key."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from sightline.core.annotations import Labels, Text
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError
from sightline.core.image import SUFFIXES
from sightline.core.lost import Lost
from sightline.core.sample import Sample
from sightline.core.task import Fit
from sightline.formats import _names, _paths, _plain, _shards, _tar, _walk, _writing
from sightline.formats._sharded import LABELS, LARGEST_LABEL, Shard, Sharded, is_picture

LAYOUT = "train-000000.tar with 0001.jpg 0001.cls 0002.jpg 0002.cls … and perhaps index.json, which counts the samples"
_INDEX = "index.json"


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
        pictures = [ending for ending in endings if is_picture(ending)]
        if _index(path) is not None:
            return Fit(2, f"{_INDEX} and {len(shards):,} tar files")
    except InputError as error:
        return Fit(1, error.message)
    if not pictures and not endings & set(LABELS):
        return Fit(0, f"{shards[0].name} does not begin with a picture")
    if pictures and endings & set(LABELS):
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
    return Dataset(Sharded([Shard(*pair) for pair in zip(shards, counts, strict=True)], words["names"]), **words)


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


def _index(path: Path) -> dict[str, Any] | None:
    """The index of a folder of shards, or None where there is none."""
    file = path / _INDEX
    if not path.is_dir() or not file.is_file():
        return None
    told = _plain.load(_paths.whole(file, LARGEST_LABEL), str(file))
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
