"""Black and white, against scikit-image and OpenCV."""

import cv2
import numpy as np
import pytest
from skimage import filters as reference

from sightline.filters.thresholds import adaptive, otsu, sauvola, threshold
from tests.contracts.test_filters import picture, scene

DEPTHS = {"uint8": 255, "uint16": 65535, "float32": 1.0}


def gray(depth: str) -> np.ndarray:
    whole = cv2.cvtColor(scene(), cv2.COLOR_RGB2GRAY)
    return {"uint8": whole, "uint16": whole.astype(np.uint16) * 257, "float32": (whole / 255).astype(np.float32)}[depth]


@pytest.fixture(params=DEPTHS)
def depth(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_a_level_is_a_part_of_the_range(depth: str) -> None:
    given = gray(depth)
    wanted = given / DEPTHS[depth] > 0.6
    made = threshold(given, level=0.6)
    assert np.array_equal(made, wanted * np.array(DEPTHS[depth], depth))
    assert threshold(given, level=1.0).max() == 0
    assert threshold(np.array([[-4.0, 9.0, 2.0]], np.float32)).tolist() == [[-4.0, 9.0, -4.0]]


def test_otsu_is_that_of_scikit_image(depth: str) -> None:
    given = gray(depth)
    wanted = gray("uint8") > reference.threshold_otsu(gray("uint8"))
    assert ((otsu(given) > 0) == wanted).mean() > 0.999
    parted = np.where(np.arange(60).reshape(6, 10) % 3, 0.2, 0.8) * DEPTHS[depth]
    assert np.array_equal(otsu(parted.astype(depth)) > 0, parted > 0.5 * DEPTHS[depth])


@pytest.mark.parametrize(
    ("way", "code"), [("mean", cv2.ADAPTIVE_THRESH_MEAN_C), ("gaussian", cv2.ADAPTIVE_THRESH_GAUSSIAN_C)]
)
def test_adaptive_is_that_of_opencv(way: str, code: int, depth: str) -> None:
    wanted = cv2.adaptiveThreshold(gray("uint8"), 255, code, cv2.THRESH_BINARY, 11, 5) > 0
    made = adaptive(gray(depth), window=11, offset=5 / 255, way=way) > 0
    assert (made == wanted).mean() > (0.999 if depth == "uint8" else 0.98)


def test_sauvola_is_that_of_scikit_image(depth: str) -> None:
    given = gray(depth)
    values = given / DEPTHS[depth]
    wanted = values > reference.threshold_sauvola(values, 15, 0.3, r=0.5)
    assert np.array_equal(sauvola(given, window=15, k=0.3) > 0, wanted)


def test_many_channels_count_by_their_mean() -> None:
    given = picture("uint8", 9, 9, 6)
    assert np.array_equal(threshold(given)[..., 0] > 0, np.rint(given.mean(2)) > 127)


def test_two_levels_close_together_are_parted(depth: str) -> None:
    low, high = (np.array(value * DEPTHS[depth]).astype(depth) for value in (0.5, 0.502))
    given = np.where(np.arange(60).reshape(6, 10) % 3, low, high)
    assert np.array_equal(otsu(given) > 0, given == high)
