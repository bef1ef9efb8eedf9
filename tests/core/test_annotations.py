"""Records: stored and read back without losing a bit, and apart by a number that means something."""

import json
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from sightline.core.annotations import (
    KINDS,
    Annotation,
    Heatmap,
    Labels,
    Objects,
    Picture,
    Regions,
    Text,
    Value,
    Vector,
    check,
    from_columns,
    from_json,
    to_columns,
    to_json,
)
from sightline.core.errors import InputError

WORDS = st.text(st.characters(exclude_characters="\0"), max_size=8)  # numpy drops zeros at the end of text
FLOATS = st.floats(-1e4, 1e4, width=32)
RINGS = arrays.arrays(np.float32, st.tuples(st.integers(0, 4), st.just(2)), elements=FLOATS)
PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | WORDS
DETAILS = st.dictionaries(WORDS, PLAIN | st.lists(PLAIN, max_size=2), max_size=2)


def column(dtype: Any, shape: tuple[int, ...]) -> st.SearchStrategy[np.ndarray]:
    elements = FLOATS if np.dtype(dtype).kind == "f" else None
    return arrays.arrays(dtype, shape, elements=elements)


@st.composite
def records(draw: st.DrawFn) -> Annotation:
    kind, count = draw(st.sampled_from(sorted(KINDS))), draw(st.integers(0, 3))
    names = tuple(draw(st.lists(WORDS, min_size=max(1, count), max_size=max(1, count), unique=True)))[: count or 1]
    maybe = lambda made: draw(st.none() | made)  # noqa: E731
    depth = draw(st.sampled_from([np.float32, np.float64]))
    if kind == "labels":
        names = names[:count]
        return Labels(names, maybe(column(depth, (count,))))
    if kind == "value":
        names = names[:count]
        return Value(
            names, draw(column(depth, (count,))), maybe(column(depth, (count,))), maybe(column(depth, (count,)))
        )
    if kind == "objects":
        points = maybe(column(np.float32, (count, 2, 3)))
        return Objects(
            draw(column(np.float32, (count, draw(st.sampled_from([4, 5]))))),
            draw(
                arrays.arrays(
                    draw(st.sampled_from([np.int64, np.int32])), (count,), elements=st.integers(0, len(names) - 1)
                )
            ),
            names,
            maybe(column(depth, (count,))),
            maybe(arrays.arrays(bool, (count, 3, 4))),
            points,
            maybe(arrays.arrays(np.int64, (count,), elements=st.integers(0, 9))),
            draw(st.none() | st.tuples(*[WORDS] * count)),
            None if points is None else draw(st.sampled_from([None, (1, 0)])),
            draw(st.none() | st.tuples(*[st.lists(RINGS, max_size=2).map(tuple)] * count)),
            draw(st.none() | st.tuples(*[DETAILS] * count)),
        )
    if kind == "regions":
        shape = draw(st.sampled_from([(3, 4), (2, 3, 4), (80, 80)]))
        return Regions(np.full(shape, len(names) - 1, draw(st.sampled_from([np.uint8, np.int64]))), names)
    if kind == "heatmap":
        return Heatmap(draw(column(depth, (3, 4))), draw(FLOATS))
    if kind == "picture":
        return Picture(draw(column(draw(st.sampled_from([np.uint8, np.uint16, np.float32])), (3, 4, 5))))
    if kind == "text":
        return Text(draw(WORDS), draw(st.none() | FLOATS))
    return Vector(draw(column(depth, (4,))))


def same(first: Annotation, second: Annotation) -> None:
    assert type(first) is type(second)
    for field in fields(first):
        a, b = getattr(first, field.name), getattr(second, field.name)
        if isinstance(a, np.ndarray):
            assert a.dtype == b.dtype, field.name
            np.testing.assert_array_equal(a, b)
        elif field.name == "outlines" and a is not None:
            assert [len(rings) for rings in a] == [len(rings) for rings in b]
            for ring, other in zip(sum(a, ()), sum(b, ()), strict=True):
                assert ring.dtype == other.dtype
                np.testing.assert_array_equal(ring, other)
        else:
            assert a == b, field.name


@given(records())
def test_columns_lose_nothing(record: Annotation) -> None:
    same(record, from_columns(to_columns(record)))


@given(records(), st.sampled_from([0, 4096]))
def test_json_loses_nothing(record: Annotation, largest: int) -> None:
    text = json.dumps(to_json(record, largest=largest), allow_nan=False)
    same(record, from_json(json.loads(text)))


@given(records())
def test_nothing_is_nearer_than_the_same(record: Annotation) -> None:
    assert record.gap(record) == 0


