"""What every filter promises; a new one is found by itself.

A filter whose 16-bit answer is more than rounding away from its 8-bit answer says in its docstring why it is
"finer in 16 bits", and one that answers with other rows, columns or channels says so of its settings.
"""

import inspect
from functools import cache
from itertools import product

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from sightline.core import catalog
from sightline.core.errors import InputError, SettingsError

NAMES = catalog.names("filters")
DEPTHS = ("uint8", "uint16", "float32")
FREE_TEXT = ("key", "text")  # settings that any words may fill
TOPS = {"uint8": 255, "uint16": 65535, "float32": 1}
SHORT = settings(
    max_examples=3, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def picture(depth: str, *shape: int, seed: int = 3) -> np.ndarray:
    """Soft values over the whole range, no two neighbours alike."""
    light = np.random.default_rng(seed).random(shape).astype(np.float32)
    return (light * TOPS[depth]).astype(depth)


@cache
def scene() -> np.ndarray:
    """Things with edges, slopes and a little noise: what a filter is made for."""
    y, x = np.mgrid[:40, :48].astype(np.float32)
    made = np.stack([x * 5, y * 6, 255 - x * 2 - y * 3], 2) * 0.6 + 40
    made[8:20, 10:26] = (230, 210, 60)
    made[((x - 34) ** 2 + (y - 26) ** 2 < 60)] = (20, 40, 190)
    made += np.random.default_rng(1).normal(0, 3, made.shape)
    return np.rint(made.clip(0, 255)).astype(np.uint8)


def asked(name: str, image: np.ndarray) -> np.ndarray | None:
    """The answer, or nothing where the picture is refused with a typed error."""
    try:
        return catalog.find("filters", name)(image)
    except (InputError, SettingsError):
        return None


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
    assert made.flags.writeable
    assert made.flags.c_contiguous
    assert np.array_equal(given, kept)
    assert np.isfinite(made.astype(np.float64)).all()
    assert depth != "float32" or (made.min() >= 0 and made.max() <= 1)
    assert np.array_equal(made, catalog.find("filters", name)(given)), "the same picture, the same answer"


def test_what_is_no_picture_gets_a_typed_error(name: str) -> None:
    for shape in ((0, 5, 3), (5, 0, 3), (5, 5, 0), (0,), (5,), (2, 3, 4, 3)):
        with pytest.raises(InputError) as caught:
            catalog.find("filters", name)(np.zeros(shape, np.uint8))
        assert caught.value.code == "mismatch", shape


def test_the_smallest_pictures_and_other_channels_give_an_answer_or_a_typed_error(name: str) -> None:
    shapes = ((1, 1, 3), (1, 7, 3), (9, 1, 3), (1, 1), (2, 2, 1), (5, 6, 4), (8, 9, 7))
    for shape, depth in product(shapes, DEPTHS):
        made = asked(name, picture(depth, *shape))
        if made is None:
            continue
        assert made.dtype == depth, shape
        assert made.size, (shape, depth)
        assert made.ndim == len(shape) or "channels" in (catalog.find("filters", name).__doc__ or ""), (shape, depth)


def test_a_plain_picture_has_an_answer_in_range(name: str) -> None:
    """Nothing varies: what divides by a deviation, a reach or a maximum is at its worst."""
    for depth, level in product(DEPTHS, (0.0, 0.4, 1.0)):
        made = asked(name, np.full((9, 11, 3), level * TOPS[depth], depth))
        assert made is not None, "a plain picture of three channels is one"
        assert np.isfinite(made.astype(np.float64)).all(), (depth, level)
        assert 0 <= made.min() <= made.max() <= TOPS[depth], (depth, level)


def test_a_depth_that_is_unknown_is_refused(name: str) -> None:
    with pytest.raises(InputError):
        catalog.find("filters", name)(np.zeros((8, 8, 3), np.int32))


@SHORT
@given(rows=some.integers(1, 13), columns=some.integers(1, 13), channels=some.sampled_from((0, 1, 2, 3, 4, 6)))
@pytest.mark.parametrize("name", NAMES)
def test_views_in_any_order_count_as_their_copies(name: str, rows: int, columns: int, channels: int) -> None:
    """Turned, thinned out, byte-swapped and read-only memory holds the same picture."""
    whole = picture("uint16", 2 * rows, 2 * columns, *([2 * channels] if channels else []), seed=rows)
    view = whole[::-2, ::2] if not channels else whole[::-2, ::2, ::-2]
    wanted = asked(name, np.ascontiguousarray(view))
    made = asked(name, view)
    swapped = asked(name, view.astype(">u2"))
    assert (wanted is None) == (made is None) == (swapped is None)
    if wanted is not None and made is not None and swapped is not None:
        assert np.array_equal(made, wanted)
        assert np.array_equal(swapped, wanted)


@SHORT
@given(rows=some.integers(1, 33), columns=some.integers(1, 33), seed=some.integers(0, 9))
@pytest.mark.parametrize("name", NAMES)
def test_floats_of_any_range_stay_within_it(name: str, rows: int, columns: int, seed: int) -> None:
    """Heights and counts are pictures too: black is the lowest value (or 0), white the highest (or 1)."""
    given = np.random.default_rng(seed).uniform(-40, 900, (rows, columns, 3)).astype(np.float32)
    made = asked(name, given)
    if made is None:
        return
    slack = 1e-3 * 940
    assert np.isfinite(made).all()
    assert min(given.min(), 0) - slack <= made.min() <= made.max() <= max(given.max(), 1) + slack


def test_sixteen_bits_answer_as_eight_do(name: str) -> None:
    """What is 257 times as much in 16 bits becomes 257 times as much; a pixel on an edge may fall on either side."""
    if "finer in 16 bits" in (catalog.find("filters", name).__doc__ or ""):
        return
    short, long = asked(name, scene()), asked(name, scene().astype(np.uint16) * 257)
    assert (short is None) == (long is None)
    if short is not None and long is not None:
        gap = np.abs(long.astype(np.float64) - short.astype(np.float64) * 257)
        assert np.quantile(gap, 0.99) <= 1.51 * 257, "more than a level of 8 bits"


def test_floats_answer_as_sixteen_bits_do(name: str) -> None:
    whole = asked(name, scene().astype(np.uint16) * 257)
    real = asked(name, (scene() / 255).astype(np.float32))
    assert (whole is None) == (real is None)
    if whole is not None and real is not None:
        gap = np.abs(real.astype(np.float64) - whole / 65535)
        assert np.quantile(gap, 0.99) <= 0.001


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_no_number_is_refused_or_stays_where_it_is(name: str, bad: float) -> None:
    """It spoils its neighbours at most, never the picture."""
    clean = (scene() / 255).astype(np.float32)
    spoilt = clean.copy()
    spoilt[0, 0, 0] = bad
    made, wanted = asked(name, spoilt), asked(name, clean)
    if made is None or wanted is None:
        return
    assert made.shape == wanted.shape
    same = np.isclose(made, wanted, atol=0.02)
    assert same.mean() > 0.5
    assert same[made.shape[0] // 2 :, made.shape[1] // 2 :].mean() > 0.97


def test_settings_are_keywords_with_values_and_it_says_what_it_does(name: str) -> None:
    found = catalog.find("filters", name)
    first, *words = inspect.signature(found).parameters.values()
    assert first.default is first.empty
    assert all(one.kind is one.KEYWORD_ONLY and one.default is not one.empty for one in words)
    assert (found.__doc__ or "").strip()
    assert len((found.__doc__ or "").split("\n")[0]) <= 120


def plain(value: object) -> bool:
    """What a chain can name in text: numbers, words, truth, rows of these, or nothing."""
    if isinstance(value, tuple):
        return all(map(plain, value))
    return value is None or isinstance(value, bool | int | float | str)


def test_settings_are_plain_values_and_bad_ones_are_named(name: str) -> None:
    found = catalog.find("filters", name)
    image = scene()
    for one in list(inspect.signature(found).parameters.values())[1:]:
        assert plain(one.default), f"{one.name} cannot be written in a chain"
        wrong: list[object] = [object(), {"a": 1}]
        free = one.name in FREE_TEXT
        wrong += ["" if free else "no such word"] if isinstance(one.default, str) else [float("nan")]
        wrong += [True] if type(one.default) in (int, float) else []
        for value in wrong:
            with pytest.raises((SettingsError, InputError)) as caught:
                found(image, **{one.name: value})
            assert "\n" not in caught.value.message
            if isinstance(value, str) and isinstance(caught.value, InputError):
                continue  # the word was taken for a file, which is not there
            assert isinstance(caught.value, SettingsError)
            assert name in caught.value.message
            assert one.name in caught.value.message
    with pytest.raises(SettingsError, match="no_such_setting"):
        found(image, no_such_setting=1)


def test_settings_may_come_from_text(name: str) -> None:
    """Rows are lists there, and whole numbers stand for others."""
    found = catalog.find("filters", name)
    words = list(inspect.signature(found).parameters.values())[1:]
    given = {one.name: listed(one.default) if isinstance(one.default, tuple) else one.default for one in words}
    assert np.array_equal(found(scene(), **given), found(scene()))


def listed(value: object) -> object:
    return [listed(one) for one in value] if isinstance(value, tuple) else value
