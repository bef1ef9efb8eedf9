"""Boxes lie on their pixels, tags stay inside, and odd rows do not stop the others."""

import numpy as np
import pytest

from sightline.core.annotations import Objects
from sightline.core.errors import InputError
from sightline.overlays._paint import colours
from sightline.overlays.objects import objects


def things(boxes: list[list[float]], **columns: object) -> Objects:
    count = len(boxes)
    return Objects(np.array(boxes, np.float32), np.zeros(count, np.int64), ("cat",), **columns)  # type: ignore[arg-type]


def changed(drawn: np.ndarray) -> np.ndarray:
    return (drawn != 0).any(-1)


def test_a_box_covers_exactly_its_outer_pixels() -> None:
    drawn = objects(np.zeros((100, 120, 3), np.uint8), things([[10, 20, 60, 70]]), tags=False)
    rows, columns = np.nonzero(changed(drawn))
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (20, 69, 10, 59)
    assert not changed(drawn)[30:60, 20:50].any()
    assert (drawn[20, 10:60] == colours(("cat",))[0]).all()


def test_a_rotated_box_is_drawn_rotated() -> None:
    turned = things([[50, 50, 60, 20, np.pi / 2]])
    rows, columns = np.nonzero(changed(objects(np.zeros((100, 100, 3), np.uint8), turned, tags=False)))
    found = np.array([rows.min(), rows.max(), columns.min(), columns.max()])
    assert np.abs(found - [20, 79, 40, 59]).max() <= 2, "smooth lines reach a pixel farther"


@pytest.mark.parametrize("corner", [(0, 0), (340, 0), (0, 270), (340, 270)])
def test_the_tag_is_whole_and_inside_at_every_edge(corner: tuple[int, int]) -> None:
    x, y = corner
    sizes = []
    for box in ([x, y, x + 60, y + 30], [150, 120, 210, 150]):
        bare = objects(np.zeros((300, 400, 3), np.uint8), things([box]), tags=False)
        tagged = objects(np.zeros((300, 400, 3), np.uint8), things([box], scores=np.array([0.87])))
        rows, columns = np.nonzero((bare != tagged).any(-1))
        sizes.append((np.ptp(columns) > 30, len(rows) > 300))
    assert sizes == [(True, True), (True, True)]


def test_tags_do_not_hide_each_other_and_the_best_comes_first() -> None:
    crowd = things([[100, 100, 140, 140]] * 40, scores=np.linspace(0.1, 0.9, 40))
    drawn = objects(np.zeros((300, 400, 3), np.uint8), crowd)
    best = objects(np.zeros((300, 400, 3), np.uint8), crowd.take([39]))
    assert (drawn[80:100, 100:160] == best[80:100, 100:160]).all()


def test_in_a_crowd_the_best_of_each_class_is_named_and_no_thing_is_hidden() -> None:
    grid = np.array([[x, y, x + 16, y + 16] for x in range(10, 380, 40) for y in range(40, 280, 40)], np.float32)
    crowd = Objects(grid, np.arange(len(grid)) % 2, ("cat", "dog"), np.linspace(0.1, 0.9, len(grid)))
    black = np.zeros((300, 400, 3), np.uint8)
    hidden = (objects(black, crowd) != objects(black, crowd, tags=False)).any(-1).mean()
    few = (objects(black, crowd.take([58, 59])) != objects(black, crowd.take([58, 59]), tags=False)).any(-1).mean()
    assert 0 < hidden <= 1.1 * few


def test_scores_below_the_least_are_left_out() -> None:
    two = things([[5, 5, 20, 20], [50, 50, 70, 70]], scores=np.array([0.2, 0.9]))
    drawn = changed(objects(np.zeros((100, 100, 3), np.uint8), two, least=0.5, tags=False))
    assert not drawn[:30, :30].any()
    assert drawn[50:70, 50:70].any()


@pytest.mark.parametrize(
    "box",
    [
        [np.nan, 0, 10, 10],
        [-1e12, -1e12, 1e12, 1e12],
        [50, 50, 20, 20],
        [500, 500, 600, 600],
        [np.inf, 0, 5, 5, 0.1],
        [1e12, 0, 5, 5, 0.1],
        [10, 10, 10, 10],
    ],
)
def test_boxes_that_make_no_sense_do_no_harm(box: list[float]) -> None:
    points = np.array([[[np.nan, 1, 2], [1e15, -1e15, 2]]])
    drawn = objects(np.zeros((100, 100, 3), np.uint8), things([box], keypoints=points))
    assert drawn.shape == (100, 100, 3)


@pytest.mark.parametrize("name", ["", "a\nb\x00\u202e", "\udcff", "x" * 100_000, "猫", "$x^2$", "<script>"])
def test_any_name_can_be_a_tag(name: str) -> None:
    row = Objects(np.array([[10, 50, 90, 90.0]]), np.array([0]), (name,), texts=(name,))
    assert objects(np.zeros((100, 100, 3), np.uint8), row).shape == (100, 100, 3)


def test_a_class_beyond_the_names_is_still_drawn() -> None:
    row = Objects(np.array([[10, 50, 90, 90.0]]), np.array([5]), ("cat",))
    assert changed(objects(np.zeros((100, 100, 3), np.uint8), row)).any()


def test_a_mask_tints_and_is_refused_in_another_size() -> None:
    mask = np.zeros((1, 100, 100), bool)
    mask[0, 20:60, 20:60] = True
    drawn = objects(np.zeros((100, 100, 3), np.uint8), things([[20, 20, 60, 60]], masks=mask), tags=False)
    assert (changed(drawn) == mask[0]).all()
    edge, middle = drawn[20, 40].astype(int).sum(), drawn[40, 40].astype(int).sum()
    assert edge > 2 * middle > 0
    with pytest.raises(InputError, match="mask"):
        objects(np.zeros((90, 100, 3), np.uint8), things([[20, 20, 60, 60]], masks=mask))


def test_an_outline_is_drawn_in_place_of_its_box() -> None:
    ring = 60 + 30 * np.stack([np.cos(np.arange(64) / 64 * 2 * np.pi), np.sin(np.arange(64) / 64 * 2 * np.pi)], 1)
    box = np.array([[30, 30, 90, 90]], np.float32)
    found = Objects(box, np.zeros(1, np.int64), ("circle",), outlines=((ring.astype(np.float32),),))
    picture = np.full((120, 120, 3), 99, np.uint8)
    changed = (objects(picture, found, tags=False) != picture).any(-1)
    rows, columns = np.nonzero(changed)
    away = np.hypot(columns + 0.5 - 60, rows + 0.5 - 60)
    assert np.abs(away - 30).max() < 4
    assert changed[60, 29:33].any()
