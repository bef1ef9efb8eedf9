"""Rules measured as models are, and the stage at which each picture fails."""

from typing import Any

import numpy as np
import pytest

from sightline.applying.judging import Judgement, answers_of, judge
from sightline.core.annotations import Annotation, Labels, Objects, Regions, Value
from sightline.core.dataset import Dataset
from sightline.core.errors import AmbiguousError, InputError
from sightline.core.image import ArrayImage, BytesImage
from sightline.core.sample import Sample

pytestmark = pytest.mark.usefixtures("another")


def scene(*boxes: tuple[int, int, int, int], ground: int = 10) -> np.ndarray:
    """Light boxes on a dark ground."""
    made = np.full((20, 30, 3), ground, np.uint8)
    for x0, y0, x1, y1 in boxes:
        made[y0:y1, x0:x1] = 240
    return made


def things(*boxes: tuple[int, int, int, int]) -> Objects:
    return Objects(np.array(boxes, np.float32).reshape(-1, 4), np.zeros(len(boxes), np.int64), ("thing",))


def data(*pairs: tuple[Any, Annotation | None], split: str | None = None) -> Dataset:
    samples = []
    for number, (pixels, truth) in enumerate(pairs):
        image = BytesImage(pixels, "bad") if isinstance(pixels, bytes) else ArrayImage(pixels)
        samples.append(Sample(str(number), (image,), truth, split=split))
    return Dataset(samples, recipe="made")


ONE, TWO = (2, 3, 9, 8), (15, 5, 25, 15)


def figures(found: Judgement) -> dict[str, float]:
    return {row["name"]: row["value"] for row in found.figures}


def test_things_are_measured_and_every_failure_has_its_stage() -> None:
    found = judge(
        "brighten by=1 | fussy | finders.otsu | areas name=thing least=9",
        data(
            (scene(ONE), things(ONE)),  # right
            (scene(ONE, TWO), things(ONE, TWO)),  # right
            (scene(ONE, TWO), things(ONE)),  # one too many
            (scene((2, 3, 4, 5)), things((2, 3, 4, 5))),  # too small to be found
            (np.full((20, 30, 3), 254, np.uint8), things(ONE)),  # an error of the second step
            (scene(), None),  # no truth: not measured
            (b"junk", things(ONE)),  # cannot be read
        ),
    )
    assert found.count == 6
    assert found.right == 2
    told = {(failure.step, failure.how): failure.ids for failure in found.cascade}
    assert told == {(0, "error"): ("6",), (2, "error"): ("4",), (4, "found nothing"): ("3",), (5, "wrong"): ("2",)}
    assert [line[2] for line in found.lines] == ["5 left", "4 left", "3 left", "2 left"]
    assert found.reached == (5, 4, 4, 4)
    assert len(found.seconds) == 4
    assert figures(found)["count_error"] == pytest.approx((0 + 0 + 1 + 1 + 1 + 1) / 6)
    assert 0.3 < figures(found)["average_precision_50"] < 0.9
    assert all(row["low"] <= row["value"] <= row["high"] for row in found.figures)


def test_a_picture_fails_where_nothing_is_found_first() -> None:
    found = judge("finders.otsu | spots least=250 | areas name=thing least=900", data((scene(ONE), things(ONE))))
    assert [(failure.step, failure.how) for failure in found.cascade] == [(2, "found nothing")]


def test_nothing_where_nothing_is_is_right() -> None:
    found = judge("spots least=200", data((scene(), Objects(np.zeros((0, 4), np.float32), np.zeros(0, np.int64), ()))))
    assert (found.right, found.cascade) == (1, ())


def test_names_are_measured_by_rules() -> None:
    samples = [
        (scene(ONE) if number % 2 else scene(), Labels(("one" if number % 4 else "none",))) for number in range(8)
    ]
    found = judge("spots least=200 | rule name=one when='count==1' otherwise=none", data(*samples))
    assert figures(found)["accuracy"] == pytest.approx(6 / 8)
    assert figures(found)["balanced_accuracy"] == pytest.approx((1 + 4 / 6) / 2)
    assert found.baseline == "always one"
    assert {(failure.how, failure.count) for failure in found.cascade} == {("found nothing", 2)}


def test_areas_and_numbers_and_counts_are_measured() -> None:
    pixels = scene(ONE)
    truth = Regions((pixels[..., 0] > 100).astype(np.uint8), ("dark", "light"))
    assert figures(judge("finders.otsu", data((pixels, truth), (pixels, truth))))["mean_iou"] == pytest.approx(1)
    wrong = Regions(1 - truth.classes, truth.names)
    found = judge("finders.otsu", data((pixels, truth), (pixels, wrong)))
    assert [(failure.how, failure.ids) for failure in found.cascade] == [("wrong", ("1",))]
    counted = data(*((scene(ONE, TWO), Value(("count",), np.array([number], np.float32))) for number in (2, 5)))
    assert figures(judge("finders.otsu | areas | count", counted))["mean_absolute_error"] == pytest.approx(1.5)
    objects = data((scene(ONE, TWO), things(ONE)), (scene(ONE), things(ONE)))
    assert figures(judge("finders.otsu | areas | count", objects))["mean_absolute_error"] == pytest.approx(0.5)


def test_a_failed_picture_is_measured_as_wrong() -> None:
    light = np.full((20, 30, 3), 255, np.uint8)
    ids, truths, given = answers_of("fussy | rule name=a", data((light, Labels(("a",))), (scene(), Labels(("a",)))))
    assert ids == ["0", "1"]
    assert [answer.names for answer in given] == [(), ("a",)]  # type: ignore[attr-defined]
    assert len(truths) == 2
    regions = Regions(np.zeros((20, 30), np.uint8), ("dark", "light"))
    assert figures(judge("fussy | finders.otsu", data((light, regions), (light, regions))))["mean_iou"] == 0


def test_what_cannot_be_compared_says_what_is_missing() -> None:
    with pytest.raises(InputError, match="answers with value"):
        answers_of("finders.otsu | areas | count", data((scene(ONE), things(ONE))))
    with pytest.raises(InputError, match="such as areas"):
        judge("finders.otsu", data((scene(ONE), things(ONE))))
    with pytest.raises(InputError, match="such as rule"):
        judge("finders.otsu", data((scene(ONE), Labels(("a",)))))
    with pytest.raises(AmbiguousError, match="none with a truth"):
        judge("finders.otsu", data((scene(ONE), None)))
    with pytest.raises(ZeroDivisionError):
        judge("fussy | finders.otsu", data((np.zeros((3, 3, 3), np.uint8), Labels(("a",)))))


def test_what_is_held_out_is_measured_where_the_data_says_so() -> None:
    pairs = [(scene(ONE), things(ONE))] * 3
    samples = [*data(*pairs, split="train"), *data(*pairs[:1], split="test")]
    parted = Dataset([Sample(f"{row}", s.images, s.truth, split=s.split) for row, s in enumerate(samples)], recipe="x")
    found = judge("finders.otsu | areas name=thing", parted)
    assert (found.side, found.count) == ("test", 1)
    assert judge("finders.otsu | areas name=thing", parted, side="train").count == 3
