"""Draw the pictures of restoration.md: every damage, and what enhancing makes of some, with its map.

python docs/restoration_picture.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from sightline.core import catalog
from sightline.core.annotations import Text
from sightline.core.image import ArrayImage
from sightline.core.sample import Sample
from sightline.enhancing import weights
from sightline.enhancing.enhance import enhance
from sightline.enhancing.sheet import before_and_after, map_picture
from sightline.sources.drawn import draw
from sightline.tasks._damages import DAMAGES, damaged

PICTURES = Path(__file__).parent / "pictures"
SIDE, GAP = 256, 4
SHOWN = (
    ("denoise", "denoise", (("blind_noise", {"sigma": 25.0}),)),
    ("deblock", "deblock", (("jpeg", {"quality": 10}),)),
    ("denoise, brighten", "denoise", (("low_light", {"severity": 3.0}),)),
    ("brighten", "", (("low_light", {"severity": 1.0}),)),
    ("mend", "", (("scratches", {"count": 9}),)),
)


def clean() -> np.ndarray:
    """A street by day."""
    return max((draw("street", seed, SIDE).clean for seed in range(12)), key=lambda pixels: float(pixels.mean()))


def titled(pixels: np.ndarray, text: str) -> np.ndarray:
    """A picture with a line below it."""
    return np.asarray(catalog.find("overlays", "text")(pixels, Text(text)))[: SIDE + 28]


def framed(pictures: list[np.ndarray], across: int) -> np.ndarray:
    """Pictures of one width in rows, white between."""
    tall = max(picture.shape[0] for picture in pictures)
    cells = [np.pad(p, ((0, tall - p.shape[0] + GAP), (0, GAP), (0, 0)), constant_values=255) for p in pictures]
    cells += [np.full_like(cells[0], 255)] * (-len(cells) % across)
    return np.concatenate([np.concatenate(cells[at : at + across], 1) for at in range(0, len(cells), across)])


def save(sheet: np.ndarray, name: str) -> None:
    Image.fromarray(sheet).save(PICTURES / name, quality=82, optimize=True)


def main() -> None:
    pixels = clean()
    every = []
    for name in DAMAGES:
        options = {"damage": name, "scale": 1, "least": None, "most": None}
        made, _ = damaged(pixels, options, np.random.default_rng(4))
        every.append(titled(np.ascontiguousarray(made[..., :3]), name))
    save(framed(every, 5), "damages.jpg")
    rows = []
    for what, needs, moves in SHOWN:
        if needs and not weights.there(needs):
            continue
        sample = Sample("street", (ArrayImage(pixels),))
        for name, settings in moves:
            sample = catalog.find("augmentations", name)(sample, np.random.default_rng(5), **settings)
        made_better = enhance(sample.pixels(), what=what)
        both = before_and_after(made_better)
        rows += [
            titled(np.ascontiguousarray(both[:, :SIDE]), "as it came"),
            titled(np.ascontiguousarray(both[:, -SIDE:]), what),
            titled(np.repeat(map_picture(made_better), 3, 2), "invented: white"),
        ]
    save(framed(rows, 3), "enhanced.jpg")


if __name__ == "__main__":
    main()
