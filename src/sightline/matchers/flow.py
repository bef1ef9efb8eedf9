"""Where everything went between two pictures of a scene that moves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

from sightline.core.asked import number, word
from sightline.core.errors import InputError, SettingsError
from sightline.core.relation import Field, Matches
from sightline.matchers._home import confirmed
from sightline.matchers._light import levels, nothing, same_size

_PRESETS = ("ultrafast", "fast", "medium")
_HOME = 0.5  # pixels by which a corner that is followed there and back may miss
_LEAST = 4  # corners


def lucas_kanade(
    first: np.ndarray, second: np.ndarray, *, most: int = 2000, window: int = 21, dense: bool = False
) -> Matches | Field:
    """Corners followed from coarse to fine (Lucas and Kanade 1981; Bouguet 2000), kept if the way back leads home.

    `dense` answers with a step for every pixel, drawn straight between the corners. `window` pixels around a corner
    move together; `most` corners are followed.
    """
    number("lucas_kanade", "most", most, 4, 100_000)
    number("lucas_kanade", "window", window, 5, 101)
    one, two = levels(first, second, "lucas_kanade", alike=True)
    same_size(one, two, "lucas_kanade")
    corners = cv2.goodFeaturesToTrack(one, most, 0.005, 5, blockSize=5)
    if corners is None or len(corners) < _LEAST:
        raise nothing("lucas_kanade", "the first picture has too few corners")
    start = np.asarray(corners, np.float32).reshape(-1, 1, 2)
    options: dict[str, Any] = {"winSize": (window, window), "maxLevel": 4}
    there, found, _ = cv2.calcOpticalFlowPyrLK(one, two, start, None, **options)
    back, again, _ = cv2.calcOpticalFlowPyrLK(two, one, there, None, **options)
    missed = np.hypot(*(back - start).reshape(-1, 2).T)
    kept = (found.ravel() > 0) & (again.ravel() > 0) & (missed < _HOME) & _within(there.reshape(-1, 2), two.shape)
    size = (int(one.shape[0]), int(one.shape[1]))
    if kept.sum() < _LEAST:
        raise nothing("lucas_kanade", f"{int(kept.sum())} of {len(start)} corners were found again")
    points = np.concatenate([start.reshape(-1, 2), there.reshape(-1, 2)], 1)[kept].astype(np.float64) + 0.5
    made = Matches(points, (1 - missed[kept] / _HOME).astype(np.float32), size, size, float(kept.mean()))
    return _drawn(made) if dense else made


def farneback(
    first: np.ndarray, second: np.ndarray, *, window: int = 15, levels_down: int = 5, check: bool = True
) -> Field:
    """A step for every pixel, from parabolas fitted to the light around each (Farneback 2003); smooth and sturdy.

    `check` walks the way back as well, which tells what is seen in both pictures and how sure the answer is.
    """
    number("farneback", "window", window, 5, 101)
    number("farneback", "levels_down", levels_down, 0, 10)

    def walk(one: np.ndarray, two: np.ndarray) -> np.ndarray:
        made = cv2.calcOpticalFlowFarneback(one, two, None, 0.5, levels_down, window, 3, 7, 1.5, 0)
        return np.asarray(made)

    return _field(first, second, "farneback", walk, check)


def dis(first: np.ndarray, second: np.ndarray, *, preset: str = "medium", check: bool = True) -> Field:
    """A step for every pixel, from patches searched coarse to fine and smoothed (Kroeger 2016); fast and sharp.

    `preset`: ultrafast, fast or medium. `check` walks the way back as well, which tells what is seen in both pictures
    and how sure the answer is.
    """
    word("dis", "preset", preset, _PRESETS)

    def walk(one: np.ndarray, two: np.ndarray) -> np.ndarray:
        tools: Any = cv2
        return np.asarray(tools.DISOpticalFlow_create(_PRESETS.index(preset)).calc(one, two, None))

    return _field(first, second, "dis", walk, check)


def _field(
    first: np.ndarray, second: np.ndarray, what: str, walk: Callable[[np.ndarray, np.ndarray], np.ndarray], check: bool
) -> Field:
    one, two = levels(first, second, what, alike=True)
    same_size(one, two, what)
    try:
        there = walk(one, two)
        if not check:
            return Field(there, (int(two.shape[0]), int(two.shape[1])))
        back = walk(two, one)
    except cv2.error as error:
        raise InputError("mismatch", f"{what} cannot take pictures of {one.shape} pixels: {error.err}.") from error
    if not (np.isfinite(there).all() and np.isfinite(back).all()):
        raise SettingsError(f"{what}: these settings give steps that are no numbers; take a larger window.")
    return confirmed(there, back, one, two)


def _within(places: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    x, y = places.T
    return np.asarray((x >= 0) & (y >= 0) & (x <= shape[1] - 1) & (y <= shape[0] - 1))


def _drawn(matches: Matches) -> Field:
    """Steps between corners: linear on triangles, those of the nearest corner outside of them."""
    from scipy.interpolate import LinearNDInterpolator, NearestNDInterpolator

    rows, columns = matches.first
    place, step = matches.points[:, :2], matches.points[:, 2:] - matches.points[:, :2]
    x, y = np.meshgrid(np.arange(columns) + 0.5, np.arange(rows) + 0.5)
    made = LinearNDInterpolator(place, step)(x, y)
    outside = np.isnan(made[..., 0])
    made[outside] = NearestNDInterpolator(place, step)(x[outside], y[outside])
    return Field(made.astype(np.float32), matches.second, ~outside, matches.score)
