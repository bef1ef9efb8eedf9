"""Tables, steps and histograms against their definitions."""

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageOps

from sightline.augmentations import light, tones
from sightline.core.errors import InputError
from sightline.core.image import ArrayImage
from sightline.core.sample import Sample

RNG = np.random.default_rng
NOISE = RNG(0).integers(20, 220, (30, 40, 3)).astype(np.uint8)


def one(pixels: np.ndarray = NOISE) -> Sample:
    return Sample("s", (ArrayImage(pixels),))


def test_what_pillow_does_too() -> None:
    picture = Image.fromarray(NOISE)
    assert (tones.invert(one(), RNG(0), chance=1).pixels() == np.asarray(ImageOps.invert(picture))).all()
    for bits in (1, 4, 7):
        got = tones.posterize(one(), RNG(0), bits=(bits, bits)).pixels()
        assert (got == np.asarray(ImageOps.posterize(picture, bits))).all()
    got = tones.solarize(one(), RNG(0), above=(128 / 255, 128 / 255)).pixels()
    assert (got == np.asarray(ImageOps.solarize(picture, 128))).all()
    got = tones.autocontrast(one(), RNG(0), chance=1).pixels().astype(int)
    assert np.abs(got - np.asarray(ImageOps.autocontrast(picture))).max() <= 2
    large = RNG(0).integers(20, 220, (600, 500, 3)).astype(np.uint8)  # Pillow counts in whole steps
    got = tones.equalise(one(large), RNG(0), chance=1).pixels().astype(int)
    assert np.abs(got - np.asarray(ImageOps.equalize(Image.fromarray(large)))).max() <= 3
    for factor in (0.0, 0.5, 2.0):
        got = tones.sharpness(one(), RNG(0), by=(factor, factor)).pixels().astype(int)
        want = np.asarray(ImageEnhance.Sharpness(picture).enhance(factor)).astype(int)
        assert np.abs(got - want)[1:-1, 1:-1].max() <= 2
    got = light.saturation(one(), RNG(0), by=(0.3, 0.3)).pixels().astype(int)
    assert np.abs(got - np.asarray(ImageEnhance.Color(picture).enhance(0.3))).max() <= 2


def test_colour_is_turned_but_not_lightness() -> None:
    gray = np.repeat(NOISE[..., :1], 3, 2)
    far = []
    for seed in range(5):
        turned = light.hue(one(), RNG(seed), most=0.1).pixels()
        assert np.abs(luma(turned) - luma(NOISE)).mean() < 4
        far.append(np.abs(turned.astype(int) - NOISE).mean())
        assert np.abs(light.hue(one(gray), RNG(seed), most=0.5).pixels().astype(int) - gray).max() <= 1
    assert max(far) > 10
    assert np.ptp(light.gray(one(), RNG(0), chance=1).pixels(), axis=2).max() == 0


def luma(pixels: np.ndarray) -> np.ndarray:
    return pixels @ np.array([0.299, 0.587, 0.114])


def test_all_at_once_is_one_after_the_other() -> None:
    """On colours that nothing clips."""
    soft = (NOISE // 4 + 96).astype(np.uint8)
    got = light.colour(one(soft), RNG(3), saturation=0.5, hue=0).pixels().astype(float)
    rng = RNG(3)
    gain, shift = 1 + rng.uniform(-0.2, 0.2), rng.uniform(-0.2, 0.2)
    pure = 1 + rng.uniform(-0.5, 0.5)
    mixed = soft * pure + luma(soft)[..., None] * (1 - pure)
    want = (mixed - 127.5) * gain + 127.5 + shift * 255
    assert np.abs(got - np.clip(want, 0, 255)).max() <= 1.5


def test_gamma_keeps_black_and_white() -> None:
    ramp = np.arange(256, dtype=np.uint8)[None, :, None]
    for seed in range(5):
        got = light.gamma(one(ramp), RNG(seed)).pixels()[0, :, 0]
        assert (got[0], got[-1]) == (0, 255)
        assert (np.diff(got.astype(int)) >= 0).all()


def test_channels_are_permuted_and_dropped() -> None:
    orders = set()
    for seed in range(40):
        got = tones.shuffle_channels(one(), RNG(seed)).pixels()
        order = tuple(
            int(np.argmin([np.abs(got[..., c].astype(int) - NOISE[..., k]).sum() for k in range(3)])) for c in range(3)
        )
        assert (got == NOISE[..., list(order)]).all()
        orders.add(order)
    assert len(orders) == 6
    dropped = {
        tuple(np.flatnonzero(tones.drop_channel(one(), RNG(s), chance=1).pixels().max((0, 1)) == 0)) for s in range(20)
    }
    assert dropped == {(0,), (1,), (2,)}


def test_other_channels_are_no_colours() -> None:
    for move in (light.colour, light.hue, light.saturation):
        with pytest.raises(InputError, match="red, green and blue, but there are 5") as caught:
            move(one(np.zeros((4, 4, 5), np.uint8)), RNG(0))
        assert caught.value.code == "mismatch"


def test_flat_pictures_stay_flat() -> None:
    for value in (0, 90, 255):
        flat = np.full((8, 8, 3), value, np.uint8)
        for move in (tones.equalise, tones.autocontrast):
            assert (move(one(flat), RNG(0), chance=1).pixels() == flat).all()
            assert (move(one(flat.astype(np.uint16) * 257), RNG(0), chance=1).pixels() == value * 257).all()
