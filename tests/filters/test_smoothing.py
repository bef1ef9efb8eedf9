"""Smoothing equals the libraries it stands on, in every depth, and keeps edges where it says so."""

import cv2
import numpy as np
import pytest
from scipy import ndimage

from sightline.core.errors import SettingsError
from sightline.filters.smoothing import anisotropic, bilateral, box, gaussian, guided, median
from tests.filters._drawn import TOPS, as_depth, noisy, psnr, scene

DEPTHS = tuple(TOPS)


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("channels", [1, 3, 5])
def test_means_and_medians_are_those_of_scipy(depth: str, channels: int) -> None:
    given = as_depth(np.random.default_rng(0).random((40, 47, channels)), depth)
    wide = given.astype(np.float64)
    step = {"uint8": 1.01, "uint16": 8, "float32": 1e-5}[depth]
    bell = ndimage.gaussian_filter(wide, (1.7, 1.7, 0), mode="mirror", truncate=4.5)
    assert np.abs(gaussian(given, sigma=1.7) - bell).max() <= (2 * step if depth != "float32" else 2e-3)
    plain = ndimage.uniform_filter(wide, (5, 5, 1), mode="mirror")
    assert np.abs(box(given, radius=2) - plain).max() <= step
    for radius in (1, 2, 3):
        middle = ndimage.median_filter(given, (2 * radius + 1, 2 * radius + 1, 1), mode="nearest")
        assert np.array_equal(median(given, radius=radius), middle)


def test_median_takes_specks_away_and_keeps_edges() -> None:
    given = np.zeros((20, 20), np.uint16)
    given[:, 10:] = 50000
    specks = given.copy()
    specks[4, 4], specks[12, 15] = 65535, 0
    assert np.array_equal(median(specks), given)


@pytest.mark.parametrize("depth", DEPTHS)
def test_bilateral_is_that_of_opencv(depth: str) -> None:
    given = as_depth(noisy(scene(), 15), depth)
    values = given if depth == "uint8" else (given / TOPS[depth]).astype(np.float32)
    tone = 2.4 * 15 * 1.6 / (1 if depth == "uint8" else 255)
    expected = cv2.bilateralFilter(values, 7, tone, 1.7, borderType=cv2.BORDER_REFLECT_101)
    made = bilateral(given, noise=15) / TOPS[depth]
    assert np.abs(made - expected / (255 if depth == "uint8" else 1)).max() < 1e-4
    gray = bilateral(given[..., :2], noise=15)
    assert np.array_equal(gray[..., 0], bilateral(given[..., 0], noise=15))


def test_guided_is_the_published_formula() -> None:
    given = noisy(scene(), 10)[..., 0].clip(0, 1)
    level = 1.8 * 10 / 255

    def mean(plane: np.ndarray) -> np.ndarray:
        return ndimage.uniform_filter(plane.astype(np.float64), 5, mode="reflect")

    slope = (mean(given * given) - mean(given) ** 2) / (mean(given * given) - mean(given) ** 2 + level**2)
    expected = mean(slope) * given + mean(mean(given) * (1 - slope))
    assert np.abs(guided(given, noise=10) - expected).max() < 1e-4


def test_flow_stops_at_edges_and_keeps_the_mean() -> None:
    given = np.full((40, 40), 0.2, np.float32)
    given[:, 20:] = 0.8
    rough = noisy(given, 8)
    made = anisotropic(rough, noise=8, steps=15)
    assert made.mean() == pytest.approx(rough.mean(), abs=1e-5)
    assert made[:, :18].std() < 0.4 * rough[:, :18].std()
    assert made[:, 21].mean() - made[:, 18].mean() > 0.57
    only_edges = np.abs(anisotropic(given, noise=8, steps=15) - given).max()
    assert only_edges < 0.05


@pytest.mark.parametrize(("name", "gains"), [("bilateral", 4), ("guided", 4), ("anisotropic", 4)])
def test_noise_goes_as_much_as_stated(name: str, gains: float) -> None:
    edit = {"bilateral": bilateral, "guided": guided, "anisotropic": anisotropic}[name]
    for depth in DEPTHS:
        true, given = as_depth(scene(), depth), as_depth(noisy(scene(), 20), depth)
        assert psnr(true, edit(given)) > psnr(true, given) + gains


@pytest.mark.parametrize("edit", [bilateral, guided, anisotropic])
def test_measured_noise_is_the_noise_there_is(edit: object) -> None:
    true, given = as_depth(scene(), "float32"), as_depth(noisy(scene(), 20), "float32")
    measured, told = edit(given), edit(given, noise=20)  # type: ignore[operator]
    assert psnr(told, measured) > 40
    assert psnr(true, edit(given, strength=0.1)) < psnr(true, measured)  # type: ignore[operator]
    assert np.array_equal(edit(given, strength=0), given) or edit is guided  # type: ignore[operator]


@pytest.mark.parametrize(
    ("edit", "setting", "value"),
    [
        (gaussian, "sigma", 0), (gaussian, "sigma", "wide"), (box, "radius", 1.5), (box, "radius", -1),
        (median, "radius", 101), (bilateral, "noise", -1), (bilateral, "sigma", float("nan")),
        (guided, "radius", True), (anisotropic, "steps", 9999),
    ],
)  # fmt: skip
def test_a_bad_setting_is_one_line_that_names_it(edit: object, setting: str, value: object) -> None:
    with pytest.raises(SettingsError, match=rf"{setting} = .*must be a") as caught:
        edit(as_depth(scene(), "uint8"), **{setting: value})  # type: ignore[operator]
    assert "\n" not in caught.value.message
