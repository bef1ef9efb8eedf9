"""What a time is good for: which networks are tried, for how long each, from measured speeds alone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

BASELINE = 0.02  # of the time: what is solved at once learns from as many pictures as that allows
PLENTY, SMALL = 2_000, 8.0  # pictures that it should have even so, where they take no more than so many times its part
FIRST = 0.05  # of the time: a small network, so that something good is there early
FEWEST = 2.0  # epochs below which a rung on the way is not worth its time
# Epochs that a network must get to be the last rung: of so many pictures, of which an epoch shows much, and of fewer.
# Measured on 20,000: five of quick:m are worse than six of quick:s, nine of quick:l as good as fourteen of quick:m.
ENOUGH, FEWER, CROWD = 4.0, 6.0, 30_000
LARGER = 1.5  # times as long, at least, that the next network learns from a picture
HURRIED = (0.4, 10.0)  # epochs of many pictures: with fewer a baseline may be best, with more it costs little
SHOWN = 40_000  # pictures that it must be shown, where an epoch has few
MOST = 300_000  # pictures shown, or epochs times a thousand: beyond it more time brings nothing


@dataclass(frozen=True)
class Measured:
    """One candidate on this machine."""

    model: str
    seconds: float  # that learning from one picture takes
    closed: bool = False  # solved at once


@dataclass(frozen=True)
class Rung:
    """One candidate's share of the time."""

    model: str
    epochs: float
    most: float  # epochs
    until: float  # by the clock of the run, in seconds
    closed: bool
    state: str = "planned"  # planned | done | left out
    found: Mapping[str, Any] | None = None  # on the validation side
    seconds: float = 0.0  # that it took

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def plan(measured: Sequence[Measured], pictures: int, now: float, end: float) -> list[Rung]:
    """The rungs in order; the last one is the largest network that gets epochs enough, and most of the time."""
    rungs: list[Rung] = []
    networks = [each for each in measured if not each.closed]
    if not networks:
        return [Rung(each.model, 1.0, 1.0, end, True) for each in measured]
    for each in measured:
        share = BASELINE * (end - now)
        if each.closed and share > 0:
            rows = max(share / each.seconds, min(PLENTY, SMALL * share / each.seconds))
            epochs = min(1.0, rows / pictures)
            now += epochs * pictures * each.seconds
            rungs.append(Rung(each.model, epochs, 1.0, now, True))
    left = max(0.0, end - now)
    last = _last(networks, pictures, left)
    needed = min(most(pictures) * pictures * last.seconds, (1 - FIRST) * left)
    spare = left - needed
    for each in networks[: networks.index(last)]:
        took = min(spare, most(pictures) * pictures * each.seconds)
        epochs = took / (pictures * each.seconds)
        if epochs >= FEWEST:
            now, spare = now + took, spare - took
            rungs.append(Rung(each.model, epochs, most(pictures), now, False))
    epochs = min(most(pictures), (end - now) / (pictures * last.seconds))
    return [*rungs, Rung(last.model, max(1 / pictures, epochs), most(pictures), end, False)]


def most(pictures: int) -> float:
    """Epochs beyond which more bring nothing: many of few pictures, fewer of many."""
    return min(300.0, max(60.0, MOST / pictures))


def _last(networks: Sequence[Measured], pictures: int, seconds: float) -> Measured:
    """The largest network that can be shown enough; of those that cannot, the smallest."""
    wanted = max(enough(pictures), SHOWN / pictures)
    for each in reversed(networks):
        if afforded(each, pictures, seconds) >= min(wanted, most(pictures)):
            return each
    return networks[0]


def afforded(network: Measured, pictures: int, seconds: float) -> float:
    """Epochs that it gets, should it be the last rung."""
    return seconds * (1 - FIRST) / (pictures * network.seconds)


def enough(pictures: int) -> float:
    """Epochs below which a smaller network is the better one."""
    return ENOUGH if pictures >= CROWD else FEWER


def hopeless(network: Measured, pictures: int, seconds: float) -> bool:
    """Whether one larger than this could not be the last rung, so that timing it would be for nothing."""
    return afforded(network, pictures, seconds) < LARGER * enough(pictures)


def hurried(epochs: float, pictures: int) -> bool:
    """Whether a network that gets so many epochs is better off with the seconds that a baseline beside it takes."""
    return pictures > PLENTY and HURRIED[0] <= epochs < HURRIED[1]


def told(rungs: Sequence[Rung], begun: float) -> str:
    """The plan in a line."""
    parts = []
    for rung in rungs:
        lasts = max(0.0, rung.until - begun)
        begun = rung.until
        time = f"{lasts:.0f} s" if lasts < 100 else f"{lasts / 60:.1f} minutes"
        shown = "" if rung.closed else f" for {rung.epochs:.1f} epochs" if math.isfinite(rung.epochs) else ""
        parts.append(f"{rung.model}{shown} ({time})")
    return ", then ".join(parts)
