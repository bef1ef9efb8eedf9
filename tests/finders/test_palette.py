"""Colours by name: flat ones exactly, shares of several, gray pictures, and as a chain."""

import numpy as np
import pytest

import sightline
from sightline.core.annotations import Labels
from sightline.core.errors import SettingsError
from sightline.finders.palette import NAMES, palette

FLAT = {
    "black": (10, 10, 12), "gray": (120, 122, 118), "white": (250, 250, 245), "red": (210, 30, 25),
    "orange": (240, 140, 20), "brown": (110, 65, 25), "yellow": (245, 225, 40), "green": (40, 150, 60),
    "blue": (30, 70, 200), "purple": (130, 40, 190), "pink": (250, 170, 185),
}  # fmt: skip


def flat(name: str, rows: int = 8) -> np.ndarray:
    return np.full((rows, 10, 3), FLAT[name], np.uint8)


@pytest.mark.parametrize("name", NAMES)
def test_a_flat_colour_has_its_name(name: str) -> None:
    found = palette(flat(name))
    assert found.best == name
    assert found.scores is not None
    assert found.scores[NAMES.index(name)] == 1


def test_shares_are_those_of_the_area() -> None:
    found = palette(np.concatenate([flat("red", 6), flat("white", 3), flat("blue", 1)]))
    assert found.best == "red"
    assert found.scores is not None
    assert dict(zip(found.names, found.scores.tolist(), strict=True)) == pytest.approx(
        {**dict.fromkeys(NAMES, 0.0), "red": 0.6, "white": 0.3, "blue": 0.1}
    )


def test_gray_pictures_have_three_names_and_limits_move_them() -> None:
    made = palette(np.array([[0, 100, 255, 255]], np.uint8))
    assert made.scores is not None
    assert made.scores[:3].tolist() == [0.25, 0.25, 0.5]
    assert palette(flat("gray"), dark=0.5).best == "black"
    assert palette(flat("pink"), pale=0.5).best == "white"
    with pytest.raises(SettingsError, match="palette"):
        palette(flat("red"), dark=1.5)


def test_it_is_a_step_of_a_chain() -> None:
    answer = sightline.Chain.parse("finders.palette")(flat("green")).answer
    assert isinstance(answer, Labels)
    assert answer.best == "green"
