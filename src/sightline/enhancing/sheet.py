"""What was done as pictures: before and after side by side, and the map of what was invented."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sightline.core.bicubic import bicubic
from sightline.core.measures import eight_bits

if TYPE_CHECKING:
    from sightline.enhancing.enhance import Enhanced

WIDEST = 1600  # pixels of one side of a comparison
_BETWEEN = 4  # white columns between the two


def before_and_after(made: Enhanced) -> np.ndarray:
    """The picture as it came, enlarged smoothly where it was, and as it is now; uint8 in three channels."""
    one, other = _shown(made.before), _shown(made.pixels)
    size = other.shape[:2]
    most = WIDEST / max(size)
    if most < 1:
        size = (max(1, round(size[0] * most)), max(1, round(size[1] * most)))
    line = np.full((size[0], _BETWEEN, 3), 255, np.uint8)
    return np.concatenate([bicubic(one, size), line, bicubic(other, size)], 1)


def map_picture(made: Enhanced) -> np.ndarray:
    """The map as gray levels: black as it was, white invented."""
    return np.asarray((made.map().scores * 255).round(), np.uint8)[..., None]


def _shown(pixels: np.ndarray) -> np.ndarray:
    """Eight bits and three channels of any picture."""
    seen = pixels[..., :-1] if pixels.shape[2] in (2, 4) else pixels
    if pixels.dtype == np.uint16:
        seen = (seen // 257).astype(np.uint8)
    elif pixels.dtype != np.uint8:
        seen = eight_bits(seen)
    return seen[..., :3] if seen.shape[2] >= 3 else np.repeat(seen[..., :1], 3, 2)
