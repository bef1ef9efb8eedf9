"""Write docs/filters.md and its pictures: every filter with what it does, its settings, and what it makes of a scene.

python docs/filters_table.py [--page]

Names, lines and settings are read from the filters themselves, and a test holds the page and the pictures to them; the
scenes are drawn by the package. `--page` leaves the pictures as they are.
"""

import inspect
import io
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from sightline.core import catalog
from sightline.sources.drawn import draw

PAGE = Path(__file__).parent / "filters.md"
PICTURES = Path(__file__).parent / "pictures"
TOP = """# Filters

This page and its pictures are made by `python docs/filters_table.py`; do not edit them by hand.

A filter takes a picture and gives a picture: `uint8`, `uint16` or `float32`, rows and columns, with or without
channels. The answer has the same depth and lies in the same range, and what was given is never written to.

```python
import sightline
from sightline.core import catalog
from sightline.filters.geometry import resize
from sightline.filters.tone import clahe

image = sightline.open_data("drawn:street?count=1&size=128")[0].pixels()
better = clahe(resize(image, longest=64), clip=3)
assert better.dtype == image.dtype

sharper = catalog.find("filters", "contrast")(image, by=1.5)  # by name, as lists and chains do
```

```bash
sightline list filters
```

What holds for all of them:

- Settings are keywords with plain values: numbers, words, truth, rows of these. One that cannot be meant is an error of
  one line that names the setting and what it accepts.
- A setting that is a level of light (`level`, `fill`, `black`, `about`, …) is a part of the range from 0 to 1, so that
  it means the same in every depth. Floats range from 0 to 1, or as far as their values go (heights, counts).
- The 16-bit answer is the 8-bit answer with more digits, unless the filter says that it is *finer in 16 bits*.
- Places are x, y. Lengths are pixels, or parts of width and height where the filter says so.
- Values that are no number are refused where they would spoil the whole picture, and stay where they are elsewhere.
- Many channels are as welcome as three, but for filters of colour; these leave gray pictures as they are or refuse
  them.

Every filter is compared with its reference library in `tests/filters`, and timed beside it by `benchmarks/filters.py`.
"""
SIDE, GAP, LINE, ACROSS = 112, 4, 15, 4  # of a sheet: pixels of a picture, between two, of a caption; pairs in a row
Pair = tuple[np.ndarray, np.ndarray]


def themes() -> dict[str, list[str]]:
    """The names of the filters of each file, in the order of the text, files of ours first by name."""
    found: dict[str, list[tuple[int, str]]] = {}
    for name in catalog.names("filters"):
        edit = inspect.unwrap(catalog.find("filters", name))
        place = edit.__module__.rpartition(".")[2]
        found.setdefault(place, []).append((edit.__code__.co_firstlineno, name))
    return {theme: [name for _, name in sorted(rows)] for theme, rows in sorted(found.items())}


def page() -> str:
    """The whole text."""
    parts = [TOP]
    for theme, names in themes().items():
        module = inspect.getmodule(inspect.unwrap(catalog.find("filters", names[0])))
        about, *more = inspect.cleandoc(module.__doc__ or "").split("\n\n")
        parts.append(f"## {theme.replace('_', ' ').capitalize()}\n")
        parts.append("\n\n".join([about, *more]) + "\n")
        parts.append(f"![{', '.join(names)}](pictures/{_file(theme)})\n")
        rows = [f"| `{name}` | {_said(name)} | {_settings(name)} |" for name in names]
        parts.append("\n".join(["| filter | what it does | settings |", "|---|---|---|", *rows]) + "\n")
    return "\n".join(parts)


def _file(theme: str) -> str:
    return f"filters_{theme}.jpg"


def _said(name: str) -> str:
    text = inspect.cleandoc(catalog.find("filters", name).__doc__ or "")
    return re.sub(r"\s+", " ", text).replace("|", "\\|")


