"""Pictures to inputs and coordinates back: what goes in comes out where it was."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.core.errors import InputError
from sightline.core.image import ArrayImage, FileImage
from sightline.core.inputs import (
    Frame,
    InputSpec,
    blend,
    common_spec,
    conform,
    cut,
    fit,
    fit_all,
    moments,
    normalised,
    place,
)
from sightline.core.sample import Sample

RNG = np.random.default_rng(0)
SIDES = st.integers(1, 70)


def sample(*pictures: np.ndarray) -> Sample:
    return Sample("s", tuple(ArrayImage(pixels) for pixels in pictures))


def test_an_example_is_one_row() -> None:
    spec = InputSpec((4, 5), 2, "uint16")
    assert spec.example().shape == (1, 4, 5, 2)
    assert spec.example().dtype == np.uint16
    assert spec.moving() == (0,)


@given(SIDES, SIDES, SIDES, SIDES, st.sampled_from(["stretch", "letterbox", "tile"]))
def test_points_and_boxes_return(rows: int, columns: int, high: int, wide: int, way: str) -> None:
    spec = InputSpec((high, wide), 1, fit=way, overlap=min(high, wide) // 3)
    box = np.array([[0.0, 0.0, columns, rows], [0.25 * columns, 0.5 * rows, 0.5 * columns, 0.75 * rows]])
    for frame, pixels in fit(np.zeros((rows, columns, 1), np.uint8), spec):
        assert pixels.shape == (high, wide, 1)
        np.testing.assert_allclose(frame.boxes_back(frame.boxes_in(box)), box, atol=1e-9)
        np.testing.assert_allclose(frame.points_back(frame.points_in(box[:, :2])), box[:, :2], atol=1e-9)
        if way != "tile":
            inside = frame.boxes_in(box)[0]
            assert (inside >= -1e-9).all()
            assert (inside <= np.array([wide, high, wide, high]) + 1e-9).all()


@pytest.mark.parametrize("way", ["stretch", "letterbox"])
def test_a_mark_is_found_where_the_frame_says(way: str) -> None:
    pixels = np.zeros((40, 100, 1), np.uint8)
    pixels[20:30, 60:80] = 255
    ((frame, placed),) = fit(pixels, InputSpec((64, 64), 1, fit=way))
    x0, y0, x1, y1 = frame.boxes_in(np.array([[60.0, 20, 80, 30]]))[0].round().astype(int)
    rows, columns = np.nonzero(placed[..., 0] > 200)
    assert abs(rows.min() - y0) <= 1
    assert abs(rows.max() + 1 - y1) <= 1
    assert abs(columns.min() - x0) <= 1
    assert abs(columns.max() + 1 - x1) <= 1


def test_a_letterbox_keeps_the_shape() -> None:
    ((frame, placed),) = fit(np.full((10, 20, 3), 7, np.uint16), InputSpec((40, 40), 3, "uint16", "letterbox"))
    assert frame.scale == (2.0, 2.0)
    assert frame.offset == (10.0, 0.0)
    assert (placed[10:30] == 7).all()
    assert (placed[:10] == 114 * 257).all()


@given(SIDES, SIDES, st.integers(4, 32), st.integers(0, 20), st.booleans())
def test_tiles_cut_and_blended_are_the_picture(rows: int, columns: int, side: int, overlap: int, deep: bool) -> None:
    pixels = RNG.random((3, rows, columns, 2) if deep else (rows, columns, 2), np.float32)
    size = (2, side, side) if deep else (side, side)
    overlap = min(overlap, side - 1)
    spec = InputSpec(size, 2, "float32", "tile", overlap)
    placed = fit(pixels, spec, 5)
    frames, tiles = [frame for frame, _ in placed], np.stack([tile for _, tile in placed])
    (whole,) = blend(tiles, frames, overlap)
    assert whole.shape == pixels.shape
    np.testing.assert_allclose(whole, pixels, atol=1e-5)  # float32 sums over up to a hundred tiles
    for frame, tile in placed:
        np.testing.assert_array_equal(cut(pixels, frame), tile)


def test_a_seam_belongs_to_the_tile_whose_middle_is_near() -> None:
    frames = [Frame(0, (4, 12), (4, 8), (1.0, 1.0), (0.0, -float(x))) for x in (0, 4)]
    (whole,) = blend(np.stack([np.zeros((4, 8, 1)), np.ones((4, 8, 1))]), frames, 4)
    row = whole[0, :, 0]
    assert (row[:4] == 0).all()
    assert (row[8:] == 1).all()
    assert (np.diff(row[3:9]) > 0).all()
    np.testing.assert_allclose(row + row[::-1], 1, atol=1e-6)


def test_samples_become_rows() -> None:
    spec = InputSpec((8, 8), 1, fit="tile", overlap=2)
    arrays, frames = fit_all(
        [sample(np.zeros((8, 8, 1), np.uint8)), sample(np.zeros((14, 8, 1), np.uint8))], {"image": spec}
    )
    assert arrays["image"].shape == (3, 8, 8, 1)
    assert [frame.sample for frame in frames] == [0, 1, 1]


def test_pairs_share_their_frames() -> None:
    spec = InputSpec((8, 8), 1, fit="tile")
    small, large = np.zeros((8, 8, 1), np.uint8), np.zeros((16, 8, 1), np.uint8)
    arrays, frames = fit_all([sample(large, large)], {"before": spec, "after": spec})
    assert arrays["before"].shape == arrays["after"].shape == (2, 8, 8, 1)
    assert len(frames) == 2
    with pytest.raises(InputError, match="aligned"):
        fit_all([sample(small, large)], {"before": spec, "after": spec})
    with pytest.raises(InputError, match="1 pictures where 2"):
        fit_all([sample(small)], {"before": spec, "after": spec})


def test_widening_is_exact() -> None:
    gray = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
    deep = conform(gray, InputSpec((16, 16), 1, "uint16"))
    assert (deep == gray.astype(int) * 257).all()
    bright = conform(gray, InputSpec((16, 16), 1, "float32"))
    np.testing.assert_array_equal(bright, (gray / np.float32(255)).astype(np.float32))
    np.testing.assert_array_equal(conform(deep, InputSpec((16, 16), 1, "float32")), bright)
    assert (conform(gray, InputSpec((16, 16), 3)) == gray).all()
    assert conform(gray[..., 0], InputSpec((16, 16), 1)).shape == (16, 16, 1)


@pytest.mark.parametrize(
    ("pixels", "spec", "why"),
    [
        (np.zeros((4, 4, 1), np.uint16), InputSpec((4, 4), 1), "bits would be lost"),
        (np.zeros((4, 4, 1), np.float32), InputSpec((4, 4), 1, "uint16"), "bits would be lost"),
        (np.zeros((4, 4, 5), np.uint8), InputSpec((4, 4), 3), "5 channels"),
        (np.zeros((4, 4, 3), np.uint8), InputSpec((4, 4), 2), "3 channels"),
        (np.zeros((2, 4, 4, 1), np.uint8), InputSpec((4, 4), 1), "3-D pixels"),
    ],
)
def test_narrowing_is_refused(pixels: np.ndarray, spec: InputSpec, why: str) -> None:
    with pytest.raises(InputError, match=why) as caught:
        conform(pixels, spec, "p.png")
    assert caught.value.code == "mismatch"


def test_colour_to_gray() -> None:
    """ITU-R BT.601: 0.299 R + 0.587 G + 0.114 B."""
    pixels = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]], np.uint8)
    assert conform(pixels, InputSpec((1, 4), 1))[0, :, 0].tolist() == [76, 150, 29, 255]
    assert conform(pixels.astype(np.float32) / 255, InputSpec((1, 4), 1, "float32")).dtype == np.float32


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_volumes(dtype: type) -> None:
    volume = np.broadcast_to((np.arange(8) * 20)[:, None, None, None], (8, 10, 12, 2)).astype(dtype)
    for way in ("stretch", "letterbox"):
        ((frame, placed),) = fit(volume, InputSpec((16, 20, 24), 2, str(np.dtype(dtype)), way))
        assert placed.shape == (16, 20, 24, 2)
        assert placed.dtype == dtype
        assert (np.diff(placed[:, 10, 12, 0].astype(float)) >= 0).all()
        points = np.array([[1.0, 2.0, 3.0]])
        np.testing.assert_allclose(frame.points_back(frame.points_in(points)), points)


def test_the_usual_size(tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_bytes(b"no")
    bad = Sample("bad", (FileImage(tmp_path / "bad.png"),))
    good = [sample(np.zeros((10, side, 1), np.uint8)) for side in (8, 20, 30)]
    deep = sample(np.zeros((10, 20, 3), np.uint16))
    assert common_spec([*good, bad, Sample("none")]) == (1, "uint8", (10, 20))
    assert common_spec([*good, deep])[:2] == (3, "uint16")
    with pytest.raises(InputError, match="none of the pictures"):
        common_spec([bad])
    with pytest.raises(InputError, match="volumes"):
        common_spec([deep, sample(np.zeros((2, 3, 4, 1), np.uint8))])


@pytest.mark.parametrize(("dtype", "top"), [("uint8", 255), ("uint16", 65535), ("float32", 1)])
@pytest.mark.parametrize("channels", [1, 3, 6])
def test_normalised_inputs_are_those_that_networks_make_inside(dtype: str, top: int, channels: int) -> None:
    torch = pytest.importorskip("torch")
    from sightline.heads._pixels import Pixels

    spec = InputSpec((5, 7), channels, dtype, mean=(0.4,), std=(0.2,))
    if channels == 3:
        spec = InputSpec((5, 7), 3, dtype, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
    pixels = (RNG.random((2, 5, 7, channels)) * top).astype(dtype)
    inside = Pixels(spec)(torch.from_numpy(pixels)).movedim(1, -1).numpy()
    np.testing.assert_allclose(normalised(pixels, spec), inside, atol=2e-5)
    room = np.empty(pixels.shape, np.float32)
    assert normalised(pixels, spec, room) is room


def test_moments_are_of_the_pictures_given_and_of_no_others() -> None:
    spec = InputSpec((8, 8), 3)
    pictures = [np.stack([np.full((8, 8), v), np.full((8, 8), 2 * v), np.zeros((8, 8))], -1) for v in (0, 51, 102)]
    found = moments([sample(p.astype(np.uint8)) for p in pictures], spec)
    np.testing.assert_allclose(found.mean, [0.2, 0.4, 0.0], atol=1e-6)
    np.testing.assert_allclose(found.std, [np.std([0, 0.2, 0.4]), np.std([0, 0.4, 0.8]), 1e-3], atol=1e-5)
    assert (found.size, found.channels) == (spec.size, spec.channels)
    with pytest.raises(InputError, match="none of the pictures"):
        moments([Sample("none")], spec)


def test_a_file_is_fitted_as_its_pixels_are(tmp_path: Path) -> None:
    """Without loss in the file and without reduction, a lazy picture and an array meet the same fate."""
    pixels = (RNG.random((37, 53, 3)) * 255).astype(np.uint8)
    np.save(tmp_path / "a.npy", pixels)
    for way in ("stretch", "letterbox"):
        for resample in ("smooth", "fast", "area"):
            spec = InputSpec((16, 24), 3, fit=way, resample=resample)
            ((frame, ours),) = place(FileImage(tmp_path / "a.npy"), spec)
            ((same, theirs),) = fit(pixels, spec)
            assert frame == same
            np.testing.assert_array_equal(ours, theirs)
