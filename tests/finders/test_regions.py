"""Regions by light, colour and place, against the references and on drawn scenes."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from sightline.core.annotations import Objects
from sightline.core.errors import SettingsError, UnknownNameError
from sightline.finders import looks, regions, thresholds
from tests.finders.drawn import depth_of, disc, discs

filters = pytest.importorskip("skimage.filters")
measure = pytest.importorskip("skimage.measure")
SCENE = np.clip(
    discs((90, 110), [(30.0, 40.0, 20.0), (80.0, 55.0, 25.0)])
    + np.random.default_rng(0).normal(0, 0.03, (90, 110)).astype(np.float32),
    0,
    1,
)
COLOURS = np.array([[200, 30, 30], [30, 180, 40], [20, 40, 190], [230, 230, 220]], np.uint8)


def quarters() -> np.ndarray:
    made = np.zeros((40, 60, 3), np.uint8)
    for number, colour in enumerate(COLOURS):
        made[number // 2 * 20 : number // 2 * 20 + 20, number % 2 * 30 : number % 2 * 30 + 30] = colour
    return made


def test_levels_are_those_of_the_reference() -> None:
    image = depth_of(SCENE, "uint8")
    for classes in (2, 3, 4):
        want = np.digitize(image, filters.threshold_multiotsu(image, classes, nbins=256), right=True)
        assert (thresholds.multi_otsu(image, classes=classes).classes == want).mean() > 0.995
    three = np.array([[10, 10, 100, 100, 200, 200]], np.uint8).repeat(4, 0)
    assert thresholds.multi_otsu(three).classes[0].tolist() == [0, 0, 1, 1, 2, 2]
    assert np.array_equal(thresholds.threshold(image, level=0.5).classes, image > 127)


@pytest.mark.parametrize("depth", ["uint8", "float32"])
def test_local_levels_are_those_of_the_reference(depth: str) -> None:
    image = depth_of(SCENE, depth)
    light = image / 255 if depth == "uint8" else image
    mean = filters.threshold_local(light, 21, method="mean", offset=0.02, mode="reflect")
    assert (thresholds.adaptive(image, radius=10, kind="mean").classes == (light > mean)).mean() > 0.999
    bell = filters.threshold_local(light, 21, method="gaussian", offset=0.02, mode="reflect")
    assert (thresholds.adaptive(image, radius=10).classes == (light > bell)).mean() > 0.99
    level = filters.threshold_sauvola(light, 21, k=0.2, r=0.5)
    inner = (slice(11, -11), slice(11, -11))
    assert ((thresholds.sauvola(image, radius=10).classes == (light > level))[inner]).mean() > 0.999


def flats(count: int, noise: float, seed: int = 0) -> np.ndarray:
    """A plan of flat colours that can be told from each other, with noise."""
    rng = np.random.default_rng([count, seed])
    chosen: list[np.ndarray] = []
    while len(chosen) < count:
        colour = rng.uniform(0.05, 0.95, 3)
        if all(np.linalg.norm(colour - other) > 0.28 for other in chosen):
            chosen.append(colour)
    places = rng.uniform(0, 96, (2 * count, 2))
    rows, columns = np.mgrid[:96, :96]
    nearest = np.hypot(rows[..., None] - places[:, 0], columns[..., None] - places[:, 1]).argmin(-1) % count
    shown = np.array(chosen)[nearest] + rng.normal(0, noise, (96, 96, 3))
    return np.asarray(np.rint(np.clip(shown, 0, 1) * 255), np.uint8)


@pytest.mark.parametrize("noise", [0.0, 0.01, 0.05])
def test_the_number_of_colours_is_found(noise: float) -> None:
    told = {count: len(regions.kmeans(flats(count, noise), count=0).names) for count in range(2, 9)}
    assert told == {count: count for count in range(2, 9)}


def test_one_colour_is_one_group_and_pixels_count_wherever_they_lie() -> None:
    assert len(regions.kmeans(np.full((5, 5, 3), 9, np.uint8), count=0).names) == 1
    stripes = np.zeros((64, 4096, 1), np.uint8)  # as wide as a regular choice of pixels would step
    stripes[:, 1::2] = 200
    stripes[::2, ::7] = 100
    assert len(regions.kmeans(stripes, count=0).names) == 3


def test_colours_are_parted() -> None:
    found = regions.kmeans(quarters())
    assert len(found.names) == 4
    assert len({int(found.classes[row, column]) for row in (5, 30) for column in (5, 50)}) == 4
    for number in range(4):
        assert np.bincount(found.classes[found.classes == number]).sum() == 600
    assert found.gap(regions.kmeans(quarters().astype(np.uint16) * 257)) == 0
    assert len(regions.kmeans(np.full((5, 5, 3), 9, np.uint8), count=6).names) == 1
    seven = np.random.default_rng(1).random((20, 20, 7)).astype(np.float32)
    assert len(np.unique(regions.kmeans(seven, count=3).classes)) == 3


def test_superpixels_are_connected_and_keep_to_edges() -> None:
    image = quarters()
    found = regions.slic(image, count=24).classes
    assert 12 <= found.max() + 1 <= 36
    assert measure.label(found + 1, connectivity=1).max() == found.max() + 1
    truth = np.arange(4).repeat(600)
    mine = np.concatenate(
        [found[:20, :30].ravel(), found[:20, 30:].ravel(), found[20:, :30].ravel(), found[20:, 30:].ravel()]
    )
    pure = sum(np.bincount(truth[mine == number]).max() for number in range(found.max() + 1))
    assert pure / len(truth) > 0.99


def test_superpixels_are_connected_where_there_is_noise() -> None:
    noisy = np.random.default_rng(0).integers(0, 255, (40, 60, 3)).astype(np.uint8)
    found = regions.slic(noisy, count=20, compact=1.0).classes
    assert measure.label(found + 1, connectivity=1).max() == found.max() + 1


def test_things_that_touch_are_parted() -> None:
    light = 0.1 + 0.8 * np.clip(
        disc((100, 150), 40, 50, 25) + disc((100, 150), 82, 50, 25) + disc((100, 150), 124, 50, 22), 0, 1
    )
    found = regions.watershed(depth_of(light, "uint8"))
    assert isinstance(found, Objects)
    assert len(found) == 3
    masks = found.shapes((100, 150))
    assert (masks.sum(0) <= 1).all()
    assert np.array_equal(masks.any(0), light > 0.5)
    assert len(regions.watershed(depth_of(light, "uint8"), apart=60.0)) == 1, "no two middles are so far apart"
    middles = sorted((box[0] + box[2]) / 2 for box in found.boxes.tolist())
    assert middles == pytest.approx([40, 82, 124], abs=3)


def test_grabcut_finds_the_thing_in_the_box() -> None:
    chance = np.random.default_rng(0)
    thing = disc((80, 100), 50, 40, 22)[..., None]
    image = np.float32([0.2, 0.3, 0.7]) * (1 - thing) + np.float32([0.9, 0.6, 0.1]) * thing
    image = depth_of(image + chance.normal(0, 0.03, image.shape), "uint8")
    found = regions.grabcut(image, left=0.2, top=0.1, right=0.8, bottom=0.9)
    assert (found.classes == (thing[..., 0] > 0.5)).mean() > 0.99
    blocks = np.random.default_rng(3).integers(0, 255, (8, 10, 3)).astype(np.uint8)  # where chance decides who is what
    blocks = blocks.repeat(8, 0).repeat(8, 1)
    made = []
    for seed in (5, 77, 123):
        cv2.setRNGSeed(seed)
        made.append(regions.grabcut(blocks, times=1))
    assert 0.2 < made[0].classes.mean() < 0.8
    assert all(made[0].gap(one) == 0 for one in made), "the chance of OpenCV is set each time"
    with pytest.raises(SettingsError, match="is empty"):
        regions.grabcut(image, left=0.8, right=0.2)


def test_a_flood_stays_within_its_dam() -> None:
    light = 0.2 + 0.6 * (disc((60, 80), 40, 30, 20) > 0.5)
    found = regions.flood(depth_of(light, "uint8"))
    assert np.array_equal(found.classes, light > 0.5)
    outside = regions.flood(depth_of(light, "uint16"), x=0, y=0)
    assert np.array_equal(outside.classes, light < 0.5)


def test_what_is_odd_stands_out() -> None:
    rows, columns = np.mgrid[:128, :160]
    light = 0.5 + 0.2 * np.sin(columns / 3) * np.sin(rows / 3)
    light[60:76, 100:116] = 0.95
    found = looks.saliency(depth_of(light, "uint8"))
    assert found.scores.shape == (128, 160)
    y, x = np.unravel_index(found.scores.argmax(), found.scores.shape)
    assert abs(y - 68) < 14
    assert abs(x - 108) < 14


def test_things_are_counted() -> None:
    image = depth_of(discs((120, 200), [(40.0, 60.0, 25.0), (140.0, 60.0, 30.0)]), "uint8")
    for of in ("components", "circles"):
        found = looks.count(image, of=of)
        assert found.names == (of,)
        assert found.numbers.tolist() == [2]
    with pytest.raises(SettingsError, match="finds no single things"):
        looks.count(image, of="sobel")
    with pytest.raises(SettingsError, match="of = count"):
        looks.count(image, of="count")
    with pytest.raises(UnknownNameError, match="circles"):
        looks.count(image, of="circle")
