"""What is true of a picture made of several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from sightline.core.annotations import Annotation, Labels, Objects, Value
from sightline.core.errors import InputError
from sightline.core.sample import Sample

Part = tuple[Annotation | None, float]


def shares(sample: Sample, parts: Sequence[Part], what: str) -> Annotation | None:
    """Names with the share of each part as their score, numbers in between; without any truth there is none."""
    truths = [truth for truth, _ in parts]
    if all(truth is None for truth in truths):
        return None
    if all(isinstance(truth, Labels) for truth in truths):
        return _names(parts)
    first = truths[0]
    if isinstance(first, Value) and all(isinstance(t, Value) and t.names == first.names for t in truths):
        numbers: Any = sum(truth.numbers * share for truth, share in parts)  # type: ignore[union-attr]
        return Value(first.names, numbers)
    kinds = ", ".join(sorted({type(truth).__name__ for truth in truths}))
    raise InputError("label", f"{sample.id}: {what} cannot mix {kinds}; it mixes Labels or Value.")


def _names(parts: Sequence[Part]) -> Labels:
    scores: dict[str, float] = {}
    for truth, share in parts:
        assert isinstance(truth, Labels)
        for name in truth.names:
            scores[name] = scores.get(name, 0.0) + share * truth.score(name)
    ranked = sorted(scores, key=lambda name: -scores[name])
    return Labels(tuple(ranked), np.array([scores[name] for name in ranked], np.float32))


def union(first: Objects, second: Objects, size: Any) -> Objects:
    """The things of both; a column that only one side has is filled with what it means to lack it."""
    names = (*first.names, *(name for name in second.names if name not in first.names))
    place = np.array([names.index(name) for name in second.names], np.int64)
    second = replace(second, names=names, classes=place[second.classes] if len(second) else second.classes)
    if first.boxes.shape[1] != second.boxes.shape[1]:
        raise InputError("mismatch", "upright and rotated boxes cannot be mixed; give one kind.")
    joined: dict[str, Any] = {}
    for name in ("boxes", "classes", "scores", "masks", "keypoints", "tracks"):
        sides = [_column(side, name, other, size) for side, other in ((first, second), (second, first))]
        known = [side for side in sides if side is not None]
        if len(known) == 2:
            joined[name] = np.concatenate(known).astype(known[0].dtype, copy=False)
    for name, lacking in (("texts", ""), ("outlines", ()), ("details", {})):
        ragged = [getattr(side, name) for side in (first, second)]
        if ragged != [None, None]:
            whole = [
                (lacking,) * len(side) if got is None else got
                for side, got in zip((first, second), ragged, strict=True)
            ]
            joined[name] = (*whole[0], *whole[1])
    return replace(
        first, names=names, mirror=first.mirror or second.mirror, **{"scores": None, "tracks": None, **joined}
    )


def _column(side: Objects, name: str, other: Objects, size: Any) -> np.ndarray | None:
    """A column of one side, or what stands for it where only the other side has it."""
    have, theirs = getattr(side, name), getattr(other, name)
    if have is not None and (name != "keypoints" or theirs is None or have.shape[1] >= theirs.shape[1]):
        return np.asarray(have)
    if theirs is None and have is None:
        return None
    if name == "scores":
        return np.ones(len(side), np.float32)
    if name == "masks":
        return side.shapes((int(size[0]), int(size[1])))
    if name == "keypoints":
        blank = np.zeros((len(side), theirs.shape[1], 3), np.float32)
        if have is not None:
            blank[:, : have.shape[1]] = have
        return blank
    if name == "tracks":
        return np.full(len(side), -1, np.int64)
    return None
