"""Draw the picture of README.md: each world as it comes, and with everything that is known of it.

python docs/picture.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from sightline.core import catalog
from sightline.sources.drawn import draw

SHOWN = (
    ("parts", "objects", 8),
    ("street", "objects", 10),
    ("cells", "regions", 3),
    ("documents", "objects", 1),
    ("shapes", "objects", 2),
    ("pairs", "regions", 1),
)


def main() -> None:
    rows: list[list[np.ndarray]] = [[], []]
    for world, kind, seed in SHOWN:
        scene = draw(world, seed, 256)
        picture = scene.image if world != "pairs" else scene.images(kind)[1]
        rows[0].append(picture)
        rows[1].append(catalog.find("overlays", kind)(picture, scene.truth(kind))[:256])
    sheet = np.concatenate([np.concatenate(row, 1) for row in rows], 0)
    Image.fromarray(sheet).save(Path(__file__).parent / "pictures" / "worlds.jpg", quality=85, optimize=True)


if __name__ == "__main__":
    main()
