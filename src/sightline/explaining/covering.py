"""Maps by hiding parts of the picture and asking again: works with any model that answers, in torch or not."""

from __future__ import annotations

import numpy as np

from sightline.explaining.subject import View

WINDOW = 4  # a window is this part of a side
STRIDE = 8  # and moves by this part of it


def occlusion(view: View) -> np.ndarray:
    """How far the answer falls where a window of even colour lies (Zeiler and Fergus 2014)."""
    pictures = view.arrays[view.first]
    windows = places(view.size)
    before = view.numbers(pictures, range(len(view)))
    total = np.zeros((len(view), *view.size))
    covered = np.zeros(view.size)
    fill = pictures.mean((1, 2)).astype(pictures.dtype)
    for window in windows:
        hidden = pictures.copy()
        hidden[(slice(None), *window)] = fill[:, None, None]
        total[(slice(None), *window)] += (before - view.numbers(hidden, range(len(view))))[:, None, None]
        covered[window] += 1
    return np.maximum(total / covered, 0)


def places(size: tuple[int, int]) -> list[tuple[slice, slice]]:
    """Windows that cover every pixel about as often, those at the edge cut by it."""
    found = []
    starts = []
    for side in size:
        window, stride = max(1, round(side / WINDOW)), max(1, round(side / STRIDE))
        starts.append([slice(max(0, at), min(side, at + window)) for at in range(stride - window, side, stride)])
    for down in starts[0]:
        found += [(down, across) for across in starts[1]]
    return found
