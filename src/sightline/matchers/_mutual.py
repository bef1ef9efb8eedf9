"""The move under which one picture tells most of the other (Viola and Wells 1997; Mattes 2003)."""

from __future__ import annotations

import numpy as np

from sightline.matchers._climb import Level, change_of, detail, directions, gradients, inner, judged, lay, places

BINS = 32
_STEPS = 40  # at most, a level
_PARTS = {"shift": 2, "similarity": 4, "affine": 6, "homography": 8}


def climb(levels: list[Level], matrix: np.ndarray, kind: str) -> tuple[np.ndarray, float, float]:
    """The best move of this kind from here, how well both then agree (0 to 1), and on what share.

    They agree as well as light tells (as a correlation) and as edges lie on edges, both of which strangers lack.
    """
    from scipy.optimize import minimize

    for level in levels:
        view = _View(level, level.down(matrix), kind)
        found = minimize(
            view.loss,
            np.zeros(_PARTS[kind]),
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": _STEPS, "ftol": 1e-7, "gtol": 1e-6},
        )
        matrix = level.up(view.matrix(found.x))
    finest = levels[-1]
    told, share = _View(_detailed(finest), finest.down(matrix), kind).told()
    one, two = (np.hypot(*gradients(light)) for light in (finest.first, finest.second))
    edges = Level(one, two, finest.scale)
    return matrix, float(np.sqrt(told * max(0.0, judged(edges, matrix)[0]))), share


def _detailed(level: Level) -> Level:
    """The level without broad shades, which strangers share."""
    return Level(detail(level.first), detail(level.second), level.scale)


class _View:
    """One level, seen from a move that numbers change a little; they are in pixels of the edge."""

    def __init__(self, level: Level, matrix: np.ndarray, kind: str) -> None:
        self.first, self.second, self.start, self.kind = level.first, level.second, matrix, kind
        self.x, self.y, self.to = places(level.first.shape)
        self.unit = 1 / self.to[0, 0]
        low, high = (float(part) for part in np.percentile(level.first, (0.5, 99.5)))
        still = np.clip((level.first - low) / max(high - low, 1e-6), 0, 1) * (BINS - 1)
        self.still = np.rint(still).astype(np.int32).ravel()
        low, high = (float(part) for part in np.percentile(level.second, (0.5, 99.5)))
        moving = np.clip((level.second - low) / max(high - low, 1e-6), 0, 1) * (BINS - 1.001)
        self.moving = moving.astype(np.float32)

    def change(self, numbers: np.ndarray) -> np.ndarray:
        """The small move that these numbers stand for."""
        made = change_of(np.asarray(numbers) * self.unit, self.kind)
        return np.asarray(self.to @ made @ np.linalg.inv(self.to))

    def matrix(self, numbers: np.ndarray) -> np.ndarray:
        """The move that these numbers make of the start."""
        made = self.start @ self.change(numbers)
        return np.asarray(made / made[2, 2])

    def loss(self, numbers: np.ndarray) -> tuple[float, np.ndarray]:
        """What is told, negated, and how it changes with each number."""
        change = self.change(numbers)
        laid, seen = lay(self.moving, self.start @ change, self.first.shape)
        count = int(seen.sum())
        if count < 64:
            return 0.0, np.zeros(len(numbers))
        joint, low = self._joint(laid, seen)
        told, gain = _told(joint)
        # where light falls between two columns, what a little more of it would tell
        rate = (gain[self.still, low + 1] - gain[self.still, low]) * seen.ravel() / count
        slopes = self._slopes(laid, change)
        force = np.array([float(rate @ way.ravel()) for way in slopes]) * self.unit
        short = 1 - count / seen.size  # less in common must not pay
        return -told + 0.1 * short, -force

    def told(self) -> tuple[float, float]:
        """What is told as a correlation, without what chance tells, and the share that both show."""
        laid, seen = lay(self.moving, self.start, self.first.shape)
        known = inner(seen)
        if known.sum() < 64:
            return 0.0, float(seen.mean())
        joint, _ = self._joint(laid, known)
        chance = (BINS - 1) ** 2 / 2 / int(known.sum())
        return float(np.sqrt(1 - np.exp(-2 * max(0.0, _told(joint)[0] - chance)))), float(seen.mean())

    def _joint(self, laid: np.ndarray, seen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(BINS, BINS) shares of light; each pixel of the second is parted between the two nearest columns."""
        flat = laid.ravel()
        low = flat.astype(np.int32)
        part = flat - low
        weight = seen.ravel().astype(np.float32)
        place = self.still * BINS + low
        made = np.bincount(place, (1 - part) * weight, BINS * BINS)
        made += np.bincount(place + 1, part * weight, BINS * BINS)[: BINS * BINS]
        return made.reshape(BINS, BINS) / weight.sum(), low

    def _slopes(self, laid: np.ndarray, change: np.ndarray) -> list[np.ndarray]:
        """How the laid picture changes with each number, from its own slopes, which went through the change."""
        right, down = gradients(laid)
        (a, b), (c, d) = np.linalg.inv(change[:2, :2]).astype(np.float32)
        right, down = right * a + down * c, right * b + down * d
        half = np.float32(self.to[0, 0])
        return directions(right * half, down * half, self.x, self.y, self.kind)


def _told(joint: np.ndarray) -> tuple[float, np.ndarray]:
    """Mutual information in nats, and what one more share in a cell would tell."""
    rows, columns = joint.sum(1, keepdims=True), joint.sum(0, keepdims=True)
    gain = np.log(np.maximum(joint, 1e-9)) - np.log(np.maximum(rows, 1e-9)) - np.log(np.maximum(columns, 1e-9))
    return float((joint * gain).sum()), gain.astype(np.float32)
