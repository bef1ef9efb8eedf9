"""Further metrics: those that suit the labels, and no others."""

import numpy as np
import pytest

from sightline.core import catalog
from sightline.core.annotations import Annotation, Labels
from sightline.core.sample import Sample
from sightline.core.task import Facts
from sightline.evaluating.scene import Scene
from sightline.evaluating.studies import measures

NAMES = ("low", "middle", "high")


def told(task: str) -> set[str]:
    """What is measured of a task's answers, most of them right."""
    rng = np.random.default_rng(0)
    samples, given = [], list[Annotation]()
    for n in range(40):
        scores = rng.random(3).astype(np.float32) + 2 * np.eye(3, dtype=np.float32)[n % 3]
        samples.append(Sample(str(n), truth=Labels((NAMES[n % 3],))))
        given.append(Labels(NAMES, scores / scores.sum()))
    truths = [sample.truth for sample in samples if sample.truth is not None]
    wired = catalog.find("tasks", task).TASK
    found = measures.study(Scene(wired, Facts({}, NAMES), lambda arrays: arrays, None, samples, truths, given, None))
    assert found is not None
    return {row["name"] for row in found["figures"]}


@pytest.mark.parametrize(
    ("task", "there", "away"),
    [
        ("classify", {"roc_auc", "brier", "ece", "matthews"}, {"hamming_loss", "sample_f1", "quadratic_kappa"}),
        ("grade", {"roc_auc", "brier"}, {"hamming_loss", "exact_match"}),
        ("tag", {"hamming_loss", "exact_match"}, {"matthews", "quadratic_kappa", "accuracy"}),
    ],
)
def test_a_task_is_measured_by_what_suits_its_labels(task: str, there: set[str], away: set[str]) -> None:
    found = told(task)
    assert there - set(catalog.find("tasks", task).TASK.metrics) <= found
    assert not away & found
