"""Moves of drawn scenes that are known exactly: how near each matcher comes."""

import numpy as np
import pytest

from sightline.core.errors import InputError, SettingsError
from sightline.core.relation import Move, corner_error
from sightline.matchers.intensity import intensity
from sightline.matchers.phase import phase
from sightline.matchers.planes import affine, homography
from sightline.matchers.points import points
from tests.matchers.known import laid, quarter_shift, spoiled, tilted, turned


@pytest.mark.parametrize(("x", "y"), [(13, -6), (-1, 2), (63, 49), (0, 0), (-106, 5)])
def test_phase_finds_a_quarter_pixel_shift_to_a_twentieth(x: int, y: int) -> None:
    first, second = quarter_shift(x, y, world="pairs")
    found = phase(first, second)
    assert found.kind == "shift"
    assert -found.matrix[:2, 2] == pytest.approx([x / 4, y / 4], abs=0.05)
    rough = phase(first, second, fine=False)
    assert -rough.matrix[:2, 2] == pytest.approx([x / 4, y / 4], abs=0.3)


def test_phase_takes_noise_and_light_that_changed() -> None:
    first, second = quarter_shift(21, -10, world="pairs", noise=0)
    second = spoiled(second * 0.5 + 60, 10, 8)
    first = spoiled(first, 10, 7)
    assert -phase(first, second).matrix[:2, 2] == pytest.approx([5.25, -2.5], abs=0.05)


@pytest.mark.parametrize(("degrees", "scale"), [(33, 1.25), (-120, 0.85), (178, 1.0)])
def test_phase_finds_turn_and_scale(degrees: float, scale: float) -> None:
    truth = turned(degrees, scale, (9, -12))
    first, second = laid(truth, world="pairs", noise=3)
    found = phase(first, second, turned=True)
    assert found.kind == "similarity"
    assert corner_error(found, truth) < 0.3


