"""What every feature promises; a new one is found by itself."""

import inspect
from typing import Any

import cv2
import numpy as np
import pytest

from sightline.core import catalog

NAMES = catalog.names("features")
# What leaves a feature as it was, for those that promise it: (feature, what is done to the picture, how near).
KEEPS: list[tuple[str, str, float]] = [
    ("lbp", "monotone", 0.0),
    ("lbp", "gain", 0.0),
    ("colour_histogram", "mirrored", 0.0),
    ("colour_histogram", "shuffled", 0.0),
    ("hog", "gain", 2e-3),
    ("hog", "brighter", 2e-3),
    ("sift", "brighter", 0.12),  # OpenCV looks at whole steps of 8 bits only
    ("pixels", "gain", 1e-4),
    ("pixels", "brighter", 1e-4),
    ("glcm", "mirrored_both", 1e-6),
    ("gabor", "brighter", 1e-4),
]


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def _picture(seed: int = 0, size: tuple[int, int] = (48, 64), channels: int = 3) -> np.ndarray:
    """Soft shapes, no two neighbours alike, from 30 to 220 of 255."""
    noise = np.random.default_rng(seed).random((*size, channels)).astype(np.float32)
    soft = np.stack([cv2.GaussianBlur(noise[..., channel], (0, 0), 2) for channel in range(channels)], -1)
    low, high = soft.min(), soft.max()
    return np.asarray(30 + 190 * (soft - low) / max(float(high - low), 1e-6)).astype(np.uint8)


def _made(name: str, picture: np.ndarray, **settings: Any) -> np.ndarray:
    return np.asarray(catalog.find("features", name)(picture, **settings))


def test_finite_float32_alike_twice_and_the_picture_is_left_alone(name: str) -> None:
    picture = _picture()
    kept = picture.copy()
    first, again = _made(name, picture), _made(name, picture)
    assert first.dtype == np.float32
    assert first.ndim in (1, 2)
    assert np.isfinite(first).all()
    assert np.array_equal(first, again)
    assert np.array_equal(picture, kept)
    assert not np.array_equal(first, _made(name, _picture(7))), "another picture, other numbers"


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 6])
def test_shapes_depend_on_channels_and_settings_only(name: str, channels: int) -> None:
    shapes = {_made(name, _picture(1, size, channels)).shape for size in [(32, 32), (47, 65), (3, 5), (1, 1), (130, 9)]}
    assert len(shapes) == 1


@pytest.mark.parametrize("depth", ["uint16", "float32"])
def test_the_depth_of_the_same_picture_changes_nothing(name: str, depth: str) -> None:
    picture = _picture(2)
    deep = picture.astype(np.uint16) * 257 if depth == "uint16" else picture.astype(np.float32) / 255
    assert np.abs(_made(name, picture) - _made(name, deep)).max() <= 1e-6


@pytest.mark.parametrize("level", [0, 77, 255])
def test_a_plain_picture_gives_finite_numbers(name: str, level: int) -> None:
    assert np.isfinite(_made(name, np.full((40, 40, 3), level, np.uint8))).all()


def test_a_picture_in_a_view_is_read_as_it_is(name: str) -> None:
    """Every second pixel of a larger array: strides are no trouble."""
    large = np.repeat(np.repeat(_picture(3), 2, 0), 2, 1)
    assert np.array_equal(_made(name, large[::2, ::2]), _made(name, _picture(3)))


def test_settings_are_keywords_with_values(name: str) -> None:
    first, *settings = inspect.signature(catalog.find("features", name)).parameters.values()
    assert first.default is first.empty
    assert all(one.kind is one.KEYWORD_ONLY and isinstance(one.default, int | float | bool) for one in settings)


def _changed(picture: np.ndarray, how: str) -> np.ndarray:
    light = picture.astype(np.float32) / 255
    if how == "shuffled":
        rows = picture.reshape(-1, picture.shape[-1])
        return np.random.default_rng(0).permutation(rows).reshape(picture.shape)
    changes = {
        "gain": lambda: light * 0.5,
        "brighter": lambda: light + 16 / 255,
        "monotone": lambda: light**2,
        "mirrored": lambda: picture[:, ::-1],
        "mirrored_both": lambda: picture[::-1, ::-1],
    }
    return np.asarray(changes[how]())


@pytest.mark.parametrize(("feature", "how", "near"), KEEPS)
def test_what_leaves_it_as_it_was(feature: str, how: str, near: float) -> None:
    picture = _picture(4, channels=1)
    assert np.abs(_made(feature, picture) - _made(feature, _changed(picture, how))).max() <= near
