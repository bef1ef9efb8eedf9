"""Losses over boxes, against loops over every pair of a thing and a point."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch

from sightline.losses.objects import box_overlap, detection, quality_focal
from tests.losses.cases import Case

SIZE, STRIDES, MOST = (64, 96), (8, 16), 9
POINTS = [
    ((column + 0.5) * stride, (row + 0.5) * stride)
    for stride in STRIDES
    for row in range(SIZE[0] // stride)
    for column in range(SIZE[1] // stride)
]


def _boxes(chance: torch.Generator, *shape: int) -> torch.Tensor:
    """Corners within the picture, sides of 4 to 40 pixels."""
    start = torch.rand(*shape, 2, generator=chance) * torch.tensor([56.0, 24.0])
    return torch.cat([start, start + 4 + torch.rand(*shape, 2, generator=chance) * 36], -1)


# -------------------------------------------------------------------------------------------------------- oracles


def _focal(logits: np.ndarray, quality: np.ndarray, power: float = 2.0) -> float:
    """Li et al. (2020), equation 5, number by number."""
    total = 0.0
    for logit, wanted in zip(logits.astype(np.float64).ravel(), quality.astype(np.float64).ravel(), strict=True):
        score = 1 / (1 + math.exp(-logit))
        surprise = -(wanted * math.log(max(score, 1e-300)) + (1 - wanted) * math.log(max(1 - score, 1e-300)))
        total += abs(wanted - score) ** power * surprise
    return total


def _ious(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    """IoU and generalised IoU (Rezatofighi et al. 2019) of two boxes."""

    def area(box: Any) -> float:
        return max(0.0, float(box[2] - box[0])) * max(0.0, float(box[3] - box[1]))

    shared = area([max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])])
    hull = area([min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])])
    union = area(a) + area(b) - shared
    return shared / union, shared / union - (hull - union) / hull


def _overlap(boxes: np.ndarray, truth: np.ndarray) -> float:
    return sum(1 - _ious(a, b)[1] for a, b in zip(boxes.astype(np.float64), truth.astype(np.float64), strict=True))


def _merits(scores: np.ndarray, boxes: np.ndarray, thing: np.ndarray, name: int) -> list[float]:
    """How well each point answers one thing; only the best few count."""
    middle = (thing[0] + thing[2]) / 2, (thing[1] + thing[3]) / 2
    far = [math.dist(point, middle) for point in POINTS]
    found = []
    for place, (x, y) in enumerate(POINTS):
        inside = thing[0] < x < thing[2] and thing[1] < y < thing[3]
        allowed = name >= 0 and (inside or far[place] == min(far))
        iou, _ = _ious(thing, boxes[place])
        found.append((math.sqrt(scores[place, name]) * iou**3 + 1e-4 / (1 + far[place])) if allowed else 0.0)
    least = sorted(found)[-MOST]
    return [merit if merit >= least else 0.0 for merit in found]


def _detection(
    logits: np.ndarray, boxes: np.ndarray, truth_boxes: np.ndarray, truth_classes: np.ndarray, size: Any
) -> float:
    quality, lost, taken = np.zeros(logits.shape), 0.0, 0
    scores = 1 / (1 + np.exp(-logits.astype(np.float64)))
    for row in range(len(logits)):
        things = truth_boxes[row].astype(np.float64)
        merits = [
            _merits(scores[row], boxes[row], *pair) for pair in zip(things, truth_classes[row].tolist(), strict=True)
        ]
        for place in range(len(POINTS)):
            owner = max(range(len(merits)), key=lambda thing: merits[thing][place])
            if merits[owner][place] > 0:
                iou, generous = _ious(things[owner], boxes[row, place].astype(np.float64))
                quality[row, place, truth_classes[row, owner]] = min(1.0, max(0.1, iou))
                lost, taken = lost + 1 - generous, taken + 1
    return _focal(logits, quality) / max(1.0, quality.sum()) + 2 * lost / max(1, taken)


# ---------------------------------------------------------------------------------------------------------- cases


def _draw_focal(chance: torch.Generator) -> dict[str, Any]:
    return {"logits": torch.randn(5, 3, generator=chance) * 2, "quality": torch.rand(5, 3, generator=chance)}


def _draw_pairs(chance: torch.Generator) -> dict[str, Any]:
    return {"boxes": _boxes(chance, 7), "truth": _boxes(chance, 7)}


def _draw_scene(chance: torch.Generator) -> dict[str, Any]:
    """Three things and a padding row in one picture, one thing in the other; answers near the points they belong to."""
    points = torch.tensor(POINTS)
    sides = 3 + torch.rand(2, len(POINTS), 4, generator=chance) * 20
    boxes = torch.cat([points - sides[..., :2], points + sides[..., 2:]], -1)
    return {
        "logits": torch.randn(2, len(POINTS), 2, generator=chance),
        "boxes": boxes,
        "truth_boxes": _boxes(chance, 2, 4),
        "truth_classes": torch.tensor([[0, 1, 1, -1], [0, -1, -1, -1]]),
        "size": SIZE,
    }


def _perfect_scene(drawn: Mapping[str, Any]) -> tuple[dict[str, Any], float]:
    """The nine points nearest the middle of each of two things answer it exactly; all others are silent."""
    things = torch.tensor([[3.1, 2.3, 40.2, 45.7], [50.3, 20.9, 93.4, 60.2]])
    points = torch.tensor(POINTS)
    logits, boxes = torch.full((1, len(POINTS), 2), -60.0), torch.cat([points - 1, points + 1], 1)[None].clone()
    for name, thing in enumerate(things):
        near = (points - (thing[:2] + thing[2:]) / 2).norm(dim=1).argsort()[:MOST]
        logits[0, near, name] = 60.0
        boxes[0, near] = thing
    truth = {"truth_boxes": things[None], "truth_classes": torch.tensor([[0, 1]])}
    return {**drawn, **truth, "logits": logits, "boxes": boxes}, 0.0


CASES = {
    "quality_focal": Case(
        _draw_focal, lambda drawn: ({**drawn, "logits": drawn["quality"].logit()}, 0.0), _focal, ("logits",), 3.0
    ),
    "box_overlap": Case(
        _draw_pairs, lambda drawn: ({**drawn, "boxes": drawn["truth"].clone()}, 0.0), _overlap, ("boxes",), 8.0
    ),
    "detection": Case(_draw_scene, _perfect_scene, _detection, ("logits", "boxes"), 20.0, fixed_weights=True),
}


# ---------------------------------------------------------------------------------------------- what only these keep


def _total(scene: Mapping[str, Any]) -> float:
    return float(sum(detection(**scene).values()))


@pytest.fixture
def scene() -> dict[str, Any]:
    return _draw_scene(torch.Generator().manual_seed(4))


@pytest.mark.parametrize("more", [1, 5])
def test_padding_changes_nothing(scene: dict[str, Any], more: int) -> None:
    padded = {
        **scene,
        "truth_boxes": torch.cat([scene["truth_boxes"], torch.zeros(2, more, 4)], 1),
        "truth_classes": torch.cat([scene["truth_classes"], torch.full((2, more), -1)], 1),
    }
    assert _total(padded) == pytest.approx(_total(scene), rel=1e-6)


def test_padding_changes_nothing_where_there_is_nothing(scene: dict[str, Any]) -> None:
    none = {**scene, "truth_boxes": torch.zeros(2, 0, 4), "truth_classes": torch.zeros(2, 0, dtype=torch.int64)}
    padded = {**scene, "truth_boxes": torch.zeros(2, 1, 4), "truth_classes": torch.full((2, 1), -1)}
    assert _total(none) == pytest.approx(_total(padded), rel=1e-6)
    assert _total(none) == pytest.approx(_focal(scene["logits"].numpy(), np.zeros(scene["logits"].shape)), rel=1e-5)


def test_pictures_without_things_still_teach_silence(scene: dict[str, Any]) -> None:
    logits = scene["logits"].clone().requires_grad_()
    parts = detection(logits, scene["boxes"], torch.zeros(2, 0, 4), torch.zeros(2, 0, dtype=torch.int64), size=SIZE)
    sum(parts.values()).backward()  # type: ignore[union-attr, no-untyped-call]
    assert logits.grad is not None
    assert bool((logits.grad > 0).all()), "every score is pushed down"


def test_the_order_of_things_means_nothing(scene: dict[str, Any]) -> None:
    turned = {**scene, **{key: scene[key][:, [2, 3, 0, 1]] for key in ("truth_boxes", "truth_classes")}}
    assert _total(turned) == pytest.approx(_total(scene), rel=1e-6)


def test_a_thing_smaller_than_any_cell_is_answered_by_the_nearest_point() -> None:
    perfect, _ = _perfect_scene({"size": SIZE})
    tiny = torch.tensor([[[21.0, 21.0, 22.0, 22.0]]])
    boxes = perfect["boxes"].clone().requires_grad_()
    logits = torch.zeros_like(perfect["logits"])
    detection(logits, boxes, tiny, torch.tensor([[0]]), size=SIZE)["box"].backward()  # type: ignore[no-untyped-call]
    assert boxes.grad is not None
    moved = boxes.grad[0].any(1).nonzero().ravel().tolist()
    assert [POINTS[place] for place in moved] == [(20.0, 20.0)]


def test_the_right_box_with_the_wrong_name_is_no_answer() -> None:
    perfect, _ = _perfect_scene({"size": SIZE})
    assert _total({**perfect, "truth_classes": torch.tensor([[1, 0]])}) > 10


def test_generous_overlap_of_boxes_worked_out_by_hand() -> None:
    """Two 2 x 2 boxes one apart: hull 5 x 2, union 8, so GIoU is -2/10 and the loss 1.2; shifted by one: 2/6."""
    first = torch.tensor([[0.0, 0.0, 2.0, 2.0]])
    assert float(box_overlap(first, torch.tensor([[3.0, 0.0, 5.0, 2.0]]))) == pytest.approx(1.2)
    assert float(box_overlap(first, torch.tensor([[1.0, 0.0, 3.0, 2.0]]))) == pytest.approx(1 - 2 / 6)


def test_focal_of_a_half_by_hand() -> None:
    """A score of one half where one is wanted: log(2) times one quarter."""
    assert float(quality_focal(torch.zeros(1), torch.ones(1))) == pytest.approx(math.log(2) / 4)
