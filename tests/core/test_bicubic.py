"""Bicubic interpolation against what is known of it: its kernel, other libraries, and its own two ways."""

import numpy as np
import pytest

from sightline.core import bicubic as module
from sightline.core.bicubic import bicubic, larger, smaller


def _picture(rows: int = 23, columns: int = 31, dtype: str = "uint8") -> np.ndarray:
    top = {"uint8": 255, "uint16": 65535, "float32": 1}[dtype]
    return (np.random.default_rng(0).random((rows, columns, 3)) * top).astype(dtype)


@pytest.mark.parametrize("by", [2, 3, 4])
def test_enlarging_by_phases_equals_the_weights_of_every_pixel(by: int) -> None:
    pixels = _picture()
    wanted = pixels.astype(np.float64)
    for axis in (0, 1):
        places, weights = module._taps(wanted.shape[axis], wanted.shape[axis] * by, True)
        moved = wanted.swapaxes(0, axis)
        wanted = (moved[places] * weights[:, :, None, None]).sum(1).swapaxes(0, axis)
    assert np.abs(larger(pixels, by) - np.clip(np.rint(wanted), 0, 255)).max() <= 1


def test_shrinking_agrees_with_pillow_away_from_edges() -> None:
    """Pillow's bicubic has the same kernel and the same widening; only what it does at the edge differs."""
    from PIL import Image

    pixels = _picture(40, 60)
    made = bicubic(pixels, (20, 30))
    other = np.asarray(Image.fromarray(pixels).resize((30, 20), Image.Resampling.BICUBIC))
    assert np.abs(made[3:-3, 3:-3].astype(int) - other[3:-3, 3:-3]).max() <= 1


def test_without_antialiasing_a_shrunk_picture_is_a_sample() -> None:
    pixels = _picture(30, 30, "float32")
    np.testing.assert_allclose(bicubic(pixels, (10, 10), antialias=False), pixels[1::3, 1::3], atol=1e-6)
    assert np.abs(bicubic(pixels, (10, 10)) - pixels[1::3, 1::3]).max() > 0.1


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_depth_range_and_a_flat_picture_are_kept(dtype: str) -> None:
    pixels = _picture(dtype=dtype)
    for made in (larger(pixels, 2), smaller(pixels, 2), bicubic(pixels, (7, 90))):
        assert made.dtype == pixels.dtype
    flat = np.full((9, 5, 1), pixels.max(), dtype)
    for size in ((18, 10), (3, 5), (1, 1), (50, 2)):
        np.testing.assert_allclose(bicubic(flat, size).astype(float), float(flat.max()), rtol=1e-5)


def test_a_single_pixel_grows_and_odd_ends_are_cut() -> None:
    one = np.full((1, 1, 3), 7, np.uint8)
    assert (larger(one, 4) == 7).all()
    assert smaller(np.zeros((7, 10, 1), np.uint8), 3).shape == (2, 3, 1)
    assert smaller(one, 3).shape == (1, 1, 3)
