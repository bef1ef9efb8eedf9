"""What changed between two pictures of one place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sightline.composing._laying import Relation, lay, related
from sightline.composing._noise import spread_of
from sightline.composing._pictures import Pictures, lit, same_size
from sightline.core.annotations import Heatmap, Objects
from sightline.core.errors import SettingsError

_SURE = 8.0  # times its own spread at which a difference scores one half
_BROAD = 0.08  # of the longer side: light that changes over so much is no change


@dataclass(frozen=True, slots=True)
class Difference:
    """Where two pictures differ, in places of the first."""

    heatmap: Heatmap  # 0 alike, one half as sure as asked for, towards 1 surely different
    objects: Objects  # what differs, one row a connected place
    relation: Relation | None
    seen: np.ndarray  # (rows, columns) what both show

    @property
    def line(self) -> str:
        """What was found, in one line."""
        count = len(self.objects)
        share = float((self.heatmap.scores > 0.5).mean())
        return f"{count} {'place differs' if count == 1 else 'places differ'}; {share:.1%} of the first picture"

    def to_json(self) -> dict[str, Any]:
        return {
            "line": self.line,
            "score": self.heatmap.score,
            "boxes": self.objects.boxes.tolist(),
            "scores": [] if self.objects.scores is None else self.objects.scores.tolist(),
            "seen": float(self.seen.mean()),
            "relation": None if self.relation is None else self.relation.to_json(),
        }


def difference(
    pictures: Any, *, by: str | None = "homography", soft: float = 1.5, least: int = 12, **settings: Any
) -> Difference:
    """The second laid on the first, light made equal, and what then differs more than noise and edges explain.

    `soft` pixels are looked at together; a place of fewer than `least` pixels is not told. `by` None takes pictures
    that lie on each other already.
    """
    if not 0.5 <= soft <= 50 or least < 1:
        raise SettingsError(f"difference: soft = {soft}, least = {least}: give 0.5 to 50 and 1 or more.")
    given = Pictures(pictures, "difference")
    if len(given) != 2:
        raise SettingsError(f"difference takes two pictures, not {len(given)}.")
    ends, first, second = given.span(), given[0], given[1]
    relation, known = None, np.ones(first.shape[:2], bool)
    if by is None:
        same_size(second, first, "difference", given.names[1])
    else:
        relation = related(first, second, by, (given.names[0], given.names[1]), settings)
        second, known = lay(second, relation)
    scores = _scores(lit(first, ends), lit(second, ends), known, soft)
    objects = _places(scores, least)
    inside = scores[known]
    return Difference(Heatmap(scores, float(inside.max(initial=0.0))), objects, relation, known)


def _scores(first: np.ndarray, second: np.ndarray, known: np.ndarray, soft: float) -> np.ndarray:
    """How far each place differs, in spreads of what usually does, from 0 to 1."""
    import cv2

    def blurred(pixels: np.ndarray, sigma: float) -> np.ndarray:
        return np.asarray(cv2.GaussianBlur(pixels, (0, 0), sigma)).reshape(pixels.shape)

    weight = known.astype(np.float32)[..., None]
    broad = _BROAD * max(first.shape[:2])
    one = blurred(first, soft)
    two = _evened(one, blurred(second, soft), known)
    even = np.maximum(blurred(weight, broad), 1e-3)
    levels = [blurred(part * weight, broad) / even for part in (one, two)]
    apart = (one - two) - (levels[0] - levels[1]) * 0.5  # a change is not light that changed everywhere
    slopes = np.hypot(*(np.gradient(one.mean(2), axis=axis) for axis in (0, 1)))
    typical = np.array([spread_of(apart[..., channel][known]) for channel in range(apart.shape[2])])
    allowed = np.maximum(typical, 1e-3) + 0.25 * slopes[..., None]  # a quarter of a pixel may be missed at an edge
    far = np.abs(apart / allowed).max(2) * known
    return np.asarray(1 - 0.5 ** (far / _SURE), np.float32)


def _evened(first: np.ndarray, second: np.ndarray, known: np.ndarray) -> np.ndarray:
    """The second with the gain and level of each channel of the first, as all but what changed says."""
    made = second.copy()
    for channel in range(first.shape[2]):
        one, two = (each[..., channel][known].astype(np.float64) for each in (first, second))
        gain, level = 1.0, 0.0
        for _ in range(4):
            left = np.abs(one - gain * two - level)
            keep = left <= np.quantile(left, 0.8)
            spread = float(two[keep].var())
            if spread < 1e-9:
                break
            gain = float(np.cov(one[keep], two[keep])[0, 1]) / spread
            level = float(one[keep].mean() - gain * two[keep].mean())
        made[..., channel] = gain * second[..., channel] + level
    return made


def _places(scores: np.ndarray, least: int) -> Objects:
    """Connected places above one half, the surest first."""
    import cv2

    found, marks, facts, _ = cv2.connectedComponentsWithStats((scores > 0.5).astype(np.uint8), connectivity=8)
    rows = [row for row in range(1, found) if facts[row, cv2.CC_STAT_AREA] >= least]
    sure = {row: float(scores[marks == row].max()) for row in rows}
    rows.sort(key=lambda row: -sure[row])
    left, top = facts[rows, cv2.CC_STAT_LEFT], facts[rows, cv2.CC_STAT_TOP]
    right, bottom = left + facts[rows, cv2.CC_STAT_WIDTH], top + facts[rows, cv2.CC_STAT_HEIGHT]
    boxes = np.stack([left, top, right, bottom], 1).astype(np.float32).reshape(-1, 4)
    values = np.array([sure[row] for row in rows], np.float32)
    return Objects(boxes, np.zeros(len(rows), np.int64), ("changed",), values)
