"""What follows the colon of a source: a place, and settings after `?`."""

from __future__ import annotations

import os
from typing import TypeVar

from sightline.core import settings

Kind = TypeVar("Kind")


def given(rest: str, kind: type[Kind], source: str, *, mark: str = "?") -> tuple[str, Kind]:
    """The place, and its settings as `kind`; a file whose own name holds the mark is taken whole."""
    if os.path.lexists(rest.replace("\0", "")):
        return rest, kind()
    place, _, query = rest.partition(mark)
    words = settings.from_words(word for word in query.split("&") if word)
    return place, settings.fill(kind, words, where=f"{source}:{place}")
