"""How requests are shared between versions: one, a split, a canary, shadows, or a small model before a large one."""

from __future__ import annotations

import hashlib
import math
import re
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from sightline.core.errors import SettingsError, nearest
from sightline.core.settings import fill
from sightline.registering.version import CHALLENGER, CHAMPION

KINDS = ("single", "split", "canary", "shadow", "cascade")
CALLER, PICTURE = "caller", "picture"
RISING, DONE, PULLED = "rising", "done", "pulled"
STEPS = (0.05, 0.25, 0.5, 1.0)
MARGINS = MappingProxyType({"errors": 0.0, "unsure": 0.02, "seconds": 1.25})  # how much worse is still healthy
_ARM = re.compile(r"[A-Za-z][\w.-]{0,63}|[1-9]\d{0,8}")


@dataclass(frozen=True, slots=True)
class Rise:
    """The schedule of a canary and how far it has come."""

    steps: tuple[float, ...] = STEPS  # shares of the challenger, each larger than the one before
    step: int = 0
    seconds: float = 3600.0  # that a step lasts at least
    least: int = 200  # answers of the challenger that a step needs
    margins: Mapping[str, float] = field(default_factory=lambda: dict(MARGINS))  # see `serving.canaries`
    since: str = ""  # when this step began
    state: str = RISING
    why: str = ""  # it was pulled back

    def __post_init__(self) -> None:
        rising = all(0 < low < high <= 1 for low, high in zip(self.steps, self.steps[1:], strict=False))
        if not self.steps or not rising or not 0 < self.steps[0] <= 1:
            raise SettingsError(f"steps {[*self.steps]}: must be shares above 0, each larger than the last, at most 1.")
        if not 0 <= self.step < len(self.steps) or self.state not in (RISING, DONE, PULLED):
            raise SettingsError(f"step {self.step}, state '{self.state}': this canary has no such place.")
        if not self.seconds >= 0 or self.least < 1:
            raise SettingsError("a step lasts 0 seconds or more and needs 1 answer or more.")


@dataclass(frozen=True, slots=True)
class Traffic:
    """Who answers which share of the requests; the registry keeps it as plain JSON."""

    kind: str = "single"
    control: str = CHAMPION  # the arm that the others are compared with
    shares: Mapping[str, float] = field(default_factory=lambda: {CHAMPION: 1.0})  # by alias or number; they sum to 1
    shadows: tuple[str, ...] = ()  # who answers too, while nobody waits
    larger: str = ""  # in a cascade: who is asked where the first answer is not sure
    confidence: float = 0.0  # in a cascade: the score that needs no second answer
    by: str = CALLER  # what keeps its arm: a caller (a picture where there is none) or a picture
    id: str = ""  # of the experiment; with another id everyone is drawn anew
    began: str = ""  # ISO 8601, UTC
    rise: Rise | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise SettingsError(f"traffic '{self.kind}': must be one of {', '.join(KINDS)}.{nearest(self.kind, KINDS)}")
        if self.by not in (CALLER, PICTURE):
            raise SettingsError(f"by '{self.by}': must be {CALLER} or {PICTURE}.")
        for arm in (*self.shares, *self.shadows, *([self.larger] if self.larger else [])):
            if not _ARM.fullmatch(arm):
                raise SettingsError(f"arm '{arm}': must be an alias such as {CHAMPION}, or the number of a version.")
        values = list(self.shares.values())
        if not values or not all(0 <= share <= 1 for share in values) or abs(sum(values) - 1) > 1e-6:
            raise SettingsError(f"shares {dict(self.shares)}: must be from 0 to 1 and sum to 1.")
        if self.control not in self.shares:
            raise SettingsError(f"control '{self.control}': must be one of {', '.join(self.shares)}.")
        if (self.kind == "canary") != (self.rise is not None) or (self.rise and len(self.shares) != 2):
            raise SettingsError("a canary has one challenger beside its control, and steps; nothing else has.")
        if (self.kind == "shadow") != bool(self.shadows) or (self.kind == "cascade") != bool(self.larger):
            raise SettingsError("shadow traffic names shadows, and a cascade a larger model; nothing else does.")
        if self.larger and not 0 < self.confidence <= 1:
            raise SettingsError(f"confidence {self.confidence:g}: must be above 0 and at most 1.")

    @property
    def challengers(self) -> tuple[str, ...]:
        """The arms that are tried."""
        others = (arm for arm in self.shares if arm != self.control)
        return (*others, *self.shadows, *([self.larger] if self.larger else []))

    @property
    def experiment(self) -> str:
        """What the log says of a draw: the id, and after a dot the step, within which shares are constant."""
        return f"{self.id}.{self.rise.step if self.rise else 0}" if self.id else ""

    def to_json(self) -> dict[str, Any]:
        """Plain JSON without what is as usual."""
        usual = asdict(Traffic())
        return {
            key: value
            for key, value in asdict(self).items()
            if key in ("kind", "control", "shares") or value != usual[key]
        }

    @classmethod
    def from_json(cls, given: Mapping[str, Any] | None) -> Traffic:
        """What the registry kept; None is a champion that answers all."""
        given = dict(given or {})
        if "control" not in given and given.get("shares") and CHAMPION not in given["shares"]:
            given["control"] = next(iter(given["shares"]))
        if isinstance(given.get("rise"), Mapping):
            given["rise"] = fill(Rise, given["rise"], where="traffic.rise")
        return fill(cls, given, where="traffic")


