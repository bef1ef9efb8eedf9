"""Neighbourhoods and shapes, against scikit-image and scipy."""

import numpy as np
import pytest
from scipy import ndimage
from skimage import morphology as reference

from sightline.filters import morphology, shapes
from tests.contracts.test_filters import picture

DEPTHS = {"uint8": 255, "uint16": 65535, "float32": 1.0}


@pytest.fixture(params=DEPTHS)
def depth(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def blobs(seed: int = 2, side: int = 70) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=(side, side + 9))
    return ndimage.gaussian_filter(noise, 2.2) > 0.02


def drawn(mask: np.ndarray, depth: str) -> np.ndarray:
    return np.where(mask, DEPTHS[depth], 0).astype(depth)


PAIRS = {
    "erode": reference.erosion,
    "dilate": reference.dilation,
    "open": reference.opening,
    "close": reference.closing,
    "top_hat": reference.white_tophat,
    "black_hat": reference.black_tophat,
}


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("shape", ["disc", "square", "diamond"])
def test_neighbourhoods_are_those_of_scikit_image(name: str, shape: str, depth: str) -> None:
    kernel = {"disc": reference.disk(2), "square": np.ones((5, 5)), "diamond": reference.diamond(2)}[shape]
    given = picture(depth, 30, 34)
    made = getattr(morphology, name)(given, radius=2, shape=shape)
    assert made == pytest.approx(PAIRS[name](given, kernel), abs=1e-6)


def test_a_cross_and_several_times() -> None:
    given = picture("uint8", 30, 34, 6)
    cross = ndimage.generate_binary_structure(2, 1)
    wanted = given[..., 5]
    for _ in range(3):
        wanted = ndimage.grey_dilation(wanted, footprint=cross, mode="nearest")
    assert np.array_equal(morphology.dilate(given, radius=1, shape="cross", times=3)[..., 5], wanted)


def test_a_gradient_is_dilated_less_eroded(depth: str) -> None:
    given = picture(depth, 30, 34, 3)
    wanted = morphology.dilate(given, radius=1) - morphology.erode(given, radius=1)
    assert np.array_equal(morphology.morphological_gradient(given), wanted)


def test_nothing_is_black_where_black_is_below_zero() -> None:
    given = np.full((9, 9), 5, np.float32)
    given[4, 4] = -7
    made = morphology.black_hat(given)
    assert made[4, 4] == 5
    assert (np.delete(made.ravel(), 40) == -7).all()


@pytest.mark.parametrize("seed", range(4))
def test_skeletons_and_thin_shapes_are_those_of_scikit_image(seed: int, depth: str) -> None:
    mask = blobs(seed)
    assert np.array_equal(shapes.thin(drawn(mask, depth), times=0) > 0, reference.thin(mask))
    assert np.array_equal(shapes.thin(drawn(mask, depth), times=2) > 0, reference.thin(mask, 2))
    made = shapes.skeleton(drawn(mask, depth)) > 0
    assert np.array_equal(made, reference.thin(mask))
    eight = np.ones((3, 3))
    assert ndimage.label(made, eight)[1] == ndimage.label(mask, eight)[1], "no shape is torn or lost"


def test_holes_are_those_of_scipy(depth: str) -> None:
    mask = blobs()
    assert np.array_equal(shapes.fill_holes(drawn(mask, depth)) > 0, ndimage.binary_fill_holes(mask))


@pytest.mark.parametrize("area", [0, 1, 30, 120, 10**6])
def test_small_ones_are_those_of_scikit_image(area: int, depth: str) -> None:
    mask = blobs()
    labels, count = ndimage.label(mask, np.ones((3, 3)))
    sizes = ndimage.sum(mask, labels, range(count + 1))
    wanted = mask & (sizes >= area)[labels]
    assert np.array_equal(shapes.remove_small(drawn(mask, depth), area=area) > 0, wanted)
    if area == 30:
        assert np.array_equal(wanted, reference.remove_small_objects(mask, max_size=29, connectivity=2))


def test_more_shapes_than_sixteen_bits_count() -> None:
    given = np.zeros((520, 520), np.uint8)
    given[::2, ::2] = 255
    given[-3:, -3:] = 255
    made = shapes.remove_small(given, area=5) > 0
    assert made.sum() == 9 + 3, "and three that touch it at a corner"
    assert made[-3:, -3:].all()


def test_small_holes_are_filled_too() -> None:
    mask = np.zeros((20, 20), bool)
    mask[2:18, 2:18] = True
    mask[5, 5] = mask[8:14, 8:14] = False
    made = shapes.remove_small(drawn(mask, "uint8"), area=20, holes=True) > 0
    assert made[5, 5]
    assert not made[10, 10]


def test_distances_are_those_of_scipy(depth: str) -> None:
    mask = blobs()
    wanted = ndimage.distance_transform_edt(mask)
    top = DEPTHS[depth]
    slack = 0.51 / top if depth != "float32" else 1e-4
    assert np.abs(shapes.distance(drawn(mask, depth)) / top - wanted / wanted.max()).max() <= slack + 1e-4
    assert np.abs(shapes.distance(drawn(mask, depth), reach=3) / top - (wanted / 3).clip(0, 1)).max() <= slack + 1e-4


@pytest.mark.parametrize("seed", range(4))
def test_hulls_are_those_of_scikit_image(seed: int) -> None:
    """Its polygon runs through the middles of the outermost pixels; what it only touches may be in or out."""
    mask = blobs(seed)
    mask[:9] = mask[:, :7] = mask[-8:] = False
    made = shapes.convex_hull(drawn(mask, "uint8")) > 0
    wanted = reference.convex_hull_image(mask, offset_coordinates=False)
    assert (made >= mask).all()
    assert (made != wanted).sum() <= 0.03 * wanted.sum()
    each = shapes.convex_hull(drawn(mask, "uint8"), each=True) > 0
    assert (each >= mask).all()
    assert each.sum() < made.sum()


def test_a_place_that_is_open_at_a_corner_is_a_hole() -> None:
    """Shapes touch at corners, so what is dark does not."""
    given = np.zeros((9, 9), np.uint8)
    given[2:7, 2:7] = 255
    given[3:6, 3:6] = given[2, 2] = 0
    assert shapes.fill_holes(given)[4, 4] == 255
    dark = np.full((9, 9), 255, np.uint8)
    dark[3, 3] = dark[4, 4] = 0
    assert shapes.remove_small(dark, area=2, holes=True).all()
    assert not shapes.remove_small(255 - dark, area=3).any()
    assert shapes.remove_small(255 - dark, area=2).any()
