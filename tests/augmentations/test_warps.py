"""How far each bend goes."""

from typing import Any

import numpy as np
import pytest

from sightline.augmentations import geometry, warps
from sightline.core.annotations import Labels
from sightline.core.carried import trail
from sightline.core.warp import Warp
from tests.contracts.test_augmentations import mark, sample


def drawn(move: Any, count: int = 60, **settings: Any) -> list[Warp]:
    """The warps of many draws."""
    with trail() as kept:
        for seed in range(count):
            move(sample(mark(), Labels(("a",))), np.random.default_rng(seed), **settings)
    return list(kept)


def spread(values: list[float], low: float, high: float) -> None:
    """All of a range is reached and nothing beyond it."""
    assert low - 1e-9 <= min(values) < low + 0.2 * (high - low)
    assert high - 0.2 * (high - low) < max(values) <= high + 1e-9


def test_turns_reach_their_degrees_about_the_middle() -> None:
    found = drawn(warps.rotate, degrees=30)
    spread([float(np.degrees(np.arctan2(w.matrix[0, 1], w.matrix[0, 0]))) for w in found], -30, 30)
    for w in found:
        np.testing.assert_allclose(w.points(np.array([[32.0, 24.0]])), [[32, 24]], atol=1e-9)
        assert np.linalg.det(w.matrix) == pytest.approx(1)


def test_scales_shears_and_shifts_reach_their_ends() -> None:
    spread([float(np.log(w.matrix[0, 0])) for w in drawn(warps.scale, by=(0.5, 2.0))], np.log(0.5), np.log(2))
    shears = drawn(warps.shear, degrees=20)
    spread([float(w.matrix[0, 1]) for w in shears], -np.tan(np.radians(20)), np.tan(np.radians(20)))
    shifts = drawn(warps.translate, most=0.25)
    spread([float(w.matrix[0, 2]) for w in shifts], -16, 16)
    spread([float(w.matrix[1, 2]) for w in shifts], -12, 12)
    assert all(float(w.matrix[0, 2]).is_integer() for w in shifts)


def test_corners_move_by_at_most_their_part() -> None:
    corners = np.array([[0, 0], [64, 0], [64, 48], [0, 48]], np.float64)
    far = [np.abs(w.points(corners) - corners) / [64, 48] for w in drawn(warps.perspective, most=0.1)]
    assert 0.08 < max(each.max() for each in far) < 0.1001
    assert any(not w.affine for w in drawn(warps.perspective))


def test_waves_are_as_strong_as_asked() -> None:
    def strength(value: float) -> float:
        return float(np.mean([np.abs(w.field).mean() for w in drawn(warps.elastic, 12, strength=value, smooth=0.2)]))

    assert strength(0.06) > 1.7 * strength(0.02) > 0


def test_a_window_has_the_part_the_aspect_and_the_size_asked_for() -> None:
    found = drawn(geometry.window, 80, size=(32, 32), part=(0.3, 0.9), aspect=(0.8, 1.25))
    assert {w.size for w in found} == {(32, 32)}
    rows, columns = (np.array([32 / w.matrix[axis, axis] for w in found]) for axis in (1, 0))
    parts = rows * columns / (48 * 64)
    assert 0.26 < parts.min() < 0.4
    assert 0.75 < parts.max() < 0.95
    aspects = columns / rows
    assert 0.75 < aspects.min() < 0.9
    assert 1.1 < aspects.max() < 1.35


def test_quarters_and_transposes_happen_as_often_as_they_should() -> None:
    turned = drawn(geometry.quarter_turn, 200)
    assert 120 < len(turned) < 180
    assert sum(w.size == (64, 48) for w in turned) in range(75, 126)
    assert len(drawn(geometry.transpose, 100, chance=1)) == 100
    assert not drawn(geometry.flip_down, 100, chance=0)


def test_margins_only_add() -> None:
    for w in drawn(geometry.pad, most=0.5):
        assert 48 <= w.size[0] <= 96
        assert 64 <= w.size[1] <= 128
        assert (w.matrix[:2, 2] >= 0).all()


def test_shapes_that_do_not_fit_are_drawn_again() -> None:
    """Half the picture, two and a half times as wide as high, fits now and then; it is then not cut to fit."""
    found = drawn(geometry.window, 80, size=(32, 32), part=(0.5, 0.5), aspect=(2.4, 6.0))
    whole = [abs(32 * 32 / (w.matrix[0, 0] * w.matrix[1, 1]) / (48 * 64) - 0.5) < 0.02 for w in found]
    assert 0.5 < np.mean(whole) < 0.95


def test_small_windows_are_averaged_unless_told_otherwise() -> None:
    board = (np.indices((48, 64)).sum(0) % 2 * 255).astype(np.uint8)[..., None]
    soft, hard = (
        geometry.window(
            sample(board), np.random.default_rng(0), size=(12, 16), part=(1, 1), aspect=(4 / 3, 4 / 3), antialias=each
        ).pixels()
        for each in (True, False)
    )
    assert np.ptp(soft) <= 2
    assert soft.shape == hard.shape == (12, 16, 1)
    dots = np.zeros((48, 64, 1), np.uint8)
    dots[::4, ::4] = 255
    settings = {"size": (12, 16), "part": (1, 1), "aspect": (4 / 3, 4 / 3)}
    rng = np.random.default_rng
    kept = geometry.window(sample(dots), rng(0), **settings).pixels()
    lost = geometry.window(sample(dots), rng(0), **settings, antialias=False).pixels()
    assert kept.mean() == pytest.approx(dots.mean(), abs=1)
    assert lost.mean() < 1, "without averaging what lies between is not seen"
