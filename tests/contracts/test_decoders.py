"""What every decoder promises; a new one is found by itself, and asked for a file of its kind in the gallery."""

import ast
import inspect
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from sightline.core import catalog, decoding, image
from sightline.core.encoding import encode_as
from sightline.core.errors import INPUT_CODES, InputError
from sightline.core.header import Header
from sightline.core.image import read_image
from sightline.core.limits import LIMITS
from tests.core.mutator import mutants
from tests.decoders import gallery

NAMES = catalog.names("decoders")


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def decoder(name: str) -> ModuleType:
    return catalog.find("decoders", name)  # type: ignore[no-any-return]


def files(name: str) -> list[bytes]:
    """The files of the gallery that this decoder claims."""
    found = [piece.data for _, piece in gallery.pieces() if decoding.recognise(piece.data, "")[0] == name]
    assert found, f"add a file that '{name}' reads to tests/decoders/gallery.py"
    return found


def test_it_says_what_it_reads(decoder: ModuleType) -> None:
    assert decoder.__doc__
    assert decoder.SUFFIXES
    assert all(end.startswith(".") and end == end.lower() for end in decoder.SUFFIXES)
    assert list(inspect.signature(decoder.recognises).parameters) == ["data"]
    assert list(inspect.signature(decoder.look).parameters) == ["data", "page", "limits"]
    assert list(inspect.signature(decoder.read).parameters) == ["data", "header", "page", "reduce"]


def test_its_names_are_listed_as_pictures(decoder: ModuleType) -> None:
    assert set(decoder.SUFFIXES) <= set(image.SUFFIXES)


def test_no_two_claim_a_file_with_equal_right(name: str) -> None:
    for data in files(name):
        claims = sorted((one.recognises(data) for one in decoding.decoders().values()), reverse=True)
        assert claims[0] > claims[1]


def test_few_bytes_and_other_bytes_are_not_claimed(decoder: ModuleType) -> None:
    for data in (
        b"\0",
        b"GI",
        b"\xff" * 64,
        b"<svg/>",
        b"%PDF-1.7",
        b"%!PS-Adobe",
        b"#EXTM3U\n",
        b"\x7fELF" + bytes(60),
    ):
        assert not decoder.recognises(data)


def test_the_header_is_what_the_pixels_turn_out_to_be(name: str, decoder: ModuleType) -> None:
    for data in files(name):
        header = decoder.look(data, 0, LIMITS)
        assert isinstance(header, Header)
        pixels = decoder.read(data, header, 0, 1)
        assert pixels.reshape(header.shape).dtype == header.dtype
        assert header.total >= header.values


def test_a_shortcut_is_close_and_as_careful(name: str, decoder: ModuleType) -> None:
    """A decoder may bring `quick` besides `read`: the same sizes, depths and refusals, and almost the same pixels."""
    if not hasattr(decoder, "quick"):
        pytest.skip("it has one way")
    for data in files(name):
        for at_least in (None, (5, 5)):
            exact = read_image(data, at_least=at_least)
            quick = read_image(data, at_least=at_least, quick=True)
            assert (quick.shape, quick.dtype) == (exact.shape, exact.dtype)
            assert np.abs(quick.astype(float) - exact).mean() <= 0.01 * np.ptp(exact) + 1
        for cut in (data[: len(data) // 2], data[:-2]):
            with pytest.raises(InputError):
                read_image(cut, quick=True)


def test_any_damage_is_one_typed_error(name: str, decoder: ModuleType) -> None:
    """In this process: these few were tried in a guarded one before."""
    for number, data in mutants(files(name), 25, first=500_000):
        try:
            assert read_image(data).size, number
        except InputError as error:
            assert error.code in INPUT_CODES and len(error.message) < 600, number  # noqa: PT017, PT018 - an answer is fine


def test_what_it_writes_it_reads(decoder: ModuleType) -> None:
    if not hasattr(decoder, "encode"):
        pytest.skip("it only reads")
    held = 0
    for pixels in (gallery.RGB, gallery.GRAY[..., None], gallery.DEEP_RGB, gallery.FIVE, gallery.FLOAT[..., None]):
        try:
            data = encode_as(pixels, decoder.SUFFIXES[0], quality=100)
        except InputError as error:
            assert error.code == "unsupported"  # noqa: PT017 - what it cannot hold is refused, never changed
            continue
        held += 1
        back = read_image(data)
        assert (back.shape, back.dtype) == (pixels.shape, pixels.dtype)
        lossy = 30 if decoder.SUFFIXES[0] in (".jpg", ".avif") else 0
        assert np.abs(back.astype(float) - pixels).max() <= lossy
    assert held


def test_nothing_heavy_is_loaded_to_know_what_is_a_picture() -> None:
    code = "import sys; from sightline.core import decoding; decoding.suffixes(); print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], env=os.environ, capture_output=True, text=True, check=True)
    assert {"PIL", "simplejpeg", "tifffile", "imagecodecs", "pi_heif", "rawpy", "cv2"} & set(
        done.stdout.split()
    ) == set()


def test_no_decoder_hands_foreign_bytes_to_opencv(name: str, decoder: ModuleType) -> None:
    for path in Path(str(decoder.__file__)).parent.glob("*.py"):
        words = {node.id for node in ast.walk(ast.parse(path.read_bytes())) if isinstance(node, ast.Name)}
        assert "cv2" not in words, path


def test_a_new_kind_is_one_new_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another package brings a kind of picture, and nothing else is told."""
    (tmp_path / "dots.py").write_text(
        '"""Dots."""\nimport numpy as np\nfrom sightline.core.header import Header\nSUFFIXES = (".dots",)\n'
        "def recognises(data): return 2 * data.startswith(b'DOTS')\n"
        "def look(data, page, limits): return Header('DOTS', (1, len(data) - 4, 1), total=0, colour='gray')\n"
        "def read(data, header, page, reduce): return np.frombuffer(data, np.uint8, offset=4)[None, :, None]\n"
    )
    told = tmp_path / "dots-1.0.dist-info"
    told.mkdir()
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: dots\nVersion: 1.0\n")
    (told / "entry_points.txt").write_text("[sightline.decoders]\ndots = dots\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    decoding.decoders.cache_clear()
    decoding.suffixes.cache_clear()
    try:
        assert read_image(b"DOTS\1\2\3").tolist() == [[[1], [2], [3]]]
        assert ".dots" in image.SUFFIXES
    finally:
        monkeypatch.undo()
        decoding.decoders.cache_clear()
        decoding.suffixes.cache_clear()
        sys.modules.pop("dots", None)
