"""What hides things is known to hide them; what darkens darkens."""

import numpy as np
import pytest

from sightline.augmentations import camera
from sightline.augmentations._hiding import hide
from sightline.core.annotations import Objects
from sightline.core.image import ArrayImage
from sightline.core.sample import Sample

RNG = np.random.default_rng
GRAY = np.full((60, 80, 3), 128, np.uint8)


def one(pixels: np.ndarray = GRAY, truth: Objects | None = None) -> Sample:
    return Sample("s", (ArrayImage(pixels),), truth)


def test_hidden_keypoints_say_so_and_hidden_things_are_dropped() -> None:
    boxes = np.array([[0, 0, 10, 10], [20, 20, 40, 40], [60, 40, 80, 60]], np.float32)
    points = np.array([[[5, 5, 2]], [[25, 25, 2]], [[70, 50, 2]]], np.float32)
    things = Objects(boxes, np.array([0, 0, 0]), ("a",), keypoints=points)
    cover = np.zeros((60, 80), bool)
    cover[:30, :30] = True  # all of the first, a quarter of the second, nothing of the third
    left = hide(things, cover, 0.1)
    assert isinstance(left, Objects)
    assert left.boxes.tolist() == boxes[1:].tolist()
    assert left.keypoints is not None
    assert left.keypoints[:, 0, 2].tolist() == [1, 2]
    strict = hide(things, cover, 0.8)
    assert isinstance(strict, Objects)
    assert len(strict) == 1
    assert things.keypoints[0, 0, 2] == 2, "the record given is as it was"  # type: ignore[index]
    turned = Objects(np.array([[5, 5, 10, 4, 0.5]], np.float32), np.array([0]), ("a",))
    assert len(hide(turned, cover, 0.1)) == 0  # type: ignore[arg-type]


def test_erased_is_as_large_as_asked_and_gray() -> None:
    noise = RNG(0).integers(130, 256, GRAY.shape).astype(np.uint8)
    parts = []
    for seed in range(60):
        got = camera.erase(one(noise), RNG(seed), chance=1, part=(0.1, 0.3)).pixels()
        gone = (got == 114).all(2)
        parts.append(gone.mean())
        assert (got[~gone] == noise[~gone]).all()
    assert 0.08 < min(parts) < 0.15
    assert 0.25 < max(parts) < 0.33


@pytest.mark.parametrize("name", ["low_light", "shadow", "rain", "glare", "occlusion"])
def test_severities_are_graded(name: str) -> None:
    move = getattr(camera, name)
    far = [
        np.mean([np.abs(move(one(), RNG(seed), severity=s).pixels().astype(float) - 128).mean() for seed in range(12)])
        for s in range(1, 6)
    ]
    assert far == sorted(far)
    assert far[4] > 1.5 * far[0] > 0


def test_which_way_light_goes() -> None:
    for seed in range(5):
        assert camera.low_light(one(), RNG(seed)).pixels().mean() < 115
        assert camera.shadow(one(), RNG(seed)).pixels().max() <= 128
        assert camera.glare(one(), RNG(seed)).pixels().mean() > 128
        assert camera.rain(one(), RNG(seed)).pixels().max() > 140
        assert camera.blur(one(RNG(0).integers(0, 256, GRAY.shape).astype(np.uint8)), RNG(seed)).pixels().std() < 73


def test_things_in_the_way_hide_keypoints() -> None:
    points = np.array([[[x, y, 2] for x in range(5, 80, 10) for y in range(5, 60, 10)]], np.float32)
    thing = Objects(np.array([[0, 0, 80, 60]], np.float32), np.array([0]), ("a",), keypoints=points)
    for seed in range(4):
        got = camera.occlusion(one(truth=thing), RNG(seed), severity=5)
        assert isinstance(got.truth, Objects)
        assert got.truth.keypoints is not None
        dark = (got.pixels() < 120).all(2)
        for x, y, visible in got.truth.keypoints[0].astype(int):
            assert visible == (1 if dark[y, x] else 2)
