"""What every finder promises; a new one is found by itself."""

import contextlib
import inspect
from itertools import product
from typing import Any

import numpy as np
import pytest

from sightline.core import catalog
from sightline.core.annotations import Annotation, Heatmap, Objects, Regions, Value, check
from sightline.core.errors import InputError, SettingsError, SightlineError
from tests.contracts.test_filters import DEPTHS, picture

NAMES = catalog.names("finders")
NEEDS: dict[str, dict[str, Any]] = {"template": {"like": picture("uint8", 5, 6)}}  # what has no useful default

ANYTHING = ("seed", "key")  # settings that take whatever is given


def scene() -> np.ndarray:
    """A disc, a bar and a square on noisy ground."""
    rows, columns = np.mgrid[:64, :80]
    made = np.full((64, 80), 60.0) + np.random.default_rng(0).normal(0, 3, (64, 80))
    made[np.hypot(rows - 22, columns - 24) < 13] = 200
    made[40:58, 50:68] = 160
    made[8:12, 45:75] = 230
    return np.repeat(np.clip(made, 0, 255).astype(np.uint8)[..., None], 3, 2)


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


@pytest.mark.parametrize("channels", [0, 1, 2, 4, 7])
def test_any_number_of_channels(name: str, channels: int) -> None:
    shape = (24, 31, channels) if channels else (24, 31)
    made = run(name, picture("uint8", *shape))
    if isinstance(made, Heatmap):
        assert made.scores.shape == (24, 31)
        assert 0 <= made.scores.min() <= made.scores.max() <= 1
        assert made.score == pytest.approx(float(made.scores.max()))
    if isinstance(made, Regions):
        assert made.classes.shape == (24, 31)
    if channels == 1:
        assert made.gap(run(name, picture("uint8", 24, 31, 1)[..., 0])) == 0


def test_a_picture_in_a_view_is_read_as_it_is(name: str) -> None:
    given = picture("uint8", 24, 31, 3)
    wide = np.zeros((48, 62, 3), np.uint8)
    wide[::2, ::2] = given
    want = run(name, given)
    assert want.gap(run(name, wide[::2, ::2])) == 0
    assert want.gap(run(name, np.asfortranarray(given))) == 0
    assert want.gap(run(name, np.ascontiguousarray(given[::-1, ::-1])[::-1, ::-1])) == 0


@pytest.mark.parametrize("depth", ["uint16", "float32"])
def test_the_depth_of_the_same_picture_matters_little(name: str, depth: str) -> None:
    given = scene()
    deep = given.astype(np.uint16) * 257 if depth == "uint16" else given.astype(np.float32) / 255
    made, twin = run(name, given), run(name, deep)
    if isinstance(made, Objects):
        assert isinstance(twin, Objects)
        assert abs(len(made) - len(twin)) <= max(1, len(made) // 10)
    elif isinstance(made, Heatmap):
        assert isinstance(twin, Heatmap)
        assert np.abs(made.scores - twin.scores).mean() < 0.02
    elif isinstance(made, Value):
        assert isinstance(twin, Value)
        assert twin.names == made.names
        assert twin.numbers == pytest.approx(made.numbers, rel=0.02, abs=0.02)
    else:
        assert made.gap(twin) < 0.02


def test_values_that_are_no_numbers_or_lie_beyond_white_do_no_harm(name: str) -> None:
    given = scene().astype(np.float32) / 255
    given[3, 4], given[5, 6], given[7, 8] = np.nan, np.inf, -np.inf
    made = run(name, given)
    for column in ("scores", "boxes", "numbers", "classes"):
        values = getattr(made, column, None)
        assert values is None or np.isfinite(values).all()
    run(name, scene().astype(np.float32))


def test_only_whole_answers_are_given_where_the_picture_is_plain(name: str) -> None:
    made = run(name, np.full((40, 40, 3), 128, np.uint8))
    if isinstance(made, Heatmap):
        assert made.score == 0, "nothing is steep and nothing stands out"
    if isinstance(made, Objects) and name not in ("components", "contours", "polygons", "watershed", "windows"):
        assert len(made) == 0, "nothing is there"


def test_what_shows_its_stages_ends_with_its_answer(name: str) -> None:
    finder = catalog.find("finders", name)
    if hasattr(finder, "stages"):
        stages = finder.stages(scene())
        assert len({label for label, _ in stages}) == len(stages) > 1
        assert stages[-1][1].gap(run(name, scene())) == 0


def test_a_setting_that_cannot_be_is_one_typed_line(name: str) -> None:
    finder = catalog.find("finders", name)
    for setting, one in list(inspect.signature(finder).parameters.items())[1:]:
        if isinstance(one.default, bool) or not isinstance(one.default, int | float | str) or setting in ANYTHING:
            continue
        wrong = "nonsense" if isinstance(one.default, str) else -(10**12)
        with pytest.raises(SightlineError) as caught:
            run(name, scene(), **{setting: wrong})
        assert "\n" not in str(caught.value)


def test_what_is_no_picture_gets_a_typed_error(name: str) -> None:
    for shape in ((0, 5, 3), (5,), (2, 3, 4, 3)):
        with pytest.raises(InputError):
            run(name, np.zeros(shape, np.uint8))


def test_plain_and_smallest_pictures_give_a_record_or_a_typed_error(name: str) -> None:
    for shape, level in product(((1, 1, 3), (1, 7, 3), (9, 1, 3), (1, 1), (5, 6, 4)), (0, 255)):
        with contextlib.suppress(InputError, SettingsError):
            assert run(name, np.full(shape, level, np.uint8)) is not None


def test_settings_are_keywords_with_values_and_it_says_what_it_does(name: str) -> None:
    found = catalog.find("finders", name)
    first, *settings = inspect.signature(found).parameters.values()
    assert first.default is first.empty
    assert all(one.kind is one.KEYWORD_ONLY and one.default is not one.empty for one in settings)
    assert (found.__doc__ or "").strip()
