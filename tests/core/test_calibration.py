"""What answers go through: learnt from records alone, plain JSON, harmless where nothing is known."""

import json

import numpy as np
import pytest

from sightline.core.annotations import Labels, Objects, Value
from sightline.core.calibration import NOTHING, Calibration, learn
from sightline.core.errors import BundleError
from sightline.core.outliers import refer
from tests.core.test_mending import drawn

NAMES = ("a", "b", "c", "d")


def pairs(count: int, seed: int, scale: float = 0.4) -> tuple[list[Labels], list[Labels]]:
    scores, true = drawn(count, seed, scale=scale)
    return [Labels((NAMES[name],)) for name in true], [Labels(NAMES, row.astype(np.float32)) for row in scores]


def off(truths: list[Labels], answers: list[Labels]) -> float:
    """How far the best score and the share right are apart over all."""
    sure = np.mean([answer.score(answer.best) for answer in answers])
    return abs(float(sure - np.mean([t.best == a.best for t, a in zip(truths, answers, strict=True)])))


def test_scores_too_sure_become_honest_on_pictures_not_learnt_from() -> None:
    made = learn(*pairs(1000, 1))
    truths, answers = pairs(4000, 2)
    mended = [made.apply(answer) for answer in answers]
    assert off(truths, answers) > 0.15
    assert off(truths, mended) < 0.03  # type: ignore[arg-type]
    assert [answer.best for answer in answers] == [answer.best for answer in mended]  # type: ignore[attr-defined]
    assert made.sets is not None
    assert made.sets.count == 500, "sets come from pictures that the temperature was not learnt from"


def test_sets_hold_the_truth_after_mending() -> None:
    """The whole path, over random sides: the temperature must not spoil the promise."""
    truths, answers = pairs(12_000, 3)
    rng, found = np.random.default_rng(4), []
    scores = np.array([answer.scores for answer in answers])
    true = np.array([NAMES.index(truth.best) for truth in truths])
    for seed in range(40):
        part = rng.permutation(len(truths))[:400]
        made = learn([truths[p] for p in part], [answers[p] for p in part], seed=seed)
        assert made.sets is not None
        fresh = np.setdiff1d(np.arange(len(truths)), part)
        inside = made.sets.names(made.mending(scores[fresh]), 0.9)
        found.append(inside[np.arange(len(fresh)), true[fresh]].mean())
    spread = np.std(found) / np.sqrt(40)
    assert 0.9 - 3 * spread <= np.mean(found) <= 0.9 + 1 / 201 + 3 * spread


def test_few_pictures_leave_scores_alone_and_say_so() -> None:
    made = learn(*pairs(99, 5))
    assert made.mending.scale == (1.0,)
    assert made.notes == (
        "Scores are as the network gives them: 99 pictures are too few to mend them (100 are needed).",
    )
    assert made.sets is not None, "a promise about sets needs no more than a dozen"
    assert made.sets.count == 99
    assert learn(*pairs(5, 5)).sets is None
    assert learn(*pairs(1, 5)).notes == (
        "Scores are as the network gives them: 1 picture is too few to mend them (100 are needed).",
        "No sets of names: 1 picture is too few to promise anything.",
    )


def test_many_names_a_picture_are_mended_one_by_one() -> None:
    rng = np.random.default_rng(6)
    odds = rng.normal(0, 2, (3000, 3))
    held = rng.random((3000, 3)) < 1 / (1 + np.exp(-(odds * [0.4, 1.0, 2.0] + [1, 0, -1])))
    held[:, 2] &= np.arange(3000) < 15  # too rare for a line of its own
    truths = [Labels(tuple(np.array(NAMES[:3])[row])) for row in held]
    answers = [Labels(NAMES[:3], 1 / (1 + np.exp(-row))) for row in odds]
    made = learn(truths, answers)
    assert made.mending.apart
    assert made.sets is None
    assert made.mending.scale[:2] == pytest.approx((0.4, 1.0), abs=0.1)
    assert made.mending.shift[:2] == pytest.approx((1, 0), abs=0.15)
    mended = np.array([made.apply(answer).scores for answer in answers])  # type: ignore[attr-defined]
    assert np.abs(mended.mean(0) - held.mean(0))[:2].max() < 0.02


