"""What every finder promises; a new one is found by itself."""

import inspect
from typing import Any

import numpy as np
import pytest

from sightline.core import catalog
from sightline.core.annotations import Annotation, check
from sightline.core.errors import InputError, SettingsError
from tests.contracts.test_filters import DEPTHS, picture

NAMES = catalog.names("finders")
NEEDS: dict[str, dict[str, Any]] = {"template": {"like": picture("uint8", 5, 6)}}  # what has no useful default


def run(name: str, image: np.ndarray, **settings: Any) -> Annotation:
    made = catalog.find("finders", name)(image, **{**NEEDS.get(name, {}), **settings})
    assert isinstance(made, Annotation)
    return check(made)


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("depth", DEPTHS)
def test_a_record_the_same_twice_and_the_input_is_left_alone(name: str, depth: str) -> None:
    given = picture(depth, 24, 31, 3)
    kept = given.copy()
    given.setflags(write=False)
    made = run(name, given)
    assert np.array_equal(given, kept)
    assert made.gap(run(name, given)) == 0


@pytest.mark.parametrize("shape", [(0, 5, 3), (5,), (2, 3, 4, 3)])
def test_what_is_no_picture_gets_a_typed_error(name: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError):
        run(name, np.zeros(shape, np.uint8))


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 7, 3), (9, 1, 3), (1, 1), (5, 6, 4)])
@pytest.mark.parametrize("level", [0, 255])
def test_plain_and_smallest_pictures_give_a_record_or_a_typed_error(
    name: str, shape: tuple[int, ...], level: int
) -> None:
    try:
        run(name, np.full(shape, level, np.uint8))
    except (InputError, SettingsError):
        return


def test_settings_are_keywords_with_values_and_it_says_what_it_does(name: str) -> None:
    found = catalog.find("finders", name)
    first, *settings = inspect.signature(found).parameters.values()
    assert first.default is first.empty
    assert all(one.kind is one.KEYWORD_ONLY and one.default is not one.empty for one in settings)
    assert (found.__doc__ or "").strip()
