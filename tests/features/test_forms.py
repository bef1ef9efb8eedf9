"""The shape feature keeps still where the thing moves, turns or grows, and tells shapes apart."""

from __future__ import annotations

import cv2
import numpy as np

from sightline.features import forms, gradients, local


def thing(name: str, x: int = 48, y: int = 48, turn: float = 0.0, reach: float = 22.0) -> np.ndarray:
    count = {"triangle": 3, "square": 4, "disc": 60}[name]
    angle = np.deg2rad(turn) + np.arange(count) * 2 * np.pi / count
    points = np.stack([x + reach * np.cos(angle), y + reach * np.sin(angle)], 1)
    return np.asarray(cv2.fillPoly(np.zeros((96, 96), np.uint8), [np.rint(points).astype(np.int32)], 230))


def test_moved_turned_and_grown_it_is_the_same_shape() -> None:
    row = forms.shape(thing("triangle"))
    assert np.abs(forms.shape(thing("triangle", 40, 52)) - row).max() < 1e-6
    turned, grown = forms.shape(thing("triangle", turn=37)), forms.shape(thing("triangle", reach=33))
    others = [forms.shape(thing(name)) for name in ("square", "disc")]
    kept = [1, 2, 4, 5]
    for same in (turned, grown):
        near = np.abs(same - row)[kept].max()
        assert near < 0.2
        assert all(np.abs(other - row)[kept].max() > near for other in others)
    assert grown[0] > 2 * row[0]
    assert np.abs(forms.shape(255 - thing("triangle"), dark=True) - row).max() < 1e-6
    assert not forms.shape(np.zeros((20, 20), np.uint8)).any()


def test_orb_is_bits_that_light_does_not_change() -> None:
    image = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 255, (64, 64)).astype(np.uint8), (0, 0), 2)
    row = local.orb(image)
    assert row.shape == (64, 256)
    assert set(np.unique(row)) == {0, 1}
    assert 0.3 < row.mean() < 0.7
    darker = local.orb((image * 0.8 + 10).astype(np.uint8))
    assert (darker != row).mean() < 0.05
    other = local.orb(cv2.GaussianBlur(np.random.default_rng(1).integers(0, 255, (64, 64)).astype(np.uint8), (0, 0), 2))
    assert (other != row).mean() > 0.3
    assert (local.orb(image, turned=True) != row).any()


def test_hog_draws_lines_along_the_edges() -> None:
    image = np.zeros((64, 64), np.uint8)
    image[:, 32:] = 255
    shown = gradients.hog.picture(image, cells=8, bins=4, side=256)  # type: ignore[attr-defined]
    assert shown.shape == (256, 256, 3)
    assert not shown[:, :80].any()
    rows, columns = np.nonzero(shown[:32, ..., 0] > 120)
    assert np.ptp(rows) > 2 * np.ptp(columns[columns < 128]), "the line runs as the edge does"
