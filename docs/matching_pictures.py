"""Draw the pictures of matching.md, all of drawn scenes.

python docs/matching_pictures.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sightline.composing.align import align
from sightline.composing.burst import burst
from sightline.composing.compose import display, drawn
from sightline.composing.difference import difference
from sightline.composing.focus import focus_stack
from sightline.composing.fuse import fuse
from sightline.composing.panorama import panorama
from sightline.core import catalog
from sightline.core.annotations import Heatmap
from sightline.core.chance import generator
from sightline.core.image import write_image
from sightline.core.warp import Warp
from sightline.sources.drawn import draw

FOLDER = Path(__file__).parent / "pictures"
GAP = 6


def row(*pictures: np.ndarray) -> np.ndarray:
    """Side by side on white."""
    high = max(map(len, pictures))
    parts = []
    for picture in pictures:
        board = np.full((high, picture.shape[1] + GAP, 3), 255, np.uint8)
        board[: len(picture), :-GAP] = picture
        parts.append(board)
    return np.concatenate(parts, 1)[:, :-GAP]


def grained(pixels: np.ndarray, noise: float, seed: int) -> np.ndarray:
    """With the noise of a sensor."""
    return np.clip(np.rint(pixels + generator("pages", seed).normal(0, noise, pixels.shape)), 0, 255).astype(np.uint8)


def moved(degrees: float, scale: float, x: float, y: float, size: tuple[int, int]) -> np.ndarray:
    """Turned and scaled about the middle, then shifted."""
    angle = np.deg2rad(degrees)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = np.array([size[1] / 2, size[0] / 2])
    made = np.eye(3)
    made[:2, :2], made[:2, 2] = turn, middle - turn @ middle + (x, y)
    return made


def aligned() -> np.ndarray:
    """Two pictures of land, and both in turns on a chessboard before and after."""
    whole, size = draw("pairs", 3, 512).clean, (300, 300)
    corner = np.array([[1, 0, -100], [0, 1, -100], [0, 0, 1.0]])
    first = grained(whole[100:400, 100:400], 3, 1)
    second = grained(Warp(moved(9, 1.1, 14, -8, size) @ corner, (512, 512), size).pixels(whole), 3, 2)
    made = align([first, second])
    board = ((np.arange(300)[:, None] // 38 + np.arange(300) // 38) % 2 == 0)[..., None]
    return row(first, second, np.where(board, first, second), np.where(board, *made.pictures))


def wide() -> np.ndarray:
    """Views of a camera that turns, and the panorama."""
    whole, size = draw("street", 4, 1024).clean, (240, 260)
    lens = np.array([[330, 0, 130], [0, 330, 120], [0, 0, 1.0]])
    plane = np.array([[520, 0, 512], [0, 520, 430], [0, 0, 1.0]])
    views = []
    for seed, (yaw, gain) in enumerate(((0.4, 1.0), (0.0, 0.8), (-0.4, 1.1), (0.2, 0.9), (-0.2, 1.0))):
        turn = np.array([[np.cos(yaw), 0, -np.sin(yaw)], [0, 1, 0], [np.sin(yaw), 0, np.cos(yaw)]])
        seen = Warp(lens @ turn @ np.linalg.inv(plane), whole.shape[:2], size).pixels(whole)
        views.append(grained(seen * gain, 2, seed))
    made = panorama(views)
    top = row(*views)
    below = np.full((len(made.pixels), top.shape[1], 3), 255, np.uint8)
    left = (top.shape[1] - made.pixels.shape[1]) // 2
    below[:, left : left + made.pixels.shape[1]] = made.pixels
    return np.concatenate([top, np.full((GAP, top.shape[1], 3), 255, np.uint8), below])


def night() -> np.ndarray:
    """One of nine dark pictures, the burst of all, both lifted alike."""
    whole, size = draw("street", 9, 1024).clean.astype(np.float32) * 0.3 + 6, (260, 340)
    chance, pictures = generator("night"), []
    for seed in range(9):
        move = moved(*(chance.uniform(-0.6, 0.6), 1.0, *chance.uniform(-6, 6, 2)), size) if seed else np.eye(3)
        corner = np.array([[1, 0, -340], [0, 1, -400], [0, 0, 1.0]])
        pictures.append(grained(Warp(move @ corner, whole.shape[:2], size).pixels(whole), 9, seed))
    made = burst(pictures, deep=True)
    lift = [np.clip(each * 2.4, 0, 1) for each in (pictures[0] / 255, made.pixels / 65535)]
    return row(pictures[0], *(np.rint(each * 255).astype(np.uint8) for each in lift))


def depths() -> np.ndarray:
    """Near and far focus, and the stack; three exposures, and what they were fused to."""
    import cv2

    sharp = draw("parts", 5, 260).clean
    soft = cv2.GaussianBlur(sharp, (0, 0), 4)
    near = np.clip(np.linspace(1.6, -0.6, 260), 0, 1)[None, :, None]
    pair = [grained(sharp * share + soft * (1 - share), 1, seed) for seed, share in enumerate((near, 1 - near))]
    stacked = focus_stack(pair)
    light = draw("street", 2, 260).clean / 255.0
    shots = [grained(255 * np.clip(light * gain, 0, 1) ** 0.7, 1, 7) for gain in (0.5, 1.6, 6.0)]
    return row(*pair, stacked.pixels, *(shot for shot in shots), fuse(shots, by=None).pixels)


def changed() -> np.ndarray:
    """Before, after with the camera moved, and what changed."""
    scene = draw("pairs", 7, 300, index=3)
    assert scene.after is not None
    after = Warp(np.linalg.inv(moved(2, 1.0, 6, -4, (300, 300))), (300, 300), (300, 300)).pixels(scene.after)
    made = difference([scene.image, after])
    warm = catalog.find("overlays", "heatmap")(scene.image, Heatmap(made.heatmap.scores, made.heatmap.score))[:300]
    return row(scene.image, after, catalog.find("overlays", "objects")(warm, made.objects))


def steps() -> np.ndarray:
    """Two frames of solids that slide, their flow; a stereo pair made of depth, and its disparity."""
    frames = [draw("motion", 2, 300, index=index).image for index in (3, 4)]
    field = catalog.find("matchers", "dis")(*frames)
    lengths = np.clip(field.lengths / max(1e-6, float(field.lengths.max())), 0, 1)
    return row(*frames, drawn(field), display(lengths[..., None].astype(np.float32)))


def main() -> None:
    """All of them."""
    for name, picture in (
        ("matching_align", aligned()),
        ("matching_panorama", wide()),
        ("matching_burst", night()),
        ("matching_depths", depths()),
        ("matching_changes", changed()),
        ("matching_flow", steps()),
    ):
        write_image(FOLDER / f"{name}.jpg", picture, quality=85)


if __name__ == "__main__":
    main()
