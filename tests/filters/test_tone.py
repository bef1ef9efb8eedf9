"""Light and contrast, against scikit-image, OpenCV and scipy."""

import cv2
import numpy as np
import pytest
from scipy.interpolate import PchipInterpolator
from skimage import exposure as reference

from sightline.core.errors import SettingsError
from sightline.filters import _tiles, tone
from tests.contracts.test_filters import picture, scene

DEPTHS = {"uint8": 255, "uint16": 65535, "float32": 1.0}


@pytest.fixture(params=DEPTHS)
def depth(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def close(made: np.ndarray, wanted: np.ndarray, depth: str, slack: float = 0.52) -> None:
    """To the nearest whole number, to a millionth of floats."""
    assert np.abs(made - wanted * DEPTHS[depth]).max() <= (slack if depth != "float32" else 2e-6)


def share(given: np.ndarray, depth: str) -> np.ndarray:
    return given.astype(np.float64) / DEPTHS[depth]


@pytest.mark.parametrize("channels", [1, 3, 5])
def test_lines(depth: str, channels: int) -> None:
    given = picture(depth, 20, 30, channels)
    values = share(given, depth)
    close(tone.brightness(given, by=-0.2), (values - 0.2).clip(0, 1), depth)
    close(tone.contrast(given, by=2, about=0.4), ((values - 0.4) * 2 + 0.4).clip(0, 1), depth)
    close(tone.contrast(given, by=50), ((values - 0.5) * 50 + 0.5).clip(0, 1), depth, 1.01)


def test_gamma_and_levels_are_those_of_scikit_image(depth: str) -> None:
    given = picture(depth, 20, 30, 3)
    values = share(given, depth)
    close(tone.gamma(given, by=0.6), reference.adjust_gamma(values, 0.6), depth)
    close(tone.levels(given, black=0.2, white=0.7), reference.rescale_intensity(values, (0.2, 0.7), (0, 1)), depth)
    bent = ((values - 0.1) / 0.8).clip(0, 1) ** (1 / 2.2) * 0.5 + 0.25
    close(tone.levels(given, black=0.1, white=0.9, gamma=2.2, low=0.25, high=0.75), bent, depth)
    with pytest.raises(SettingsError, match="below white"):
        tone.levels(given, black=0.5, white=0.5)


def test_a_stop_is_twice_the_light(depth: str) -> None:
    given = picture(depth, 20, 30, 3)
    values = share(given, depth)
    light = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4) * 2
    wanted = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    close(tone.exposure(given, stops=1), wanted.clip(0, 1), depth)


def test_auto_levels_cut_what_they_say(depth: str) -> None:
    given = (picture(depth, 60, 70, 3) * 0.5).astype(depth)
    low, high = np.quantile(share(given, depth), (0.05, 0.95), method="inverted_cdf")
    wanted = ((share(given, depth) - low) / (high - low)).clip(0, 1)
    made = tone.auto_levels(given, cut=0.05)
    assert np.abs(share(made, depth) - wanted).max() < (0.012 if depth == "uint8" else 1e-4)
    apart = tone.auto_levels(
        given * np.array([1, 0.5, 0.25]).astype(depth) if depth == "float32" else given, together=False
    )
    assert share(apart, depth).max((0, 1)).tolist() == [1, 1, 1]


def test_equal_levels_are_those_of_opencv_and_scikit_image() -> None:
    gray = scene()[..., 0]
    assert np.array_equal(tone.equalise(gray), cv2.equalizeHist(gray))
    fine = tone.equalise(gray.astype(np.uint16) * 257)
    assert np.abs(fine / 257 - tone.equalise(gray)).max() <= 0.51
    noise = picture("uint16", 60, 60)
    assert np.abs(tone.equalise(noise) / 65535 - reference.equalize_hist(noise, 65536)).max() < 2e-3
    parted = cv2.cvtColor(scene(), cv2.COLOR_RGB2YCrCb)
    parted[..., 0] = cv2.equalizeHist(np.ascontiguousarray(parted[..., 0]))
    assert np.array_equal(tone.equalise(scene()), cv2.cvtColor(parted, cv2.COLOR_YCrCb2RGB))


