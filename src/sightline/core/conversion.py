"""From one label layout to another: nothing is lost, or what could not be kept is listed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sightline.core import catalog
from sightline.core.data import open_data, recognise
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError, StorageError
from sightline.core.lost import Lost
from sightline.core.progress import Event, Tell, silent
from sightline.core.sample import Sample

_STEP = 500  # samples between two events


@dataclass(frozen=True, slots=True)
class Loss:
    """One kind of thing that the new layout cannot hold."""

    what: str
    count: int
    example: str  # the first sample that met it


@dataclass(frozen=True, slots=True)
class Conversion:
    """Where the copy is, how many samples it holds, and what was left out."""

    path: Path
    format: str | None  # that the data was read as; None where it was a `Dataset` or a source
    to: str
    count: int
    given: int  # samples of the original
    losses: tuple[Loss, ...]

    @property
    def line(self) -> str:
        """All of it in one line for people."""
        kept = f"{self.count:,} samples" if self.count == self.given else f"{self.count:,} of {self.given:,} samples"
        kinds = f"{len(self.losses)} {'kind' if len(self.losses) == 1 else 'kinds'} of things"
        lost = f"{kinds} could not be kept" if self.losses else "nothing was lost"
        return f"{kept} written as {self.to} to {self.path}: {lost}"

    def to_json(self) -> dict[str, Any]:
        plain = {name: getattr(self, name) for name in ("format", "to", "count", "given", "line")}
        return {"path": str(self.path), **plain, "losses": [asdict(loss) for loss in self.losses]}


def convert(
    data: Any,
    to: str,
    path: str | Path,
    *,
    format: str | None = None,
    strict: bool = False,
    tell: Tell = silent,
) -> Conversion:
    """Write data in another layout; with `strict` the first thing that cannot be kept is an error and nothing is
    written. The folder appears whole or not at all, and one that is there is not touched."""
    part, out = catalog.find("formats", to), Path(path)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise StorageError(f"{out} is there already. Name a folder that does not exist yet.")
    where = None if isinstance(data, Dataset) else Path(str(data))
    if where is not None and where.is_dir() and out.resolve().is_relative_to(where.resolve()):
        raise StorageError(f"{out} lies inside {where}, which it would change. Name a folder elsewhere.")
    if where is not None and format is None and where.exists():
        format = recognise(where)
    opened = open_data(data, format=format)
    tell(Event("note", f"{opened.name}: {len(opened):,} samples" + (f", read as {format}" if format else "")))
    lost = Lost(to, strict=strict)
    part.write(_telling(opened, tell), out, lost=lost)
    count = len(part.read(out))
    if count < len(opened) and not lost.counts:
        raise InputError(
            "label", f"{out} holds {count:,} of {len(opened):,} samples; the layout '{to}' lost some unsaid."
        )
    rows = sorted(lost.counts.items(), key=lambda pair: (-pair[1], pair[0]))
    losses = tuple(Loss(what, number, lost.examples[what]) for what, number in rows)
    done = Conversion(out, format, to, count, len(opened), losses)
    tell(Event("converted", done.line, done.to_json()))
    return done


def _telling(data: Dataset, tell: Tell) -> Dataset:
    """The same data, which says how far a pass over it has come."""
    samples = _Telling(data.samples, tell)
    return Dataset(
        samples, name=data.name, names=data._names, kind=data._kind, recipe=data._recipe, details=data.details
    )


class _Telling(Sequence[Sample]):
    """Samples that tell of being asked for."""

    def __init__(self, base: Sequence[Sample], tell: Tell) -> None:
        self.base, self.tell = base, tell

    def __len__(self) -> int:
        return len(self.base)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, int) and (index + 1) % _STEP == 0:
            self.tell(Event("progress", "samples", {"done": index + 1, "total": len(self.base)}))
        return self.base[index]
