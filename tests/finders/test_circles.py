"""Circles: where they are, what their score means, and what it allows for."""

from __future__ import annotations

import numpy as np
import pytest

from sightline.core.annotations import Objects
from sightline.core.errors import SettingsError
from sightline.finders import circles
from sightline.finders._bed import Bed
from sightline.finders._rims import ANGLES
from sightline.sources import drawn
from tests.finders.drawn import depth_of, discs

CIRCLES = [(60.3, 55.7, 24.2), (150.0, 60.0, 33.4), (75.8, 150.2, 40.0), (180.5, 160.0, 21.0)]
SIZE = (220, 230)


def numbers(found: Objects) -> np.ndarray:
    return np.array([[one["x"], one["y"], one["radius"]] for one in found.details or ()]).reshape(-1, 3)


def nearest(found: Objects, circle: tuple[float, float, float]) -> int:
    return int(np.hypot(*(numbers(found)[:, :2] - circle[:2]).T).argmin())


@pytest.mark.parametrize("find", [circles.circles, circles.hough_circles])
@pytest.mark.parametrize("depth", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("dark", [False, True])
def test_whole_discs_are_found_to_a_part_of_a_pixel(find, depth: str, dark: bool) -> None:  # type: ignore[no-untyped-def]
    light = discs(SIZE, CIRCLES)
    found = find(depth_of(1 - light if dark else light, depth))
    assert len(found) == len(CIRCLES)
    for circle in CIRCLES:
        assert np.abs(numbers(found)[nearest(found, circle)] - circle).max() < 0.6
    assert found.scores is not None
    assert found.scores.min() > 0.97
    assert len(find(depth_of(light, "uint8"), shade="dark" if not dark else "light")) == (0 if not dark else 4)


def test_outlines_are_rings_and_boxes_go_around_them() -> None:
    found = circles.circles(depth_of(discs(SIZE, CIRCLES), "uint8"))
    for box, (ring,), (x, y, radius) in zip(found.boxes, found.outlines or (), numbers(found), strict=True):
        assert np.abs(np.hypot(*(ring - (x, y)).T) - radius).max() < 1e-2
        assert box == pytest.approx([x - radius, y - radius, x + radius, y + radius], abs=1e-2)


def test_what_a_neighbour_hides_is_not_missed() -> None:
    pair = [(80.0, 100.0, 40.0), (140.0, 105.0, 38.0)]
    found = circles.circles(depth_of(discs((200, 230), pair), "uint8"))
    assert len(found) == 2
    shares = [(found.details or ())[nearest(found, circle)]["visible"] for circle in pair]
    assert shares[0] < 0.85
    assert shares[1] > 0.85


def test_what_lies_beyond_the_picture_is_not_missed() -> None:
    cut = (8.0, 80.0, 34.0)
    found = circles.circles(depth_of(discs((160, 160), [cut]), "uint8"))
    assert len(found) == 1
    assert np.abs(numbers(found)[0] - cut).max() < 1.0
    assert (found.details or ())[0]["visible"] == pytest.approx(0.57, abs=0.06)


def test_a_rim_that_is_broken_scores_the_share_that_is_left() -> None:
    light = discs((160, 160), [(80.0, 80.0, 45.0)])
    angle = np.arctan2(*(np.mgrid[:160, :160] + 0.5 - 80))
    for share in (0.25, 0.5):
        broken = light.copy()
        gone = np.abs(angle) < np.pi * share
        broken[gone] = 0.6  # the rim melts into ground of its own light
        found = circles.circles(depth_of(broken, "uint8"), least=0.3, largest=60)
        assert found.scores is not None
        assert found.scores[nearest(found, (80, 80, 45))] == pytest.approx(1 - share, abs=0.12)
        assert len(circles.circles(depth_of(broken, "uint8"), smallest=30, largest=60)) == 0


def test_uneven_light_changes_nothing_much() -> None:
    light = discs(SIZE, CIRCLES)
    slope = np.linspace(1, 0.3, SIZE[1], dtype=np.float32)[None]
    found = circles.circles(depth_of(light * slope, "uint8"))
    assert len(found) == len(CIRCLES)
    for circle in CIRCLES:
        assert np.abs(numbers(found)[nearest(found, circle)] - circle).max() < 1.2


def test_circles_move_with_the_picture_and_grow_with_it() -> None:
    here = numbers(circles.circles(depth_of(discs(SIZE, CIRCLES), "uint8")))
    moved = numbers(circles.circles(depth_of(discs((260, 270), [(x + 20, y + 13, r) for x, y, r in CIRCLES]), "uint8")))
    assert np.abs(np.sort(moved - [20, 13, 0], 0) - np.sort(here, 0)).max() < 0.5
    large = numbers(
        circles.circles(depth_of(discs((880, 920), [(4 * x, 4 * y, 4 * r) for x, y, r in CIRCLES]), "uint8"))
    )
    assert np.abs(np.sort(large / 4, 0) - np.sort(here, 0)).max() < 0.5


def test_no_circles_where_none_are() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (120, 120)).astype(np.uint8)
    square = np.full((200, 200), 40, np.uint8)
    square[50:150, 50:150] = 200
    for image in (noise, square, np.full((64, 64), 99, np.uint8)):
        assert len(circles.circles(image)) == 0


