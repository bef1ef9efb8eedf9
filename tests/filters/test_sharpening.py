"""Sharpening equals the libraries it stands on and the same numbers in every depth."""

import numpy as np
import pytest
from scipy import ndimage
from skimage.filters import unsharp_mask

from sightline.filters.sharpening import high_pass, laplacian_sharpen, sharpen
from tests.filters._drawn import TOPS, as_depth, scene


@pytest.mark.parametrize("channels", [1, 3, 5])
def test_unsharp_mask_is_that_of_scikit_image(channels: int) -> None:
    given = np.repeat(scene(), 2, 2)[..., :channels]
    expected = unsharp_mask(given, radius=1.5, amount=0.8, channel_axis=2)
    assert np.abs(sharpen(given, sigma=1.5, amount=0.8) - expected)[6:-6, 6:-6].max() < 2e-3


@pytest.mark.parametrize("edit", [sharpen, laplacian_sharpen])
def test_depths_agree(edit: object) -> None:
    given = as_depth(scene(1), "uint8")
    fine = edit((given / np.float32(255)).astype(np.float32))  # type: ignore[operator]
    for depth, most in (("uint8", 1.6 / 255), ("uint16", 2e-4)):
        same = given.astype(depth) * np.dtype(depth).type(TOPS[depth] / 255)
        assert np.abs(edit(same) / TOPS[depth] - fine).max() < most  # type: ignore[operator]


def test_a_threshold_leaves_noise_alone() -> None:
    given = np.full((30, 30), 100, np.uint8)
    given[:, 15:] = 180
    given[5, 5] = 103
    made = sharpen(given, threshold=10)
    assert (made[5, 5], made[20, 3]) == (103, 100)
    assert made[20, 15] > 180
    assert made[20, 14] < 100
    assert sharpen(given)[5, 5] > 103


def test_laplacian_is_the_second_derivative_taken_away() -> None:
    given = scene(2)[..., 0]
    expected = given - 0.5 * ndimage.laplace(given, mode="mirror")
    assert np.abs(laplacian_sharpen(given) - expected.clip(0, 1)).max() < 1e-5


def test_high_pass_leaves_detail_around_mid_gray() -> None:
    given = scene(3)
    made = high_pass(given, sigma=3)
    expected = 0.5 + given - ndimage.gaussian_filter(given, (3, 3, 0), mode="mirror")
    assert np.abs(made - expected.clip(0, 1)).max() < 5e-3
    assert abs(float(made.mean()) - 0.5) < 2e-3
    slope = np.tile(np.linspace(0.1, 0.9, 300, dtype=np.float32), (300, 1))
    assert np.abs(high_pass(slope, sigma=20)[50:-50, 80:-80] - 0.5).max() < 5e-3, "also where a blur is wide"
