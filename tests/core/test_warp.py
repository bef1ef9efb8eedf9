"""Pixels and points go the same way, and come back."""

from itertools import product

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sightline.core import warp
from sightline.core.warp import Warp

SIZE = (40, 56)
RNG = np.random.default_rng


def spot(x: float, y: float, size: tuple[int, int] = SIZE) -> np.ndarray:
    """A soft spot around a place, whose centre of mass is that place."""
    rows, columns = size
    far = (np.arange(columns) + 0.5 - x) ** 2 + (np.arange(rows)[:, None] + 0.5 - y) ** 2
    return np.exp(-far / (2 * 2.0**2)).astype(np.float32)[..., None]


def centre(pixels: np.ndarray) -> np.ndarray:
    rows, columns = pixels.shape[:2]
    weight = pixels[..., 0].astype(np.float64)
    x, y = (weight * (np.arange(columns) + 0.5)).sum(), (weight * (np.arange(rows) + 0.5)[:, None]).sum()
    return np.array([x, y]) / weight.sum()


def waves() -> Warp:
    coarse = RNG(1).standard_normal((6, 7, 2)).astype(np.float32) * 4
    return warp.waves(cv2.resize(coarse, SIZE[::-1], interpolation=cv2.INTER_CUBIC))


TURN = np.array([[np.cos(0.3), np.sin(0.3)], [-np.sin(0.3), np.cos(0.3)]])
WARPS = {
    "flip": warp.flip(SIZE),
    "flip down": warp.flip(SIZE, down=True),
    "transpose": warp.transpose(SIZE),
    "one quarter": warp.quarters(SIZE, 1),
    "two quarters": warp.quarters(SIZE, 2),
    "three quarters": warp.quarters(SIZE, 3),
    "window": warp.window(SIZE, 5, 8, 30, 40),
    "margin": warp.window(SIZE, -5, -8, 60, 70),
    "larger window": warp.window(SIZE, 5, 8, 30, 40, (60, 80)),
    "turn": warp.about_middle(SIZE, TURN),
    "shift": warp.about_middle(SIZE, np.eye(2), (3.0, -2.0)),
    "half shift": warp.about_middle(SIZE, np.eye(2), (3.5, -2.25)),
    "shear": warp.about_middle(SIZE, np.array([[1, 0.2], [0.1, 1]])),
    "corners": warp.corners(SIZE, np.array([[3, 2], [54, -1], [50, 41], [-2, 36]])),
    "waves": waves(),
    "waves undone": waves().inverse(),
}
each = pytest.mark.parametrize("move", WARPS.values(), ids=WARPS)


@each
def test_pixels_and_points_go_the_same_way(move: Warp) -> None:
    for place in ((28.0, 20.0), (20.5, 15.5), (34.0, 24.0)):
        went = move.points(np.array([place]))[0]
        seen = centre(move.pixels(spot(*place), fill=0.0))
        np.testing.assert_allclose(seen, went, atol=0.12 if move.field is None else 0.5)  # waves bend the spot


@each
def test_there_and_back(move: Warp) -> None:
    places = RNG(0).uniform([1, 1], [SIZE[1] - 1, SIZE[0] - 1], (50, 2))
    np.testing.assert_allclose(move.inverse().points(move.points(places)), places, atol=1e-3)
    back = move.inverse().pixels(move.pixels(spot(28, 20), fill=0.0), fill=0.0)
    assert back.shape[:2] == SIZE
    assert np.abs(back - spot(28, 20)).max() < 0.12


@each
def test_every_channel_and_depth_goes_alike(move: Warp) -> None:
    for dtype, channels in product((np.uint8, np.uint16, np.float32), (1, 2, 3, 4, 5, 9)):
        top = 1 if dtype is np.float32 else np.iinfo(dtype).max
        one = (spot(26, 21) * top).astype(dtype)
        alone = move.pixels(one, fill=0.0)
        many = move.pixels(np.repeat(one, channels, 2), fill=0.0)
        assert many.dtype == dtype
        assert many.shape == (*move.size, channels)
        for channel in range(channels):  # OpenCV has code of its own for two channels
            np.testing.assert_allclose(many[..., channel], alone[..., 0], rtol=0, atol=0.012 * top)


@each
def test_planes_are_nearest_and_keep_their_type(move: Warp) -> None:
    classes = np.zeros(SIZE, np.int64)
    classes[10:30, 15:40] = 70_000
    got = move.planes(classes)
    assert got.dtype == np.int64
    assert set(np.unique(got)) <= {0, 70_000}
    mask = move.planes(classes > 0)
    assert mask.dtype == bool
    assert (mask ^ (got > 0)).mean() < 0.02  # ties of half pixels
    assert move.planes(np.zeros((0, *SIZE), bool)).shape == (0, *move.size)
    volume = np.stack([classes, classes])
    np.testing.assert_array_equal(move.planes(volume)[1], got)


