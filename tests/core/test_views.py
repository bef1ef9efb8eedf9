"""Moves that wait: the same pixels as moves that do not, without reading more than is asked for."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import simplejpeg

from sightline.core.decoding import decoders
from sightline.core.header import Header
from sightline.core.image import ArrayImage, BytesImage, FileImage, Image, read_image
from sightline.core.known import KnownImage
from sightline.core.limits import Limits
from sightline.core.resampling import resize
from sightline.core.views import Source, View, reduced_size

RNG = np.random.default_rng(0)


@dataclass(eq=False)
class Watched:
    """A picture that can be decoded at parts of its size, as JPEG can, and says how it was read."""

    pixels: np.ndarray
    name: str = "watched"
    asked: list[tuple[int, int] | None] = field(default_factory=list)

    @property
    def shape(self) -> tuple[int, int]:
        return self.pixels.shape[0], self.pixels.shape[1]

    def read(self, at_least: tuple[int, int] | None = None) -> np.ndarray:
        self.asked.append(at_least)
        if at_least is None:
            return self.pixels
        by = self.shape[0] // at_least[0]
        rows, columns, channels = self.pixels.shape
        return self.pixels.reshape(rows // by, by, columns // by, by, channels).mean((1, 3)).astype(self.pixels.dtype)

    def encoded(self) -> bytes:
        return b""

    def fingerprint(self) -> str:
        return "watched"


def smooth(rows: int, columns: int) -> np.ndarray:
    """A picture whose place can be read off its values: red grows to the right, green downwards."""
    y, x = np.mgrid[:rows, :columns]
    return np.stack([x / columns * 250, y / rows * 250, 0 * x + 40], -1).astype(np.uint8)


def test_a_window_and_a_flip_are_slices() -> None:
    pixels = (RNG.random((20, 30, 3)) * 255).astype(np.uint8)
    view = View.of(ArrayImage(pixels)).window(3, 5, 10, 12)
    np.testing.assert_array_equal(view.read(), pixels[3:13, 5:17])
    np.testing.assert_array_equal(view.mirrored().read(), pixels[3:13, 5:17][:, ::-1])
    np.testing.assert_array_equal(view.mirrored().window(0, 0, 4, 4).read(), pixels[3:7, 13:17][:, ::-1])
    upside = View.of(ArrayImage(pixels)).moved((1, 0, 0, 0, -1, 20), (20, 30))
    np.testing.assert_array_equal(upside.read(), pixels[::-1])
    assert view.shape == (10, 12)
    assert View.of(view) is view


@pytest.mark.parametrize("channels", [1, 3, 6])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_sampling_a_window_is_cropping_and_resizing(dtype: str, channels: int) -> None:
    pixels = (RNG.random((60, 80, channels)) * 255).astype(dtype)
    view = View.of(ArrayImage(pixels)).window(7, 11, 40, 50).mirrored()
    for way in ("smooth", "fast", "area"):
        expected = resize(pixels[7:47, 11:61], (16, 20), way)[:, ::-1]
        np.testing.assert_array_equal(view.sampled((16, 20), way), expected)
    assert view.sampled((16, 20)).dtype == dtype


def test_only_the_scale_that_is_needed_is_decoded() -> None:
    watched = Watched(smooth(320, 480))
    small = View.of(watched).sampled((80, 120))
    assert watched.asked == [(80, 120)]
    np.testing.assert_allclose(small.astype(int), resize(smooth(320, 480), (80, 120)), atol=2)
    watched.asked.clear()
    View.of(watched).window(0, 0, 160, 240).sampled((80, 120))
    assert watched.asked == [(160, 240)], "a window needs more of the whole"
    watched.asked.clear()
    View.of(watched).window(0, 0, 81, 121).sampled((80, 120))
    assert watched.asked == [(320, 480)]
    watched.asked.clear()
    View.of(watched).read()
    assert watched.asked == [None]


def test_a_picture_that_is_always_read_whole_is_not_asked_for_parts() -> None:
    class Whole:
        name = "whole"

        def read(self, at_least: tuple[int, int] | None = None) -> np.ndarray:
            return smooth(64, 64)

        def encoded(self) -> bytes:
            return b""

        def fingerprint(self) -> str:
            return "whole"

    for image in (Whole(), KnownImage(Whole())):
        np.testing.assert_array_equal(View.of(image).sampled((16, 16)), resize(smooth(64, 64), (16, 16)))


@pytest.mark.parametrize("kind", ["gray", "colour"])
def test_a_photograph_is_fitted_from_a_part_of_its_size_much_as_from_the_whole(tmp_path: Path, kind: str) -> None:
    from PIL import Image

    y, x = np.mgrid[:480, :640]
    plain = 120 + 60 * np.sin(x / 37) + 40 * np.cos(y / 23) + RNG.normal(0, 3, x.shape)
    pixels = np.clip(plain if kind == "gray" else np.stack([plain, plain[::-1], plain[:, ::-1]], -1), 0, 255)
    Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / "p.jpg", quality=90)
    view = View.of(FileImage(tmp_path / "p.jpg"))
    whole = View.of(ArrayImage(FileImage(tmp_path / "p.jpg").read()))
    assert view.size == (480, 640)
    for size, window in (((96, 128), (0, 0, 480, 640)), ((100, 90), (31, 57, 402, 371)), ((48, 64), (3, 5, 470, 630))):
        gap = np.abs(view.window(*window).sampled(size).astype(int) - whole.window(*window).sampled(size))
        assert gap.mean() <= 1.5
    assert view.source.held == 0, "the whole was never decoded"


@pytest.mark.parametrize("by", [1, 2, 4])
def test_a_window_of_a_reduced_picture_lies_where_it_should(by: int) -> None:
    """Places are read off the colours: the window's corners are right to half an input pixel."""
    watched = Watched(smooth(512, 512))
    side = 64 * by
    view = View.of(watched).window(101, 203, side + by, side + by)
    made = view.sampled((64, 64)).astype(float)
    assert watched.asked[0] is not None
    columns = 203 + (np.arange(64) + 0.5) * (side + by) / 64 - 0.5
    rows = 101 + (np.arange(64) + 0.5) * (side + by) / 64 - 0.5
    inner = slice(2, -2)
    np.testing.assert_allclose(made[32, inner, 0], columns[inner] / 512 * 250, atol=0.5 * by * 250 / 512 + 1)
    np.testing.assert_allclose(made[inner, 32, 1], rows[inner] / 512 * 250, atol=0.5 * by * 250 / 512 + 1)


