"""Measures without a reference move with what they are named after."""

import cv2
import numpy as np
import pytest

from sightline.core.errors import SettingsError
from sightline.core.measures import NAMES, measure
from sightline.finders.quality import quality
from tests.core.test_measures import crete
from tests.filters._drawn import as_depth, noisy, packed, scene


def of(pixels: np.ndarray, name: str) -> float:
    return float(quality(pixels, of=name).numbers[0])


def test_every_measure_by_name() -> None:
    given = as_depth(scene(), "uint8")
    found = quality(given)
    assert set(NAMES) - set(found.names) == {"rows", "columns", "channels", "bits"}
    assert found.numbers.tolist() == [measure(given)[name] for name in found.names]
    assert of(given, "noise") == found.numbers[found.names.index("noise")]
    with pytest.raises(SettingsError, match=r"of = 'nois'.*Did you mean 'noise'"):
        quality(given, of="nois")


@pytest.mark.parametrize("seed", range(4))
def test_noise_is_measured_within_a_tenth(seed: int) -> None:
    """From 5 to 50 levels, added to gray; clipping takes from the strongest, so the scene is of middle tones."""
    plain = 0.5 + 0.35 * (scene(seed, 240, 300)[..., 1] - 0.5)
    for sigma in (5, 8, 15, 25, 35, 50):
        given = as_depth(noisy(plain, sigma, seed), "uint8")
        clipped = np.clip(np.random.default_rng(0).normal(128, sigma, 100_000), 0, 255).std()
        assert of(given, "noise") == pytest.approx(sigma, rel=0.1), clipped


@pytest.mark.parametrize("seed", range(3))
def test_blur_and_sharpness_follow_a_blur(seed: int) -> None:
    whole = as_depth(scene(seed, 240, 300), "uint8")
    seen = [whole, *(cv2.GaussianBlur(whole, (0, 0), sigma) for sigma in (0.7, 1.2, 2, 3.5))]
    blur, sharpness = ([of(each, name) for each in seen] for name in ("blur", "sharpness"))
    assert blur == sorted(blur)
    assert sharpness == sorted(sharpness, reverse=True)
    assert blur[-1] - blur[0] > 0.3
    assert sharpness[0] > 20 * sharpness[-1]


def test_blur_of_smooth_pictures_is_the_published_formula() -> None:
    """Steps of less than a gray level count."""
    for sigma in (1, 2, 4):
        seen = cv2.GaussianBlur(as_depth(scene(1, 240, 300), "uint8"), (0, 0), sigma)
        assert of(seen, "blur") == pytest.approx(crete(cv2.cvtColor(seen, cv2.COLOR_RGB2GRAY)), abs=0.01)


@pytest.mark.parametrize("seed", range(3))
def test_blockiness_follows_packing(seed: int) -> None:
    whole = as_depth(noisy(scene(seed, 240, 304), 5), "uint8")
    found = [of(packed(whole, quality), "blockiness") for quality in (95, 70, 40, 20, 10)]
    assert found == sorted(found)
    assert abs(of(whole, "blockiness")) < 0.1
    assert found[-1] > 0.5
    assert of(packed(whole, 5), "blockiness") > 0.5
    assert abs(of(packed(whole, 10)[3:, 3:], "blockiness")) < found[-2], "off its grid there is none"


def test_exposure_follows_light() -> None:
    given = scene(1)
    dark, light = as_depth(given * 0.1, "uint8"), as_depth(given * 2.5, "uint8")
    plain = as_depth(given, "uint8")
    assert of(dark, "brightness") < of(plain, "brightness") < of(light, "brightness")
    assert of(dark, "shadows") > of(plain, "shadows") + 0.05
    assert of(light, "highlights") > of(plain, "highlights") + 0.2
    assert of(light, "glare") > 0
    assert of(as_depth(given, "uint16"), "brightness") == pytest.approx(of(plain, "brightness"), abs=0.002)
