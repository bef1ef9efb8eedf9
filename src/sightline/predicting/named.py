"""Models by name, where others take a path: `parts@champion` and `parts@3` of a registry, `shipped@denoise_gray`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sightline.core import bundle as bundles
from sightline.core.errors import RegistryError, UnknownNameError, nearest

if TYPE_CHECKING:
    from sightline.registering.version import Version

SHIPPED = Path(__file__).parent.parent / "weights"
SUFFIX = ".sightline"
OURS = "shipped"  # before the @, for what came with the package


@dataclass(frozen=True, slots=True)
class Shelved:
    """A model that can be named."""

    name: str  # as it is named
    task: str
    network: str
    licence: str
    size: int  # bytes
    figure: Mapping[str, Any] | None  # the first thing that was measured
    created: str
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self)


def is_name(word: str | Path) -> bool:
    """Whether a word names a model, rather than a path that is there."""
    return "@" in str(word) and not Path(word).exists()


def whereabouts(word: str | Path, registry: str | None = None) -> Path:
    """The bundle that a name stands for; `parts@`, or `parts` where only a name can be meant, is its champion."""
    name, _, which = str(word).rpartition("@") if "@" in str(word) else (str(word), "", "")
    if name == OURS:
        path = SHIPPED / f"{which}{SUFFIX}"
        if not path.is_file():
            known = _shipped()
            raise UnknownNameError(
                f"nothing that is shipped is called '{which[:80]}'.{nearest(which, known)} Shipped: {', '.join(known)}."
            )
        return path
    return _version(name, which, registry).path


def _version(name: str, which: str, registry: str | None) -> Version:
    from sightline.registering.registry import open_registry
    from sightline.registering.version import CHAMPION

    with open_registry(registry, create=False) as opened:
        return opened.version(name, which or CHAMPION)


def shelf(registry: str | None = None) -> list[Shelved]:
    """Everything that can be named: what is shipped, and every version of a registry that is called something."""
    return [*(_of_bundle(f"{OURS}@{name}", whereabouts(f"{OURS}@{name}")) for name in _shipped()), *_kept(registry)]


def card(word: str, registry: str | None = None) -> str:
    """What a model says of itself: what it learnt from, how good it is, and what it must not be used for."""
    opened = bundles.load(whereabouts(word, registry))
    return opened.files["card.md"].decode("utf-8", "replace")


def _shipped() -> list[str]:
    return sorted(path.stem for path in SHIPPED.glob(f"*{SUFFIX}"))


def _kept(registry: str | None) -> list[Shelved]:
    from sightline.registering.registry import open_registry

    found = []
    try:
        opened = open_registry(registry, create=False)
    except RegistryError:
        if registry is not None:
            raise
        return []  # there is none in the working folder, and none was asked for
    with opened:
        for version in opened.versions():
            words = sorted(word for word, number in opened.aliases(version.name).items() if number == version.number)
            found += [_of_bundle(f"{version.name}@{word}", version.path, version.note) for word in words]
    return found


def _of_bundle(name: str, path: Path, note: str = "") -> Shelved:
    plain = bundles.load(path).model
    figure = next(iter(plain.get("metrics", ())), None)
    task, network, licence = (str(plain.get(key, "unknown")) for key in ("task", "model", "licence"))
    return Shelved(name, task, network, licence, path.stat().st_size, figure, str(plain.get("created", "")), note)