def test_several_moves_are_one_warp() -> None:
    pixels = smooth(100, 140)
    cos, sin = np.cos(0.3), np.sin(0.3)
    turn = (cos, -sin, 70 - 70 * cos + 50 * sin, sin, cos, 50 - 70 * sin - 50 * cos)
    view = View.of(ArrayImage(pixels)).moved(turn, (100, 140), border="fill", fill=0)
    made = view.window(30, 40, 40, 60).sampled((80, 120))
    x, y = 40 + (np.arange(120) + 0.5) / 2, np.full(120, 30 + 20.25)
    back_x = cos * (x - 70) + sin * (y - 50) + 70
    np.testing.assert_allclose(made[40, :, 0], (back_x - 0.5) / 140 * 250, atol=2)


def test_what_a_window_has_cut_away_does_not_return() -> None:
    pixels = np.zeros((40, 40, 1), np.uint8)
    pixels[:, 20:] = 200
    left = View.of(ArrayImage(pixels)).window(0, 0, 40, 20)
    shifted = left.moved((1, 0, -10, 0, 1, 0), (40, 20), border="fill", fill=9)
    assert set(np.unique(shifted.read())) == {0, 9}
    whole = View.of(ArrayImage(pixels)).moved((1, 0, -10, 0, 1, 0), (40, 40), border="fill", fill=9)
    assert set(np.unique(whole.read())) == {0, 9, 200}


def test_edits_come_last_and_in_order() -> None:
    pixels = (RNG.random((40, 40, 3)) * 100).astype(np.uint8)
    view = View.of(ArrayImage(pixels)).changed(lambda p: p + np.uint8(1)).window(0, 0, 20, 20)
    view = view.changed(lambda p: p * np.uint8(2))
    np.testing.assert_array_equal(view.sampled((10, 10)), (resize(pixels[:20, :20], (10, 10)) + 1) * 2)
    np.testing.assert_array_equal(view.read(), (pixels[:20, :20] + 1) * 2)


def test_an_edited_view_moved_beyond_its_edge_is_filled_after_the_edit() -> None:
    view = View.of(ArrayImage(np.full((8, 8, 1), 10, np.uint8))).changed(lambda p: p * np.uint8(3))
    made = view.moved((1, 0, 4, 0, 1, 0), (8, 8), border="fill", fill=5).read()
    assert set(np.unique(made)) == {5, 30}