def things(count: int, seed: int) -> tuple[list[Objects], list[Objects]]:
    """Answers whose score is always .9 or .6 and of which .7 and .2 are right."""
    rng = np.random.default_rng(seed)
    truths, answers = [], []
    for _ in range(count):
        boxes = np.array([[x, 0, x + 8, 8] for x in range(0, 80, 10)], np.float32)
        high = rng.random(8) < 0.5
        right = rng.random(8) < np.where(high, 0.7, 0.2)
        classes = np.zeros(8, np.int64)
        truths.append(Objects(boxes[right], classes[right], ("x",)))
        answers.append(Objects(boxes, classes, ("x",), np.where(high, 0.9, 0.6).astype(np.float32)))
    return truths, answers


def test_scores_of_things_say_how_often_they_are_there() -> None:
    made = learn(*things(100, 7))
    answer = things(1, 8)[1][0]
    mended = made.apply(answer)
    assert isinstance(mended, Objects)
    assert mended.scores is not None
    assert mended.scores[answer.scores > 0.8] == pytest.approx(0.7, abs=0.05)  # type: ignore[operator]
    assert mended.scores[answer.scores < 0.8] == pytest.approx(0.2, abs=0.05)  # type: ignore[operator]
    assert "too few" in learn(*things(3, 9)).notes[0]


def test_other_records_and_foreign_names_pass_untouched() -> None:
    made = learn(*pairs(500, 10))
    for record in (Value(("x",), np.ones(1)), Labels(("z",), np.ones(1)), Labels(("a",))):
        assert made.apply(record) is record
    assert learn([Value(("x",), np.ones(1))], [Value(("x",), np.ones(1))]) is NOTHING
    assert learn([], []) is NOTHING
    broken = [Labels(NAMES, np.full(4, np.nan))] * 200
    assert "no numbers" in learn([Labels(("a",))] * 200, broken).notes[0]


def test_it_is_plain_json_and_nothing_is_nothing() -> None:
    made = learn(*pairs(500, 11))
    again = Calibration.from_json(json.loads(json.dumps(made.to_json())))
    assert again == made
    assert NOTHING.to_json() == {}
    assert Calibration.from_json({}) == NOTHING
    answer = pairs(1, 12)[1][0]
    assert NOTHING.apply(answer).scores is answer.scores  # type: ignore[attr-defined]


def test_how_unlike_a_picture_is_comes_with_the_answer() -> None:
    rng = np.random.default_rng(13)
    found = refer("features", rng.normal(size=(200, 5)), rng.normal(size=(200, 5)))
    made = Calibration(NAMES, outliers=found, count=200)
    answer = pairs(1, 14)[1][0]
    far, near = (made.apply(answer, {"features": np.full(5, value)}) for value in (9.0, 0.3))
    assert far.outlier > 1 > near.outlier  # type: ignore[attr-defined]
    assert made.apply(answer, {"logits": np.ones(5)}).outlier is None  # type: ignore[attr-defined]
    assert made.apply(answer).outlier is None  # type: ignore[attr-defined]
    assert found is not None
    again = Calibration.from_json(json.loads(json.dumps(made.to_json())), found.arrays())
    assert again.apply(answer, {"features": np.full(5, 9.0)}).outlier == far.outlier  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda plain: plain.pop("scores"),
        lambda plain: plain["scores"].update(scale=["x"]),
        lambda plain: plain["sets"].update(levels=3),
        lambda plain: plain.update(outliers={"output": "features"}),
    ],
)
def test_what_cannot_be_read_is_one_error(spoil) -> None:  # type: ignore[no-untyped-def]
    plain = json.loads(json.dumps(learn(*pairs(500, 15)).to_json()))
    spoil(plain)
    with pytest.raises(BundleError, match="the calibration cannot be read"):
        Calibration.from_json(plain)
