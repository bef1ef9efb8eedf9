"""From a request to the pictures that it asks about: uploads, raw bytes, base64, numbers, addresses."""

from __future__ import annotations

import base64
import binascii
import json
import math
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

import numpy as np

from sightline.core.errors import ServingError
from sightline.server.bodies import Body
from sightline.server.multipart import Reader, boundary_of

Fetch = Callable[[str], Awaitable[bytes]]
OPTIONS = ("which", "level", "least", "deadline", "top", "seed")
DTYPES = {
    "BOOL": "bool", "UINT8": "uint8", "UINT16": "uint16", "UINT32": "uint32", "UINT64": "uint64", "INT8": "int8",
    "INT16": "int16", "INT32": "int32", "INT64": "int64", "FP16": "float16", "FP32": "float32", "FP64": "float64",
}  # fmt: skip
_PIXELS = ("UINT8", "UINT16", "FP32")
_VALUES = 200_000_000  # of a tensor


@dataclass(frozen=True, slots=True)
class Options:
    """How a request wants its answers."""

    which: int | str | None = None
    level: float | None = None
    least: float | None = None
    deadline: float | None = None  # seconds from now
    top: int = 0  # names that are answered, best first; all where it is 0
    seed: int = 0
    given: Mapping[str, Any] = field(default_factory=dict)

    def until(self, most: float) -> float:
        """The deadline on the clock of time.monotonic."""
        return time.monotonic() + min(most, math.inf if self.deadline is None else self.deadline)


@dataclass(frozen=True, slots=True)
class Question:
    """All that a request asks."""

    pictures: list[bytes | np.ndarray]
    options: Options
    several: bool  # whether the answer is a list


def _number(name: str, text: str, low: float, high: float) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not low <= value <= high:
        raise ServingError("schema", f"{name} must be a number from {low:g} to {high:g}.")
    return value


def _whole(name: str, text: str, most: int) -> int:
    if not text.isascii() or not text.isdigit() or int(text[:20]) > most:
        raise ServingError("schema", f"{name} must be a whole number from 0 to {most}.")
    return int(text)


def which_of(text: str) -> int | str:
    """A version's number, or an alias."""
    if not text or len(text) > 64 or not text.isprintable():
        raise ServingError("schema", "which must be a version's number or an alias.")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else text


def options_of(words: Mapping[str, str], old: Options | None = None) -> Options:
    """Options from a query, headers or the fields of a form."""
    found: dict[str, Any] = {}
    for name, text in words.items():
        if name in ("level", "least"):
            found[name] = _number(name, text, 0, 1)
        elif name == "deadline":
            found[name] = _number(name, text, 0.05, 3600)
        elif name in ("top", "seed"):
            found[name] = _whole(name, text, 2**31 - 1)
        elif name == "which":
            found[name] = which_of(text)
        elif name == "given":
            found[name] = _object(_json(text.encode(), "given"), "given")
        else:
            raise ServingError("schema", f"There is no option '{name[:40]}'. Options: {', '.join(OPTIONS)}, given.")
    return replace(old or Options(), **found) if found else old or Options()


@lru_cache(256)
def options_asked(query: bytes, headers: tuple[tuple[str, str], ...]) -> Options:
    """The options of a query, which goes before headers; most callers say the same ones again and again."""
    return options_of(query_of(query), options_of(dict(headers)))


def query_of(query: bytes) -> dict[str, str]:
    """The words of a query; one that is said twice is refused, since nobody knows which was meant."""
    if not query:
        return {}
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=16)
    except ValueError as error:
        raise ServingError("schema", "The query of this address cannot be read.") from error
    if len({name for name, _ in pairs}) != len(pairs):
        raise ServingError("schema", "The query says one option twice.")
    return dict(pairs)


def _json(data: bytes, what: str) -> Any:
    def unknown(_: str) -> Any:
        raise ValueError("a number that is none")

    try:
        return json.loads(data, parse_constant=unknown)
    except (ValueError, RecursionError) as error:
        raise ServingError("schema", f"{what} is not JSON.") from error


