"""Pictures in pairs: before and after, two dates, and what only looks like them."""

from pathlib import Path

import numpy as np
import pytest

from sightline.core.annotations import Picture, Regions
from sightline.core.data import open_data, recognise
from sightline.core.errors import AmbiguousError, InputError
from sightline.formats import pairs
from tests.formats.test_masks import PICTURE, laid, mask

OTHER = PICTURE[::-1]


@pytest.mark.parametrize(
    "files",
    [
        {"input__1_png": PICTURE, "target__1_png": OTHER},
        {"noisy__1_png": PICTURE, "clean__1_bmp": OTHER},
        {"train__blur__1_png": PICTURE, "train__sharp__1_png": OTHER},
        {"lq__train__1_png": PICTURE, "gt__train__1_png": OTHER},
        {"1_LR_png": PICTURE, "1_HR_png": OTHER},
        {"chair_real_bmp": PICTURE, "chair_mean_bmp": OTHER},
        {"x2__1_LR_png": PICTURE, "x2__1_HR_png": OTHER, "x3__1_LR_png": PICTURE, "x3__1_HR_png": OTHER},
    ],
)
def test_before_and_after(files: dict[str, np.ndarray], tmp_path: Path) -> None:
    assert recognise(laid(tmp_path, **files)) == "pairs"
    data = open_data(tmp_path)
    assert len(data) == len(files) / 2
    for sample in data:
        assert isinstance(sample.truth, Picture)
        np.testing.assert_array_equal(sample.pixels(), PICTURE)
        np.testing.assert_array_equal(sample.truth.pixels, OTHER)
    assert data[0].split == ("train" if "train" in str(list(files)) else None)


def test_two_dates_and_what_changed(tmp_path: Path) -> None:
    laid(tmp_path, A__1_png=PICTURE, B__1_png=OTHER, label__1_png=mask(0, 255), A__2_png=PICTURE, B__2_png=OTHER)
    assert recognise(tmp_path) == "pairs"
    first, second = open_data(tmp_path)
    assert isinstance(first.truth, Regions)
    assert first.truth.classes.tolist() == mask(0, 1).tolist()
    assert len(first.images) == 2
    assert second.truth is None, "a pair may lack its mask"


def test_names_that_classes_may_have_are_refused_with_both_readings(tmp_path: Path) -> None:
    laid(tmp_path, low__1_png=PICTURE, high__1_png=OTHER)
    with pytest.raises(AmbiguousError, match=r"folders: .*; pairs: "):
        recognise(tmp_path)
    laid(tmp_path / "classes", low__1_png=PICTURE, high__2_png=OTHER)
    assert recognise(tmp_path / "classes") == "folders"


def test_a_twin_that_is_missing_is_named(tmp_path: Path) -> None:
    laid(tmp_path, input__1_png=PICTURE, input__2_png=PICTURE, target__1_png=OTHER)
    assert pairs.sniff(tmp_path).strength == 1
    with pytest.raises(InputError, match=r"input/2\.png has no twin in .*target"):
        pairs.read(tmp_path)
    laid(tmp_path / "d", A__1_png=PICTURE, B__2_png=PICTURE, label__1_png=mask(0, 1))
    with pytest.raises(InputError, match=r"A/1\.png has no twin in .*B"):
        pairs.read(tmp_path / "d")
