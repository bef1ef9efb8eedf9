"""What stands below a picture says the answer; what stands beside it is the answer."""

import numpy as np

from sightline.core.annotations import Labels, Objects, Picture, Text, Value, Vector
from sightline.overlays import draw
from sightline.overlays.captions import labels, text, value, vector
from sightline.overlays.pictures import picture

BLACK = np.zeros((200, 300, 3), np.uint8)


def test_the_bar_is_as_long_as_the_score() -> None:
    def bar(score: float) -> int:
        strip = labels(BLACK, Labels(("cat",), np.array([score])))[200:].astype(int)
        coloured = np.ptp(strip, axis=-1) > 60
        coloured[:, :40] = False  # the dot before the name
        return int(coloured.any(0).sum())

    assert bar(0.0) == 0
    assert 0.4 < bar(0.45) / bar(0.9) < 0.6


def test_the_best_come_first_and_the_number_of_rows_is_bounded() -> None:
    many = Labels(tuple(f"n{k}" for k in range(50)), np.linspace(0, 0.49, 50))
    three = many.names[-1:-4:-1]
    assert (labels(BLACK, many) != labels(BLACK, Labels(three, np.array([0.49, 0.48, 0.47])))).mean() < 0.02
    assert labels(BLACK, many).shape == labels(BLACK, many, most=3).shape
    assert len(labels(BLACK, many, most=5)) > len(labels(BLACK, many, most=3))


def test_names_that_all_hold_are_all_shown_within_bounds() -> None:
    def rows(count: int) -> int:
        return len(labels(BLACK, Labels(tuple(f"n{k}" for k in range(count)), np.full(count, 0.9))))

    assert rows(3) < rows(5) < rows(6) == rows(12)


def test_scores_that_are_no_numbers_are_no_trouble() -> None:
    assert labels(BLACK, Labels(("a", "b"), np.array([np.nan, 0.5]))).shape[1] == 300
    assert value(BLACK, Value(("a",), np.array([np.inf]))).shape[1] == 300
    assert vector(BLACK, Vector(np.array([np.nan, np.inf, -np.inf, 1.0]))).shape[1] == 300


def test_an_interval_and_a_confidence_are_written() -> None:
    bare, sure = Value(("a",), np.array([1.0])), Value(("a",), np.array([1.0]), np.array([0.5]), np.array([1.5]))
    assert (value(BLACK, bare) != value(BLACK, sure)).any()
    assert len(text(BLACK, Text("a", 0.5))) > len(text(BLACK, Text("a")))


def test_long_text_is_wrapped_and_bounded() -> None:
    one, long, longer = (text(BLACK, Text("word " * count)) for count in (1, 20, 20_000))
    assert len(one) < len(long) <= len(longer) < 350


def test_the_bars_of_a_vector_go_both_ways() -> None:
    strip = vector(BLACK, Vector(np.array([1.0, -1.0])))[200:]
    up, down = strip[: len(strip) // 2, :140].max(), strip[len(strip) // 2 + 2 :, 160:].max()
    assert up > 150
    assert down > 150
    assert strip[len(strip) // 2 + 2 :, :140].max() < 60


def test_the_answer_stands_to_the_right_unchanged() -> None:
    answer = np.random.default_rng(0).integers(0, 256, (200, 300, 3)).astype(np.uint8)
    drawn = picture(BLACK, Picture(answer))
    assert (drawn[:, :300] == 0).all()
    assert (drawn[:, -300:] == answer).all()


def test_an_answer_four_times_as_large_is_shown_whole() -> None:
    drawn = picture(BLACK[:50, :75], Picture(np.full((200, 300, 1), 9, np.uint8)))
    assert drawn.shape[0] == 200
    assert (drawn[:, -300:] == 9).all()
    assert (drawn[:, :300] == 0).all()


def test_two_deep_pictures_are_shown_on_one_range() -> None:
    low, high = (np.full((50, 50, 1), level, np.uint16) for level in (1000, 3000))
    drawn = picture(low, Picture(high))
    assert drawn[:, :50].max() < 5
    assert drawn[:, -50:].min() > 250


def test_words_below_a_tiny_picture_get_room_and_places_on_it_stay() -> None:
    tiny = np.random.default_rng(0).integers(0, 256, (32, 48, 3)).astype(np.uint8)
    label = Labels(("cylinder", "sphere"), np.array([0.6, 0.4]))
    shown = draw(tiny, label, least=180)
    assert shown.shape[1] == 192
    np.testing.assert_array_equal(shown[:128:4, ::4], tiny)
    assert draw(tiny, label).shape[1] == 48
    boxes = Objects(np.array([[4, 4, 20, 20]], np.float32), np.array([0]), ("sphere",))
    assert draw(tiny, boxes, least=180).shape == tiny.shape
