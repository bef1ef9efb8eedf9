"""Tints follow the classes, heat follows the score."""

import numpy as np
import pytest

from sightline.core.annotations import Heatmap, Regions
from sightline.core.errors import InputError
from sightline.overlays.maps import heatmap, regions

GRAY = np.full((120, 200, 3), 128, np.uint8)


def test_ground_and_unnamed_classes_stay_bare() -> None:
    classes = np.zeros((120, 200), np.int64)
    classes[:, 100:150] = 1
    classes[:, 150:] = 255
    drawn = regions(GRAY, Regions(classes, ("Background", "cat")))
    changed = (drawn != GRAY).any(-1)
    assert changed[:, 100:150].all()
    assert not changed[:, :100].any()
    assert not changed[:, 150:].any()


def test_borders_stand_out_and_the_name_is_written_where_there_is_room() -> None:
    classes = np.zeros((120, 200), np.int64)
    classes[30:90, 50:150] = 1
    drawn = regions(GRAY, Regions(classes, ("background", "cat"))).astype(int)
    inside, edge = drawn[40, 60], drawn[30, 100]
    assert np.abs(edge - 128).sum() > 1.5 * np.abs(inside - 128).sum()
    assert len(np.unique(drawn[50:70, 80:120].reshape(-1, 3), axis=0)) > 5, "letters"
    classes[:] = 0
    classes[50:54, 50:54] = 1
    small = regions(GRAY, Regions(classes, ("background", "cat")))
    assert not (small[:45] != GRAY[:45]).any()


def test_heat_grows_with_the_score() -> None:
    scores = np.zeros((120, 200), np.float32)
    scores[:, 50:100], scores[:, 100:150], scores[:, 150:] = 0.2, 0.6, 1.0
    drawn = heatmap(GRAY, Heatmap(scores, 1.0))[:120].astype(int)
    change = [np.abs(drawn[60, x] - 128).sum() for x in (25, 75, 125, 175)]
    assert change[0] == 0
    assert change[1] < change[3]
    assert drawn[60, 75].sum() < drawn[60, 125].sum() < drawn[60, 175].sum(), "brighter is more"


def test_a_calm_picture_looks_calm_and_other_ranges_fill_the_ramp() -> None:
    noise = np.random.default_rng(0).random((120, 200)).astype(np.float32)
    calm = heatmap(GRAY, Heatmap(noise * 1e-4, 0.0))[:120].astype(int)
    assert np.abs(calm - 128).max() < 4
    metres = heatmap(GRAY, Heatmap(noise * 40, 0.0))[:120].astype(int)
    assert np.abs(metres - 128).max() > 60
    fixed = heatmap(GRAY, Heatmap(noise * 40, 0.0), low=0, high=4000)[:120].astype(int)
    assert np.abs(fixed - 128).max() < 20


def test_scores_that_are_no_numbers_are_left_bare() -> None:
    scores = np.full((120, 200), np.nan, np.float32)
    assert (heatmap(GRAY, Heatmap(scores, float("nan")))[:120] == GRAY).all()


def test_maps_of_another_size_are_refused() -> None:
    with pytest.raises(InputError, match="class map"):
        regions(GRAY, Regions(np.zeros((60, 100), np.int64), ("a",)))
    with pytest.raises(InputError, match="score map"):
        heatmap(GRAY, Heatmap(np.zeros((60, 100), np.float32)))
