"""Labels judged from features: planted ones are found, groups are never parted, nothing is seen in noise."""

import numpy as np
import pytest

from sightline.auditing import confident
from sightline.auditing.confident import judge


def cloud(count: int = 600, names: int = 4, apart: float = 1.3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Overlapping clouds, one a name."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, names, count)
    centres = rng.normal(0, apart, (names, 12))
    return (centres[truth] + rng.normal(0, 1, (count, 12))).astype(np.float16), truth


def planted(truth: np.ndarray, share: float = 0.05, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    wrong = rng.choice(len(truth), int(share * len(truth)), replace=False)
    given = truth.copy()
    given[wrong] = (truth[wrong] + rng.integers(1, truth.max() + 1, len(wrong))) % (truth.max() + 1)
    return given, given != truth


def test_planted_labels_are_the_most_suspect() -> None:
    features, truth = cloud()
    given, wrong = planted(truth)
    judged = judge(features, given, 4)
    top = np.argsort(judged.confidence)[: wrong.sum()]
    assert wrong[top].mean() > 0.8
    assert judged.accuracy > 0.85
    assert wrong[judged.doubted].mean() > 0.7
    assert (judged.better[judged.doubted] == truth[judged.doubted]).mean() > 0.7
    assert (np.diff(judged.confidence[judged.doubted]) >= 0).all()
    assert judged.probabilities.sum(1) == pytest.approx(np.ones(600), abs=1e-4)


def test_probabilities_are_calibrated() -> None:
    features, truth = cloud(4000, apart=0.6)
    judged = judge(features, truth, 4)
    first = judged.probabilities.max(1)
    right = judged.probabilities.argmax(1) == truth
    for low, high in ((0.3, 0.6), (0.6, 0.8), (0.8, 0.95)):
        inside = (first > low) & (first <= high)
        assert first[inside].mean() == pytest.approx(right[inside].mean(), abs=0.06)


def test_noise_teaches_nothing() -> None:
    rng = np.random.default_rng(0)
    judged = judge(rng.normal(0, 1, (500, 30)), rng.integers(0, 3, 500), 3)
    assert abs(judged.gain) < 0.12
    assert judged.accuracy < 0.45, "what is judged was learnt from"


def test_a_group_is_never_its_own_judge() -> None:
    """Copies of a wrongly labelled picture would vouch for one another."""
    features, truth = cloud(300)
    given = truth.copy()
    given[:1] = (truth[:1] + 1) % 4
    copied = np.concatenate([features, np.repeat(features[:1], 30, 0)])
    labels = np.concatenate([given, np.repeat(given[:1], 30)])
    groups = [f"g{row}" for row in range(300)] + ["g0"] * 30
    alone = judge(copied, labels, 4, groups)
    together = judge(copied, labels, 4)
    assert alone.confidence[0] < 0.5 * together.confidence[0]
    folds = confident._folds(330, groups)
    assert set(folds[[0, *range(300, 330)]].tolist()) == {int(folds[0])}


def test_rare_names_and_few_rows_are_survived() -> None:
    features, truth = cloud(40)
    truth = truth.copy()
    truth[:2] = 4
    judged = judge(features, truth, 6)
    assert np.isfinite(judged.probabilities).all()
    same = judge(np.ones((50, 5)), np.arange(50) % 2, 2)
    assert np.isfinite(same.probabilities).all()
    assert len(same.doubted) == 0
