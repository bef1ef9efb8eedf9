"""Toys are small, exact and the same every time."""

import numpy as np
import pytest

from sightline.core.annotations import Annotation, Heatmap, Labels, Objects, Picture, Regions, Text, Value, Vector
from sightline.core.annotations import check as sound
from sightline.core.errors import UnknownNameError
from sightline.testing.toys import NAMES, toy


@pytest.mark.parametrize("kind", [Labels, Objects, Regions, Heatmap, Picture, Value, Text])
@pytest.mark.parametrize(("channels", "dtype"), [(1, "uint16"), (3, "uint8"), (5, "float32")])
def test_every_record_labels_the_same_pictures(kind: type[Annotation], channels: int, dtype: str) -> None:
    data, again = (toy(kind, 6, channels=channels, dtype=dtype) for _ in range(2))
    assert data.kind is kind
    assert data.fingerprint == again.fingerprint
    for sample, twin in zip(data, again, strict=True):
        assert sample.pixels().shape == (32, 32, channels)
        assert str(sample.pixels().dtype) == dtype
        assert (sample.pixels() == twin.pixels()).all()
        assert sample.truth is not None
        assert sound(sample.truth).gap(twin.truth) == 0


def test_the_box_lies_around_the_bright_square() -> None:
    for sample in toy(Objects, 9):
        truth = sample.truth
        assert isinstance(truth, Objects)
        x0, y0, x1, y1 = truth.boxes[0].astype(int)
        band = 2 - int(truth.classes[0])
        pixels = sample.pixels()[..., band].astype(float)
        outside = np.ones(pixels.shape, bool)
        outside[y0:y1, x0:x1] = False
        assert pixels[y0:y1, x0:x1].mean() > 180 > 60 > pixels[outside].mean()
        assert truth.masks is not None
        assert (truth.masks[0] == ~outside).all()
        assert NAMES[int(truth.classes[0])] == ("blue", "green", "red")[int(sample.id[-1]) % 3]


def test_a_record_without_a_toy_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="no toy labelled with Vector"):
        toy(Vector)
