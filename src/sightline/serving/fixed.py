"""A few bundles that were named, as a source of versions: `sightline serve model.sightline`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from sightline.core import archive
from sightline.core.bundle import MANIFEST
from sightline.core.errors import BundleError, RegistryError, SettingsError, nearest
from sightline.core.run import Run
from sightline.registering.version import CHAMPION, LATEST, Version


class Fixed:
    """Each bundle is version 1 of the model that its file or folder is named after; `name=path` names it otherwise."""

    def __init__(self, paths: Iterable[str | Path]) -> None:
        self._versions: dict[str, Version] = {}
        for given in paths:
            name, path = _named(str(given))
            if name in self._versions:
                raise SettingsError(f"two models are called '{name}'. Name one otherwise, such as other={path}")
            self._versions[name] = Version(name, 1, seal_of(path), path)
        if not self._versions:
            raise SettingsError("name one bundle or more.")

    def names(self) -> list[str]:
        """Every model."""
        return list(self._versions)

    def version(self, name: str, which: int | str = CHAMPION) -> Version:
        """The only version that there is."""
        if name not in self._versions:
            raise RegistryError(f"no model is called '{name}'.{nearest(name, self._versions)}")
        if which not in (1, "1", CHAMPION, LATEST):
            raise RegistryError(f"'{name}' has version 1 alone, not {which}.")
        return self._versions[name]

    def aliases(self, name: str) -> dict[str, int]:
        """It answers all."""
        return {CHAMPION: 1}

    def traffic(self, name: str) -> Mapping[str, Any] | None:
        """Nothing is shared out."""
        return None

    def changed(self) -> int:
        """Never."""
        return 0


def _named(given: str) -> tuple[str, Path]:
    """The name of a model and where it lies; a run stands for its bundle."""
    name, equals, rest = given.partition("=")
    path = Path(given)
    if equals and not path.exists():
        path = Path(rest)
    else:
        name = ""
    if Run(path).exists:
        name, path = name or path.name, Run(path).bundle
    if not path.exists():
        raise BundleError(f"there is no bundle at {path}.")
    return name or (path.stem if path.suffix == ".sightline" else path.resolve().name), path


def seal_of(path: Path) -> str:
    """What a bundle says its seal is; whether that is so is seen when it is loaded."""
    try:
        if path.is_dir():
            manifest = (path / MANIFEST).read_bytes()
        else:
            with path.open("rb") as stream:
                manifest = archive.read(stream, path.stat().st_size, str(path), most=64)[MANIFEST]
        return str(json.loads(manifest)["seal"])
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise BundleError(f"{path}: is no bundle: {error}") from error
