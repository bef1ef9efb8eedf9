"""Every kind and variant of picture file gives the pixels that went into it, and says what was done to them."""

import io
import zlib
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image as Pillow

from sightline.core import decoding
from sightline.core.errors import InputError
from sightline.core.image import examine, pages, read_image
from tests.decoders import gallery

NAMES = list(gallery.MAKERS)


@pytest.fixture(params=NAMES)
def piece(request: pytest.FixtureRequest) -> gallery.Piece:
    return gallery.piece(request.param)


def test_the_pixels_are_those_that_went_in(piece: gallery.Piece) -> None:
    got = read_image(piece.data)
    assert (got.shape, got.dtype) == (piece.pixels.shape, piece.pixels.dtype)
    assert np.abs(got.astype(float) - piece.pixels).max() <= piece.off
    assert got.flags.c_contiguous


def test_what_was_done_is_said(piece: gallery.Piece) -> None:
    told = examine(piece.data)
    assert told["kind"] == piece.kind
    assert told["pages"] == piece.pages
    assert piece.says in "; ".join(told["notes"])
    assert piece.says or not told["notes"], "reading it does something that no test expects"
    got = read_image(piece.data)
    assert (tuple(told["size"]), told["channels"], told["depth"]) == (got.shape[:2], got.shape[2], str(got.dtype))
    assert decoding.header(piece.data) == got.shape[:2]


def test_reading_twice_gives_memory_of_its_own(piece: gallery.Piece) -> None:
    first = read_image(piece.data)
    kept = first.copy()
    for _ in range(3):
        read_image(piece.data)
    np.testing.assert_array_equal(first, kept)


def cuts(data: bytes, count: int, seed: int) -> Iterator[int]:
    """Where a file is cut: anywhere, and one by one at its end."""
    yield from np.random.default_rng(seed).integers(1, len(data), count).tolist()
    yield from range(max(1, len(data) - 4), len(data))


# Numbers in words: when the last word is cut, a shorter number is left, and nobody can tell.
UNTOLD = {"pgm plain", "ppm plain", "pbm plain"}


@pytest.mark.parametrize("name", sorted(set(NAMES) - UNTOLD))
def test_half_a_file_is_never_a_picture(name: str) -> None:
    data = gallery.piece(name).data
    for keep in cuts(data, 6, 7):
        with pytest.raises(InputError) as caught:
            read_image(data[:keep])
        assert caught.value.code in ("truncated", "corrupt", "unknown_format"), keep


@pytest.mark.parametrize("name", [name for name in NAMES if gallery.piece(name).pages > 1])
def test_every_page_is_there(name: str) -> None:
    piece = gallery.piece(name)
    found = list(pages(piece.data))
    assert len(found) == piece.pages
    for page, pixels in enumerate(found):
        np.testing.assert_array_equal(pixels, read_image(piece.data, page=page))
    assert len({int(pixels[-1, -1, 0]) for pixels in found}) == piece.pages
    for page in (piece.pages, -1):
        with pytest.raises(InputError, match=f"no page {page}"):
            read_image(piece.data, page=page)


def test_one_page_files_have_one_page() -> None:
    assert len(list(pages(gallery.piece("jpeg").data))) == 1


def test_frames_are_composed_as_they_are_seen() -> None:
    """A later frame that holds a part of the picture is laid over what was there."""
    ground, patch = Pillow.new("RGB", (20, 20), (10, 20, 30)), Pillow.new("RGB", (20, 20), (10, 20, 30))
    patch.paste((200, 100, 0), (5, 5, 9, 9))
    data = gallery.saved(ground, "GIF", save_all=True, append_images=[patch])
    _, second = pages(data)
    assert second[0, 0].tolist() == [10, 20, 30]
    assert second[6, 6].tolist() == [200, 100, 0]


