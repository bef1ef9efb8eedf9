"""How unlike a picture is to all that a network learnt from, told from the features it makes of it.

The distance of Mahalanobis (Lee et al. 2018) to the middle of all training pictures, along the main axes of their
spread and, as one number, beyond them. No name is asked for, so it serves any number of names. A network that only says
how much speaks for each name is judged by that alone (its energy, Liu et al. 2020), which sees much less.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sightline.core.directions import main_axes
from sightline.core.errors import BundleError

ASKED = ("features", "logits")  # outputs of a network that tell it, the better one first
REFUSED = 0.01  # share of pictures like those it learnt from that may be refused
AXES = 128
FEWEST = 20  # pictures on each side, or nothing is said
_TOLD = 1e-3  # of the largest logit: energies nearer than that are rounding, as where logits are logs of probabilities
_SHRINK = 0.1  # towards a ball: few pictures know few directions


@dataclass(frozen=True, eq=False)
class Reference:
    """Where pictures lie that the network learnt from, and what is usual on pictures that it did not learn from."""

    output: str  # of the network
    usual: float  # median of the distance
    limit: float  # the distance beyond which a picture counts as unlike
    refused: float  # share of usual pictures beyond it
    middle: np.ndarray | None = None
    axes: np.ndarray | None = None  # (numbers, axes), each divided by the spread along it
    beyond: float = 1.0  # spread off the axes

    def distance(self, rows: np.ndarray) -> np.ndarray:
        """One number a row, the more the odder."""
        plain = np.asarray(rows, np.float64)
        if self.middle is None or self.axes is None:
            top = plain.max(1)
            return np.asarray(-(top + np.log(np.exp(plain - top[:, None]).sum(1))))
        if plain.shape[1:] != self.middle.shape:
            raise BundleError(f"the network gives {plain.shape[1]} features, its reference has {len(self.middle)}.")
        away = plain - self.middle
        lengths = np.linalg.norm(self.axes, axis=0)
        along = away @ self.axes
        inside = ((along / lengths) ** 2).sum(1)
        outside = np.maximum(0.0, (away**2).sum(1) - inside) / self.beyond**2
        return np.asarray(np.sqrt((along**2).sum(1) + outside))

    def outlier(self, rows: np.ndarray) -> np.ndarray:
        """The distance told so that 0 is usual and more than 1 is refused."""
        return np.asarray((self.distance(rows) - self.usual) / (self.limit - self.usual))

    def to_json(self) -> dict[str, Any]:
        """All but the arrays."""
        plain = {"usual": self.usual, "limit": self.limit, "refused": self.refused, "beyond": self.beyond}
        return {"output": self.output, **plain}

    def arrays(self) -> dict[str, np.ndarray]:
        """What is too large for JSON."""
        held = {"middle": self.middle, "axes": self.axes}
        return {name: array for name, array in held.items() if array is not None}

    @classmethod
    def from_json(cls, plain: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Reference:
        numbers = [float(plain[name]) for name in ("usual", "limit", "refused")]
        usual, limit, refused = numbers
        held = arrays.get("middle"), arrays.get("axes")
        made = cls(str(plain["output"]), usual, limit, refused, *held, beyond=float(plain["beyond"]))
        middle, axes = made.middle, made.axes
        fits = middle is axes or (middle is not None and axes is not None and axes.shape[:1] == middle.shape)
        if not (fits and made.usual < made.limit and made.beyond > 0):
            raise ValueError("the reference of usual pictures does not fit itself")
        return made


def refer(output: str, learnt: np.ndarray, aside: np.ndarray) -> Reference | None:
    """From rows of pictures that were learnt from and of some that were not; None where they are too few."""
    learnt, aside = (rows[np.isfinite(rows).all(1)].astype(np.float64) for rows in (learnt, aside))
    if min(len(learnt), len(aside)) < FEWEST:
        return None
    made = Reference(output, 0.0, 1.0, REFUSED)
    if output == "features":
        middle, axes, beyond = _spread(learnt)
        made = replace(made, middle=middle, axes=axes, beyond=beyond)
    far = np.sort(made.distance(aside))
    rank = min(len(far), math.ceil((len(far) + 1) * (1 - REFUSED)))
    usual, limit = float(np.median(far)), float(far[rank - 1])
    told = _TOLD * max(1.0, float(np.abs(aside).max())) if output == "logits" else 0.0
    if not limit - usual > told:
        return None
    refused = (len(far) + 1 - rank) / (len(far) + 1)
    return replace(made, usual=usual, limit=limit, refused=refused)


def _spread(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """The middle, the main axes divided by the spread along each, and the spread beyond them."""
    middle = rows.mean(0)
    away = rows - middle
    width = rows.shape[1]
    spread, axes = main_axes(away)
    ball = _SHRINK * float(spread.sum()) / width
    kept = min(AXES, len(axes))
    along = np.sqrt((1 - _SHRINK) * spread[:kept] + ball + 1e-12)
    left = (1 - _SHRINK) * float(spread[kept:].sum()) / max(1, width - kept) + ball
    return middle.astype(np.float32), (axes[:kept].T / along).astype(np.float32), math.sqrt(left + 1e-12)
