"""Directions of edges, against scikit-image."""

import cv2
import numpy as np
import pytest
from skimage.feature import hog as reference

from sightline.features.gradients import hog


def _picture(size: tuple[int, int], channels: int) -> np.ndarray:
    noise = np.random.default_rng(0).integers(0, 256, (*size, channels), np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 1.2).reshape(*size, channels)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("cells", "block", "bins"), [(8, 2, 9), (4, 3, 6), (8, 1, 7)])
def test_it_is_that_of_scikit_image(channels: int, cells: int, block: int, bins: int) -> None:
    picture = _picture((64, 96), channels)
    exact = picture.astype(np.int64) * 257 / 65536
    wanted = reference(
        exact,
        orientations=bins,
        pixels_per_cell=(64 // cells, 96 // cells),
        cells_per_block=(block, block),
        block_norm="L2-Hys",
        channel_axis=-1,
    )
    assert hog(picture, cells=cells, block=block, bins=bins) == pytest.approx(wanted, abs=1e-6)


def test_an_edge_lies_in_the_bin_of_its_direction() -> None:
    """Light rises to the right: the gradient points along the rows, at no angle, and all strength is in one bin."""
    ramp = np.repeat(np.arange(64, dtype=np.uint8)[None] * 3, 64, 0)[..., None]
    cells = hog(ramp, block=1).reshape(8, 8, 9)
    assert (cells[..., 0] > 0.5).all()
    assert np.abs(cells[..., 1:]).max() == 0
    assert (hog(ramp.transpose(1, 0, 2), block=1).reshape(8, 8, 9)[..., 4] > 0.5).all()
    assert np.array_equal(hog(255 - ramp, block=1), hog(ramp, block=1)), "half a turn is the same direction"
