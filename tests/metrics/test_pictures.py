"""PSNR, MSE and SSIM equal scikit-image's on random cases of every depth; MS-SSIM a formula written from the paper."""

import math

import numpy as np
import pytest
from scipy import ndimage, signal
from skimage.metrics import mean_squared_error, peak_signal_noise_ratio, structural_similarity

from sightline.core.annotations import Picture
from sightline.core.errors import InputError
from sightline.metrics.pictures import ms_ssim, mse, psnr, psnr_gray, psnr_y, ssim, ssim_y

DEPTHS = [("uint8", 255), ("uint16", 65535), ("float32", 1.0)]


def pair(seed: int, shape: tuple[int, ...], dtype: str, top: float) -> tuple[np.ndarray, np.ndarray]:
    """Soft shapes and the same with noise and less light."""
    rng = np.random.default_rng(seed)
    true = ndimage.gaussian_filter(rng.random(shape), (3, 3, 0))
    true = (true - true.min()) / (true.max() - true.min())
    given = np.clip(true * rng.uniform(0.8, 1) + rng.normal(0, rng.uniform(0.01, 0.2), shape), 0, 1)
    return (true * top).astype(dtype), (given * top).astype(dtype)


@pytest.mark.parametrize(("dtype", "top"), DEPTHS)
def test_equal_to_scikit_image(dtype: str, top: float) -> None:
    for seed in range(70):
        rng = np.random.default_rng(seed)
        shape = (*rng.integers(2, 12, int(rng.integers(2, 4))), int(rng.choice([1, 3])))
        true, given = (
            rng.random(shape).astype(dtype) if top == 1.0 else rng.integers(0, top + 1, shape).astype(dtype)
            for _ in range(2)
        )
        wide = true.astype(np.float64), given.astype(np.float64)
        expected = peak_signal_noise_ratio(*wide, data_range=top)
        assert psnr([Picture(true)], [Picture(given)]).value == pytest.approx(expected, abs=1e-9)
        assert mse([Picture(true)], [Picture(given)]).value == pytest.approx(mean_squared_error(*wide), rel=1e-9)


@pytest.mark.parametrize(("dtype", "top"), DEPTHS)
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_ssim_is_that_of_scikit_image_as_published(dtype: str, top: float, channels: int) -> None:
    for seed in range(6):
        shape = (*np.random.default_rng(seed).integers(11, 60, 2), channels)
        true, given = pair(seed, shape, dtype, top)
        expected = structural_similarity(
            true.astype(np.float64),
            given.astype(np.float64),
            data_range=top,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
            channel_axis=2,
        )
        assert ssim([Picture(true)], [Picture(given)]).value == pytest.approx(expected, abs=1e-6)


def paper(a: np.ndarray, b: np.ndarray, top: float) -> float:
    """Multi-scale SSIM of one plane: luminance at the last scale, contrast and structure at all (Wang et al. 2003)."""
    axis = np.arange(11) - 5
    bell = np.exp(-(axis[:, None] ** 2 + axis**2) / (2 * 1.5**2))
    bell /= bell.sum()
    value = 1.0
    for number, weight in enumerate((0.0448, 0.2856, 0.3001, 0.2363, 0.1333)):
        if number:
            a, b = (signal.convolve2d(each, np.full((2, 2), 0.25), "valid")[::2, ::2] for each in (a, b))
        mean_a, mean_b = (signal.convolve2d(each, bell, "valid") for each in (a, b))
        var_a = signal.convolve2d(a * a, bell, "valid") - mean_a**2
        var_b = signal.convolve2d(b * b, bell, "valid") - mean_b**2
        both = signal.convolve2d(a * b, bell, "valid") - mean_a * mean_b
        parts = (2 * both + (0.03 * top) ** 2) / (var_a + var_b + (0.03 * top) ** 2)
        if number == 4:
            parts = parts * (2 * mean_a * mean_b + (0.01 * top) ** 2) / (mean_a**2 + mean_b**2 + (0.01 * top) ** 2)
        value *= parts.mean() ** weight
    return float(value)


@pytest.mark.parametrize(("dtype", "top"), DEPTHS)
def test_ms_ssim_is_the_published_formula(dtype: str, top: float) -> None:
    for seed, shape in enumerate([(176, 192, 1), (208, 240, 3)]):
        true, given = pair(seed, shape, dtype, top)
        expected = np.mean(
            [
                paper(true[..., channel].astype(np.float64), given[..., channel].astype(np.float64), top)
                for channel in range(shape[2])
            ]
        )
        assert ms_ssim([Picture(true)], [Picture(given)]).value == pytest.approx(expected, abs=1e-9)


