"""Which files are opened, however that is done: heard from the interpreter itself."""

import collections
import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_HEARING: list[collections.Counter[str]] = []
_HOOKED: list[bool] = []


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and _HEARING and isinstance(arguments[0], str | os.PathLike):
        _HEARING[-1][Path(arguments[0]).name] += 1


@contextlib.contextmanager
def opened() -> Iterator[collections.Counter[str]]:
    """How often each file is opened while inside, by its name."""
    if not _HOOKED:
        _HOOKED.append(True)
        sys.addaudithook(_hear)  # there is no taking it back, so it is added once and listens only inside
    _HEARING.append(collections.Counter())
    try:
        yield _HEARING[-1]
    finally:
        _HEARING.pop()
