"""Colours, against scikit-image and OpenCV."""

import cv2
import numpy as np
import pytest
from skimage import color as reference

from sightline.core.errors import InputError, SettingsError
from sightline.filters import colour
from tests.contracts.test_filters import picture, scene

DEPTHS = {"uint8": 255, "uint16": 65535, "float32": 1.0}
SPACES = ("hsv", "hls", "lab", "ycbcr", "xyz")


@pytest.fixture(params=DEPTHS)
def depth(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def of(depth: str) -> np.ndarray:
    """A picture without gray, whose hue would be anything."""
    values = np.random.default_rng(0).uniform(0.05, 0.95, (30, 31, 3))
    return (values * DEPTHS[depth]).astype(depth)


def wanted_of(values: np.ndarray, space: str) -> np.ndarray:
    if space == "hsv":
        return reference.rgb2hsv(values)
    if space == "lab":
        return (reference.rgb2lab(values) + np.array([0, 128, 128])) / [100, 255, 255]
    if space == "ycbcr":
        made = reference.rgb2ypbpr(values)
        return made + np.array([0, 128 / 255, 128 / 255])
    if space == "xyz":
        made = reference.rgb2xyz(values)
        return made / reference.rgb2xyz(np.ones((1, 1, 3)))
    high, low = values.max(2), values.min(2)
    middle = (high + low) / 2
    return np.stack([reference.rgb2hsv(values)[..., 0], middle, (high - low) / (1 - np.abs(2 * middle - 1))], 2)


@pytest.mark.parametrize("space", SPACES)
def test_spaces_are_those_of_scikit_image_in_every_depth(space: str, depth: str) -> None:
    """To two levels of 8 bits, to a ten-thousandth of finer depths."""
    given = of(depth)
    top = DEPTHS[depth]
    made = colour.convert(given, to=space) / top
    gap = np.abs(made - wanted_of(given / top, space))
    if space in ("hsv", "hls"):
        steps = top + 1 if depth != "float32" else 1
        turned = colour.convert(given, to=space)[..., 0] / steps
        gap[..., 0] = np.abs(turned - wanted_of(given / top, space)[..., 0])
        gap[..., 0] = np.minimum(gap[..., 0], 1 - gap[..., 0])
    assert gap.max() <= (2 / 255 if depth == "uint8" else 1e-4)
    assert gap.mean() <= (0.5 / 255 if depth == "uint8" else 3e-5)


@pytest.mark.parametrize("space", SPACES)
def test_there_and_back(space: str, depth: str) -> None:
    given = of(depth)
    back = colour.convert(colour.convert(given, to=space), to="rgb", source=space)
    gap = np.abs(back.astype(np.float64) - given) / DEPTHS[depth]
    dark = {"uint8": 12, "uint16": 0.1, "float32": 0.1}[depth]  # levels of 8 bits; XYZ in 8 bits has few for shadows
    assert gap.mean() <= dark / 255 / 4
    assert np.quantile(gap, 0.99) <= dark / 255


def test_from_one_space_to_another_goes_through_red_green_and_blue(depth: str) -> None:
    given = of(depth)
    ways = colour.convert(colour.convert(given, to="hsv"), to="lab", source="hsv") / DEPTHS[depth]
    assert np.abs(ways - colour.convert(given, to="lab") / DEPTHS[depth]).mean() < 3 / 255


def test_gray_there_and_back() -> None:
    gray = colour.convert(scene(), to="gray")
    assert gray.shape == (40, 48, 1)
    assert np.array_equal(gray[..., 0], cv2.cvtColor(scene(), cv2.COLOR_RGB2GRAY))
    again = colour.convert(gray, to="rgb", source="gray")
    assert again.shape == scene().shape
    assert np.array_equal(again[..., 2], gray[..., 0])
    with pytest.raises(InputError, match="one channel"):
        colour.convert(scene(), source="gray")
    with pytest.raises(InputError, match="three channels"):
        colour.convert(gray, to="lab")
    assert np.array_equal(colour.convert(scene(), to="rgb"), scene())


def test_a_value_that_is_no_number_stays_one_and_alone() -> None:
    """OpenCV would look it up in a table."""
    given = of("float32")
    given[3, 4, 1] = np.nan
    for space in SPACES:
        bad = np.isnan(colour.convert(given, to=space)).any(2)
        assert bad[3, 4]
        assert bad.sum() == 1


def test_gray_is_how_light_it_is(depth: str) -> None:
    given = of(depth)
    values = given / DEPTHS[depth]
    slack = 1 / 255 if depth == "uint8" else 1e-4
    for weights, shares in (
        ("bt601", (0.299, 0.587, 0.114)),
        ("bt709", (0.2126, 0.7152, 0.0722)),
        ("mean", (1 / 3,) * 3),
    ):
        made = colour.grayscale(given, weights=weights)
        assert np.abs(made[..., 0] / DEPTHS[depth] - values @ np.array(shares)).max() <= slack
    many = picture(depth, 9, 8, 7)
    assert np.abs(colour.grayscale(many, weights="mean")[..., 0] - many.mean(2)).max() <= 0.51
    with pytest.raises(InputError, match="channel"):
        colour.grayscale(many)


def test_saturation_and_hue_leave_light_as_it_is(depth: str) -> None:
    given = (0.4 * DEPTHS[depth] + 0.2 * picture(depth, 20, 20, 3)).astype(depth)
    top = DEPTHS[depth]
    light = given / top @ np.array([0.299, 0.587, 0.114])
    gray = colour.saturation(given, by=0) / top
    assert np.abs(gray - light[..., None]).max() <= 1.1 / 255
    more = colour.saturation(given, by=2) / top
    assert np.abs(more - (light[..., None] + 2 * (given / top - light[..., None]))).max() <= 1.5 / 255
    turned = colour.hue(given, degrees=90) / top
    seen = np.array([0.213, 0.715, 0.072])
    assert np.abs(turned @ seen - given / top @ seen).max() <= 1.1 / 255
    assert np.abs(colour.hue(given, degrees=360) / top - given / top).max() <= 1.1 / 255
    red = np.array([[[0.6, 0.4, 0.4]]], np.float32)
    assert colour.hue(red, degrees=120).argmax() == 1
    assert np.array_equal(colour.saturation(given[..., :1]), given[..., :1])


def test_channels_by_number_and_by_name() -> None:
    given = picture("uint16", 6, 7, 6)
    assert np.array_equal(colour.channel(given, pick=5), given[..., 5:])
    assert np.array_equal(colour.channel(given, pick="blue"), given[..., 2:3])
    with pytest.raises(SettingsError, match="6 channels"):
        colour.channel(given, pick=6)


def test_negatives_and_posters(depth: str) -> None:
    given = of(depth)
    values = given / DEPTHS[depth]
    assert np.abs(colour.invert(given) / DEPTHS[depth] - (1 - values)).max() < 1e-6
    made = colour.posterise(given, levels=3) / DEPTHS[depth]
    assert np.abs(made - np.floor(values * 3).clip(0, 2) / 2).max() < 0.5 / 255
    assert np.array_equal(colour.invert(np.array([[-2.0, 3.0]], np.float32)), np.array([[3.0, -2.0]], np.float32))


@pytest.mark.parametrize("name", ["viridis", "turbo", "hot"])
def test_false_colours_are_those_of_opencv(name: str) -> None:
    gray = scene()[..., 0]
    wanted = cv2.applyColorMap(gray, getattr(cv2, f"COLORMAP_{name.upper()}"))[..., ::-1]
    made = colour.false_colour(gray[..., None], map=name)
    assert np.array_equal(made, wanted)
    fine = colour.false_colour((gray.astype(np.uint16) * 257)[..., None], map=name)
    assert np.array_equal(fine, made.astype(np.uint16) * 257)


def test_a_hue_that_is_all_but_once_around_is_where_it_begins() -> None:
    nearly = np.array([[[65535, 0, 1]]], np.uint16)
    assert colour.convert(nearly, to="hsv").ravel().tolist() == [0, 65535, 65535]


def test_hue_turns_back() -> None:
    given = (0.4 + 0.2 * picture("float32", 20, 20, 3)).astype(np.float32)
    back = colour.hue(colour.hue(given, degrees=75), degrees=-75)
    assert np.abs(back - given).max() < 0.002