def test_circles_within_circles_only_when_asked_for() -> None:
    light = discs((160, 160), [(80.0, 80.0, 60.0), (80.0, 80.0, 25.0)])
    assert [round(radius) for radius in numbers(circles.circles(depth_of(light, "uint8"), largest=80))[:, 2]] == [60]
    both = circles.circles(depth_of(light, "uint8"), largest=80, nested=True)
    assert sorted(round(radius) for radius in numbers(both)[:, 2]) == [25, 60]


def test_every_coin_is_counted() -> None:
    data = pytest.importorskip("skimage.data")
    found = circles.circles(data.coins())
    assert len(found) == 24
    rows = np.sort(numbers(found)[:, 1]).reshape(4, 6)
    assert (np.ptp(rows, axis=1) < 25).all()


def test_beds_of_mushrooms() -> None:
    right = wrong = there = 0
    for index in range(6):
        scene = drawn.draw("mushrooms", 3, 512, index=index)
        assert scene.objects is not None
        truth = np.array([[one["x"], one["y"], one["radius"]] for one in scene.objects.details or ()])
        there += sum(one["visible"] >= 0.3 for one in scene.objects.details or ())
        for x, y, radius in numbers(circles.circles(scene.image)):
            near = np.maximum(np.hypot(truth[:, 0] - x, truth[:, 1] - y), np.abs(truth[:, 2] - radius)).min()
            right, wrong = right + (near < 0.25 * radius), wrong + (near >= 0.25 * radius)
    assert wrong <= 1
    assert right >= 0.65 * there


def test_settings_that_cannot_be_are_refused() -> None:
    for settings, said in [
        ({"least": 0.1}, "least = 0.1: must be a number from 0.3 to 1"),
        ({"smallest": 30, "largest": 20}, "smallest = 30 is more than largest = 20"),
        ({"smallest": 1}, "less than 2 pixels"),
        ({"shade": "blue"}, "shade = 'blue': must be one of any, light, dark"),
    ]:
        with pytest.raises(SettingsError, match=said):
            circles.circles(np.zeros((50, 50), np.uint8), **settings)  # type: ignore[arg-type]


def test_an_edge_along_two_rims_is_of_the_circle_that_was_settled_first() -> None:
    """Two circles that touch from within share an arc: who is first has all of its rim, the other lacks the arc."""
    touching = np.array([[100, 100, 40, 1], [114, 100, 26, 1], [300, 300, 40, 1]], np.float32)
    whole = np.ones((3, ANGLES), bool)
    lost = {}
    for first, then in ((0, 1), (1, 0)):
        bed = Bed(touching, whole, np.zeros_like(whole), whole, 0.15, [first, then, 2])
        scores, seen = bed.matching(np.array([first, then, 2]), bed.settled)
        assert scores[0] == scores[2] == 1.0
        assert (seen == 1).all()
        lost[then] = float(scores[1])
        alone, _ = bed.matching(np.array([then]), [then])
        assert alone[0] == 1.0, "with nobody else there it lacks nothing"
        late = Bed(touching, whole, np.zeros_like(whole), whole, 0.15, [first])
        assert late.matching(np.array([then]), late.settled)[0][0] == scores[1], "who is not settled yet comes later"
    assert 0.4 < lost[0] < 0.95
    assert 0.4 < lost[1] < 0.95
    assert lost[1] < lost[0], "the same arc is more of the smaller one"
