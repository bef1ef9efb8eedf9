"""Filters against noise: equal to their references, raising PSNR as much as stated, honest in every depth."""

import cv2
import numpy as np
import pytest
from scipy import fft, signal
from skimage.restoration import denoise_tv_chambolle

from sightline.core.noise import noise_level
from sightline.filters import denoising
from sightline.filters._blocks import overlapping, plane_of, squares
from sightline.filters._jpeg import LUMA, quality_of, steps_of
from sightline.filters._similar import by_likeness
from sightline.filters._waves import shrunk
from tests.filters._drawn import TOPS, as_depth, noisy, packed, psnr, scene

GAINS = {  # dB at noise of 20 levels, on drawn scenes
    "non_local_means": 7.5, "total_variation": 7.0, "wavelet": 6.5, "sliding_cosines": 7.5, "wiener_denoise": 5.5,
}  # fmt: skip


@pytest.mark.parametrize("depth", tuple(TOPS))
@pytest.mark.parametrize("name", GAINS)
def test_noise_goes_as_much_as_stated(name: str, depth: str) -> None:
    edit = getattr(denoising, name)
    for channels in (1, 3):
        true, given = (as_depth(each[..., :channels], depth) for each in (scene(1), noisy(scene(1), 20)))
        assert psnr(true, edit(given)) > psnr(true, given) + GAINS[name]


@pytest.mark.parametrize("name", GAINS)
def test_more_strength_takes_more_away_and_little_noise_is_left_alone(name: str) -> None:
    edit, given = getattr(denoising, name), as_depth(noisy(scene(2), 12)[..., 0], "float32")
    rough = [float(np.abs(np.diff(edit(given, strength=strength), axis=1)).sum()) for strength in (0.3, 1.0, 3.0)]
    assert rough[0] > rough[1] > rough[2]
    clean = as_depth(np.linspace(0.2, 0.8, 64 * 64).reshape(64, 64), "float32")
    assert psnr(clean, edit(clean)) > 50


@pytest.mark.parametrize("name", GAINS)
def test_depths_agree(name: str) -> None:
    edit, given = getattr(denoising, name), as_depth(noisy(scene(3), 15), "uint8")
    deep = edit(given.astype(np.uint16) * np.uint16(257), noise=15)
    fine = edit((given / np.float32(255)).astype(np.float32), noise=15)
    apart = np.abs(deep / 65535 - fine)
    assert apart.mean() < 1e-5
    assert apart.max() < 2e-4 or name == "sliding_cosines", "a wave near its bar may be on either side of it"
    assert psnr(edit(given, noise=15), deep) > 36, "8 bits may go a quicker way, to much the same end"


def test_non_local_means_is_its_formula() -> None:
    given = noisy(scene(4, 20, 22), 15)[..., 0]
    wide = np.pad(given, 5, mode="reflect").astype(np.float64)
    expected = np.zeros(given.shape)
    for y in range(20):
        for x in range(22):
            mine = wide[y + 4 : y + 7, x + 4 : x + 7]
            weights, total = 0.0, 0.0
            for down in range(-4, 5):
                for right in range(-4, 5):
                    theirs = wide[y + down + 4 : y + down + 7, x + right + 4 : x + right + 7]
                    weight = np.exp(-((mine - theirs) ** 2).mean() / 0.05**2)
                    weights += weight
                    total += weight * theirs[1, 1]
            expected[y, x] = total / weights
    assert np.abs(by_likeness(given[..., None], 0.05, 3, 9)[..., 0] - expected).max() < 1e-5


@pytest.mark.parametrize("channels", [1, 3])
def test_total_variation_is_the_smallest_there_is(channels: int) -> None:
    given = noisy(scene(5, 48, 50), 20)[..., :channels]
    made = denoising._smallest_variation(given, 0.06, 400)
    expected = denoise_tv_chambolle(given.astype(np.float64), weight=0.06, eps=1e-9, max_num_iter=4000, channel_axis=2)

    def energy(x: np.ndarray) -> float:
        """Edges shared by all channels, which scikit-image does not do."""
        slopes = sum(np.diff(x, axis=axis, append=x.take([-1], axis)) ** 2 for axis in (0, 1)).sum(2)
        return float(0.5 * ((x - given) ** 2).sum() + 0.06 * np.sqrt(slopes).sum())

    assert energy(made.astype(np.float64)) <= energy(expected) * (1 + 1e-4)
    if channels == 1:
        assert np.abs(made - expected).max() < 2e-3


def test_local_wiener_is_that_of_scipy() -> None:
    given = noisy(scene(6), 12)[..., 0].astype(np.float64)
    made = denoising.wiener_denoise(given.astype(np.float32), noise=12)
    expected = signal.wiener(given, 5, (1.1 * 12 / 255) ** 2)
    assert np.abs(made - expected)[3:-3, 3:-3].max() < 1e-4


