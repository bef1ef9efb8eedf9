"""The rim of a circle looked at closely: where along it light steps the right way, and the circle that fits best."""

from __future__ import annotations

import numpy as np

from sightline.finders._votes import Slopes

ANGLES = 120  # places along a rim that are looked at
_DIRECTION = 0.7  # cosine of how far an edge may turn from the rim
_STEP = 0.05  # of the light around: the least step that is an edge
_OVER_NOISE = 1.5  # a step must be this many times what noise makes of it


def reach_of(radii: np.ndarray, tolerance: float) -> np.ndarray:
    """How far from the rim an edge may be and still be its own, in pixels."""
    return np.asarray(np.maximum(1.3, tolerance * radii))


def compass(count: int = ANGLES) -> np.ndarray:
    """Unit vectors (count, 2) around."""
    around = (np.arange(count) + 0.5) * (2 * np.pi / count)
    return np.stack([np.cos(around), np.sin(around)], 1).astype(np.float32)


def look(slopes: Slopes, circles: np.ndarray, reach: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """For each circle (n, 4) and angle: the step of light across the rim, and how far out (pixels) it is steepest.

    A step counts what goes the right way within `reach` of the rim, over what goes that way beside it anyhow: the
    shading of a ball is no edge. It counts nothing where the edge does not follow the rim.
    """
    ways = compass(count)
    wide = int(np.clip(np.ceil(float(reach.max(initial=1.0)) / slopes.factor), 2, 12))
    along = np.linspace(-1, 1, 2 * wide + 1, dtype=np.float32)
    steps, far = np.zeros((len(circles), count), np.float32), np.zeros((len(circles), count), np.float32)
    for begin in range(0, len(circles), 128):
        part = slice(begin, begin + 128)
        some, near = circles[part], reach[part, None].astype(np.float32)
        offsets = near * along  # (n, t)
        right = _inward(slopes, some, offsets, ways)
        margin = near + np.maximum(np.float32(2.0 * slopes.factor), np.float32(0.06) * some[:, 2:3])
        beside = np.concatenate([-margin * np.float32(1.25), -margin, margin, margin * np.float32(1.25)], 1)
        usual = _inward(slopes, some, beside, ways)
        usual = np.maximum(usual[:, :, :2].mean(2), usual[:, :, 2:].mean(2))
        steps[part] = np.maximum(right - usual[..., None], 0).sum(2) * (near / np.float32(wide * slopes.factor))
        peak = right * (1 - np.float32(0.3) * np.abs(along))  # of two edges alike the nearer one
        best = peak.argmax(2)
        far[part] = np.take_along_axis(offsets, best, 1) + _finer(peak, best) * near / np.float32(wide)
    return steps, far


def _inward(slopes: Slopes, circles: np.ndarray, offsets: np.ndarray, ways: np.ndarray) -> np.ndarray:
    """(n, angles, t): how steeply light goes the right way at these offsets from the rim; 0 where it goes askew."""
    seen = _sampled(slopes.both, slopes.factor, circles, offsets, ways)
    inward = seen[..., 0] * ways[:, 0, None] + seen[..., 1] * ways[:, 1, None]
    inward *= -circles[:, 3, None, None]
    return np.where(inward > _DIRECTION * np.sqrt(np.square(seen).sum(-1)), inward, np.float32(0))


def _sampled(
    plane: np.ndarray, factor: float, circles: np.ndarray, offsets: np.ndarray, ways: np.ndarray
) -> np.ndarray:
    """(n, angles, t, ...): what a plane holds at these offsets from the rims."""
    import cv2

    radii = (circles[:, 2:3] + offsets)[:, None] / np.float32(factor)
    middles = circles[:, :2] / np.float32(factor) - np.float32(0.5)
    x = middles[:, 0, None, None] + ways[:, 0, None] * radii
    y = middles[:, 1, None, None] + ways[:, 1, None] * radii
    flat = (len(x), -1)
    seen = cv2.remap(plane, x.reshape(flat), y.reshape(flat), cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    return np.asarray(seen).reshape(*x.shape, *plane.shape[2:])


def seams(slopes: Slopes, circles: np.ndarray, reach: np.ndarray) -> np.ndarray:
    """(n, angles): how much darker the rim is than both sides (of dark circles lighter), as where two things touch."""
    margin = reach + np.maximum(2.0, 0.1 * circles[:, 2])
    offsets = np.stack([-margin, -reach, -reach / 2, 0 * reach, reach / 2, reach, margin], 1).astype(np.float32)
    found = np.zeros((len(circles), ANGLES), np.float32)
    for begin in range(0, len(circles), 128):
        part = slice(begin, begin + 128)
        seen = _sampled(slopes.light, slopes.factor, circles[part], offsets[part], compass())
        seen = (np.roll(seen, 1, 1) + seen + np.roll(seen, -1, 1)) * (circles[part, 3, None, None] / np.float32(3))
        found[part] = np.minimum(seen[..., 0], seen[..., -1]) - seen[..., 1:-1].min(2)
    return found


def _finer(values: np.ndarray, best: np.ndarray) -> np.ndarray:
    """Parts of a step by which the peak of a parabola lies beside the best sample."""
    inner = np.clip(best, 1, values.shape[2] - 2)[..., None]
    low, top, high = (np.take_along_axis(values, inner + shift, 2)[..., 0] for shift in (-1, 0, 1))
    bend = low - 2 * top + high
    shift = np.where(bend < -1e-9, 0.5 * (low - high) / np.where(bend < -1e-9, bend, -1), 0)
    return np.where(inner[..., 0] == best, np.clip(shift, -0.5, 0.5), 0).astype(np.float32)


def least_step(slopes: Slopes, reach: np.ndarray) -> np.ndarray:
    """The least step of light that is an edge, by circle: some of the light around, and more than noise makes."""
    made = slopes.noise * np.sqrt(np.maximum(2 * reach / slopes.factor, 1.0))
    return np.asarray(np.maximum(_STEP, _OVER_NOISE * made), np.float32)


def fitted(slopes: Slopes, circles: np.ndarray, reach: np.ndarray, times: int, count: int) -> np.ndarray:
    """Circles moved to the edges around them, those that lie far from the rest having little weight."""
    ways = compass(count)
    for _ in range(times):
        steps, far = look(slopes, circles, reach, count)
        weight = np.minimum(steps / least_step(slopes, reach)[:, None], 2.0)
        weight[weight < 0.6] = 0
        found = circles[:, 2:3] + far
        moved = np.zeros((len(circles), 3), np.float32)  # x, y, radius
        for spread in (0.5, 0.25):
            wrong = found - circles[:, 2:3] - moved[:, :2] @ ways.T - moved[:, 2:3]
            trust = weight / (1 + np.square(wrong / (spread * reach[:, None])))
            moved = _moved(trust, found - circles[:, 2:3], ways)
        limit = reach[:, None] * np.float32(1.5)
        circles = circles.copy()
        circles[:, :3] += np.clip(moved, -limit, limit)
        circles[:, 2] = np.maximum(circles[:, 2], 1.5)
    return circles


def _moved(weight: np.ndarray, out: np.ndarray, ways: np.ndarray) -> np.ndarray:
    """The shift and growth that take a rim to points that lie `out` of it: least squares for small moves."""
    basis = np.concatenate([ways, np.ones((len(ways), 1), np.float32)], 1).astype(np.float64)
    square = np.einsum("cn,ni,nj->cij", weight, basis, basis) + 1e-3 * np.eye(3)
    return np.asarray(np.linalg.solve(square, ((weight * out) @ basis)[..., None])[..., 0], np.float32)
