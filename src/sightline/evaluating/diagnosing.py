"""How learning went, in words: from its curves, and from how much better it knows what it learnt from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from sightline.core.progress import Event, Tell
from sightline.evaluating.chart import number

APART = 0.05  # between the figures of the two sides, below which they count as the same
START = 5  # epochs of a run in which what is held out may not have moved yet
POOR = 0.8  # of a metric from 0 to 1, below which even what was learnt from is not known


@dataclass(frozen=True)
class Diagnosis:
    """One word, the numbers behind it in a line, and one thing to try."""

    word: str
    line: str
    advice: str
    numbers: Mapping[str, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Known:
    """What a metric is on the side that was learnt from, and on the side held out, from so many samples each."""

    metric: str
    better: str
    learnt: float
    held: float
    counts: tuple[int, int]

    @property
    def gap(self) -> float:
        """How much better the learnt side is."""
        return self.learnt - self.held if self.better == "higher" else self.held - self.learnt

    @property
    def clear(self) -> bool:
        """Whether the gap is more than chance may bring, by the most that a share of so many samples varies."""
        spread = sum(0.25 / max(1, count) for count in self.counts) ** 0.5
        return bool(self.gap > max(APART, 2 * spread) * (1 if self.share else abs(self.learnt)))

    @property
    def share(self) -> bool:
        """Whether the metric seems to go from 0 to 1."""
        return min(self.learnt, self.held) >= 0 and max(self.learnt, self.held) <= 1


def diagnose(
    history: Sequence[Mapping[str, Any]],
    metric: str,
    better: str,
    *,
    known: Known | None = None,
    parameters: int = 0,
    samples: int = 0,
) -> Diagnosis:
    """The first of these that is so: too high a rate, overfitting, still improving, underfitting; else all is fine."""
    losses = [loss for row in history if math.isfinite(loss := number(row.get("loss")))]
    if len(losses) < 2 or not any(losses):
        return Diagnosis("unknown", f"{len(losses)} epochs say nothing about how learning went", "Learn for longer.")
    curve = _curve(history, metric, better)
    found = (
        _too_fast(losses)
        or _knows_by_heart(known, parameters, samples)
        or _turned(history, losses, curve, metric)
        or _improving(losses, curve, metric)
        or _too_slow(losses, known, metric)
    )
    return found or Diagnosis(
        "fine",
        f"the loss fell from {losses[0]:.3g} to {losses[-1]:.3g} and the best epoch was "
        f"{_best(curve) + 1 if curve else len(losses)} of {len(losses)}{_sides(known)}",
        "Nothing here asks for another setting; more pictures are what helps most.",
        _numbers(known, losses),
    )


def say_how(history: Sequence[Mapping[str, Any]], metric: str, lower: bool, tell: Tell) -> None:
    """Tell in one line how learning went, as far as its curves show."""
    found = diagnose(history, metric, "lower" if lower else "higher")
    if found.word != "unknown":
        tell(Event("note", f"{found.word}: {found.line}. {found.advice}", found.to_json()))


def _too_fast(losses: Sequence[float]) -> Diagnosis | None:
    least = min(losses)
    later = losses[max(1, 2 * len(losses) // 3) :]
    risen = sum(later) / len(later) > max(losses[0] * 1.05, least * 1.5)
    jumped = any(after > 3 * min(losses[: place + 1]) and after > losses[0] for place, after in enumerate(losses[1:]))
    if not (risen or jumped):
        return None
    line = f"the loss rose from {losses[0]:.3g} to {max(losses[1:]):.3g}, after {least:.3g} at its least"
    return Diagnosis("diverging", line, "Lower the rate to a third: --set train.rate=...", {"least_loss": least})


def _knows_by_heart(known: Known | None, parameters: int, samples: int) -> Diagnosis | None:
    if known is None or not known.clear:
        return None
    size = f"; {parameters:,} numbers were learnt from {samples:,} samples" if parameters and samples else ""
    line = f"{known.metric} is {known.learnt:.3g} on samples it learnt from and {known.held:.3g} on others{size}"
    return Diagnosis(
        "overfitting",
        line,
        "More pictures help most; else stronger augmentation, more decay or dropout, or a smaller model.",
        _numbers(known),
    )


def _turned(
    history: Sequence[Mapping[str, Any]], losses: Sequence[float], curve: Sequence[float], metric: str
) -> Diagnosis | None:
    """The loss goes on falling while what is held out gets worse."""
    surprise = [-value for value in _curve(history, "log_loss", "lower")] if metric != "log_loss" else []
    fell = losses[-1] < 0.9 * losses[0]
    if fell and len(surprise) == len(losses) > 2:
        place = surprise.index(min(surprise))
        if place < 0.7 * (len(surprise) - 1) and surprise[-1] > 1.15 * surprise[place]:
            line = f"from epoch {place + 1} on the log loss of held-out samples rose from {surprise[place]:.3g} to "
            line += f"{surprise[-1]:.3g} while the loss fell to {losses[-1]:.3g}"
            advice = "More pictures help most; else stronger augmentation, more decay or dropout, or a smaller model."
            return Diagnosis("overfitting", line, advice, {"turned": place + 1})
    reach = max(curve, default=0.0) - min(curve, default=0.0)
    if fell and len(curve) > 3 and _best(curve) < 0.5 * (len(curve) - 1) and curve[-1] < max(curve) - 0.25 * reach:
        line = f"{metric} was best in epoch {_best(curve) + 1} of {len(curve)} and fell since, while the loss fell on"
        return Diagnosis("overfitting", line, "Stronger augmentation, more decay or dropout, or a smaller model.")
    return None


def _improving(losses: Sequence[float], curve: Sequence[float], metric: str) -> Diagnosis | None:
    """The last fifth of the run still brought over a twentieth of what was gained; or all that is there is a start."""
    begun = len(losses) == 2 or (len(losses) <= START and curve and max(curve) == curve[0])
    if begun and losses[-1] < 0.95 * losses[-2]:
        moved = "" if len(losses) == 2 else f", and {metric} of held-out samples has not moved yet"
        line = f"after {len(losses)} epochs the loss still falls ({losses[0]:.3g} to {losses[-1]:.3g}){moved}"
        return Diagnosis("still improving", line, "Learn for longer: --extend adds epochs.")
    if len(curve) < 3 or len(curve) != len(losses):
        return None
    tail = max(1, len(curve) // 5)
    gained = max(curve) - curve[0]
    late = max(curve[-tail:]) - max(curve[:-tail])
    still = losses[-1] < 0.98 * min(losses[:-tail])
    if gained > 0 and late > 0.05 * gained and still and losses[-1] < 0.98 * losses[0]:
        said = "the last epoch was" if tail == 1 else f"the last {tail} epochs were"
        line = f"{said} the best by {metric}, and the loss still falls ({losses[-1 - tail]:.3g} to {losses[-1]:.3g})"
        return Diagnosis("still improving", line, "Learn for longer: --extend adds epochs.", {"gained_late": late})
    return None


def _too_slow(losses: Sequence[float], known: Known | None, metric: str) -> Diagnosis | None:
    if losses[-1] > 0.97 * losses[0]:
        line = f"the loss has hardly fallen: {losses[0]:.3g} to {losses[-1]:.3g} in {len(losses)} epochs"
        return Diagnosis("underfitting", line, "Raise the rate, learn for longer, or look at the labels.")
    if known is not None and known.better == "higher" and known.share and known.learnt < POOR:
        line = f"{metric} is {known.learnt:.3g} even on samples it learnt from ({known.held:.3g} on others)"
        advice = "A larger model, less augmentation, or more epochs; or the pictures do not show what the labels say."
        return Diagnosis("underfitting", line, advice, _numbers(known))
    return None


def _curve(history: Sequence[Mapping[str, Any]], metric: str, better: str) -> list[float]:
    """The metric of each epoch, higher better."""
    values = [row.get("val", {}).get(metric) for row in history]
    return [float(value) * (1 if better == "higher" else -1) for value in values if value is not None]


def _best(curve: Sequence[float]) -> int:
    return max(range(len(curve)), key=curve.__getitem__) if curve else 0


def _sides(known: Known | None) -> str:
    if known is None:
        return ""
    return f"; {known.metric} is {known.learnt:.3g} on samples it learnt from, {known.held:.3g} on others"


def _numbers(known: Known | None, losses: Sequence[float] = ()) -> dict[str, float]:
    found = {"first_loss": losses[0], "last_loss": losses[-1]} if losses else {}
    return found if known is None else {**found, "learnt": known.learnt, "held_out": known.held, "gap": known.gap}
