"""Settings: frozen dataclasses, filled from Python, TOML or `name=value` words by one function."""

from __future__ import annotations

import dataclasses
import json
import math
import re
import shlex
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from sightline.core.errors import SettingsError, nearest

Kind = TypeVar("Kind")

_NOT_WORDS = ("true", "false", "inf", "nan")  # which TOML does not read as text


def fill(kind: type[Kind], given: Mapping[str, Any], *, where: str = "") -> Kind:
    """An instance of a settings dataclass; an unknown or ill-typed value is one line that names it."""
    from pydantic import ConfigDict, TypeAdapter, ValidationError

    fields = {field.name for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    prefix = f"{where}." if where else ""
    for name in given:
        if name not in fields:
            known = ", ".join(sorted(fields)) or "none"
            raise SettingsError(f"no setting is called '{prefix}{name}'.{nearest(name, fields)} Known: {known}.")
    kind.__pydantic_config__ = ConfigDict(arbitrary_types_allowed=True)  # type: ignore[attr-defined]
    try:
        return TypeAdapter(kind).validate_python(dict(given))
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"]))
        raise SettingsError(f"{prefix}{name} = {first['input']!r}: {first['msg']}.") from error


def from_words(words: Iterable[str]) -> dict[str, Any]:
    """`a.b=1` words as nested settings; values are read as TOML, and as text where they are none."""
    nested: dict[str, Any] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals or not name:
            raise SettingsError(f"'{word}' is not a setting; write name=value, for example train.epochs=20.")
        try:
            value = tomllib.loads(f"x = {text}")["x"]
        except tomllib.TOMLDecodeError:
            value = text
        here = nested
        *path, last = name.split(".")
        for part in path:
            here = here.setdefault(part, {})
            if not isinstance(here, dict):
                raise SettingsError(f"'{name}': '{part}' already has a value of its own.")
        here[last] = value
    return nested


def to_word(name: str, value: Any) -> str:
    """The word that `from_words` reads as this setting; quoted for a shell where it must be."""
    plain = isinstance(value, str) and re.fullmatch(r"[A-Za-z][\w.:-]*", value) and value not in _NOT_WORDS
    return shlex.quote(f"{name}={value if plain else _toml(value)}")


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        kept = {str(key): item for key, item in value.items() if item is not None}
        return "{" + ", ".join(f"{json.dumps(key)} = {_toml(item)}" for key, item in kept.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return json.dumps(value)


def to_toml(sections: Mapping[str, Mapping[str, Any]], *lines: str) -> str:
    """The file that `from_toml` reads as these sections, below lines for people; what is None is left out."""
    text = [f"# {line}" for line in lines]
    for name, values in sections.items():
        text += ["", f"[{name}]", *(f"{key} = {_toml(value)}" for key, value in values.items() if value is not None)]
    return "\n".join(text).lstrip("\n") + "\n"


def from_toml(path: Path) -> dict[str, Any]:
    """The settings of a TOML file."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror or error}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not TOML: {error}.") from error


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Each setting whose value differs, as `name: old -> new`."""
    return [
        f"{name}: {old.get(name)} -> {new.get(name)}" for name in sorted({*old, *new}) if old.get(name) != new.get(name)
    ]
