"""A picture through tiles is the picture at once: no seam, any size, any scale, little memory."""

import tracemalloc

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from sightline.core.bicubic import larger
from sightline.core.inputs import Frame, InputSpec, blend, cut, fit, trust
from sightline.core.patchwork import Answer, pieced


def _convolutions() -> Answer:
    """Three layers that see seven pixels around each."""
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(3, 8, 5, 1, 2), nn.ReLU(), nn.Conv2d(8, 8, 5, 1, 2), nn.ReLU(), nn.Conv2d(8, 3, 7, 1, 3)
    )

    def answer(tiles: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return (net(torch.from_numpy(tiles).movedim(-1, 1)) * 0.5 + 0.5).movedim(1, -1).numpy()

    return answer


def _enlarged(scale: int) -> Answer:
    return lambda tiles: np.stack([larger(tile, scale) for tile in tiles])


@pytest.mark.parametrize("size", [(100, 90), (64, 64), (65, 131), (40, 200), (9, 9)])
def test_tiles_equal_the_whole_away_from_borders(size: tuple[int, int]) -> None:
    pixels = np.random.default_rng(0).random((*size, 3)).astype(np.float32)
    answer = _convolutions()
    whole = answer(pixels[None])[0]
    made = pieced(answer, pixels, InputSpec((48, 48), 3, "float32", "tile", 32))
    assert made.shape == whole.shape
    inside = np.s_[8:-8, 8:-8]
    if min(size) > 16:
        assert np.abs(made[inside] - whole[inside].clip(0, 1)).max() < 1e-3


@pytest.mark.parametrize("scale", [1, 2, 3, 4])
@pytest.mark.parametrize("size", [(1, 1), (1, 50), (33, 47), (70, 64)])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_any_size_scale_and_depth_comes_back(scale: int, size: tuple[int, int], dtype: str) -> None:
    top = {"uint8": 255, "uint16": 65535, "float32": 1}[dtype]
    smooth = cv2.GaussianBlur(np.random.default_rng(0).random((*size, 3)), (0, 0), 2).reshape(*size, 3)
    pixels = (smooth * top).astype(dtype)
    made = pieced(_enlarged(scale), pixels, InputSpec((32, 32), 3, "float32", "tile", 16), scale=scale)
    assert made.dtype == pixels.dtype
    assert made.shape == (size[0] * scale, size[1] * scale, 3)
    inside = np.s_[4 * scale : -4 * scale, 4 * scale : -4 * scale] if min(size) > 16 else np.s_[:0]
    gap = np.abs(made[inside].astype(np.float64) - larger(pixels, scale)[inside])
    assert gap.max(initial=0) <= (1e-4 if dtype == "float32" else 1 if dtype == "uint8" else 3)


def test_a_band_at_a_time_is_all_that_is_held() -> None:
    pixels = np.zeros((3000, 300, 3), np.uint8)
    tracemalloc.start()
    pieced(lambda tiles: tiles, pixels, InputSpec((128, 128), 3, "float32", "tile", 16))
    held = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert held < 3 * pixels.nbytes, "floats of the whole picture alone are four times its bytes"


def test_a_picture_and_its_larger_twin_are_cut_alike() -> None:
    pixels = np.random.default_rng(0).random((37, 50, 1)).astype(np.float32)
    twin = pixels.repeat(3, 0).repeat(3, 1)
    for frame, tile in fit(pixels, InputSpec((32, 32), 1, "float32", "tile", 8)):
        np.testing.assert_array_equal(cut(twin, frame, 3), tile.repeat(3, 0).repeat(3, 1))


def test_blending_larger_answers_gives_the_larger_picture() -> None:
    pixels = np.random.default_rng(0).random((50, 40, 2)).astype(np.float32)
    placed = fit(pixels, InputSpec((32, 32), 2, "float32", "tile", 8))
    frames: list[Frame] = [frame for frame, _ in placed]
    (whole,) = blend(np.stack([tile.repeat(2, 0).repeat(2, 1) for _, tile in placed]), frames, 8, 2)
    np.testing.assert_allclose(whole, pixels.repeat(2, 0).repeat(2, 1), atol=1e-6)


def test_the_rim_of_a_tile_counts_for_next_to_nothing() -> None:
    ramp = trust((32, 32), 16)[..., 0]
    assert ramp[0].max() <= 1e-6
    assert ramp[16, 16] == 1
    assert (trust((8, 8), 0) == 1).all()
