"""Files that are written hold the pixels and nothing else, or are refused by name."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL.PngImagePlugin import PngInfo

from sightline.core import decoding
from sightline.core.encoding import LADDER, bare, encode, encode_as, write_image
from sightline.core.errors import InputError, StorageError
from sightline.core.image import examine, read_image
from tests.core.mutator import mutants
from tests.decoders import gallery

SUFFIXES = (".jpg", ".png", ".webp", ".tif", ".bmp", ".ppm", ".pgm", ".npy", ".avif", ".jp2", ".pfm", ".JPEG")
PRIVATE = (
    b"Exif",
    b"http://ns.adobe.com",
    b"<x:xmpmeta",
    b"GPS",
    b"ICC_PROFILE",
    b"iCCP",
    b"eXIf",
    b"tEXt",
    b"iTXt",
    b"zTXt",
)


@pytest.mark.parametrize("quality", [40, "good", 100])
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_nothing_but_pixels_is_written(suffix: str, quality: int | str, tmp_path: Path) -> None:
    pixels = gallery.RGB if suffix != ".pgm" else gallery.GRAY[..., None]
    if suffix == ".pfm":
        pixels = gallery.FLOAT[..., None]
    path = write_image(tmp_path / f"a{suffix}", pixels, quality=quality)
    data = path.read_bytes()
    assert [word for word in PRIVATE if word in data] == []
    told = examine(path)
    assert (told["profile"], told["orientation"], told["pages"], told["alpha"]) == (0, 1, 1, "")
    with Pillow.open(path) if suffix not in (".npy",) else io.BytesIO() as opened:
        assert not dict(getattr(opened, "text", {}))
        assert suffix in (".tif", ".npy") or not dict(opened.getexif())
    assert read_image(path).shape == pixels.shape
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def test_the_quality_ladder_climbs() -> None:
    chance = np.random.default_rng(0)
    rough = np.asarray(Pillow.fromarray(gallery.RGB).resize((160, 120))).astype(int) + chance.integers(
        -9, 9, (120, 160, 3)
    )
    smooth = rough.clip(0, 255).astype(np.uint8)
    for suffix in (".jpg", ".webp", ".avif"):
        sizes, gaps = [], []
        for step in LADDER:
            data = encode_as(smooth, suffix, quality=step)
            sizes.append(len(data))
            gaps.append(float(np.square(read_image(data).astype(float) - smooth).mean()))
        assert sizes == sorted(sizes)
        assert gaps == sorted(gaps, reverse=True)
    assert gaps[-1] < 20


@pytest.mark.parametrize(
    ("pixels", "suffix", "words"),
    [
        (gallery.DEEP_RGB, ".jpg", "uint8 of 1 or 3 channels"),
        (gallery.FLOAT, ".png", r"float32 \(24, 37, 1\) does not fit '.png'"),
        (gallery.FIVE, ".ppm", "1 or 3 channels"),
        (gallery.GRAY, ".webp", "3 channels"),
        (gallery.RGB, ".heic", "is not written. Accepted: .*png"),
        (gallery.RGB, "", "is not written"),
        (gallery.RGB.astype(np.int64), ".png", "uint8, uint16 or float32"),
        (np.zeros((2, 2, 2, 1), np.uint8), ".tif", "rows, columns and channels"),
    ],
)
def test_what_a_format_cannot_hold_is_refused(pixels: np.ndarray, suffix: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=words) as caught:
        write_image(tmp_path / f"a{suffix}", pixels)
    assert caught.value.code == "unsupported"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("quality", [0, 101, "finest"])
def test_quality_out_of_range(quality: int | str) -> None:
    with pytest.raises(InputError, match="quality is 1 to 100 or one of small, good, fine, best"):
        encode_as(gallery.RGB, ".jpg", quality=quality)


def test_a_disk_that_refuses(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError):
        write_image(tmp_path / "file" / "a.png", gallery.RGB)


def test_sixteen_bits_of_gray_are_packed() -> None:
    data = encode(gallery.DEEP[..., None])
    assert data.startswith(b"\x89PNG")
    np.testing.assert_array_equal(read_image(data)[..., 0], gallery.DEEP)


@pytest.mark.parametrize("suffix", [".tif", ".npy"])
@pytest.mark.parametrize(
    "pixels",
    [gallery.FIVE, gallery.DEEP_RGB, gallery.FLOAT[..., None], gallery.RGB],
    ids=["five", "deep", "float", "colour"],
)
def test_every_depth_and_channel_survives_a_file(suffix: str, pixels: np.ndarray, tmp_path: Path) -> None:
    back = read_image(write_image(tmp_path / f"a{suffix}", pixels))
    assert back.dtype == pixels.dtype
    np.testing.assert_array_equal(back, pixels)


@pytest.mark.parametrize("name", gallery.MAKERS)
def test_a_bare_file_reads_as_the_same_pixels(name: str) -> None:
    piece = gallery.piece(name)
    left = bare(piece.data, name)
    assert (read_image(left) == read_image(piece.data)).all()
    assert bare(left) == left  # there was nothing more to take away


def test_notes_of_a_png_are_taken_away_and_it_stays_upright() -> None:
    exif = Pillow.Exif()
    exif[0x0112], exif[0x010F] = 6, "Camera 5"
    stream = io.BytesIO()
    info = PngInfo()
    info.add_text("Author", "somebody")
    info.add_itxt("XML:com.adobe.xmp", "somewhere", zip=True)
    Pillow.fromarray(gallery.RGB).save(stream, "PNG", exif=exif, pnginfo=info, dpi=(300, 300))
    data = stream.getvalue() + b"and after the end"
    left = bare(data)
    assert (read_image(left) == read_image(data)).all()
    assert read_image(left).shape == (37, 24, 3)
    for word in (b"Camera", b"Author", b"XML", b"pHYs", b"after"):
        assert word in data
        assert word not in left


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_broken_file_is_bared_or_refused_but_never_read_otherwise(kind: str) -> None:
    for _, data in mutants([gallery.saved(gallery.RGB, kind)], 300):
        try:
            wanted = read_image(data)
        except InputError:
            wanted = None
        try:
            left = bare(data)
        except InputError:
            left = None
        assert (left is None) <= (wanted is None)
        if wanted is not None:
            assert (read_image(left or b"") == wanted).all()


def test_a_jpeg_that_cannot_be_walked_is_packed_anew() -> None:
    assert decoding.decoders()["jpeg"].bare(b"\xff\xd8\xff\xe1\0\x20Exif") is None
    assert decoding.decoders()["jpeg"].bare(b"\xff\xd8\xff\xd9") is None
