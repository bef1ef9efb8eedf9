"""A chain as text or TOML: steps in a row with `name=value` settings, parted by bars; nothing is looked up here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sightline.core.errors import SettingsError

INNER = "chain"  # the setting that holds what stands in brackets
_NAME = re.compile(r"[A-Za-z_]\w*")
_PLAIN = re.compile(r"[^\s|()'\"=]+")
_QUOTES = "'\""


@dataclass(frozen=True, slots=True)
class Spec:
    """One step as it was written: a name or a path, and settings that nobody has looked at yet."""

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)


def from_text(text: str) -> list[Spec]:
    """`gaussian sigma=2 | otsu` as steps."""
    return [_spec(words, text) for words in _steps(text)]


def from_table(plain: Mapping[str, Any], where: str) -> list[Spec]:
    """The `steps` of a TOML file: texts such as "gaussian sigma=2", or tables such as {use = "gaussian", sigma = 2}."""
    steps = plain.get("steps")
    if not isinstance(steps, list):
        raise SettingsError(f'{where}: a chain is a list called steps, such as steps = ["gaussian sigma=2", "otsu"].')
    return from_list(steps, where)


def from_list(steps: Iterable[Any], where: str = "the chain") -> list[Spec]:
    """Steps as texts, tables or pairs of a name and settings."""
    made: list[Spec] = []
    for number, step in enumerate(steps, 1):
        if isinstance(step, Spec):
            made.append(step)
        elif isinstance(step, str):
            made += from_text(step)
        elif isinstance(step, Mapping) and isinstance(step.get("use"), str):
            made.append(Spec(step["use"], {name: value for name, value in step.items() if name != "use"}))
        elif isinstance(step, tuple) and len(step) == 2 and isinstance(step[1], Mapping):
            made.append(Spec(str(step[0]), dict(step[1])))
        else:
            raise SettingsError(f'{where}, step {number}: write "gaussian sigma=2" or {{use = "gaussian", sigma = 2}}.')
    if not made:
        raise SettingsError(f"{where} has no steps. Write one or more, such as: gaussian sigma=2 | otsu")
    return made


def to_text(name: str, settings: Mapping[str, Any]) -> str:
    """A step as `from_text` reads it."""
    words = [name if _PLAIN.fullmatch(name) else _quoted(name)]
    words += [f"({value})" if key == INNER else f"{key}={_written(value)}" for key, value in settings.items()]
    return " ".join(words)


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"({','.join(map(_written, value))})"
    text = "none" if value is None else f"{value:g}" if _short(value) else str(value)
    return text if _PLAIN.fullmatch(text) else _quoted(text)


def _short(value: Any) -> bool:
    return isinstance(value, float) and float(f"{value:g}") == value


def _quoted(text: str) -> str:
    return f"'{text}'" if '"' in text else f'"{text}"'


def _spec(words: list[str], text: str) -> Spec:
    if not words:
        raise SettingsError(f"the chain '{text}' has an empty step. Write steps with a bar between: gaussian | otsu")
    name, settings = words[0], dict[str, Any]()
    for word in words[1:]:
        key, equals, value = word.partition("=")
        if word.startswith("(") and word.endswith(")"):
            key, equals, value = INNER, "=", word[1:-1]
        if not equals or not _NAME.fullmatch(key):
            raise SettingsError(f"{name}: '{word}' is not a setting; write name=value, such as sigma=2.")
        if key in settings:
            raise SettingsError(f"{name}: {key} is given twice.")
        settings[key] = value
    return Spec(name, settings)


def _steps(text: str) -> Iterator[list[str]]:
    """The words of each step; quotes and brackets hold together what stands in them."""
    words: list[str] = []
    word, begun, quote, depth = "", False, "", 0
    for letter in text:
        if quote:
            inside, quote = letter != quote, "" if letter == quote else quote
            word += letter if inside or depth else ""
        elif letter in _QUOTES:
            quote, begun = letter, True
            word += letter if depth else ""
        elif letter == "|" and not depth:
            yield [*words, word] if begun else words
            words, word, begun = [], "", False
        elif letter.isspace() and not depth:
            words, word, begun = [*words, word] if begun else words, "", False
        else:
            depth += (letter == "(") - (letter == ")")
            word, begun = word + letter, True
            if depth < 0:
                raise SettingsError(f"the chain '{text}' closes a bracket that was not opened.")
    if quote or depth:
        raise SettingsError(f"the chain '{text}' does not close its {'quote' if quote else 'bracket'}.")
    yield [*words, word] if begun else words
