"""Shift, and turn and scale, from the phases of waves."""

from __future__ import annotations

import numpy as np

from sightline.core.relation import Move, edged
from sightline.matchers._climb import climb, judged, pyramid
from sightline.matchers._light import floats
from sightline.matchers._waves import shift_of, turn_of

_CHANCE = 1.8  # times the highest peak that chance makes: one half sure


def phase(first: np.ndarray, second: np.ndarray, *, turned: bool = False, fine: bool = True) -> Move:
    """How far one picture is shifted, from the peak of phase correlation; `turned` finds turn and scale as well.

    Takes noise and light that changes, and needs about half of a picture in common. `fine` goes on from the peak to
    a hundredth of a pixel by the light of all that both show.
    """
    one, two = floats(first, second, "phase")
    if turned:
        kind = "similarity"
        matrix, peak = turn_of(one, two)
    else:
        kind = "shift"
        (x, y), peak = shift_of(one, two)
        matrix = np.array([[1, 0, x], [0, 1, y], [0, 0, 1.0]])
    score = float(1 - 0.5 ** (peak / _CHANCE))
    if fine and score >= 0.5:
        matrix = _refined(one, two, matrix, kind)
    return Move(edged(np.linalg.inv(matrix)), kind, _size(one), _size(two), score)


def _refined(first: np.ndarray, second: np.ndarray, matrix: np.ndarray, kind: str) -> np.ndarray:
    """The same to a hundredth of a pixel, where the light of both agrees no worse so."""
    levels = pyramid(first, second, most=1 if kind == "shift" else 3)
    found, agree, _ = climb(levels, matrix, kind)
    near = kind != "shift" or np.abs((found - matrix)[:2, 2]).max() < 3.0
    return found if near and agree >= judged(levels[-1], matrix)[0] else matrix


def _size(light: np.ndarray) -> tuple[int, int]:
    return int(light.shape[0]), int(light.shape[1])
