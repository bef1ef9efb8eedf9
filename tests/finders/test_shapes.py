"""Shapes: exact on what was drawn, and equal to scikit-image's measures."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from sightline.core.annotations import Objects
from sightline.core.errors import SettingsError
from sightline.finders import shapes
from tests.finders.drawn import depth_of, disc

measure = pytest.importorskip("skimage.measure")
feature = pytest.importorskip("skimage.feature")


def random_mask(seed: int, size: tuple[int, int] = (40, 53), share: float = 0.45) -> np.ndarray:
    return np.random.default_rng(seed).random(size) < share


@pytest.mark.parametrize("corners", [True, False])
@pytest.mark.parametrize("seed", range(6))
def test_components_are_those_of_the_reference(seed: int, corners: bool) -> None:
    mask = random_mask(seed, share=0.25 + 0.1 * seed)
    found = shapes.components(mask.astype(np.uint8) * 255, level=0.5, corners=corners)
    want = measure.regionprops(measure.label(mask, connectivity=2 if corners else 1))
    assert found.details is not None
    assert found.keypoints is not None
    rows = [
        ((one.bbox[1], one.bbox[0], one.bbox[3], one.bbox[2]), one.area, one.centroid[1] + 0.5, one.centroid[0] + 0.5)
        for one in want
    ]
    got = [
        (tuple(box), one["area"], x, y)
        for box, one, (x, y, _) in zip(found.boxes.tolist(), found.details, found.keypoints[:, 0].tolist(), strict=True)
    ]
    assert len(got) == len(rows)
    for mine, theirs in zip(sorted(got), sorted(rows), strict=True):
        assert mine[:2] == theirs[:2]
        assert mine[2:] == pytest.approx(theirs[2:], abs=1e-4)


def test_how_many_pixels_a_part_may_have() -> None:
    image = np.zeros((30, 30), np.uint8)
    image[2:4, 2:4], image[10:20, 10:20], image[25, 25] = 255, 255, 255
    areas = [one["area"] for one in shapes.components(image).details or ()]
    assert sorted(areas) == [1, 4, 100]
    assert len(shapes.components(image, least=2)) == 2
    assert len(shapes.components(image, least=2, most=50)) == 1
    assert len(shapes.components(255 - image, dark=True)) == 3


@pytest.mark.parametrize("depth", ["uint8", "uint16", "float32"])
def test_a_level_is_a_share_of_white(depth: str) -> None:
    image = depth_of(np.array([[0.2, 0.2, 0.45, 0.55, 0.9]], np.float32).repeat(3, 0), depth)
    assert shapes.components(image, level=0.5).boxes.tolist() == [[3, 0, 5, 3]]
    assert shapes.components(image, level=0.4).boxes.tolist() == [[2, 0, 5, 3]]


@pytest.mark.parametrize("seed", range(3))
def test_outlines_filled_are_the_parts_again(seed: int) -> None:
    mask = cv2.GaussianBlur(random_mask(seed).astype(np.float32), (0, 0), 1.5) > 0.45
    found = shapes.contours(mask.astype(np.uint8) * 255, least=1)
    assert np.array_equal(found.shapes(mask.shape).any(0), mask)


def test_measures_are_those_of_the_reference() -> None:
    mask = cv2.GaussianBlur(random_mask(5, (90, 110)).astype(np.float32), (0, 0), 3) > 0.46
    found = shapes.contours(mask.astype(np.uint8) * 255, least=30)
    assert len(found) > 4
    labels = measure.label(mask, connectivity=2)
    for box, one in zip(found.boxes.astype(int).tolist(), found.details or (), strict=True):
        theirs = next(
            region
            for region in measure.regionprops(labels)
            if list(region.bbox) == [box[1], box[0], box[3], box[2]] and region.area == one["area"]
        )
        assert one["perimeter"] == pytest.approx(theirs.perimeter, abs=1e-6)
        assert one["eccentricity"] == pytest.approx(theirs.eccentricity, abs=1e-6)
        assert one["major"] == pytest.approx(theirs.axis_major_length, rel=1e-6)
        assert one["minor"] == pytest.approx(theirs.axis_minor_length, rel=1e-6)
        assert one["extent"] == pytest.approx(theirs.extent)
        # our hull goes around the corners of pixels, theirs around the middles of their sides
        assert theirs.solidity - 0.1 < one["solidity"] <= theirs.solidity + 1e-6
        hu = np.abs(theirs.moments_hu)  # the sign of the last one is that of the mirrored shape: rows come first there
        assert np.abs(one["hu"]) == pytest.approx(hu, rel=1e-6, abs=1e-12)


def test_a_disc_is_round_and_a_bar_points() -> None:
    image = depth_of(disc((80, 80), 30, 30, 18), "uint8")
    round_one = (shapes.contours(image).details or ())[0]
    assert 0.9 < round_one["circularity"] < 1.1
    assert round_one["eccentricity"] < 0.1
    assert round_one["solidity"] > 0.95
    turned = cv2.boxPoints(((40, 40), (50, 8), 30))
    bar = cv2.fillPoly(np.zeros((80, 80), np.uint8), [np.rint(turned).astype(np.int32)], 255)
    pointed = (shapes.contours(bar).details or ())[0]
    assert np.degrees(pointed["orientation"]) == pytest.approx(30, abs=2)
    assert pointed["eccentricity"] > 0.95
    assert len(pointed["polygon"]) == 4


def named(found: Objects) -> list[str]:
    return [found.names[row] for row in found.classes.tolist()]


@pytest.mark.parametrize("turn", [0, 17, 45, 80])
def test_polygons_are_named_by_their_corners_however_they_are_turned(turn: int) -> None:
    for corners, name in [(3, "triangle"), (4, "quadrilateral"), (5, "pentagon"), (6, "hexagon")]:
        angle = np.deg2rad(turn) + np.arange(corners) * 2 * np.pi / corners
        points = np.stack([60 + 45 * np.cos(angle), 60 + 45 * np.sin(angle)], 1)
        image = cv2.fillPoly(np.zeros((120, 120), np.uint8), [np.rint(points).astype(np.int32)], 255)
        found = shapes.polygons(image)
        assert named(found) == [name]
        assert found.scores is not None
        assert found.scores[0] > 0.9
    assert named(shapes.polygons(depth_of(disc((90, 90), 45, 45, 35), "uint8"), tolerance=0.01)) == ["round"]


@pytest.mark.parametrize("method", ["log", "dog"])
@pytest.mark.parametrize("shade", ["light", "dark", "any"])
def test_blobs_have_their_place_and_size(method: str, shade: str) -> None:
    truth = [(30.5, 40.5, 6.0), (80.0, 30.0, 10.0), (75.0, 85.0, 15.0)]
    light = np.full((120, 120), 0.1, np.float32)
    for x, y, radius in truth:
        light += 0.8 * disc((120, 120), x, y, radius)
    light = 1 - light if shade == "dark" else light
    found = shapes.blobs(depth_of(light, "uint8"), shade=shade, method=method, least=0.25, steps=16, largest=25)
    assert found.details is not None
    got = np.array([[one["x"], one["y"], one["radius"]] for one in found.details])
    assert len(got) == 3
    for x, y, radius in truth:
        row = got[np.hypot(got[:, 0] - x, got[:, 1] - y).argmin()]
        assert np.hypot(row[0] - x, row[1] - y) < 1.1
        assert abs(row[2] - radius) < 0.25 * radius


def test_blobs_are_where_the_reference_finds_them() -> None:
    light = sum(disc((100, 100), x, y, 5.0) for x, y in [(20.5, 20.5), (70.5, 30.5), (50.5, 75.5)])
    found = shapes.blobs(light.astype(np.float32), shade="light", least=0.2)
    theirs = feature.blob_log(light, min_sigma=2, max_sigma=8, threshold=0.2)
    assert {(round(one["x"] - 0.5), round(one["y"] - 0.5)) for one in found.details or ()} == {
        (int(column), int(row)) for row, column, _ in theirs
    }


def test_settings_that_cannot_be_are_refused() -> None:
    with pytest.raises(SettingsError, match="shade = 'blue': must be one of light, dark, any"):
        shapes.blobs(np.zeros((9, 9), np.uint8), shade="blue")
    with pytest.raises(SettingsError, match="level = 7"):
        shapes.components(np.zeros((9, 9), np.uint8), level=7)
