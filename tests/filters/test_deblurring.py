"""Blurs of known shape are undone: more PSNR, no rings from the sides, the published steps."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from scipy.signal import fftconvolve

from sightline.core.errors import SettingsError
from sightline.core.image import write_image
from sightline.filters._kernels import kernel_of
from sightline.filters.deblurring import _likeliest, richardson_lucy, wiener
from tests.filters._drawn import TOPS, as_depth, noisy, psnr, scene

BLURS = [("gaussian", 1.6, 0.0), ("disc", 3.0, 0.0), ("motion", 11.0, 25.0)]


def blurred(values: np.ndarray, point: np.ndarray) -> np.ndarray:
    """Seen through a window: what lies beyond the sides is other than a mirror."""
    return cv2.filter2D(values, -1, point[::-1, ::-1], borderType=cv2.BORDER_CONSTANT)[20:-20, 20:-20]


@pytest.mark.parametrize("depth", tuple(TOPS))
@pytest.mark.parametrize(("kernel", "size", "angle"), BLURS)
def test_a_blur_is_undone(kernel: str, size: float, angle: float, depth: str) -> None:
    whole = scene(1)
    seen = noisy(blurred(whole, kernel_of("test", kernel, size, angle)), 1)
    true, given = as_depth(whole[20:-20, 20:-20], depth), as_depth(seen, depth)
    told = {"kernel": kernel, "size": size, "angle": angle}
    assert psnr(true, wiener(given, **told)) > psnr(true, given) + 3
    assert psnr(true, richardson_lucy(given, **told)) > psnr(true, given) + 2
    edge = np.s_[:8]
    assert psnr(true[edge], wiener(given, **told)[edge]) > psnr(true[edge], given[edge]) - 1, "no rings at the sides"


def test_a_wrong_kernel_undoes_nothing() -> None:
    whole = scene(2)
    given = as_depth(blurred(whole, kernel_of("test", "motion", 11.0, 25.0)), "uint8")
    true = as_depth(whole[20:-20, 20:-20], "uint8")
    right, wrong = (psnr(true, wiener(given, kernel="motion", size=11.0, angle=angle)) for angle in (25.0, 115.0))
    assert right > psnr(true, given) + 3
    assert wrong < psnr(true, given)


def test_noise_leaves_more_of_the_blur() -> None:
    whole = scene(3)
    true = as_depth(whole[20:-20, 20:-20], "uint8")
    given = as_depth(noisy(blurred(whole, kernel_of("test", "gaussian", 1.6, 0.0)), 10), "uint8")
    assert psnr(true, wiener(given, size=1.6)) > psnr(true, given)
    assert psnr(true, wiener(given, size=1.6, noise=0.2)) < psnr(true, given) - 3


def test_the_steps_are_those_of_richardson_and_lucy() -> None:
    rng = np.random.default_rng(0)
    seen = np.full((80, 80), 0.5)
    seen[30:50, 30:50] = rng.random((20, 20))
    point = kernel_of("test", np.array([[1, 2, 1], [2, 5, 2], [0, 2, 3]], float), 1, 0)
    seen = fftconvolve(seen, point, "same").astype(np.float32)
    light = seen.astype(np.float64)
    for _ in range(5):
        light *= fftconvolve(seen / fftconvolve(light, point, "same"), point[::-1, ::-1], "same")
    made = _likeliest(seen[..., None], point, 5)[..., 0]
    assert np.abs(made - light)[20:-20, 20:-20].max() < 1e-4


@pytest.mark.parametrize(("kernel", "size"), [("gaussian", 1.3), ("disc", 2.5), ("motion", 9.0)])
def test_kernels_are_whole_and_of_their_size(kernel: str, size: float) -> None:
    point = kernel_of("test", kernel, size, 0.0)
    down, right = np.indices(point.shape)
    middle = (np.array(point.shape) - 1) / 2
    assert point.sum() == pytest.approx(1, abs=1e-5)
    assert (point * down).sum() == pytest.approx(middle[0], abs=1e-4)
    assert (point * right).sum() == pytest.approx(middle[1], abs=1e-4)
    spread = float((point * (right - middle[1]) ** 2).sum())
    assert spread == pytest.approx({"gaussian": 1.3**2, "disc": 2.5**2 / 4, "motion": 9**2 / 12}[kernel], rel=0.04)
    if kernel == "motion":
        assert (point.sum(1) > 1e-6).sum() == 1
        steep = kernel_of("test", "motion", 9.0, 90.0)
        assert np.allclose(steep, point.T, atol=1e-6)
        up = kernel_of("test", "motion", 9.0, 45.0)
        middle_row = up.shape[0] // 2
        assert up[:middle_row, middle_row + 1 :].sum() > 0.35, "90 degrees is up, so 45 leads to the upper right"


def test_a_kernel_may_be_an_array_or_a_file(tmp_path: Path) -> None:
    given = as_depth(scene(4), "uint8")
    point = np.array([[0, 50, 0], [50, 55, 50], [0, 50, 0]], np.uint8)
    write_image(tmp_path / "point.png", point[..., None])
    assert np.array_equal(wiener(given, kernel=point), wiener(given, kernel=str(tmp_path / "point.png")))
    for bad in (np.zeros((3, 3)), -point.astype(float), np.zeros((2, 2, 2, 2)), "gausian"):
        with pytest.raises(SettingsError, match="kernel"):
            wiener(given, kernel=bad)
