"""Data on one page: samples with what is known of them, and what augmentation makes of some."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from sightline.auditing._cards import Page, Tile
from sightline.core import catalog, warp
from sightline.core.annotations import Objects, Picture, Regions
from sightline.core.carried import carry_truth
from sightline.core.chance import generator
from sightline.core.data import open_data
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError
from sightline.core.image import ArrayImage, Image
from sightline.core.progress import Event, Tell, silent
from sightline.core.recipe import Move, Note, apply, parse
from sightline.core.sample import Sample

USUAL = ("flip", "affine", "light")  # where no task says what it does
READABLE = 200  # pixels of a side from which names of things hide less than they tell
TRIES = 8  # draws until something happens
DRAWS = 5  # augmented versions beside each original
ROWS = 4  # originals that are augmented
_NOTHING = Objects(np.zeros((0, 4), np.float32), np.zeros(0, np.int64), ())


@dataclass(frozen=True, slots=True)
class Sheet:
    """The page, and what is on it."""

    pixels: np.ndarray
    line: str
    shown: tuple[str, ...]  # identities of the samples, in order
    unreadable: tuple[str, ...] = ()
    augmented: tuple[dict[str, Any], ...] = field(default=())  # which sample, and what was done to each version of it

    def to_json(self) -> dict[str, Any]:
        return {
            "line": self.line,
            "shown": list(self.shown),
            "unreadable": list(self.unreadable),
            "augmented": list(self.augmented),
            "size": list(self.pixels.shape[:2]),
        }


def sheet(
    data: Any,
    *,
    count: int = 16,
    moves: Sequence[Any] | None = None,
    seed: int = 0,
    format: str | None = None,
    tell: Tell = silent,
) -> Sheet:
    """Some samples with their annotations; with `moves`, also what each of these makes of some.

    No moves at all, [], stands for those of the task, together, as training uses them.

    The same data, count and seed give the same page.
    """
    if count < 1:
        raise InputError("empty", f"a sheet of {count} pictures shows nothing; ask for 1 or more.")
    samples = open_data(data, format=format)
    rows = sorted(generator(seed, "show").permutation(len(samples))[:count].tolist())
    chosen = [_held(samples[row]) for row in rows]
    read = [sample for sample, fault in chosen if fault is None]
    line = _line(samples)
    page = Page(samples.name, line if len(rows) == len(samples) else f"{line}; {len(rows)} of them drawn by chance")
    across = next(width for most, width in ((4, 4), (16, 4), (36, 6), (10**9, 8)) if count <= most)
    page.grid(_tiles(chosen, page.side(across), tell), across)
    augmented = [] if moves is None else _augmented(page, read, samples, moves, seed)
    unreadable = tuple(sample.id for sample, fault in chosen if fault is not None)
    return Sheet(page.pixels(), line, tuple(s.id for s, _ in chosen), unreadable, tuple(augmented))


def _held(sample: Sample) -> tuple[Sample, InputError | None]:
    """The sample with its pictures and label in memory, or why one cannot be read; of a volume the middle slice."""
    try:
        images: tuple[Image, ...] = tuple(ArrayImage(image.read(), image.name) for image in sample.images)
        truth = None if sample.truth is None else replace(sample.truth)  # what lies in files of its own is read here
    except InputError as error:
        return sample, error
    return replace(sample, images=images, truth=truth), None


def _line(data: Dataset) -> str:
    kind = data.kind
    parts = [f"{len(data):,} {'picture' if len(data) == 1 else 'pictures'}"]
    if kind is None:
        return f"{parts[0]}, no labels"
    names = data.names if hasattr(kind, "names") or "names" in getattr(kind, "__slots__", ()) else ()
    if names:
        shown = ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
        parts.append(f"{kind.__name__.lower()} of {len(names)} {'name' if len(names) == 1 else 'names'}: {shown}")
    else:
        parts.append(f"labelled with {kind.__name__.lower()}")
    return ", ".join(parts)


def _tiles(chosen: Sequence[tuple[Sample, InputError | None]], side: int, tell: Tell) -> list[Tile]:
    tiles = []
    for done, (sample, fault) in enumerate(chosen, 1):
        tiles.append(
            Tile(None, sample.id, fault.message) if fault else Tile(drawn(sample, side), sample.id, _facts(sample))
        )
        tell(Event("progress", "drawing", {"done": done, "total": len(chosen)}))
    return tiles


def _facts(sample: Sample) -> str:
    """Size, side and group, and channels and depth where they are not the usual ones."""
    if not sample.images:
        return "no picture"
    shape = sample.pixels().shape
    words = [" x ".join(map(str, (shape[-2], shape[-3], *shape[:-3])))]
    words += [f"{shape[-1]} channels"] if shape[-1] not in (1, 3) else ["gray"] if shape[-1] == 1 else []
    words += [str(sample.pixels().dtype)] if sample.pixels().dtype != np.uint8 else []
    words += [f"{len(sample.images)} pictures"] if len(sample.images) > 1 else []
    return " · ".join([*words, *(word for word in (sample.split, sample.group) if word)])


def drawn(sample: Sample, side: int) -> np.ndarray:
    """A picture with what is known drawn on it at the size at which it is shown, so that lines are crisp."""
    if not sample.images:
        return np.full((side, side, 3), 235, np.uint8)
    sample = _middle(sample)
    pixels, truth = sample.pixels(), sample.truth
    rows, columns = pixels.shape[:2]
    scale = side / max(rows, columns)
    to = (max(1, round(rows * scale)), max(1, round(columns * scale)))
    fit = warp.window((rows, columns), 0, 0, rows, columns, to)
    small = fit.pixels(pixels)
    if truth is None:
        return np.asarray(catalog.find("overlays", "objects")(small, _NOTHING))
    fitted = truth if isinstance(truth, Picture) else carry_truth(truth, fit, least=0.0)
    more = {"tags": side >= READABLE} if isinstance(truth, Objects) else {}
    return np.asarray(catalog.find("overlays", type(truth).__name__.lower())(small, fitted, **more))


def _middle(sample: Sample) -> Sample:
    """Of a volume the middle slice with what is true there."""
    pixels = sample.pixels()
    if pixels.ndim == 3:
        return sample
    place, truth = len(pixels) // 2, sample.truth
    if isinstance(truth, Regions) and truth.classes.ndim == 3:
        truth = replace(truth, classes=truth.classes[place])
    elif isinstance(truth, Objects) and truth.masks is not None and truth.masks.ndim == 4:
        truth = replace(truth, masks=truth.masks[:, place])
    return replace(sample, images=(ArrayImage(pixels[place], sample.image.name),), truth=truth)


def _own(data: Dataset) -> tuple[Move, ...]:
    """What the task of this data does to it in training; the usual where no task is the natural one."""
    tasks = [catalog.find("tasks", name).TASK for name in catalog.names("tasks")]
    natural = [task for task in tasks if task.fits(data).strength == 2]
    if len(natural) != 1:
        return parse(USUAL)
    task = natural[0]
    return parse(task.augment(task.prepare(data, task.Options(), task.model))) or parse(USUAL)


def _told(moves: Sequence[Move]) -> str:
    return ", ".join(move.name or " or ".join(choice.name for choice in move.one_of) for move in moves)


def _augmented(
    page: Page, read: Sequence[Sample], data: Dataset, moves: Sequence[Any], seed: int
) -> list[dict[str, Any]]:
    """Rows of a sample as it is and as it becomes; which, and by what."""
    alone, recipe = parse(moves), () if moves else _own(data)
    if alone:
        page.heading("What each augmentation makes of them", "each alone, with its usual settings")
    else:
        page.heading("What augmentation makes of them", f"as in training: {_told(recipe)}")
    rows = ROWS if len(alone) <= DRAWS else 2 if len(alone) <= 2 * DRAWS else 1
    done = []
    for number, sample in enumerate(read[:: max(1, len(read) // rows)][:rows]):
        steps: list[tuple[Move, ...]] = [(move,) for move in alone] or [recipe] * DRAWS
        versions = [_version(sample, step, data, (seed, number, draw)) for draw, step in enumerate(steps)]
        side = page.side(DRAWS + 1)
        tiles = [Tile(drawn(sample, side), sample.id, "as it is")]
        for step, (version, notes, fault) in zip(steps, versions, strict=True):
            if fault is not None:
                tiles.append(Tile(None, _told(step), fault.message))
                continue
            tiles.append(Tile(drawn(version, side), ", ".join(notes) or "unchanged", _facts(version)))
        page.grid(tiles, DRAWS + 1)
        done.append({"id": sample.id, "versions": [notes for _, notes, _ in versions]})
    return done


def _version(
    sample: Sample, moves: Sequence[Move], data: Dataset, place: tuple[int, ...]
) -> tuple[Sample, list[str], InputError | None]:
    """A draw in which something happens, if one of some does; a refusal is shown where the picture would be."""
    notes: list[Note] = []
    version = sample
    for draw in range(TRIES):
        rng = generator("show", sample.id, *place, draw)

        def others(count: int, rng: np.random.Generator = rng) -> list[Sample]:
            return [_held(data[int(row)])[0] for row in rng.integers(len(data), size=count)]

        try:
            version = apply(moves, sample, rng, others=others, notes=notes)
        except InputError as error:
            return sample, [], error
        if notes:
            break
    return version, [str(note["name"]) for note in notes], None
