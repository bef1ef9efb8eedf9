"""Labels that lie in files of their own: the record is there at once, its arrays are read when somebody looks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sightline.core.annotations import Annotation
from sightline.formats import _arrays


def later(kind: type[Annotation], read: Callable[[], Annotation], **known: Any) -> Any:
    """A record of this kind of which only the `known` parts are there; each look at another part reads it anew."""
    record: Annotation = object.__new__(_arrays._deferred(kind.__name__.lower()))
    for name, value in {**known, "_read": read}.items():
        object.__setattr__(record, name, value)
    return record