@pytest.mark.parametrize("name", ["jpeg", "jpeg gray", "jpeg progressive"])
@pytest.mark.parametrize("reduce", [1, 2, 4, 8])
def test_a_reduced_picture_is_large_enough(name: str, reduce: int) -> None:
    piece = gallery.piece(name)
    rows, columns = (-(-length // reduce) for length in piece.pixels.shape[:2])
    got = read_image(piece.data, at_least=(rows, columns))
    assert got.shape[:2] == (rows, columns)
    assert abs(float(got.mean()) - float(piece.pixels.mean())) < 4
    more = read_image(piece.data, at_least=(rows + 1, columns))
    assert more.shape[0] > rows or reduce == 1


def test_a_turned_picture_is_reduced_by_the_way_it_is_seen() -> None:
    data = gallery.saved(np.zeros((400, 100, 3), np.uint8), "JPEG", exif=gallery._turned(6))
    assert read_image(data, at_least=(100, 400)).shape == (100, 400, 3)
    assert read_image(data, at_least=(50, 200)).shape == (50, 200, 3)
    assert read_image(data, at_least=(51, 100)).shape == (100, 400, 3)
    assert read_image(data, at_least=(1, 1)).shape == (13, 50, 3)


def test_what_cannot_be_reduced_is_given_whole() -> None:
    for name in ("png", "tiff", "webp"):
        piece = gallery.piece(name)
        assert read_image(piece.data, at_least=(2, 2)).shape == piece.pixels.shape


def _jpegs() -> Iterator[bytes]:
    chance = np.random.default_rng(3)
    for quality in (30, 75, 98):
        for size in ((375, 500), (33, 17), (8, 8), (1, 1)):
            smooth = Pillow.fromarray(chance.integers(0, 256, (6, 6, 3)).astype(np.uint8)).resize(size)
            for more in ({}, {"progressive": True}, {"subsampling": 1}, {"subsampling": 0, "optimize": True}):
                yield gallery.saved(smooth, "JPEG", quality=quality, **more)


def test_the_fast_decoder_agrees_with_the_careful_one() -> None:
    for data in _jpegs():
        want = np.asarray(Pillow.open(io.BytesIO(data)).convert("RGB")).astype(int)
        assert np.abs(read_image(data).astype(int) - want).max() <= 2


def test_a_jpeg_with_a_hole_is_refused() -> None:
    """Bytes of the scan are missing and the end is there: what a decoder fills in with gray is no picture."""
    data = gallery.saved(np.random.default_rng(1).integers(0, 256, (200, 200, 3)).astype(np.uint8), "JPEG", quality=80)
    for start in range(1000, len(data) - 3000, 1500):
        with pytest.raises(InputError):
            read_image(data[:start] + data[start + 2000 :])


@pytest.mark.parametrize(("bits", "colour"), [(1, 0), (8, 0), (8, 2), (8, 3), (8, 6), (16, 0), (16, 2)])
@pytest.mark.parametrize("shift", [-20, -1, 1])
def test_a_png_with_more_or_fewer_rows_is_refused(bits: int, colour: int, shift: int) -> None:
    """Every checksum is right, and the picture is not: decoders leave what is missing black."""
    stride = -(-40 * bits * {0: 1, 2: 3, 3: 1, 6: 4}[colour] // 8)
    palette = ((b"PLTE", bytes(range(256)) * 3),) if colour == 3 else ()

    def made(rows: int) -> bytes:
        body = zlib.compress((b"\0" + b"\x55" * stride) * rows)
        return gallery.png(gallery.ihdr(40, 40, bits, colour), *palette, (b"IDAT", body), (b"IEND", b""))

    assert read_image(made(40)).shape[:2] == (40, 40)
    with pytest.raises(InputError, match="unpack to"):
        read_image(made(40 + shift))


def test_a_png_with_a_pass_too_few_is_refused() -> None:
    for pixels in (gallery.RGB, gallery.DEEP_RGB):
        with pytest.raises(InputError, match="unpack to"):
            read_image(gallery.interlaced(pixels, 2, slice(-1)))


@pytest.mark.parametrize("name", ["jpeg", "jpeg gray", "jpeg restarts", "jpeg cmyk"])
def test_a_jpeg_that_ends_in_the_middle_and_says_so_is_refused(name: str) -> None:
    data = gallery.piece(name).data
    for cut in (40, 120, 200):
        with pytest.raises(InputError):
            read_image(data[:-cut] + b"\xff\xd9")


def test_padding_before_the_end_of_a_jpeg_is_let_through() -> None:
    data = gallery.piece("jpeg").data
    assert data.endswith(b"\xff\xd9")
    np.testing.assert_array_equal(read_image(data[:-2] + bytes(7) + b"\xff\xd9"), read_image(data))
    with pytest.raises(InputError):
        read_image(data[:-2] + b"a scan that goes on" + b"\xff\xd9")


def test_text_behind_the_first_bytes_of_a_jpeg_is_corrupt_and_not_cut() -> None:
    for data, code in ((b"\xff\xd8\xff not a picture", "corrupt"), (gallery.piece("jpeg").data[:30], "truncated")):
        with pytest.raises(InputError) as caught:
            read_image(data)
        assert caught.value.code == code


def test_odd_samplings_are_read_too() -> None:
    """Factors that the fast decoder may not know. A gray picture has the same scan in any order of its blocks."""
    data = bytearray(gallery.saved(np.full((32, 32, 3), 90, np.uint8), "JPEG", subsampling=0, optimize=True))
    frame = data.index(b"\xff\xc0")
    for channel in range(3):
        assert data[frame + 11 + 3 * channel] == 0x11
        data[frame + 11 + 3 * channel] = 0x21
    assert decoding.look(bytes(data)).plan[0] == "slow"
    assert (read_image(bytes(data), at_least=(4, 4)) == 90).all()


def test_a_profile_that_is_broken_costs_its_colours_only() -> None:
    want = gallery.RGB
    for profile, words in (
        (b"nonsense" * 40, "broken"),
        (gallery.swapped_profile()[:200], "broken"),
        (gallery.swapped_profile().replace(b"RGB ", b"CMYK", 1), "CMYK"),
        (gallery.swapped_profile()[:128] + b"\xff" * 400, "broken"),
    ):
        data = gallery.saved(want, "PNG", icc_profile=profile)
        np.testing.assert_array_equal(read_image(data), want)
        assert words in "; ".join(examine(data)["notes"])


def test_a_profile_of_srgb_changes_nothing() -> None:
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = gallery.saved(gallery.RGB, "PNG", icc_profile=profile)
    np.testing.assert_array_equal(read_image(data), gallery.RGB)
    assert "sRGB" in examine(data)["notes"][0]


@pytest.mark.parametrize("name", ["png palette", "bmp palette", "gif", "tiff palette"])
def test_masks_get_the_numbers_of_a_palette(name: str) -> None:
    got = read_image(gallery.piece(name).data, indices=True)
    np.testing.assert_array_equal(got[..., 0], gallery.GRAY // 16)
    np.testing.assert_array_equal(read_image(gallery.piece("png").data, indices=True), gallery.RGB)


def test_raw_pictures_are_developed() -> None:
    rawpy = pytest.importorskip("rawpy")
    data = gallery.piece("dng").data
    with rawpy.imread(io.BytesIO(data)) as file:
        want = file.postprocess(use_camera_wb=True, no_auto_bright=True, output_bps=16)
    np.testing.assert_array_equal(read_image(data), want)
    assert want.std() > 1000


def test_without_the_extra_its_kinds_are_refused_with_the_line_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import sys

    data = {name: gallery.piece(name).data for name in ("heic", "dng", "tiff 16 colour", "jp2 16 colour")}
    for library in ("pi_heif", "rawpy", "tifffile", "imagecodecs"):
        monkeypatch.setitem(sys.modules, library, None)
    for one in data.values():
        with pytest.raises(InputError, match=r"pip install 'sightline\[io\]'") as caught:
            read_image(one)
        assert caught.value.code == "unsupported"
    np.testing.assert_array_equal(read_image(gallery.piece("tiff 16").data)[..., 0], gallery.DEEP)
