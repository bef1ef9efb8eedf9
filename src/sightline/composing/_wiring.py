"""Which pictures overlap, and the move of each to the plane of the most central one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sightline.composing._asked import check
from sightline.composing._pictures import Pictures
from sightline.core import catalog
from sightline.core.errors import InputError, SettingsError
from sightline.core.progress import Event, Tell
from sightline.core.relation import SURE, Move, corners_of
from sightline.core.resampling import resize
from sightline.core.warp import Size, Warp

_SMALL = 300_000  # pixels of a picture that is looked at to see what overlaps
_LARGE = 2_000_000  # pixels of one that is matched
_GRID = 6  # places a side of an overlap that stand for it
_ROUNDS = 30

Edge = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Wired:
    """Pictures with their moves to one plane."""

    names: tuple[str, ...]
    sizes: tuple[Size, ...]
    matrices: tuple[np.ndarray, ...]
    middle: int
    missed: float


def wired(given: Pictures, by: str, settings: Mapping[str, Any], tell: Tell) -> Wired:
    """Every pair is looked at small, those that overlap are matched, and all moves are made to agree."""
    small, sizes = [], []
    for pixels in given:
        small.append(_shrunk(pixels, _SMALL)[0])
        sizes.append((int(pixels.shape[0]), int(pixels.shape[1])))
    found: dict[Edge, float] = {}
    pairs = [(one, two) for one in range(len(small)) for two in range(one + 1, len(small))]
    for done, (one, two) in enumerate(pairs, 1):
        tell(Event("progress", "pairs looked at", {"done": done, "total": len(pairs)}))
        move = _tried(small[one], small[two], by, settings)
        if move is not None:
            found[one, two] = move.score
    tree, middle = _tree(len(small), found, given.names)
    edges: dict[Edge, np.ndarray] = {}
    for edge in sorted(found, key=lambda each: (each not in tree, -found[each]))[: 4 * len(small)]:
        matrix = _matched(given[edge[0]], given[edge[1]], by, settings)
        if matrix is not None:
            edges[edge] = matrix
        elif edge in tree:
            raise InputError("unrelated", _lost(given.names[edge[1]], given.names[edge[0]]))
    matrices = _chained(len(small), tree, edges, middle)
    places = _places(edges, sizes)
    matrices, missed = _agreed(matrices, places, middle, sizes)
    return Wired(given.names, tuple(sizes), tuple(matrices), middle, missed)


def _lost(name: str, other: str) -> str:
    return f"{name} cannot be laid on {other}: they share too little. Take pictures that overlap by a third or more."


def _shrunk(pixels: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """At most so many pixels, and the matrix from there to the whole."""
    rows, columns = pixels.shape[:2]
    scale = min(1.0, (most / (rows * columns)) ** 0.5)
    if scale == 1.0:
        return pixels, np.eye(3)
    size = max(1, round(rows * scale)), max(1, round(columns * scale))
    return resize(pixels, size), np.diag([columns / size[1], rows / size[0], 1.0])


def _tried(first: np.ndarray, second: np.ndarray, by: str, settings: Mapping[str, Any]) -> Move | None:
    """How the second lies on the first, or None where the matcher is not sure."""
    match = catalog.find("matchers", by)
    check(match, settings, by)
    try:
        found = match(first, second, **settings)
    except InputError as error:
        if error.code != "unrelated":
            raise
        return None
    if not isinstance(found, Move):
        raise SettingsError(
            f"panorama: by = '{by}' finds no move of a whole picture; take homography, affine or phase."
        )
    return found if found.score >= SURE else None


def _matched(first: np.ndarray, second: np.ndarray, by: str, settings: Mapping[str, Any]) -> np.ndarray | None:
    one, grown = _shrunk(first, _LARGE)
    two, other = _shrunk(second, _LARGE)
    move = _tried(one, two, by, settings)
    return None if move is None else grown @ move.matrix @ np.linalg.inv(other)


def _tree(count: int, found: Mapping[Edge, float], names: tuple[str, ...]) -> tuple[set[Edge], int]:
    """The surest edges that join all pictures, and the one from which the furthest is nearest."""
    home = list(range(count))

    def root(place: int) -> int:
        while home[place] != place:
            place = home[place]
        return place

    tree: set[Edge] = set()
    for edge in sorted(found, key=lambda each: -found[each]):
        one, two = root(edge[0]), root(edge[1])
        if one != two:
            home[two] = one
            tree.add(edge)
    groups = [root(place) for place in range(count)]
    most = max(set(groups), key=groups.count)
    alone = [names[place] for place in range(count) if groups[place] != most]
    if alone:
        raise InputError(
            "unrelated",
            f"panorama: {', '.join(alone[:5])} {'overlaps' if len(alone) == 1 else 'overlap'} with no other picture. "
            "Leave it out, or take pictures that overlap by a third or more.",
        )
    reach = [max(_steps(place, tree, count)) for place in range(count)]
    return tree, int(np.argmin(reach))


def _steps(start: int, tree: set[Edge], count: int) -> list[int]:
    """How many edges each picture is away."""
    far = {start: 0}
    waiting = [start]
    for here in waiting:
        for edge in tree:
            if here in edge:
                there = edge[0] if edge[1] == here else edge[1]
                if there not in far:
                    far[there] = far[here] + 1
                    waiting.append(there)
    return [far.get(place, count) for place in range(count)]


def _chained(count: int, tree: set[Edge], edges: Mapping[Edge, np.ndarray], middle: int) -> list[np.ndarray]:
    """The move of each along the tree."""
    made: dict[int, np.ndarray] = {middle: np.eye(3)}
    waiting = [middle]
    for here in waiting:
        for edge in sorted(tree):
            if here not in edge:
                continue
            there = edge[0] if edge[1] == here else edge[1]
            if there in made:
                continue
            step = edges[edge] if here == edge[0] else np.linalg.inv(edges[edge])
            matrix = made[here] @ step
            made[there] = matrix / matrix[2, 2]
            waiting.append(there)
    return [made[place] for place in range(count)]


def _places(edges: Mapping[Edge, np.ndarray], sizes: list[Size]) -> list[tuple[Edge, np.ndarray]]:
    """A grid of places of each overlap: x, y in the one, x, y in the other."""
    made = []
    for (one, two), matrix in edges.items():
        rows, columns = sizes[two]
        x, y = np.meshgrid((np.arange(_GRID) + 0.5) * columns / _GRID, (np.arange(_GRID) + 0.5) * rows / _GRID)
        there = np.stack([x.ravel(), y.ravel()], 1)
        here = Warp(matrix, sizes[two], sizes[one]).points(there)
        inside = ((here >= 0) & (here <= np.array(sizes[one][::-1]))).all(1)
        if inside.sum() >= 4:
            made.append(((one, two), np.concatenate([here, there], 1)[inside]))
        else:
            ends = corners_of(sizes[two])
            made.append(((one, two), np.concatenate([Warp(matrix, sizes[two], sizes[one]).points(ends), ends], 1)))
    return made


def _agreed(
    matrices: list[np.ndarray], places: list[tuple[Edge, np.ndarray]], middle: int, sizes: list[Size]
) -> tuple[list[np.ndarray], float]:
    """All moves at once, so that overlaps that no chain went through agree as well; and by how much they still miss."""
    from scipy.optimize import least_squares

    free = [place for place in range(len(matrices)) if place != middle]
    scale = max(max(size) for size in sizes) / 2
    to = np.diag([scale, scale, 1.0])
    start = [np.linalg.inv(to) @ matrix @ to for matrix in matrices]

    def unpacked(numbers: np.ndarray) -> list[np.ndarray]:
        made = list(start)
        for row, place in zip(numbers.reshape(-1, 8), free, strict=True):
            made[place] = start[place] @ (np.eye(3) + np.append(row, 0.0).reshape(3, 3))
        return made

    def missed(numbers: np.ndarray) -> np.ndarray:
        now = unpacked(numbers)
        parts = []
        for (one, two), points in places:
            across = np.linalg.inv(now[one]) @ now[two]
            laid = np.concatenate([points[:, 2:] / scale, np.ones((len(points), 1))], 1) @ across.T
            parts.append((laid[:, :2] / laid[:, 2:] * scale - points[:, :2]).ravel())
        return np.concatenate(parts)

    numbers = np.zeros(8 * len(free))
    if len(places) > len(free):  # a chain that closes nowhere agrees as it is
        numbers = least_squares(missed, numbers, method="trf", loss="soft_l1", max_nfev=_ROUNDS).x
    made = [to @ matrix @ np.linalg.inv(to) for matrix in unpacked(numbers)]
    left = missed(numbers).reshape(-1, 2)
    return [matrix / matrix[2, 2] for matrix in made], float(np.sqrt(np.square(left).sum(1).mean()))
