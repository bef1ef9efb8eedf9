"""Pictures as strangers send them: every accepted format and mode gives the right pixels, everything else one error."""

import io
import os
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

from sightline.core import decoding, image
from sightline.core.errors import INPUT_CODES, InputError
from sightline.core.header import Header
from sightline.core.image import ArrayImage, BytesImage, FileImage, as_image, encode, read_image, tidy
from sightline.core.limits import LIMITS, Limits, check

RNG = np.random.default_rng(0)
GRAY = RNG.integers(0, 256, (6, 9)).astype(np.uint8)
COLOUR = RNG.integers(0, 256, (6, 9, 3)).astype(np.uint8)
DEEP = RNG.integers(0, 65536, (6, 9)).astype(np.uint16)
FLOAT = RNG.random((6, 9), np.float32)


def saved(pixels: np.ndarray | Pillow.Image, format: str, **options: object) -> bytes:
    stream = io.BytesIO()
    picture = pixels if isinstance(pixels, Pillow.Image) else Pillow.fromarray(pixels)
    picture.save(stream, format, **options)
    return stream.getvalue()


def png(*chunks: tuple[bytes, bytes]) -> bytes:
    parts = [struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def ihdr(width: int, height: int, bits: int, colour: int) -> tuple[bytes, bytes]:
    return b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)


def code_of(data: bytes | Path) -> str:
    with pytest.raises(InputError) as caught:
        read_image(data)
    assert "\n" not in caught.value.message
    assert caught.value.code in INPUT_CODES
    return caught.value.code


@pytest.mark.parametrize("format", ["PNG", "BMP", "TIFF", "PPM", "WEBP"])
@pytest.mark.parametrize("pixels", [GRAY, COLOUR], ids=["gray", "colour"])
def test_lossless_formats_give_the_same_pixels(format: str, pixels: np.ndarray) -> None:
    got = read_image(saved(pixels, format, **({"lossless": True} if format == "WEBP" else {})))
    want = tidy(pixels)
    assert got.dtype == np.uint8
    np.testing.assert_array_equal(got, np.broadcast_to(want, got.shape))


def test_jpeg_is_close() -> None:
    smooth = np.add.outer(np.arange(64), np.arange(64)).astype(np.uint8)
    got = read_image(saved(smooth, "JPEG", quality=95))
    assert got.shape == (64, 64, 1)
    assert np.abs(got[..., 0].astype(int) - smooth).max() <= 4


@pytest.mark.parametrize(("format", "pixels"), [("PNG", DEEP), ("TIFF", DEEP), ("TIFF", FLOAT)])
def test_depth_is_kept(format: str, pixels: np.ndarray) -> None:
    got = read_image(saved(pixels, format))
    assert got.dtype == pixels.dtype
    np.testing.assert_array_equal(got[..., 0], pixels)


