"""Edges, against scikit-image and OpenCV called directly."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from sightline.core.errors import SettingsError
from sightline.finders import edges
from tests.finders.drawn import depth_of, disc

filters = pytest.importorskip("skimage.filters")
SCENE = disc((60, 80), 41.3, 28.8, 17.2) * 0.7 + 0.1


@pytest.mark.parametrize("name", ["sobel", "prewitt", "scharr"])
@pytest.mark.parametrize("depth", ["uint8", "uint16", "float32"])
def test_slopes_are_those_of_the_reference(name: str, depth: str) -> None:
    image = depth_of(SCENE, depth)
    find = getattr(edges, name)
    assert np.allclose(find(image).scores, getattr(filters, name)(image), atol=2e-6)
    assert np.allclose(
        find(image, direction="vertical").scores, np.abs(getattr(filters, name + "_v")(image)), atol=2e-6
    )
    assert np.allclose(
        find(image, direction="horizontal").scores, np.abs(getattr(filters, name + "_h")(image)), atol=2e-6
    )


def test_a_direction_keeps_the_edges_that_run_that_way() -> None:
    image = np.zeros((40, 40), np.uint8)
    image[:, 20:] = 255
    assert edges.sobel(image, direction="vertical").score == 1
    assert edges.sobel(image, direction="horizontal").score == 0
    assert edges.sobel(image.T, direction="horizontal").score == 1


def test_laplacian_is_that_of_the_reference() -> None:
    image = depth_of(SCENE, "float32")
    want = np.abs(filters.laplace(image, ksize=3)) / 4
    assert np.allclose(edges.laplacian(image).scores, want, atol=2e-6)


def test_canny_is_opencvs_on_the_smoothed_bytes() -> None:
    image = depth_of(SCENE, "uint8")
    want = cv2.Canny(cv2.GaussianBlur(image, (0, 0), 1.4), 51, 102, L2gradient=True)
    assert np.array_equal(edges.canny(image, low=0.05, high=0.1).scores * 255, want)
    uneven = depth_of(SCENE * np.linspace(0.1, 1, 80)[None], "uint8")  # a ring that fades
    half, same = (edges.canny(uneven, low=low, high=0.2).scores for low in (0.1, 0.2))
    assert np.array_equal(edges.canny(uneven, high=0.2).scores, half)
    assert (half != same).any()


@pytest.mark.parametrize("depth", ["uint8", "uint16", "float32"])
def test_canny_draws_a_ring_around_a_disc(depth: str) -> None:
    found = edges.canny(depth_of(SCENE, depth))
    rows, columns = np.nonzero(found.scores)
    away = np.hypot(columns + 0.5 - 41.3, rows + 0.5 - 28.8)
    assert set(np.unique(found.scores)) == {0, 1}
    assert 90 < len(rows) < 150
    assert np.abs(away - 17.2).max() < 1.6


def test_a_picture_without_edges_has_none() -> None:
    assert edges.canny(np.full((20, 30, 3), 90, np.uint8)).score == 0
    slope = np.linspace(0, 255, 200).astype(np.uint8)[None].repeat(50, 0)
    assert edges.canny(slope).score == 0


def test_the_five_stages_lead_to_the_answer() -> None:
    image = depth_of(SCENE, "uint8")
    stages = dict(edges.canny.stages(image, low=0.05, high=0.1))  # type: ignore[attr-defined]
    assert list(stages) == ["smoothed", "steepness", "thinned", "sure and unsure", "joined"]
    assert np.array_equal(stages["joined"].scores, edges.canny(image, low=0.05, high=0.1).scores)
    thin, marked = stages["thinned"].scores, stages["sure and unsure"].scores
    assert ((thin == 0) | (thin == stages["steepness"].scores)).all()
    assert np.array_equal(marked == 1, thin > 0.1)
    assert (stages["joined"].scores[marked == 1] == 1).mean() > 0.98


def test_settings_that_cannot_be_are_refused() -> None:
    with pytest.raises(SettingsError, match="direction = 'up': must be one of any, vertical, horizontal"):
        edges.sobel(SCENE, direction="up")
    with pytest.raises(SettingsError, match="high = 2: must be a number from 0 to 1"):
        edges.canny(SCENE, high=2)


@pytest.mark.parametrize("depth", ["uint16", "float32"])
def test_canny_of_deep_pictures_has_the_levels_that_are_asked_for(depth: str) -> None:
    """OpenCV's answer on 16-bit slopes: both levels, the lower one as half of the upper one, and never above it."""
    rng = np.random.default_rng(0)
    light = np.clip(cv2.GaussianBlur(rng.random((60, 80)), (0, 0), 2) * 2.2 - 0.6, 0, 1)
    image = depth_of(light, depth)
    smooth = cv2.GaussianBlur(image, (0, 0), 1.4).astype(np.float64) / (65535 if depth == "uint16" else 1)
    slopes = [
        np.rint(cv2.Sobel(smooth, cv2.CV_64F, *order, scale=8191, borderType=cv2.BORDER_REPLICATE)).astype(np.int16)
        for order in ((1, 0), (0, 1))
    ]

    def wanted(low: float, high: float) -> np.ndarray:
        return np.asarray(cv2.Canny(*slopes, low * 4 * 8191, high * 4 * 8191, L2gradient=True)) > 0

    maps = {}
    for given, low, high in (
        ({"low": 0.02, "high": 0.08}, 0.02, 0.08),
        ({"low": 0.07, "high": 0.08}, 0.07, 0.08),
        ({"high": 0.08}, 0.04, 0.08),
        ({"low": 0.1, "high": 0.08}, 0.1, 0.1),
    ):
        found = edges.canny(image, **given).scores > 0
        assert (found != wanted(low, high)).sum() <= 2, (given, "slopes are rounded")
        maps[low, high] = found
    sizes = [int(maps[pair].sum()) for pair in ((0.02, 0.08), (0.04, 0.08), (0.07, 0.08), (0.1, 0.1))]
    assert sizes == sorted(sizes, reverse=True)
    assert len(set(sizes)) == 4, "each level tells"
    told = edges.canny(image, low=0.9).scores
    assert told.max() == 0, "a lower level above the one that is found raises it"
