"""Pairs of pictures of which it is known how the second lies on the first."""

import cv2
import numpy as np

from sightline.core.chance import generator
from sightline.core.warp import Warp
from sightline.sources.drawn import draw

SCENE = 1024


def scene(seed: int = 1, world: str = "street") -> np.ndarray:
    """A large drawn picture without the sensor's noise."""
    return draw(world, seed, SCENE).clean


def spoiled(pixels: np.ndarray, noise: float, seed: int) -> np.ndarray:
    """With so many grey levels of noise."""
    grain = generator("known", seed).normal(0, noise, pixels.shape)
    return np.clip(np.rint(pixels + grain), 0, 255).astype(np.uint8)


def blotches(rows: int, columns: int, channels: int = 3, seed: int = 1) -> np.ndarray:
    """Blotches of all sizes, which every matcher can hold on to."""
    chance = generator("blotches", seed)
    blots = [cv2.GaussianBlur(chance.normal(0, 1, (rows, columns, 3)), (0, 0), size) * size for size in (1.5, 3, 8)]
    made = np.clip(128 + 50 * sum(blots), 0, 255).astype(np.uint8)
    return np.ascontiguousarray(np.concatenate([made, made[..., :1]], 2)[..., :channels])


def laid(
    matrix: np.ndarray,
    *,
    seed: int = 1,
    world: str = "street",
    size: tuple[int, int] = (480, 640),
    corner: tuple[int, int] = (300, 190),
    noise: float = 3.0,
) -> tuple[np.ndarray, np.ndarray]:
    """A window of a scene, and a second picture of it that this matrix lays on the window."""
    whole = scene(seed, world)
    top, left = corner
    first = whole[top : top + size[0], left : left + size[1]]
    to_first = np.array([[1, 0, -left], [0, 1, -top], [0, 0, 1.0]])
    second = Warp(np.linalg.inv(matrix) @ to_first, whole.shape[:2], size).pixels(whole)
    return spoiled(first, noise, 2 * seed), spoiled(second, noise, 2 * seed + 1)


def turned(degrees: float, scale: float, shift: tuple[float, float], size: tuple[int, int] = (480, 640)) -> np.ndarray:
    """A matrix that turns and scales about the middle, then shifts."""
    angle = np.deg2rad(degrees)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = np.array([size[1] / 2, size[0] / 2])
    made = np.eye(3)
    made[:2, :2] = turn
    made[:2, 2] = middle - turn @ middle + np.array(shift)
    return made


def tilted(seed: int, size: tuple[int, int] = (480, 640), far: float = 40.0) -> np.ndarray:
    """A move with perspective: corners put up to `far` pixels elsewhere by chance."""
    rows, columns = size
    corners = np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]], np.float32)
    moved = corners + generator("tilted", seed).uniform(-far, far, (4, 2)).astype(np.float32)
    return np.asarray(cv2.getPerspectiveTransform(corners, moved), np.float64)


def quarter_shift(x: int, y: int, seed: int = 1, world: str = "street", noise: float = 2.0) -> tuple[np.ndarray, ...]:
    """Two pictures of 200 x 200, the second shifted by x / 4 and y / 4 pixels exactly: the mean of 4 x 4 fine ones."""
    whole = scene(seed, world).astype(np.float64)

    def seen(left: int, top: int) -> np.ndarray:
        fine = whole[top : top + 800, left : left + 800]
        return fine.reshape(200, 4, 200, 4, 3).mean((1, 3))

    return spoiled(seen(112, 112), noise, seed), spoiled(seen(112 - x, 112 - y), noise, seed + 100)


