"""Labels that are probably wrong: of whole pictures, and of the things in their boxes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, groupby
from typing import Any

import numpy as np

from sightline.auditing.confident import judge
from sightline.auditing.patches import draw_bank
from sightline.core.annotations import Labels, Objects
from sightline.core.chance import generator
from sightline.core.data import open_data
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError
from sightline.core.finding import Finding, count_of
from sightline.core.known import remember
from sightline.core.measures import read_reduced
from sightline.core.progress import Event, Tell, silent

SIDE = 32  # pixels to which what is judged is reduced
AT_ONCE = 30_000  # labels judged together; more are judged in parts, so that memory does not grow
LEAST, EACH = 40, 8  # labels in all, and of a name, below which nothing can be said
ABLE = 0.3  # share of blind guessing's mistakes that must be mended before a doubt is worth a look
SURE = 0.9  # accuracy from which a doubt is more than a hint
LISTED = 500  # suspects that a finding names: enough for an afternoon of looking
CONTEXT = 0.1  # of a box, seen around it


@dataclass(frozen=True, slots=True)
class Suspect:
    """One label that is doubted."""

    id: str  # of the sample
    row: int  # of the object in it; -1 where the whole picture is labelled
    given: str
    better: str
    confidence: float  # probability of the given name

    def to_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Suspects:
    """The labels that are doubted, the most suspect first, and how able the judge was."""

    found: tuple[Suspect, ...]
    judged: int  # labels
    accuracy: float
    gain: float
    difficulty: np.ndarray = field(default_factory=lambda: np.zeros(0, np.float32), repr=False, compare=False)
    # a sample each: the probability that its label (the hardest of its boxes) is another one; NaN where none was judged

    @property
    def able(self) -> bool:
        """Whether the judge knows enough for its doubts to mean something."""
        return self.gain >= ABLE


def suspects(data: Any, *, format: str | None = None, tell: Tell = silent) -> Suspects:
    """Judge every label by a quick classifier that never saw it; labels with scores or with many names are left out."""
    samples = remember(open_data(data, format=format))
    items = _items(samples)
    order = generator(0, "suspects").permutation(len(items)) if len(items) > AT_ONCE else np.arange(len(items))
    found: list[Suspect] = []
    difficulty = np.full(len(samples), np.nan, np.float32)
    right, gains, count = 0.0, 0.0, 0
    size = -(-len(items) // max(1, -(-len(items) // AT_ONCE)))  # parts of one size
    for start in range(0, len(items), max(1, size)):
        part = [items[place] for place in np.sort(order[start : start + size])]
        small, kept = _pictures(samples, part, tell, start, len(items))
        part = [part[place] for place in kept]
        names = sorted({item.name for item in part})
        if len(part) < LEAST or len(names) < 2:
            continue
        features = _features(small)
        del small  # half as large as the features, and of no more use
        number = {name: place for place, name in enumerate(names)}
        given = np.array([number[item.name] for item in part])
        judged = judge(features, given, len(names), _groups(samples, part))
        del features
        right, gains, count = (
            right + judged.accuracy * len(part),
            gains + judged.gain * len(part),
            count + len(part),
        )
        better, confidence = judged.better, judged.confidence
        np.fmax.at(difficulty, [item.place for item in part], 1 - confidence)
        for place in judged.doubted:
            item = part[place]
            identity = samples[item.place].id
            found.append(Suspect(identity, item.row, item.name, names[better[place]], float(confidence[place])))
    found.sort(key=lambda suspect: suspect.confidence)
    return Suspects(tuple(found), count, right / max(1, count), gains / max(1, count), difficulty)


def finding(found: Suspects) -> list[Finding]:
    """What an audit says of them."""
    if not found.able or not found.found:
        return []
    count, share = len(found.found), len(found.found) / found.judged
    text = f"{count_of(count, 'label')} doubted by a quick classifier that is right {found.accuracy:.1%} of the time"
    shown: dict[str, Suspect] = {}
    for suspect in found.found:
        shown.setdefault(suspect.id, suspect)
    some = list(shown.values())[:LISTED]
    details = tuple(
        f"{'' if suspect.row < 0 else f'box {suspect.row + 1}: '}labelled {suspect.given}, looks like {suspect.better}"
        for suspect in some
    )
    severity = "warn" if found.accuracy >= SURE else "note"
    do = "Look at them from the top, and correct those that are wrong; the first are the most suspect."
    ids = tuple(suspect.id for suspect in some)
    return [Finding("wrong_labels", severity, text, ids, count, do, details, harm=0.5 * share)]


@dataclass(frozen=True, slots=True)
class _Item:
    """One label: of a whole picture, or of a box in it."""

    place: int
    row: int
    name: str
    box: tuple[float, ...] | None = None


def _items(data: Dataset) -> list[_Item]:
    """Labels that one name is right for, of names with enough examples."""
    items = []
    for place, sample in enumerate(data):
        truth = sample.truth
        if not sample.images:
            continue
        if isinstance(truth, Labels) and len(truth.names) == 1 and truth.scores is None:
            items.append(_Item(place, -1, truth.names[0]))
        elif isinstance(truth, Objects) and truth.boxes.shape[1] == 4:
            for row, (box, name) in enumerate(zip(truth.boxes.tolist(), truth.classes.tolist(), strict=True)):
                if 0 <= name < len(truth.names) and box[2] - box[0] >= 4 and box[3] - box[1] >= 4:
                    items.append(_Item(place, row, truth.names[name], tuple(box)))
    counts: Mapping[str, int] = _counts(items)
    items = [item for item in items if counts[item.name] >= EACH]
    return items if len(items) >= LEAST and len(_counts(items)) > 1 else []


def _counts(items: Sequence[_Item]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for item in items:
        counts[item.name] = counts.get(item.name, 0) + 1
    return counts


def _features(small: np.ndarray) -> np.ndarray:
    """What a judge looks at, in half precision."""
    bank = draw_bank(small, int(np.clip(len(small) // 20, 32, 192)))
    features = np.empty((len(small), bank.width), np.float16)

    def fill(start: int) -> None:
        features[start : start + 500] = bank.features(small[start : start + 500])

    with _pool() as pool:
        list(pool.map(fill, range(0, len(small), 500)))
    return features


def _groups(data: Dataset, items: Sequence[_Item]) -> list[str | None]:
    """What must not be learnt from while it is judged: the rest of the group, and of the same picture."""
    groups: list[str | None] = []
    for item in items:
        sample = data[item.place]
        groups.append(f"g{sample.group}" if sample.group is not None else f"p{sample.images[0].fingerprint()}")
    return groups


def _pictures(data: Dataset, items: Sequence[_Item], tell: Tell, done: int, total: int) -> tuple[np.ndarray, list[int]]:
    """What each label is about as a small colour picture, and which of them could be read."""
    small = np.empty((len(items), SIDE, SIDE, 3), np.uint8)
    kept: list[int] = []
    for place, picture in enumerate(_cut(data, items)):
        if picture is not None:
            small[len(kept)] = picture
            kept.append(place)
        if (done + place + 1) % 1000 == 0:
            text = f"looked at {done + place + 1:,} of {total:,} labels"
            tell(Event("progress", text, {"done": done + place + 1, "total": total}))
    return small[: len(kept)], kept


def _cut(data: Dataset, items: Sequence[_Item]) -> Iterator[np.ndarray | None]:
    """The part of each picture that a label is about; a picture is read once for all of its labels, some at a time."""
    together = [list(same) for _, same in groupby(items, key=lambda item: item.place)]
    with _pool() as pool:
        for start in range(0, len(together), 500):
            yield from chain.from_iterable(pool.map(partial(_cuts, data), together[start : start + 500]))


def _cuts(data: Dataset, items: Sequence[_Item]) -> list[np.ndarray | None]:
    image, whole = data[items[0].place].images[0], all(item.box is None for item in items)
    try:
        pixels = coloured(read_reduced(image, 2 * SIDE) if whole else image.read())
    except InputError:
        return [None] * len(items)  # told by the check of unreadable pictures
    return [_reduced(pixels, item.box) for item in items]


def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(min(4, os.cpu_count() or 1), "sightline-judge")


def coloured(pixels: np.ndarray) -> np.ndarray:
    """Three channels of 8 bits."""
    if pixels.ndim == 4:
        pixels = pixels[len(pixels) // 2]
    pixels = pixels[..., :3] if pixels.shape[2] >= 3 else np.repeat(pixels[..., :1], 3, 2)
    if pixels.dtype != np.uint8:
        known = np.nan_to_num(pixels.astype(np.float32), posinf=0.0, neginf=0.0)
        low, high = np.percentile(known, (0.5, 99.5))
        pixels = np.clip((known - low) * (255 / max(high - low, 1e-9)), 0, 255).astype(np.uint8)
    return pixels


def _reduced(pixels: np.ndarray, box: tuple[float, ...] | None) -> np.ndarray | None:
    import cv2

    if box is not None:
        reach = CONTEXT * max(box[2] - box[0], box[3] - box[1])
        left, top = (int(max(0, side - reach)) for side in box[:2])
        right, bottom = int(box[2] + reach) + 1, int(box[3] + reach) + 1
        pixels = pixels[top:bottom, left:right]
    if 0 in pixels.shape:
        return None
    return np.asarray(cv2.resize(np.ascontiguousarray(pixels), (SIDE, SIDE), interpolation=cv2.INTER_AREA))
