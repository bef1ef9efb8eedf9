"""Descriptors on a grid, against OpenCV's own at the same points."""

import cv2
import numpy as np
import pytest

from sightline.features.local import sift


def test_descriptors_are_those_of_opencv_as_roots_of_shares() -> None:
    light = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8), (0, 0), 1.5)
    points = [cv2.KeyPoint(x + 8.0, y + 8.0, 16.0, 0.0) for y in range(0, 64, 16) for x in range(0, 64, 16)]
    _, wanted = cv2.SIFT_create().compute(light, points)
    made = sift(light[..., None], grid=4)
    assert made.shape == (16, 128)
    assert made**2 == pytest.approx(wanted / wanted.sum(1, keepdims=True), abs=1e-3)
    assert (made**2).sum(1) == pytest.approx(1, abs=1e-5)


def test_one_place_changes_its_own_descriptor_only() -> None:
    light = np.random.default_rng(1).integers(0, 256, (64, 64, 1), np.uint8)
    other = light.copy()
    other[:6, :6] = 255 - other[:6, :6]
    apart = np.abs(sift(light) - sift(other)).max(1).reshape(8, 8)
    assert apart[0, 0] > 0.01
    assert apart[4:, 4:].max() == 0
