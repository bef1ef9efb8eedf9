"""Features of small pictures without a network: how strongly random patches of the data itself answer, and where.

Coates, Lee and Ng 2011 (single-layer networks) with patches drawn rather than clustered; a picture and its mirror
image count as one. Good enough to doubt a label, and quick: no training, one matrix product a batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from itertools import pairwise

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from sightline.core.chance import generator

PATCH, STRIDE, CELLS = 6, 2, 3  # pixels of a patch, between patches, and cells a side in which answers are averaged
COLOURS = 4  # cells a side of which the mean colour is a feature
PLAIN = 50.0  # variance below which a patch counts as flat
SOFT = 0.5  # variance below which a direction of patches counts as noise
QUIET = 0.4  # share of answers that are cut off
BATCH = 8  # pictures whose answers fit into the processor's cache


@dataclass(frozen=True, eq=False)
class Bank:
    """Filters that were drawn from pictures; `features` of others come from their answers."""

    weights: np.ndarray  # (patch, filters)
    bias: np.ndarray  # (filters,)
    floor: float

    @property
    def width(self) -> int:
        """Numbers a picture."""
        return 2 * CELLS * CELLS * len(self.bias) + 3 * COLOURS * COLOURS

    def features(self, small: np.ndarray) -> np.ndarray:
        """(n, width) float32 of (n, side, side, 3) uint8."""
        made = np.empty((len(small), self.width), np.float32)
        for start in range(0, len(small), BATCH):
            part = small[start : start + BATCH].astype(np.float32)
            colours = _colours(part)
            made[start : start + BATCH, : -colours.shape[1]] = np.sqrt(self._answers(part) / 2)
            made[start : start + BATCH, -colours.shape[1] :] = colours
        return made

    @cached_property
    def _both(self) -> tuple[np.ndarray, np.ndarray]:
        """The filters and their mirror images, which answer a picture as the filters answer its mirror image."""
        filters = self.weights.reshape(3, PATCH, PATCH, -1)
        return np.concatenate([self.weights, filters[:, :, ::-1].reshape(self.weights.shape)], 1), np.tile(self.bias, 2)

    def _answers(self, small: np.ndarray) -> np.ndarray:
        """Mean answer of each filter and of its opposite in each cell, of the pictures and of their mirror images."""
        patches, across = _patches(small)
        weights, bias = self._both
        answers = _even(patches) @ weights
        answers -= bias
        cells = _cells(across)
        answers = answers.reshape(len(small), across * across, -1)
        high = cells @ np.maximum(answers, self.floor)
        low = cells @ np.minimum(answers, -self.floor, out=answers)
        found = np.stack([high - self.floor, -self.floor - low], 2)  # picture, cell, sign, filter
        plain, mirrored = np.split(found.reshape(len(small), CELLS, CELLS, 2, -1), 2, 4)
        return np.asarray((plain + mirrored[:, :, ::-1]).reshape(len(small), -1).clip(0))


def draw_bank(small: np.ndarray, filters: int) -> Bank:
    """Filters from patches of these pictures, whitened so that common directions do not drown the rare ones."""
    rng = generator(0, "patches")
    rows = np.sort(rng.choice(len(small), min(2000, len(small)), replace=False))
    patches, _ = _patches(small[rows].astype(np.float32))
    patches = _even(patches[rng.choice(len(patches), min(40_000, len(patches)), replace=False)])
    mean = patches.mean(0)
    power, axes = np.linalg.eigh(np.cov(patches - mean, rowvar=False))
    whiten = (axes / np.sqrt(power.clip(0) + SOFT)) @ axes.T
    white = (patches - mean) @ whiten
    chosen = white[rng.choice(len(white), filters, replace=len(white) < filters)]
    chosen /= np.linalg.norm(chosen, axis=1, keepdims=True) + 1e-6
    weights = (whiten @ chosen.T).astype(np.float32)
    floor = float(np.quantile(np.abs(white[:2000] @ chosen.T), QUIET))
    return Bank(weights, (mean @ weights).astype(np.float32), floor)


@cache
def _cells(across: int) -> np.ndarray:
    """(cells, places) that average over the places of each cell; the grid is its own mirror image."""
    edges = np.linspace(0, across, CELLS + 1).round().astype(int)
    inside = [(np.arange(across) >= low) & (np.arange(across) < high) for low, high in pairwise(edges.tolist())]
    grid = np.array([np.outer(rows, columns).ravel() for rows in inside for columns in inside], np.float32)
    return np.asarray(grid / grid.sum(1, keepdims=True))


def _patches(small: np.ndarray) -> tuple[np.ndarray, int]:
    """Every patch as a row, and how many there are across."""
    views = sliding_window_view(small, (PATCH, PATCH), (1, 2))[:, ::STRIDE, ::STRIDE]
    return np.ascontiguousarray(views).reshape(-1, 3 * PATCH * PATCH), views.shape[1]


def _colours(small: np.ndarray) -> np.ndarray:
    """Mean colours of coarse cells, which patches without their own brightness know nothing of."""
    count, side = len(small), small.shape[1] // COLOURS
    cut = small[:, : side * COLOURS, : side * COLOURS] / np.float32(255)
    return np.asarray(cut.reshape(count, COLOURS, side, COLOURS, side, 3).mean((2, 4)).reshape(count, -1))


def _even(patches: np.ndarray) -> np.ndarray:
    """Patches without their own brightness and contrast."""
    patches = patches - patches.mean(1, keepdims=True)
    patches /= np.sqrt(np.einsum("ij,ij->i", patches, patches) / patches.shape[1] + PLAIN)[:, None]
    return patches
