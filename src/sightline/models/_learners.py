"""What learners of features share: rows gathered and scaled, settings chosen and sureness fitted on folds."""

from __future__ import annotations

import contextlib
import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from sightline.core.directions import directions
from sightline.core.errors import InputError
from sightline.core.extras import need

FOLDS, LOOKED = 3, 2000  # rows, at most, that settings are chosen on
FLOOR = 1e-3  # of a share before its logarithm


class Grown(nn.Module):
    """Arrays take the size of what is loaded: how many there are is learnt from data."""

    def _load_from_state_dict(self, state: Mapping[str, Any], prefix: str, *rest: Any) -> None:
        for name, kept in self._buffers.items():
            given = state.get(prefix + name)
            if kept is not None and given is not None and given.dtype == kept.dtype:
                self._buffers[name] = torch.empty_like(given, device=kept.device)
        super()._load_from_state_dict(state, prefix, *rest)

    def keep(self, **arrays: Any) -> None:
        """Put arrays in the place of those that are there."""
        for name, array in arrays.items():
            old = self.get_buffer(name)
            self._buffers[name] = torch.as_tensor(np.ascontiguousarray(array)).to(old.device, old.dtype)

    def empty(self, **shapes: tuple[int, ...]) -> None:
        """Float arrays that hold nothing yet."""
        for name, shape in shapes.items():
            self.register_buffer(name, torch.zeros(shape))


class Scale(Grown):
    """Each part of a row centred and given the same say, then turned to its `most` widest directions (PCA).

    Where `most` is a word such as random:64, to so many random ones (Johnson and Lindenstrauss 1984).
    """

    middle: Tensor
    gain: Tensor
    axes: Tensor

    def __init__(self, lengths: Sequence[int], most: int | str) -> None:
        super().__init__()
        self.lengths, self.most = tuple(lengths), most
        self.empty(middle=(sum(lengths),), gain=(sum(lengths),), axes=(0, 0))

    def forward(self, x: Tensor) -> Tensor:
        x = (x - self.middle) * self.gain
        return x @ self.axes if self.axes.shape[0] else x

    def fit(self, x: np.ndarray) -> None:
        """Means, spreads and directions of these rows; all spreads together are one."""
        middle = x.mean(0, dtype=np.float64)
        parts = np.split(x.var(0, dtype=np.float64), np.cumsum(self.lengths)[:-1])
        seen = max(1, sum(part.sum() > 1e-12 for part in parts))
        gain = [np.full(len(part), 1 / np.sqrt(max(float(part.sum()), 1e-12) * seen)) for part in parts]
        gain = [one if part.sum() > 1e-12 else one * 0 for one, part in zip(gain, parts, strict=True)]
        self.keep(middle=middle, gain=np.concatenate(gain), axes=np.zeros((0, 0)))
        if isinstance(self.most, str):
            found = directions(x[:1], self.most)
            if found is not None:
                self.keep(axes=found.axes)
            return
        kept = min(self.most, len(x) - 1, x.shape[1])
        if 0 < kept < x.shape[1]:
            widest = need("sklearn.decomposition").PCA(kept, svd_solver="randomized", random_state=0)
            self.keep(axes=widest.fit(self(torch.from_numpy(x)).numpy()).components_.T)


