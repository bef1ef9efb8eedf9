"""Random forest on features, as `forest` or `forest:TREES`; it says how much each number of a row mattered."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sightline.core.errors import UnknownNameError
from sightline.core.extras import need
from sightline.models._learners import FLOOR, Learner, spread
from sightline.models._variants import Variant

GIVES = "logits"
TAKES = "features"
PARAMETERS = None  # what is learnt depends on the data
USE = "numbers of very different kinds; says which features mattered"
TREES, DEEPEST = 200, 24
JUDGES = 60  # trees, while settings are chosen
MOST = 8_000_000  # shares in all leaves: 32 MB


def build(
    lengths: Sequence[int] = (64,), count: int = 2, *, keep: int | str | None = None, trees: int = TREES
) -> nn.Module:
    """`lengths` are those of the parts of a row; `keep` directions of them are looked at (0: all)."""
    return Forest(lengths, count, keep, trees)


def variant(number: str) -> Variant:
    """`forest:50` has fifty trees."""
    if not number.isdecimal() or not 0 < int(number) <= 2000:
        raise UnknownNameError(f"model 'forest' has no '{number}': write how many trees, for example forest:100.")
    return Variant(partial(build, trees=int(number)), None, GIVES, TAKES)


class Forest(Learner):
    """Trees as arrays: a row walks down all of them at once, a step a level; leaves stay where they are."""

    column: Tensor
    border: Tensor
    left: Tensor
    right: Tensor
    shares: Tensor
    roots: Tensor
    steps: Tensor
    importance: Tensor
    choices = ({"leaf": 1}, {"leaf": 5}, {"leaf": 20})  # rows a leaf, at least: larger ones remember rare names

    def __init__(self, lengths: Sequence[int], count: int, keep: int | str | None, trees: int) -> None:
        super().__init__(lengths, count, keep)
        self.trees = trees
        self.empty(border=(0,), shares=(0, count), steps=(0,), importance=(sum(lengths),))
        for name in ("column", "left", "right", "roots"):
            self.register_buffer(name, torch.zeros(0, dtype=torch.int64))

    def fit(self, z: np.ndarray, classes: np.ndarray, **settings: Any) -> None:
        self._grown(z, classes, self.trees, settings["leaf"], False)

    def held(
        self, z: np.ndarray, classes: np.ndarray, fold: np.ndarray, settings: Mapping[str, Any]
    ) -> tuple[Tensor, np.ndarray]:
        """Each row is judged by the trees that were not grown on it."""
        model = self._grown(z, classes, min(self.trees, JUDGES), settings["leaf"], True)
        found = model.oob_decision_function_
        known = np.isfinite(found).all(1) & (found.sum(1) > 0)
        shares = spread(found.T, model.classes_, self.count, 0.0).T[known]
        return torch.from_numpy(np.log(shares + FLOOR).astype(np.float32)), classes[known]

    def _grown(self, z: np.ndarray, classes: np.ndarray, trees: int, leaf: int, judged: bool) -> Any:
        leaves = max(16, MOST // (2 * self.trees * self.count))
        model = need("sklearn.ensemble").RandomForestClassifier(
            trees,
            min_samples_leaf=leaf,
            class_weight="balanced_subsample",
            max_depth=DEEPEST,
            max_leaf_nodes=leaves if len(z) > leaves else None,
            oob_score=judged,
            random_state=0,
        )
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Some inputs do not have OOB")
            model.fit(z, classes)
        self._as_arrays([one.tree_ for one in model.estimators_], model.classes_)
        if len(model.feature_importances_) == self.importance.shape[0]:
            self.keep(importance=model.feature_importances_)
        return model

    def _as_arrays(self, trees: Sequence[Any], present: np.ndarray) -> None:
        starts = np.cumsum([0, *(tree.node_count for tree in trees)])
        own = [np.arange(tree.node_count) for tree in trees]
        ends = [tree.children_left < 0 for tree in trees]
        left = [np.where(end, here, tree.children_left) for tree, end, here in zip(trees, ends, own, strict=True)]
        right = [np.where(end, here, tree.children_right) for tree, end, here in zip(trees, ends, own, strict=True)]
        shares = np.concatenate([tree.value[:, 0] for tree in trees])
        shares = shares / shares.sum(1, keepdims=True)
        self.keep(
            column=np.concatenate([np.maximum(tree.feature, 0) for tree in trees]),
            border=_below(np.concatenate([tree.threshold for tree in trees])),
            left=np.concatenate([one + start for one, start in zip(left, starts, strict=False)]),
            right=np.concatenate([one + start for one, start in zip(right, starts, strict=False)]),
            shares=spread(shares.T, present, self.count, 0.0).T,
            roots=starts[:-1],
            steps=np.zeros(max(tree.max_depth for tree in trees)),
        )

    def scores(self, z: Tensor) -> Tensor:
        place = self.roots.expand(z.shape[0], -1)
        for _ in range(self.steps.shape[0]):
            seen = z.gather(1, self.column[place])
            place = torch.where(seen <= self.border[place], self.left[place], self.right[place])
        return (self.shares[place].mean(1) + FLOOR).log()


def _below(borders: np.ndarray) -> np.ndarray:
    """The largest float32 that is not above: float32 rows then turn the same way as at the border itself."""
    near = borders.astype(np.float32)
    return np.where(near > borders, np.nextafter(near, np.float32(-np.inf)), near)
