"""Losses over things with a place."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from sightline.core import geometry


def quality_focal(logits: Tensor, quality: Tensor, *, power: float = 2.0) -> Tensor:
    """Li et al. (2020): cross-entropy to a quality in 0..1, weighted by how wrong the score is; summed."""
    wrong = (quality - logits.sigmoid()).abs().pow(power)
    return (functional.binary_cross_entropy_with_logits(logits, quality, reduction="none") * wrong).sum()


def box_overlap(boxes: Tensor, truth: Tensor) -> Tensor:
    """One minus generalised IoU of paired boxes; summed."""
    lost: Tensor = (1 - geometry.generous_overlap(boxes, truth)).sum()
    return lost


def detection(
    logits: Tensor,
    boxes: Tensor,
    truth_boxes: Tensor,
    truth_classes: Tensor,
    *,
    size: Sequence[int],
    strides: Sequence[int] = (8, 16),
    most: int = 9,
) -> dict[str, Tensor]:
    """Scores and boxes of points against true boxes; class -1 pads.

    Each thing takes the `most` points inside it (or the nearest one) that already answer it best, by score times
    overlap as in Feng et al. (2021); a point that two things want goes to the better answer.
    """
    count = logits.shape[1]
    if truth_boxes.shape[1] == 0:
        return {"score": quality_focal(logits, torch.zeros_like(logits)), "box": boxes.sum() * 0.0}
    with torch.no_grad():
        overlap, _ = geometry.overlap(truth_boxes, boxes)
        merit = _merit(logits, overlap, truth_boxes, truth_classes, _points(size, strides, boxes))
        least = merit.topk(min(most, count), -1).values[..., -1:]
        merit = torch.where(merit >= least, merit, torch.zeros_like(merit))
        best, owner = merit.max(1)
        taken = best > 0
        quality = torch.zeros_like(logits)
        likeness = overlap.gather(1, owner[:, None]).squeeze(1).clip(0.1, 1.0)
        name = truth_classes.gather(1, owner).clip(0)
        quality.scatter_(2, name[..., None], (likeness * taken)[..., None])
        target = truth_boxes.gather(1, owner[..., None].expand(-1, -1, 4))
    return {
        "score": quality_focal(logits, quality) / quality.sum().clip(1.0),
        "box": 2 * box_overlap(boxes[taken], target[taken]) / taken.sum().clip(1.0),
    }


def _merit(logits: Tensor, overlap: Tensor, truth_boxes: Tensor, truth_classes: Tensor, points: Tensor) -> Tensor:
    """How well each point (last axis) answers each thing; zero where it may not."""
    wanted = truth_classes.clip(0)[..., None].expand(-1, -1, len(points))
    score = logits.sigmoid().transpose(1, 2).gather(1, wanted)
    inside = (points > truth_boxes[..., None, :2]).all(-1) & (points < truth_boxes[..., None, 2:]).all(-1)
    middle = (truth_boxes[..., :2] + truth_boxes[..., 2:]) / 2
    far = (points - middle[..., None, :]).norm(dim=-1)
    allowed = (inside | (far <= far.amin(-1, keepdim=True))) & (truth_classes >= 0)[..., None]
    merit: Tensor = (score.sqrt() * overlap.pow(3) + 1e-4 / (1 + far)) * allowed
    return merit


def _points(size: Sequence[int], strides: Sequence[int], like: Tensor) -> Tensor:
    levels = []
    for stride in strides:
        rows, columns = -(-size[0] // stride), -(-size[1] // stride)
        across = (torch.arange(columns, device=like.device, dtype=like.dtype) + 0.5) * stride
        down = (torch.arange(rows, device=like.device, dtype=like.dtype) + 0.5) * stride
        levels.append(torch.stack([across.repeat(rows), down.repeat_interleave(columns)], 1))
    return torch.cat(levels)
