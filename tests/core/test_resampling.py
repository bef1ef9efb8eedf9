"""Pictures at another size: as an independent antialiasing filter makes them, for every depth and channel count."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from sightline.core.resampling import STILL, after, inverse, resize, soften, taps, warp

RNG = np.random.default_rng(0)
NUMBER = st.floats(-3, 3).map(lambda value: round(value, 3))


def photograph(rows: int, columns: int, channels: int = 3) -> np.ndarray:
    """Edges, a texture, a gradient and noise of three levels, as a camera gives them."""
    y, x = np.mgrid[:rows, :columns]
    disk = np.hypot(y - rows / 2, x - columns / 3) < min(rows, columns) / 4
    base = 60 + 90 * disk + 40 * np.sin(x / 9) * np.cos(y / 13) + 50 * x / columns
    made = base[..., None] + RNG.normal(0, 3, (rows, columns, channels)) + 8 * np.arange(channels)
    return np.clip(made, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("step", [1.07, 1.3, 1.5, 2.0, 2.6, 3.9, 4.0, 5.3, 9.1])
def test_smooth_is_within_a_level_of_pillows_antialiased_bilinear(step: float) -> None:
    pixels = photograph(round(90 * step) + 1, round(120 * step))
    expected = np.asarray(Image.fromarray(pixels).resize((120, 90), Image.Resampling.BILINEAR)).astype(int)
    got = resize(pixels, (90, 120))
    assert np.abs(got - expected).mean() <= 1.0
    assert np.abs(got - expected).max() <= 24
    if step >= 1.5:
        fast = resize(pixels, (90, 120), "fast")
        assert np.abs(fast - expected).mean() > 1.3 * np.abs(got - expected).mean(), "the fast way is another one"


@pytest.mark.parametrize("size", [(40, 200), (200, 40), (300, 90), (120, 31)])
def test_each_axis_is_softened_as_much_as_it_shrinks(size: tuple[int, int]) -> None:
    pixels = photograph(120, 180)
    expected = np.asarray(Image.fromarray(pixels).resize(size[::-1], Image.Resampling.BILINEAR)).astype(int)
    assert np.abs(resize(pixels, size) - expected).mean() <= 1.0


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5, 9])
@pytest.mark.parametrize("way", ["smooth", "fast", "area"])
def test_depth_channels_and_mean_are_kept(dtype: str, channels: int, way: str) -> None:
    pixels = (RNG.random((32, 48, channels)) * 250).astype(dtype)
    half = resize(pixels, (16, 24), way)
    assert half.shape == (16, 24, channels)
    assert half.dtype == dtype
    np.testing.assert_allclose(half.mean((0, 1)), pixels.mean((0, 1)), rtol=0.03)
    for channel in range(channels):  # no channel learns from another
        alone = resize(np.ascontiguousarray(pixels[..., channel : channel + 1]), (16, 24), way)
        np.testing.assert_allclose(half[..., channel], alone[..., 0], atol=1 if dtype != "float32" else 1e-3)
    assert resize(pixels, (64, 96), way).shape == (64, 96, channels)
    assert resize(pixels, (32, 48), way) is pixels


def test_halves_have_the_weights_of_a_triangle() -> None:
    """Exactly 1, 3, 3, 1 of eight, the triangle filter of two."""
    pixels = RNG.random((16, 20, 1)).astype(np.float32)
    weights = np.array([1, 3, 3, 1]) / 8
    rows = sum(weights[k] * pixels[1 + k : 13 + k : 2] for k in range(4))
    both: Any = sum(weights[k] * rows[:, 1 + k : 17 + k : 2] for k in range(4))
    np.testing.assert_allclose(resize(pixels, (8, 10))[1:7, 1:9], both, atol=1e-6)


def test_area_is_the_mean_of_blocks() -> None:
    pixels = RNG.random((32, 48, 3)).astype(np.float32)
    blocks = pixels.reshape(16, 2, 24, 2, 3).mean((1, 3))
    np.testing.assert_allclose(resize(pixels, (16, 24), "area"), blocks, atol=1e-6)


def test_what_a_decoder_averaged_already_is_not_softened_twice() -> None:
    """Half decoded by the mean of blocks, then to a third: nearer to the one way from the whole with the hint."""
    whole = photograph(600, 900).astype(np.float32)
    half = whole.reshape(300, 2, 450, 2, 3).mean((1, 3))
    direct = resize(whole, (130, 195))
    hinted = np.abs(resize(half, (130, 195), reduced=(2.0, 2.0)) - direct).mean()
    plain = np.abs(resize(half, (130, 195)) - direct).mean()
    assert hinted < 0.4
    assert hinted != plain


@pytest.mark.parametrize("variance", [0.01, 0.2, 0.5, 0.7, 1.4, 3.0, 11.0])
def test_kernels_have_the_spread_asked_for(variance: float) -> None:
    kernel = taps(variance).astype(np.float64)
    place = np.arange(len(kernel)) - len(kernel) // 2
    assert kernel.sum() == pytest.approx(1, abs=1e-6)
    assert (kernel * place**2).sum() == pytest.approx(variance, rel=1e-4)
    np.testing.assert_allclose(kernel, kernel[::-1], atol=1e-7)
    assert (kernel >= -1e-7).all()


def test_nothing_is_softened_where_nothing_shrinks() -> None:
    pixels = photograph(20, 30)
    same, halved = soften(pixels, (0.5, 1.0))
    assert same is pixels
    assert halved == (1.0, 1.0)


def test_one_pixel_wide_pictures_pass() -> None:
    assert resize(np.full((900, 1, 3), 7, np.uint8), (3, 3)).tolist() == np.full((3, 3, 3), 7).tolist()
    assert resize(np.full((1, 1, 1), 9, np.uint16), (40, 50)).min() == 9


def test_a_warp_that_only_resizes_is_a_resize() -> None:
    pixels = photograph(90, 120)
    back = (120 / 50, 0.0, 0.0, 0.0, 90 / 40, 0.0)
    gap = np.abs(warp(pixels, back, (40, 50)).astype(int) - resize(pixels, (40, 50)))
    assert gap.max() <= 2
    assert gap.mean() < 0.3


@pytest.mark.parametrize(("border", "corner"), [("edge", 200), ("reflect", 200), ("fill", 7)])
def test_beyond_the_edge_lies_what_was_asked_for(border: str, corner: int) -> None:
    made = warp(np.full((10, 10, 1), 200, np.uint8), (1, 0, -5, 0, 1, -5), (10, 10), border=border, fill=7)
    assert made[0, 0, 0] == corner
    assert (made[6:, 6:] == 200).all()


@given(st.tuples(*[NUMBER] * 6), st.tuples(*[NUMBER] * 6))
def test_moves_compose_and_invert_as_matrices_do(first: Any, second: Any) -> None:
    def matrix(move: Any) -> np.ndarray:
        return np.vstack([np.array(move).reshape(2, 3), [0, 0, 1]])

    np.testing.assert_allclose(matrix(after(second, first)), matrix(second) @ matrix(first), atol=1e-9)
    if abs(first[0] * first[4] - first[1] * first[3]) > 0.05:
        np.testing.assert_allclose(after(first, inverse(first)), STILL, atol=1e-6)
