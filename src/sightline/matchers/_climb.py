"""From a rough move to the best one, by the light of the whole picture: coarse to fine, a few steps a level.

What the first picture would look like if the second were moved a little is worked out once a level; gain and level of
light are found along with the move (inverse compositional steps, Baker and Matthews 2004, with light as in Bartoli
2008). Matrices here lead from the first to the second, with the middle of the first pixel at 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

FINEST = 1_000_000  # pixels; larger pictures are matched at a half, a quarter ...
_COARSEST = 40  # rows or columns
_STEPS = 25  # at most, a level
_FRAME = 3  # pixels that smoothing and halving spoil
_RIM = 12  # the same of the bands in which likeness is judged
_STILL = 2e-3  # pixels of a corner, below which a level is done


@dataclass(frozen=True, slots=True)
class Level:
    """Two pictures at one scale."""

    first: np.ndarray
    second: np.ndarray
    scale: float  # of the whole

    def down(self, matrix: np.ndarray) -> np.ndarray:
        """A matrix of whole pictures as one of this level."""
        return _rescaled(matrix, self.scale)

    def up(self, matrix: np.ndarray) -> np.ndarray:
        """The way back."""
        return _rescaled(matrix, 1 / self.scale)


def pyramid(first: np.ndarray, second: np.ndarray, *, most: int = 99, soft: float = 1.0) -> list[Level]:
    """Both pictures at half sizes, the coarsest first, at most so many, each softened a little."""
    made, scale = [], 1.0
    one, two = first, second
    while True:
        if one.size <= FINEST * 1.5 or min(*one.shape, *two.shape) < 2 * _COARSEST:
            made.append(Level(_soft(one, soft), _soft(two, soft), scale))
        if len(made) == most or min(*one.shape, *two.shape) < 2 * _COARSEST:
            return made[::-1]
        one, two, scale = cv2.pyrDown(one), cv2.pyrDown(two), scale / 2


def climb(levels: list[Level], matrix: np.ndarray, kind: str) -> tuple[np.ndarray, float, float]:
    """The best move of this kind from here, how well both pictures then agree (-1 to 1), and on what share."""
    share = 0.0
    for level in levels:
        slopes, small = _slopes(level.first, kind)
        here = level.down(matrix)
        for _ in range(_STEPS):
            laid, seen = lay(level.second, here, level.first.shape)
            share = float(seen.mean())
            if share < 0.05:
                return matrix, 0.0, share
            step, _ = _step(level.first, laid, seen, slopes)
            if step is None:
                return matrix, 0.0, share
            change = small @ change_of(step, kind) @ np.linalg.inv(small)
            here = here @ np.linalg.inv(change)
            here = here / here[2, 2]
            if _moved(change, level.first.shape) < _STILL:
                break
        matrix = level.up(here)
    return matrix, *judged(levels[-1], matrix)


def judged(level: Level, matrix: np.ndarray) -> tuple[float, float]:
    """How alike both pictures are under this move (-1 to 1), and on what share of the first."""
    laid, seen = lay(level.second, level.down(matrix), level.first.shape)
    return likeness(level.first, laid, seen), float(seen.mean())


def lay(second: np.ndarray, matrix: np.ndarray, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """The second as the first would show it, and where both are known well enough to be compared."""
    size = shape[1], shape[0]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    inside = _framed(second.shape)
    if np.array_equal(matrix[2], [0, 0, 1]):
        laid = cv2.warpAffine(second, matrix[:2], size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        seen = cv2.warpAffine(inside, matrix[:2], size, flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP)
    else:
        laid = cv2.warpPerspective(second, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        seen = cv2.warpPerspective(inside, matrix, size, flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP)
    seen &= _framed(shape)
    return laid, seen > 0


def _framed(shape: tuple[int, ...]) -> np.ndarray:
    """All but the outermost pixels, which were smoothed with what is not there."""
    made = np.zeros(shape[:2], np.uint8)
    made[_FRAME:-_FRAME, _FRAME:-_FRAME] = 1
    return made


def correlation(first: np.ndarray, laid: np.ndarray, seen: np.ndarray) -> float:
    """How alike two pictures are where both are seen."""
    if seen.sum() < 16:
        return 0.0
    one, two = first[seen].astype(np.float64), laid[seen].astype(np.float64)
    one, two = one - one.mean(), two - two.mean()
    return float(one @ two / max(np.sqrt((one @ one) * (two @ two)), 1e-12))


def likeness(first: np.ndarray, laid: np.ndarray, seen: np.ndarray) -> float:
    """How alike two pictures are in what is neither grain nor broad shade, which strangers share."""
    return correlation(_halved_detail(first), _halved_detail(laid), inner(seen[::2, ::2]))


def _halved_detail(light: np.ndarray) -> np.ndarray:
    """`detail` at half the size, where it costs little."""
    small = cv2.pyrDown(light)
    return np.asarray(small - cv2.GaussianBlur(small, (0, 0), 3.0))


def inner(seen: np.ndarray) -> np.ndarray:
    """Without the rim of the picture, where smoothing makes something of nothing."""
    known, rim = seen.copy(), min(_RIM, min(seen.shape) // 6)
    known[:rim] = known[-rim:] = known[:, :rim] = known[:, -rim:] = False
    return known


def detail(light: np.ndarray) -> np.ndarray:
    """Without what is finer than about two pixels or broader than about twelve."""
    return np.asarray(cv2.GaussianBlur(light, (0, 0), 1.5) - cv2.GaussianBlur(light, (0, 0), 6.0))


def places(shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x and y of every pixel from the middle, about one at the edge, and the matrix from there to pixels."""
    rows, columns = shape[:2]
    half = max(rows, columns) / 2
    x = ((np.arange(columns) - (columns - 1) / 2) / half).astype(np.float32)
    y = ((np.arange(rows) - (rows - 1) / 2) / half).astype(np.float32)
    to = np.array([[half, 0, (columns - 1) / 2], [0, half, (rows - 1) / 2], [0, 0, 1]])
    return np.broadcast_to(x[None], (rows, columns)), np.broadcast_to(y[:, None], (rows, columns)), to


