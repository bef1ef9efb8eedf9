"""Light is evened out: what is known of the light that was laid over a scene is taken away again."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from sightline.core.errors import InputError, SettingsError
from sightline.core.image import write_image
from sightline.filters.eyes import red_eye
from sightline.filters.illumination import (
    flat_field,
    homomorphic,
    lift_shadows,
    local_contrast,
    retinex,
    soften_glare,
    unvignette,
    vignette,
)
from sightline.filters.weather import dehaze, low_light
from tests.filters._drawn import TOPS, as_depth, noisy, psnr, scene

DEPTHS = tuple(TOPS)


def gray(pixels: np.ndarray) -> np.ndarray:
    return cv2.cvtColor((pixels / TOPS[pixels.dtype.name]).astype(np.float32), cv2.COLOR_RGB2GRAY)


def uneven(true: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The scene under light that falls from left to right, and that light."""
    light = np.linspace(1.0, 0.35, true.shape[1], dtype=np.float32)[None, :, None] * np.ones_like(true)
    return true * light, light


@pytest.mark.parametrize("depth", DEPTHS)
def test_flat_field_divides_by_the_reference(depth: str, tmp_path: Path) -> None:
    true = 0.6 * scene(1)
    given, light = uneven(true)
    reference = as_depth(light, depth)
    made = flat_field(as_depth(given, depth), reference=reference)
    expected = as_depth(true * light.mean(), depth)
    assert psnr(expected, made) > 45
    dark = np.full_like(reference, 0.05 * TOPS[depth])
    low, top = (as_depth(0.05 + 0.9 * each, depth) for each in (given, light))
    evened = flat_field(low, reference=top, dark=dark)
    assert psnr(as_depth(0.9 * true * light.mean(), depth), evened) > (45 if depth == "uint8" else 55)
    if depth != "float32":
        write_image(tmp_path / "light.png", reference)
        assert np.array_equal(flat_field(as_depth(given, depth), reference=tmp_path / "light.png"), made)
    with pytest.raises(InputError, match="the reference is"):
        flat_field(as_depth(given, depth), reference=reference[:-1])
    with pytest.raises(SettingsError, match="reference is an array or the path"):
        flat_field(as_depth(given, depth), reference=3)


@pytest.mark.parametrize(
    ("edit", "settings"), [(flat_field, {}), (homomorphic, {"low": 0.2}), (retinex, {"scales": (0.06, 0.15)})]
)
def test_light_is_evened_without_a_reference(edit: object, settings: dict[str, object]) -> None:
    """Sides are as light as each other afterwards, and colours stay what they were."""
    spots = cv2.GaussianBlur(np.random.default_rng(0).random((120, 160), np.float32), (0, 0), 2)
    ground = (0.5 + 3 * (spots - spots.mean()))[..., None] * np.array([1, 0.8, 0.6], np.float32)
    given, _ = uneven(ground)
    made = edit(as_depth(given, "uint8"), **settings)  # type: ignore[operator]

    def tilt(pixels: np.ndarray) -> float:
        return float(gray(pixels)[:, :30].mean() / gray(pixels)[:, -30:].mean())

    assert tilt(as_depth(given, "uint8")) > 2
    assert tilt(made) < 1.6
    means = made.astype(float).mean((0, 1))
    assert means[1] / means[0] == pytest.approx(0.8, abs=0.06)


def test_several_scales_are_the_mean_of_single_ones() -> None:
    given = as_depth(scene(2)[..., 0], "float32")
    both = retinex(given, scales=(0.025, 0.2), clip=0.0)
    singles = [np.log(given + 1 / 255) - np.log(cv2.GaussianBlur(given, (0, 0), s) + 1 / 255) for s in (5.0, 40.0)]
    mean = np.mean(singles, 0)
    expected = (mean - mean.min()) / (mean.max() - mean.min())
    assert np.abs(both - expected)[8:-8, 8:-8].mean() < 0.02
    with pytest.raises(SettingsError, match="scales"):
        retinex(given, scales=())
    with pytest.raises(SettingsError, match="scales"):
        retinex(given, scales=(0.0,))


def test_local_contrast_makes_detail_stronger_and_leaves_the_mean() -> None:
    given = as_depth(scene(3), "uint16")
    made = local_contrast(given, amount=1.0)

    def detail(pixels: np.ndarray) -> float:
        plane = gray(pixels)
        return float((plane - cv2.GaussianBlur(plane, (0, 0), 3)).std())

    assert detail(made) > 1.2 * detail(given)
    assert gray(made).mean() == pytest.approx(gray(given).mean(), rel=0.03)
    assert detail(local_contrast(given, amount=-0.5)) < detail(given)
    assert psnr(given, local_contrast(given, amount=0.0)) > 90