@given(st.data())
def test_gaps_are_symmetric(data: st.DataObject) -> None:
    first = data.draw(records())
    second = data.draw(records().filter(lambda other: type(other) is type(first)))
    if isinstance(first, Objects) and isinstance(second, Objects):
        return  # which of two equally good twins is taken may depend on the side
    assert first.gap(second) == pytest.approx(second.gap(first), nan_ok=False)


def test_short_numbers_stay_short() -> None:
    assert to_json(Labels(("a",), np.array([0.1], np.float32)))["scores"] == [0.1]


def test_numbers_that_json_lacks_survive() -> None:
    record = Value(("a", "b"), np.array([np.nan, -np.inf], np.float32))
    same(record, from_json(json.loads(json.dumps(to_json(record), allow_nan=False))))


BOXES = np.array([[0, 0, 10, 10], [20, 0, 30, 10]], np.float32)


def things(boxes: np.ndarray = BOXES, scores: list[float] | None = None, **more: Any) -> Objects:
    given_scores = None if scores is None else np.array(scores, np.float32)
    return Objects(boxes, np.zeros(len(boxes), np.int64), ("a",), given_scores, **more)


def test_two_equal_scores_may_trade_places() -> None:
    """Two runtimes sort ties differently; that is no difference."""
    first = things(scores=[0.7, 0.7])
    assert first.gap(first.take([1, 0])) == 0
    assert first.gap(replace(first, boxes=BOXES + 0.25)) == 0.25


def test_a_thing_without_twin_counts_by_its_score() -> None:
    first = things(scores=[0.9, 0.1])
    assert first.gap(first.take([0])) == pytest.approx(np.hypot(10, 10) * 0.01)
    assert first.gap(first.take([1])) == pytest.approx(np.hypot(10, 10) * 0.81)
    assert things().gap(things(BOXES[:1])) == pytest.approx(np.hypot(10, 10))
    assert first.gap(replace(first, scores=np.array([0.8, 0.1], np.float32))) == pytest.approx(10)


def test_keypoints_count() -> None:
    points = np.ones((2, 1, 3), np.float32)
    assert things(keypoints=points).gap(things(keypoints=points + 3)) == 3


def test_rotated_boxes() -> None:
    turned = Objects(np.array([[5, 5, 4, 2, 0.3]], np.float32), np.array([0]), ("a",))
    assert turned.gap(turned) == 0
    assert len(turned.take(np.array([False]))) == 0


@pytest.mark.parametrize(
    ("record", "broken"),
    [
        (Labels(("a", "b"), np.array([0.5, 0.5])), Labels(("a", "b"), np.array([0.5, np.nan]))),
        (Value(("a",), np.array([1.0])), Value(("a",), np.array([np.nan]))),
        (things(scores=[0.5, 0.5]), things(scores=[0.5, np.nan])),
        (Heatmap(np.zeros((2, 2)), 0.0), Heatmap(np.zeros((2, 2)), float("nan"))),
        (Heatmap(np.zeros((2, 2)), 0.0), Heatmap(np.full((2, 2), np.nan), 0.0)),
        (Picture(np.zeros((2, 2, 1), np.float32)), Picture(np.full((2, 2, 1), np.nan, np.float32))),
        (Vector(np.ones(2)), Vector(np.array([1, np.nan]))),
    ],
    ids=lambda record: type(record).__name__,
)
def test_not_a_number_is_infinitely_far(record: Annotation, broken: Annotation) -> None:
    assert record.gap(broken) == np.inf
    assert broken.gap(record) == np.inf


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (Value(("a",), np.ones(1)), Value(("b",), np.ones(1))),
        (Regions(np.zeros((2, 2), int), ("a",)), Regions(np.zeros((2, 3), int), ("a",))),
        (Heatmap(np.zeros((2, 2))), Heatmap(np.zeros((2, 3)))),
        (Picture(np.zeros((2, 2, 1), np.uint8)), Picture(np.zeros((2, 2, 1), np.uint16))),
        (Vector(np.ones(2)), Vector(np.ones(3))),
    ],
    ids=lambda record: type(record).__name__,
)
def test_other_shapes_are_infinitely_far(first: Annotation, second: Annotation) -> None:
    assert first.gap(second) == np.inf


def test_gaps_in_their_units() -> None:
    assert Labels(("a", "b"), np.array([0.7, 0.3])).gap(Labels(("a",), np.array([0.6]))) == pytest.approx(0.3)
    assert Labels(("a",)).gap(Labels(())) == 1
    assert Regions(np.array([[0, 1]]), ("a", "b")).gap(Regions(np.array([[0, 0]]), ("a", "b"))) == 0.5
    assert Text("a", 0.5).gap(Text("a", 0.25)) == 0.25
    assert Text("a").gap(Text("b")) == 1
    assert Picture(np.zeros((1, 1, 1), np.uint8)).gap(Picture(np.ones((1, 1, 1), np.uint8))) == pytest.approx(1 / 255)
    with pytest.raises(NotImplementedError):
        Annotation().gap(Annotation())


