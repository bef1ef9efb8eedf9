"""A bundle as the one file that a registry keeps of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sightline.core import archive, files
from sightline.core import bundle as bundles
from sightline.core.errors import BundleError
from sightline.core.run import Run
from sightline.predicting.named import is_name, whereabouts
from sightline.registering.lineage import described, suggested


@dataclass(frozen=True, slots=True, eq=False)
class Packed:
    """A verified bundle, whole in memory, and what is to be kept of it in rows."""

    data: bytes
    address: str  # the sha256 of the data
    seal: str
    facts: dict[str, Any]
    suggested: str  # a name, where none was given


def packed(bundle: str | Path) -> Packed:
    """Verify a bundle, or that of a run, and write it as one file; equal bundles give equal bytes."""
    where = place(bundle)
    opened = bundles.load(where)
    listed = {name: {"size": len(data), "sha256": files.digest(data)} for name, data in opened.files.items()}
    manifest = files.canonical({**opened.model, "files": listed, "seal": opened.version})
    data = archive.pack({**opened.files, bundles.MANIFEST: manifest}, str(where))
    return Packed(data, files.digest(data), opened.version, described(opened), suggested(opened))


def place(bundle: str | Path) -> Path:
    """Where the bundle lies that a word stands for: a path, that of a run, a run by its name, or another's name."""
    if is_name(bundle):
        return whereabouts(bundle)
    where = Path(bundle)
    for run in (Run(where), Run(Path("runs") / where)):
        if run.exists:
            if not run.bundle.exists():
                raise BundleError(f"the run {run.path} has no bundle yet. Make one with: sightline export {run.path}")
            return run.bundle
    if not where.exists():
        raise BundleError(
            f"there is no bundle and no run at {where}. Make one with: sightline train DATA, or list: sightline runs"
        )
    return where
