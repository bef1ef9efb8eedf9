"""Colours are stable and apart; pixels of every depth are shown on a range that can be explained."""

import numpy as np
import pytest

from sightline.core.errors import InputError
from sightline.overlays._letters import cut, plain, width_of, wrap
from sightline.overlays._paint import INK, PALETTE, PAPER, colours, contrast, display, span


def test_a_colour_belongs_to_a_name_not_to_its_place() -> None:
    names = ("cat", "dog", "fox", "background")
    assert dict(zip(names, colours(names), strict=True)) == dict(zip(names[::-1], colours(names[::-1]), strict=True))
    assert colours(("cat",)) == colours(("cat", "background"))[:1]


def test_as_many_names_as_colours_are_all_apart() -> None:
    assert len(set(colours([f"name {n}" for n in range(len(PALETTE))]))) == len(PALETTE)
    assert len(set(colours([f"name {n}" for n in range(2 * len(PALETTE))]))) == 2 * len(PALETTE)
    assert len(colours([f"name {n}" for n in range(500)])) == 500


def test_colours_stay_apart_without_red_and_green() -> None:
    """Machado et al. 2009: what a deuteranope sees of linear RGB; neighbours differ in hue or lightness."""
    seen = np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]])
    linear = (np.array(PALETTE) / 255) ** 2.2
    views = np.clip(linear @ seen.T, 0, 1) ** (1 / 2.2) * 255
    apart = np.linalg.norm(views[:, None] - views[None], axis=-1) + 1e3 * np.eye(len(views))
    assert apart.min() > 12


def test_letters_read_on_every_colour() -> None:
    def light(colour: tuple[int, ...]) -> float:
        part = np.array(colour) / 255
        linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    for colour in PALETTE:
        one, two = sorted((light(colour), light(contrast(colour))))
        assert (two + 0.05) / (one + 0.05) > 3.9, f"WCAG contrast on {colour}"
    assert contrast((255, 255, 255)) == INK
    assert contrast((0, 0, 0)) == PAPER


def test_twelve_bits_in_sixteen_are_stretched_and_eight_bits_are_not() -> None:
    deep = np.linspace(0, 4095, 10_000).astype(np.uint16).reshape(100, 100)
    assert np.ptp(display(deep)) == 255
    dim = np.full((4, 4, 1), 17, np.uint8)
    assert (display(dim) == 17).all()
    assert span(np.full((4, 4), 0.25, np.float32)) == (0.0, 1.0)


def test_floats_that_are_no_numbers_are_shown_as_something() -> None:
    assert display(np.full((4, 4, 1), np.nan, np.float32)).shape == (4, 4, 3)
    odd = np.array([[0.0, 1.0], [np.inf, -np.inf]], np.float32)
    assert display(odd)[..., 0].tolist() == [[0, 255], [255, 0]]


@pytest.mark.parametrize("shape", [(3,), (2, 3, 4, 1), (0, 5, 3), (5, 5, 0)])
def test_what_is_no_flat_picture_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="drawn"):
        display(np.zeros(shape, np.uint8))


def test_lines_are_cut_to_their_room() -> None:
    for room in (0, 5, 40, 200):
        assert width_of(cut("a long name of a thing", 14, room), 14) <= room
    assert cut("cat", 14, 500) == "cat"
    assert plain("a\r\nb\t\x00c\u202e") == "a b c"
    lines = wrap("one two three four five six seven", 14, 60, 3)
    assert len(lines) == 3
    assert lines[-1].endswith("…")
    assert all(width_of(line, 14) <= 60 for line in lines)
