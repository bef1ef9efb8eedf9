"""How close pixels are."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from sightline.core.annotations import Picture
from sightline.core.errors import InputError
from sightline.core.tally import Tally, mean
from sightline.metrics._pairs import check_pairs, column, top_of

_MOST = 100.0  # dB; above what sixteen bits can tell apart, so that one perfect picture leaves the mean finite


def psnr(truths: Sequence[Picture], predictions: Sequence[Picture]) -> Tally:
    """Mean over pictures of the peak signal-to-noise ratio in dB, over the full range of the depth, at most 100."""
    check_pairs(truths, predictions)
    rows = column(_psnr(*pair) for pair in zip(truths, predictions, strict=True))
    return Tally(rows, mean, "higher", limits=(-math.inf, _MOST))


def _psnr(truth: Picture, given: Picture) -> float:
    a, b = truth.pixels, given.pixels
    if a.shape != b.shape or a.dtype != b.dtype:
        raise InputError("mismatch", f"the true picture is {a.shape} {a.dtype}, the given one {b.shape} {b.dtype}.")
    error = float(np.mean((a.astype(np.float64) - b.astype(np.float64)) ** 2))
    if math.isnan(error):
        return error
    return min(_MOST, 10 * math.log10(top_of(a.dtype) ** 2 / error)) if error > 0 else _MOST
