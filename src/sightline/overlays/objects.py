"""Things with a place: crisp outlines, tinted masks, keypoints, and tags that stay inside the picture."""

from __future__ import annotations

import numpy as np

from sightline.core import geometry
from sightline.core.annotations import Objects
from sightline.core.objects import Rings
from sightline.overlays._letters import cut, height_of, width_of, write
from sightline.overlays._paint import (
    PAPER,
    Colour,
    check_shape,
    colours,
    contrast,
    display,
    inner_edge,
    lay,
    letter_size,
    line_width,
    named,
    shade,
)

CROWD = 12  # things, from which small ones are no longer all named
_FAR = 1e6  # pixels; farther corners would overflow the drawing library and are out of sight anyway
_Place = tuple[int, int, int, int]


def objects(image: np.ndarray, annotation: Objects, *, least: float = 0.0, tags: bool = True) -> np.ndarray:
    """Boxes (upright or rotated), masks, keypoints and tags of everything that scores at least `least`."""
    picture = display(image)
    scores = np.ones(len(annotation)) if annotation.scores is None else annotation.scores
    rows = [int(row) for row in np.argsort(scores, kind="stable") if scores[row] >= least]
    palette = colours(annotation.names)
    numbers = annotation.classes.tolist()
    paint = [palette[n] if 0 <= n < len(palette) else colours([named(annotation.names, n)])[0] for n in numbers]
    if annotation.masks is not None and rows:
        check_shape(annotation.masks.shape[1:], picture, "a mask")
        for row in rows:
            mask = annotation.masks[row].astype(bool)
            lay(picture, mask, paint[row], 0.42)
            lay(picture, inner_edge(mask, line_width(picture)), paint[row], 1.0)
    for row in rows:
        rings = annotation.outlines[row] if annotation.outlines is not None and annotation.masks is None else ()
        if rings:
            _rings(picture, rings, paint[row])
        else:
            _outline(picture, annotation.boxes[row], paint[row])
    for row in rows if annotation.keypoints is not None else ():
        _keypoints(picture, np.asarray(annotation.keypoints)[row], paint[row])
    if tags:
        _tags(picture, annotation, [row for row in rows if np.isfinite(annotation.boxes[row]).all()], paint)
    return picture


def _outline(picture: np.ndarray, box: np.ndarray, colour: Colour) -> None:
    import cv2

    if not np.isfinite(box).all():
        return
    thick = line_width(picture)
    if len(box) == 5:
        corners = cv2.boxPoints(((float(box[0]), float(box[1])), (float(box[2]), float(box[3])), np.degrees(box[4])))
        # Four binary places of a pixel keep the sides of a rotated box straight.
        fine = np.rint((np.clip(corners, -_FAR, _FAR) - 0.5) * 16).astype(np.int32)
        cv2.polylines(picture, [fine], True, colour, thick, cv2.LINE_AA, 4)
        return
    x0, y0, x1, y1 = _pixels(picture, box)
    if x1 <= x0 or y1 <= y0:
        return
    inside = picture[y0:y1, x0:x1]
    for edge in (inside[:thick], inside[-thick:], inside[:, :thick], inside[:, -thick:]):
        edge[...] = colour
    # A dim line within sets the outline off from ground of its own colour.
    if thick > 1 and min(inside.shape[:2]) > 4 * thick:
        rim = np.zeros(inside.shape[:2], bool)
        rim[thick:-thick, thick:-thick] = True
        rim[thick + 1 : -thick - 1, thick + 1 : -thick - 1] = False
        lay(inside, rim, (0, 0, 0), 0.35)


def _rings(picture: np.ndarray, rings: Rings, colour: Colour) -> None:
    """The outline itself, with a dim line around it that sets it off from ground of its own colour."""
    import cv2

    fine = [np.rint((np.clip(ring, -_FAR, _FAR) - 0.5) * 16).astype(np.int32) for ring in rings if len(ring) > 1]
    thick = line_width(picture)
    for width, paint in ((thick + 2, shade(colour, 0.3)), (thick, colour)):
        cv2.polylines(picture, fine, True, paint, width, cv2.LINE_AA, 4)