@each
def test_growth_is_the_area(move: Warp) -> None:
    place = np.array([[28.0, 20.0]])
    mask = cv2.circle(np.zeros(SIZE, np.uint8), (28, 20), 6, 1, -1) > 0
    assert move.planes(mask).sum() / mask.sum() == pytest.approx(move.growth(place)[0], rel=0.12)


@pytest.mark.parametrize("count", range(5))
def test_quarters_are_those_of_numpy(count: int) -> None:
    pixels = RNG(0).integers(0, 256, (*SIZE, 3)).astype(np.uint8)
    np.testing.assert_array_equal(warp.quarters(SIZE, count).pixels(pixels), np.rot90(pixels, count))


def test_what_only_changes_place_is_not_interpolated() -> None:
    pixels = RNG(0).integers(0, 65536, (*SIZE, 6)).astype(np.uint16)
    np.testing.assert_array_equal(warp.flip(SIZE).pixels(pixels), pixels[:, ::-1])
    np.testing.assert_array_equal(warp.flip(SIZE, down=True).pixels(pixels), pixels[::-1])
    np.testing.assert_array_equal(warp.transpose(SIZE).pixels(pixels), pixels.swapaxes(0, 1))
    np.testing.assert_array_equal(warp.window(SIZE, 3, 4, 20, 30).pixels(pixels), pixels[3:23, 4:34])
    both = warp.window(SIZE, 3, 4, 20, 30).then(warp.flip((20, 30)))
    np.testing.assert_array_equal(both.pixels(pixels), pixels[3:23, 4:34][:, ::-1])
    np.testing.assert_array_equal(both.inverse().then(both).matrix, np.eye(3))


@pytest.mark.parametrize(("border", "corner"), [("fill", 7), ("edge", 0), ("reflect", 2 * 56 + 3)])
def test_borders(border: warp.Border, corner: int) -> None:
    pixels = np.arange(40 * 56, dtype=np.uint16).reshape(*SIZE, 1)
    wider = warp.window(SIZE, -2, -3, 50, 70)
    assert wider.pixels(pixels, border=border, fill=7.0)[0, 0, 0] == corner
    many = np.repeat(pixels, 5, 2)
    np.testing.assert_array_equal(
        wider.pixels(many, border=border, fill=7.0)[..., 4], wider.pixels(pixels, border=border, fill=7.0)[..., 0]
    )


def test_the_ground_is_that_of_letterboxes() -> None:
    wider = warp.window((2, 2), -1, -1, 4, 4)
    assert wider.pixels(np.zeros((2, 2, 1), np.uint8))[0, 0, 0] == 114
    assert wider.pixels(np.zeros((2, 2, 1), np.uint16))[0, 0, 0] == 114 * 257
    assert wider.pixels(np.zeros((2, 2, 1), np.float32))[0, 0, 0] == np.float32(114 / 255)
    heights = np.array([[[-100.0], [300.0]], [[np.nan], [400.0]]], np.float32)
    assert wider.pixels(heights)[0, 0, 0] == 200


def test_both_in_one_is_one_after_the_other() -> None:
    first, second = WARPS["turn"], WARPS["corners"]
    places = RNG(0).uniform(5, 35, (20, 2))
    np.testing.assert_allclose(first.then(second).points(places), second.points(first.points(places)), atol=1e-9)
    with pytest.raises(ValueError, match="no matrix"):
        first.then(WARPS["waves"])


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(0, 80), st.integers(3, 12))
def test_waves_never_fold(seed: int, strength: float, coarse: int) -> None:
    """However strong they were asked to be, points return."""
    drawn = RNG(seed).standard_normal((coarse, coarse, 2)).astype(np.float32) * np.float32(strength)
    move = warp.waves(cv2.resize(drawn, SIZE[::-1], interpolation=cv2.INTER_CUBIC))
    places = RNG(seed).uniform([1, 1], [SIZE[1] - 1, SIZE[0] - 1], (30, 2))
    np.testing.assert_allclose(move.inverse().points(move.points(places)), places, atol=1e-3)


@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 9), st.integers(0, 9), st.integers(1, 40))
def test_any_window_at_any_size_keeps_points_on_pixels(rows: int, columns: int, top: int, left: int, to: int) -> None:
    move = warp.window(SIZE, top, left, rows, columns, (to, to + 3))
    assert move.pixels(np.zeros((*SIZE, 1), np.uint8)).shape == (to, to + 3, 1)
    np.testing.assert_allclose(move.points(np.array([[left, top]])), [[0, 0]], atol=1e-9)
    np.testing.assert_allclose(move.points(np.array([[left + columns, top + rows]])), [[to + 3, to]], atol=1e-9)
