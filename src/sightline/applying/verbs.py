"""Steps that only a chain has: they work on what was found before them, so that a rule or a count can follow.

The chain hands over the last record of each kind as the setting that has its type.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from sightline.applying.chain import Chain
from sightline.applying.parts import assemble, join
from sightline.applying.rules import When, areas_of, numbers
from sightline.core import catalog, geometry
from sightline.core.annotations import Labels, Objects, Regions, Value, from_json, to_json
from sightline.core.errors import InputError, SettingsError, nearest

Picker = Callable[..., np.ndarray]
MOVING = ("crop_to",)  # after these, places found before are places of another picture


def areas(
    image: np.ndarray,
    *,
    regions: Regions,
    of: str = "",
    least: int = 1,
    most: int | None = None,
    name: str = "",
    border: bool = True,
) -> Objects:
    """Every connected area of the regions as a thing: of one region, or of all but the first.

    `least` and `most` are pixels, `name` what the things are called, `border=false` leaves out what is cut off.
    """
    import cv2

    _known("areas", regions, of)
    boxes, classes, sizes = [], [], []
    rows, columns = regions.classes.shape
    chosen = [regions.names.index(of)] if of else list(range(1, len(regions.names)))
    for place, number in enumerate(chosen):
        here = (regions.classes == number).astype(np.uint8)
        _, _, stats, _ = cv2.connectedComponentsWithStats(here, connectivity=8)
        for x, y, wide, high, area in np.asarray(stats)[1:].tolist():
            cut = x == 0 or y == 0 or x + wide == columns or y + high == rows
            if area >= least and (most is None or area <= most) and (border or not cut):
                boxes.append((x, y, x + wide, y + high))
                classes.append(0 if name else place)
                sizes.append(area)
    names = (name,) if name else tuple(regions.names[number] for number in chosen)
    held = np.array(boxes, np.float32).reshape(-1, 4)
    return Objects(held, np.array(classes, np.int64), names, details=tuple({"area": size} for size in sizes))


def keep(
    image: np.ndarray,
    *,
    objects: Objects,
    name: str = "",
    least: float = 0.0,
    most: float | None = None,
    score: float = 0.0,
) -> Objects:
    """The things of one name, of an area of `least` to `most` pixels, that score enough."""
    if name and name not in objects.names:
        raise SettingsError(f"keep: nothing is called '{name}'.{nearest(name, objects.names)}")
    sizes = areas_of(objects)
    kept = (sizes >= least) & (sizes <= (np.inf if most is None else most))
    if name:
        kept &= objects.classes == objects.names.index(name)
    if objects.scores is not None:
        kept &= objects.scores >= score
    return objects.take(kept)


def named(image: np.ndarray, *, objects: Objects, name: str) -> Objects:
    """The same things, all of one name: what finders call a part may be what people call a coin."""
    return replace(objects, names=(name,), classes=np.zeros(len(objects), np.int64))


def count(image: np.ndarray, *, objects: Objects, name: str = "count") -> Value:
    """How many things were found, as a number that can be measured against the true one."""
    return Value((name,), np.array([len(objects)], np.float32))


def rule(
    image: np.ndarray,
    *,
    name: str,
    when: When | None = None,
    otherwise: str = "",
    inside: str = "",
    objects: Objects | None = None,
    regions: Regions | None = None,
    value: Value | None = None,
    labels: Labels | None = None,
) -> Labels:
    """A name for the picture where a comparison holds, such as "mean_hue<30 and count>2"; of several rules the first.

    It can ask for `sightline.core.measures.NAMES`, for mean_hue, mean_saturation, mean_value, mean_red, mean_green and
    mean_blue (of one region with `inside`), for count, count_NAME and largest of things, and for share_NAME of regions.
    """
    if labels is not None and labels.names and labels.scores is None:
        return labels
    if when is not None and not when.holds(numbers(when.names, image, objects, regions, value, inside)):
        return Labels((otherwise,) if otherwise else ())
    return Labels((name,))


def gate(image: np.ndarray, *, limits: Path | None = None) -> np.ndarray:
    """The picture if it is good enough, mended if that is enough, and refused with its reasons if not: see `gate`."""
    from sightline.auditing.gate import Gate, Limits

    verdict = Gate(Limits() if limits is None else Limits.load(limits)).decide(image)
    if verdict.action == "reject":
        raise InputError("mismatch", f"gate: {verdict.line}.")
    return image.copy() if verdict.pixels is None else verdict.pixels.reshape(image.shape)


def crop_to(
    image: np.ndarray, *, objects: Objects, which: Literal["largest", "best"] = "largest", margin: float = 0.0
) -> np.ndarray:
    """What is in the box of one thing, wider by a share of its size on every side; from here on that is the picture."""
    if not len(objects):
        raise InputError("empty", "crop_to: nothing was found to crop to.")
    ranked = areas_of(objects) if which == "largest" or objects.scores is None else objects.scores
    return _within(image, objects, int(np.argmax(ranked)), margin).copy()


def each(image: np.ndarray, *, objects: Objects, chain: Chain, margin: float = 0.0) -> Objects:
    """Every thing cropped and handed to the chain in brackets, whose answer is kept in the thing's details."""
    told = []
    for row in range(len(objects)):
        known: dict[str, Any] = {} if objects.details is None else dict(objects.details[row])
        try:
            known["answer"] = to_json(chain(_within(image, objects, row, margin)).answer)
        except InputError as error:
            known["error"] = {"code": error.code, "message": error.message}
        told.append(known)
    return replace(objects, details=tuple(told))