def _keypoints(picture: np.ndarray, points: np.ndarray, colour: Colour) -> None:
    """Seen ones full, hidden ones hollow; each with a light rim, so that they show on any ground."""
    import cv2

    radius = max(2, line_width(picture) + 1)
    for x, y, seen in points.tolist():
        if seen <= 0 or not np.isfinite([x, y]).all():
            continue
        place = tuple(round((float(np.clip(part, -_FAR, _FAR)) - 0.5) * 16) for part in (x, y))
        cv2.circle(picture, place, (radius + 1) * 16, PAPER, -1, cv2.LINE_AA, 4)
        cv2.circle(picture, place, radius * 16, colour if seen > 1 else shade(colour, 0.45), -1, cv2.LINE_AA, 4)
        if seen <= 1:
            cv2.circle(picture, place, (radius - 1) * 16, PAPER, -1, cv2.LINE_AA, 4)


def _tags(picture: np.ndarray, annotation: Objects, rows: list[int], paint: list[Colour]) -> None:
    """Best first where there is room; no tag hides another one.

    In a crowd the tags would hide the things: only the best of each class, and things larger than their tag, get one.
    """
    size = letter_size(picture)
    pad = max(2, size // 4)
    high = height_of(size) + pad
    room = picture.shape[1] - 2 * pad
    if picture.shape[0] < 2 * high:
        return
    boxes = annotation.boxes if annotation.boxes.shape[1] == 4 else geometry.upright(annotation.boxes)
    placed: list[_Place] = []
    told: set[int] = set()
    for row in reversed(rows):
        text = cut(_says(annotation, row), size, room)
        x0, y0, x1, y1 = _pixels(picture, boxes[row])
        if not text or x1 <= x0 or y1 <= y0:
            continue
        wide = width_of(text, size) + 2 * pad
        small = (x1 - x0) * (y1 - y0) < 4 * wide * high
        if small and len(rows) > CROWD and int(annotation.classes[row]) in told:
            continue
        place = _free(picture, (x0, y0, x1, y1), wide, high, placed)
        if place is None:
            continue
        placed.append(place)
        told.add(int(annotation.classes[row]))
        picture[place[1] : place[3], place[0] : place[2]] = paint[row]
        write(picture, place[0] + pad, place[1] + pad // 2, text, size, contrast(paint[row]))


def _says(annotation: Objects, row: int) -> str:
    """Name, track, text and score, as far as they are known."""
    words = [named(annotation.names, int(annotation.classes[row]))]
    if annotation.tracks is not None:
        words.append(f"#{int(annotation.tracks[row])}")
    if annotation.texts is not None and annotation.texts[row]:
        words.append(f"“{annotation.texts[row]}”")
    if annotation.scores is not None:
        words.append(f"{float(annotation.scores[row]):.2f}")
    return " ".join(words)


def _free(picture: np.ndarray, box: _Place, wide: int, high: int, placed: list[_Place]) -> _Place | None:
    """The first spot beside or in the box that is inside the picture and free: above, within, below."""
    x0, y0, x1, y1 = box
    lefts = dict.fromkeys((min(x0, picture.shape[1] - wide), max(0, min(x1, picture.shape[1]) - wide)))
    for top in (y0 - high, y0, y1, y1 - high):
        for left in lefts:
            spot = (left, top, left + wide, top + high)
            if left < 0 or top < 0 or spot[3] > picture.shape[0]:
                continue
            if all(spot[0] >= o[2] or o[0] >= spot[2] or spot[1] >= o[3] or o[1] >= spot[3] for o in placed):
                return spot
    return None


def _pixels(picture: np.ndarray, box: np.ndarray) -> _Place:
    """The whole pixels that a box touches, inside the picture."""
    rows, columns = picture.shape[:2]
    x0, y0 = np.floor(np.clip(box[:2], 0, (columns, rows)) + 1e-3).astype(int)
    x1, y1 = np.ceil(np.clip(box[2:4], 0, (columns, rows)) - 1e-3).astype(int)
    return int(x0), int(y0), int(x1), int(y1)
