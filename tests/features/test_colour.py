"""Colour and light, against OpenCV."""

import cv2
import numpy as np
import pytest

from sightline.features.colour import colour_histogram, pixels

PICTURE = np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8)


def test_levels_are_counted_as_opencv_counts_them() -> None:
    made = colour_histogram(PICTURE, bins=16, joint=4) ** 2 * 1200
    for channel in range(3):
        wanted = cv2.calcHist([PICTURE], [channel], None, [16], [0, 256]).ravel()
        assert made[channel * 16 : channel * 16 + 16] == pytest.approx(wanted, abs=1e-2)
    joint = cv2.calcHist([PICTURE], [0, 1, 2], None, [4, 4, 4], [0, 256] * 3).ravel()
    assert made[48:] == pytest.approx(joint, abs=1e-2)


def test_a_product_of_two_rows_is_what_they_have_in_common() -> None:
    red, blue = np.zeros((2, 8, 8, 3), np.uint8)
    red[..., 0], blue[..., 2] = 255, 255
    one, other = colour_histogram(red, joint=0), colour_histogram(blue, joint=0)
    assert float(one @ one) == pytest.approx(3)
    assert float(one @ other) == pytest.approx(1), "they share the level of green alone"


def test_small_pictures_are_even() -> None:
    assert pixels(PICTURE, side=8).reshape(8, 8, 3).std() == pytest.approx(1, abs=1e-4)
    assert abs(pixels(PICTURE, side=8).mean()) < 1e-5
    small = cv2.resize(PICTURE.astype(np.float32), (8, 8), interpolation=cv2.INTER_AREA) / 255
    assert pixels(PICTURE, side=8, even=False) == pytest.approx(small.ravel(), abs=1e-4)
