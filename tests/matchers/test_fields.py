"""Steps of every pixel in drawn scenes that move in a known way."""

import numpy as np
import pytest

from sightline.core.errors import InputError
from sightline.core.relation import Field, Matches, end_point_error
from sightline.core.warp import Warp
from sightline.matchers.flow import dis, farneback, lucas_kanade
from sightline.matchers.smooth import thin_plate
from sightline.matchers.stereo import disparity
from tests.matchers.known import laid, layered, scene, side_by_side, spoiled


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_flow_is_several_times_better_than_standing_still(seed: int) -> None:
    first, second, truth, seen = layered(seed)
    still = end_point_error(np.zeros_like(truth), truth, seen)
    found = dis(first, second)
    assert end_point_error(found.steps, truth, seen) < 0.35 * still
    assert found.seen is not None
    assert end_point_error(found.steps, truth, found.seen) < 0.25 * still
    assert (found.seen == seen).mean() > 0.85
    assert end_point_error(farneback(first, second).steps, truth, seen) < 0.7 * still
    dense = lucas_kanade(first, second, dense=True)
    assert isinstance(dense, Field)
    assert end_point_error(dense.steps, truth, seen) < 0.65 * still


def test_followed_corners_are_right_to_a_tenth_of_a_pixel() -> None:
    first, second, truth, _ = layered(1)
    found = lucas_kanade(first, second)
    assert isinstance(found, Matches)
    at = found.points[:, :2].astype(int)
    missed = np.hypot(*(found.points[:, 2:] - found.points[:, :2] - truth[at[:, 1], at[:, 0]]).T)
    assert len(found) > 200
    assert np.median(missed) < 0.1
    assert np.mean(missed < 0.5) > 0.8


def test_without_the_way_back_nothing_is_said_of_what_is_seen() -> None:
    first, second, _, _ = layered(1)
    for match in (dis, farneback):
        once, twice = match(first, second, check=False), match(first, second)
        assert once.seen is None
        assert once.score is None
        assert np.array_equal(once.steps, twice.steps)


def test_a_thin_plate_follows_a_smooth_bend() -> None:
    whole = scene(1, "pairs")
    y, x = np.mgrid[:480, :640] / 100
    bend = 9 * np.stack([np.sin(1.1 * y + 0.3), np.cos(0.9 * x)], -1).astype(np.float32)
    second = spoiled(whole[300:780, 190:830], 3, 1)
    # a pixel of the first shows what lies `bend` further in the second
    first = spoiled(Warp(np.eye(3), (480, 640), (480, 640), bend).pixels(whole[300:780, 190:830]), 3, 2)
    found = thin_plate(first, second)
    inner = (slice(40, -40), slice(40, -40))
    assert end_point_error(found.steps[inner], bend[inner]) < 1.0
    assert end_point_error(0 * bend[inner], bend[inner]) > 7
    stiff = thin_plate(first, second, stiff=1000)
    assert end_point_error(stiff.steps[inner], bend[inner]) > end_point_error(found.steps[inner], bend[inner])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_disparity_is_within_half_a_pixel_nearly_everywhere(seed: int) -> None:
    left, right, truth = side_by_side(seed)
    found = disparity(left, right)
    known = np.isfinite(truth)
    missed = np.abs(-found.steps[..., 0] - truth)
    assert np.mean(missed[known] < 0.5) > 0.95
    assert found.seen is not None
    assert np.mean(missed[known & found.seen] < 0.5) > 0.98
    assert np.mean(found.seen[~known]) < 0.4, "what the right picture hides is not called seen"
    assert not found.steps[..., 1].any()
    block = disparity(left, right, search="block", block=11)
    assert np.mean(np.abs(-block.steps[..., 0] - truth)[known & np.asarray(block.seen)] < 0.5) > 0.95


def test_disparities_below_zero_and_beyond_reach() -> None:
    left, right, truth = side_by_side(1)
    moved = np.roll(right, 20, 1)  # everything is 20 pixels further right: from -14 to 8
    found = disparity(left, moved, least=-20, most=12)
    known = np.isfinite(truth)
    known[:, :64] = known[:, -64:] = False
    assert np.mean(np.abs(-found.steps[..., 0] - (truth - 20))[known] < 0.5) > 0.9
    with pytest.raises(InputError, match="cannot hold disparities"):
        disparity(left[:, :64], right[:, :64], most=64)


def test_steps_of_pictures_of_two_sizes_are_refused() -> None:
    first, second = laid(np.eye(3), size=(64, 80))
    with pytest.raises(InputError, match="one size"):
        dis(first, second[:60])
