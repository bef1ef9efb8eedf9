"""Every way of composing by its word, and what it made as pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sightline.composing import _asked
from sightline.composing._pictures import Pictures
from sightline.core import catalog
from sightline.core.annotations import Heatmap
from sightline.core.depth import unit
from sightline.core.errors import SettingsError, nearest
from sightline.core.progress import Tell, silent
from sightline.core.relation import Field, Matches, Move

WAYS = ("align", "panorama", "burst", "focus", "fuse", "difference", "flow")


@dataclass(frozen=True, slots=True)
class Composed:
    """What came of it: pictures to keep, facts, and a sheet to look at."""

    line: str
    pictures: tuple[np.ndarray, ...]
    facts: Mapping[str, Any]
    shown: np.ndarray  # uint8, three channels


def compose(way: str, pictures: Any, *, by: str | None = None, tell: Tell = silent, **settings: Any) -> Composed:
    """Pictures composed in one of `WAYS`; `by` names the matcher, `none` pictures that lie on each other already.

    Settings are those of the way and of the matcher.
    """
    if way not in WAYS:
        raise SettingsError(f"'{way}' is no way to compose.{nearest(way, WAYS)} Known: {', '.join(WAYS)}.")
    if way == "flow":
        return _flow(pictures, by or "dis", settings)
    function = _function(way)
    own = {name: value for name, value in settings.items() if _asked.takes(function, name)}
    _asked.check(function, own, way)
    given = Pictures(pictures, way, alike=way != "align")
    words: dict[str, Any] = {} if by is None else {"by": None if by == "none" else by}
    if by == "none" and way in ("align", "panorama"):
        raise SettingsError(
            f"{way} must find how pictures lie; name a matcher: {', '.join(catalog.names('matchers'))}."
        )
    if way != "difference":
        words["tell"] = tell
    made = function(given.images, **settings, **words)
    kept = made.pictures if way == "align" else (made.heatmap.scores,) if way == "difference" else (made.pixels,)
    return Composed(made.line, kept, made.to_json(), _shown(way, made, given))


def _function(way: str) -> Callable[..., Any]:
    import importlib

    module = importlib.import_module(f"sightline.composing.{way}")
    function: Callable[..., Any] = getattr(module, "focus_stack" if way == "focus" else way)
    return function


def _flow(pictures: Any, by: str, settings: Mapping[str, Any]) -> Composed:
    """Where everything went, as a picture of steps."""
    given = Pictures(pictures, "flow", alike=False)
    if len(given) != 2:
        raise SettingsError(f"flow takes two pictures, not {len(given)}.")
    match = catalog.find("matchers", by)
    _asked.check(match, settings, by)
    first, second = given[0], given[1]
    found = match(first, second, **settings)
    if isinstance(found, Matches):
        raise SettingsError(f"flow: '{by}' answers with places. For a step of every pixel write --set dense=true.")
    field = _as_field(found) if isinstance(found, Move) else found
    facts = {**field.to_json(), "by": by}
    seen = "" if field.seen is None else f"; {field.seen.mean():.0%} is in both"
    line = f"steps of {facts['mean']:.2f} pixels on average, {facts['longest']:.1f} at most{seen}"
    return Composed(line, (field.steps,), facts, _row([display(first), drawn(field)]))


def _as_field(move: Move) -> Field:
    rows, columns = move.first
    x, y = np.meshgrid(np.arange(columns) + 0.5, np.arange(rows) + 0.5)
    places = np.stack([x.ravel(), y.ravel()], 1)
    steps = (move.inverse().warp.points(places) - places).reshape(rows, columns, 2)
    return Field(steps.astype(np.float32), move.second, None, move.score)


def drawn(field: Field, longest: float | None = None) -> np.ndarray:
    """Steps as colours: the hue says where to, the strength how far; dark is what only the first picture shows."""
    import cv2

    lengths = field.lengths
    most = longest or max(1e-6, float(np.percentile(lengths, 99)))
    angle = np.arctan2(field.steps[..., 1], field.steps[..., 0])
    colour = np.empty((*lengths.shape, 3), np.uint8)
    colour[..., 0] = (angle / (2 * np.pi) % 1.0) * 179
    colour[..., 1] = np.clip(lengths / most, 0, 1) * 255
    colour[..., 2] = 255 if field.seen is None else np.where(field.seen, 255, 110)
    return np.asarray(cv2.cvtColor(colour, cv2.COLOR_HSV2RGB))


def display(pixels: np.ndarray) -> np.ndarray:
    """Eight bits, three channels."""
    seen = unit(pixels)
    seen = seen[..., :3] if seen.shape[2] >= 3 else seen[..., :1]
    return np.ascontiguousarray(np.broadcast_to(np.rint(seen * 255), (*seen.shape[:2], 3))).astype(np.uint8)


def _shown(way: str, made: Any, given: Pictures) -> np.ndarray:
    """The first pictures that were given, and what came of them."""
    few = [display(given[place]) for place in range(min(3, len(given)))]
    if way == "align":
        return _row([*(display(picture) for picture in made.pictures[:3]), _checkered(made.pictures)])
    if way == "difference":
        over = catalog.find("overlays", "heatmap")(few[0], Heatmap(made.heatmap.scores, made.heatmap.score))
        return _row([*few, catalog.find("overlays", "objects")(over[: len(few[0])], made.objects)])
    if way == "panorama":
        return display(made.pixels)
    return _row([*few, display(made.pixels)])


def _checkered(pictures: tuple[np.ndarray, ...], squares: int = 8) -> np.ndarray:
    """The first and the last in turns, as on a chessboard: lines that go on across squares are aligned."""
    one, two = display(pictures[0]), display(pictures[-1])
    rows, columns = one.shape[:2]
    side = max(1, max(rows, columns) // squares)
    black = (np.arange(rows)[:, None] // side + np.arange(columns) // side) % 2 == 0
    return np.where(black[..., None], one, two)


def _row(pictures: list[np.ndarray], gap: int = 6) -> np.ndarray:
    """Side by side, the lower ones on white."""
    high = max(len(picture) for picture in pictures)
    parts = []
    for picture in pictures:
        board = np.full((high, picture.shape[1] + gap, 3), 255, np.uint8)
        board[: len(picture), : picture.shape[1]] = picture
        parts.append(board)
    return np.concatenate(parts, 1)[:, :-gap]