@pytest.mark.parametrize("by", ["sift", "orb"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_homography_is_found_to_less_than_a_pixel_in_noise(seed: int, by: str) -> None:
    truth = tilted(seed)
    first, second = laid(truth, seed=seed, world="pairs", noise=5)
    found = homography(first, second, places=by)
    assert corner_error(found, truth) < 0.2
    assert corner_error(homography(first, second, places=by, fine=False), truth) < 2
    assert found.matches is not None
    assert found.inliers is not None
    assert found.inliers.mean() > 0.7
    assert found.residual() < 1.2


def test_places_alone_are_enough_where_light_does_not_agree() -> None:
    truth = turned(4, 1.05, (10, 6))
    first, second = laid(truth, world="pairs")
    second[100:330, 150:450] = 255 - second[100:330, 150:450]
    found = homography(first, second)
    assert corner_error(found, truth) < 2


@pytest.mark.parametrize("kind", ["shift", "similarity", "affine"])
def test_simpler_moves_are_found_by_places(kind: str) -> None:
    truth = {
        "shift": turned(0, 1, (31.5, -12.25)),
        "similarity": turned(25, 1.3, (5, 8)),
        "affine": turned(10, 1, (5, 8)) @ np.array([[1.1, 0.08, 0], [0, 0.95, 0], [0, 0, 1]]),
    }[kind]
    first, second = laid(truth, world="pairs")
    found = affine(first, second, kind=kind)
    assert found.kind == kind
    assert corner_error(found, truth) < 0.2
    assert corner_error(affine(first, second, kind=kind, fine=False), truth) < 1.5
    linear = found.matrix[:2, :2]
    if kind == "shift":
        assert np.array_equal(linear, np.eye(2))
    if kind == "similarity":
        assert linear[0, 0] == pytest.approx(linear[1, 1])
        assert linear[0, 1] == pytest.approx(-linear[1, 0])


@pytest.mark.parametrize("kind", ["shift", "similarity", "affine", "homography"])
def test_light_finds_each_kind_of_move(kind: str) -> None:
    truth = {
        "shift": turned(0, 1, (31.5, -12.25)),
        "similarity": turned(7, 1.08, (12, -9)),
        "affine": turned(3, 1, (5, 8)) @ np.array([[1.05, 0.04, 0], [0, 0.97, 0], [0, 0, 1]]),
        "homography": tilted(2, far=25),
    }[kind]
    first, second = laid(truth, world="pairs", noise=5)
    dim = np.clip(second * 0.6 + 40, 0, 255).astype(np.uint8)
    found = intensity(first, dim, kind=kind)
    assert corner_error(found, truth) < 0.15
    assert found.score > 0.9


@pytest.mark.parametrize("world", ["street", "pairs", "cells"])
def test_mutual_information_holds_where_light_is_another_sense(world: str) -> None:
    truth = turned(4, 1.04, (8, -5), (240, 320))
    first, second = laid(truth, world=world, size=(240, 320), noise=3)
    other = (255 * (1 - (second / 255.0) ** 0.6)).astype(np.uint8)
    found = intensity(first, other, light="mutual")
    assert corner_error(found, truth) < 0.5
    try:
        missed = intensity(first, other)
    except InputError:
        return
    assert missed.score < 0.5, "correlation does not"


def test_a_start_is_gone_on_from() -> None:
    truth = turned(40, 1.0, (3, -5))
    first, second = laid(truth, world="pairs")
    near = Move(turned(38, 1.02, (5, -2)), "similarity", (480, 640), (480, 640), 1.0)
    assert corner_error(intensity(first, second, kind="similarity", start=near), truth) < 0.1


def test_pictures_larger_than_a_million_pixels_are_as_near() -> None:
    truth = turned(2, 1.02, (7, -4), (1000, 1000))
    first, second = laid(truth, world="pairs", size=(1000, 1000), corner=(12, 12))
    big = [np.kron(picture, np.ones((2, 2, 1), np.uint8))[:1800, :1900] for picture in (first, second)]
    double = np.diag([2.0, 2.0, 1.0])
    found = intensity(*big)
    assert corner_error(found, double @ truth @ np.linalg.inv(double)) < 0.6


def test_points_choose_each_other() -> None:
    truth = turned(12, 1.1, (5, 8))
    first, second = laid(truth, world="pairs")
    for by in ("sift", "orb"):
        found = points(first, second, places=by)
        move = Move(truth, "similarity", found.first, found.second)
        missed = np.hypot(*(move.warp.points(found.points[:, 2:]) - found.points[:, :2]).T)
        assert len(found) > 60
        assert np.mean(missed < (2 if by == "sift" else 5)) > 0.85
        assert (
            len(points(first, second, places=by, ratio=0.6))
            < len(found)
            <= len(points(first, second, places=by, mutual=False))
        )


def test_places_are_counted_from_the_edge_of_the_picture() -> None:
    y, x = np.mgrid[:96, :96] + 0.5
    middles = [(24.0, 30.5), (70.25, 22.0), (40.0, 66.0)]
    light = sum(np.exp(-((x - a) ** 2 + (y - b) ** 2) / (2 * (4 + n) ** 2)) for n, (a, b) in enumerate(middles))
    picture = (40 + 180 * np.clip(light, 0, 1)).astype(np.uint8)
    found = points(picture, picture, ratio=1.0)
    for middle in middles:
        assert np.hypot(*(found.points[:, :2] - middle).T).min() < 0.2


def test_dark_and_deep_pictures_have_places_too() -> None:
    truth = turned(3, 1.0, (5, 8))
    first, second = laid(truth, world="pairs", noise=0)
    dark = [(picture.astype(np.uint16) * 12) for picture in (first, second)]  # 5 % of white
    assert corner_error(homography(*dark), truth) < 0.3


@pytest.mark.parametrize(
    ("match", "given"),
    [
        (points, {"ratio": 2.0}),
        (points, {"most": 1}),
        (homography, {"within": 0.0}),
        (affine, {"kind": "homography"}),
    ],
)
def test_settings_out_of_range_are_refused(match: object, given: dict[str, object]) -> None:
    first, second = laid(np.eye(3), size=(64, 64))
    with pytest.raises(SettingsError, match=next(iter(given))):
        match(first, second, **given)  # type: ignore[operator]
