"""Overlapping pictures, taken from one place or of something flat, as one wide picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sightline.composing import _blending
from sightline.composing._laying import inner_window, laid
from sightline.composing._pictures import Pictures, lit, unlit
from sightline.composing._wiring import Wired, wired
from sightline.core.errors import InputError, SettingsError
from sightline.core.limits import LIMITS
from sightline.core.progress import Event, Tell, silent
from sightline.core.relation import corners_of
from sightline.core.warp import Size, Warp

_WIDER = 6.0  # times all pictures together that the plane may be


@dataclass(frozen=True, slots=True)
class Panorama:
    """The wide picture, and how it was put together."""

    pixels: np.ndarray
    seen: np.ndarray  # (rows, columns) where any picture knows
    names: tuple[str, ...]  # in the order in which they lie: left to right, or top to bottom
    matrices: tuple[np.ndarray, ...]  # from each picture, in the order given, to the panorama
    gains: tuple[float, ...]  # by which the light of each was multiplied
    missed: float  # root mean square, in pixels, of how far overlaps disagree
    middle: str  # the picture that the others were laid around

    @property
    def line(self) -> str:
        """What was made, in one line."""
        rows, columns = self.pixels.shape[:2]
        return f"{len(self.names)} pictures became {columns} x {rows} pixels; overlaps miss by {self.missed:.2f} pixels"

    def to_json(self) -> dict[str, Any]:
        return {
            "line": self.line,
            "size": list(self.pixels.shape[:2]),
            "names": list(self.names),
            "matrices": [matrix.tolist() for matrix in self.matrices],
            "gains": list(self.gains),
            "missed": self.missed,
            "middle": self.middle,
            "seen": float(self.seen.mean()),
        }


def panorama(
    pictures: Any,
    *,
    by: str = "homography",
    blend: str = "bands",
    gain: bool = True,
    crop: bool = False,
    tell: Tell = silent,
    **settings: Any,
) -> Panorama:
    """One wide picture of pictures that overlap, in any order; the most central one keeps its pixels' places.

    `blend`: bands (each scale over its own width), feather, or none (whoever is nearest to its own middle). `gain`
    makes the light of overlaps equal. `crop` cuts to the largest window without gaps. Memory is that of the panorama
    and of two pictures.
    """
    if blend not in _blending.WAYS:
        raise SettingsError(f"panorama: blend = '{blend}' is unknown. Known: {', '.join(_blending.WAYS)}.")
    given = Pictures(pictures, "panorama")
    tell(Event("note", f"looking which of {len(given)} pictures overlap"))
    net = wired(given, by, settings, tell)
    size, shift = _canvas(net)
    matrices = tuple(shift @ matrix for matrix in net.matrices)
    gains = _blending.gains(given, matrices, net.sizes, size) if gain else np.ones(len(given))
    ends, depth = given.span(), given[0].dtype
    board = _blending.board(blend, size, given[0].shape[2], matrices, net.sizes)
    for place, matrix in enumerate(matrices):
        tell(Event("progress", "laid", {"done": place + 1, "total": len(given)}))
        window = _around(matrix, net.sizes[place], size, board.margin, board.step)
        top, left, bottom, right = window
        move = np.array([[1, 0, -left], [0, 1, -top], [0, 0, 1.0]]) @ matrix
        pixels, known = laid(given[place], move, (bottom - top, right - left))
        bright = lit(pixels, ends)
        bright *= np.float32(gains[place])
        board.add(place, bright, known, window)
    pixels, seen = board.done()
    made = unlit(pixels, ends, depth)
    made[~seen] = 0
    if crop:
        top, left, bottom, right = inner_window(seen)
        made, seen = np.ascontiguousarray(made[top:bottom, left:right]), seen[top:bottom, left:right]
        back = np.array([[1, 0, -left], [0, 1, -top], [0, 0, 1.0]])
        matrices = tuple(back @ matrix for matrix in matrices)
    names = tuple(given.names[place] for place in _order(matrices, net.sizes))
    return Panorama(made, seen, names, matrices, tuple(map(float, gains)), net.missed, given.names[net.middle])


def _canvas(net: Wired) -> tuple[Size, np.ndarray]:
    """Rows and columns that hold every picture, and the whole-pixel shift that brings them there."""
    every = []
    for matrix, frame, name in zip(net.matrices, net.sizes, net.names, strict=True):
        corners = corners_of(frame)
        depth = corners @ matrix[2, :2] + matrix[2, 2]
        if depth.min() < 0.1 * depth.max():
            raise _too_wide(name)
        every.append(Warp(matrix, frame, frame).points(corners))
    places = np.concatenate(every)
    low, high = np.floor(places.min(0) + 1e-6), np.ceil(places.max(0) - 1e-6)
    columns, rows = (int(step) for step in high - low)
    if rows * columns > _WIDER * sum(frame[0] * frame[1] for frame in net.sizes):
        raise _too_wide(net.names[int(np.argmax([np.abs(each).max() for each in every]))])
    if rows * columns * 4 > LIMITS.values:
        raise InputError(
            "too_large",
            f"panorama: {columns:,} x {rows:,} pixels; the limit is {LIMITS.values // 4:,}. Use smaller pictures.",
        )
    return (rows, columns), np.array([[1, 0, -low[0]], [0, 1, -low[1]], [0, 0, 1.0]])


def _too_wide(name: str) -> InputError:
    return InputError(
        "too_large",
        f"panorama: together with {name} the view is too wide for one plane (about 120 degrees). Leave out the "
        "outermost pictures, or make two panoramas.",
    )


def _around(matrix: np.ndarray, frame: Size, size: Size, margin: int, step: int) -> tuple[int, int, int, int]:
    """The window of the panorama that a picture touches, on multiples of `step`."""
    places = Warp(matrix, frame, size).points(corners_of(frame))
    low, high = np.floor(places.min(0)) - margin, np.ceil(places.max(0)) + margin
    left, top = (max(0, int(value) // step * step) for value in low)
    ends = (-(-int(value) // step) * step for value in high)
    right, bottom = (min(end, -(-whole // step) * step) for end, whole in zip(ends, size[::-1], strict=True))
    return top, left, bottom, right


def _order(matrices: tuple[np.ndarray, ...], sizes: tuple[Size, ...]) -> list[int]:
    """Along the axis on which the middles are spread most."""
    middles = np.concatenate(
        [
            Warp(matrix, size, size).points(np.array([[size[1] / 2, size[0] / 2]]))
            for matrix, size in zip(matrices, sizes, strict=True)
        ]
    )
    axis = int(np.ptp(middles, 0).argmax())
    order: list[int] = np.argsort(middles[:, axis], kind="stable").tolist()
    return order
