"""Texture, against scikit-image and against the definition written as loops."""

import itertools

import cv2
import numpy as np
import pytest
from skimage.feature import graycomatrix, graycoprops, local_binary_pattern
from skimage.filters import gabor_kernel

from sightline.core.errors import SettingsError
from sightline.features.texture import _uniform, _waves, gabor, glcm, lbp

PICTURE = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 256, (40, 56), np.uint8), (0, 0), 1.0)[..., None]


def test_four_points_are_those_of_scikit_image() -> None:
    codes = local_binary_pattern(PICTURE[..., 0], 4, 1, "default").astype(int)[1:-1, 1:-1]
    bins, kinds = _uniform(4)
    wanted = np.bincount(bins[codes].ravel(), minlength=kinds) / codes.size
    assert lbp(PICTURE, points=4, grid=1) ** 2 == pytest.approx(wanted, abs=1e-6)


def test_eight_points_by_the_definition() -> None:
    ring = [(0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1), (1, 0), (1, 1)]
    light = PICTURE[..., 0].astype(int)
    bins, kinds = _uniform(8)
    assert kinds == 59
    counts = np.zeros(kinds)
    for row, column in itertools.product(range(2, 38), range(2, 54)):
        code = sum((light[row + 2 * y, column + 2 * x] >= light[row, column]) << bit for bit, (y, x) in enumerate(ring))
        counts[bins[code]] += 1
    assert lbp(PICTURE, radius=2, grid=1) ** 2 == pytest.approx(counts / counts.sum(), abs=1e-6)


def test_parts_are_counted_by_themselves() -> None:
    halves = np.zeros((64, 64, 1), np.uint8)
    halves[:, 32:] = np.random.default_rng(1).integers(0, 256, (64, 32, 1))
    parts = lbp(halves, grid=2).reshape(4, 59)
    assert (parts**2).sum(1) == pytest.approx(1)
    assert parts[0].max() == 1, "nothing happens on the left"
    assert parts[1].max() < 0.8


def test_a_ring_of_five_points_is_refused() -> None:
    with pytest.raises(SettingsError, match="points = 5: must be 4 or 8"):
        lbp(PICTURE, points=5)


def test_co_occurrence_is_that_of_scikit_image() -> None:
    made = glcm(PICTURE).reshape(2, 4, 6)
    for far, (place, angle) in itertools.product((1, 2), enumerate(np.arange(4) * np.pi / 4)):
        reach = far * (np.sqrt(2) if place % 2 else 1)
        counts = graycomatrix(PICTURE[..., 0] // 16, [reach], [angle], levels=16, symmetric=True, normed=True)
        wanted = [
            float(graycoprops(counts, name)[0, 0])
            for name in ("contrast", "dissimilarity", "homogeneity", "energy", "correlation", "entropy")
        ]
        wanted[5] /= np.log(2)  # ours in bits
        assert made[far - 1, place] == pytest.approx(wanted, rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("angle", [0.0, 0.5, 2.0])
def test_waves_are_those_of_scikit_image_without_their_mean(angle: float) -> None:
    even, odd = _waves(angle)
    wanted = gabor_kernel(0.25, theta=angle)
    inside = tuple(
        slice((ours - theirs) // 2, (ours + theirs) // 2)
        for ours, theirs in zip(even.shape, wanted.shape, strict=False)
    )
    assert np.abs(odd[inside] - wanted.imag).max() < 1e-8
    assert np.abs(even[inside] - wanted.real).max() < 2e-4
    assert abs(even.sum()) < 1e-6


def test_stripes_answer_to_the_wave_of_their_direction() -> None:
    stripes = (128 + 100 * np.sin(np.arange(64) * np.pi / 2))[None].repeat(64, 0).astype(np.uint8)[..., None]
    power = gabor(stripes).reshape(3, 6, 2, 4)[:, :, 0].mean(2)
    assert power.argmax() == 0, "the finest scale, waves along the rows"
    assert gabor(stripes.transpose(1, 0, 2)).reshape(3, 6, 2, 4)[:, :, 0].mean(2).argmax() == 3
