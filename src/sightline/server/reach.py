"""What a token that is kept to some models may see: them, what belongs to them, and nothing of anybody else's.

What it may not see it cannot tell from what is not there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase

from sightline.core.errors import RegistryError, ServingError, SettingsError

_PATTERN = re.compile(r"[A-Za-z0-9.*_-]{1,100}")
_SHARED = frozenset({"/models", "/datasets", "/trainings", "/v2", "/openapi.json"})  # lists, of which each sees its own
_LEAD = re.compile(r"/(?:v2/|admin/)?(models|datasets)/([^/]+)")


def patterns(words: Iterable[str]) -> tuple[str, ...]:
    """Names of models, `*` for any letters, as a token keeps them."""
    found = tuple(dict.fromkeys(words))
    wrong = [word for word in found if not _PATTERN.fullmatch(word)]
    if wrong:
        raise SettingsError(f"--only {wrong[0][:80]}: name models by letters, digits, '.', '_', '-', and '*' for any.")
    return found


def reaches(only: tuple[str, ...], name: str) -> bool:
    """Whether a name is among those that a token is kept to; all are where it is kept to none."""
    return not only or any(fnmatchcase(name, one) for one in only)


def hold(only: tuple[str, ...], path: str) -> None:
    """Refuse a route that leads beyond the models that a token is kept to."""
    if not only or path in _SHARED or path.startswith("/trainings/"):
        return
    named = None if "%" in path else _LEAD.match(path)  # what is still coded could be read as another name further on
    if named is None:
        raise ServingError("forbidden", "This route is about all models, and the token is for some of them.")
    if not reaches(only, named[2]):
        raise unknown()


def hidden(only: tuple[str, ...], error: Exception) -> Exception:
    """What a token may be told of an error: which names there are is told to those that see all of them."""
    code = getattr(error, "code", "")
    missing = code == "not_found" or (isinstance(error, RegistryError) and not getattr(error, "conflict", False))
    return unknown() if only and missing else error


def unknown() -> ServingError:
    """The same, whether there is none or it is another's."""
    return ServingError("not_found", "There is none of that name among those that this token is for.")
