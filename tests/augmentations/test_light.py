"""Light and noise change values, within their range and by the amount asked for."""

import numpy as np
import pytest

from sightline.augmentations.light import light, noise
from sightline.core.image import ArrayImage
from sightline.core.sample import Sample

RNG = np.random.default_rng


def one(*pixels: np.ndarray) -> Sample:
    return Sample("s", tuple(ArrayImage(picture) for picture in pixels))


@pytest.mark.parametrize(("dtype", "top"), [(np.uint8, 255), (np.uint16, 65535), (np.float32, 1.0)])
def test_depths_are_lit_alike(dtype: type, top: float) -> None:
    ramp = np.linspace(0, 1, 256)[None, :, None]
    for seed in range(8):
        got = light(one((ramp * top).round(6).astype(dtype)), RNG(seed)).pixels() / top
        want = light(one(ramp.astype(np.float32)), RNG(seed)).pixels()
        assert np.abs(got - want).max() <= 1.6 / 255
        assert (np.diff(got[0, :, 0]) >= 0).all(), "brighter stays brighter"


def test_no_change_is_no_change() -> None:
    pixels = RNG(0).integers(0, 256, (9, 9, 3)).astype(np.uint8)
    assert (light(one(pixels), RNG(0), brightness=0, contrast=0).pixels() == pixels).all()
    assert (noise(one(pixels), RNG(0), most=0).pixels() == pixels).all()


def test_pictures_of_a_sample_are_lit_alike() -> None:
    pixels = RNG(0).integers(0, 256, (9, 9, 3)).astype(np.uint8)
    lit = light(one(pixels, pixels), RNG(3))
    assert (lit.images[0].read() == lit.images[1].read()).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_noise_has_the_strength_that_was_drawn(dtype: type) -> None:
    top = 1.0 if dtype is np.float32 else np.iinfo(dtype).max
    gray = np.full((200, 200, 1), top / 2, dtype)
    for seed in range(4):
        strength = RNG(seed).uniform(0, 0.05)
        far = noise(one(gray), RNG(seed)).pixels() / top - gray / top
        assert abs(far.std() - strength) < 0.1 * strength + 2e-3
        assert abs(far.mean()) < 2e-3


@pytest.mark.parametrize("move", [light, noise])
def test_values_beyond_one_are_not_crushed(move: object) -> None:
    """Heights, counts and Hounsfield units are floats too."""
    scan = np.linspace(-1000, 3000, 4000, dtype=np.float32).reshape(40, 100, 1)
    got = move(one(scan), RNG(1)).pixels()  # type: ignore[operator]
    assert got.min() >= -1000
    assert got.max() <= 3000
    assert got.std() > 800
    gaps = np.where(RNG(0).random(scan.shape) < 0.01, np.nan, scan).astype(np.float32)
    assert np.nanstd(move(one(gaps), RNG(1)).pixels()) > 800  # type: ignore[operator]