class Learner(Grown, ABC):
    """`solve` fits everything; afterwards it is arrays and a few products, and no library is needed but the runtime."""

    sharp: Tensor
    choices: ClassVar[tuple[Mapping[str, Any], ...]] = ({},)  # settings to choose from
    keeps = 0  # directions that are kept where nobody says how many; 0: all

    def __init__(self, lengths: Sequence[int], count: int, keep: int | str | None) -> None:
        super().__init__()
        self.count = count
        self.front = Scale(lengths, self.keeps if keep is None else keep)
        self.register_buffer("sharp", torch.ones(1))

    @abstractmethod
    def fit(self, z: np.ndarray, classes: np.ndarray, **settings: Any) -> None:
        """Learn these scaled rows, of which at least two classes are there."""

    @abstractmethod
    def scores(self, z: Tensor) -> Tensor:
        """What `link` makes logits of."""

    def link(self, scores: Tensor, sharp: Tensor) -> Tensor:
        """Logits, the surer the greater `sharp` is."""
        return scores * sharp

    def forward(self, x: Tensor) -> Tensor:
        return self.link(self.scores(self.front(x)), self.sharp)

    @torch.no_grad()
    def solve(self, batches: Iterable[tuple[Tensor, Tensor]]) -> None:
        """Pairs of rows and class indices, seen once."""
        rows, classes = gathered(batches)
        name = type(self).__name__.lower()
        if len(np.unique(classes)) < 2:
            raise InputError("empty", f"{name} needs pictures of two names or more; found {len(np.unique(classes))}.")
        self.front.fit(rows)
        z = self.front(torch.from_numpy(rows)).numpy()
        with _quiet():
            settings, sharp = self.choose(z, classes)
            self.fit(z, classes, **settings)
        self.keep(sharp=np.array([sharp]))

    def options(self, rows: int) -> list[Mapping[str, Any]]:
        """The settings that so many rows leave to choose from."""
        return list(self.choices)

    def choose(self, z: np.ndarray, classes: np.ndarray) -> tuple[Mapping[str, Any], float]:
        """The settings that tell rows of other folds best, and how sure their answers may be."""
        some = _some(classes)
        fold = folded(classes[some])
        best: tuple[tuple[float, float], Mapping[str, Any], float] | None = None
        for settings in self.options(int(len(some) * (FOLDS - 1) / FOLDS)):
            held, told = self.held(z[some], classes[some], fold, settings)
            sharp, loss = self._sharpness(held, told)
            right = (self.link(held, torch.tensor(sharp)).argmax(1).numpy() == told).astype(np.float64)
            share = float(np.mean([right[told == one].mean() for one in np.unique(told)])) if len(told) else 0.0
            if best is None or (-share, loss) < best[0]:
                best = (-share, loss), settings, sharp
        assert best is not None
        return best[1], best[2]

    def held(
        self, z: np.ndarray, classes: np.ndarray, fold: np.ndarray, settings: Mapping[str, Any]
    ) -> tuple[Tensor, np.ndarray]:
        """Scores of rows by a learner that has not seen them, and what they are."""
        scores, told = [], []
        for number in range(FOLDS):
            learn, hold = fold != number, fold == number
            if hold.any() and len(np.unique(classes[learn])) > 1:
                self.fit(z[learn], classes[learn], **settings)
                scores.append(self.scores(torch.from_numpy(z[hold])))
                told.append(classes[hold])
        if not scores:  # one row a name: nothing can be held out
            return torch.zeros(0, self.width), np.zeros(0, np.int64)
        return torch.cat(scores), np.concatenate(told)

    @property
    def width(self) -> int:
        """Columns of `scores`."""
        return self.count

    def _sharpness(self, held: Tensor, told: np.ndarray) -> tuple[float, float]:
        """The factor at which held out answers are as sure as they are right (Platt 1999; Guo et al. 2017)."""
        if not len(told):
            return 1.0, 0.0
        truth = torch.from_numpy(told)
        found = [
            (float(functional.cross_entropy(self.link(held, torch.tensor(sharp)), truth)), float(sharp))
            for sharp in np.geomspace(0.05, 100, 67).astype(np.float32)
        ]
        loss, sharp = min(found)
        return sharp, loss


def gathered(batches: Iterable[tuple[Tensor, Tensor]]) -> tuple[np.ndarray, np.ndarray]:
    """All rows and their classes; a mixed label counts as its largest share."""
    rows, classes = [], []
    for x, wanted in batches:
        rows.append(x.float().cpu().numpy())
        classes.append((wanted.argmax(1) if wanted.ndim == 2 else wanted).cpu().numpy())
    if not rows:
        raise InputError("empty", "there is no picture to learn from.")
    return np.concatenate(rows), np.concatenate(classes).astype(np.int64)


def folded(classes: np.ndarray) -> np.ndarray:
    """The fold of each row: every name is dealt out evenly."""
    fold = np.zeros(len(classes), np.int64)
    chance = np.random.default_rng(0)
    for name in np.unique(classes):
        mine = np.flatnonzero(classes == name)
        fold[chance.permutation(mine)] = (np.arange(len(mine)) + name) % FOLDS
    return fold


def _some(classes: np.ndarray) -> np.ndarray:
    """At most `LOOKED` rows; of a rare name all that its equal share allows."""
    if len(classes) <= LOOKED:
        return np.arange(len(classes))
    chance = np.random.default_rng(0)
    order = chance.permutation(len(classes))
    place = np.zeros(len(classes), np.int64)
    for name in np.unique(classes):
        mine = order[classes[order] == name]
        place[mine] = np.arange(len(mine))
    return np.sort(np.argsort(place, kind="stable")[:LOOKED])


def spread(values: np.ndarray, present: np.ndarray, count: int, missing: float) -> np.ndarray:
    """Rows of the classes that were there, in the place of all classes."""
    whole = np.full((count, *values.shape[1:]), missing, np.float64)
    whole[present] = values
    return whole


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """A solver that stops a little early is no news: what it found is measured on rows that it has not seen."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", need("sklearn.exceptions").ConvergenceWarning)
        yield
