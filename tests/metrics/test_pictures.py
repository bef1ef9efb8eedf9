"""PSNR equals scikit-image's on 200 random cases of every depth."""

import math

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio

from sightline.core.annotations import Picture
from sightline.core.errors import InputError
from sightline.metrics.pictures import psnr


@pytest.mark.parametrize(("dtype", "top"), [("uint8", 255), ("uint16", 65535), ("float32", 1.0)])
def test_equal_to_scikit_image(dtype: str, top: float) -> None:
    for seed in range(70):
        rng = np.random.default_rng(seed)
        shape = (*rng.integers(2, 12, int(rng.integers(2, 4))), int(rng.choice([1, 3])))
        true, given = (
            rng.random(shape).astype(dtype) if top == 1.0 else rng.integers(0, top + 1, shape).astype(dtype)
            for _ in range(2)
        )
        expected = peak_signal_noise_ratio(true.astype(np.float64), given.astype(np.float64), data_range=top)
        assert psnr([Picture(true)], [Picture(given)]).value == pytest.approx(expected, abs=1e-9)


def test_one_perfect_picture_leaves_the_mean_finite() -> None:
    """One of 16 bits a single level off is 96.3 dB (20 log10 65535): the cap lies above all that can be told apart."""
    true = np.zeros((4, 4, 1), np.uint16)
    tally = psnr([Picture(true)] * 2, [Picture(true), Picture(true + np.uint16(1))])
    assert tally.rows[:, 0].tolist() == pytest.approx([100.0, 20 * math.log10(65535)])


def test_unlike_pictures_are_refused() -> None:
    with pytest.raises(InputError, match="uint16"):
        psnr([Picture(np.zeros((2, 2, 1), np.uint8))], [Picture(np.zeros((2, 2, 1), np.uint16))])
