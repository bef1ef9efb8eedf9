"""Sizes, windows and frames, against OpenCV, Pillow and numpy."""

import cv2
import numpy as np
import pytest
from PIL import Image

from sightline.core.errors import InputError, SettingsError
from sightline.filters.geometry import crop, flip, letterbox, pad, resize
from tests.contracts.test_filters import picture, scene

CODES = {"linear": cv2.INTER_LINEAR, "cubic": cv2.INTER_CUBIC, "lanczos": cv2.INTER_LANCZOS4, "area": cv2.INTER_AREA}


@pytest.mark.parametrize("way", CODES)
@pytest.mark.parametrize("depth", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("size", [(13, 29), (90, 61)])
def test_ways_are_those_of_opencv(way: str, depth: str, size: tuple[int, int]) -> None:
    given = picture(depth, 40, 48, 3)
    wanted = cv2.resize(given, size[::-1], interpolation=CODES[way])
    made = resize(given, width=size[1], height=size[0], way=way)
    assert np.array_equal(made, wanted.clip(0, 1) if depth == "float32" else wanted)


@pytest.mark.parametrize("block", [(2, 2), (3, 3), (4, 3), (1, 5), (8, 7)])
@pytest.mark.parametrize("channels", [1, 3, 6])
def test_whole_blocks_have_their_mean(block: tuple[int, int], channels: int) -> None:
    """To the nearest level; a half may go either way."""
    given = picture("uint8", 4 * block[0], 5 * block[1], channels)
    wanted = given.reshape(4, block[0], 5, block[1], channels).mean((1, 3))
    assert np.abs(resize(given, width=5, height=4, way="area") - wanted).max() <= 0.5 + 1e-6


@pytest.mark.parametrize("depth", ["uint8", "uint16", "float32"])
def test_block_means_of_other_depths_are_right_too(depth: str) -> None:
    given = picture(depth, 12, 9, 3)
    wanted = given.astype(np.float64).reshape(4, 3, 3, 3, 3).mean((1, 3))
    slack = 1e-6 if depth == "float32" else 0.5 + 1e-6
    assert np.abs(resize(given, width=3, height=4, way="area") - wanted).max() <= slack


def test_smooth_is_within_a_level_of_antialiased_pillow() -> None:
    wide = cv2.resize(scene(), (190, 160), interpolation=cv2.INTER_CUBIC)
    wanted = np.asarray(Image.fromarray(wide).resize((70, 60), Image.Resampling.BILINEAR)).astype(int)
    assert np.abs(resize(wide, width=70, height=60) - wanted).mean() < 1


def test_nearest_takes_the_pixel_in_whose_middle_it_lies() -> None:
    given = picture("uint16", 40, 48)
    rows, columns = ((np.arange(n) + 0.5) * side / n for n, side in ((13, 40), (61, 48)))
    wanted = given[rows.astype(int)][:, columns.astype(int)]
    assert np.array_equal(resize(given, height=13, width=61, way="nearest"), wanted)


@pytest.mark.parametrize(
    ("settings", "shape"),
    [
        ({}, (20, 24)),
        ({"width": 12}, (10, 12)),
        ({"height": 80}, (80, 96)),
        ({"width": 7, "height": 5}, (5, 7)),
        ({"factor": 0.25}, (10, 12)),
        ({"longest": 96}, (80, 96)),
        ({"shortest": 10}, (10, 12)),
        ({"factor": 0.001}, (1, 1)),
    ],
)
def test_sizes(settings: dict, shape: tuple[int, int]) -> None:
    assert resize(scene(), **settings).shape == (*shape, 3)


def test_sizes_that_contradict_or_are_too_large_are_refused() -> None:
    with pytest.raises(SettingsError, match="factor and width and height"):
        resize(scene(), factor=2, width=10)
    with pytest.raises(SettingsError, match="a side"):
        resize(picture("uint8", 1000, 2), factor=1000)


def test_a_letterbox_holds_all_of_it_in_the_middle() -> None:
    given = scene()
    made = letterbox(given, width=100, height=100, fill=1.0)
    assert made.shape == (100, 100, 3)
    assert (made[:8] == 255).all()
    assert (made[-8:] == 255).all()
    assert np.array_equal(made[8:91], resize(given, width=100, height=83))
    small = letterbox(given, width=100, height=60, grow=False)
    assert np.array_equal(small[10:50, 26:74], given)
    assert (small[0, 0] == 114).all()
    assert (letterbox(given.astype(np.uint16) * 257, width=99)[0, 0] == 114 * 257).all()


def test_windows() -> None:
    given = scene()
    assert np.array_equal(crop(given), given[10:30, 12:36])
    assert np.array_equal(crop(given, box=(3, 5, 20, 11)), given[5:11, 3:20])
    assert np.array_equal(crop(given, width=10), given[:, 19:29])
    assert crop(given, box=[0, 0, 48, 40]).shape == given.shape
    for box in [(0, 0, 49, 40), (5, 5, 5, 9), (9, 0, 3, 9)]:
        with pytest.raises(SettingsError, match="48 x 40"):
            crop(given, box=box)
    with pytest.raises(SettingsError, match="not both"):
        crop(given, box=(0, 0, 5, 5), width=3)


@pytest.mark.parametrize(
    ("border", "mode"), [("edge", "edge"), ("reflect", "reflect"), ("mirror", "symmetric"), ("wrap", "wrap")]
)
@pytest.mark.parametrize("channels", [1, 3, 5])
def test_frames_are_those_of_numpy(border: str, mode: str, channels: int) -> None:
    given = picture("uint16", 9, 7, channels)
    assert np.array_equal(pad(given, by=(1, 2, 3, 4), border=border), np.pad(given, ((2, 4), (1, 3), (0, 0)), mode))


def test_a_frame_is_filled_with_a_part_of_the_range() -> None:
    made = pad(np.zeros((2, 3, 6), np.uint16), by=2, fill=0.5)
    assert made.shape == (6, 7, 6)
    assert (made[0] == 32768).all()
    assert (made[2:4, 2:5] == 0).all()
    assert pad(np.full((2, 2), -8, np.float32), by=1)[0, 0] == -8, "black is where the range begins"


@pytest.mark.parametrize("channels", [1, 3, 6])
def test_mirrors(channels: int) -> None:
    given = picture("float32", 5, 8, channels)
    assert np.array_equal(flip(given), given[:, ::-1])
    assert np.array_equal(flip(given, way="up_down"), given[::-1])
    assert np.array_equal(flip(given, way="both"), given[::-1, ::-1])
    assert np.array_equal(flip(given, way="diagonal"), given.swapaxes(0, 1))


def test_numbers_that_are_none_go_along_with_their_pixels() -> None:
    given = np.array([[np.nan, 1.0], [0.5, 0.0]], np.float32)
    assert np.isnan(flip(given)[0, 1])
    with pytest.raises(InputError, match="infinite"):
        pad(np.array([[np.inf]], np.float32))
