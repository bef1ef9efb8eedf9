"""Tiny data sets with an exact truth, one for each record that can label a picture."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sightline.core.annotations import Annotation, Heatmap, Labels, Objects, Picture, Regions, Text, Value
from sightline.core.chance import generator
from sightline.core.dataset import Dataset
from sightline.core.errors import UnknownNameError
from sightline.core.image import ArrayImage
from sightline.core.sample import Sample

NAMES = ("blue", "green", "red")


def toy(
    kind: type[Annotation], count: int = 60, *, size: int = 32, channels: int = 3, dtype: str = "uint8", seed: int = 0
) -> Dataset:
    """One bright square of one of three colours (or bands) on noise; the truth is said in the record asked for."""
    if kind not in _TRUTHS:
        known = ", ".join(record.__name__ for record in _TRUTHS)
        raise UnknownNameError(f"there is no toy labelled with {kind.__name__}. Known: {known}.")
    samples = [_sample(kind, index, size, channels, dtype, seed) for index in range(count)]
    names = NAMES if kind in (Labels, Objects, Regions, Text) else ()
    recipe = f"toy {kind.__name__} {count} {size} {channels} {dtype} {seed}"
    return Dataset(samples, name="toy", names=names, kind=kind, recipe=recipe)


def _sample(kind: type[Annotation], index: int, size: int, channels: int, dtype: str, seed: int) -> Sample:
    chance = generator("toy", seed, index)
    name = index % len(NAMES)
    side = int(chance.integers(size // 4, size // 2 + 1))
    x, y = (int(place) for place in chance.integers(1, size - side, 2))
    clean = np.full((size, size, channels), 0.15)
    band = np.arange(channels) % 3 == 2 - name if channels > 1 else np.array([True])
    level = 0.85 if channels > 1 else (0.35, 0.6, 0.9)[name]
    clean[y : y + side, x : x + side] = np.where(band, level, 0.15)
    noisy = clean + chance.normal(0, 0.08, clean.shape)
    mask = np.zeros((size, size), bool)
    mask[y : y + side, x : x + side] = True
    truth = _TRUTHS[kind](name, (x, y, x + side, y + side), mask, _depth(clean, dtype))
    return Sample(f"toy-{index:03d}", (ArrayImage(_depth(noisy, dtype), f"toy-{index:03d}"),), truth)


def _depth(pixels: np.ndarray, dtype: str) -> np.ndarray:
    whole = np.clip(pixels, 0, 1)
    top = 1.0 if dtype == "float32" else float(np.iinfo(dtype).max)
    return np.asarray(whole if dtype == "float32" else np.rint(whole * top)).astype(dtype)


_Truth = Callable[[int, tuple[int, int, int, int], np.ndarray, np.ndarray], Annotation]
_TRUTHS: dict[type[Annotation], _Truth] = {
    Labels: lambda name, box, mask, clean: Labels((NAMES[name],)),
    Objects: lambda name, box, mask, clean: Objects(
        np.array([box], np.float32), np.array([name], np.int64), NAMES, masks=mask[None]
    ),
    Regions: lambda name, box, mask, clean: Regions(np.where(mask, name + 1, 0), ("background", *NAMES)),
    Heatmap: lambda name, box, mask, clean: Heatmap(mask.astype(np.float32), 1.0),
    Picture: lambda name, box, mask, clean: Picture(clean),
    Value: lambda name, box, mask, clean: Value(("share",), np.array([mask.mean()], np.float32)),
    Text: lambda name, box, mask, clean: Text(f"a {NAMES[name]} square"),
}
