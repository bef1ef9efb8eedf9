"""Templates: where a picture shows what another, smaller one shows."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sightline.core import geometry
from sightline.core.annotations import Objects
from sightline.core.asked import one_of, wholes, within
from sightline.core.errors import SettingsError
from sightline.core.image import read_image
from sightline.finders._light import unit_plane

METHODS = ("ncc", "ssd")
_ABOVE = 1.01  # a score beyond this comes from a plain place, which has no correlation
_PLAIN = 1e-4  # spread of light below which a template shows nothing


def template(
    image: np.ndarray,
    *,
    like: Any = None,
    least: float = 0.8,
    scales: str | float | Sequence[float] = "1",
    turns: str | float | Sequence[float] = "0",
    method: str = "ncc",
    overlap: float = 0.3,
    count: int = 100,
) -> Objects:
    """Places that look `like` a small picture: an array, a file, or several of them (in text with commas between).

    It is tried at each of `scales` and turned by each of `turns` (degrees, clockwise). With `ncc` the score is the
    correlation of light with mean and contrast taken away, so that a change of lamp does no harm; with `ssd` it is 1
    less the squared difference as a share of the light. The `count` best of at least `least` are kept that share no
    more than `overlap` of their boxes. Outlines are turned with the template; `details` say which scale and turn.
    """
    one_of("template", METHODS, method=method)
    within("template", 0.05, 1, least=least)
    within("template", 0, 1, overlap=overlap)
    wholes("template", 1, 100_000, count=count)
    sizes, angles = _numbers("scales", scales, 0.05, 20), _numbers("turns", turns, -360, 360)
    gray, shown = unit_plane(image, "template"), _templates(like)
    found: list[tuple[float, int, float, float, np.ndarray]] = []
    for number, (_, small) in enumerate(shown):
        for scale in sizes:
            for angle in angles:
                patch, mask, corners = _turned(small, scale, angle)
                for score, x, y in _matches(gray, patch, mask, method, least, count):
                    found.append((score, number, scale, angle, corners + np.array([x, y], np.float32)))
    found.sort(key=lambda one: -one[0])
    names = tuple(name for name, _ in shown)
    rings = [one[4] for one in found]
    boxes = np.array([[*ring.min(0), *ring.max(0)] for ring in rings], np.float32).reshape(-1, 4)
    scores = np.array([one[0] for one in found], np.float32)
    classes = np.array([one[1] for one in found], np.int64)
    rows = geometry.suppress(boxes, scores, np.zeros(len(boxes)), overlap)[:count].tolist()
    return Objects(
        boxes[rows], classes[rows], names, scores[rows], outlines=tuple((rings[row],) for row in rows),
        details=tuple({"scale": found[row][2], "turn": found[row][3]} for row in rows),
    )  # fmt: skip


def _numbers(name: str, given: str | float | Sequence[float], low: float, high: float) -> list[float]:
    parts = given.split(",") if isinstance(given, str) else given if isinstance(given, Sequence) else [given]
    try:
        made = [float(part) for part in parts]
    except (TypeError, ValueError):
        raise SettingsError(f"template: {name} = {given}: give numbers with commas between, as in 0.5,1,2.") from None
    if not made:
        raise SettingsError(f"template: {name} = {given}: give at least one number.")
    for number in made:
        within("template", low, high, **{name: number})
    return made


def _templates(like: Any) -> list[tuple[str, np.ndarray]]:
    """Names and planes of what is looked for."""
    if like is None or (isinstance(like, str) and not like):
        raise SettingsError("template: like = nothing: give the picture to look for, as an array or a file.")
    each = like.split(",") if isinstance(like, str) else list(like) if isinstance(like, list | tuple) else [like]
    made = []
    for number, one in enumerate(each, 1):
        known = isinstance(one, str | Path)
        pixels = read_image(Path(one)) if known else one
        plane = unit_plane(pixels, "template")
        if float(plane.std()) < _PLAIN:
            raise SettingsError(
                f"template: like = {one if known else f'picture {number}'}: it is plain, so it is like anything plain."
            )
        made.append((Path(one).stem if known else f"template {number}" if len(each) > 1 else "template", plane))
    return made


def _turned(small: np.ndarray, scale: float, angle: float) -> tuple[np.ndarray, np.ndarray | None, np.ndarray]:
    """The template at a scale, turned; the pixels that it covers (None: all); its four corners."""
    import cv2

    rows, columns = (max(1, round(side * scale)) for side in small.shape)
    if (rows, columns) != small.shape:
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        small = np.asarray(cv2.resize(small, (columns, rows), interpolation=how)).reshape(rows, columns)
    box = np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]], np.float32)
    quarter = angle / 90
    if quarter == round(quarter):
        small = np.ascontiguousarray(np.rot90(small, -round(quarter)))
        tall, wide = small.shape
        return small, None, np.array([[0, 0], [wide, 0], [wide, tall], [0, tall]], np.float32)
    turn = np.deg2rad(angle)
    way = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    corners = (box - box.mean(0)) @ way.T
    wide, tall = (int(np.ceil(np.ptp(corners[:, axis]) - 1e-6)) for axis in (0, 1))
    middle = np.array([wide, tall]) / 2
    shift = middle - 0.5 - way @ (np.array([columns, rows]) / 2 - 0.5)
    move = np.concatenate([way, shift[:, None]], 1)
    made = cv2.warpAffine(small, move, (wide, tall), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    mask = cv2.warpAffine(np.ones_like(small), move, (wide, tall), flags=cv2.INTER_LINEAR)
    covered = (np.asarray(mask).reshape(tall, wide) > 0.99).astype(np.float32)
    return np.asarray(made).reshape(tall, wide), covered, (corners + middle).astype(np.float32)


def _matches(
    gray: np.ndarray, patch: np.ndarray, mask: np.ndarray | None, method: str, least: float, count: int
) -> list[tuple[float, float, float]]:
    """Scores and corners of the best places, none next to a better one."""
    import cv2

    rows, columns = patch.shape
    if rows > gray.shape[0] or columns > gray.shape[1] or (mask is not None and not mask.any()):
        return []
    how = cv2.TM_CCOEFF_NORMED if method == "ncc" else cv2.TM_SQDIFF_NORMED
    made = cv2.matchTemplate(gray, patch, how, mask=mask)
    made = np.asarray(made, np.float32).reshape(gray.shape[0] - rows + 1, gray.shape[1] - columns + 1)
    if method == "ssd":
        made = 1 - made
    y, x = _peaks(made, least)
    scores = np.minimum(made[y, x], 1)
    best = np.argsort(-scores, kind="stable")[: 20 * count]
    return [(float(scores[row]), float(x[row]), float(y[row])) for row in best]


def _peaks(made: np.ndarray, least: float) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of scores of at least so much that none beside them beats."""
    import cv2

    places = cv2.findNonZero((made >= np.float32(least)).view(np.uint8))
    x, y = np.zeros((2, 0), np.int64) if places is None else np.asarray(places, np.int64).reshape(-1, 2).T
    scores = made[y, x]
    kept = scores <= _ABOVE
    for down, right in itertools.product((-1, 0, 1), repeat=2):
        kept &= scores >= made[np.clip(y + down, 0, len(made) - 1), np.clip(x + right, 0, made.shape[1] - 1)]
    return y[kept], x[kept]