def told(image: np.ndarray, *, objects: Objects, name: str = "", least: float = 0.5, overlap: float = 0.3) -> Objects:
    """The things that `each` gave a name (or this one), as sure as the answer was, and at least so; copies go.

    Of those of one name that share more than `overlap` of what they cover together, the surest stays.
    """
    rows, said, scores = [], [], []
    if len(objects) and not any({"answer", "error"} & set(known) for known in objects.details or ()):
        raise InputError("mismatch", "told: nothing was said of these things; put each (...) before it.")
    for row, known in enumerate(objects.details or ()):
        answer = from_json(known["answer"]) if "answer" in known else None
        if isinstance(answer, Labels) and answer.names:
            score = 1.0 if answer.scores is None else float(np.max(answer.scores))
            if score >= least and name in ("", answer.best):
                rows.append(row)
                said.append(answer.best)
                scores.append(score)
    names = (name,) if name else tuple(sorted(set(said)))
    classes = np.array([names.index(each) for each in said], np.int64)
    sure = np.array(scores, np.float32)
    named = replace(objects.take(np.array(rows, np.int64)), names=names, classes=classes, scores=sure)
    boxes = named.boxes if named.boxes.shape[1] == 4 else geometry.upright(named.boxes)
    return named.take(geometry.suppress(boxes, sure, classes, overlap))


def _within(image: np.ndarray, objects: Objects, row: int, margin: float) -> np.ndarray:
    """The pixels of a box, as far as it lies in the picture."""
    boxes = objects.boxes if objects.boxes.shape[1] == 4 else geometry.upright(objects.boxes)
    x0, y0, x1, y1 = boxes[row].astype(np.float64).tolist()
    wider, higher = margin * (x1 - x0), margin * (y1 - y0)
    left, top = max(0, int(np.floor(x0 - wider))), max(0, int(np.floor(y0 - higher)))
    right, foot = int(np.ceil(x1 + wider)), int(np.ceil(y1 + higher))
    part = image[top : max(top, foot), left : max(left, right)]
    if not part.size:
        raise InputError("empty", f"thing {row + 1} lies outside of the picture.")
    return part


def portrait(image: np.ndarray, *, regions: Regions, of: str = "", radius: float = 0.0, feather: int = 4) -> np.ndarray:
    """What is outside a region (of all but the first without `of`) out of focus, as the filter of this name does it."""
    blur: Picker = catalog.find("filters", "portrait")
    return blur(image, mask=_area("portrait", regions, of), radius=radius, feather=feather)


def cut_out(image: np.ndarray, *, regions: Regions, of: str = "", ground: float = 1.0, feather: int = 2) -> np.ndarray:
    """A region (all but the first without `of`) alone before an even ground, as the filter of this name does it."""
    cut: Picker = catalog.find("filters", "cut_out")
    return cut(image, mask=_area("cut_out", regions, of), ground=ground, feather=feather)


def _known(what: str, regions: Regions, of: str) -> None:
    if of and of not in regions.names:
        listed = ", ".join(regions.names)
        raise SettingsError(f"{what}: no region is called '{of}'.{nearest(of, regions.names)} Known: {listed}.")


def _area(what: str, regions: Regions, of: str) -> np.ndarray:
    """Where a region is, 1 and 0."""
    _known(what, regions, of)
    here = regions.classes == regions.names.index(of) if of else regions.classes > 0
    return here.astype(np.uint8)


_ALL = (areas, keep, named, count, rule, gate, crop_to, each, told, join, assemble, portrait, cut_out)
VERBS = {one.__name__: one for one in _ALL}
