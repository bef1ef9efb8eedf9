"""Average precision equals pycocotools on 200 random cases, ties and empty pictures included."""

import contextlib
import io
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from sightline.core.annotations import Objects
from sightline.core.errors import InputError
from sightline.metrics.objects import average_precision, average_precision_50
from tests.metrics._simulated import objects

MANY = tuple(f"class {number:02}" for number in range(40))


def by_coco(truths: list[Objects], answers: list[Objects]) -> tuple[float, float]:
    """Both numbers of the reference; NaN where it says -1, no true thing at all."""
    names = truths[0].names
    with contextlib.redirect_stdout(io.StringIO()):  # it prints
        reference = COCO()
        reference.dataset = {
            "images": [{"id": picture + 1} for picture in range(len(truths))],
            "categories": [{"id": number + 1} for number in range(len(names))],
            "annotations": [
                {**thing, "id": number + 1, "area": thing["bbox"][2] * thing["bbox"][3], "iscrowd": 0}
                for number, thing in enumerate(_things(truths))
            ],
        }
        reference.createIndex()
        run = COCOeval(reference, reference.loadRes(_things(answers)), "bbox")
        run.evaluate()
        run.accumulate()
        run.summarize()
    return tuple(math.nan if number == -1 else float(number) for number in run.stats[:2])  # type: ignore[return-value]


def _things(records: list[Objects]) -> list[dict]:  # type: ignore[type-arg]
    things = []
    for picture, record in enumerate(records):
        scores = np.ones(len(record)) if record.scores is None else record.scores
        for (x0, y0, x1, y1), number, score in zip(record.boxes.tolist(), record.classes, scores, strict=True):
            place = {"image_id": picture + 1, "category_id": int(number) + 1, "bbox": [x0, y0, x1 - x0, y1 - y0]}
            things.append({**place, "score": float(score)})
    return things


@pytest.mark.parametrize("start", range(0, 200, 50))
def test_equal_to_pycocotools(start: int) -> None:
    """Scores of one digit and corners on a grid of quarters: tied scores and overlaps abound."""
    worst = 0.0
    for seed in range(start, start + 50):
        rng = np.random.default_rng(seed)
        names = MANY[: int(rng.integers(1, 41))]
        truths, answers = objects(rng, int(rng.integers(1, 15)), names, float(rng.choice([0.5, 3, 8])), digits=1)
        if not any(map(len, answers)):
            continue  # the reference cannot load an empty list of answers
        ours = average_precision(truths, answers).value, average_precision_50(truths, answers).value
        theirs = by_coco(truths, answers)
        assert math.isnan(ours[0]) == math.isnan(theirs[0])
        if not math.isnan(ours[0]):
            worst = max(worst, abs(ours[0] - theirs[0]), abs(ours[1] - theirs[1]))
    assert worst < 1e-9


def test_more_than_a_hundred_answers_of_a_class_are_cut_as_the_reference_cuts() -> None:
    rng = np.random.default_rng(0)
    truths, _ = objects(rng, 3, MANY[:2], 60)
    answers = []
    for truth in truths:
        boxes = np.concatenate([truth.boxes + rng.integers(-4, 5, truth.boxes.shape) / 4 for _ in range(6)])
        boxes[:, 2:] = np.maximum(boxes[:, 2:], boxes[:, :2] + 1)
        answers.append(Objects(boxes, np.tile(truth.classes, 6), truth.names, rng.random(len(boxes)).round(2)))
    assert max(np.bincount(answer.classes).max() for answer in answers) > 100
    expected = by_coco(truths, answers)
    assert average_precision(truths, answers).value == pytest.approx(expected[0], abs=1e-9)
    assert average_precision_50(truths, answers).value == pytest.approx(expected[1], abs=1e-9)


def test_overlap_of_exactly_the_threshold_counts_and_the_last_of_equals_is_taken() -> None:
    names = ("a",)
    truth = [Objects(np.array([[0, 0, 2, 1], [2, 0, 4, 1]], float), np.zeros(2, int), names)]
    answer = [Objects(np.array([[0, 0, 4, 1], [2, 0, 4, 1]], float), np.zeros(2, int), names, np.array([0.9, 0.8]))]
    expected = by_coco(truth, answer)
    assert average_precision_50(truth, answer).value == pytest.approx(expected[1], abs=1e-12)
    assert average_precision(truth, answer).value == pytest.approx(expected[0], abs=1e-12)


def test_nothing_found_is_zero_and_nothing_to_find_is_no_number() -> None:
    names = ("a",)
    none = Objects(np.zeros((0, 4)), np.zeros(0, int), names, np.zeros(0))
    one = Objects(np.array([[0, 0, 5, 5]], float), np.zeros(1, int), names, np.ones(1))
    assert average_precision([one], [none]).value == 0.0
    assert math.isnan(average_precision([none], [one]).value)
    assert math.isnan(average_precision([none], [none]).value)


def test_classes_are_matched_by_name() -> None:
    box = np.array([[0, 0, 5, 5]], float)
    truth = [Objects(box, np.array([0]), ("cat", "dog"))]
    assert average_precision(truth, [Objects(box, np.array([1]), ("dog", "cat"), np.ones(1))]).value == 1.0
    assert average_precision(truth, [Objects(box, np.array([0]), ("dog", "cat"), np.ones(1))]).value == 0.0


def test_rotated_boxes_are_refused() -> None:
    turned = Objects(np.array([[5, 5, 4, 2, 0.3]]), np.array([0]), ("a",), np.ones(1))
    with pytest.raises(InputError, match="upright"):
        average_precision([turned], [turned])


@given(st.integers(0, 10_000))
def test_a_monotone_change_of_scores_changes_nothing_and_a_sure_false_answer_never_helps(seed: int) -> None:
    truths, answers = objects(np.random.default_rng(seed), 4)
    value = average_precision(truths, answers).value
    squared = [Objects(a.boxes, a.classes, a.names, a.scores**2) for a in answers]
    assert average_precision(truths, squared).value == pytest.approx(value, nan_ok=True)
    far = np.array([[900, 900, 950, 950]], float)
    worse = [
        Objects(
            np.concatenate([far, a.boxes]),
            np.concatenate([[0], a.classes]),
            a.names,
            np.concatenate([[1.0], a.scores]),
        )
        for a in answers
    ]
    assert not average_precision(truths, worse).value > value + 1e-12