def test_shadows_are_lifted_and_glare_is_softened() -> None:
    given = np.full((80, 120, 3), 40, np.uint8)
    given[:, 60:] = 225
    lifted, softened = lift_shadows(given), soften_glare(given)
    assert lifted[40, 10, 0] > 60
    assert abs(int(lifted[40, 110, 0]) - 225) < 3
    assert softened[40, 110, 0] < 210
    assert abs(int(softened[40, 10, 0]) - 40) < 3


@pytest.mark.parametrize("depth", DEPTHS)
def test_a_vignette_is_taken_away_as_it_was_laid_on(depth: str) -> None:
    given = as_depth(scene(4), depth)
    dark = vignette(given, amount=0.6)
    assert gray(dark)[0, 0] == pytest.approx(0.4 * gray(given)[0, 0], abs=0.02)
    assert gray(dark)[80, 100] == pytest.approx(gray(given)[80, 100], abs=0.02)
    assert psnr(given, unvignette(dark, amount=0.6)) > 40
    even = as_depth(noisy(np.full((90, 120, 3), 0.6, np.float32), 4), depth)
    told = unvignette(vignette(even, amount=0.5))
    assert psnr(even, told) > psnr(even, vignette(even, amount=0.5)) + 8
    assert np.array_equal(unvignette(even), even)


@pytest.mark.parametrize("depth", DEPTHS)
def test_haze_is_taken_away(depth: str) -> None:
    clear = scene(5) * np.array([1.0, 0.7, 0.4], np.float32) ** 2
    through = np.linspace(0.35, 0.8, clear.shape[0], dtype=np.float32)[:, None, None]
    hazy = clear * through + np.float32(0.85) * (1 - through)
    true, given = as_depth(clear, depth), as_depth(hazy, depth)
    assert psnr(true, dehaze(given)) > psnr(true, given) + 3
    assert gray(dehaze(given)).std() > 1.2 * gray(given).std()
    less = dehaze(given, strength=0.4)
    assert psnr(given, given) > psnr(given, less) > psnr(given, dehaze(given))


@pytest.mark.parametrize("depth", DEPTHS)
def test_light_comes_back(depth: str) -> None:
    true = as_depth(scene(6), depth)
    dark = as_depth(scene(6) * 0.1, depth)
    made = low_light(dark)
    assert gray(made).mean() == pytest.approx(0.4, abs=0.03)
    assert psnr(true, made) > psnr(true, dark) + 5
    assert np.array_equal(low_light(true), true), "what is light enough stays"
    assert gray(low_light(dark, strength=0.5)).mean() < gray(made).mean()
    ratio = made[..., 0].astype(float).sum() / made[..., 2].astype(float).sum()
    assert ratio == pytest.approx(dark[..., 0].astype(float).sum() / dark[..., 2].astype(float).sum(), rel=0.1)


def face(depth: str) -> np.ndarray:
    drawn = np.full((120, 160, 3), (205, 160, 135), np.uint8)
    for x in (55, 105):
        cv2.ellipse(drawn, (x, 50), (14, 8), 0, 0, 360, (235, 230, 225), -1, cv2.LINE_AA)
        cv2.circle(drawn, (x, 50), 6, (200, 35, 40), -1, cv2.LINE_AA)
    cv2.ellipse(drawn, (80, 92), (26, 7), 0, 0, 360, (190, 70, 75), -1, cv2.LINE_AA)
    return as_depth(drawn / np.float32(255), depth)


@pytest.mark.parametrize("depth", DEPTHS)
def test_red_pupils_become_dark_and_lips_stay(depth: str) -> None:
    given = face(depth)
    made = red_eye(given)
    for x in (55, 105):
        red, green, blue = (made[50, x] / TOPS[depth]).tolist()
        assert red < 0.25
        assert max(red, green, blue) - min(red, green, blue) < 0.06
    assert np.array_equal(made[80:], given[80:])
    assert np.array_equal(made[:30], given[:30])
    one = red_eye(given, boxes=[(40, 35, 70, 65)])
    assert one[50, 55, 0] < given[50, 55, 0] / 2
    assert np.array_equal(one[:, 80:], given[:, 80:])
    signs = given.copy()
    signs[10:22, 10:22] = given[50, 55]
    assert np.array_equal(red_eye(signs)[:30], signs[:30]), "what has corners is no pupil"
    half = red_eye(given, strength=0.5)
    assert made[50, 55, 0] < half[50, 55, 0] < given[50, 55, 0]
    with pytest.raises(SettingsError, match="boxes"):
        red_eye(given, boxes=[(1, 2, 3)])
    with pytest.raises(InputError, match="three channels"):
        red_eye(given[..., :1])