def test_the_best_label() -> None:
    assert Labels(()).best == ""
    assert Labels(("a", "b")).best == "a"
    labels = Labels(("a", "b"), np.array([0.2, 0.8]))
    assert (labels.best, labels.score("a"), labels.score("c"), Labels(("a",)).score("a")) == ("b", 0.2, 0.0, 1.0)


def test_columns_must_fit() -> None:
    with pytest.raises(InputError, match="2 boxes but 1 scores"):
        things(scores=[0.5])
    with pytest.raises(InputError, match=r"\(n, 4\)"):
        things(np.zeros((1, 3)))


ONE: dict[str, Any] = {"kind": "objects", "boxes": [[1, 2, 3, 4]], "classes": [0], "names": ["a"]}


@pytest.mark.parametrize(
    ("plain", "why"),
    [
        ({}, "no kind"),
        ({"kind": "lables"}, "no kind"),
        ({"kind": "labels"}, "lacks"),
        ({"kind": "labels", "names": "good"}, "list of strings"),
        ({"kind": "labels", "names": [1]}, "list of strings"),
        ({"kind": "labels", "naems": ["a"]}, "Did you mean 'names'"),
        ({"kind": "labels", "names": ["a"], "scores": [0.5, 0.5]}, "1 names but scores"),
        ({"kind": "objects", "boxes": [[1, 2, 3]], "classes": [0], "names": ["a"]}, r"\(n, 4\)"),
        ({"kind": "objects", "boxes": [[1, 2], [3]], "classes": [0], "names": ["a"]}, "'boxes' is no array"),
        ({"kind": "objects", "boxes": [[1, 2, 3, 4]], "classes": [1], "names": ["a"]}, "class 1 has no name"),
        ({"kind": "objects", "boxes": [[1, 2, 3, 4]], "classes": [-1], "names": ["a"]}, "class -1 has no name"),
        ({"kind": "objects", "boxes": [[1, 2, 3, 4]], "classes": [0.5], "names": ["a"]}, "'classes' is no array"),
        ({"kind": "objects", "boxes": [[1, 2, 3, 1e999]], "classes": [0], "names": ["a"]}, "no number"),
        (
            {"kind": "objects", "boxes": [[1, 2, 3, 4]], "classes": [0], "names": ["a"], "keypoints": [[1, 2]]},
            "keypoints",
        ),
        ({"kind": "objects", "boxes": [[1, 2, 3, 4]], "classes": [0], "names": ["a"], "mirror": [0]}, "mirror"),
        ({"kind": "objects", "boxes": [[1, 2, 3, 4]], "classes": [0], "names": ["a"], "masks": [[1]]}, "masks"),
        ({**ONE, "outlines": []}, "1 boxes but 0 outlines"),
        ({**ONE, "outlines": [[[1, 2, 3]]]}, "a ring of an outline"),
        ({**ONE, "outlines": [[[[1, float("inf")]]]]}, "a ring of an outline"),
        ({**ONE, "outlines": [3]}, "list of lists of rings"),
        ({**ONE, "outlines": [["x"]]}, "'outlines' is no array"),
        ({**ONE, "details": {}}, "list of objects"),
        ({**ONE, "details": [3]}, "list of objects"),
        ({**ONE, "details": [{}, {}]}, "1 boxes but 2 details"),
        ({"kind": "text", "text": 3}, "'text' cannot be"),
        ({"kind": "vector", "values": {"dtype": "O", "shape": [1], "base64": "AAAA"}}, "no array"),
        ({"kind": "vector", "values": {"dtype": "<f4", "shape": [9], "base64": "AAAA"}}, "no array"),
        ({"kind": "vector", "values": {"dtype": "<f4"}}, "no array"),
        ({"kind": "vector", "values": "abc"}, "no array"),
        ({"kind": "vector", "values": [10**400]}, "no array"),
    ],
)
def test_what_cannot_be_true_is_refused(plain: dict[str, Any], why: str) -> None:
    with pytest.raises(InputError, match=why) as caught:
        from_json(plain)
    assert caught.value.code == "label"


def test_class_maps_hold_whole_numbers() -> None:
    with pytest.raises(InputError, match="whole numbers"):
        check(Regions(np.zeros((2, 2)), ("a",)))


def test_stored_columns_of_another_kind_are_refused() -> None:
    with pytest.raises(InputError, match="no kind"):
        from_columns({"kind": np.array("tensor")})
    with pytest.raises(InputError, match="lacks"):
        from_columns({"kind": np.array("regions")})


