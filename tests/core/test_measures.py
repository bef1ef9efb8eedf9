"""What is measured of a picture: each number moves with what it is named after, and with little else."""

import math

import cv2
import numpy as np
import pytest

from sightline.core.dataset import Dataset
from sightline.core.image import BytesImage, encode
from sightline.core.measures import NAMES, measure, measure_all, measure_row, measured
from sightline.core.sample import Sample


def scene(seed: int = 0, size: tuple[int, int] = (240, 320)) -> np.ndarray:
    rng = np.random.default_rng(seed)
    pixels = np.full((*size, 3), rng.integers(80, 160, 3), np.uint8)
    for _ in range(60):
        y, x = rng.integers(0, size[0] - 8), rng.integers(0, size[1] - 8)
        pixels[y : y + rng.integers(4, 60), x : x + rng.integers(4, 60)] = rng.integers(20, 235, 3)
    return pixels


def crete(gray: np.ndarray) -> float:
    """The published formula in floating point, written from the paper."""
    wide = gray.astype(np.float64)
    found = []
    for axis in (0, 1):
        kernel = np.ones((9, 1) if axis == 0 else (1, 9)) / 9
        again = cv2.filter2D(wide, -1, kernel, borderType=cv2.BORDER_REFLECT_101)
        steps, left = np.abs(np.diff(wide, axis=axis)), np.abs(np.diff(again, axis=axis))
        found.append((steps.sum() - np.maximum(0, steps - left).sum()) / steps.sum())
    return max(found)


def test_a_plain_picture_has_plain_numbers() -> None:
    flat = measure(np.full((100, 80, 3), 51, np.uint8))
    assert list(flat) == list(NAMES)
    assert (flat["rows"], flat["columns"], flat["channels"], flat["bits"]) == (100, 80, 3, 8)
    assert flat["brightness"] == pytest.approx(0.2)
    assert flat["contrast"] == flat["entropy"] == flat["sharpness"] == flat["noise"] == flat["colour"] == 0
    assert math.isnan(flat["blur"]), "no detail, no blur"
    half = np.zeros((64, 64), np.uint8)
    half[:, 32:] = 255
    split = measure(half)
    assert split["entropy"] == pytest.approx(1)
    assert split["contrast"] == pytest.approx(0.5)
    assert (split["shadows"], split["highlights"]) == (0.5, 0.5)
    assert 0.4 < split["glare"] < 0.5


def test_blur_is_the_published_formula() -> None:
    before = -1.0
    for sigma in (0.0, 0.8, 1.5, 3.0):
        pixels = scene() if not sigma else cv2.GaussianBlur(scene(), (0, 0), sigma)
        gray = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
        blur = measure(pixels)["blur"]
        assert blur == pytest.approx(crete(gray), abs=0.003)
        assert blur > before
        before = blur


def test_sharpness_is_the_variance_of_the_laplacian() -> None:
    gray = cv2.cvtColor(scene(), cv2.COLOR_RGB2GRAY)
    assert measure(gray)["sharpness"] == pytest.approx(cv2.Laplacian(gray, cv2.CV_64F).var(), rel=1e-6)


@pytest.mark.parametrize("sigma", [3, 8, 20])
def test_noise_is_the_noise_that_was_added(sigma: float) -> None:
    rng = np.random.default_rng(0)
    gray = np.clip(110 + rng.normal(0, sigma, (300, 300)), 0, 255).astype(np.uint8)
    assert measure(gray)["noise"] == pytest.approx(sigma, rel=0.08)
    busy = np.clip(scene()[..., 0] * 0.6 + 50 + rng.normal(0, sigma, (240, 320)), 0, 255).astype(np.uint8)
    assert measure(busy)["noise"] == pytest.approx(sigma, rel=0.2), "edges are no noise"


def test_blocks_show_with_packing() -> None:
    smooth = cv2.resize(scene(1, (40, 50)), (512, 400), interpolation=cv2.INTER_CUBIC)
    found = [
        measure(cv2.imdecode(cv2.imencode(".jpg", smooth, [1, quality])[1], 1))["blockiness"]
        for quality in (95, 50, 20, 5)
    ]
    assert found == sorted(found)
    assert found[0] < 0.2 < 0.75 < found[-1]
    assert math.isnan(measure(smooth[:40])["blockiness"])


def test_large_pictures_are_measured_as_they_are_seen() -> None:
    small = scene()
    large = cv2.resize(small, (1280, 960), interpolation=cv2.INTER_CUBIC)
    first, second = measure(small), measure(large)
    for name in ("brightness", "contrast", "shadows", "colour"):
        assert second[name] == pytest.approx(first[name], rel=0.15, abs=0.03), name
    assert (second["rows"], second["columns"]) == (960, 1280)


@pytest.mark.parametrize("shape", [(40, 50, 3), (40, 50, 1), (40, 50, 5), (1, 1, 3), (3, 200, 1), (6, 40, 50, 1)])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
def test_every_picture_gives_a_row(shape: tuple[int, ...], kind: type) -> None:
    rng = np.random.default_rng(0)
    values = rng.random(shape) if kind is np.float32 else rng.integers(0, 200, shape)
    row, tiles = measure_row(values.astype(kind))
    assert row.shape == (len(NAMES),)
    assert row.dtype == np.float32
    assert tiles.shape == (4, 4, 3)
    assert np.isnan(row[4]) == (kind is not np.uint8), "of deeper pictures the full scale is not known"


def test_numbers_that_are_none_do_not_spread() -> None:
    pixels = np.random.default_rng(0).random((50, 50, 1)).astype(np.float32)
    pixels[3, 3] = np.nan
    pixels[4, 4] = np.inf
    assert np.isfinite(measure(pixels)["entropy"])


def data(count: int = 70) -> Dataset:
    pictures = [BytesImage(encode(scene(n, (20, 30)))) for n in range(count)]
    samples = [Sample(str(n), (picture,)) for n, picture in enumerate(pictures)]
    samples[5] = Sample("5", (BytesImage(b"text"),))
    samples[6] = Sample("6")
    samples[7] = Sample("7", (pictures[7], BytesImage(b"")))
    return Dataset(samples)


def test_a_data_set_is_measured_once_and_in_order() -> None:
    pictures = data()
    found = measured(pictures)
    assert measured(pictures) is found
    assert found.rows.tolist() == [n for n in range(70) if n not in (5, 6, 7)]
    assert {place: fault.code for place, fault in found.faults.items()} == {5: "unknown_format", 7: "empty"}
    assert found.whole
    assert found["brightness"][10] == np.float32(measure(scene(12 + 1, (20, 30)))["brightness"])
    assert (found.tiles[10] == measure_row(scene(13, (20, 30)))[1]).all()


def test_some_of_a_data_set() -> None:
    pictures = data()
    told: list[str] = []
    found = measure_all(pictures, [2, 5, 9], lambda event: told.append(event.text))
    assert found.rows.tolist() == [2, 9]
    assert not found.whole
    assert measured(pictures) is found
    assert told == ["measured 3 of 3 pictures"]
    assert len(measured(Dataset([]))) == 0