def test_portable_graymaps_of_sixteen_bits() -> None:
    got = read_image(b"P5 9 6 65535\n" + DEEP.astype(">u2").tobytes())
    np.testing.assert_array_equal(got[..., 0], DEEP)


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_few_bits_span_black_to_white(bits: int) -> None:
    rows = b"\0" + bytes([0b00011011])
    got = read_image(png(ihdr(8 // bits, 1, bits, 0), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")))
    values = [(0b00011011 >> (8 - bits - place)) & (2**bits - 1) for place in range(0, 8, bits)]
    assert got[0, :, 0].tolist() == [value * 255 // (2**bits - 1) for value in values]


@pytest.mark.parametrize("turn", range(1, 9))
def test_orientation_is_applied(turn: int) -> None:
    """EXIF 2.32, tag 274: which edge of the picture the first row and column are."""
    upright = np.arange(6 * 9 * 3, dtype=np.uint8).reshape(6, 9, 3)
    back = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: np.rot90(upright),
        7: upright[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(upright, -1),
    }[turn]
    exif = Pillow.Exif()
    exif[0x0112] = turn
    data = saved(np.ascontiguousarray(back), "PNG", exif=exif)
    np.testing.assert_array_equal(read_image(data), upright)
    assert decoding.header(data) == (6, 9)


def test_palettes_become_colours() -> None:
    picture = Pillow.new("P", (2, 1))
    picture.putpalette([10, 20, 30, 40, 50, 60])
    picture.putpixel((1, 0), 1)
    assert read_image(saved(picture, "PNG")).tolist() == [[[10, 20, 30], [40, 50, 60]]]


@pytest.mark.parametrize(("mode", "clear", "solid"), [("RGBA", (9, 9, 9, 0), (9, 8, 7, 255)), ("LA", (9, 0), (7, 255))])
def test_transparency_is_laid_over_white(mode: str, clear: tuple[int, ...], solid: tuple[int, ...]) -> None:
    picture = Pillow.new(mode, (2, 1), clear)
    picture.putpixel((1, 0), solid)
    got = read_image(saved(picture, "PNG"))
    assert got.shape == (1, 2, len(solid) - 1)
    assert (got[0, 0] == 255).all()
    assert got[0, 1].tolist() == list(solid[:-1])


def test_print_colours_become_rgb() -> None:
    assert read_image(saved(Pillow.new("CMYK", (4, 3), (0, 255, 255, 0)), "JPEG", quality=100))[0, 0, 0] > 200


def test_one_bit_is_black_and_white() -> None:
    assert set(np.unique(read_image(saved(Pillow.fromarray(GRAY > 99), "PNG")))) == {0, 255}


def test_the_first_frame_of_an_animation() -> None:
    frames = [Pillow.new("L", (5, 4), shade) for shade in (10, 200)]
    data = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert (read_image(data) == 10).all()


def test_white_is_zero_in_sixteen_bits_too() -> None:
    tifffile = pytest.importorskip("tifffile")
    stream = io.BytesIO()
    tifffile.imwrite(stream, np.full((4, 4), 10, np.uint16), photometric="miniswhite")
    assert (read_image(stream.getvalue()) == 65525).all()


@pytest.mark.parametrize(
    ("pixels", "options"),
    [
        (np.full((4, 4), -3, np.int8), {}),
        (np.full((4, 4), -3, np.int16), {}),
        (np.full((4, 4), 70_000, np.int32), {}),
        (FLOAT.astype(np.float64), {}),
        (np.zeros((4, 4), np.complex64), {}),
    ],
    ids=["int8", "int16", "int32", "float64", "complex"],
)
def test_a_tiff_that_would_lose_bits_is_refused(pixels: np.ndarray, options: dict[str, str]) -> None:
    tifffile = pytest.importorskip("tifffile")
    stream = io.BytesIO()
    tifffile.imwrite(stream, pixels, **options)
    assert code_of(stream.getvalue()) == "unsupported"


@pytest.mark.parametrize("colour", [0, 2, 4, 6])
def test_without_the_library_for_it_sixteen_bit_colour_is_refused_by_name(
    colour: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Gray with one transparent shade counts as colour: it has two channels."""
    size = {0: 2, 2: 6, 4: 4, 6: 8}[colour]
    rows = (b"\0" + bytes(size * 2)) * 2
    clear = ((b"tRNS", b"\0\5"),) if colour == 0 else ()
    data = png(ihdr(2, 2, 16, colour), *clear, (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    pytest.importorskip("imagecodecs")
    assert read_image(data).dtype == np.uint16
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    with pytest.raises(InputError, match=r"pip install 'sightline\[io\]'") as caught:
        read_image(data)
    assert caught.value.code == "unsupported"


@pytest.mark.parametrize("keep", [0.3, 0.6, 0.95])
@pytest.mark.parametrize("format", ["JPEG", "PNG", "BMP", "TIFF", "WEBP"])
def test_a_file_cut_short_is_refused(format: str, keep: float) -> None:
    data = saved(RNG.integers(0, 256, (64, 64, 3)).astype(np.uint8), format)
    assert code_of(data[: int(len(data) * keep)]) in ("truncated", "corrupt")


def test_a_flipped_bit_anywhere_in_a_png_is_refused() -> None:
    data = saved(COLOUR, "PNG")
    for place in range(8, len(data)):
        broken = bytearray(data)
        broken[place] ^= 4
        assert code_of(bytes(broken)) in ("corrupt", "truncated", "too_large"), place


def test_a_bomb_is_refused_by_its_header() -> None:
    """A petabyte is announced; the answer comes at once and without the memory."""
    body = ((b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b""))
    for width, height in ((100_000, 100_000), (15_000, 14_000), (2**31 - 1, 2**31 - 1)):
        assert code_of(png(ihdr(width, height, 8, 2), *body)) in ("too_large", "corrupt")
    assert code_of(png(ihdr(12_000, 6_000, 8, 2), *body)) == "too_large"  # 72 million pixels of three channels


def test_array_files() -> None:
    volume = RNG.random((3, 4, 5, 2), np.float32)
    np.testing.assert_array_equal(read_image(encode(volume)), volume)
    assert decoding.header(encode(volume)) == (3, 4, 5)
    assert read_image(encode(FLOAT.astype(np.float64))).dtype == np.float32
    data = encode(volume)
    for broken in (data[:-1], data + b"\0", data[:60], data[:6] + b"\x09" + data[7:]):
        assert code_of(broken) == "corrupt"
    stream = io.BytesIO()
    np.save(stream, np.array([{}], object), allow_pickle=True)
    assert code_of(stream.getvalue()) == "corrupt"
    huge = (
        b"\x93NUMPY\x01\x00v\x00{'descr': '|u1', 'fortran_order': False, 'shape': (9999999999, 999), }".ljust(127)
        + b"\n"
    )
    assert code_of(huge) == "too_large"
    negative = huge.replace(b"(9999999999, 999)", b"(-2, -5)         ")
    assert code_of(negative) == "corrupt"
    assert code_of(encode(np.zeros((2, 2), np.int64))) == "unsupported"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b"not a picture", "unknown_format"),
        (b"%PDF-1.7", "unknown_format"),
        (b"RIFFxxxxAVI ", "corrupt"),
    ],
)
def test_what_is_no_picture(data: bytes, code: str) -> None:
    assert code_of(data) == code
    with pytest.raises(InputError):
        decoding.header(data)


@given(
    st.sampled_from([b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"BM", b"II*\x00", b"GIF8", b"P5", b"RIFF", b"\x93NUMPY"]),
    st.binary(max_size=200),
)
def test_any_bytes_give_pixels_or_one_error(magic: bytes, rest: bytes) -> None:
    for look in (read_image, decoding.header):
        try:
            look(magic + rest)
        except InputError as error:
            assert error.code in INPUT_CODES  # noqa: PT017 - an answer is fine too


@given(st.data(), st.sampled_from(["JPEG", "TIFF", "GIF", "BMP", "WEBP"]))
def test_any_damage_gives_pixels_or_one_error(data: st.DataObject, format: str) -> None:
    whole = bytearray(saved(COLOUR, format))
    for _ in range(3):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        pixels = read_image(bytes(whole))
        assert pixels.ndim in (3, 4)
    except InputError as error:
        assert error.code in INPUT_CODES  # noqa: PT017 - an answer is fine too


def test_paths_that_lead_nowhere(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.png", tmp_path, tmp_path / "nul\0.png", tmp_path / ("x" * 300)):
        assert code_of(path) == "missing"
        assert FileImage(path).fingerprint() == "unreadable"


@pytest.mark.skipif(sys.platform == "win32", reason="no named pipes in folders there")
def test_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.png")
    assert code_of(tmp_path / "a.png") == "missing"
    assert FileImage(tmp_path / "a.png").fingerprint() == "unreadable"


def test_a_file_over_the_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image, "LARGEST_FILE", 100)
    (tmp_path / "a.png").write_bytes(saved(COLOUR, "PNG"))
    assert code_of(tmp_path / "a.png") == "too_large"


def test_handles_agree(tmp_path: Path) -> None:
    data = saved(COLOUR, "PNG")
    (tmp_path / "a.png").write_bytes(data)
    file, memory, array = as_image(tmp_path / "a.png"), as_image(data), as_image(COLOUR)
    assert as_image(array) is array
    assert file.name.endswith("a.png")
    assert file.fingerprint() == memory.fingerprint() != array.fingerprint()
    assert file.encoded() == memory.encoded() == data
    for handle in (file, memory, array, BytesImage(array.encoded())):
        np.testing.assert_array_equal(handle.read(), COLOUR)
    assert ArrayImage(COLOUR).fingerprint() == array.fingerprint()
    assert ArrayImage(COLOUR.transpose(1, 0, 2)).fingerprint() != array.fingerprint()
    with pytest.raises(InputError, match="int"):
        as_image(3)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("shape", [(4, 5, 1), (4, 5, 3), (4, 5, 5), (2, 4, 5, 1)])
def test_encoding_loses_nothing(dtype: type, shape: tuple[int, ...]) -> None:
    pixels = (RNG.random(shape) * 200).astype(dtype)
    back = read_image(encode(pixels))
    assert back.dtype == dtype
    np.testing.assert_array_equal(back, pixels)


def test_tidy() -> None:
    assert tidy(np.eye(3, dtype=bool)).max() == 255
    assert tidy(np.zeros((2, 3))).dtype == np.float32
    for bad in (np.zeros((2, 2), np.int32), np.zeros(4, np.uint8), np.zeros((0, 2, 3), np.uint8)):
        with pytest.raises(InputError, match="uint8"):
            tidy(bad)


def test_the_inspector_counts_every_pixel() -> None:
    counts = image.histogram(COLOUR, 16)
    assert counts.shape == (3, 16)
    assert (counts.sum(1) == 54).all()
    assert image.histogram(FLOAT).sum() == 54
    told = image.describe(COLOUR)
    assert told["shape"] == [6, 9, 3]
    assert told["channels"][1]["max"] == COLOUR[..., 1].max()


def test_a_file_that_does_not_know_its_size_is_read_whole() -> None:
    path = Path("/proc/self/status")
    if not path.exists():
        pytest.skip("no such files here")
    assert path.stat().st_size == 0
    assert FileImage(path).encoded().startswith(b"Name:")


@pytest.mark.parametrize(
    ("header", "limits"),
    [
        (Header("X", (4, 4, 3), pages=11), Limits(frames=10)),
        (Header("X", (4, 4, 3), total=101), Limits(total=100)),
        (Header("X", (4, 4, 3)), Limits(values=47)),
        (Header("X", (4, 4, 3), np.dtype(np.uint16)), Limits(memory=95)),
        (Header("X", (4, 4, 3)), Limits(free=40, expansion=4)),
    ],
)
def test_each_limit_alone_refuses(header: Header, limits: Limits) -> None:
    check(header, 10, "x", LIMITS)
    with pytest.raises(InputError, match="the limit is"):
        check(header, 10, "x", limits)
