"""Pictures on one board: equal light where they overlap, and seams that nobody sees."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sightline.composing._laying import laid
from sightline.composing._pictures import Pictures, lit
from sightline.composing._pyramids import joined, parted, softer
from sightline.core.resampling import resize
from sightline.core.warp import Size

WAYS = ("bands", "feather", "none")
BANDS = 5
_VIEW = 250_000  # pixels of a board on which light is compared
_DARK, _BRIGHT = 0.02, 0.98  # of white: what lies beyond says nothing about gain
_FIRM = 0.1  # how firmly gains stay at 1, against overlaps
_MOST = 4.0  # times

Window = tuple[int, int, int, int]


def gains(given: Pictures, matrices: Sequence[np.ndarray], sizes: Sequence[Size], size: Size) -> np.ndarray:
    """By what the light of each is multiplied so that overlaps agree (Brown and Lowe 2007), on a small board."""
    ends = given.span()
    scale = min(1.0, (_VIEW / (size[0] * size[1])) ** 0.5)
    board = max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
    views, knows = [], []
    for place, matrix in enumerate(matrices):
        small = max(1, round(sizes[place][0] * scale)), max(1, round(sizes[place][1] * scale))
        pixels = resize(given[place], small)
        to = np.diag([sizes[place][1] / small[1], sizes[place][0] / small[0], 1.0])
        move = np.diag([board[1] / size[1], board[0] / size[0], 1.0]) @ matrix @ to
        drawn, known = laid(pixels, move, board)
        light = lit(drawn, ends).mean(2)
        views.append(light)
        knows.append(known & (light > _DARK) & (light < _BRIGHT))
    count = len(matrices)
    square, goal = np.eye(count) * _FIRM * 100, np.zeros(count)
    for one in range(count):
        for two in range(one + 1, count):
            both = knows[one] & knows[two]
            pixels_shared = int(both.sum())
            if pixels_shared < 50:
                continue
            apart = float(np.median(np.log(views[one][both])) - np.median(np.log(views[two][both])))
            square[one, one] += pixels_shared
            square[two, two] += pixels_shared
            square[one, two] -= pixels_shared
            square[two, one] -= pixels_shared
            goal[one] -= pixels_shared * apart
            goal[two] += pixels_shared * apart
    return np.asarray(np.clip(np.exp(np.linalg.solve(square, goal)), 1 / _MOST, _MOST))


def board(way: str, size: Size, channels: int, matrices: Sequence[np.ndarray], sizes: Sequence[Size]) -> Board:
    """An empty board for so many channels."""
    return Board(way, size, channels, matrices, sizes)


class Board:
    """Takes pictures one by one; what it holds does not grow with their number."""

    def __init__(
        self, way: str, size: Size, channels: int, matrices: Sequence[np.ndarray], sizes: Sequence[Size]
    ) -> None:
        self.way, self.size = way, size
        least = min(min(frame) for frame in sizes)
        self.depth = min(BANDS, max(0, int(np.log2(max(1, least / 16))))) if way == "bands" else 0
        self.step = 2**self.depth
        self.margin = 4 * self.step if way == "bands" else 0
        padded = tuple(-(-side // self.step) * self.step for side in size)
        self.sums = [np.zeros((padded[0] >> down, padded[1] >> down, channels), np.float32) for down in self._scales()]
        self.weights = [np.zeros(level.shape[:2], np.float32) for level in self.sums]
        self.seen = np.zeros((padded[0], padded[1]), bool)
        self.matrices, self.sizes = matrices, sizes
        self.owner = self._owners((padded[0], padded[1])) if way != "feather" else np.zeros((0, 0), np.int16)

    def add(self, place: int, pixels: np.ndarray, known: np.ndarray, window: Window) -> None:
        """One picture's part of the board."""
        top, left, bottom, right = window
        self.seen[top:bottom, left:right] |= known
        if self.way == "feather":
            weight = _nearness(self.matrices[place], self.sizes[place], window) * known
        else:
            weight = (self.owner[top:bottom, left:right] == place).astype(np.float32)
        parts = zip(parted(pixels, self.depth), softer(weight, self.depth), strict=True)
        for down, (part, share) in enumerate(parts):
            here = slice(top >> down, bottom >> down), slice(left >> down, right >> down)
            self.sums[down][here] += part * share[..., None]
            self.weights[down][here] += share

    def done(self) -> tuple[np.ndarray, np.ndarray]:
        """The board, and where anything is known; to be asked once."""
        for total, weight in zip(self.sums, self.weights, strict=True):
            total /= np.maximum(weight, 1e-6)[..., None]
        rows, columns = self.size
        return joined(self.sums)[:rows, :columns], self.seen[:rows, :columns]

    def _scales(self) -> range:
        return range(self.depth + 1)

    def _owners(self, padded: Size) -> np.ndarray:
        """Who is nearest to its own middle at each pixel; -1 where nobody is."""
        best, owner = np.zeros(padded, np.float32), np.full(padded, -1, np.int16)
        for place, (matrix, size) in enumerate(zip(self.matrices, self.sizes, strict=True)):
            near = _nearness(matrix, size, (0, 0, *padded))
            better = near > best
            best[better], owner[better] = near[better], place
        return owner


def _nearness(matrix: np.ndarray, frame: Size, window: Window) -> np.ndarray:
    """1 in the middle of a picture, 0 at its edge and beyond."""
    top, left, bottom, right = window
    back = np.linalg.inv(matrix).astype(np.float64)
    x = np.arange(left, right) + 0.5
    y = (np.arange(top, bottom) + 0.5)[:, None]
    depth = back[2, 0] * x + back[2, 1] * y + back[2, 2]
    depth = np.where(depth * np.sign(back[2, 2] or 1.0) > 1e-9, depth, np.inf)
    across = (back[0, 0] * x + back[0, 1] * y + back[0, 2]) / depth
    down = (back[1, 0] * x + back[1, 1] * y + back[1, 2]) / depth
    rows, columns = frame
    sides = (across - 0.5, columns - 0.5 - across, down - 0.5, rows - 0.5 - down)
    near = np.minimum(np.minimum(sides[0], sides[1]) / columns, np.minimum(sides[2], sides[3]) / rows) * 2
    near = np.where(np.isfinite(depth), near, 0)
    return np.asarray(np.clip(near + 1e-6 * (near > -1e-9), 0, 1), np.float32)
