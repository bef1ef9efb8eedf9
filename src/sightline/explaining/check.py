"""Whether explanations may be shown: they must follow what was learnt, and mark what the answer rests on.

1. The model must beat its baseline: one that knows nothing has no reasons.
2. Its weights shuffled, the map must change (Adebayo et al. 2018). How alike two maps are is their rank correlation;
   nothing alike is what maps of different pictures are, all alike is 1. Less than half may stay.
3. What the map marks must matter more than as much elsewhere, and more than what the shuffled network marks.

Every number is a mean over the same few pictures, and it is its interval that must hold, not the mean alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from sightline.core.tally import Tally, mean
from sightline.evaluating.intervals import interval
from sightline.explaining.asking import odds_back
from sightline.explaining.curves import faithfulness, moved
from sightline.explaining.methods import maps, method
from sightline.explaining.subject import Subject, View

STAYS = 0.5  # the part of a map that may stay without the weights
LEAST = 0.02  # of a share: what is marked must matter by more, or the answer hardly hangs on the picture
GRID = 16  # maps are compared at this many rows and columns
FEWEST = 6  # pictures
SAYS = {
    "stays": "stays without the weights",
    "above_chance": "matters more than elsewhere",
    "above_shuffled": "and than with shuffled weights",
}


@dataclass(frozen=True)
class Verdict:
    """May this method be shown for this model, and if not, why."""

    method: str
    shown: bool
    reasons: tuple[str, ...] = ()
    count: int = 0
    figures: Mapping[str, Mapping[str, float]] = field(default_factory=dict)  # each with value, low and high

    @property
    def line(self) -> str:
        """The verdict in one line."""
        title = method(self.method).title
        if self.shown and not self.count:
            return f"{title} is shown unchecked: it asks the model itself, which beats its baseline as far as is known"
        if self.shown:
            return f"{title} passed its checks on {self.count} pictures"
        return f"{title} is withheld: {'; '.join(self.reasons)}"

    @property
    def numbers(self) -> dict[str, str]:
        """What was measured, in words, each with its 95 % interval."""
        return {
            says: f"{row['value']:.2f} ({row['low']:.2f} to {row['high']:.2f})"
            for name, says in SAYS.items()
            if (row := self.figures.get(name)) is not None
        }

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Verdict:
        """What `to_json` wrote."""
        return cls(**{**plain, "reasons": tuple(plain["reasons"])})


def withheld(name: str, reason: str) -> Verdict:
    """Without a look at any picture."""
    return Verdict(name, False, (reason,))


def check(name: str, view: View, *, shuffled: Subject | None = None, seed: int = 0) -> Verdict:
    """The checks of one method on the pictures of a view; without a network only those that need none."""
    if len(view) < FEWEST:
        return withheld(name, f"{len(view)} pictures are too few to check it on; {FEWEST} are needed")
    mine = maps(name, view)
    if not mine.any():
        return Verdict(name, False, ("the map is empty everywhere",), len(view))
    own = faithfulness(view, mine)
    figures = {"above_chance": _figure(own - faithfulness(view, moved(mine, seed)))}
    if view.subject.network is not None:
        random = replace(view, subject=shuffled or view.subject.randomised(seed))
        theirs = maps(name, random)
        figures["stays"] = _figure(staying(mine, theirs))
        figures["above_shuffled"] = _figure(own - faithfulness(view, theirs))
    reasons = tuple(_reasons(figures, LEAST if view.question(0).share is odds_back else 0.0))
    return Verdict(name, not reasons, reasons, len(view), figures)


def staying(maps: np.ndarray, others: np.ndarray) -> np.ndarray:
    """For each map how much of it is still there in its other: 0 as for another picture, 1 for the same map."""
    mine, theirs = _ranked(maps), _ranked(others)
    same = (mine * theirs).sum(1)
    unrelated = float(np.mean([(mine * np.roll(theirs, turn, 0)).sum(1) for turn in range(1, len(mine))]))
    return np.asarray((same - unrelated) / max(1e-6, 1 - unrelated))


def pointing(marked: Sequence[np.ndarray], masks: Sequence[np.ndarray | None]) -> np.ndarray:
    """Whether the strongest place of each map lies on the thing, where that is known (Zhang et al. 2016)."""
    hits = []
    for found, mask in zip(marked, masks, strict=True):
        if mask is not None and mask.any():
            hits.append(float(mask[np.unravel_index(int(np.argmax(found)), found.shape)]))
    return np.array(hits)


def share(hits: np.ndarray) -> dict[str, float]:
    """A share with its interval."""
    found = interval(Tally(hits.reshape(-1, 1), mean, "higher", limits=(0.0, 1.0)))
    return {"value": found.value, "low": found.low, "high": found.high}


def _figure(rows: np.ndarray) -> dict[str, float]:
    found = interval(Tally(rows.reshape(-1, 1), mean, "higher"))
    return {"value": found.value, "low": found.low, "high": found.high}


def _ranked(maps: np.ndarray) -> np.ndarray:
    """Maps as unit vectors of centred ranks, small, so that their products are rank correlations."""
    import cv2

    small = np.stack([cv2.resize(row, (GRID, GRID), interpolation=cv2.INTER_AREA).ravel() for row in maps])
    rank = np.stack([_ranks(row) for row in small])
    rank = rank - rank.mean(1, keepdims=True)
    return np.asarray(rank / np.maximum(np.linalg.norm(rank, axis=1, keepdims=True), 1e-12))


def _ranks(values: np.ndarray) -> np.ndarray:
    """The place of each value among all, equal ones sharing the mean of theirs."""
    _, which, count = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(count) - (count - 1) / 2)[which])


def _reasons(figures: Mapping[str, Mapping[str, float]], least: float) -> list[str]:
    found = []
    if "stays" in figures and not figures["stays"]["high"] < STAYS:
        stays = figures["stays"]
        found.append(
            f"with all weights shuffled {stays['value']:.0%} of the map stays (up to {stays['high']:.0%}; less than "
            f"{STAYS:.0%} may), so it shows the picture rather than what was learnt"
        )
    if not figures["above_chance"]["low"] > least:
        found.append("what it marks does not matter clearly more to the answer than as much elsewhere")
    if "above_shuffled" in figures and not figures["above_shuffled"]["low"] > least:
        found.append("what it marks does not matter clearly more than what the network marks with its weights shuffled")
    return found