@dataclass(frozen=True, slots=True)
class Assignment:
    """Who answers one request."""

    answers: int | str  # the number or alias of a version
    arm: str
    shadows: tuple[int | str, ...] = ()  # asked too; nobody waits for them
    larger: int | str | None = None  # asked next where `answers` is less sure than the traffic's `confidence`
    experiment: str = ""  # `Traffic.experiment`


SINGLE = Traffic()


def assign(traffic: Traffic, caller: str, digest: str) -> Assignment:
    """The arm of a request: equal for equal callers, or for equal pictures where there is no caller.

    `digest` is the picture's, or the request's own id where it has none. Each arm draws from a keyed hash, and the
    least of the draws divided by their shares wins: a share that grows takes callers from others and moves no one else.
    """
    shares = traffic.shares
    if len(shares) == 1:
        arm = next(iter(shares))
    else:
        subject = f"caller\x1f{caller}" if caller and traffic.by == CALLER else f"picture\x1f{digest}"
        key = traffic.id.encode()[:64]
        arm, least = traffic.control, math.inf
        for name, share in shares.items():
            if share > 0:
                told = hashlib.blake2b(f"{name}\x1f{subject}".encode("utf-8", "surrogatepass"), key=key, digest_size=8)
                waits = -math.log((int.from_bytes(told.digest(), "big") + 0.5) / 2**64) / share
                if waits < least:
                    arm, least = name, waits
    larger = which(traffic.larger) if traffic.larger else None
    return Assignment(which(arm), arm, tuple(map(which, traffic.shadows)), larger, traffic.experiment)


def which(arm: str) -> int | str:
    """The number or the alias that an arm is."""
    return int(arm) if arm.isdecimal() else arm


def split(shares: Mapping[str, float], *, by: str = CALLER) -> Traffic:
    """A/B and more: shares in any unit, such as percent; the first named is what the others are compared with."""
    if len(shares) < 2:
        raise SettingsError("a split has two arms or more, such as champion=90,challenger=10.")
    if not all(math.isfinite(share) and share > 0 for share in shares.values()):
        raise SettingsError(f"shares {dict(shares)}: must be numbers above 0.")
    whole = sum(shares.values())
    return _begun(Traffic("split", next(iter(shares)), {arm: share / whole for arm, share in shares.items()}, by=by))


def canary(
    challenger: str = CHALLENGER, *, control: str = CHAMPION, rise: Rise | None = None, by: str = CALLER
) -> Traffic:
    """A challenger whose share rises by steps while it is healthy, and falls to nothing when it is not."""
    rise = replace(rise or Rise(), since=_now())
    return _begun(Traffic("canary", control, _shared(control, challenger, rise.steps[rise.step]), by=by, rise=rise))


def shadow(challengers: tuple[str, ...] = (CHALLENGER,), *, control: str = CHAMPION) -> Traffic:
    """Challengers that answer too, and are only compared."""
    return _begun(Traffic("shadow", control, {control: 1.0}, shadows=challengers))


def cascade(larger: str, *, confidence: float, first: str = CHAMPION) -> Traffic:
    """A small model that answers what it is sure of, and a larger one for the rest."""
    return _begun(Traffic("cascade", first, {first: 1.0}, larger=larger, confidence=confidence))


def raised(traffic: Traffic) -> Traffic:
    """A canary at its next step; after the last one it is done."""
    rise = _rise(traffic)
    if rise.step + 1 == len(rise.steps):
        return replace(traffic, rise=replace(rise, state=DONE))
    step = replace(rise, step=rise.step + 1, since=_now())
    shares = _shared(traffic.control, traffic.challengers[0], rise.steps[step.step])
    return replace(traffic, shares=shares, rise=step)


def pulled(traffic: Traffic, why: str) -> Traffic:
    """A canary that no longer answers, and why."""
    shares = _shared(traffic.control, traffic.challengers[0], 0.0)
    return replace(traffic, shares=shares, rise=replace(_rise(traffic), state=PULLED, why=why))


def _rise(traffic: Traffic) -> Rise:
    if traffic.rise is None:
        raise SettingsError(f"{traffic.kind} traffic has no steps; only a canary has.")
    return traffic.rise


def _shared(control: str, challenger: str, share: float) -> dict[str, float]:
    if control == challenger:
        raise SettingsError(f"'{control}' cannot be tried beside itself; name another alias or number.")
    return {control: 1.0 - share, challenger: share}


def _begun(traffic: Traffic) -> Traffic:
    """With an id that no caller can guess, and a time."""
    return replace(traffic, id=secrets.token_hex(8), began=_now())


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
