"""What every filter promises; a new one is found by itself."""

import inspect

import numpy as np
import pytest

from sightline.core import catalog
from sightline.core.errors import InputError, SettingsError

NAMES = catalog.names("filters")
DEPTHS = ("uint8", "uint16", "float32")


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def picture(depth: str, *shape: int) -> np.ndarray:
    """Soft values over the whole range, no two neighbours alike."""
    light = np.random.default_rng(3).random(shape).astype(np.float32)
    top = {"uint8": 255, "uint16": 65535, "float32": 1}[depth]
    return (light * top).astype(depth)


@pytest.mark.parametrize("depth", DEPTHS)
def test_depth_axes_and_range_are_kept_and_the_input_is_left_alone(name: str, depth: str) -> None:
    given = picture(depth, 24, 31, 3)
    kept = given.copy()
    given.setflags(write=False)
    made = catalog.find("filters", name)(given)
    assert made.dtype == given.dtype
    assert made.ndim == 3
    assert made is not given
    assert not np.shares_memory(made, given)
    assert np.array_equal(given, kept)
    assert np.isfinite(made.astype(np.float64)).all()
    assert depth != "float32" or (made.min() >= 0 and made.max() <= 1)
    assert np.array_equal(made, catalog.find("filters", name)(given)), "the same picture, the same answer"


@pytest.mark.parametrize("shape", [(0, 5, 3), (5, 0, 3), (5,), (2, 3, 4, 3)])
def test_what_is_no_picture_gets_a_typed_error(name: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError) as caught:
        catalog.find("filters", name)(np.zeros(shape, np.uint8))
    assert caught.value.code == "mismatch"


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 7, 3), (9, 1, 3), (1, 1), (2, 2, 1), (5, 6, 4)])
def test_the_smallest_pictures_and_other_channels_give_an_answer_or_a_typed_error(
    name: str, shape: tuple[int, ...]
) -> None:
    try:
        made = catalog.find("filters", name)(picture("uint8", *shape))
    except (InputError, SettingsError):
        return
    assert made.dtype == np.uint8
    assert made.size
    assert made.ndim == len(shape) or "channels" in (catalog.find("filters", name).__doc__ or "")


def test_a_depth_that_is_unknown_is_refused(name: str) -> None:
    with pytest.raises(InputError):
        catalog.find("filters", name)(np.zeros((8, 8, 3), np.int32))


def test_settings_are_keywords_with_values_and_it_says_what_it_does(name: str) -> None:
    found = catalog.find("filters", name)
    first, *settings = inspect.signature(found).parameters.values()
    assert first.default is first.empty
    assert all(one.kind is one.KEYWORD_ONLY and one.default is not one.empty for one in settings)
    assert (found.__doc__ or "").strip()
