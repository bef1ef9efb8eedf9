"""Depths as numbers from 0 to 1 and back."""

import numpy as np
import pytest

from sightline.core.depth import checked, from_unit, span, unit
from sightline.core.errors import InputError


@pytest.mark.parametrize("depth", ["uint8", "uint16"])
def test_there_and_back_is_the_same_to_the_bit(depth: str) -> None:
    pixels = np.arange(np.iinfo(depth).max + 1, dtype=depth)[:, None, None]
    light = unit(pixels)
    assert (light.min(), light.max(), light.dtype) == (0, 1, np.float32)
    assert np.array_equal(from_unit(light, pixels), pixels)


def test_floats_beyond_0_and_1_keep_their_own_range() -> None:
    pixels = np.array([[[-2.0], [6.0]]], np.float32)
    assert span(pixels) == (-2, 6)
    assert unit(pixels).ravel().tolist() == [0, 1]
    assert np.array_equal(from_unit(unit(pixels), pixels), pixels)


def test_a_gray_picture_gets_a_channel_and_is_not_copied() -> None:
    pixels = np.zeros((3, 4), np.uint8)
    assert checked(pixels).shape == (3, 4, 1)
    assert np.shares_memory(checked(pixels), pixels)


@pytest.mark.parametrize("wrong", [np.zeros((3, 4), np.int64), np.zeros((0, 4), np.uint8), np.zeros(3, np.uint8)])
def test_what_is_no_picture_is_refused_by_name(wrong: np.ndarray) -> None:
    with pytest.raises(InputError, match=r"^sharpen takes pictures"):
        checked(wrong, what="sharpen")
