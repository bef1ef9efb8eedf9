"""How near things are, from two pictures taken side by side."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from sightline.core.asked import number, word
from sightline.core.relation import Field
from sightline.matchers._home import confirmed
from sightline.matchers._light import levels, nothing, same_size

WAYS = ("global", "block")


def disparity(
    first: np.ndarray,
    second: np.ndarray,
    *,
    most: int = 64,
    least: int = 0,
    search: str = "global",
    block: int = 5,
    check: bool = True,
) -> Field:
    """How far each pixel of the left picture lies further left in the right one: steps of -disparity along the row.

    The two are taken side by side, or brought so that a row shows the same in both. Disparities lie from `least` to
    `most` pixels. `search` global weighs a match against the steps around it (semi-global, Hirschmueller 2008); block
    looks at `block` x `block` pixels alone. `check` matches right to left as well: `seen` is what agrees, to a pixel.
    """
    word("disparity", "search", search, WAYS)
    number("disparity", "most", most, least + 1, 1024)
    number("disparity", "least", least, -1024, 1023)
    number("disparity", "block", block, 3, 31)
    one, two = levels(first, second, "disparity", alike=True)
    same_size(one, two, "disparity")
    many = -(-(most - least) // 16) * 16
    if many + abs(least) >= one.shape[1]:
        raise nothing("disparity", f"{one.shape[1]} columns cannot hold disparities from {least} to {most}")
    left = _matched(one, two, least, many, search, block, whole=check)
    if not check:
        return Field(_steps(left, least), _size(two), left >= least)
    right = _matched(two[:, ::-1], one[:, ::-1], least, many, search, block, whole=True)[:, ::-1]
    there, back = _steps(left, least), -_steps(right, least)
    made = confirmed(there, np.ascontiguousarray(back), one, two)
    assert made.seen is not None
    known = (left >= least) & made.seen
    share = float(known.mean()) / max(float(made.seen.mean()), 1e-9)
    return Field(there, made.second, known, (made.score or 0.0) * share)


def _matched(
    one: np.ndarray, two: np.ndarray, least: int, many: int, search: str, block: int, *, whole: bool
) -> np.ndarray:
    """(rows, columns) float32; below `least` where nothing matched. `whole` knows near the left edge, too."""
    tools: Any = cv2
    block += 1 - block % 2
    if search == "global":
        steady = block * block
        matcher = tools.StereoSGBM_create(
            least, many, block, 8 * steady, 32 * steady, disp12MaxDiff=-1, uniquenessRatio=5,
            speckleWindowSize=0 if whole else 100, speckleRange=2,
        )  # fmt: skip
    else:
        matcher = tools.StereoBM_create(many, max(5, block))
        matcher.setMinDisparity(least)
    one, two = np.ascontiguousarray(one), np.ascontiguousarray(two)
    pad = many + max(0, least) if whole else 0
    if pad:
        one, two = (cv2.copyMakeBorder(light, 0, 0, pad, 0, cv2.BORDER_REPLICATE) for light in (one, two))
    found = np.asarray(matcher.compute(one, two))[:, pad:]
    return np.asarray(found, np.float32) * np.float32(1 / 16)


def _steps(found: np.ndarray, least: int) -> np.ndarray:
    """Steps; where nothing matched, the lesser of the nearest known to the left and right, which is what is behind."""
    made = np.zeros((*found.shape, 2), np.float32)
    np.negative(found, out=made[..., 0])
    lost = found < least
    if not lost.any():
        return made
    wide = found.shape[1]
    columns = np.arange(wide, dtype=np.int32)
    left = np.maximum.accumulate(np.where(lost, np.int32(-1), columns), 1)[lost]
    right = np.minimum.accumulate(np.where(lost, np.int32(wide), columns)[:, ::-1], 1)[:, ::-1][lost]
    rows = np.nonzero(lost)[0]
    before = np.where(left >= 0, found[rows, np.maximum(left, 0)], np.inf)
    after = np.where(right < wide, found[rows, np.minimum(right, wide - 1)], np.inf)
    filled = np.minimum(before, after)
    made[lost, 0] = -np.where(np.isfinite(filled), filled, least)
    return made


def _size(light: np.ndarray) -> tuple[int, int]:
    return int(light.shape[0]), int(light.shape[1])