def test_waves_are_put_together_as_they_were_taken_apart() -> None:
    plane = np.random.default_rng(0).random((50, 41)).astype(np.float32)
    assert np.abs(shrunk(plane, 1e-6, 4) - plane).max() < 1e-5
    mean = shrunk(plane, 10.0, 3)
    assert np.abs(np.diff(mean)).max() < 0.1, "where all is noise only the mean of the neighbours is left"


def test_squares_are_the_cosine_transform() -> None:
    plane = np.random.default_rng(0).random((24, 32)).astype(np.float32)
    found = squares(plane)
    assert np.allclose(found[5].reshape(8, 8), fft.dctn(plane[8:16, 8:16], norm="ortho"), atol=1e-5)
    assert np.allclose(plane_of(found, 24, 32), plane, atol=1e-5)
    assert np.allclose(overlapping(plane[:21, :30], np.zeros((8, 8), np.float32), 3), plane[:21, :30], atol=1e-5)


def test_sliding_cosines_are_the_mean_of_all_shifts() -> None:
    plane = noisy(scene(7, 24, 24), 20)[..., 0]
    bars = np.full((8, 8), 0.2, np.float32)
    bars[0, 0] = 0
    total, count = np.zeros((24, 24)), np.zeros((24, 24))
    wide = np.pad(plane, 8, mode="symmetric")
    for top in range(32):
        for left in range(32):
            waves = fft.dctn(wide[top : top + 8, left : left + 8], norm="ortho")
            kept = np.abs(waves) >= bars
            weight = 1 / kept.sum()
            back = fft.idctn(waves * kept, norm="ortho")
            for y in range(8):
                for x in range(8):
                    if 8 <= top + y < 32 and 8 <= left + x < 32:
                        total[top + y - 8, left + x - 8] += weight * back[y, x]
                        count[top + y - 8, left + x - 8] += weight
    assert np.abs(overlapping(plane, bars, 1) - total / count)[4:-4, 4:-4].max() < 1e-4


@pytest.mark.parametrize("sigma", [5, 10, 20, 35, 50])
def test_the_noise_level_is_within_a_tenth(sigma: float) -> None:
    for seed in range(4):
        for channel in range(3):
            given = noisy(scene(seed), sigma, seed)[..., channel]
            assert noise_level(given) * 255 == pytest.approx(sigma, rel=0.1)
    assert noise_level(scene()[..., 0]) * 255 < 1.0
    assert np.isnan(noise_level(np.zeros((7, 90), np.float32)))


@pytest.mark.parametrize("quality", [5, 10, 20, 40, 60, 80])
def test_blocks_are_softened_and_their_quality_is_told(quality: int) -> None:
    true = as_depth(scene(8, 240, 320), "uint8")
    gray = cv2.cvtColor(true, cv2.COLOR_RGB2GRAY)
    given = packed(gray, quality)
    assert abs(quality_of(given.astype(np.float32)) - quality) <= 2
    assert psnr(gray, denoising.soften_blocks(given)) > psnr(gray, given) + 0.4
    colours = packed(true, quality)
    assert psnr(true, denoising.soften_blocks(colours)) > psnr(true, colours) + 0.3
    thin = packed(true, quality, 0x221111)
    assert psnr(true, denoising.soften_blocks(thin)) > psnr(true, thin) + 0.1


def test_a_picture_that_was_not_packed_is_left_alone() -> None:
    given = as_depth(noisy(scene(9), 3), "uint8")
    assert quality_of(given[..., 0].astype(np.float32)) == 0
    assert np.array_equal(denoising.soften_blocks(given), given)
    assert not np.array_equal(denoising.soften_blocks(given, quality=10), given)


def test_light_and_dark_keep_their_mean() -> None:
    for given in (as_depth(0.1 * scene(9)[..., 0], "uint8"), as_depth(0.8 + 0.2 * scene(9)[..., 0], "uint8")):
        made = denoising.soften_blocks(given, quality=5)
        assert made.mean() == pytest.approx(given.mean(), abs=0.5)


def test_waves_are_shrunk_alike_on_both_sides_of_nothing() -> None:
    plane = noisy(scene(9), 20)[..., 0]
    assert np.abs(shrunk(plane, 0.08, 4) + shrunk(-plane, 0.08, 4)).max() < 1e-5


def test_steps_are_those_of_every_coder() -> None:
    assert np.array_equal(steps_of(50, LUMA), LUMA)
    assert (steps_of(100, LUMA) == 1).all()
    assert steps_of(10, LUMA)[0, 0] == 80
    assert steps_of(75, LUMA)[0].tolist() == [8, 6, 5, 8, 12, 20, 26, 31]
