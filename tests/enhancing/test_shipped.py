"""The weights that are shipped: small, licensed, and better than what they were given. Figures: benchmarks."""

import math
from pathlib import Path

import numpy as np
import pytest

from sightline.core import bundle as bundles
from sightline.core.bicubic import larger, smaller
from sightline.core.chance import generator
from sightline.core.encoding import encode_as
from sightline.core.image import as_image
from sightline.enhancing.weights import through
from sightline.predicting.named import SHIPPED
from sightline.sources import drawn

LARGEST = 3_000_000
FILES = sorted(SHIPPED.glob("*.sightline"))
KINDS = ("denoise", "deblock", "enlarge2", "enlarge3", "enlarge4")
COLOURS = {"gray": 1, "colour": 3}


def _scene(world: str, channels: int, size: int = 240) -> np.ndarray:
    clean = drawn.draw(world, 3, size, index=11).clean
    pixels = np.rint(clean * (255 if clean.dtype.kind == "f" else 1)).clip(0, 255).astype(np.uint8)
    return pixels if channels == 3 else np.rint(pixels @ np.array([[0.299], [0.587], [0.114]])).astype(np.uint8)


def _decibels(one: np.ndarray, other: np.ndarray) -> float:
    return -10 * math.log10(float(np.mean((one.astype(np.float64) - other) ** 2)) / 255**2)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_is_small_and_says_what_it_learnt_from(path: Path) -> None:
    assert path.stat().st_size <= LARGEST
    opened = bundles.load(path)
    assert opened.model["licence"] == "Apache-2.0"
    card = opened.files["card.md"].decode()
    for said in ("CC0", "CC BY 2.0", "danielbuechele", "vultilion", "seed 0", "minutes of one processor", "BSD68"):
        if said != "BSD68" or path.stem == "denoise_gray":
            assert said in card, said
    for name, data in opened.files.items():
        assert b'.py", line' not in data, f"{name} tells where it was made"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("colours", COLOURS)
def test_it_is_better_than_what_it_was_given(kind: str, colours: str) -> None:
    clean, chance = _scene("street", COLOURS[colours]), generator("shipped", kind)
    if kind == "denoise":
        given = np.rint(clean + chance.normal(0, 25, clean.shape)).clip(0, 255).astype(np.uint8)
        before, least = given, 8.0
    elif kind == "deblock":
        given = as_image(encode_as(clean, ".jpg", quality=15)).read()
        before, least = given, 0.7
    else:
        scale = int(kind[-1])
        given = smaller(clean, scale)
        clean, before, least = clean[: 240 // scale * scale], larger(given, scale), 0.4
    made = through(kind, given)
    assert made.shape == clean.shape
    assert made.dtype == clean.dtype
    assert _decibels(made, clean) > _decibels(before, clean) + least


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("level", [0, 20, 128, 255])
def test_what_is_flat_and_clean_stays_as_it_is(kind: str, level: int) -> None:
    """Neither a tint nor a pattern, across several tiles."""
    colour = np.full((60, 300, 3), (level, 255 - level, 128), np.uint8)
    made = through(kind, colour)
    assert int(np.abs(made.astype(int) - colour[0, 0]).max()) <= 3


def test_no_seam_shows_where_tiles_meet() -> None:
    """A window moved by half a tile sees other tiles; what it answers there is the same to a gray level or two."""
    clean = np.tile(_scene("street", 1), (1, 3, 1))[:, :640]
    noisy = np.rint(clean + generator("seam").normal(0, 25, clean.shape)).clip(0, 255).astype(np.uint8)
    whole, moved = through("denoise", noisy), through("denoise", noisy[:, 128:])
    apart = np.abs(whole[:, 192:-64].astype(float) - moved[:, 64:-64])
    assert apart.mean() < 0.3
    assert np.quantile(apart, 0.999) <= 4
