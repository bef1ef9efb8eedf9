"""Moves of pixels, against OpenCV and scipy."""

import cv2
import numpy as np
import pytest
from scipy.interpolate import RBFInterpolator

from sightline.core.errors import InputError, SettingsError
from sightline.filters.warping import affine, perspective, rotate, thin_plate, undistort
from tests.contracts.test_filters import picture, scene


@pytest.mark.parametrize("depth", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize(("way", "code"), [("linear", cv2.INTER_LINEAR), ("cubic", cv2.INTER_CUBIC)])
def test_a_turn_is_that_of_opencv(depth: str, way: str, code: int) -> None:
    given = picture(depth, 40, 48, 3)
    matrix = cv2.getRotationMatrix2D((23.5, 19.5), 20, 1)
    wanted = cv2.warpAffine(given, matrix, (48, 40), flags=code)
    made = rotate(given, degrees=20, way=way)
    assert np.array_equal(made, wanted.clip(0, 1) if depth == "float32" else wanted)


def test_many_channels_turn_as_each_does() -> None:
    given = picture("uint8", 20, 30, 6)
    made = rotate(given, degrees=33, border="edge")
    assert np.array_equal(made[..., 5], rotate(given[..., 5], degrees=33, border="edge"))


def test_quarter_turns_change_no_pixel() -> None:
    given = scene()
    assert np.array_equal(rotate(given, degrees=90, expand=True), np.rot90(given))
    assert np.array_equal(rotate(given, degrees=-90, expand=True), np.rot90(given, -1))
    assert np.array_equal(rotate(given, degrees=540), np.rot90(given, 2))
    assert np.array_equal(rotate(given, degrees=720), given)
    assert rotate(given, degrees=90).shape == given.shape, "in the same size where it may not grow"
    square = given[:40, :40]
    assert np.array_equal(rotate(square, degrees=90), np.rot90(square))


def test_a_larger_frame_holds_the_whole_of_a_turned_picture() -> None:
    made = rotate(np.full((40, 60), 255, np.uint8), degrees=30, expand=True)
    assert made.shape == (65, 72)
    assert made.astype(float).sum() / 255 == pytest.approx(40 * 60, rel=0.01)
    assert np.abs(made.astype(int) - made[::-1, ::-1]).max() <= 4, "in its middle"
    assert rotate(np.full((40, 60), 255, np.uint8), degrees=30).astype(float).sum() / 255 < 2200


def test_an_affine_move_is_that_of_opencv() -> None:
    matrix = np.array([[1.1, 0.2, -3], [0.1, 0.9, 5]])
    wanted = cv2.warpAffine(scene(), matrix, (60, 33), borderMode=cv2.BORDER_REPLICATE)
    made = affine(scene(), matrix=tuple(matrix.ravel()), width=60, height=33, border="edge")
    assert np.array_equal(made, wanted)
    with pytest.raises(SettingsError, match="flat"):
        affine(scene(), matrix=(1, 2, 0, 2, 4, 0))


def test_corners_become_the_corners() -> None:
    """A picture laid into another by OpenCV is found again."""
    y, x = np.mgrid[:60, :80].astype(np.float32)
    flat = np.stack([x * 3, y * 4, 255 - x - y], 2).astype(np.uint8)
    corners = np.array([[30, 20], [120, 40], [110, 100], [20, 90]], np.float32)
    there = cv2.getPerspectiveTransform(np.array([[0, 0], [80, 0], [80, 60], [0, 60]], np.float32) - 0.5, corners - 0.5)
    seen = cv2.warpPerspective(flat, there, (150, 120))
    parts = (corners / [150, 120]).ravel().tolist()
    made = perspective(seen, corners=parts, width=80, height=60)
    assert np.abs(made[3:-3, 3:-3].astype(int) - flat[3:-3, 3:-3]).max() <= 6
    assert np.array_equal(perspective(flat, corners=(0, 0, 1, 0, 1, 1, 0, 1)), flat)
    for bad in [(0, 0, 1, 0, 0, 1, 1, 1), (0, 0, 1, 0, 2, 0, 0, 1), (0, 0, 1, 0, 0.1, 0.1, 0, 1)]:
        with pytest.raises(SettingsError, match="corners"):
            perspective(flat, corners=bad)


def test_a_bend_is_that_of_scipy() -> None:
    """Between the places where it is reckoned exactly it is at most a twentieth of a pixel away."""
    rows, columns = 70, 90
    points = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0.3, 0.4], [0.7, 0.6]])
    to = points + np.array([[0, 0], [0.02, 0], [0, 0], [0, 0], [0.08, -0.05], [-0.06, 0.07]])
    size = np.array([columns, rows])
    drawn = RBFInterpolator(to * size - 0.5, points * size - 0.5, kernel="thin_plate_spline", degree=1)
    y, x = np.mgrid[:rows, :columns]
    wanted = drawn(np.stack([x.ravel(), y.ravel()], 1).astype(float)).reshape(rows, columns, 2)
    ramps = [np.broadcast_to(axis, (rows, columns)).astype(np.float32) for axis in (x, y)]
    for ramp, place in zip(ramps, (wanted[..., 0], wanted[..., 1]), strict=True):
        made = thin_plate(ramp, points=points.tolist(), to=to.tolist())
        inside = (wanted >= 0).all(2) & (wanted[..., 0] <= columns - 1) & (wanted[..., 1] <= rows - 1)
        assert np.abs(made - place)[inside].max() < 0.05
    with pytest.raises(SettingsError, match="as many"):
        thin_plate(scene(), points=((0, 0), (1, 0), (1, 1)))
    line = ((0, 0), (0.5, 0.5), (1, 1))
    with pytest.raises(SettingsError, match="line"):
        thin_plate(scene(), points=line, to=line)


def test_a_point_comes_to_lie_where_it_should() -> None:
    given = np.zeros((101, 101), np.uint8)
    given[48:53, 48:53] = 255
    made = thin_plate(given)
    y, x = (np.average(axis, weights=made) for axis in np.mgrid[:101, :101])
    assert (x, y) == pytest.approx((0.6 * 101 - 0.5, 0.45 * 101 - 0.5), abs=0.3)


def test_a_lens_is_that_of_opencv() -> None:
    camera = np.array([[48, 0, 23.5], [0, 48, 19.5], [0, 0, 1]], float)
    wanted = cv2.undistort(scene(), camera, np.array([-0.2, 0.05, 0, 0]))
    made = undistort(scene(), k1=-0.2, k2=0.05)
    assert np.abs(made.astype(int) - wanted).mean() < 0.7, "OpenCV rounds places to a thirty-second of a pixel"
    assert np.abs(undistort(scene(), k1=0).astype(int) - scene()).max() <= 1


@pytest.mark.parametrize("border", ["edge", "fill", "reflect"])
@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 9), (9, 1)])
def test_the_thinnest_pictures_come_to_an_end(border: str, shape: tuple[int, ...]) -> None:
    """OpenCV 5 does not, where it should reflect a single pixel."""
    for change in (rotate, affine, perspective, thin_plate, undistort):
        for way in ("linear", "cubic", "lanczos"):
            assert change(picture("uint8", *shape), border=border, way=way).shape == shape


def test_pictures_that_opencv_cannot_move_are_refused() -> None:
    with pytest.raises(InputError, match="32766") as caught:
        rotate(np.zeros((1, 33_000), np.uint8))
    assert caught.value.code == "too_large"