def layered(seed: int = 1, size: int = 256) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A ground that shifts and three discs that shift otherwise: both pictures, true steps, and what both show."""
    chance = generator("layered", seed)
    ground, paint = scene(seed, "pairs")[100:612, 100:612], scene(seed + 20, "pairs")
    moves = [chance.uniform(-3, 3, 2), *(chance.uniform(-9, 9, (3, 2)))]
    y, x = np.mgrid[:size, :size] + 0.5
    discs = [(chance.uniform(0.25, 0.75, 2) * size, chance.uniform(0.08, 0.16) * size) for _ in range(3)]
    pictures, owners = [], []
    for time in (0, 1):
        step = moves[0] * time
        picture = _window(ground, (100 - step[0], 100 - step[1]), size)
        owner = np.zeros((size, size), int)
        for number, ((cx, cy), radius) in enumerate(discs, 1):
            dx, dy = moves[number] * time
            cover = np.clip(radius - np.hypot(x - cx - dx, y - cy - dy) + 0.5, 0, 1)
            skin = _window(paint, (60 + 250 * (number - 1) - dx, 300 - dy), size)
            picture = picture + (skin - picture) * cover[..., None]
            owner[cover > 0.5] = number
        pictures.append(picture)
        owners.append(owner)
    steps = np.array(moves)[owners[0]].astype(np.float32)
    landing = np.rint(np.stack([x, y], -1) - 0.5 + steps).astype(int)
    inside = ((landing >= 0) & (landing < size)).all(-1)
    at = np.clip(landing, 0, size - 1)
    seen = inside & (owners[1][at[..., 1], at[..., 0]] == owners[0])
    one, two = (spoiled(picture, 2.0, seed + time) for time, picture in enumerate(pictures))
    return one, two, steps, seen


def _window(whole: np.ndarray, corner: tuple[float, float], size: int) -> np.ndarray:
    matrix = np.array([[1, 0, -corner[0]], [0, 1, -corner[1]], [0, 0, 1.0]])
    return Warp(matrix, whole.shape[:2], (size, size)).pixels(whole.astype(np.float32))


def side_by_side(seed: int = 1, size: tuple[int, int] = (240, 320)) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Left and right pictures of steps of land at several depths, the true disparity of the left one (NaN unseen)."""
    chance = generator("stereo", seed)
    rows, columns = size
    paint = scene(seed, "pairs").astype(np.float32)
    grain = chance.normal(0, 14, paint.shape[:2])[..., None]
    paint = np.clip(paint + grain, 0, 255)
    depth = np.full(size, 6.0)
    y, x = np.mgrid[:rows, :columns]
    for near in (11.5, 18.25, 27.75):
        cy, cx = chance.uniform(0.25, 0.75) * rows, chance.uniform(0.3, 0.8) * columns
        depth[(abs(y - cy) < rows * 0.16) & (abs(x - cx) < columns * 0.14)] = near
    # the right picture is painted; the left looks each place up in it, the near hiding the far
    left = np.zeros((*size, 3), np.float32)
    right = np.zeros((*size, 3), np.float32)
    front = np.full(size, -1.0)
    levels = sorted(set(depth.ravel()))
    for number, level in enumerate(levels):
        skin = paint[100 * number : 100 * number + rows, 50 : 50 + columns + 64]
        mask = depth == level
        left[mask] = _slid(skin, 0.0, columns)[mask]
        shown = _slid(mask.astype(np.float32)[..., None], level, columns)[..., 0] > 0.5
        if level == levels[0]:
            shown[:] = True
        right[shown] = _slid(skin, level, columns)[shown]
        front[shown] = level
    target = np.rint(x - depth).astype(int)
    seen = (target >= 0) & (front[y, np.clip(target, 0, columns - 1)] == depth)
    truth = np.where(seen, depth, np.nan)
    return spoiled(left, 2.0, seed), spoiled(right, 2.0, seed + 1), truth


def _slid(skin: np.ndarray, step: float, columns: int) -> np.ndarray:
    """What stands `step` pixels further right, linear between pixels."""
    at = np.arange(columns) + step
    low = np.minimum(at.astype(int), skin.shape[1] - 2) if skin.shape[1] > 1 else at.astype(int) * 0
    part = (at - np.floor(at))[None, :, None]
    return skin[:, low] * (1 - part) + skin[:, np.minimum(low + 1, skin.shape[1] - 1)] * part
