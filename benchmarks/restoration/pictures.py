"""What the shipped weights learn from: photographs that come with libraries we use, drawn scenes, fallen leaves.

Every photograph is free for any use: in the public domain, CC0, without known copyright restrictions, or CC BY (its
author is named). Nothing is downloaded: the files lie in the wheels of scikit-image and scikit-learn. Scenes are drawn
by Sightline's own worlds; leaves are shapes of all sizes that hide each other, which have edges as sharp and as many
as photographs have (Lee, Mumford and Huang 2001).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from sightline.core.chance import generator

WORLDS = ("street", "parts", "cells", "documents", "shapes")


@dataclass(frozen=True)
class Photograph:
    """A picture in a wheel, who made it, and on what terms."""

    package: str
    file: str
    by: str
    licence: str
    gray: bool = False
    smaller: float = 1.0  # kept at this scale: noise and blocks of the file itself shrink away

    @property
    def credit(self) -> str:
        return f"{Path(self.file).stem} ({self.by}; {self.licence}; in {self.package})"


PHOTOGRAPHS = (
    Photograph("skimage", "data/astronaut.png", "NASA", "public domain"),
    Photograph("skimage", "data/camera.png", "Lav Varshney", "CC0", gray=True),
    Photograph("skimage", "data/chelsea.png", "Stefan van der Walt", "CC0"),
    Photograph("skimage", "data/coffee.png", "Rachel Michetti", "CC0"),
    Photograph("skimage", "data/rocket.jpg", "SpaceX", "public domain", smaller=0.7),
    Photograph("skimage", "data/brick.png", "CC0Textures", "CC0", gray=True),
    Photograph("skimage", "data/grass.png", "linolafett", "CC0", gray=True, smaller=0.7),
    Photograph("skimage", "data/gravel.png", "CC0Textures", "CC0", gray=True),
    Photograph("skimage", "data/ihc.png", "CMMI", "no known copyright restrictions"),
    Photograph("skimage", "data/coins.png", "Brooklyn Museum", "no known copyright restrictions", gray=True),
    Photograph("skimage", "data/retina.jpg", "Mikael Häggström", "CC0", smaller=0.5),
    Photograph("skimage", "data/hubble_deep_field.jpg", "NASA", "public domain", smaller=0.5),
    Photograph("sklearn", "datasets/images/china.jpg", "danielbuechele", "CC BY 2.0"),
    Photograph("sklearn", "datasets/images/flower.jpg", "vultilion", "CC BY 2.0"),
)


def photographs() -> list[np.ndarray]:
    """All of them as uint8 RGB; gray ones have three equal channels."""
    return [_read(photograph) for photograph in PHOTOGRAPHS]


def _read(photograph: Photograph) -> np.ndarray:
    import importlib

    root = Path(str(importlib.import_module(photograph.package).__file__)).parent
    pixels = cv2.imread(str(root / photograph.file), cv2.IMREAD_COLOR)
    if pixels is None:
        raise FileNotFoundError(f"{root / photograph.file}: not in this release of {photograph.package}")
    return shrunk(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), photograph.smaller)


def shrunk(pixels: np.ndarray, scale: float) -> np.ndarray:
    """A picture at a smaller scale, every pixel of it counted."""
    if scale == 1:
        return pixels
    size = (round(pixels.shape[1] * scale), round(pixels.shape[0] * scale))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))


def scenes(each: int, seed: int) -> list[np.ndarray]:
    """`each` scenes of every world, without the noise of its camera, at half the size they were drawn."""
    from sightline.sources import drawn

    made = []
    for world in WORLDS:
        for index in range(each):
            clean = drawn.draw(world, seed, 512, index=index).clean
            top = 255 if clean.dtype.kind == "f" else 1
            made.append(shrunk(np.clip(np.rint(clean * top), 0, 255).astype(np.uint8), 0.5))
    return [np.repeat(pixels, 3, -1) if pixels.ndim == 3 and pixels.shape[-1] == 1 else pixels for pixels in made]


def leaves(seed: int, side: int = 320) -> np.ndarray:
    """One picture of shapes that hide each other, their sizes spread as 1 / r^3, each with a colour and a texture."""
    chance, wide = generator("leaves", seed), 2 * side
    canvas = np.full((wide, wide, 3), chance.uniform(0, 255, 3), np.float32)
    palette = chance.uniform(0, 255, (12, 3)) * chance.uniform(0.3, 1) + chance.uniform(0, 80)
    textures = [_texture(chance, wide) for _ in range(4)]
    low, high, count = chance.uniform(6, 20), wide / 3, int(chance.integers(1000, 3000))
    for radius in 1 / np.sqrt(chance.uniform(1 / high**2, 1 / low**2, count)):
        _leaf(canvas, chance, float(radius), palette, textures)
    return shrunk(np.clip(canvas, 0, 255).astype(np.uint8), 0.5)


def _leaf(
    canvas: np.ndarray, chance: np.random.Generator, radius: float, palette: np.ndarray, textures: list[np.ndarray]
) -> None:
    """One shape drawn over what is there."""
    wide = len(canvas)
    x, y = chance.uniform(0, wide, 2)
    reach = int(radius * 2.2) + 2
    left, top = max(0, int(x) - reach), max(0, int(y) - reach)
    right, bottom = min(wide, int(x) + reach), min(wide, int(y) + reach)
    mask = np.zeros((bottom - top, right - left), np.uint8)
    kind, middle = chance.integers(4), np.array([x - left, y - top])
    if kind == 0:
        axes = (int(radius) + 1, int(radius * chance.uniform(0.3, 1)) + 1)
        cv2.ellipse(mask, middle.astype(int).tolist(), axes, float(chance.uniform(0, 180)), 0, 360, 255, -1)
    elif kind == 3:  # a twig
        angle = chance.uniform(0, np.pi)
        way = np.array([np.cos(angle), np.sin(angle)]) * radius * 2
        ends = (np.rint(middle - way).astype(int).tolist(), np.rint(middle + way).astype(int).tolist())
        cv2.line(mask, *ends, 255, max(1, int(radius * chance.uniform(0.03, 0.25))))
    else:
        count = int(chance.integers(3, 8))
        angles = np.sort(chance.uniform(0, 2 * np.pi, count))
        far = radius * chance.uniform(0.5, 1.2, count)
        points = middle + np.stack([np.cos(angles) * far, np.sin(angles) * far], 1)
        cv2.fillPoly(mask, [np.rint(points).astype(np.int32)], 255)
    colour = palette[chance.integers(len(palette))] + chance.normal(0, 12, 3)
    fill = np.broadcast_to(colour, (*mask.shape, 3)).astype(np.float32)
    if chance.random() < 0.7:
        texture = textures[chance.integers(len(textures))][top:bottom, left:right, None]
        fill = fill + texture * chance.uniform(3, 40) * chance.uniform(0.7, 1.3, 3)
    if chance.random() < 0.4:  # light falls from a side
        slope = np.linspace(-1, 1, mask.shape[1])[None] * chance.normal() + np.linspace(-1, 1, mask.shape[0])[:, None]
        fill = fill + (slope * chance.uniform(5, 35))[..., None]
    inside = mask[..., None] > 0
    np.copyto(canvas[top:bottom, left:right], fill.astype(np.float32), where=inside)


def _texture(chance: np.random.Generator, side: int) -> np.ndarray:
    """Waves of one direction, or noise whose amplitude falls as 1 / f^a; mean 0, spread 1."""
    if chance.random() < 0.35:
        angle, step = chance.uniform(0, np.pi), chance.uniform(4, 40)
        x, y = np.meshgrid(np.arange(side), np.arange(side))
        wave = np.sin((x * np.cos(angle) + y * np.sin(angle)) * 2 * np.pi / step + chance.uniform(0, 6))
        return np.asarray(np.sign(wave) if chance.random() < 0.4 else wave * 1.4, np.float32)
    rows, columns = np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None]
    far = np.hypot(rows, columns)
    far[0, 0] = 1
    noise = np.fft.rfft2(chance.normal(size=(side, side))) / far ** chance.uniform(0.6, 1.8)
    noise[0, 0] = 0
    made = np.fft.irfft2(noise, s=(side, side))
    return np.asarray(made / made.std(), np.float32)
