"""Recipes of features: read, checked, and behind each other."""

import numpy as np
import pytest

from sightline.core import vectors
from sightline.core.errors import SettingsError, UnknownNameError
from sightline.core.image import ArrayImage
from sightline.core.inputs import InputSpec, fit_all
from sightline.core.sample import Sample
from sightline.features.gradients import hog
from sightline.features.texture import lbp

PICTURES = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), np.uint8)


def test_rows_are_the_features_behind_each_other() -> None:
    rows = vectors.vectors(PICTURES, "hog:cells=4+lbp:radius=2,grid=2")
    assert rows.dtype == np.float32
    for row, picture in zip(rows, PICTURES, strict=True):
        assert np.array_equal(row, np.concatenate([hog(picture, cells=4), lbp(picture, radius=2, grid=2)]))
    found = vectors.blocks("hog:cells=4+lbp:radius=2,grid=2+sift", 3)
    assert [(one.name, one.length) for one in found] == [("hog", 324), ("lbp", 236), ("sift", 8192)]
    assert found[2].shape == (64, 128)


def test_one_spelling() -> None:
    assert vectors.check(" hog : cells=4+ pixels:even=FALSE".replace(" :", ":")) == "hog:cells=4+pixels:even=False"
    assert vectors.check("lbp") == "lbp"


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        ("hog:cell=4", "hog has no setting 'cell'. Did you mean 'cells'?"),
        ("hog:cells=four", "hog:cells=four: must be a whole number above 0"),
        ("hog:cells=0", "must be a whole number above 0"),
        ("hog:cells=99999", "must be a whole number"),
        ("pixels:even=2", "must be true or false"),
        ("hog+lbp+hog", "hog is there twice"),
    ],
)
def test_a_slip_is_one_line(recipe: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message.replace("?", r"\?")):
        vectors.check(recipe)


def test_an_unknown_feature_is_named() -> None:
    with pytest.raises(UnknownNameError, match="no feature is called 'hogg'"):
        vectors.check("hogg")


def test_inputs_are_features_of_the_fitted_picture() -> None:
    spec = InputSpec((32, 32), 3, features="lbp", length=944)
    arrays, frames = fit_all([Sample(str(n), (ArrayImage(one),)) for n, one in enumerate(PICTURES)], {"features": spec})
    assert np.array_equal(arrays["features"], vectors.vectors(PICTURES, "lbp"))
    assert [frame.sample for frame in frames] == [0, 1, 2]
    assert spec.example().shape == (1, 944)
    assert spec.example().dtype == np.float32
