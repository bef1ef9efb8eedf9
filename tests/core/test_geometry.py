"""Boxes: exact on drawn shapes, and the same text serves numpy and torch."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from sightline.core import geometry

SIDES = st.lists(st.tuples(*[st.integers(0, 20)] * 4), min_size=1, max_size=6)


def boxes(rows: list[tuple[int, int, int, int]]) -> np.ndarray:
    """Whole-numbered boxes with an inside."""
    return np.array([[min(a, c), min(b, d), max(a, c) + 1, max(b, d) + 1] for a, b, c, d in rows], np.float64)


def drawn(box: np.ndarray) -> np.ndarray:
    canvas = np.zeros((24, 24), bool)
    x0, y0, x1, y1 = box.astype(int)
    canvas[y0:y1, x0:x1] = True
    return canvas


@given(SIDES, SIDES)
def test_overlap_counts_pixels(first: list[tuple[int, int, int, int]], second: list[tuple[int, int, int, int]]) -> None:
    a, b = boxes(first), boxes(second)
    shared, union = geometry.overlap(a, b)
    for row, one in enumerate(a):
        for column, other in enumerate(b):
            assert union[row, column] == (drawn(one) | drawn(other)).sum()
            assert shared[row, column] == pytest.approx((drawn(one) & drawn(other)).sum() / union[row, column])


def test_an_inside_out_box_has_no_area() -> None:
    assert geometry.area(np.array([[5.0, 5, 1, 9], [1, 1, 3, 4]])).tolist() == [0, 6]


def test_generous_overlap() -> None:
    """Rezatofighi et al. 2019: 1 for equal boxes; IoU less the empty part of the hull, down to -1."""
    a = np.array([[0.0, 0, 1, 1], [0, 0, 1, 1], [0, 0, 2, 2]])
    b = np.array([[0.0, 0, 1, 1], [2, 0, 3, 1], [1, 1, 3, 3]])
    np.testing.assert_allclose(geometry.generous_overlap(a, b), [1, -1 / 3, 1 / 7 - 2 / 9])


def test_one_text_serves_both() -> None:
    torch = pytest.importorskip("torch")
    a, b = boxes([(0, 0, 5, 6), (3, 3, 8, 8)]), boxes([(1, 2, 6, 7), (9, 9, 12, 12)])
    np.testing.assert_allclose(geometry.overlap(torch.tensor(a), torch.tensor(b))[0].numpy(), geometry.overlap(a, b)[0])
    ours = geometry.generous_overlap(torch.tensor(a), torch.tensor(b)).numpy()
    np.testing.assert_allclose(ours, geometry.generous_overlap(a, b))


@pytest.mark.parametrize("angle", [0.0, 0.3, np.pi / 4, np.pi / 2, 2.5])
def test_the_hull_of_a_rotated_box(angle: float) -> None:
    corners = np.array([[-3, -1], [3, -1], [3, 1], [-3, 1]])
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    placed = corners @ turn.T + [10, 20]
    hull = geometry.upright(np.array([[10, 20, 6, 2, angle]]))[0]
    np.testing.assert_allclose(hull, [*placed.min(0), *placed.max(0)])


def test_twins_are_matched_best_first_and_within_their_class() -> None:
    first = np.array([[0.0, 0, 10, 10], [0, 0, 10, 9], [50, 50, 60, 60]])
    second = np.array([[0.0, 0, 10, 9], [50, 50, 60, 60]])
    mine, twins = geometry.match(first, np.array([0, 0, 1]), second, np.array([0, 0]), 0.5)
    assert (mine.tolist(), twins.tolist()) == ([1], [0])
    none, _ = geometry.match(first, np.zeros(3), np.zeros((0, 4)), np.zeros(0), 0.5)
    assert none.dtype == np.int64
    assert len(none) == 0


def test_suppression_keeps_the_best_of_each_heap() -> None:
    heap = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [30, 30, 40, 40], [0, 0, 10, 10]], np.float32)
    kept = geometry.suppress(heap, np.array([0.6, 0.9, 0.5, 0.8]), np.array([0, 0, 0, 1]))
    assert kept.tolist() == [1, 3, 2], "the other class keeps its own"
    assert geometry.suppress(np.zeros((0, 4)), np.zeros(0), np.zeros(0)).tolist() == []
    assert geometry.suppress(heap[:1], np.ones(1), np.zeros(1)).tolist() == [0]


def test_boxes_are_cut_to_the_picture() -> None:
    cut = geometry.clip(np.array([[-5, 2, 50, 90]], np.float32), 40, 30)
    assert cut.tolist() == [[0, 2, 40, 30]]
    assert cut.dtype == np.float32


MASKS = arrays.arrays(bool, st.tuples(st.integers(0, 9), st.integers(0, 9)))


@given(MASKS)
def test_what_is_traced_is_filled_again(mask: np.ndarray) -> None:
    rings = geometry.trace(mask)
    np.testing.assert_array_equal(geometry.fill(rings, mask.shape), mask)
    assert geometry.rings_area(rings) == mask.sum()
    if mask.any():
        rows, columns = np.nonzero(mask)
        bounds = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        assert geometry.rings_bounds(rings).tolist() == bounds
        assert all(len(ring) >= 4 and (ring != np.roll(ring, 1, 0)).any(1).all() for ring in rings)
    else:
        assert rings == ()


def test_pixels_that_touch_at_a_corner_have_rings_of_their_own() -> None:
    for mask in (np.eye(3, dtype=bool), np.eye(3, dtype=bool)[::-1]):
        assert sorted(ring.tolist() for ring in geometry.trace(mask)) == sorted(
            ring.tolist() for place in zip(*np.nonzero(mask), strict=True) for ring in geometry.trace(_only(place))
        )


def _only(place: tuple[int, int]) -> np.ndarray:
    mask = np.zeros((3, 3), bool)
    mask[place] = True
    return mask


@given(st.lists(st.tuples(st.floats(-3, 12), st.floats(-3, 12)), min_size=3, max_size=7))
def test_filling_asks_every_centre(points: list[tuple[float, float]]) -> None:
    ring = np.array(points)
    mask = geometry.fill([ring], (8, 9))
    for row in range(8):
        for column in range(9):
            x, y, odd = column + 0.5, row + 0.5, False
            for (ax, ay), (bx, by) in zip(ring, np.roll(ring, -1, 0), strict=True):
                if min(ay, by) <= y < max(ay, by):
                    odd ^= bool(ax + (y - ay) / (by - ay) * (bx - ax) <= x)
            assert mask[row, column] == odd


def test_filling_nothing() -> None:
    assert not geometry.fill([], (3, 4)).any()
    assert not geometry.fill(
        [np.zeros((0, 2)), np.ones((1, 2)), np.array([[-9, -9], [-8, -9], [-8, -7]])], (3, 4)
    ).any()
    assert geometry.fill([np.array([[-9, -9], [99, -9], [99, 99], [-9, 99]])], (3, 4)).all()
    assert geometry.fill([np.ones((3, 2))], (0, 4)).shape == (0, 4)
    assert geometry.rings_bounds([]).tolist() == [0, 0, 0, 0]


def test_area_takes_holes_away_and_adds_parts() -> None:
    square = np.array([[0, 0], [10, 0], [10, 10], [0, 10]], np.float32)
    hole, island, apart = square * 0.5 + 2, square * 0.1 + 4, square + 20
    for turn in (1, -1):
        assert geometry.rings_area([square, hole[::turn], island, apart]) == pytest.approx(100 - 25 + 1 + 100)
    assert geometry.rings_area([square[:2]]) == 0


def test_corners() -> None:
    assert geometry.corners(np.array([1, 2, 3, 5])).tolist() == [[1, 2], [3, 2], [3, 5], [1, 5]]
    turned = geometry.corners(np.array([5, 5, 4, 2, np.pi / 2]))
    np.testing.assert_allclose(turned, [[6, 3], [6, 7], [4, 7], [4, 3]], atol=1e-9)
