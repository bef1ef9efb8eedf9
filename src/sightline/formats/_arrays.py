"""Arrays of a label: inline where they are small, in a file beside it where they are large, read when asked for."""

from __future__ import annotations

import dataclasses
import io
import math
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from sightline.core.annotations import KINDS, Annotation, check, from_json, parts_from_json, to_json
from sightline.core.errors import InputError, nearest
from sightline.core.image import LARGEST_FILE, encode, read_image

LARGEST = 4096  # numbers that are written into the line itself

Keep = Callable[[bytes, str], str]  # stores bytes under a suffix and answers where
Find = Callable[[str], Path]  # where a stored name lies; refuses names that lead outside


def to_light(truth: Annotation, keep: Keep) -> dict[str, Any]:
    """The record as plain JSON in which a large array is the name of a file."""
    small: dict[str, Any] = {}
    large: dict[str, np.ndarray] = {}
    for field in dataclasses.fields(truth):
        value = getattr(truth, field.name)
        is_large = isinstance(value, np.ndarray) and value.size > LARGEST and value.dtype.kind in "biuf"
        (large if is_large else small)[field.name] = value
    if not large:
        return to_json(truth, largest=LARGEST)
    shell = object.__new__(KINDS[type(truth).__name__.lower()])
    for name in (*small, *large):
        object.__setattr__(shell, name, small.get(name))
    return {**to_json(shell, largest=LARGEST), **{name: _stored(array, keep) for name, array in large.items()}}


def from_light(plain: Mapping[str, Any], find: Find, where: str) -> Annotation:
    """The record of `to_light`; arrays in files are read when somebody looks at them, and not kept."""
    files = {name: value for name, value in plain.items() if isinstance(value, dict) and "file" in value}
    if not files:
        return from_json(plain)
    paths = {name: find(str(value["file"])) for name, value in files.items()}
    kind, parts = parts_from_json({name: value for name, value in plain.items() if name not in files})
    fields = {field.name: field for field in dataclasses.fields(kind)}
    for name in files:
        if name not in fields or "ndarray" not in str(fields[name].type):
            raise InputError("label", f"{plain['kind']} has no array '{name[:40]}'.{nearest(name, fields)}")
    for name, field in fields.items():
        if name not in parts and name not in files:
            if field.default is dataclasses.MISSING:
                raise InputError("label", f"this {plain['kind']} lacks '{name}'.")
            parts[name] = field.default

    def read() -> Annotation:
        try:
            return check(kind(**parts, **{name: _restored(paths[name], files[name]) for name in files}))
        except InputError as error:
            raise InputError(error.code, f"{where}: {error.message}") from error

    return deferred(str(plain["kind"]), parts, read)


def deferred(kind: str, parts: Mapping[str, Any], read: Callable[[], Annotation]) -> Annotation:
    """A record of which these parts are known, and the others are asked of `read` at each look."""
    record: Annotation = object.__new__(_deferred(kind))
    for name, value in {**parts, "_read": read}.items():
        object.__setattr__(record, name, value)
    return record


@cache
def _deferred(word: str) -> Any:
    """The kind itself, but a part that was not set is read from its file at each look: ten thousand labels stay small.

    Python asks `__getattr__` only for slots that are empty; `dataclasses.replace` fills them all.
    """
    kind = KINDS[word]
    parts = {field.name for field in dataclasses.fields(kind)}

    def look(record: Any, name: str) -> Any:
        if name not in parts:
            raise AttributeError(f"{kind.__name__} has no '{name}'")
        return getattr(object.__getattribute__(record, "_read")(), name)

    return type(kind.__name__, (kind,), {"__slots__": ("_read",), "__getattr__": look, "__doc__": kind.__doc__})


def _stored(array: np.ndarray, keep: Keep) -> dict[str, Any]:
    if array.dtype == bool:
        return {"file": keep(_npy(np.packbits(array)), ".npy"), "bits": list(array.shape)}
    if array.dtype == np.uint8 and array.ndim == 3 and array.shape[2] in (1, 3):
        return {"file": keep(encode(array), ".png")}
    return {"file": keep(_npy(array), ".npy")}


def _npy(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=False)
    return stream.getvalue()


def _restored(path: Path, told: Mapping[str, Any]) -> np.ndarray:
    if path.suffix != ".npy":
        return read_image(path)
    try:
        size = path.stat().st_size
        if size > LARGEST_FILE:
            raise InputError("too_large", f"{path}: more than {LARGEST_FILE:,} bytes.")
        array: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)  # mapped: no memory for what is not there
        array = np.array(array)
    except OSError as error:
        raise InputError("missing", f"{path}: {error.strerror or error}.") from error
    except (ValueError, EOFError, TypeError, SyntaxError, OverflowError) as error:
        raise InputError("corrupt", f"{path}: not a readable array file.") from error
    if array.dtype.kind not in "biuf":
        raise InputError("corrupt", f"{path}: an array of {array.dtype}.")
    if "bits" not in told:
        return array
    try:
        shape = tuple(int(length) for length in told["bits"])
        return np.unpackbits(array, count=math.prod(shape)).astype(bool).reshape(shape)
    except (ValueError, TypeError, OverflowError, MemoryError) as error:
        raise InputError("label", f"{path} does not hold {told['bits']} bits.") from error