@pytest.mark.parametrize("shape", [(40, 48), (37, 53), (64, 64), (9, 200), (3, 3)])
@pytest.mark.parametrize(("clip", "grid"), [(2.0, 8), (40.0, 3), (1.1, 1)])
def test_clahe_is_that_of_opencv_in_every_depth(shape: tuple[int, int], clip: float, grid: int) -> None:
    gray = np.resize(scene()[..., 1], shape)
    wanted = cv2.createCLAHE(clip, (grid, grid)).apply(gray)
    assert np.array_equal(tone.clahe(gray, clip=clip, grid=grid), wanted)
    fine = tone.clahe(gray.astype(np.uint16) * 257, clip=clip, grid=grid)
    assert np.abs(fine / 257 - wanted).max() <= 1.01, "OpenCV rounds its tables to levels before it blends them"
    real = tone.clahe((gray / 255).astype(np.float32), clip=clip, grid=grid)
    assert np.abs(real - fine / 65535).max() < 1e-4


def test_clahe_of_sixteen_bits_keeps_what_lies_between_two_levels_of_eight() -> None:
    ramp = np.tile(np.linspace(30_000, 30_900, 64).astype(np.uint16), (64, 1))
    assert len(np.unique(tone.clahe(ramp))) > 40


def test_clahe_of_sixteen_bits_counts_each_value_at_its_nearest_level() -> None:
    fine = np.random.default_rng(0).integers(0, 65536, (40, 48)).astype(np.uint16)
    nearest = np.rint(fine / 257).astype(np.uint16)
    for clip, grid in ((2.0, 4), (40.0, 1)):
        tables = _tiles._tables(fine, clip, grid)
        assert np.array_equal(tables, _tiles._tables(nearest * np.uint16(257), clip, grid))
        lower = _tiles._tables(fine // np.uint16(257) * np.uint16(257), clip, grid)
        assert not np.array_equal(tables, lower), "nothing lies between two levels"


def test_balance_makes_gray_gray(depth: str) -> None:
    given = picture(depth, 40, 40, 3)
    cast = (given * np.array([0.9, 0.6, 0.4])).astype(depth)
    gray = share(tone.white_balance(cast), depth).mean((0, 1))
    assert np.ptp(gray) < 0.02
    white = share(tone.white_balance(cast, way="white_patch"), depth).max((0, 1))
    assert np.ptp(white) < 0.01
    part = share(tone.white_balance(cast, way="percentile", percentile=90), depth)
    assert np.ptp(np.quantile(part, 0.85, (0, 1))) < 0.02
    assert np.array_equal(tone.white_balance(given[..., :1]), given[..., :1])


def test_a_curve_is_monotone_and_that_of_scipy(depth: str) -> None:
    points = ((0.1, 0.0), (0.4, 0.6), (0.5, 0.61), (1.0, 0.9))
    given = picture(depth, 20, 30, 3)
    x, y = zip(*points, strict=True)
    close(tone.curve(given, points=points), PchipInterpolator(x, y)(share(given, depth).clip(0.1, 1)), depth)
    with pytest.raises(SettingsError, match="further right"):
        tone.curve(given, points=((0.5, 0), (0.5, 1)))


def test_pictures_made_alike(depth: str) -> None:
    given = (picture(depth, 30, 30, 3) * 0.3).astype(depth)
    wanted = cv2.normalize(given.astype(np.float64), None, 0, 1, cv2.NORM_MINMAX)
    close(tone.normalise(given), wanted, depth)
    made = share(tone.normalise(given, way="deviation", mean=0.4, deviation=0.1), depth)
    assert (made.mean(), made.std()) == pytest.approx((0.4, 0.1), abs=0.004)


def test_heights_are_changed_by_parts_of_their_range() -> None:
    given = np.array([[-100, 0, 100, 300]], np.float32)
    assert tone.brightness(given, by=0.25).ravel().tolist() == [0, 100, 200, 300]
    assert tone.contrast(given, by=0.5).ravel().tolist() == [0, 50, 100, 200]
    assert tone.contrast(given, by=0, about=1).ravel().tolist() == [300] * 4
    assert tone.levels(given, black=0.25, white=0.5).ravel() == pytest.approx([-100, -100, 300, 300])


def test_a_gray_world_stays_as_light_as_it_was() -> None:
    cast = picture("float32", 40, 40, 3) * np.array([0.6, 0.5, 0.4], np.float32)
    assert tone.white_balance(cast).mean() == pytest.approx(cast.mean(), rel=1e-3)


@pytest.mark.parametrize("level", [0, 7, 255])
def test_a_plain_picture_has_nothing_to_spread(level: int) -> None:
    given = np.full((40, 40, 3), level, np.uint8)
    for change in (tone.normalise, tone.auto_levels, tone.equalise):
        assert np.array_equal(change(given), given)
    spot = np.zeros((40, 40), np.uint8)
    spot[5, 7] = 9
    assert tone.normalise(spot)[5, 7] == 255


def test_truth_is_no_number() -> None:
    with pytest.raises(SettingsError, match="by = True"):
        tone.gamma(scene(), by=True)
