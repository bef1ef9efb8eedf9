"""What every matcher promises; a new one is found by itself."""

import inspect
from typing import Any

import numpy as np
import pytest

from sightline.core import catalog
from sightline.core.annotations import Annotation
from sightline.core.errors import InputError, SightlineError
from sightline.core.relation import SURE, Field, Matches, Move
from tests.matchers.known import blotches, scene, spoiled

NAMES = catalog.names("matchers")
DEPTHS = ("uint8", "uint16", "float32")


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def pair(depth: str = "uint8", channels: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """The same seen twice, four whole pixels apart."""
    whole = blotches(128, 164, channels)
    deep = {"uint8": whole, "uint16": whole.astype(np.uint16) * 257, "float32": whole.astype(np.float32) / 255}[depth]
    return np.ascontiguousarray(deep[:, :160]), np.ascontiguousarray(deep[:, 4:164])


def step(found: Annotation) -> np.ndarray:
    """How far the answer says that things went from the first to the second, in the middle."""
    if isinstance(found, Move):
        return np.asarray(found.inverse().warp.points(np.array([[80.0, 64.0]]))[0] - [80, 64])
    if isinstance(found, Matches):
        return np.median(found.points[:, 2:] - found.points[:, :2], 0)
    assert isinstance(found, Field)
    return np.median(found.steps[20:-20, 30:-30].reshape(-1, 2), 0)


def asked(name: str, first: np.ndarray, second: np.ndarray) -> Any:
    """The answer, or the error that stands for it."""
    try:
        return catalog.find("matchers", name)(first, second)
    except InputError as error:
        return error


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_shift_is_found_at_any_depth_and_the_pictures_are_left_alone(name: str, depth: str, channels: int) -> None:
    first, second = pair(depth, channels)
    kept = first.copy(), second.copy()
    first.setflags(write=False)
    second.setflags(write=False)
    match = catalog.find("matchers", name)
    found = match(first, second)
    assert isinstance(found, Matches | Move | Field)
    assert found.score is not None
    assert SURE <= found.score <= 1
    assert step(found) == pytest.approx([-4, 0], abs=0.25)
    assert np.array_equal(first, kept[0])
    assert np.array_equal(second, kept[1])
    assert found.gap(match(first, second)) == 0, "the same pictures, the same answer"
    assert isinstance(found.to_json(), dict)


def test_pictures_without_a_channel_axis_are_taken(name: str) -> None:
    first, second = pair(channels=1)
    assert step(catalog.find("matchers", name)(first[..., 0], second[..., 0])) == pytest.approx([-4, 0], abs=0.25)


def test_different_sizes_give_an_answer_or_say_that_they_may_not_differ(name: str) -> None:
    first, second = pair()
    found = asked(name, first, second[:116, :150])
    if isinstance(found, InputError):
        assert found.code == "mismatch"
        assert "(128, 160)" in found.message
        assert "(116, 150)" in found.message
        return
    assert found.score >= SURE
    if isinstance(found, Field):
        assert found.steps.shape == (128, 160, 2)
        assert np.median(found.steps[20:90, 30:110].reshape(-1, 2), 0) == pytest.approx([-4, 0], abs=0.25)
    else:
        assert step(found) == pytest.approx([-4, 0], abs=0.25)
        assert found.first == (128, 160)
        assert found.second == (116, 150)


def strangers() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Pictures with nothing to hold on to, or nothing in common."""
    chance = np.random.default_rng(5)
    noise = chance.integers(0, 256, (2, 160, 200, 3), dtype=np.uint8)
    slope = np.add.outer(np.arange(160.0), np.arange(200.0))[..., None] / 2
    return {
        "plain": (np.full((64, 80, 3), 90, np.uint8),) * 2,
        "nearly plain": (spoiled(np.full((160, 200, 3), 90), 3, 1), spoiled(np.full((160, 200, 3), 90), 3, 2)),
        "noise": (noise[0], noise[1]),
        "slopes": (spoiled(slope, 2, 1), spoiled(180 - slope * 0.8, 2, 2)),
        "two places": (scene(1)[300:500, :300], scene(2, "pairs")[300:500, 300:600]),
    }


@pytest.mark.parametrize("which", list(strangers()))
def test_strangers_get_a_typed_error_or_a_low_score_never_a_sure_answer(name: str, which: str) -> None:
    first, second = strangers()[which]
    found = asked(name, first, second)
    if isinstance(found, InputError):
        assert found.code == "unrelated"
        assert "nothing to hold on to" in found.message
    else:
        assert found.score < SURE


@pytest.mark.parametrize("shape", [(0, 5, 3), (5, 0, 3), (5,), (2, 3, 4, 3), (1, 1, 3), (1, 1), (8, 200, 3)])
def test_what_is_no_picture_or_too_small_gets_a_typed_error(name: str, shape: tuple[int, ...]) -> None:
    good = pair()[0]
    for given in ((np.zeros(shape, np.uint8), good), (good, np.zeros(shape, np.uint8))):
        with pytest.raises(InputError) as caught:
            catalog.find("matchers", name)(*given)
        assert caught.value.code == "mismatch"
        assert name in caught.value.message


def test_numbers_that_are_none_are_refused(name: str) -> None:
    first, second = pair("float32")
    first[3, 3] = np.nan
    with pytest.raises(InputError, match="no numbers"):
        catalog.find("matchers", name)(first, second)


def test_settings_are_keywords_with_values_and_wrong_words_are_refused(name: str) -> None:
    found = catalog.find("matchers", name)
    one, two, *settings = inspect.signature(found).parameters.values()
    assert one.default is one.empty
    assert two.default is two.empty
    assert all(each.kind is each.KEYWORD_ONLY and each.default is not each.empty for each in settings)
    assert (found.__doc__ or "").strip()
    for each in settings:
        if isinstance(each.default, str):
            with pytest.raises(SightlineError, match="nonsense"):
                found(*pair(), **{each.name: "nonsense"})
