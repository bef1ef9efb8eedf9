"""One JSON line a sample, with pictures and large arrays in files beside it: holds everything a sample can hold."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sightline.core.annotations import KINDS, Annotation
from sightline.core.dataset import SIDES, Dataset
from sightline.core.errors import InputError, nearest
from sightline.core.image import FileImage
from sightline.core.lost import Lost
from sightline.core.sample import Sample
from sightline.core.task import Fit
from sightline.formats import _arrays, _writing
from sightline.formats._lines import Index, parsed
from sightline.formats._paths import inside

_EXAMPLE = '{"id": "1", "images": ["1.jpg"], "truth": {"kind": "labels", "names": ["good"]}}'
LAYOUT = f"photos/samples.jsonl with lines like {_EXAMPLE}"
VERSION = 1
_NAME = "samples.jsonl"
_KEYS = ("id", "images", "truth", "given", "group", "split", "attributes")
_HEADER = ("sightline", "version", "name", "names", "kind", "details")
_LONGEST = 64 * 2**20  # bytes of one line


def sniff(path: Path) -> Fit:
    """Natural where a file says by its name, or by its first line, that it holds samples."""
    file = path / _NAME if path.is_dir() else path
    if not file.is_file() or file.suffix != ".jsonl":
        return Fit(0, f"no {_NAME}")
    try:
        with file.open("rb") as opened:
            first = json.loads(opened.readline(_LONGEST))
    except (OSError, ValueError, RecursionError):
        return Fit(1, f"{file.name} does not begin with JSON") if path.is_dir() else Fit(0, "does not begin with JSON")
    ours = isinstance(first, dict) and _is_ours(first, is_called_so=path.is_dir())
    return Fit(2, f"{file.name} holds samples") if ours else Fit(1, f"{file.name} begins with JSON that is no sample")


def _is_ours(first: dict[str, Any], *, is_called_so: bool) -> bool:
    """Whether a line is a sample, perhaps with a slip in it; in a file of another name, one that only samples have."""
    alike = is_called_so or "images" in first or "truth" in first or set(first) <= set(_KEYS)
    return first.get("sightline") == "samples" or ("id" in first and alike)


def read(path: Path) -> Dataset:
    """The samples of a folder or of a file; every line is looked at once, and read again when it is asked for."""
    file = path / _NAME if path.is_dir() else path
    changed = file.stat().st_mtime_ns if file.is_file() else 0
    header, index = _index(file)
    kind = KINDS[header["kind"]] if header.get("kind") else None
    names = header.get("names")
    samples = _Lines(file, index, changed)
    if kind is None and "kind" not in header and len(samples):
        truth = samples[0].truth
        kind = None if truth is None else KINDS[type(truth).__name__.lower()]
    name = header.get("name") or file.resolve().parent.name
    told = header.get("details")
    return Dataset(samples, name=name, names=None if names is None else tuple(names), kind=kind, details=told)


def write(data: Dataset, path: Path, *, lost: Lost | None = None) -> Path:
    """Everything: pictures as the bytes they came with, labels, groups, splits, what was given, attributes."""
    del lost  # nothing is
    seen: set[str] = set()
    taken: set[str] = set()
    kind = data.kind
    header = {
        "sightline": "samples",
        "version": VERSION,
        "name": data.name,
        "names": list(data.names),
        "kind": None if kind is None else kind.__name__.lower(),
        **({"details": dict(data.details)} if data.details else {}),
    }
    with _writing.appearing(path) as folder:
        lines = [_text(header, ("details",), data.name)]
        for number, sample in enumerate(data):
            if sample.id in seen:
                raise InputError("label", f"two samples have the id '{sample.id}'; ids must differ.")
            seen.add(sample.id)
            lines.append(_line(sample, number, folder, taken))
        _writing.store(folder / _NAME, ("\n".join(lines) + "\n").encode())
    return path


def _line(sample: Sample, number: int, folder: Path, taken: set[str]) -> str:
    images = []
    for image in sample.images:
        encoded = image.encoded()
        images.append(_writing.place_of(sample, _writing.suffix_of(encoded, image), taken, "files"))
        _writing.store(folder / images[-1], encoded)

    def keep(data: bytes, suffix: str) -> str:
        name = f"files/.truth/{number}-{len(kept)}{suffix}"
        kept.append(name)
        _writing.store(folder / name, data)
        return name

    kept: list[str] = []
    plain: dict[str, Any] = {"id": sample.id, "images": images}
    if sample.truth is not None:
        plain["truth"] = _arrays.to_light(sample.truth, keep)
    for key in ("given", "group", "split", "attributes"):
        value = getattr(sample, key)
        if value not in (None, {}):
            plain[key] = dict(value) if isinstance(value, Mapping) else value
    return _text(plain, ("given", "attributes"), sample.id)


def _text(plain: dict[str, Any], free: tuple[str, ...], name: str) -> str:
    """One line that reads back as the same values."""
    try:
        line = json.dumps(plain, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError("label", f"{name}: what it carries is not plain JSON: {error}.") from error
    for key in free:
        if key in plain and json.loads(line)[key] != _listed(plain[key]):
            raise InputError("label", f"{name}: its '{key}' is not plain JSON (keys must be strings).")
    return line


def _listed(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _listed(item) for key, item in value.items()}
    return [_listed(item) for item in value] if isinstance(value, list | tuple) else value


class _Lines(Sequence[Sample]):
    """Samples by the place of their line in the file; what a split asks of all of them is known since it was opened."""

    def __init__(self, file: Path, index: Index, changed: int) -> None:
        self.file, self.lines, self.changed = file, index, changed

    def __len__(self) -> int:
        return len(self.lines)

    def column(self, field: str) -> Sequence[Any]:
        """One field of every sample; its line is not read again."""
        known = self.lines.column(field)
        return [getattr(sample, field) for sample in self] if known is None else known

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[place] for place in range(len(self))[index]]
        number, start, length = self.lines.place(range(len(self))[index])
        where = f"{self.file} line {number}"
        try:
            with self.file.open("rb", buffering=0) as opened:
                changed = os.fstat(opened.fileno()).st_mtime_ns != self.changed
                opened.seek(start)
                line = b"" if changed else opened.read(length)
        except OSError as error:
            raise InputError("missing", f"{self.file}: {error.strerror or error}.") from error
        if len(line) < length:
            raise InputError("corrupt", f"{self.file} changed after it was opened; open it again.")
        return _sample(_object(line, where), self.file.parent, where)


def _index(file: Path) -> tuple[dict[str, Any], Index]:
    """The header, and where each sample lies; every line is JSON and every id is new."""
    header: dict[str, Any] = {}
    index, seen = Index(), set[str]()
    for places, plains in parsed(file, _LONGEST, _object):
        if not header and not len(index) and "sightline" in plains[0]:
            header = _header(plains.pop(0), f"{file} line {places.pop(0)[0]}")
        if not plains:
            continue
        for place, plain in zip(places, plains, strict=True):
            identity: Any = plain.get("id")
            if type(identity) is not str or not identity:
                _identity(plain, f"{file} line {place[0]}")
            if identity in seen:
                first = _line_of(identity, index, places, plains)
                raise InputError("label", f"{file} line {place[0]}: the id '{identity}' was used in line {first}.")
            seen.add(identity)
        index.extend(places, plains)
    return header, index


def _line_of(identity: str, index: Index, places: list[tuple[int, int, int]], plains: list[dict[str, Any]]) -> int:
    """The line in which an id was met first."""
    if identity in index.ids:
        return index.place(index.ids.index(identity))[0]
    return next(place[0] for place, plain in zip(places, plains, strict=True) if plain["id"] == identity)


def _object(line: bytes, where: str) -> dict[str, Any]:
    if len(line) >= _LONGEST:
        raise InputError("too_large", f"{where}: longer than {_LONGEST:,} bytes.")
    try:
        plain = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError("label", f"{where}: not JSON ({error}).") from error
    if not isinstance(plain, dict):
        raise InputError("label", f"{where}: a sample is an object in braces, not {type(plain).__name__}.")
    return plain


def _header(plain: dict[str, Any], where: str) -> dict[str, Any]:
    if plain["sightline"] != "samples" or plain.get("version") != VERSION:
        raise InputError("label", f"{where}: version {plain.get('version')!r}; this release reads {VERSION}.")
    for key in plain:
        if key not in _HEADER:
            raise InputError("label", f"{where}: a header has no '{key[:40]}'.{nearest(key, _HEADER)}")
    names = plain.get("names")
    if names is not None and not (isinstance(names, list) and all(isinstance(name, str) for name in names)):
        raise InputError("label", f"{where}: 'names' must be a list of strings.")
    if plain.get("kind") is not None and str(plain["kind"]) not in KINDS:
        raise InputError("label", f"{where}: '{str(plain['kind'])[:40]}' is no kind; known are {', '.join(KINDS)}.")
    if not isinstance(plain.get("details", {}), dict):
        raise InputError("label", f"{where}: 'details' must be an object in braces.")
    if not isinstance(plain.get("name", ""), str):
        raise InputError("label", f"{where}: 'name' must be a string.")
    return plain


def _identity(plain: dict[str, Any], where: str) -> str:
    identity = plain.get("id")
    if not isinstance(identity, str) or not identity:
        raise InputError("label", f"{where}: a sample needs an 'id', a string that is not empty.")
    return identity


def _sample(plain: dict[str, Any], folder: Path, where: str) -> Sample:
    for key in plain:
        if key not in _KEYS:
            raise InputError("label", f"{where}: a sample has no '{key[:40]}'.{nearest(key, _KEYS)}")
    images = plain.get("images", [])
    if not isinstance(images, list):
        raise InputError("label", f"{where}: 'images' must be a list of paths.")
    for key, kind in (("given", dict), ("attributes", dict), ("group", str), ("split", str)):
        if plain.get(key) is not None and not isinstance(plain[key], kind):
            raise InputError("label", f"{where}: '{key}' must be {'an object' if kind is dict else 'a string'}.")
    if plain.get("split") not in (None, *SIDES):
        raise InputError("label", f"{where}: split '{plain['split'][:40]}' is none of {', '.join(SIDES)}.")

    def find(name: Any) -> Path:
        return inside(folder, name, where)

    return Sample(
        _identity(plain, where),
        tuple(FileImage(find(name)) for name in images),
        _truth(plain.get("truth"), find, where),
        plain.get("given") or {},
        plain.get("group"),
        plain.get("split"),
        plain.get("attributes") or {},
    )


def _truth(plain: Any, find: _arrays.Find, where: str) -> Annotation | None:
    if plain is None:
        return None
    if not isinstance(plain, dict):
        raise InputError("label", f"{where}: 'truth' must be an object with a 'kind'.")
    try:
        return _arrays.from_light(plain, find, where)
    except InputError as error:
        text = error.message if error.message.startswith(where) else f"{where}: {error.message}"
        raise InputError(error.code, text) from error
