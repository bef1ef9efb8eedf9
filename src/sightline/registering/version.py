"""What a registry says of one version of a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

CHAMPION, CHALLENGER = "champion", "challenger"  # aliases: who answers, and who is tried beside it
LATEST = "latest"  # no alias: always the highest number


@dataclass(frozen=True, slots=True)
class Version:
    """A bundle under a name and a number; the number is never used again, the bytes never change."""

    name: str
    number: int
    seal: str  # of the bundle: equal content, equal seal
    path: Path  # the bundle, on this machine
    created: str = ""  # ISO 8601, UTC
    note: str = ""
    lineage: Mapping[str, Any] = field(default_factory=dict)  # data, split, code, settings, parents
    task: str = ""
    figures: Sequence[Mapping[str, Any]] = ()  # what was measured, with intervals, the first one first
    size: int = 0  # bytes of the bundle's file
    deleted: str = ""  # when, for those that were


class Source(Protocol):
    """Where a service finds its models: a registry, or a few bundles that were named."""

    def names(self) -> list[str]:
        """Every model."""

    def version(self, name: str, which: int | str = CHAMPION) -> Version:
        """One version, by number or alias ("latest" is the highest number); a `RegistryError` where there is none."""

    def aliases(self, name: str) -> dict[str, int]:
        """What the numbers of a model are called now."""

    def traffic(self, name: str) -> Mapping[str, Any] | None:
        """How requests are shared between versions, as `serving.arms` reads it; None: the champion answers all."""

    def changed(self) -> int:
        """A number that grows with every change of names, aliases or traffic: cheap enough to ask each second."""