def _settings(name: str) -> str:
    words = list(inspect.signature(catalog.find("filters", name)).parameters.values())[1:]
    return " ".join(f"`{word.name}={_plain(word.default)}`" for word in words)


def _plain(value: Any) -> str:
    if isinstance(value, tuple):
        return f"({', '.join(map(_plain, value))})"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


# ------------------------------------------------------------------------------------------------------- pictures


def noisy(pixels: np.ndarray) -> np.ndarray:
    noise = np.random.default_rng(5).normal(0, 25, pixels.shape)
    return np.rint((pixels + noise).clip(0, 255)).astype(np.uint8)


def blurred(pixels: np.ndarray) -> np.ndarray:
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), 1.5))


def hazy(pixels: np.ndarray) -> np.ndarray:
    return np.asarray(cv2.addWeighted(pixels, 0.45, np.full_like(pixels, 205), 0.55, 0))


def uneven(pixels: np.ndarray) -> np.ndarray:
    fall = np.linspace(1.1, 0.3, pixels.shape[1])[None, :, None]
    return (pixels * fall).clip(0, 255).astype(np.uint8)


def scratched(pixels: np.ndarray) -> np.ndarray:
    made = pixels.copy()
    for start, end in (((20, 0), (34, 111)), ((70, 0), (64, 111)), ((0, 60), (111, 84))):
        cv2.line(made, start, end, (250, 250, 245), 1, cv2.LINE_AA)
    return made


def squeezed(pixels: np.ndarray) -> np.ndarray:
    """As a JPEG of few bytes shows it."""
    held = io.BytesIO()
    Image.fromarray(pixels).save(held, "JPEG", quality=8)
    return np.asarray(Image.open(held))


def dimmed(pixels: np.ndarray) -> np.ndarray:
    """Darker towards the corners."""
    return np.asarray(catalog.find("filters", "vignette")(pixels, amount=0.7))


def glaring(pixels: np.ndarray) -> np.ndarray:
    """A low sun in the street."""
    y, x = np.mgrid[: pixels.shape[0], : pixels.shape[1]]
    veil = 0.8 * np.exp(-(((x - 56) / 26) ** 2) - ((y - 42) / 22) ** 2)
    return np.rint(pixels + (255.0 - pixels) * veil[..., None]).astype(np.uint8)


def dark(pixels: np.ndarray) -> np.ndarray:
    return (pixels * 0.15).astype(np.uint8)


def flashed(pixels: np.ndarray) -> np.ndarray:
    """Two eyes in a flash."""
    made = np.full_like(pixels, (205, 160, 135))
    for x in (36, 76):
        cv2.ellipse(made, (x, 50), (15, 9), 0, 0, 360, (235, 230, 225), -1, cv2.LINE_AA)
        cv2.circle(made, (x, 50), 4, (200, 35, 40), -1, cv2.LINE_AA)
    return made


def flat(pixels: np.ndarray) -> np.ndarray:
    """Little contrast and a warm cast, as a lamp gives."""
    return (pixels * np.array([0.62, 0.5, 0.36]) + 40).astype(np.uint8)


