"""Finding things: its lesson, and the way from original pixels to the network's and back."""

import numpy as np
import pytest

from sightline.core import catalog
from sightline.core.annotations import Objects
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError
from sightline.core.image import ArrayImage
from sightline.core.inputs import InputSpec
from sightline.core.sample import Sample
from sightline.core.task import Facts
from sightline.sources.drawn import dataset
from sightline.tasks.detect import TASK
from tests.tasks.lessons import Lesson

LESSON = Lesson(
    lambda: dataset("shapes", 500, size=64, truth="objects"),
    lambda *_: 0.65,
    {"epochs": 14, "rate": 0.005, "augment": False},
)
NAMES = ("cat", "dog")
OPTIONS = {"floor": 0.01, "most": 100, "overlap": 0.6}
FACTS = Facts({"image": InputSpec((64, 64), fit="letterbox")}, NAMES, OPTIONS)


def _sample(rows: int, columns: int, boxes: list[list[float]], classes: list[int]) -> Sample:
    pixels = np.zeros((rows, columns, 3), np.uint8)
    truth = Objects(np.array(boxes, np.float32).reshape(-1, 4), np.array(classes, np.int64), NAMES)
    return Sample(f"{rows}x{columns}", (ArrayImage(pixels),), truth)


SAMPLES = [
    _sample(40, 100, [[10, 5, 30, 35], [50, 10, 90, 30]], [0, 1]),
    _sample(100, 40, [[2, 60, 38, 99]], [1]),
    _sample(64, 64, [], []),
]


def _exact(floor: float = 30.0) -> dict[str, np.ndarray]:
    """What a network would give that knows the truth."""
    _, frames = TASK.inputs(SAMPLES, FACTS)
    targets = TASK.targets(SAMPLES, frames, FACTS)
    logits = np.full((*targets["classes"].shape, 2), -30.0, np.float32)
    for row, column in zip(*np.nonzero(targets["classes"] >= 0), strict=True):
        logits[row, column, targets["classes"][row, column]] = floor
    return {"boxes": targets["boxes"], "logits": logits}


def test_a_perfect_network_is_decoded_to_the_truth() -> None:
    """Through the letterbox and back: average precision is 1 on wide, tall and empty pictures."""
    _, frames = TASK.inputs(SAMPLES, FACTS)
    answers = TASK.decode(_exact(), frames, FACTS)
    for sample, answer in zip(SAMPLES, answers, strict=True):
        assert isinstance(sample.truth, Objects)
        assert isinstance(answer, Objects)
        assert len(answer) == len(sample.truth)
        assert sample.truth.gap(answer) < 0.01
    score = catalog.find("metrics", "average_precision")([sample.truth for sample in SAMPLES], answers)
    assert score.value == 1.0


def test_targets_pad_with_minus_one() -> None:
    _, frames = TASK.inputs(SAMPLES, FACTS)
    targets = TASK.targets(SAMPLES, frames, FACTS)
    assert targets["classes"].tolist() == [[0, 1], [1, -1], [-1, -1]]
    assert targets["boxes"].shape == (3, 2, 4)
    assert targets["boxes"][0, 0] == pytest.approx([6.4, 19 + 3.25, 19.2, 19 + 22.75], abs=0.5)


def test_names_are_matched_by_word_not_by_number() -> None:
    turned = Objects(np.array([[0, 0, 9, 9]], np.float32), np.array([0]), ("dog", "cat"))
    sample = Sample("turned", SAMPLES[2].images, turned)
    _, frames = TASK.inputs([sample], FACTS)
    assert TASK.targets([sample], frames, FACTS)["classes"].tolist() == [[1]]


def test_a_name_without_a_place_is_refused() -> None:
    stray = Objects(np.array([[0, 0, 9, 9]], np.float32), np.array([0]), ("fox",))
    sample = Sample("stray", SAMPLES[2].images, stray)
    _, frames = TASK.inputs([sample], FACTS)
    with pytest.raises(InputError, match="stray: boxes with a name of cat, dog"):
        TASK.targets([sample], frames, FACTS)


def test_doubles_of_one_name_are_dropped_and_of_two_names_kept() -> None:
    _, frames = TASK.inputs(SAMPLES[2:], FACTS)
    boxes = np.array([[[10, 10, 40, 40], [11, 10, 41, 40], [10, 11, 40, 41]]], np.float32)
    logits = np.array([[[3, -30], [2, -30], [-30, 1]]], np.float32)
    (answer,) = TASK.decode({"boxes": boxes, "logits": logits}, frames, FACTS)
    assert isinstance(answer, Objects)
    assert answer.classes.tolist() == [0, 1]
    assert answer.scores == pytest.approx([1 / (1 + np.exp(-3)), 1 / (1 + np.exp(-1))])


def test_answers_below_the_floor_and_beyond_the_most_are_dropped() -> None:
    _, frames = TASK.inputs(SAMPLES[2:], FACTS)
    places = np.arange(50, dtype=np.float32)[None, :, None]
    boxes = np.concatenate([places, np.zeros_like(places), places + 0.5, np.ones_like(places)], -1)
    logits = np.full((1, 50, 2), -30, np.float32)
    logits[0, :20, 0] = np.linspace(4, 0, 20)
    facts = Facts(FACTS.inputs, NAMES, {**OPTIONS, "most": 5})
    (answer,) = TASK.decode({"boxes": boxes, "logits": logits}, frames, facts)
    assert isinstance(answer, Objects)
    assert answer.boxes[:, 0].tolist() == [0, 1, 2, 3, 4]
    (none,) = TASK.decode({"boxes": boxes, "logits": logits * 0 - 30}, frames, facts)
    assert isinstance(none, Objects)
    assert len(none) == 0
    assert none.boxes.shape == (0, 4)


def test_boxes_are_cut_at_the_edge_of_the_picture() -> None:
    _, frames = TASK.inputs(SAMPLES[:1], FACTS)
    boxes, logits = np.array([[[-50, -50, 200, 200]]], np.float32), np.full((1, 1, 2), 5, np.float32)
    (answer,) = TASK.decode({"boxes": boxes, "logits": logits}, frames, FACTS)
    assert isinstance(answer, Objects)
    assert answer.boxes[0].tolist() == [0, 0, 100, 40]


def test_the_side_is_a_multiple_of_32_and_can_be_named() -> None:
    data = Dataset(SAMPLES, names=NAMES)
    assert TASK.prepare(data, TASK.Options(), "small").input.size == (64, 64)
    assert TASK.prepare(data, TASK.Options(size=96), "small").input.size == (96, 96)
