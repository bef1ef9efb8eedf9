"""Pictures of different exposure as one in which neither shadows nor lights are lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sightline.composing._laying import Relation, lay, related
from sightline.composing._pictures import Pictures, lit, same_size, unlit
from sightline.composing._pyramids import depth_of, joined, parted, softer
from sightline.core.errors import SettingsError
from sightline.core.progress import Event, Tell, silent

_MIDDLE = 0.2  # how far from the middle gray light may be and still be well exposed


@dataclass(frozen=True, slots=True)
class Fused:
    """The fused picture, and how much of each went into it."""

    pixels: np.ndarray
    shares: tuple[float, ...]
    names: tuple[str, ...]

    @property
    def line(self) -> str:
        """What was made, in one line."""
        return f"{len(self.names)} exposures became one; shares " + ", ".join(f"{s:.0%}" for s in self.shares)

    def to_json(self) -> dict[str, Any]:
        return {"line": self.line, "shares": list(self.shares)}


def fuse(
    pictures: Any,
    *,
    by: str | None = "intensity",
    contrast: float = 1.0,
    colour: float = 1.0,
    exposure: float = 1.0,
    tell: Tell = silent,
    **settings: Any,
) -> Fused:
    """Each place from the pictures that show most there: contrast, colour, light near the middle (Mertens 2007).

    The three numbers say how much each counts. `by` lays the others on the first by mutual information, which
    different exposures do not mislead; None takes pictures that lie on each other already.
    """
    for name, value in (("contrast", contrast), ("colour", colour), ("exposure", exposure)):
        if not 0 <= value <= 10:
            raise SettingsError(f"fuse: {name} = {value}: give 0 to 10.")
    given = Pictures(pictures, "fuse")
    ends, first = given.span(), given[0]
    words = {"light": "mutual", **settings} if by == "intensity" else settings
    moves: list[Relation | None] = [None]
    for place in range(1, len(given)):
        tell(Event("progress", "aligned", {"done": place, "total": len(given) - 1}))
        if by is None:
            same_size(given[place], first, "fuse", given.names[place])
            moves.append(None)
        else:
            moves.append(related(first, given[place], by, (given.names[0], given.names[place]), words))

    def laid(place: int) -> tuple[np.ndarray, np.ndarray]:
        pixels, relation = given[place], moves[place]
        known = np.ones(first.shape[:2], bool)
        if relation is not None:
            pixels, known = lay(pixels, relation)
        return lit(pixels, ends), known

    worths = []
    for place in range(len(given)):
        bright, known = laid(place)
        worths.append(_worth(bright, contrast, colour, exposure) * known)
    total = np.maximum(np.add.reduce(worths), 1e-30)
    depth = depth_of(first.shape[:2], 1)
    sums: list[np.ndarray] = []
    shares = []
    for place, worth in enumerate(worths):
        tell(Event("progress", "fused", {"done": place + 1, "total": len(given)}))
        share = worth / total
        shares.append(float(share.mean()))
        parts = parted(laid(place)[0], depth)
        for part, weight in zip(parts, softer(share, depth), strict=True):
            part *= weight[..., None]
        sums = parts if not sums else [np.add(one, two, out=one) for one, two in zip(sums, parts, strict=True)]
    return Fused(unlit(joined(sums), ends, first.dtype), tuple(shares), given.names)


def _worth(bright: np.ndarray, contrast: float, colour: float, exposure: float) -> np.ndarray:
    """How much a pixel shows."""
    import cv2

    planes = cv2.split(bright)
    made = np.full(bright.shape[:2], 1e-12, np.float32)
    counts = []
    if contrast:
        light = cv2.cvtColor(bright, cv2.COLOR_RGB2GRAY) if len(planes) == 3 else bright.mean(2)
        counts.append((np.abs(cv2.Laplacian(light, cv2.CV_32F)), contrast))
    if colour and len(planes) > 1:
        middle = sum(planes[1:], start=planes[0]) / np.float32(len(planes))
        spread = sum((np.square(plane - middle) for plane in planes[1:]), start=np.square(planes[0] - middle))
        counts.append((np.sqrt(spread), colour))
    if exposure:
        away = sum((np.square(plane - 0.5) for plane in planes[1:]), start=np.square(planes[0] - 0.5))
        counts.append((cv2.exp(away * np.float32(-0.5 / _MIDDLE**2)), exposure))
    worth: Any = 1.0
    for value, power in counts:
        worth = worth * (value if power == 1 else value**power)
    return np.asarray(made + worth, np.float32)