def wide(pixels: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(pixels[18:98])


def printed(pixels: np.ndarray) -> np.ndarray:
    """What is dark in the middle, white on black."""
    enlarged = cv2.resize(pixels[20:90, 20:90], (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    ink = cv2.threshold(cv2.cvtColor(enlarged, cv2.COLOR_RGB2GRAY), 0, 255, cv2.THRESH_OTSU | cv2.THRESH_BINARY_INV)[1]
    ink[:8] = ink[-8:] = ink[:, :8] = ink[:, -8:] = 0
    return np.asarray(cv2.merge([ink] * 3))


# what a theme, or one of its filters, is shown on: a drawn world, its seed, and what was done to it
SCENES: dict[str, tuple[str, int, Callable[[np.ndarray], np.ndarray] | None]] = {
    "geometry": ("street", 10, wide),
    "shapes": ("cells", 3, printed),
    "thresholds": ("documents", 1, uneven),
    "threshold": ("documents", 1, None),
    "otsu": ("documents", 1, None),
    "morphology": ("cells", 3, None),
    "portrait": ("parts", 8, None),
    "cut_out": ("parts", 3, None),
    "auto_levels": ("street", 10, flat),
    "equalise": ("street", 10, flat),
    "clahe": ("street", 10, flat),
    "white_balance": ("street", 10, flat),
    "normalise": ("street", 10, flat),
    "undistort": ("documents", 1, None),
    "perspective": ("documents", 1, None),
    "smoothing": ("street", 10, noisy),
    "denoising": ("street", 10, noisy),
    "deblurring": ("parts", 8, blurred),
    "sharpening": ("parts", 8, blurred),
    "weather": ("street", 10, hazy),
    "illumination": ("street", 10, uneven),
    "scratches": ("street", 10, scratched),
    "filling": ("street", 10, scratched),
    "low_light": ("street", 10, dark),
    "eyes": ("street", 10, flashed),
    "soften_blocks": ("street", 10, squeezed),
    "vignette": ("street", 10, None),
    "unvignette": ("street", 10, dimmed),
    "flat_field": ("documents", 1, uneven),
    "soften_glare": ("street", 10, glaring),
}
TOLD = {"portrait": {"box": (0.5, 0.0, 1.0, 0.55)}, "cut_out": {"box": (0.1, 0.1, 0.9, 0.9)}}  # where a subject is
USUAL = ("street", 10, None)


def pair(theme: str, name: str) -> Pair:
    """A scene before and after, with the settings as they are where nothing is said, or must be."""
    world, seed, spoil = SCENES.get(name, SCENES.get(theme, USUAL))
    scene = draw(world, seed, 2 * SIDE).image
    before = cv2.resize(scene, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    clean, before = before, spoil(before) if spoil else before
    if theme == "filling":  # the one theme that must be told where
        return before, catalog.find("filters", name)(before, mask=np.ascontiguousarray((before != clean).any(2)))
    return before, catalog.find("filters", name)(before, **TOLD.get(name, {}))


def tile(pixels: np.ndarray) -> np.ndarray:
    """As it is in the middle of a square, or smaller where it does not fit."""
    shown = pixels if pixels.shape[2] == 3 else np.repeat(pixels[..., :1], 3, 2)
    by = min(1.0, SIDE / max(shown.shape[:2]))
    if by < 1:
        size = (max(1, round(shown.shape[1] * by)), max(1, round(shown.shape[0] * by)))
        shown = cv2.resize(shown, size, interpolation=cv2.INTER_AREA)
    made = np.full((SIDE, SIDE, 3), 255, np.uint8)
    top, left = (SIDE - shown.shape[0]) // 2, (SIDE - shown.shape[1]) // 2
    made[top : top + shown.shape[0], left : left + shown.shape[1]] = shown
    return made


def sheet(theme: str, names: list[str]) -> np.ndarray:
    """Every filter of a theme: before, after, and its name."""
    across = min(ACROSS, len(names))
    wide, high = 2 * SIDE + 4 * GAP, SIDE + LINE + GAP
    made = np.full((-(-len(names) // across) * high + GAP, across * wide, 3), 255, np.uint8)
    for place, name in enumerate(names):
        top, left = place // across * high + GAP, place % across * wide + GAP
        cv2.putText(made, name, (left, top + 10), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (20, 20, 20), 1, cv2.LINE_AA)
        for column, pixels in enumerate(pair(theme, name)):
            x, y = left + column * (SIDE + GAP), top + LINE
            made[y : y + SIDE, x : x + SIDE] = tile(pixels)
    return made


def main() -> None:
    PAGE.write_text(page(), encoding="utf-8")
    if "--page" in sys.argv[1:]:
        return
    for theme, names in themes().items():
        drawn = Image.fromarray(sheet(theme, names))
        drawn.save(PICTURES / _file(theme), quality=80, optimize=True, comment=" ".join(names))


if __name__ == "__main__":
    main()
