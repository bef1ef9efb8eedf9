"""Sums of bands: what is meant, and what is not let in."""

import numpy as np
import pytest

from sightline.core.errors import InputError, SettingsError
from sightline.filters.bands import bands
from tests.contracts.test_filters import picture

DEPTHS = {"uint8": 255, "uint16": 65535, "float32": 1.0}


@pytest.mark.parametrize("depth", DEPTHS)
def test_an_index_of_plants(depth: str) -> None:
    given = picture(depth, 12, 14, 5)
    red, near = (given[..., n].astype(np.float64) / DEPTHS[depth] for n in (2, 3))
    wanted = ((near - red) / (near + red) + 1) / 2
    made = bands(given, expression="(b4-b3)/(b4+b3)")
    assert made.shape == (12, 14, 1)
    assert np.nanmax(np.abs(made[..., 0] / DEPTHS[depth] - wanted)) <= (0.51 / 255 if depth == "uint8" else 1e-4)


def test_sums_and_their_order() -> None:
    given = np.full((1, 1, 3), [0.5, 0.25, 1.0], np.float32)
    for text, value in (("b1 + b2*2 - b3/4", 0.75), ("-(b1-b3)", 0.5), ("b1-b2-b2", 0.0), ("2*b2+1e-1", 0.6)):
        assert bands(given, expression=text, low=0, high=1)[0, 0, 0] == pytest.approx(value, abs=1e-6)


def test_heights_are_parts_of_the_range_of_the_whole_picture() -> None:
    given = np.array([[[-100, 0], [300, 100]]], np.float32)
    made = bands(given, expression="b2", low=0, high=1)
    assert made.ravel().tolist() == [0, 100], "what is shown as it is stays as it is"


def test_nothing_by_nothing_is_nothing_and_what_has_no_end_is_the_end() -> None:
    given = np.array([[[0, 0], [0.5, 0], [0, 0.5]]], np.float32)
    assert bands(given, expression="(b1-b2)/(b1+b2)").ravel().tolist() == [0.5, 1.0, 0.0]
    assert bands(given, expression="b1/b2").ravel().tolist() == [0.5, 1.0, 0.5]
    given[0, 0, 0] = np.nan
    assert np.isnan(bands(given, expression="b1/b2")[0, 0, 0])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1+2",
        "b0",
        "b1 ** 9",
        "b1 if b2 else b3",
        "b1.dtype",
        "b1[0]",
        "abs(b1)",
        "__import__('os')",
        "(lambda: b1)()",
        "b1 and b2",
        "b1 < b2",
        "b1; b2",
        "b1 // b2",
        "'b1'*9",
        "b1 + True",
        "b1+1e99",
        "B1",
        "b1 +",
        "(" * 400 + "b1" + ")" * 400,
        "b1\0",
        "-" * 290 + "b1" + "(",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="expression"):
        bands(picture("uint8", 3, 3, 3), expression=text)


def test_a_channel_that_is_not_there_is_named() -> None:
    with pytest.raises(InputError, match=r"b4.* 3 channels"):
        bands(picture("uint8", 3, 3, 3), expression="b4-b1")
    with pytest.raises(SettingsError, match="below high"):
        bands(picture("uint8", 3, 3, 3), low=1, high=1)
