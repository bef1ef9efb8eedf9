"""Augmentations that mix samples: names become shares, things come together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import cv2
import numpy as np

from sightline.augmentations._hiding import hide
from sightline.augmentations._union import shares, union
from sightline.core import geometry, warp
from sightline.core.annotations import Annotation, Heatmap, Objects, Picture, Regions
from sightline.core.carried import aligned, carry_truth, with_pixels
from sightline.core.errors import InputError
from sightline.core.sample import Sample

Others = Callable[[int], list[Sample]]


def mixup(sample: Sample, rng: np.random.Generator, *, others: Others, alpha: float = 0.2) -> Sample:
    """Two samples laid over each other (Zhang et al. 2018): names take their shares, things of both are kept."""
    share = float(rng.beta(alpha, alpha))
    share = max(share, 1 - share)  # the sample's own attributes stay those of its larger part
    mine = aligned(sample)
    pixels, truth = _alike(sample, mine, others(1)[0])
    mixed = [_between(one, other, share) for one, other in zip(mine, pixels, strict=True)]
    if isinstance(sample.truth, Objects) and isinstance(truth, Objects):
        return with_pixels(sample, mixed, union(sample.truth, truth, mine[0].shape[-3:-1]))
    return with_pixels(sample, mixed, shares(sample, [(sample.truth, share), (truth, 1 - share)], "mixup"))


def _between(one: np.ndarray, other: np.ndarray, share: float) -> np.ndarray:
    if one.dtype.kind == "u":
        flat = one.reshape(len(one), -1)
        return np.asarray(cv2.addWeighted(flat, share, other.reshape(flat.shape), 1 - share, 0).reshape(one.shape))
    return np.asarray(one * np.float32(share) + other * np.float32(1 - share))


def cutmix(sample: Sample, rng: np.random.Generator, *, others: Others, alpha: float = 1.0) -> Sample:
    """A window of another sample pasted in (Yun et al. 2019); names take the shares of the area."""
    mine = aligned(sample)
    rows, columns = mine[0].shape[-3:-1]
    part = float(np.sqrt(1 - max(rng.beta(alpha, alpha), 1e-9)))
    high, wide = round(rows * part), round(columns * part)
    y, x = int(rng.integers(rows)) - high // 2, int(rng.integers(columns)) - wide // 2
    top, left, bottom, right = max(0, y), max(0, x), min(rows, y + high), min(columns, x + wide)
    pixels, truth = _alike(sample, mine, others(1)[0])
    window = (..., slice(top, bottom), slice(left, right))
    pasted = [_pasted(one, other, (*window, slice(None))) for one, other in zip(mine, pixels, strict=True)]
    share = 1 - (bottom - top) * (right - left) / (rows * columns)
    maps = _pasted_map(sample.truth, truth, window)
    if maps is not None:
        return with_pixels(sample, pasted, maps)
    return with_pixels(sample, pasted, shares(sample, [(sample.truth, share), (truth, 1 - share)], "cutmix"))


def mosaic(sample: Sample, rng: np.random.Generator, *, others: Others, least: float = 0.25) -> Sample:
    """Four samples in the quarters around a random point (Bochkovskiy et al. 2020), each a window of its own."""
    mine = aligned(sample)
    rows, columns = mine[0].shape[-3:-1]
    if rows < 4 or columns < 4:
        others(3)  # the same chance is used up
        return sample
    y, x = (int(np.clip(round(side * rng.uniform(0.3, 0.7)), 1, side - 1)) for side in (rows, columns))
    canvas = [np.empty_like(each) for each in mine]
    parts: list[tuple[Annotation | None, float]] = []
    quarters = ((0, 0, y, x), (0, x, y, columns - x), (y, 0, rows - y, x), (y, x, rows - y, columns - x))
    for each, (top, left, high, wide) in zip([sample, *others(3)], quarters, strict=True):
        tile = _tile(each, rng, (high, wide))
        pixels = [_fitting(image.read(), want, each, "mosaic") for image, want in zip(each.images, mine, strict=True)]
        for board, one in zip(canvas, pixels, strict=True):
            board[..., top : top + high, left : left + wide, :] = tile.pixels(one)
        placed = tile.then(warp.window((high, wide), -top, -left, rows, columns))
        inside = carry_truth(each.truth, tile, least=least)
        if isinstance(inside, Objects):
            inside = carry_truth(inside, warp.window((high, wide), -top, -left, rows, columns), least=0.0)
        elif isinstance(inside, (Regions, Heatmap, Picture)):
            inside = carry_truth(each.truth, placed, least=least)
        parts.append((inside, high * wide / (rows * columns)))
    return with_pixels(sample, canvas, _together(sample, parts, quarters, (rows, columns)))


def _tile(sample: Sample, rng: np.random.Generator, to: warp.Size) -> warp.Warp:
    """A window of the shape of the tile, as large as fits or somewhat smaller."""
    rows, columns = aligned(sample)[0].shape[-3:-1]
    size = min(rows / to[0], columns / to[1]) * rng.uniform(0.6, 1.0)
    high, wide = max(1, min(rows, round(to[0] * size))), max(1, min(columns, round(to[1] * size)))
    top, left = int(rng.integers(rows - high + 1)), int(rng.integers(columns - wide + 1))
    return warp.window((rows, columns), top, left, high, wide, to)


def _together(sample: Sample, parts: list[tuple[Annotation | None, float]], quarters: Any, size: warp.Size) -> Any:
    first = parts[0][0]
    if isinstance(first, Objects):
        for other, _ in parts[1:]:
            first = union(first, _objects(other, sample), size)
        return first
    for (other, _), (top, left, high, wide) in zip(parts[1:], quarters[1:], strict=True):
        window = (..., slice(top, top + high), slice(left, left + wide))
        pasted = _pasted_map(first, other, window)
        if pasted is None:
            return shares(sample, parts, "mosaic")
        first = pasted
    return first


def copy_paste(
    sample: Sample, rng: np.random.Generator, *, others: Others, part: float = 0.5, least: float = 0.2
) -> Sample:
    """Things of another sample pasted in by their shapes (Ghiasi et al. 2021); what they cover is cut or dropped."""
    mine = aligned(sample)
    size: warp.Size = mine[0].shape[-3:-1]
    truth = _objects(sample.truth, sample)
    pixels, other = _alike(sample, mine, others(1)[0])
    added = _objects(other, sample)
    added = added.take(np.flatnonzero(rng.random(len(added)) < part))
    if not len(added):
        return sample
    shapes = added.shapes(size)
    cover: np.ndarray = np.asarray(shapes.any(0))
    soft = cv2.GaussianBlur(cover.astype(np.float32), (0, 0), 1.0) * cover
    pasted = [_laid(one, new, cover, soft) for one, new in zip(mine, pixels, strict=True)]
    if truth.masks is not None and len(truth):
        before = truth.masks.sum((1, 2))
        masks = truth.masks & ~cover
        seen = masks.sum((1, 2)) / np.maximum(before, 1)
        tight = [geometry.rings_bounds(geometry.trace(mask)) for mask in masks] if truth.boxes.shape[1] == 4 else []
        boxes = np.array(
            [new if new.any() else old for new, old in zip(tight, truth.boxes, strict=True)] or truth.boxes
        )
        truth = replace(truth, masks=masks, boxes=boxes.astype(truth.boxes.dtype)).take((seen >= least) | (before == 0))
    truth = _objects(hide(truth, cover, least), sample)
    return with_pixels(sample, pasted, union(truth, added, size))


def _laid(one: np.ndarray, new: np.ndarray, cover: np.ndarray, soft: np.ndarray) -> np.ndarray:
    """New pixels where covered, mixed along the rim so that no hard edge gives the paste away."""
    share = np.clip(soft * 1.5, 0, 1)[cover][:, None]
    made = one.copy()
    mixed = one[..., cover, :] * (1 - share) + new[..., cover, :] * share
    made[..., cover, :] = np.rint(mixed) if one.dtype.kind == "u" else mixed
    return made


def _objects(truth: Annotation | None, sample: Sample) -> Objects:
    if isinstance(truth, Objects):
        return truth
    kind = type(truth).__name__ if truth is not None else "no truth"
    raise InputError("label", f"{sample.id}: things can only be pasted between samples of Objects, not {kind}.")


def _alike(sample: Sample, mine: list[np.ndarray], other: Sample) -> tuple[list[np.ndarray], Annotation | None]:
    """Another sample's pictures and truth at this one's size."""
    theirs = aligned(other)
    if len(theirs) != len(mine):
        raise InputError("mismatch", f"{sample.id} has {len(mine)} pictures and {other.id} has {len(theirs)}.")
    whole, to = theirs[0].shape[-3:-1], mine[0].shape[-3:-1]
    fit = warp.window(whole, 0, 0, whole[0], whole[1], to)
    pixels = [fit.pixels(_fitting(one, want, other, "mixing")) for one, want in zip(theirs, mine, strict=True)]
    return pixels, carry_truth(other.truth, fit, least=0.0)


def _fitting(pixels: np.ndarray, want: np.ndarray, sample: Sample, what: str) -> np.ndarray:
    if pixels.dtype != want.dtype or pixels.shape[-1] != want.shape[-1] or pixels.shape[:-3] != want.shape[:-3]:
        raise InputError(
            "mismatch",
            f"{sample.id}: {what} needs pictures of one kind, not {pixels.dtype} {pixels.shape} with "
            f"{want.dtype} {want.shape}.",
        )
    return pixels


def _pasted(one: np.ndarray, other: np.ndarray, window: Any) -> np.ndarray:
    made = one.copy()
    made[window] = other[window]
    return made


def _pasted_map(first: Annotation | None, other: Annotation | None, window: Any) -> Annotation | None:
    """Class maps, score maps and pictures with a window of another; None where truth is no map."""
    if isinstance(first, Regions) and isinstance(other, Regions) and first.names == other.names:
        return replace(first, classes=_pasted(first.classes, other.classes, window))
    if isinstance(first, Heatmap) and isinstance(other, Heatmap):
        scores = _pasted(first.scores, other.scores, window)
        return replace(first, scores=scores, score=max(first.score, other.score))
    if isinstance(first, Picture) and isinstance(other, Picture):
        return replace(first, pixels=_pasted(first.pixels, other.pixels, (*window, slice(None))))
    return None
