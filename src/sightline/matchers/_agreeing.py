"""The move that most pairs of places agree with."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np

from sightline.core.relation import SURE, Matches, Move, centred, corners_of, edged, sureness
from sightline.core.warp import Warp
from sightline.matchers._climb import climb, judged, pyramid
from sightline.matchers._light import nothing

_TRIES = 20_000
_CERTAIN = 0.9999
_GROWTH = 30.0  # times by which no side of a picture grows or shrinks
_NEED = {"shift": 1, "similarity": 2, "affine": 3, "homography": 4}


def fitted(matches: Matches, kind: str, within: float, what: str) -> Move:
    """The move, with its agreeing points; a score below one half where they may agree by chance."""
    least = _NEED[kind] + 2
    if len(matches) < least:
        raise nothing(what, f"{len(matches)} places look alike in the two pictures; {least} are needed")
    place, other = matches.points[:, :2], matches.points[:, 2:]
    matrix, agree = _robust(other, place, kind, within)
    for _ in range(3):  # the best move for all that agree, and again who agrees
        if matrix is None or agree.sum() < least:
            raise nothing(what, f"{len(matches)} places look alike, but they agree on no move")
        matrix = _least_squares(other[agree], place[agree], kind, matrix)
        missed = np.hypot(*(Warp(matrix, matches.second, matches.first).points(other) - place).T)
        now = missed < within
        if (now == agree).all():
            break
        agree = now
    if matrix is None or not _sane(matrix, matches):
        raise nothing(what, "the move that most places agree with folds or shrinks the picture to nothing")
    distinct = len(np.unique(np.rint(place[agree]), axis=0))
    return Move(matrix, kind, matches.first, matches.second, sureness(distinct, len(matches)), matches, agree)


def refined(move: Move, first: np.ndarray, second: np.ndarray, within: float) -> Move:
    """The move under which light agrees best near by, if light then agrees better and no fewer places do."""
    if move.score < SURE or move.matches is None or move.inliers is None:
        return move
    start = centred(np.linalg.inv(move.matrix))
    steps = pyramid(*(light.astype(np.float32) * np.float32(1 / 255) for light in (first, second)), most=2)
    found, agree, _ = climb(steps, start / start[2, 2], move.kind)
    if agree <= judged(steps[-1], start)[0]:
        return move
    matrix = edged(np.linalg.inv(found))
    matrix /= matrix[2, 2]
    points = move.matches.points
    missed = np.hypot(*(Warp(matrix, move.second, move.first).points(points[:, 2:]) - points[:, :2]).T)
    now = missed < within
    if now.sum() < 0.9 * move.inliers.sum():
        return move
    return replace(move, matrix=matrix, inliers=now)


def _robust(source: np.ndarray, target: np.ndarray, kind: str, within: float) -> tuple[np.ndarray | None, np.ndarray]:
    tools: Any = cv2
    # Single precision has room for places of the largest pictures only if counted from the middle.
    middle, centre = source.mean(0), target.mean(0)
    given = [(part - mean).astype(np.float32) for part, mean in ((source, middle), (target, centre))]
    if kind == "homography":
        found, mask = tools.findHomography(*given, tools.USAC_MAGSAC, within, None, _TRIES, _CERTAIN)
    elif kind == "affine":
        found, mask = tools.estimateAffine2D(*given, None, tools.RANSAC, within, _TRIES, _CERTAIN)
    elif kind == "similarity":
        found, mask = tools.estimateAffinePartial2D(*given, None, tools.RANSAC, within, _TRIES, _CERTAIN)
    else:
        return _shifted(source, target, within)
    if found is None or mask is None or not np.size(found):
        return None, np.zeros(len(source), bool)
    matrix = np.eye(3)
    matrix[: len(found)] = found
    to, back = np.eye(3), np.eye(3)
    to[:2, 2], back[:2, 2] = centre, -middle
    return to @ matrix @ back, np.asarray(mask).ravel() > 0


def _shifted(source: np.ndarray, target: np.ndarray, within: float) -> tuple[np.ndarray, np.ndarray]:
    """Each pair proposes its own shift; that of most friends wins."""
    steps = target - source
    asked = steps[:: max(1, len(steps) // 500)]
    friends = (np.hypot(*(asked[:, None] - steps[None]).transpose(2, 0, 1)) < within).sum(1)
    matrix = np.eye(3)
    matrix[:2, 2] = asked[int(friends.argmax())]
    return matrix, np.hypot(*(steps - matrix[:2, 2]).T) < within


def _least_squares(source: np.ndarray, target: np.ndarray, kind: str, start: np.ndarray) -> np.ndarray:
    """The move of this kind that misses the targets least."""
    made = np.eye(3)
    if kind == "shift":
        made[:2, 2] = (target - source).mean(0)
    elif kind == "similarity":
        middle, centre = source.mean(0), target.mean(0)
        one = (source - middle) @ np.array([1, 1j])
        two = (target - centre) @ np.array([1, 1j])
        turn = np.vdot(one, two) / max(float(np.vdot(one, one).real), 1e-12)
        made[:2, :2] = [[turn.real, -turn.imag], [turn.imag, turn.real]]
        made[:2, 2] = centre - made[:2, :2] @ middle
    elif kind == "affine":
        rows = np.concatenate([source, np.ones((len(source), 1))], 1)
        made[:2] = np.linalg.lstsq(rows, target, rcond=None)[0].T
    else:
        made = _perspective(source, target, start)
    return made


def _perspective(source: np.ndarray, target: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Gauss-Newton steps on what points miss, in coordinates of about one."""
    to, back = _about_one(source), _about_one(target)
    places = source @ to[:2, :2].T + to[:2, 2]
    goals = target @ back[:2, :2].T + back[:2, 2]
    matrix = back @ matrix @ np.linalg.inv(to)
    matrix = matrix / matrix[2, 2]
    full = np.concatenate([places, np.ones((len(places), 1))], 1)
    for _ in range(10):
        laid = full @ matrix.T
        depth = laid[:, 2:]
        seen = laid[:, :2] / depth
        slopes = np.zeros((len(full), 2, 8))
        slopes[:, 0, :3] = slopes[:, 1, 3:6] = full / depth
        slopes[:, :, 6:] = -seen[:, :, None] * (places / depth)[:, None, :]
        step = np.linalg.lstsq(slopes.reshape(-1, 8), (goals - seen).ravel(), rcond=None)[0]
        matrix = matrix + np.append(step, 0.0).reshape(3, 3)
        if np.abs(step).max() < 1e-10:
            break
    matrix = np.linalg.inv(back) @ matrix @ to
    return np.asarray(matrix / matrix[2, 2])


def _about_one(places: np.ndarray) -> np.ndarray:
    middle = places.mean(0)
    scale = 1 / max(float(np.abs(places - middle).mean()), 1e-9)
    return np.array([[scale, 0, -scale * middle[0]], [0, scale, -scale * middle[1]], [0, 0, 1]])


def _sane(matrix: np.ndarray, matches: Matches) -> bool:
    """Whether the frame of the second stays a frame: in front of the camera, convex, neither speck nor world."""
    if not np.isfinite(matrix).all():
        return False
    corners = corners_of(matches.second)
    depth = corners @ matrix[2, :2] + matrix[2, 2]
    if depth.min() <= 1e-3 * depth.max():
        return False
    laid = Warp(matrix, matches.second, matches.first).points(corners)
    sides, old = (np.hypot(*(np.roll(part, -1, 0) - part).T) for part in (laid, corners))
    growth = sides / old
    return bool(cv2.isContourConvex(laid.astype(np.float32)) and growth.max() < _GROWTH and growth.min() > 1 / _GROWTH)