def test_an_empty_list_of_boxes_is_no_boxes() -> None:
    record = from_json({"kind": "objects", "boxes": [], "classes": [], "names": ["a"]})
    assert isinstance(record, Objects)
    assert record.boxes.shape == (0, 4)
    assert to_json(record)["boxes"] == []


SQUARE = np.array([[0, 0], [10, 0], [10, 10], [0, 10]], np.float32)
HOLE = np.array([[2, 2], [4, 2], [4, 4], [2, 4]], np.float32)


def test_rows_are_taken_from_ragged_columns() -> None:
    record = things(outlines=((SQUARE, HOLE), ()), details=({"id": 1}, {}))
    taken = record.take([1, 0, 1])
    assert taken.details == ({}, {"id": 1}, {})
    assert [len(rings) for rings in taken.outlines or ()] == [0, 2, 0]
    assert record.take(np.array([False, True])).outlines == ((),)
    assert record.take([]).details == ()


@pytest.mark.parametrize("details", [{"a": (1,)}, {1: 2}, {"a": float("nan")}, {"a": np.ones(1)}])
def test_details_are_plain_json(details: dict[Any, Any]) -> None:
    record = things(BOXES[:1], details=(details,))
    for store in (to_columns, to_json):
        with pytest.raises(InputError, match="plain JSON"):
            store(record)


def test_one_content_has_one_text() -> None:
    first, second = ({"a": 1, "b": 2}, {}), ({"b": 2, "a": 1}, {})
    assert to_columns(things(details=first))["details"] == to_columns(things(details=second))["details"]


def test_damaged_text_of_a_ragged_column_is_refused() -> None:
    columns = to_columns(things(details=({}, {})))
    for text in ("[", "[" * 100_000, "3"):
        with pytest.raises(InputError, match="'details'"):
            from_columns({**columns, "details": np.array(text)})


def test_shapes_are_masks_or_filled_outlines_or_boxes() -> None:
    turned = Objects(np.array([[5, 5, 4, 2, np.pi / 2]], np.float32), np.array([0]), ("a",))
    assert np.argwhere(turned.shapes((10, 10))[0])[[0, -1]].tolist() == [[3, 4], [6, 5]]
    record = things(BOXES + 0.4, outlines=((SQUARE, HOLE), ()))
    first, second = record.shapes((12, 40))
    assert (first.sum(), first[3, 3], first[1, 1]) == (96, False, True)
    assert second.nonzero()[1].tolist() == list(range(20, 30)) * 10
    masks = np.ones((2, 3, 3), bool)
    assert replace(record, masks=masks).shapes((12, 40)) is masks
    assert record.take([]).shapes((3, 4)).shape == (0, 3, 4)


def test_masks_count() -> None:
    """A mask that is another one is a difference, also where the boxes agree."""
    masks = np.zeros((2, 12, 40), bool)
    masks[:, :10, :10] = True
    first, other = things(masks=masks), masks.copy()
    assert first.gap(first) == 0
    other[1, 0] = False
    assert first.gap(things(masks=other)) == pytest.approx(10 / 20), "a row of ten pixels, half way around is twenty"
    assert first.gap(things(masks=np.zeros_like(masks))) > first.tolerance
    assert first.gap(things(masks=masks[:, :3])) == np.inf
    assert first.gap(things()) == 0, "one side alone has none to compare"


def test_outlines_count() -> None:
    first = things(outlines=((SQUARE,), (SQUARE,)))
    assert first.gap(first) == 0
    assert first.gap(things(outlines=((SQUARE,), (SQUARE + 2,)))) == 2
    again = np.insert(SQUARE, 1, [[5, 0]], 0)
    assert first.gap(things(outlines=((SQUARE,), (again,)))) == 0, "a point more on the same line"
    assert first.gap(things(outlines=((SQUARE,), (again * 1e9,)))) > 1e8, "in bounded memory"
    assert first.gap(things(outlines=((SQUARE,), (SQUARE, HOLE)))) == pytest.approx(4 / 20)
    assert first.gap(things(outlines=((SQUARE,), ()))) == np.inf
    assert first.gap(things(outlines=((SQUARE,), (again * np.nan,)))) == np.inf


@given(
    arrays.arrays(np.float32, st.integers(0, 40), elements=st.floats(0, 1, width=32) | st.just(np.nan)),
    st.integers(0, 45),
)
def test_the_leading_names_are_the_best_ones_and_no_number_comes_last(scores: np.ndarray, most: int) -> None:
    answer = Labels(tuple(map(str, range(len(scores)))), scores)
    found = answer.leading(most).tolist()
    wanted = sorted(np.nan_to_num(scores, nan=-1.0).tolist(), reverse=True)[: most or None]
    assert [-1.0 if scores[place] != scores[place] else float(scores[place]) for place in found] == wanted
    assert len(set(found)) == len(found)
