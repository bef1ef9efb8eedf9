"""Pictures laid on the first of them, each with a report of how well it lies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sightline.composing._laying import Relation, inner_window, lay, related
from sightline.composing._pictures import Pictures
from sightline.core.depth import unit
from sightline.core.errors import InputError
from sightline.core.progress import Event, Tell, silent
from sightline.core.relation import Move


@dataclass(frozen=True, slots=True)
class Residual:
    """How one picture lies on the first."""

    name: str
    score: float  # of the matcher
    overlap: float  # share of the first that it covers
    before: float  # root mean square of what differs there, of white, as the pictures were given
    after: float  # the same, aligned; gain and level of light do not count
    points: float | None = None  # pixels by which places miss, where the matcher knows

    def to_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Aligned:
    """Pictures of one size that show the same at the same place, the first unchanged."""

    pictures: tuple[np.ndarray, ...]
    seen: np.ndarray  # (rows, columns) where all of them are known
    relations: tuple[Relation | None, ...]  # how each lies on the first, which has none
    residuals: tuple[Residual, ...]  # of all but the first
    window: tuple[int, int, int, int]  # top, left, bottom, right in the first

    @property
    def line(self) -> str:
        """What was done, in one line."""
        worst = max((each.after for each in self.residuals), default=0.0)
        share = float(self.seen.mean())
        return f"{len(self.pictures)} pictures aligned; at most {worst:.1%} of white differs, {share:.0%} is in all"

    def to_json(self) -> dict[str, Any]:
        return {
            "line": self.line,
            "window": list(self.window),
            "residuals": [each.to_json() for each in self.residuals],
            "relations": [None if each is None else each.to_json() for each in self.relations],
        }


def align(
    pictures: Any, *, by: str = "homography", crop: bool = False, tell: Tell = silent, **settings: Any
) -> Aligned:
    """Each picture laid on the first by a matcher of this name; settings are the matcher's.

    `crop` cuts all of them to the largest window that each covers; otherwise what a picture does not know repeats its
    edge, and `seen` says where.
    """
    given = Pictures(pictures, "align", alike=False)
    first = given[0]
    made, relations, residuals = [first], list[Relation | None]([None]), list[Residual]()
    seen = np.ones(first.shape[:2], bool)
    for place in range(1, len(given)):
        tell(Event("progress", "aligned", {"done": place, "total": len(given) - 1}))
        pixels = given[place]
        relation = related(first, pixels, by, (given.names[0], given.names[place]), settings)
        laid, known = lay(pixels, relation)
        residuals.append(_residual(first, pixels, laid, known, relation, given.names[place]))
        made.append(laid)
        relations.append(relation)
        seen &= known
    window = (0, 0, *first.shape[:2])
    if crop:
        window = inner_window(seen)
        if window[2] - window[0] < 1:
            raise InputError(
                "unrelated", "align: no pixel is in all of the pictures; leave out `crop`, or some of them."
            )
        cut = slice(window[0], window[2]), slice(window[1], window[3])
        made, seen = [np.ascontiguousarray(each[cut]) for each in made], seen[cut]
    return Aligned(tuple(made), seen, tuple(relations), tuple(residuals), window)


def _residual(
    first: np.ndarray, pixels: np.ndarray, laid: np.ndarray, known: np.ndarray, relation: Relation, name: str
) -> Residual:
    before = float("nan")
    if pixels.shape[:2] == first.shape[:2]:
        before = differing(first, pixels, known)
    points = relation.residual() if isinstance(relation, Move) and relation.matches is not None else None
    after = differing(first, laid, known)
    return Residual(name, float(relation.score or 0.0), float(known.mean()), before, after, points)


def differing(first: np.ndarray, second: np.ndarray, known: np.ndarray) -> float:
    """Root mean square of what differs in light, after gain and level are made equal."""
    if not known.any():
        return float("nan")
    one, two = (unit(pixels).mean(2)[known].astype(np.float64) for pixels in (first, second))
    slope = float(((one - one.mean()) * (two - two.mean())).mean()) / max(float(two.var()), 1e-12)
    return float(np.sqrt(np.mean((one - one.mean() - slope * (two - two.mean())) ** 2)))
