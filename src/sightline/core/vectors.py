"""Which features stand for a picture: `hog+lbp:radius=2,grid=4` read, checked, and turned into rows of numbers."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np

from sightline.core import catalog
from sightline.core.errors import SettingsError, nearest

AUTO = "hog+colour_histogram+lbp+gabor"  # of ten mixes never far from the best, see docs/classical.md
MOST = 64  # pixels a side: 96 take twice as long and told no more


@dataclass(frozen=True, slots=True)
class Block:
    """The part of a row that one feature fills, and its own shape: (length,), or (count, width) of descriptors."""

    name: str
    shape: tuple[int, ...]

    @property
    def length(self) -> int:
        """Numbers it fills."""
        return int(np.prod(self.shape))


def check(recipe: str) -> str:
    """The recipe in one spelling; an unknown feature or setting is one line."""
    return "+".join(
        name + "".join(f"{':,'[place > 0]}{key}={value}" for place, (key, value) in enumerate(settings.items()))
        for name, settings in _parsed(recipe)
    )


def blocks(recipe: str, channels: int) -> list[Block]:
    """What each feature of the recipe fills, in order."""
    blank = np.zeros((32, 32, channels), np.uint8)
    return [Block(name, made(blank).shape) for name, made in _made(recipe)]


def vectors(pictures: Sequence[np.ndarray], recipe: str) -> np.ndarray:
    """A float32 row for each picture (rows, columns, channels), the features of the recipe behind each other."""
    made = _made(recipe)
    return np.stack([np.concatenate([one(picture).ravel() for _, one in made]) for picture in pictures])


@cache
def _made(recipe: str) -> tuple[tuple[str, Callable[[np.ndarray], np.ndarray]], ...]:
    return tuple((name, partial(catalog.find("features", name), **settings)) for name, settings in _parsed(recipe))


def _parsed(recipe: str) -> list[tuple[str, dict[str, Any]]]:
    found: list[tuple[str, dict[str, Any]]] = []
    for part in recipe.split("+"):
        name, _, words = part.strip().partition(":")
        known = inspect.signature(catalog.find("features", name)).parameters
        kinds = {key: type(value.default) for key, value in known.items() if value.kind is value.KEYWORD_ONLY}
        settings = {}
        for word in filter(None, (word.strip() for word in words.split(","))):
            key, _, text = word.partition("=")
            if key not in kinds:
                listed = ", ".join(kinds) or "none"
                raise SettingsError(f"{name} has no setting '{key}'.{nearest(key, kinds)} Known: {listed}.")
            settings[key] = _value(f"{name}:{key}", text, kinds[key])
        if name in dict(found):
            raise SettingsError(f"features = '{recipe}': {name} is there twice.")
        found.append((name, settings))
    return found


def _value(where: str, text: str, kind: type) -> Any:
    """A number above zero, or yes or no."""
    if kind is bool and text.lower() in ("true", "false"):
        return text.lower() == "true"
    try:
        value = kind(text) if kind in (int, float) else None
    except ValueError:
        value = None
    if value is None or not 0 < value < 10_000:
        wanted = "true or false" if kind is bool else "a whole number" if kind is int else "a number"
        raise SettingsError(f"{where}={text}: must be {wanted}{'' if kind is bool else ' above 0'}.")
    return value
