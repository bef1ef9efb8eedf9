"""Explanations as a page: each picture, where the answer comes from, and what it is like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sightline.core.annotations import Heatmap
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError
from sightline.evaluating.page import document, escape, pack, section
from sightline.explaining.explain import Explained, Explanation
from sightline.explaining.methods import method
from sightline.explaining.neighbours import Near
from sightline.overlays import draw

LEAST = 192  # columns that a picture is shown with
NOT_SAID = (
    "It does not show whether the answer is right, nor that a person would look there. Bright is what counts most for "
    "this answer, on the scale of this picture alone."
)


def page(explained: Explained) -> bytes:
    """The whole page; without explanations it says why there are none."""
    verdict = explained.verdict
    head = f'<header><p class="eyebrow">{escape(explained.title)}</p><h1>Why it answers so</h1>'
    head += f'<p class="verdict">{escape(verdict.line)}.</p></header>\n'
    body = gallery(explained.explanations, explained.train) if explained.explanations else ""
    chosen = method(verdict.method)
    lead = f"{chosen.title}: {chosen.says}. {NOT_SAID}"
    parts = section("Where the answers come from", body, lead) if body else ""
    failed = [f"{name}: {error.message}" for name, error in explained.failed]
    if failed:
        parts += section("Not read", "".join(f"<p>{escape(line)}</p>" for line in failed))
    return document(f"Why it answers so · {explained.title}", head + parts).encode()


def gallery(explanations: Sequence[Explanation], train: Dataset | None = None, heads: Sequence[str] = ()) -> str:
    """A row a picture: itself, the map over it, and the nearest of what was learnt."""
    like = _pictures(train, {near.id for each in explanations for near in each.near})
    shown: list[np.ndarray] = []
    told: list[list[tuple[str, str]]] = []
    for place, each in enumerate(explanations):
        pixels = each.sample.pixels()
        shown += [enlarged(pixels), overlay(pixels, each.heatmap)]
        row = [(each.sample.id, _said(each, heads[place] if heads else "")), (f"why '{each.asked}'", _score(each))]
        for near in each.near:
            if near.id in like:
                shown.append(like[near.id])
                row.append((", ".join(near.names) or "learnt from", f"{near.id}, distance {near.distance:.2f}"))
        told.append(row)
    packed = iter(pack(shown))
    return "".join(_row(row, packed) for row in told)


def typical_row(typical: Mapping[str, Near], train: Dataset) -> str:
    """One picture a name."""
    like = _pictures(train, {near.id for near in typical.values()})
    told = [(name, near.id) for name, near in typical.items() if near.id in like]
    return _row(told, iter(pack([like[identity] for _, identity in told])))


def overlay(pixels: np.ndarray, heatmap: Heatmap) -> np.ndarray:
    """The map over its picture, enlarged where the picture is tiny; no strip below."""
    import cv2

    times = _times(pixels)
    large = pixels.repeat(times, 0).repeat(times, 1)
    scores = cv2.resize(heatmap.scores, large.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    drawn = draw(large, Heatmap(np.clip(scores, 0, 1), heatmap.score))
    return drawn[: large.shape[0]]


def enlarged(pixels: np.ndarray) -> np.ndarray:
    """A picture of any depth as it is shown; tiny ones with their pixels whole."""
    return overlay(pixels, Heatmap(np.zeros(pixels.shape[:2], np.float32)))


def _times(pixels: np.ndarray) -> int:
    return max(1, -(-LEAST // int(pixels.shape[1])))


def _pictures(train: Dataset | None, wanted: set[str]) -> dict[str, np.ndarray]:
    if train is None or not wanted:
        return {}
    found = {}
    for row, name in enumerate(train.column("id")):
        if name in wanted:
            try:
                found[name] = enlarged(train[row].pixels())
            except InputError:
                continue
    return found


def _said(each: Explanation, head: str) -> str:
    truth = getattr(each.sample.truth, "best", None)
    answer = getattr(each.answer, "best", each.asked)
    said = f"answered {answer}" + (f", is {truth}" if truth else "")
    return f"{head}: {said}" if head else said


def _score(each: Explanation) -> str:
    return f"score {each.heatmap.score:.3g}"


def _row(told: Sequence[tuple[str, str]], packed: Any) -> str:
    figures = ""
    for title, detail in told:
        figures += f'<figure><img class="tiny" src="{next(packed)}" alt="{escape(f"{title}: {detail}")}">'
        figures += f"<figcaption><b>{escape(title)}</b><span>{escape(detail)}</span></figcaption></figure>\n"
    kind = "gallery five" if len(told) <= 5 else "gallery"  # one line on paper, where a screen may wrap it
    return f'<div class="{kind}" style="--width:150px;margin-bottom:22px">{figures}</div>'
