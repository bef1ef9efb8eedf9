"""Settings as text become values of the types that a step's signature says; what does not fit is one line."""

from __future__ import annotations

import inspect
import tomllib
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sightline.core.annotations import Annotation
from sightline.core.errors import SettingsError, nearest
from sightline.core.files import digest, digest_file
from sightline.core.image import SUFFIXES, read_image

_WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text", Path: "a path"}


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of a step: its type, and what it is where nobody says anything."""

    name: str
    kind: Any
    default: Any

    @property
    def record(self) -> type[Annotation] | None:
        """The record that the chain hands over, of what was found before; None where a person says the value."""
        for kind in (self.kind, *typing.get_args(self.kind)):
            if isinstance(kind, type) and issubclass(kind, Annotation):
                return kind
        return None


class _Unfit(Exception):
    """What was wanted instead."""


def settings_of(function: Callable[..., Any]) -> dict[str, Setting]:
    """What a step takes besides the picture."""
    hints = _hints(function)
    _, *parameters = inspect.signature(function).parameters.values()
    return {
        one.name: Setting(one.name, hints.get(one.name, type(one.default)), one.default)
        for one in parameters
        if one.kind in (one.KEYWORD_ONLY, one.POSITIONAL_OR_KEYWORD)
    }


def answer_of(function: Callable[..., Any]) -> Any:
    """The type that a step says it answers with."""
    return _hints(function).get("return")


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    told = function if inspect.isroutine(function) else type(function).__call__
    try:
        return typing.get_type_hints(told)
    except NameError:  # types that are imported for checking only
        return {}


def settle(step: str, known: Mapping[str, Setting], given: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a step, each of its type."""
    said = {name: setting for name, setting in known.items() if setting.record is None}
    for name in given:
        if name not in said:
            listed = ", ".join(said) or "none"
            raise SettingsError(f"{step}: no setting is called '{name}'.{nearest(name, said)} Known: {listed}.")
    for name, setting in said.items():
        if setting.default is inspect.Parameter.empty and name not in given:
            example = getattr(setting.kind, "EXAMPLE", f"{name}={_wanted(setting.kind)}")
            raise SettingsError(f"{step}: {name} must be given, such as {step} {example}")
    made = {}
    for name, value in given.items():
        try:
            made[name] = _read(value, said[name].kind)
        except _Unfit as error:
            raise SettingsError(f"{step}: {name} = {str(value)[:80]!r}: must be {error}.") from error
    return made


def _read(value: Any, kind: Any) -> Any:
    """The value as this type, or `_Unfit`."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return _either(value, kind, inner)
    if origin is typing.Literal:
        return _chosen(value, inner)
    if origin in (tuple, list) or origin is Sequence or kind in (tuple, list):
        return _row(value, inner, list if list in (origin, kind) else tuple)
    if kind in (bool, int, float):
        return _number(value, kind)
    if kind is np.ndarray:
        return _array(value)
    if kind is Path and isinstance(value, str | Path):
        return Path(value)
    if kind is str and isinstance(value, str):
        return value
    if isinstance(kind, type) and isinstance(value, kind):
        return value
    if hasattr(kind, "parse"):
        return kind.parse(value)
    if kind in (Any, type(None)) or not isinstance(kind, type):
        return _anything(value)
    raise _Unfit(_wanted(kind))


def _either(value: Any, kind: Any, inner: tuple[Any, ...]) -> Any:
    if type(None) in inner and (value is None or value == "none"):
        return None
    for one in sorted((one for one in inner if one is not type(None)), key=lambda one: one is str):
        try:
            return _read(value, one)
        except _Unfit:
            continue
    raise _Unfit(_wanted(kind))


def _chosen(value: Any, choices: tuple[Any, ...]) -> Any:
    for choice in choices:
        if choice == value or (isinstance(value, str) and str(choice) == value):
            return choice
    near = nearest(str(value), map(str, choices)).rstrip("?")
    raise _Unfit(f"one of {', '.join(map(str, choices))}.{near}?" if near else f"one of {', '.join(map(str, choices))}")


def _number(value: Any, kind: Any) -> Any:
    if kind is bool:
        if isinstance(value, bool) or value in ("true", "false"):
            return value in (True, "true")
        raise _Unfit(_WORDS[bool])
    try:
        if not isinstance(value, bool):
            return kind(value) if isinstance(value, str) or kind is float else value.__index__()
    except (TypeError, ValueError, AttributeError):
        pass
    raise _Unfit(_WORDS[kind])


def _row(value: Any, inner: tuple[Any, ...], made: type) -> Any:
    """Several values: (64,64), 64,64 or a list."""
    items = value
    if isinstance(value, str):
        items = _parted(value)
    if not isinstance(items, list | tuple | np.ndarray):
        raise _Unfit("several values with commas between, such as 64,64")
    if not inner or (len(inner) == 2 and inner[1] is ...) or made is list:
        kinds = [inner[0] if inner else Any] * len(items)
    elif len(inner) == 1 != len(items):
        kinds = [inner[0]] * len(items)
    else:
        kinds = list(inner)
    if len(kinds) != len(items):
        raise _Unfit(f"{len(kinds)} values with commas between, not {len(items)}")
    return made(_read(item, kind) for item, kind in zip(items, kinds, strict=True))


def _parted(text: str) -> list[str]:
    """What commas part, but for those in brackets; brackets around all of it are taken off."""
    text, depth, ends = text.strip(), 0, []
    for place, letter in enumerate(text):
        depth += (letter in "([") - (letter in ")]")
        if letter == "," and depth == 0:
            ends.append(place)
        elif depth == 0 and letter in ")]" and place == len(text) - 1 and not ends and text[0] in "([":
            return _parted(text[1:-1])
    parts = [text[begin + 1 : end].strip() for begin, end in zip([-1, *ends], [*ends, len(text)], strict=True)]
    return [part for part in parts if part]


def _array(value: Any) -> np.ndarray:
    """Numbers with commas between, or the path of a picture."""
    if isinstance(value, str):
        try:
            return np.array([float(part) for part in value.strip("()[] ").split(",")], np.float32)
        except ValueError:
            return read_image(Path(value))
    if isinstance(value, Path):
        return read_image(value)
    if isinstance(value, np.ndarray | list | tuple):
        return np.asarray(value)
    raise _Unfit("the path of a picture, or numbers with commas between")


def _anything(value: Any) -> Any:
    """Text that names a picture is the picture, text that reads as TOML what it says there, other text itself."""
    if not isinstance(value, str):
        return value
    if value.lower().endswith(SUFFIXES) and Path(value).is_file():
        return read_image(Path(value))
    try:
        return tomllib.loads(f"x = {value}")["x"]
    except tomllib.TOMLDecodeError:
        return value


def _wanted(kind: Any) -> str:
    inner = [one for one in typing.get_args(kind) if one is not type(None)]
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return " or ".join(map(_wanted, inner))
    return _WORDS.get(kind, getattr(kind, "__name__", str(kind)).lower())


def plain(value: Any) -> Any:
    """A value as JSON that differs wherever the step would: pictures and files by what they hold."""
    if isinstance(value, np.ndarray):
        seal = digest(np.ascontiguousarray(value).tobytes())
        return {"dtype": value.dtype.str, "shape": list(value.shape), "sha256": seal}
    if isinstance(value, Path):
        return {"path": str(value), "sha256": digest_file(value) if value.is_file() else None}
    if isinstance(value, Mapping):
        return {str(name): plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if hasattr(value, "plain"):
        return value.plain()
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
