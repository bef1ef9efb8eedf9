"""What every answer of a model goes through after it is decoded: mended scores, sets of names, a measure of the unlike.

Learnt from answers to pictures that the network did not learn from, by the record alone. All of it is plain JSON, but
for the arrays of the measure, which a bundle carries beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from sightline.core.annotations import Annotation, Labels, Objects
from sightline.core.chance import generator
from sightline.core.conformal import Sets, make_sets
from sightline.core.errors import BundleError
from sightline.core.finding import count_of
from sightline.core.mending import A_NAME, Mending, line, mend
from sightline.core.outliers import Reference

FEWEST = 50  # pictures (or things) to learn from: with fewer, scores stay as they are
MOST = 2000  # more would teach one number nothing; the others serve the sets


@dataclass(frozen=True)
class Calibration:
    """What every answer of a model goes through after it is decoded."""

    names: tuple[str, ...] = ()
    mending: Mending = field(default_factory=Mending)
    sets: Sets | None = None
    outliers: Reference | None = None
    count: int = 0  # pictures that it was learnt from
    notes: tuple[str, ...] = field(default=())

    def apply(self, answer: Annotation, row: Mapping[str, np.ndarray] | None = None) -> Annotation:
        """The answer with mended scores and, told from its row of outputs, how unlike others its picture is."""
        if not isinstance(answer, Labels | Objects) or answer.scores is None:
            return answer
        scores = answer.scores
        if isinstance(answer, Objects) or not self.names or answer.names == self.names:
            scores = self.mending(scores)
        mended = answer if scores is answer.scores else replace(answer, scores=scores)
        if isinstance(mended, Objects):
            return mended
        if self.outliers is None or row is None or self.outliers.output not in row:
            return mended
        return replace(mended, outlier=float(self.outliers.outlier(row[self.outliers.output][None])[0]))

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; what is measured against (`outliers`) lies in arrays beside it."""
        if not self.count:
            return {"notes": list(self.notes)} if self.notes else {}
        scores = {"scale": list(self.mending.scale), "shift": list(self.mending.shift), "apart": self.mending.apart}
        return {
            "names": list(self.names),
            "scores": scores,
            "sets": None if self.sets is None else self.sets.to_json(),
            "outliers": None if self.outliers is None else self.outliers.to_json(),
            "count": self.count,
            "notes": list(self.notes),
        }

    @classmethod
    def from_json(cls, plain: Mapping[str, Any], arrays: Mapping[str, np.ndarray] | None = None) -> Calibration:
        """What `to_json` wrote; nothing where there is nothing, as in bundles from before there was any."""
        try:
            return cls._read(plain, arrays or {}) if plain.get("count") else cls(notes=tuple(plain.get("notes", ())))
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            raise BundleError(f"the calibration cannot be read: {str(error)[:160]}") from error

    @classmethod
    def _read(cls, plain: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Calibration:
        scores = plain["scores"]
        mending = Mending(tuple(map(float, scores["scale"])), tuple(map(float, scores["shift"])), bool(scores["apart"]))
        sets = None if plain["sets"] is None else Sets.from_json(plain["sets"])
        found = None if plain["outliers"] is None else Reference.from_json(plain["outliers"], arrays)
        return cls(tuple(plain["names"]), mending, sets, found, int(plain["count"]), tuple(plain["notes"]))


NOTHING = Calibration()


def learn(truths: Sequence[Annotation], answers: Sequence[Annotation], *, seed: int = 0) -> Calibration:
    """What answers to pictures that were not learnt from say of the scores; nothing for records without any."""
    pairs = [(t, a) for t, a in zip(truths, answers, strict=True) if getattr(a, "scores", None) is not None]
    labels = [(t, a) for t, a in pairs if isinstance(t, Labels) and isinstance(a, Labels)]
    if labels:
        names = labels[0][1].names
        labels = [
            (t, a) for t, a in labels if a.names == names and a.scores is not None and np.isfinite(a.scores).all()
        ]
        if not labels:
            return Calibration(notes=("The scores are no numbers, so nothing was learnt from them.",))
        scores = np.array([a.scores for _, a in labels], np.float64)
        if _sums_to_one(scores) and all(t.scores is not None or len(t.names) == 1 for t, _ in labels):
            return _one_name(names, scores, [t.best for t, _ in labels], seed)
        held = np.array([[t.score(name) >= 0.5 for name in names] for t, _ in labels])
        return _many_names(names, scores, held, seed)
    things = [(t, a) for t, a in pairs if isinstance(t, Objects) and isinstance(a, Objects)]
    return _things(things) if things else NOTHING


def _sums_to_one(scores: np.ndarray) -> bool:
    return bool(np.abs(scores.sum(1) - 1).max(initial=0.0) < 1e-3)


def _one_name(names: tuple[str, ...], scores: np.ndarray, best: Sequence[str], seed: int) -> Calibration:
    """Scores of a choice: one part of the pictures says how to mend, the others how large a set must be."""
    place = {name: number for number, name in enumerate(names)}
    kept = np.array([name in place for name in best], bool)
    scores, true = scores[kept], np.array([place[name] for name in best if name in place], np.int64)
    order = generator(seed, "calibration").permutation(len(true))
    half = min(len(true) // 2, MOST)
    half = half if half >= FEWEST else 0
    first, aside = order[:half], order[half:]
    mending, notes = Mending(), []
    if half:
        mending = mend(scores[first], true[first])
    else:
        notes.append(_few(too_few(len(true)), 2 * FEWEST))
    mended = mending(scores)
    sets = make_sets((mended[first], true[first]), (mended[aside], true[aside]))
    if sets is None:
        notes.append(f"No sets of names: {too_few(len(aside))} to promise anything.")
    return Calibration(names, mending, sets, None, len(true), tuple(notes))


def _many_names(names: tuple[str, ...], scores: np.ndarray, held: np.ndarray, seed: int) -> Calibration:
    """Names that hold by themselves: one scale for all, and a line for each that is better off with its own."""
    if len(scores) < FEWEST:
        note = _few(too_few(len(scores)), FEWEST)
        return Calibration(names, count=len(scores), notes=(note,), mending=Mending(apart=True))
    pooled = line(scores.reshape(-1), held.reshape(-1), shifted=False)
    lines = []
    for name in range(len(names)):
        mine, true = scores[:, name], held[:, name]
        rare = min(int(true.sum()), int((~true).sum()))
        own = line(mine, true, shifted=True) if rare >= A_NAME else pooled
        lines.append(own)
    mending = Mending(tuple(line[0] for line in lines), tuple(line[1] for line in lines), True)
    return Calibration(names, mending, None, None, len(scores))


def too_few(count: int) -> str:
    """Begins a note on what could not be learnt: '1 picture is too few', '7 pictures are too few'."""
    return f"{count_of(count, 'picture')} {'is' if count == 1 else 'are'} too few"


def _few(what: str, fewest: int) -> str:
    return f"Scores are as the network gives them: {what} to mend them ({fewest} are needed)."


def _things(pairs: Sequence[tuple[Objects, Objects]]) -> Calibration:
    """Scores of things found: how often one that scores so much is there; the order of the scores stays."""
    from sightline.core.decisions import found

    upright = [(t, a) for t, a in pairs if t.boxes.shape[1] == a.boxes.shape[1] == 4]
    hits = [found(t, a) for t, a in upright]
    scores = np.concatenate([np.zeros(0), *(a.scores for _, a in upright if a.scores is not None)]).astype(np.float64)
    right = np.concatenate([np.zeros(0, bool), *hits])
    if min(int(right.sum()), int((~right).sum())) < FEWEST:
        note = _few(f"{right.sum():,} things found rightly and {(~right).sum():,} wrongly are too few", FEWEST)
        return Calibration(mending=Mending(apart=True), count=len(pairs), notes=(note,))
    scale, shift = line(scores, right, shifted=True)
    return Calibration(mending=Mending((scale,), (shift,), True), count=len(pairs))
