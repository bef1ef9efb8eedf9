"""Pictures focused at different depths as one that is sharp throughout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sightline.composing._laying import lay, related
from sightline.composing._pictures import Pictures, lit, same_size, unlit
from sightline.composing._pyramids import depth_of, joined, parted
from sightline.core.depth import LUMA
from sightline.core.progress import Event, Tell, silent

_DEPTH = 6
_BLOCK = 5  # pixels over which detail is compared


@dataclass(frozen=True, slots=True)
class Focused:
    """The sharp picture, and which picture each pixel's finest detail is from."""

    pixels: np.ndarray
    chosen: np.ndarray  # (rows, columns) index of a picture
    names: tuple[str, ...]

    @property
    def line(self) -> str:
        """What was made, in one line."""
        shares = np.bincount(self.chosen.ravel(), minlength=len(self.names)) / self.chosen.size
        return f"{len(self.names)} pictures became one that is sharp; shares " + ", ".join(f"{s:.0%}" for s in shares)

    def to_json(self) -> dict[str, Any]:
        shares = np.bincount(self.chosen.ravel(), minlength=len(self.names)) / self.chosen.size
        return {"line": self.line, "shares": shares.tolist()}


def focus_stack(pictures: Any, *, by: str | None = "intensity", tell: Tell = silent, **settings: Any) -> Focused:
    """At every place and scale the detail of the picture that has most of it; the others are laid on the first.

    `by` None takes pictures that lie on each other already. Memory is that of four pictures, however many there are.
    """
    given = Pictures(pictures, "focus_stack")
    ends, first = given.span(), given[0]
    depth = min(_DEPTH, depth_of(first.shape[:2]))
    parts = parted(lit(first, ends), depth)
    power = [_power(part) for part in parts[:-1]]
    chosen = np.zeros(first.shape[:2], np.int16)
    base = parts[-1].copy()
    for place in range(1, len(given)):
        tell(Event("progress", "stacked", {"done": place, "total": len(given) - 1}))
        pixels = given[place]
        if by is None:
            same_size(pixels, first, "focus_stack", given.names[place])
        else:
            names = (given.names[0], given.names[place])
            pixels = lay(pixels, related(first, pixels, by, names, settings))[0]
        others = parted(lit(pixels, ends), depth)
        for down, part in enumerate(others[:-1]):
            theirs = _power(part)
            more = theirs > power[down]
            parts[down][more] = part[more]
            power[down][more] = theirs[more]
            if not down:
                chosen[more] = place
        base += others[-1]
    parts[-1] = base / len(given)
    return Focused(unlit(joined(parts), ends, first.dtype), chosen, given.names)


def _power(part: np.ndarray) -> np.ndarray:
    """How much detail lies around each pixel."""
    import cv2

    light = part @ LUMA if part.shape[2] == 3 else part.mean(2)
    return np.asarray(cv2.GaussianBlur(np.square(light), (_BLOCK, _BLOCK), 0))
