"""Marks: the visible one is seen, the hidden one is not, outlives packing and halving, and is not found by chance."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from sightline.core.errors import InputError, SettingsError
from sightline.core.image import write_image
from sightline.core.marking import FOUND, found
from sightline.filters.marking import PLACES, invisible_watermark, watermark
from sightline.finders.watermark import watermark as read
from tests.filters._drawn import TOPS, as_depth, noisy, packed, psnr, scene

DEPTHS = tuple(TOPS)


def photograph(seed: int, rows: int = 400, columns: int = 520) -> np.ndarray:
    """Shapes with texture and the noise of a camera."""
    rough = cv2.GaussianBlur(np.random.default_rng(seed).random((rows, columns), np.float32), (0, 0), 1.5)
    return as_depth(noisy(scene(seed, rows, columns) + (rough - 0.5)[..., None] * 0.5, 3), "uint8")


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("depth", DEPTHS)
def test_text_lies_where_it_is_put(place: str, depth: str) -> None:
    given = as_depth(np.full((120, 180, 3), 0.5, np.float32), depth)
    changed = (watermark(given, text="proof", place=place, size=0.4) != given).any(2)
    down, right = (places.mean() for places in np.nonzero(changed))
    assert (down < 60) == (place.startswith("top")) or place in ("centre", "everywhere")
    assert (right < 90) == (place.endswith("left")) or place in ("centre", "everywhere")
    if place == "centre":
        assert abs(down - 60) < 6
        assert abs(right - 90) < 6
    if place == "everywhere":
        assert changed[:60].any()
        assert changed[60:].any()
    across = np.ptp(np.nonzero(changed)[1])
    assert across > 150 or 0.3 * 180 < across < 0.5 * 180


def test_opacity_is_the_share_that_covers() -> None:
    black = np.zeros((100, 160, 1), np.uint8)
    for opacity in (0.0, 0.3, 1.0):
        assert abs(int(watermark(black, opacity=opacity).max()) - 255 * opacity) <= 2
    white = np.full((100, 160), 255, np.uint8)
    assert watermark(white, opacity=0.8).min() < 100, "a dark rim is read on white"


def test_a_picture_may_be_the_mark(tmp_path: Path) -> None:
    given = np.full((100, 200, 3), 50, np.uint8)
    logo = np.zeros((20, 40, 4), np.uint8)
    logo[..., 0], logo[:, :20, 3] = 250, 255
    made = watermark(given, picture=logo, size=0.4, opacity=1.0, place="top_left")
    assert made[10, 10].tolist() == [250, 0, 0]
    assert made[10, 70].tolist() == [50, 50, 50], "where the mark is clear the picture stays"
    write_image(tmp_path / "logo.png", logo[:, :20, :3])
    from_file = watermark(given, picture=str(tmp_path / "logo.png"), size=0.2, opacity=1.0, place="top_left")
    assert from_file[10, 10].tolist() == [250, 0, 0]
    deep = watermark(given.astype(np.uint16) * np.uint16(257), picture=logo, size=0.4, opacity=1.0, place="top_left")
    assert deep[10, 10].tolist() == [250 * 257, 0, 0]


@pytest.mark.parametrize(
    "settings", [{"text": ""}, {"text": "a\nb"}, {"text": "x" * 201}, {"text": "a雪"}, {"place": "middle"}, {"size": 0}]
)
def test_bad_settings_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match=next(iter(settings))):
        watermark(np.zeros((40, 40), np.uint8), **settings)
    with pytest.raises(InputError, match="rows, columns"):
        watermark(np.zeros((40, 40), np.uint8), picture=np.zeros((2, 4, 4, 3), np.uint8))


@pytest.mark.parametrize("seed", range(4))
def test_the_hidden_mark_outlives_packing_and_halving(seed: int) -> None:
    given = photograph(seed)
    made = invisible_watermark(given, key="ours")
    assert psnr(given, made) > 38
    half = cv2.resize(made, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    shapes = {
        "itself": made, "packed": packed(made, 75), "half": half, "half and packed": packed(half, 75),
        "double": cv2.resize(made, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC),
        "gray": cv2.cvtColor(made, cv2.COLOR_RGB2GRAY), "lighter": cv2.convertScaleAbs(made, alpha=1.1, beta=9),
        "other shape": cv2.resize(made, (400, 400), interpolation=cv2.INTER_AREA),
    }  # fmt: skip
    assert read(made, key="ours").numbers[1] > 24
    for name, seen in shapes.items():
        marked, score, chance = read(seen, key="ours").numbers
        assert marked == 1, (name, score)
        assert score > FOUND
        assert chance < 1e-6
        assert read(seen, key="theirs").numbers[0] == 0
        assert read(given, key="ours").numbers[0] == 0


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_the_hidden_mark_is_in_every_depth_and_channel(depth: str, channels: int) -> None:
    given = as_depth(np.repeat(photograph(5), 2, 2)[..., :channels] / np.float32(255), depth)
    made = invisible_watermark(given)
    assert read(made).numbers[1] > FOUND
    assert psnr(given, made) > 38
    assert np.array_equal(invisible_watermark(given, strength=0.0), given)
    twice = read(invisible_watermark(given, strength=2.0)).numbers[1]
    assert twice > read(made).numbers[1]


def test_scores_without_a_mark_are_standard_normal() -> None:
    """1,200 scores of four pictures: false positives at 3.09 deviations are one in a thousand, at the limit none."""
    scores = []
    for seed in range(4):
        plane = cv2.cvtColor(photograph(seed, 256, 300), cv2.COLOR_RGB2GRAY) / np.float32(255)
        scores += [found(plane, f"key {number}") for number in range(300)]
    assert abs(np.mean(scores)) < 0.15
    assert np.std(scores) == pytest.approx(1, abs=0.1)
    assert max(scores) < FOUND
    assert np.mean(np.array(scores) > 3.09) < 0.003


@pytest.mark.parametrize("shape", [(60, 80), (1, 1), (700, 40)])
def test_plain_and_odd_pictures_have_no_mark(shape: tuple[int, int]) -> None:
    for level in (0, 90, 255):
        assert read(np.full(shape, level, np.uint8)).numbers[0] == 0


def test_a_key_is_a_text() -> None:
    for edit in (invisible_watermark, read):
        for key in ("", 7):
            with pytest.raises(SettingsError, match="key"):
                edit(np.zeros((40, 40), np.uint8), key=key)
