"""A few bundles that were named when the service started: a source of models that needs no registry."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sightline.core.errors import BundleError, RegistryError, SettingsError, nearest
from sightline.core.run import Run
from sightline.registering.version import CHAMPION, LATEST, Version
from sightline.server.service import card_of

_SPELT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class Named:
    """Each bundle is version 1 of a model that is called as its folder or file is, or as `name=path` says."""

    def __init__(self, places: Iterable[str]) -> None:
        self._versions: dict[str, Version] = {}
        for place in places:
            before, equals, after = place.partition("=")
            path = Path(after if equals else place)
            name = before if equals else path.resolve().stem
            if not _SPELT.fullmatch(name):
                raise SettingsError(f"'{name}' cannot name a model; give it another: flowers={path}")
            if name in self._versions:
                raise SettingsError(f"two models would be called '{name}'; give one another name: other={path}")
            self._versions[name] = _version(name, path)

    def names(self) -> list[str]:
        """Every model."""
        return sorted(self._versions)

    def version(self, name: str, which: int | str = CHAMPION) -> Version:
        """The only version."""
        known = self._versions.get(name)
        if known is None:
            raise RegistryError(f"no model is called '{name}'.{nearest(name, self._versions)}")
        if which not in (1, "1", CHAMPION, LATEST):
            raise RegistryError(f"'{name}' has no version '{which}'; it was given as a bundle and has version 1 only.")
        return known

    def aliases(self, name: str) -> dict[str, int]:
        """The champion is the only one."""
        self.version(name)
        return {CHAMPION: 1}

    def traffic(self, name: str) -> Mapping[str, Any] | None:
        """There is nothing to share."""
        self.version(name)
        return None

    def changed(self) -> int:
        """Nothing ever changes."""
        return 0


def _version(name: str, path: Path) -> Version:
    if Run(path).exists:
        path = Run(path).bundle
    if not path.exists():
        raise SettingsError(f"'{path}' is no bundle, no run, and no model of the registry.")
    try:
        card = card_of(path, str(path.stat().st_mtime_ns))
    except BundleError as error:
        raise BundleError(f"'{path}' cannot be read as a bundle.") from error
    seal = card.get("seal")
    if not isinstance(seal, str):
        raise BundleError(f"{path} holds no seal, so it is no bundle.")
    made = datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat(timespec="seconds")
    return Version(name, 1, seal, path, made)
