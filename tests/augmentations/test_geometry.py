"""Flips, crops and zooms."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.augmentations.geometry import crop, flip, flip_down, transpose, zoom
from sightline.core.annotations import Annotation, Heatmap, Objects, Picture, Regions
from sightline.core.errors import InputError
from sightline.core.image import ArrayImage
from sightline.core.sample import Sample
from tests.contracts.test_augmentations import TRUTHS, content, mark, sample

RNG = np.random.default_rng


@pytest.mark.parametrize("truth", TRUTHS, ids=lambda truth: type(truth).__name__)
def test_twice_flipped_is_as_before(truth: Annotation | None) -> None:
    one = sample(mark(), truth)
    once = flip(one, RNG(0), chance=1)
    assert content(once) != content(one)
    assert content(flip(once, RNG(0), chance=1)) == content(one)


def test_chance_of_a_flip() -> None:
    one = sample(mark())
    assert flip(one, RNG(0), chance=0) is one
    count = sum(flip(one, RNG(seed), chance=0.25) is not one for seed in range(400))
    assert 60 < count < 140  # four standard deviations of a binomial around 100


def test_in_eight_turns_a_picture_is_seen_all_eight_ways() -> None:
    rng, seen = RNG(0), set()
    for turn in range(8):
        one = sample(mark())
        for move in (flip, flip_down, transpose):
            one = move(one, rng, turn=turn)
        seen.add((one.pixels().shape, one.pixels().tobytes()))
    assert len(seen) == 8


def test_what_is_rarer_than_every_second_time_is_left_to_chance() -> None:
    one = sample(mark())
    count = sum(flip(one, RNG(seed), chance=0.25, turn=seed) is not one for seed in range(400))
    assert 60 < count < 140
    assert flip(one, RNG(0), turn=0) is one
    assert flip(one, RNG(0), turn=1) is not one
    after = RNG(0)
    flip(one, after, turn=1)
    drawn = RNG(0)
    flip(one, drawn)
    assert after.random() == drawn.random(), "what comes after has the same chance"


def test_keypoints_without_twins_are_refused() -> None:
    points = Objects(np.ones((1, 4), np.float32), np.array([0]), ("a",), keypoints=np.ones((1, 2, 3), np.float32))
    with pytest.raises(InputError, match="mirror") as caught:
        flip(sample(mark(), points), RNG(0), chance=1)
    assert caught.value.code == "label"
    assert flip(sample(mark(), points), RNG(0), chance=0).truth is points


def corners(box: np.ndarray) -> np.ndarray:
    """The four corners of a rotated box, sorted."""
    x, y, width, height, angle = box
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    found = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * [width / 2, height / 2] @ turn.T + [x, y]
    return found[np.lexsort(found.round(6).T)]


def test_a_rotated_box_turns_the_other_way() -> None:
    """The corners of the flipped box are the flipped corners."""
    turned = Objects(np.array([[20, 21.5, 18, 9, 0.4]], np.float64), np.array([0]), ("a",))
    flipped = flip(sample(mark(), turned), RNG(0), chance=1).truth
    assert isinstance(flipped, Objects)
    want = corners(turned.boxes[0]) * [-1, 1] + [64, 0]
    np.testing.assert_allclose(corners(flipped.boxes[0]), want[np.lexsort(want.round(6).T)])


@given(st.integers(1, 80), st.integers(1, 80), st.integers(0, 99))
def test_a_crop_has_its_size_or_the_picture_s(rows: int, columns: int, seed: int) -> None:
    pixels = crop(sample(mark()), RNG(seed), size=(rows, columns)).pixels()
    assert pixels.shape[:2] == (min(rows, 48), min(columns, 64))


def test_crops_reach_every_place() -> None:
    pixels = np.arange(6 * 7, dtype=np.uint8).reshape(6, 7, 1)
    corners = {int(crop(sample(pixels), RNG(seed), size=(5, 5)).pixels()[0, 0, 0]) for seed in range(200)}
    assert corners == {0, 1, 2, 7, 8, 9}


def test_a_zoom_keeps_the_shape_and_at_least_the_part_asked_for() -> None:
    areas = [
        np.prod(zoom(sample(mark()), RNG(seed), smallest=0.25).pixels().shape[:2]) / (48 * 64) for seed in range(99)
    ]
    assert 0.24 < min(areas) < 0.4
    assert 0.9 < max(areas) <= 1.01


def test_things_of_which_little_remains_are_dropped() -> None:
    """A thing on the left edge half: cut to less than `least`, it goes."""
    boxes = np.array([[0, 0, 10, 8], [30, 0, 40, 8]], np.float32)
    things = Objects(boxes, np.array([0, 0]), ("a",), np.array([0.5, 0.6]))
    kept = set()
    for seed in range(50):
        one = crop(
            Sample("s", (ArrayImage(np.zeros((8, 40, 1), np.uint8)),), things), RNG(seed), size=(8, 20), least=0.5
        )
        assert isinstance(one.truth, Objects)
        inside = one.truth.boxes[:, 2] - one.truth.boxes[:, 0]
        assert (inside > 5).all()
        kept |= set(inside.tolist())
        assert one.truth.scores is not None
        assert len(one.truth.scores) == len(inside)
    assert {6.0, 10.0} <= kept


def test_a_rotated_box_whose_middle_is_outside_is_dropped() -> None:
    turned = Objects(np.array([[4, 4, 6, 2, 0.4], [36, 4, 6, 2, 0.4]], np.float32), np.array([0, 0]), ("a",))
    one = crop(Sample("s", (ArrayImage(np.zeros((8, 40, 1), np.uint8)),), turned), RNG(0), size=(8, 20))
    assert isinstance(one.truth, Objects)
    assert len(one.truth) <= 1
    assert ((one.truth.boxes[:, :2] >= 0) & (one.truth.boxes[:, :2] < [20, 8])).all()


@pytest.mark.parametrize(
    "truth",
    [
        Picture(np.zeros((96, 128, 1), np.uint8)),
        Regions(np.zeros((48, 32), np.int64), ("a",)),
        Heatmap(np.zeros((24, 32))),
        Objects(np.ones((1, 4), np.float32), np.array([0]), ("a",), masks=np.zeros((1, 24, 32), bool)),
    ],
    ids=lambda truth: type(truth).__name__,
)
@pytest.mark.parametrize("move", [flip, crop, zoom])
def test_truth_of_another_size_is_refused_not_misplaced(truth: Annotation, move: object) -> None:
    settings = {"chance": 1.0} if move is flip else {}
    with pytest.raises(InputError, match="aligned") as caught:
        move(sample(mark(), truth), RNG(0), **settings)  # type: ignore[operator]
    assert caught.value.code == "mismatch"


def test_pictures_of_two_sizes_are_refused() -> None:
    one = Sample("s", (ArrayImage(mark()), ArrayImage(mark()[:40])))
    with pytest.raises(InputError, match="aligned"):
        crop(one, RNG(0))
