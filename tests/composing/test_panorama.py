"""Crops and views of a drawn scene become the scene again."""

import numpy as np
import pytest

from sightline.composing.panorama import panorama
from sightline.core.errors import InputError, SettingsError
from sightline.core.relation import corners_of
from sightline.core.warp import Warp
from tests.composing.test_composing import decibels
from tests.matchers.known import scene, spoiled

LEFTS = (0, 160, 320, 464)


def crops(gains: tuple[float, ...] = (1, 1, 1, 1)) -> list[np.ndarray]:
    """Four pictures of one row of a scene, from left to right."""
    whole = scene(1, "pairs")[300:600] * 0.75
    return [
        spoiled(whole[:, left : left + 340] * gain, 2, row)
        for row, (left, gain) in enumerate(zip(LEFTS, gains, strict=True))
    ]


@pytest.mark.parametrize(("blend", "least"), [("bands", 38), ("feather", 38), ("none", 37)])
def test_crops_in_any_order_become_the_scene(blend: str, least: float) -> None:
    one, two, three, four = crops()
    made = panorama([three, one, four, two], blend=blend)
    truth = scene(1, "pairs")[300:600, :804] * 0.75
    assert made.names == ("picture 2", "picture 4", "picture 1", "picture 3")
    rows, columns = made.pixels.shape[:2]
    assert abs(rows - 300) <= 3
    assert abs(columns - 804) <= 3
    left = int(np.rint(-made.matrices[1][0, 2])), int(np.rint(-made.matrices[1][1, 2]))
    at = slice(4 - left[1], 290 - left[1]), slice(4 - left[0], 795 - left[0])
    assert decibels(made.pixels[at], truth[4:290, 4:795]) > least
    assert made.missed < 0.3
    assert made.seen.mean() > 0.98


def test_light_of_overlaps_is_made_equal() -> None:
    gains = (1.0, 1.2, 0.8, 1.0)
    made = panorama(crops(gains))
    level = np.array(made.gains) * gains
    assert level / level.mean() == pytest.approx(1, abs=0.03)
    plain = panorama(crops(gains), gain=False, blend="none")
    assert plain.gains == (1, 1, 1, 1)


def test_views_of_a_camera_that_turns_are_laid_in_perspective() -> None:
    whole, size = scene(1), (240, 300)
    lens = np.array([[350, 0, size[1] / 2], [0, 350, size[0] / 2], [0, 0, 1.0]])
    plane = np.array([[500, 0, 512], [0, 500, 512], [0, 0, 1.0]])
    views, truths = [], []
    for row, yaw in enumerate((0.35, -0.35, 0.0, 0.17, -0.17)):
        turn = np.array([[np.cos(yaw), 0, -np.sin(yaw)], [0, 1, 0], [np.sin(yaw), 0, np.cos(yaw)]])
        matrix = lens @ turn @ np.linalg.inv(plane)
        views.append(spoiled(Warp(matrix, whole.shape[:2], size).pixels(whole), 2, row))
        truths.append(matrix)
    made = panorama(views, crop=True)
    assert made.seen.all()
    assert made.middle == "picture 3"
    for matrix, truth in zip(made.matrices, truths, strict=True):
        ours = np.linalg.inv(made.matrices[2]) @ matrix
        true = truths[2] @ np.linalg.inv(truth)
        laid = [Warp(each / each[2, 2], size, size).points(corners_of(size)) for each in (ours, true)]
        assert np.hypot(*(laid[0] - laid[1]).T).max() < 2


def test_what_does_not_overlap_is_named() -> None:
    one, two, _, four = crops()
    with pytest.raises(InputError, match="picture 3 overlaps with no other picture") as caught:
        panorama([one, two, four[:, 150:]])
    assert caught.value.code == "unrelated"
    with pytest.raises(SettingsError, match="blend = 'glue'"):
        panorama([one, two], blend="glue")
    with pytest.raises(SettingsError, match="finds no move of a whole picture"):
        panorama([one, one], by="dis")


def test_a_view_too_wide_for_a_plane_is_refused() -> None:
    whole, size = scene(1, "pairs"), (200, 240)
    corners = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1.0]])
    far = np.array([[1.0, 0, -150], [0, 1, -150], [0.0036, 0, 0.4]])
    first = spoiled(
        Warp(corners @ np.array([[1, 0, -100], [0, 1, -100], [0, 0, 1.0]]), whole.shape[:2], size).pixels(whole), 1, 1
    )
    second = spoiled(Warp(far, whole.shape[:2], size).pixels(whole), 1, 2)
    with pytest.raises(InputError) as caught:
        panorama([first, second])
    assert caught.value.code in ("too_large", "unrelated")


def test_pages_of_many_channels_and_gray_are_laid() -> None:
    for channels in (1, 4):
        pair = [np.concatenate([crop, crop[..., :1]], 2)[..., :channels] for crop in crops()[:2]]
        made = panorama(pair)
        assert made.pixels.shape[2] == channels
