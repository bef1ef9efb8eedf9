"""Stages as one graph: rows leave where they are sure, and nobody's answer depends on a neighbour."""

from typing import Any

import numpy as np
import onnx
from onnx import helper

from sightline.compressing.leaving import choose, frontier
from sightline.compressing.staging import Stage, joined
from tests.compressing.graphs import load, stage


def _row() -> list[Stage]:
    """Three stages: a matrix each; the last needs what the first was given."""
    rng = np.random.default_rng(0)

    def held(name: str, *shape: int) -> Any:
        return onnx.numpy_helper.from_array(rng.normal(0, 1, shape).astype(np.float32), name)

    first = stage(
        {"image": ["n", 4]}, {"logits": ["n", 3], "level": ["n", 4], "features": ["n", 4]},
        [helper.make_node("MatMul", ["image", "a"], ["level"]), helper.make_node("MatMul", ["level", "b"], ["logits"]),
         helper.make_node("Abs", ["level"], ["features"])],
        [held("a", 4, 4), held("b", 4, 3)],
    )  # fmt: skip
    second = stage(
        {"level": ["n", 4]}, {"logits": ["n", 3], "pooled": ["n", 4]},
        [helper.make_node("Sin", ["level"], ["pooled"]), helper.make_node("MatMul", ["pooled", "c"], ["logits"])],
        [held("c", 4, 3)],
    )  # fmt: skip
    third = stage(
        {"image": ["n", 4], "pooled": ["n", 4]}, {"logits": ["n", 3]},
        [helper.make_node("Add", ["image", "pooled"], ["both"]), helper.make_node("MatMul", ["both", "c"], ["logits"])],
        [onnx.helper.make_tensor("c", 1, [4, 3], list(onnx.numpy_helper.to_array(
            onnx.load_from_string(second).graph.initializer[0]).ravel()))],
    )  # fmt: skip
    return [Stage(first, ("image",)), Stage(second, ("level",)), Stage(third, ("image", "pooled"))]


def _sure(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return np.asarray((powers / powers.sum(1, keepdims=True)).max(1))


def _by_hand(row: list[Stage], thresholds: tuple[float, ...], image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    state: dict[str, np.ndarray] = {"image": image}
    answer, left = np.zeros((len(image), 3), np.float32), np.full(len(image), -1)
    for place, one in enumerate(row):
        state |= load(one.graph)({name: state[name] for name in one.takes})
        here = left < 0
        if place < len(thresholds):
            here &= _sure(state["logits"]) >= thresholds[place]
        answer[here], left[here] = state["logits"][here], place
    return answer, left


def test_every_row_has_the_answer_of_the_stage_where_it_left() -> None:
    row, image = _row(), np.random.default_rng(1).normal(0, 1, (40, 4)).astype(np.float32)
    graph = joined(row, (0.9, 0.6))
    wanted, left = _by_hand(row, (0.9, 0.6), image)
    assert set(left) == {0, 1, 2}
    given = load(graph)({"image": image})
    assert list(given) == ["logits", "features"]
    assert np.allclose(given["logits"], wanted, atol=1e-5)
    alone = np.concatenate([load(graph)({"image": image[n : n + 1]})["logits"] for n in range(len(image))])
    assert np.allclose(alone, wanted, atol=1e-5)


def test_all_may_leave_at_once_and_none_may() -> None:
    row, image = _row(), np.random.default_rng(1).normal(0, 1, (9, 4)).astype(np.float32)
    for thresholds, stayed in (((0.0, 0.0), 0), ((2.0, 2.0), 2)):
        wanted, left = _by_hand(row, thresholds, image)
        assert set(left) == {stayed}
        assert np.allclose(load(joined(row, thresholds))({"image": image})["logits"], wanted, atol=1e-5)


def test_equal_weights_are_kept_once() -> None:
    model = onnx.load_from_string(joined(_row(), (0.5, 0.5)))
    assert sum(list(tensor.dims) == [4, 3] for tensor in model.graph.initializer) == 2


def test_the_curve_rises_with_its_cost_and_the_choice_is_the_cheapest_that_is_good_enough() -> None:
    rng = np.random.default_rng(0)
    scores = np.stack([rng.uniform(0.3, 1, 2000), np.ones(2000)], 1)
    right = np.stack([rng.random(2000) < scores[:, 0], rng.random(2000) < 0.95], 1)
    found = frontier(scores, right, (1.0, 3.0))
    costs, hits = [one.cost for one in found], [one.right for one in found]
    assert costs == sorted(costs)
    assert hits == sorted(hits)
    assert costs[0] == 0.25
    assert found[-1].right >= right[:, 1].mean()
    chosen = choose(found, float(right[:, 1].mean()), 0.05)
    assert chosen.right >= right[:, 1].mean() - 0.05
    assert chosen.cost < found[-1].cost
    assert sum(chosen.shares) == 1
    assert choose(found, 2.0, 0.0) is found[-1]