def _object(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ServingError("schema", f"{what} must be a JSON object.")
    return value


def parsed(data: bytes) -> dict[str, Any]:
    """The JSON object that a body is."""
    return _object(_json(data, "The body"), "The body")


async def question(body: Body, kind: str, options: Options, most: int, fetch: Fetch | None) -> Question:
    """Read a body of this content type."""
    plain = kind.partition(";")[0].strip().lower()
    if plain == "multipart/form-data":
        return await _form(body, kind, options, most)
    if plain == "application/json":
        return await _document(parsed(await body.whole()), options, most, fetch)
    if plain.startswith("image/") or plain == "application/octet-stream":
        return Question([await body.whole()], options, several=False)
    raise ServingError(
        "media", f"'{plain[:60]}' is not taken. Send a form with files, a picture as it is, or JSON."
        if plain else "Say with Content-Type what the body is: a form with files, a picture, or JSON.",
    )  # fmt: skip


async def _form(body: Body, kind: str, options: Options, most: int) -> Question:
    reader = Reader(boundary_of(kind), most)
    async for piece in body.pieces():
        reader.feed(piece)
    pictures: list[bytes | np.ndarray] = []
    words: dict[str, str] = {}
    for part in reader.close():
        if part.file:
            pictures.append(part.data)
        elif part.name in words:
            raise ServingError("schema", f"The form says '{part.name[:40]}' twice.")
        else:
            words[part.name] = part.data[:4096].decode("utf-8", "replace")
    if not pictures:
        raise ServingError("schema", "The form holds no file: curl sends one with -F picture=@photo.jpg")
    return Question(pictures, options_of(words, options), several=len(pictures) > 1)


async def _document(plain: dict[str, Any], options: Options, most: int, fetch: Fetch | None) -> Question:
    """JSON with one `picture` or several `pictures`, and options beside them."""
    words = {}
    for name, value in plain.items():
        if name in ("picture", "pictures") or value is None:
            continue
        if name == "given":
            options = replace(options, given=_object(value, "given"))
        elif name in OPTIONS and isinstance(value, str if name == "which" else (int, float)):
            if isinstance(value, bool):
                raise ServingError("schema", f"'{name}' must be a number.")
            words[name] = str(value)
        elif name == "which" and type(value) is int:
            words[name] = str(value)
        else:
            known = ", ".join(("picture", "pictures", *OPTIONS, "given"))
            raise ServingError("schema", f"'{name[:40]}' is unknown or of the wrong type. Known: {known}.")
    options = options_of(words, options)
    if ("picture" in plain) == ("pictures" in plain):
        raise ServingError("schema", "The body must hold either 'picture' or 'pictures'.")
    rows = plain["pictures"] if "pictures" in plain else [plain["picture"]]
    if not isinstance(rows, list) or not rows:
        raise ServingError("schema", "'pictures' must be a list of one or more.")
    if len(rows) > most:
        raise ServingError("body", f"More than {most} pictures in one request.")
    pictures = [await _picture(row, fetch) for row in rows]
    return Question(pictures, options, several="pictures" in plain)


async def _picture(row: Any, fetch: Fetch | None) -> bytes | np.ndarray:
    """Base64 of a file's bytes; or an object with `data`, `tensor` or `url`."""
    if isinstance(row, str):
        return decoded(row)
    if isinstance(row, dict) and len(row) == 1:
        [(name, value)] = row.items()
        if name == "data" and isinstance(value, str):
            return decoded(value)
        if name == "tensor":
            said = _object(value, "tensor")
            if set(said) != {"shape", "datatype", "data"}:
                raise ServingError("schema", "A tensor has 'shape', 'datatype' and 'data', and nothing else.")
            if said["datatype"] not in _PIXELS:
                raise ServingError("schema", f"The 'datatype' of pixels is one of {', '.join(_PIXELS)}.")
            return pixels(tensor(said["datatype"], said["shape"], said["data"]))
        if name == "url" and isinstance(value, str):
            if fetch is None:
                raise ServingError("schema", "This service fetches nothing: send the picture itself.")
            return await fetch(value)
    raise ServingError("schema", "A picture is base64 text, or an object with one of 'data', 'tensor' or 'url'.")


def decoded(text: str) -> bytes:
    """The bytes that base64 stands for."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        data = text.startswith("data:")
        hint = "Leave out what stands before its comma." if data else "It is one line of A-Z, a-z, 0-9, + and /."
        raise ServingError("schema", f"A picture is not base64. {hint}") from error


def pixels(made: np.ndarray) -> np.ndarray:
    """Numbers that may be a picture: rows, columns and perhaps channels; a volume has its depth first."""
    if not 2 <= made.ndim <= 4:
        raise ServingError("schema", "The 'shape' of a picture has two to four numbers: rows, columns, channels.")
    return made


def tensor(datatype: Any, shape: Any, data: Any) -> np.ndarray:
    """Numbers of a shape, flat or nested, each of which the type holds exactly or nearly (of floats)."""
    if not isinstance(datatype, str) or datatype not in DTYPES:
        raise ServingError("schema", f"'datatype' is one of {', '.join(DTYPES)}.")
    sizes = isinstance(shape, list) and 0 < len(shape) <= 8 and all(type(size) is int and size > 0 for size in shape)
    if not sizes or math.prod(shape) > _VALUES:
        raise ServingError("schema", "'shape' must be a list of one to eight whole numbers above 0, and not vast.")
    if not isinstance(data, list):
        raise ServingError("schema", "'data' must be a list of numbers.")
    dtype = np.dtype(DTYPES[datatype])
    try:
        found = np.asarray(data)
    except (ValueError, OverflowError) as error:
        raise ServingError("schema", "'data' is ragged, or holds numbers that are too large.") from error
    if found.dtype.kind not in "biuf" or found.size != math.prod(shape):
        raise ServingError("schema", f"'data' must hold {math.prod(shape):,} numbers, as 'shape' says.")
    if found.dtype.kind == "b" and dtype.kind != "b":
        raise ServingError("schema", "'data' must hold numbers, not true and false.")
    with np.errstate(over="ignore", invalid="ignore"):
        made = found.astype(dtype)
    exact = dtype.kind == "f" and bool(np.isfinite(made).all())
    if not exact and not np.array_equal(made, found):
        raise ServingError("schema", f"'data' holds numbers that {datatype} cannot.")
    return made.reshape(shape)
