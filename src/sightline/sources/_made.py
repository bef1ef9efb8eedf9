"""Samples that are made when they are asked for, and what is known of all of them without making any."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sightline.core.sample import Sample

_PLAIN = Sample("")


class Made(Sequence[Sample]):
    """A sequence whose entries are made by position; `known` says of many fields at once what costs nothing to say."""

    def sample(self, index: int) -> Sample:
        """The sample at a position that is there."""
        raise NotImplementedError

    def known(self, field: str) -> Sequence[Any] | None:
        """One field of every sample, where it is known without making them; `names` are those of its label."""
        return None

    def column(self, field: str) -> Sequence[Any]:
        """One field of every sample."""
        found = self.known(field)
        if found is not None:
            return found
        if field == "names":
            return [getattr(sample.truth, "names", ()) for sample in self]
        return [getattr(sample, field) for sample in self]

    def __getitem__(self, index: Any) -> Any:
        rows = range(len(self))[index]
        return self.sample(rows) if isinstance(rows, int) else [self.sample(row) for row in rows]


def same(field: str, count: int) -> Sequence[Any] | None:
    """A field that a sample of nothing but a picture leaves as it is, so many times."""
    if field == "names":
        return [()] * count
    return [getattr(_PLAIN, field)] * count if field in ("truth", "group", "split", "given", "attributes") else None
