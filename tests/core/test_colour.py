"""Transparency, inks and orientation by arithmetic, held to Pillow where Pillow can do it."""

import threading
import warnings

import numpy as np
import pytest
from PIL import Image as Pillow

from sightline.core import colour
from sightline.core.image import examine, read_image
from sightline.decoders import _pillow
from tests.decoders import gallery

CHANCE = np.random.default_rng(0)
RGBA = CHANCE.integers(0, 256, (300, 40, 4)).astype(np.uint8)


def test_transparency_over_white_is_that_of_pillow() -> None:
    ground = Pillow.new("RGBA", (40, 300), "white")
    want = np.asarray(Pillow.alpha_composite(ground, Pillow.fromarray(RGBA)))[..., :3].astype(int)
    got = read_image(gallery.saved(RGBA, "PNG")).astype(int)
    assert np.abs(got - want).max() <= 1


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_every_depth_is_laid_over_white_alike(dtype: type) -> None:
    top = 1.0 if dtype is np.float32 else np.iinfo(dtype).max
    colours, clear = (CHANCE.random((9, 9, 3)) * top).astype(dtype), (CHANCE.random((9, 9, 1)) * top).astype(dtype)
    share = clear.astype(float) / top
    want = colours * share + top * (1 - share)
    got = colour.over_white(colours, clear, straight=True)
    assert got.dtype == dtype
    assert np.abs(got - want).max() <= (1e-6 if dtype is np.float32 else 1)
    multiplied = (colours * share).astype(dtype)
    got = colour.over_white(multiplied, clear, straight=False)
    assert np.abs(got - want).max() <= (1e-6 if dtype is np.float32 else 1)


def test_colours_that_were_multiplied_are_told_from_straight_ones() -> None:
    clear = np.full((4, 4, 1), 32768, np.uint16)
    picture = np.dstack([np.full((4, 4, 3), 20000, np.uint16), clear])
    straight = gallery.tiff(picture, photometric="rgb", extrasamples=["unassalpha"])
    multiplied = gallery.tiff(picture, photometric="rgb", extrasamples=["assocalpha"])
    assert read_image(straight)[0, 0, 0] == 42767
    assert read_image(multiplied)[0, 0, 0] == 52767


def test_eight_bits_that_were_multiplied() -> None:
    picture = np.dstack([np.full((4, 4, 3), 100, np.uint8), np.full((4, 4, 1), 128, np.uint8)])
    data = gallery.tiff(picture, photometric="rgb", extrasamples=["assocalpha"])
    assert abs(int(read_image(data)[0, 0, 0]) - 227) <= 1


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_inks_of_any_depth(dtype: type) -> None:
    top = 1.0 if dtype is np.float32 else 65535
    inks = (CHANCE.random((5, 5, 4)) * top).astype(dtype)
    want = (1 - inks[..., :3] / top) * (1 - inks[..., 3:] / top) * top
    assert np.abs(colour._from_print(inks) - want).max() <= (1e-6 if dtype is np.float32 else 1)


def test_gray_profiles_apply_to_gray() -> None:
    imagecodecs = pytest.importorskip("imagecodecs")
    profile = imagecodecs.cms_profile("gray", gamma=1.0)
    light = np.full((4, 4), 128, np.uint8)
    data = gallery.saved(light, "PNG", icc_profile=profile)
    assert "converted" in examine(data)["notes"][0]
    assert read_image(data).shape == (4, 4, 1)
    assert abs(int(read_image(data)[0, 0, 0]) - 188) <= 1  # half the light, as sRGB
    deep = gallery.saved(light.astype(np.uint16) * 257, "PNG", icc_profile=profile)
    assert abs(int(read_image(deep)[0, 0, 0]) - 188 * 257) <= 400


def test_few_shades_are_spread_to_the_nearest() -> None:
    assert read_image(b"P5 4 1 100 " + bytes([0, 50, 99, 100])).ravel().tolist() == [0, 128, 252, 255]
    assert read_image(b"P2 3 1 1000 0 500 1000").ravel().tolist() == [0, 32768, 65535]


def test_the_still_of_an_animation_is_its_first_page() -> None:
    still, *moving = (Pillow.new("RGB", (4, 4), shade) for shade in ("red", "lime", "blue"))
    data = gallery.saved(still, "PNG", save_all=True, append_images=moving, default_image=True)
    assert examine(data)["pages"] == 3
    assert [read_image(data, page=page)[0, 0].tolist() for page in range(3)] == [[255, 0, 0], [0, 255, 0], [0, 0, 255]]


def test_warnings_of_others_come_back_when_the_last_thread_leaves() -> None:
    before = list(warnings.filters)
    first, second = threading.Event(), threading.Event()

    def work() -> None:
        with _pillow.QUIET:
            first.set()
            second.wait(10)

    thread = threading.Thread(target=work)
    thread.start()
    first.wait(10)
    with _pillow.QUIET:
        pass
    assert warnings.filters[0][:3] == ("ignore", None, Warning), "the other thread is still inside"
    second.set()
    thread.join()
    assert list(warnings.filters) == before


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_transparency_is_kept_where_it_is_asked_for(dtype: str) -> None:
    from sightline.core.colour import settle, unmixed
    from sightline.core.header import Header

    top = 1.0 if dtype == "float32" else np.iinfo(dtype).max
    rng = np.random.default_rng(0)
    colours = (rng.random((5, 7, 3)) * top).astype(dtype)
    clear = (rng.uniform(0.5, 1, (5, 7, 1)) * top).astype(dtype)
    clear[0, 0] = 0
    mixed = (colours.astype(np.float64) * clear / top).astype(dtype)
    back = unmixed(mixed, clear)
    assert back.dtype == colours.dtype
    assert np.abs(back.astype(float) - colours)[1:].max() <= 2.0 + (dtype == "uint16")
    assert (back[0, 0] == 0).all()
    for alpha, given in (("straight", colours), ("associated", mixed)):
        header = Header("x", (5, 7, 4), np.dtype(dtype), alpha=alpha, orientation=6)
        made = settle(np.concatenate([given, clear], -1), header, alpha=True)
        assert made.shape == (7, 5, 4)
        np.testing.assert_array_equal(made[..., 3], np.rot90(clear[..., 0], -1))
        assert np.abs(made[..., :3].astype(float) - np.rot90(colours, -1))[:, :-1].max() <= 3
        assert settle(np.concatenate([given, clear], -1), header).shape == (7, 5, 3)
