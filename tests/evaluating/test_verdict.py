"""What a model can be trusted with and what not, from figures that are known."""

from typing import Any

import pytest

from sightline.evaluating.evaluate import Evaluation
from sightline.evaluating.studies import baselines, calibration, explanations, measures, robustness, slices
from sightline.evaluating.verdict import verdict


def evaluation(low: float | None, high: float, floor: float | None, side: str = "test", **studies: Any) -> Evaluation:
    first = {"name": "accuracy", "value": 0.8, "low": low, "high": high, "better": "higher", "count": 50,
             "of": "", "baseline": floor}  # fmt: skip
    return Evaluation(side, 50, (first,), None, "always cat", (), (), {}, {}, 0.01, studies)


def share(value: float) -> dict[str, float]:
    return {"value": value, "low": value - 0.1, "high": min(1.0, value + 0.1)}


def each(name: str, recall: float, precision: float = 1.0, count: int = 20) -> dict[str, Any]:
    return {"name": name, "count": count, "recall": share(recall), "precision": share(precision)}


@pytest.mark.parametrize(
    ("low", "floor", "side", "says", "never"),
    [
        (0.7, 0.5, "test", "It has learnt something that holds: accuracy 0.800", False),
        (0.7, 0.75, "test", "Not to be relied on: accuracy 0.800", True),
        (0.7, 0.5, "train", "Not to be judged by this: accuracy 0.800", True),
        (None, 0.5, "test", "Accuracy 0.800 on 50 samples that it has not learnt from.", False),
    ],
)
def test_the_sentence_is_as_sure_as_the_interval(
    low: float | None, floor: float, side: str, says: str, never: bool
) -> None:
    found = verdict(evaluation(low, 0.9, floor, side), {})
    assert found.line.startswith(says)
    assert any(line.startswith("Anything") for line in found.doubted) is never


def test_what_studies_say_is_gathered_and_vouched_for_only_where_the_model_is_better() -> None:
    decided = {"sure": {"count": 40, **share(0.95)}, "unsure": {"count": 10, **share(0.3)}}
    told = {"calibration": {"flagged": False, "notes": [], "decisions": decided},
            "measures": {"names": [each("cat", 0.6), each("dog", 0.9), each("owl", 0.1, count=2)]}}  # fmt: skip
    studies = {"calibration": calibration, "measures": measures}
    found = verdict(evaluation(0.7, 0.9, 0.5, **told), studies)
    assert found.trusted == ("What it is sure of, 80% of the pictures: 95% of that is right (0.850 to 1.000).",)
    assert found.doubted == (
        "Deciding alone where it says that it does not know: only 30% of that is right.",
        "Names found, or said rightly, in less than 80% of cases: cat (60% found).",
    )
    assert verdict(evaluation(0.4, 0.9, 0.5, **told), studies).trusted == ()


@pytest.mark.parametrize(("by_chance", "says"), [(0.27, "do not show whether they hold"), (0.05, "not as right")])
def test_scores_are_called_wrong_only_where_so_many_pictures_can_tell(by_chance: float, says: str) -> None:
    nobody = {"count": 0}
    found = {"flagged": True, "measures": [{"after": {"value": 0.126}}], "by_chance": by_chance,
             "decisions": {"sure": nobody, "unsure": nobody}}  # fmt: skip
    assert [says in line for line in calibration.doubted(found)] == [True]


def test_corruptions_that_leave_nearly_all_and_those_that_leave_too_little() -> None:
    kinds = {"fog": 0.3, "snow": 0.7, "pixelate": 0.79}
    found: dict[str, Any] = {"metric": "accuracy", "better": "higher", "clean": share(0.8), "severities": [1, 3, 5]}
    found["kinds"] = {name: [share(0.8), share(value), share(0.1)] for name, value in kinds.items()}
    assert robustness.trusted(found) == ["Pictures with some pixelate: it answers nearly as well."]
    assert robustness.doubted(found) == ["Pictures with fog of middle strength: of accuracy 0.800, too little is left."]
    lower = {**found, "better": "lower", "kinds": {"fog": [share(1), share(2.0), share(3)]}}
    assert robustness.trusted(lower) == []
    assert len(robustness.doubted(lower)) == 1
    assert robustness.doubted({**found, "clean": share(0.0)}) == []


def test_weak_slices_rivals_and_withheld_reasons() -> None:
    row = {"of": {"site": "north"}, "value": 0.4, "low": 0.3, "high": 0.5, "others": 0.9, "weak": True, "count": 30}
    found = {"metric": "accuracy", "groups": [], "slices": [row, {**row, "weak": False}]}
    assert slices.doubted(found) == ["Pictures where site is north: accuracy 0.400, 0.900 elsewhere."]
    rivals = [
        {"name": "a line", "value": 0.8, "verdict": "neither"},
        {"name": "chance", "value": 0.1, "verdict": "first"},
    ]
    assert baselines.doubted({"rows": rivals}) == ["Where something cheaper would do: not clearly better than a line."]
    assert baselines.doubted({"rows": rivals[1:]}) == []
    assert explanations.doubted({"verdicts": []})
    told = {"decisions": {"sure": {"count": 0}, "unsure": {"count": 0}}, "flagged": True, "notes": []}
    assert calibration.trusted(told) == []
    known = {"decisions": {"sure": {"count": 1, **share(0.5)}, "unsure": {"count": 0}}, "notes": ["few pictures"]}
    assert len(calibration.trusted(known)) == 1
    assert calibration.trusted({**known, "notes": [calibration.TOO_GOOD]}) == []
    assert calibration.doubted(told) == ["Reading its scores as chances: they are not as right as they say."]
