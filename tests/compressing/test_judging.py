"""A drop is called small only where the pictures can tell."""

import math

import numpy as np
import pytest

from sightline.compressing.judging import BEYOND, UNKNOWN, WITHIN, Loss, lost
from sightline.core.annotations import Labels, Picture

NAMES = ("cat", "dog")


def said(hits: np.ndarray) -> list[Labels]:
    return [Labels(NAMES, np.array([0.9, 0.1] if hit else [0.1, 0.9], np.float32)) for hit in hits]


def judged(count: int, wrong: int, gone: int, allowed: float = 0.5) -> Loss:
    """The parent is wrong on some pictures, and the form on these and some more."""
    parent, mine = np.ones(count, bool), np.ones(count, bool)
    parent[:wrong] = False
    mine[: wrong + gone] = False
    return lost("accuracy", [Labels(("cat",))] * count, said(mine), said(parent), allowed)


def test_a_drop_is_in_points_and_judged_by_its_interval() -> None:
    few = judged(10_000, 1000, 20)
    assert few.drop == pytest.approx(0.2)
    assert few.value == pytest.approx(0.898)
    assert few.least < 0.2 < few.most < 0.5
    assert few.verdict == WITHIN
    assert judged(10_000, 1000, 100).verdict == BEYOND


def test_what_cannot_be_told_says_how_many_pictures_could() -> None:
    found = judged(1000, 100, 2)
    assert found.verdict == UNKNOWN
    assert found.needed is not None
    reach = (found.most - found.drop) / (found.allowed - found.drop)
    assert found.needed == math.ceil(1000 * reach**2) > 1000
    enough = judged(4 * found.needed, 400, 8 * found.needed // 1000)
    assert enough.drop == pytest.approx(0.2, abs=0.01)
    assert enough.verdict == WITHIN
    assert "pictures could tell" in found.line


def test_equal_answers_to_few_pictures_prove_nothing() -> None:
    found = judged(12, 0, 0)
    assert found.drop == 0
    assert found.most == pytest.approx(100 * 1.96 / 14)  # half a picture in each cell of 12 + 2
    assert found.least == -found.most
    assert found.verdict == UNKNOWN
    assert judged(5000, 500, 0).verdict == WITHIN


def test_more_lost_than_allowed_is_not_mended_by_more_pictures() -> None:
    found = judged(200, 20, 2, allowed=0.5)
    assert found.verdict == UNKNOWN
    assert found.needed is None


def test_where_less_is_better_more_is_a_drop_in_its_own_unit() -> None:
    sure, unsure = [Labels(NAMES, np.array([p, 1 - p], np.float32)) for p in (0.9, 0.6)]
    found = lost("log_loss", [Labels(("cat",))] * 50, [unsure] * 50, [sure] * 50, 0.5)
    assert found.drop == pytest.approx(math.log(0.9 / 0.6), abs=1e-3)
    gained = lost("log_loss", [Labels(("cat",))] * 50, [sure] * 50, [unsure] * 50, 0.5)
    assert gained.drop < 0


def test_no_number_is_the_greatest_loss() -> None:
    clean = [Picture(np.full((8, 8, 1), 0.5, np.float32))] * 4
    broken = [Picture(np.full((8, 8, 1), np.nan, np.float32))] * 4
    found = lost("psnr", clean, broken, clean, 1.0)
    assert found.verdict == BEYOND
    assert Loss.read(found.to_json()).metric == "psnr"
