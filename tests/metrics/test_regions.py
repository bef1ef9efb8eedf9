"""Mean IoU equals scikit-learn's Jaccard score on 200 random cases."""

import numpy as np
import pytest
from sklearn.metrics import f1_score, jaccard_score

from sightline.core.annotations import Regions
from sightline.core.errors import InputError
from sightline.metrics.regions import dice, mean_iou
from tests.metrics._simulated import NAMES, regions


@pytest.mark.parametrize("start", range(0, 200, 50))
def test_equal_to_scikit_learn(start: int) -> None:
    for seed in range(start, start + 50):
        rng = np.random.default_rng(seed)
        size = int(rng.integers(1, 6))
        true = rng.integers(0, size, (int(rng.integers(1, 5)), 4, 5))
        given = np.where(rng.random(true.shape) < 0.6, true, rng.integers(0, size, true.shape))
        truths, answers = ([Regions(each, NAMES[:size]) for each in side] for side in (true, given))
        expected = jaccard_score(true.ravel(), given.ravel(), average="macro")
        assert mean_iou(truths, answers).value == pytest.approx(expected, abs=1e-12)


def test_unlabelled_pixels_are_ignored_and_names_not_numbers_are_compared() -> None:
    truth = Regions(np.array([[0, 1, 255, -1]]), ("sky", "sea"))
    assert mean_iou([truth], [Regions(np.array([[1, 0, 0, 1]]), ("sea", "sky"))]).value == 1.0
    assert mean_iou([truth], [Regions(np.array([[1, -1, 0, 1]]), ("sea", "sky"))]).value == 0.5


def test_volumes_are_welcome_and_shapes_must_agree() -> None:
    volume = Regions(np.ones((2, 3, 4), np.uint8), NAMES[:2])
    assert mean_iou([volume], [volume]).value == 1.0
    with pytest.raises(InputError, match="map"):
        mean_iou([volume], [Regions(np.ones((3, 4), np.uint8), NAMES[:2])])


def test_dice_equals_scikit_learns_f1_of_pixels() -> None:
    """Over the whole set, Dice of a class is the F1 of its pixels."""
    for seed in range(200):
        truths, answers = regions(np.random.default_rng(seed), 6)
        true, given = (np.concatenate([one.classes.ravel() for one in some]) for some in (truths, answers))
        wanted = f1_score(true, given, average="macro")
        assert dice(truths, answers).value == pytest.approx(wanted, abs=1e-9)