def test_a_view_is_an_image() -> None:
    pixels = (RNG.random((8, 9, 3)) * 255).astype(np.uint8)
    view = View.of(ArrayImage(pixels, "p.png"))
    assert view.name == "p.png"
    assert view.fingerprint() == ArrayImage(pixels).fingerprint()
    assert view.encoded() == ArrayImage(pixels).encoded()


def test_the_size_is_known_before_the_pixels() -> None:
    assert Source(Watched(smooth(32, 48))).size == (32, 48)
    source = Source(ArrayImage(np.zeros((3, 4, 5, 1), np.uint8)))
    assert source.size == (3, 4, 5)
    assert source.held == 60


def test_a_file_is_read_once_for_its_size_and_its_pixels(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    np.save(path, np.arange(24, dtype=np.uint8).reshape(4, 6, 1))
    view = View.of(FileImage(path))
    assert view.size == (4, 6)
    path.unlink()
    assert view.read()[3, 5, 0] == 23


@pytest.mark.parametrize(
    ("size", "need", "expected"),
    [
        ((480, 640), (60, 80), (60, 80)),
        ((480, 640), (61, 80), (120, 160)),
        ((480, 640), (60, 81), (120, 160)),
        ((481, 641), (61, 81), (61, 81)),
        ((480, 640), (241, 10), (480, 640)),
        ((480, 640), (1000, 10), (480, 640)),
    ],
)
def test_parts_of_a_size(size: tuple[int, int], need: tuple[int, int], expected: tuple[int, int]) -> None:
    assert reduced_size(size, *need) == expected


def photograph() -> bytes:
    """A JPEG with halved colours, as cameras write it."""
    from skimage import data

    made: bytes = simplejpeg.encode_jpeg(np.ascontiguousarray(data.astronaut()[:400]), 90, colorsubsampling="420")
    return made


@pytest.mark.parametrize("of", [BytesImage, lambda data: KnownImage(BytesImage(data))])
def test_a_decoder_hurries_only_for_the_fast_way(of: Callable[[bytes], Image]) -> None:
    data = photograph()
    exact = {by: read_image(data, at_least=(400 // by, 512 // by)) for by in (1, 2)}
    hurried = {by: read_image(data, at_least=(400 // by, 512 // by), quick=True) for by in (1, 2)}
    for size, by in (((224, 224), 1), ((150, 200), 2)):
        assert not np.array_equal(exact[by], hurried[by])
        for way, pixels in (("smooth", exact), ("area", exact), ("fast", hurried)):
            made = View.of(of(data)).sampled(size, way)
            np.testing.assert_array_equal(made, resize(pixels[by], size, way, reduced=(by, by)), err_msg=way)
    np.testing.assert_array_equal(View.of(of(data)).read(), exact[1])


def test_what_hurry_costs_is_less_than_what_antialiasing_changes() -> None:
    """A level on average, and far less than the two ways of shrinking differ by."""
    data = photograph()
    size = (224, 224)
    smooth_, fast = (View.of(BytesImage(data)).sampled(size, way).astype(float) for way in ("smooth", "fast"))
    careful = resize(read_image(data), size, "fast").astype(float)
    gap = np.abs(fast - careful)
    assert gap.mean() <= 1.2
    assert np.quantile(gap, 0.99) <= 8
    assert np.square(gap).mean() <= np.square(smooth_ - careful).mean() / 4
    assert abs((fast - careful).mean()) <= 1, "hardly lighter or darker"


def test_a_header_is_read_once_for_size_and_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    jpeg, looks = decoders()["jpeg"], list[int]()
    pixels = RNG.integers(0, 255, (64, 96, 3), np.uint8)
    data = simplejpeg.encode_jpeg(pixels, 90, "RGB", "444", False)
    look = jpeg.look

    def counted(given: bytes, page: int, limits: Limits) -> Header:
        looks.append(len(given))
        return look(given, page, limits)

    monkeypatch.setattr(jpeg, "look", counted)
    view = View.of(BytesImage(data, "one.jpg"))
    assert view.size == (64, 96)
    assert (view.sampled((16, 24)) == resize(read_image(data, at_least=(16, 24)), (16, 24))).all()
    assert view.sampled((16, 24), "fast").shape == (16, 24, 3)
    assert looks == [len(data)] * 2  # once for the view; once for what it is compared with
