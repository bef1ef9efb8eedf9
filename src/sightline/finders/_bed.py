"""Which circles are there: each edge belongs to one circle, and what a neighbour hides is not missed."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from sightline.finders._rims import ANGLES, compass, reach_of

_LEVELS = np.arange(0.95, 0.29, -0.05)  # the best are settled first
_FRONT = 0.3  # of its rim within another circle that one in front shows at least
_ARC = 35.0  # pixels of a rim that must be seen beside the share that is asked for: short arcs fit anything
_SAME = 0.85  # cosine: two rims that run alike


@dataclass(slots=True, eq=False)
class Bed:
    """Circles that may be there, what supports them, and those that are settled, in order."""

    circles: np.ndarray  # (n, 4) x, y, radius, shade
    support: np.ndarray  # (n, angles) whether light steps the right way
    contrary: np.ndarray  # (n, angles) whether it shows as it may before another circle: the other way, or as a seam
    inside: np.ndarray  # (n, angles) whether the rim is in the picture there
    tolerance: float  # of the radius
    settled: list[int] = field(default_factory=list)

    def places(self, rows: np.ndarray) -> np.ndarray:
        """Points (n, angles, 2) along the rims."""
        return np.asarray(self.circles[rows, None, :2] + self.circles[rows, None, 2:3] * compass(ANGLES)[None])

    def matching(self, rows: np.ndarray, others: list[int]) -> tuple[np.ndarray, np.ndarray]:
        """The score and the visible share of each of `rows`, given the circles that are there already.

        An edge along two rims belongs to the circle that was settled first. Before another circle a rim may show
        either way, for that one may be lighter. Where a rim is inside or against another circle and shows no edge, and
        that circle shows its own within this one at least as well, it is hidden, and not missed.
        """
        own, counted = self.support[rows].copy(), self.inside[rows].copy()
        points = self.places(rows)
        ways = compass(ANGLES)
        turn = np.full(len(self.circles), len(self.settled))
        turn[self.settled] = np.arange(len(self.settled))
        for other in others:
            x, y, radius, _ = self.circles[other].tolist()
            reach = float(reach_of(np.array([radius]), self.tolerance)[0])
            middles, radii = self.circles[rows, :2], self.circles[rows, 2]
            near = np.flatnonzero((np.hypot(*(middles - [x, y]).T) < 1.2 * (radii + radius) + 4) & (rows != other))
            if not len(near):
                continue
            out = points[near] - np.array([x, y], np.float32)
            away = np.sqrt(np.square(out).sum(2))
            over = away < radius
            own[near] |= over & self.contrary[rows[near]]
            alike = np.einsum("cni,ni->cn", out, ways) > _SAME * away
            later = turn[rows[near]] > turn[other]
            own[near] &= ~((np.abs(away - radius) < 1.5 * reach) & alike & later[:, None])
            beside = reach + reach_of(radii[near], self.tolerance) + 1.5
            touched = (away < radius + beside[:, None]) & ~alike
            hidden = touched & (~over | self._in_front(other, rows[near], over)[:, None])
            counted[near] &= ~(hidden & ~own[near])
        seen = counted.sum(1)
        return (own & counted).sum(1) / np.maximum(seen, 1), seen / ANGLES

    def _in_front(self, other: int, rows: np.ndarray, over: np.ndarray) -> np.ndarray:
        """Whether `other` shows its rim within each of `rows` at least as well as these show theirs within it."""
        shows = self.support | self.contrary
        apart = self.places(np.array([other]))[0][None] - self.circles[rows, None, :2]
        within = np.sqrt(np.square(apart).sum(2)) < self.circles[rows, None, 2]
        its = (within & shows[other]).sum(1) / np.maximum(within.sum(1), 1)
        ours = (over & shows[rows]).sum(1) / np.maximum(over.sum(1), 1)
        return np.asarray((its >= ours) & (its >= _FRONT))

    def settle(self, visible: float, nested: bool) -> None:
        """Take the circles that match best, large ones first, until none is left that matches."""
        rest = np.ones(len(self.circles), bool)
        raw = self.support.sum(1) / ANGLES
        enough = self.enough(visible)
        rest &= raw >= min(0.2, visible)
        for level in _LEVELS:
            changed = True
            while changed and rest.any():
                changed = False
                rows = np.flatnonzero(rest)
                scores, seen = self.matching(rows, self.settled)
                fit = (scores >= level) & (seen >= enough[rows])
                # large ones first, but a whole rim before a larger part of one
                order = np.argsort(-(self.circles[rows, 2] * np.minimum(seen * scores, 0.95) ** 3), kind="stable")
                for place in order[fit[order]].tolist():
                    row = int(rows[place])
                    if not rest[row]:
                        continue
                    score, share = self.matching(rows[place : place + 1], self.settled)
                    if score[0] < level or share[0] < enough[row]:
                        continue
                    self.settled.append(row)
                    rest[row] = False
                    rest &= ~self._spoken_for(row, nested)
                    changed = True

    def enough(self, visible: float) -> np.ndarray:
        """The share of each rim that must be seen, a few pixels at least."""
        return np.asarray(np.minimum(visible + _ARC / (2 * np.pi * self.circles[:, 2]), 1.0))

    def _spoken_for(self, row: int, nested: bool) -> np.ndarray:
        """Circles that are the same as this one, or (unless nested ones are asked for) lie within it."""
        apart = np.hypot(*(self.circles[:, :2] - self.circles[row, :2]).T)
        radius, radii = self.circles[row, 2], self.circles[:, 2]
        small, large = np.minimum(radius, radii), np.maximum(radius, radii)
        same = (apart < 0.35 * large) & (small > 0.6 * large)
        if nested:
            return np.asarray(same)
        return np.asarray(same | (apart + 0.8 * radii < radius) | (apart + 0.8 * radius < radii))