def directions(right: np.ndarray, down: np.ndarray, x: np.ndarray, y: np.ndarray, kind: str) -> list[np.ndarray]:
    """By how much light changes with each number of a move."""
    if kind == "shift":
        return [right, down]
    if kind == "similarity":
        return [right, down, right * x + down * y, down * x - right * y]
    made = [right, down, right * x, right * y, down * x, down * y]
    if kind == "homography":
        inward = -(right * x + down * y)
        made += [inward * x, inward * y]
    return made


def change_of(step: np.ndarray, kind: str) -> np.ndarray:
    """The numbers of `directions` as a matrix."""
    made = np.eye(3)
    made[:2, 2] = step[:2]
    if kind == "similarity":
        made[:2, :2] += [[step[2], -step[3]], [step[3], step[2]]]
    elif kind in ("affine", "homography"):
        made[:2, :2] += step[2:6].reshape(2, 2)
    if kind == "homography":
        made[2, :2] = step[6:8]
    return made


def _slopes(light: np.ndarray, kind: str) -> tuple[np.ndarray, np.ndarray]:
    x, y, to = places(light.shape)
    right, down = gradients(light)
    half = np.float32(to[0, 0])
    columns = directions(right * half, down * half, x, y, kind)
    return np.stack([*columns, light, np.ones_like(light)]).reshape(len(columns) + 2, -1), to


def gradients(light: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """By how much light changes a pixel to the right and down."""
    kernel = np.array([[-0.5, 0, 0.5]], np.float32)
    border = cv2.BORDER_REPLICATE
    return (
        np.asarray(cv2.filter2D(light, -1, kernel, borderType=border)),
        np.asarray(cv2.filter2D(light, -1, kernel.T, borderType=border)),
    )


def _step(first: np.ndarray, laid: np.ndarray, seen: np.ndarray, slopes: np.ndarray) -> tuple[np.ndarray | None, float]:
    """The move that explains best what is left, with gain and level of light found beside it; how alike both are."""
    weight = seen.ravel().astype(np.float32)
    count = float(weight.sum())
    one, two = first.ravel(), laid.ravel()
    mean = (float(weight @ one) / count, float(weight @ two) / count)
    two = (two - np.float32(mean[1])) * weight
    spread = (float((one * weight) @ one) / count - mean[0] ** 2, float(two @ two) / count)
    if min(spread) < 1e-10:
        return None, 0.0
    alike = float(two @ one) / count / np.sqrt(spread[0] * spread[1])
    two *= np.float32(np.sqrt(spread[0] / spread[1]))
    two -= (one - np.float32(mean[0])) * weight
    masked = slopes if seen.all() else slopes * weight
    square = (masked @ slopes.T).astype(np.float64)
    square += np.diag(np.diag(square)) * 1e-6 + 1e-9 * np.eye(len(square))
    return np.linalg.solve(square, (slopes @ two).astype(np.float64))[:-2], alike


def _moved(change: np.ndarray, shape: tuple[int, ...]) -> float:
    rows, columns = shape[:2]
    ends = np.array([[0, 0, 1], [columns, 0, 1], [columns, rows, 1], [0, rows, 1]], np.float64)
    laid = ends @ change.T
    return float(np.abs(laid[:, :2] / laid[:, 2:] - ends[:, :2]).max())


def _soft(light: np.ndarray, sigma: float) -> np.ndarray:
    return np.asarray(cv2.GaussianBlur(light, (0, 0), sigma)) if sigma else light


def _rescaled(matrix: np.ndarray, scale: float) -> np.ndarray:
    """A matrix of pictures `scale` times the size; `pyrDown` keeps the first pixel's middle at 0."""
    to = np.diag([scale, scale, 1.0])
    return np.asarray(to @ matrix @ np.linalg.inv(to))
