"""Corners of a drawn square, in any depth, and wherever it lies."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from sightline.core.annotations import Objects
from sightline.core.errors import SettingsError
from sightline.finders import corners
from tests.finders.drawn import depth_of


def square(x0: int = 20, y0: int = 15, x1: int = 60, y1: int = 50) -> np.ndarray:
    light = np.full((80, 90), 0.2, np.float32)
    light[y0:y1, x0:x1] = 0.9
    return light


def places(found: Objects) -> np.ndarray:
    assert found.keypoints is not None
    return found.keypoints[:, 0, :2]


@pytest.mark.parametrize("name", ["harris", "shi_tomasi"])
@pytest.mark.parametrize("depth", ["uint8", "uint16", "float32"])
def test_the_four_corners_of_a_square_and_no_other(name: str, depth: str) -> None:
    found = getattr(corners, name)(depth_of(square(), depth), least=0.1)
    want = np.array([[20, 15], [20, 50], [60, 15], [60, 50]])
    got = places(found)
    assert np.abs(got[np.lexsort((got[:, 1], got[:, 0]))] - want).max() < 0.25
    assert found.scores is not None
    assert found.scores.max() == 1


@pytest.mark.parametrize("name", ["harris", "shi_tomasi", "fast"])
def test_corners_move_and_turn_with_the_picture(name: str) -> None:
    find = getattr(corners, name)
    image = depth_of(square(), "uint8")
    here = {tuple(place) for place in np.round(places(find(image))).tolist()}
    moved = {tuple(place) for place in np.round(places(find(depth_of(square(27, 20, 67, 55), "uint8")))).tolist()}
    turned = {(y, 90 - x) for x, y in np.round(places(find(np.rot90(image)))).tolist()}
    assert moved == {(x + 7, y + 5) for x, y in here}
    if name != "fast":  # of several places alike, which one is kept depends on the way that they are read
        assert {(90 - b, a) for a, b in turned} == here or len(turned) == len(here)


def test_shi_tomasi_starts_from_opencvs() -> None:
    image = np.random.default_rng(0).integers(0, 255, (50, 60)).astype(np.uint8)
    want = np.asarray(cv2.goodFeaturesToTrack(image, 30, 0.05, 5)).reshape(-1, 2)
    got = places(corners.shi_tomasi(image, least=0.05, count=30)) - 0.5
    assert len(got) == len(want)
    assert np.abs(got - want).max() <= 3.5


def test_fast_is_opencvs() -> None:
    image = depth_of(square(), "uint8")
    want = cv2.FastFeatureDetector_create(20, True).detect(image)
    found = corners.fast(image, step=20 / 255)
    assert {tuple(place - 0.5) for place in places(found)} == {one.pt for one in want}
    assert found.scores is not None
    assert (np.diff(found.scores) <= 0).all()


def test_few_are_kept_apart() -> None:
    image = np.random.default_rng(1).integers(0, 255, (60, 60)).astype(np.uint8)
    assert len(corners.harris(image, count=7)) == 7
    assert len(corners.fast(image, count=3)) == 3
    got = places(corners.harris(image, apart=15.0))
    away = np.hypot(*(got[:, None] - got[None]).transpose(2, 0, 1)) + 99 * np.eye(len(got))
    assert away.min() > 15 - 2 * 3
    with pytest.raises(SettingsError, match="count = 0"):
        corners.harris(image, count=0)
