"""A source of versions whose names are changed by hand, and an engine on it that ends with its block."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from sightline.core.errors import RegistryError
from sightline.registering.version import CHAMPION, Version
from sightline.serving.engine import Engine
from sightline.serving.fixed import seal_of
from sightline.serving.settings import Settings
from sightline.testing.bundles import levels

STRANGE = Path(__file__).parent.parent / "fixtures" / "strange"
FAULTY = Path(__file__).parent.parent / "fixtures" / "faulty"


class Shelf:
    """Models by name, their versions by number, what those are called."""

    def __init__(self, room: Path) -> None:
        self.room, self.turns = room, 0
        self.versions: dict[str, dict[int, Version]] = {}
        self.named: dict[str, dict[str, int]] = {}
        self.shares: dict[str, Mapping[str, Any]] = {}

    def put(
        self,
        number: int,
        name: str = "m",
        *,
        champion: bool = False,
        seal: str = "",
        task: str = "classify",
        **made: Any,
    ) -> Path:
        """Make and register a version."""
        path = levels(self.room / f"{name}-{number}.sightline", number, task, **made)
        self.versions.setdefault(name, {})[number] = Version(name, number, seal or seal_of(path), path)
        self.named.setdefault(name, {})
        if champion:
            self.promote(number, name)
        return path

    def promote(self, number: int, name: str = "m", alias: str = CHAMPION) -> None:
        """Call a version something."""
        self.named[name][alias] = number
        self.turns += 1

    def names(self) -> list[str]:
        return list(self.versions)

    def version(self, name: str, which: int | str = CHAMPION) -> Version:
        number = self.named[name].get(which) if isinstance(which, str) else which
        if number not in self.versions.get(name, {}):
            raise RegistryError(f"'{name}' has no version {which}.")
        return self.versions[name][number]

    def aliases(self, name: str) -> dict[str, int]:
        return dict(self.named[name])

    def traffic(self, name: str) -> Mapping[str, Any] | None:
        return self.shares.get(name)

    def changed(self) -> int:
        return self.turns


@contextlib.asynccontextmanager
async def engine(shelf: Any, **settings: Any) -> AsyncIterator[Engine]:
    """Started, and stopped whatever happens."""
    made = Engine(shelf, Settings(**{"workers": 2, "poll": 60.0, "batch": 1, **settings}))
    try:
        await made.start()
        yield made
    finally:
        await made.stop(5)