def test_small_pictures_have_fewer_scales_and_less_than_nothing_alike_is_nothing() -> None:
    true, given = pair(0, (20, 21, 1), "uint8", 255)
    one = [Picture(true)], [Picture(given)]
    assert ms_ssim(*one).value == pytest.approx(ssim(*one).value, abs=1e-12)
    against = [Picture(np.uint8(255) - true)]
    assert ms_ssim(one[0], against).value == 0
    assert ssim(one[0], against).value < 0


def test_conventions_are_those_of_their_names() -> None:
    """Y of black and white are 16 and 235; gray of blue is 0.114 of it; of one channel all are the same."""
    black, white = np.zeros((12, 12, 3), np.uint8), np.full((12, 12, 3), 255, np.uint8)
    assert psnr_y([Picture(black)], [Picture(white)]).value == pytest.approx(20 * math.log10(255 / 219), abs=1e-6)
    blue = black.copy()
    blue[..., 2] = 100
    expected = 20 * math.log10(255 / 11.4)
    assert psnr_gray([Picture(black)], [Picture(blue)]).value == pytest.approx(expected, abs=1e-9)
    expected = 20 * math.log10(255 / (100 * 24.966 / 255))
    assert psnr_y([Picture(black)], [Picture(blue)]).value == pytest.approx(expected, abs=1e-9)
    deep = [Picture((each.astype(np.uint16)) * np.uint16(257)) for each in (black, blue)]
    assert psnr_y(deep[:1], deep[1:]).value == pytest.approx(expected, abs=1e-9)
    true, given = (Picture(each) for each in pair(3, (30, 30, 1), "uint8", 255))
    assert len({metric([true], [given]).value for metric in (psnr, psnr_gray, psnr_y)}) == 1
    assert ssim_y([true], [given]).value == ssim([true], [given]).value
    true, given = (Picture(each) for each in pair(3, (30, 30, 3), "uint8", 255))
    grays = [(each.pixels @ np.array([65.481, 128.553, 24.966]) / 255 + 16) for each in (true, given)]
    expected = structural_similarity(
        *grays, data_range=255, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
    )
    assert ssim_y([true], [given]).value == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("metric", [mse, psnr, psnr_gray, psnr_y, ssim, ssim_y, ms_ssim])
def test_a_border_is_left_out(metric: object) -> None:
    true, given = pair(1, (40, 44, 3), "uint8", 255)
    cut = metric([Picture(true[4:-4, 4:-4])], [Picture(given[4:-4, 4:-4])]).value  # type: ignore[operator]
    assert metric([Picture(true)], [Picture(given)], border=4).value == cut  # type: ignore[operator]
    assert metric([Picture(true)], [Picture(given)]).value != cut  # type: ignore[operator]
    with pytest.raises(InputError, match="leaves nothing"):
        metric([Picture(true)], [Picture(given)], border=20)  # type: ignore[operator]


def test_a_volume_is_the_mean_of_its_slices() -> None:
    true, given = (
        np.stack(some) for some in zip(*(pair(n, (20, 22, 1), "uint16", 65535) for n in range(3)), strict=True)
    )
    each = ssim([Picture(one) for one in true], [Picture(one) for one in given]).value
    assert ssim([Picture(true)], [Picture(given)]).value == pytest.approx(each, abs=1e-12)


def test_one_perfect_picture_leaves_the_mean_finite() -> None:
    """One of 16 bits a single level off is 96.3 dB (20 log10 65535): the cap lies above all that can be told apart."""
    true = np.zeros((4, 4, 1), np.uint16)
    tally = psnr([Picture(true)] * 2, [Picture(true), Picture(true + np.uint16(1))])
    assert tally.rows[:, 0].tolist() == pytest.approx([100.0, 20 * math.log10(65535)])


def test_unlike_pictures_are_refused() -> None:
    with pytest.raises(InputError, match="uint16"):
        psnr([Picture(np.zeros((2, 2, 1), np.uint8))], [Picture(np.zeros((2, 2, 1), np.uint16))])
    with pytest.raises(InputError, match="one channel or three"):
        psnr_y([Picture(np.zeros((2, 2, 4), np.uint8))], [Picture(np.zeros((2, 2, 4), np.uint8))])
