"""Acquisition as a quality step: each picture is accepted, repaired or rejected as it comes, with reasons."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from sightline.core.data import open_data
from sightline.core.errors import InputError, SettingsError
from sightline.core.files import write_durably
from sightline.core.image import Image, as_image
from sightline.core.measures import measure, measured
from sightline.core.sample import Sample
from sightline.core.settings import fill, from_toml

ACTIONS = ("accept", "repair", "reject")
MENDABLE = 2.5  # times the limit up to which noise can be taken away without taking the picture with it


@dataclass(frozen=True, slots=True)
class Limits:
    """What a picture must keep; 0..1 where nothing else is said. Written and read as TOML."""

    least_side: int = 32  # pixels of the shorter side
    least_brightness: float = 0.12
    most_brightness: float = 0.9
    most_shadows: float = 0.75  # share of black pixels: beyond it no repair brings anything back
    most_highlights: float = 0.35  # share of white pixels: the same
    most_glare: float = 0.15
    least_contrast: float = 0.06
    least_entropy: float = 2.0  # bits
    most_blur: float = 0.68
    least_sharpness: float = 0.0  # variance of the Laplacian; depends on what is shown, so it is best learnt
    most_noise: float = 12.0  # gray levels
    most_blockiness: float = 0.75
    repair: bool = True  # whether light, contrast and noise are mended where that is enough

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """The limits of a TOML file."""
        limits = fill(cls, from_toml(Path(path)), where="gate")
        if limits.least_brightness >= limits.most_brightness:
            raise SettingsError(f"{path}: least_brightness is not below most_brightness; nothing would be accepted.")
        return limits

    def save(self, path: str | Path) -> Path:
        """Write them as TOML."""
        lines = [f"{name} = {str(value).lower()}\n" for name, value in asdict(self).items()]
        write_durably(Path(path), "".join(lines).encode())
        return Path(path)


@dataclass(frozen=True, slots=True)
class Reason:
    """One limit that a picture does not keep."""

    limit: str
    value: float
    bound: float
    mendable: bool

    @property
    def text(self) -> str:
        """In words."""
        kind, _, name = self.limit.partition("_")
        return f"{name} {self.value:.3g}, at {kind} {self.bound:.3g}"


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """What becomes of a picture, why, and its pixels where they were repaired."""

    action: str  # one of ACTIONS
    reasons: tuple[Reason, ...] = ()
    measures: Mapping[str, float] = field(default_factory=dict)
    pixels: np.ndarray | None = None
    fault: str = ""  # why it could not be read

    @property
    def line(self) -> str:
        """All of it in one line."""
        why = self.fault or ", ".join(reason.text for reason in self.reasons)
        return f"{self.action}: {why}" if why else self.action

    def to_json(self) -> dict[str, Any]:
        reasons = [{**asdict(reason), "text": reason.text} for reason in self.reasons]
        return {"action": self.action, "reasons": reasons, "measures": dict(self.measures), "fault": self.fault}


# limit -> the measure it is about, and whether light, contrast or noise can be mended
_RULES = {
    "least_brightness": ("brightness", True),
    "most_brightness": ("brightness", True),
    "most_shadows": ("shadows", False),
    "most_highlights": ("highlights", False),
    "most_glare": ("glare", False),
    "least_contrast": ("contrast", True),
    "least_entropy": ("entropy", False),
    "most_blur": ("blur", False),
    "least_sharpness": ("sharpness", False),
    "most_noise": ("noise", True),
    "most_blockiness": ("blockiness", False),
}


@dataclass(frozen=True, slots=True)
class Gate:
    """Decides about pictures one at a time; holds nothing but its limits, so that many threads may share it."""

    limits: Limits = Limits()

    @classmethod
    def learn(cls, data: Any, *, slack: float = 0.5, limits: Limits | None = None) -> Self:
        """Limits that nearly all of these good pictures keep, wider than their range by `slack` of it."""
        measures = measured(open_data(data))
        if len(measures) < 8:
            raise InputError("empty", f"a gate is learnt from 8 good pictures or more, not from {len(measures)}.")
        found: dict[str, Any] = {"least_side": int(np.minimum(measures["rows"], measures["columns"]).min())}
        for limit, (name, _) in _RULES.items():
            column = measures[name][np.isfinite(measures[name])]
            if not len(column):
                continue
            low, middle, high = np.quantile(column, (0.01, 0.5, 0.99))
            if limit.startswith("least_"):
                found[limit] = round(max(0.0, float(low - slack * (middle - low))), 4)
            else:
                found[limit] = round(float(high + slack * (high - middle)) + 1e-3, 4)
        return cls(replace(limits or Limits(), **found))

    def decide(self, picture: Any) -> Verdict:
        """Accept, repair or reject pixels, a path, bytes, a picture or a sample."""
        try:
            pixels = _pixels(picture)
            values = measure(pixels)
        except InputError as error:
            return Verdict("reject", fault=f"{error.code}: {error.message}")
        reasons = self._reasons(values)
        if not reasons:
            return Verdict("accept", (), values)
        if self.limits.repair and all(reason.mendable for reason in reasons) and pixels.dtype == np.uint8:
            mended = _mended(pixels, {reason.limit for reason in reasons}, self.limits)
            left = self._reasons(measure(mended))
            if not left:
                return Verdict("repair", tuple(reasons), values, mended)
        return Verdict("reject", tuple(reasons), values)

    def watch(self, pictures: Iterable[Any]) -> Iterator[Verdict]:
        """A verdict for each picture of a stream, as they come."""
        return (self.decide(picture) for picture in pictures)

    def _reasons(self, values: Mapping[str, float]) -> list[Reason]:
        reasons = []
        side = min(values["rows"], values["columns"])
        if side < self.limits.least_side:
            reasons.append(Reason("least_side", side, self.limits.least_side, False))
        for limit, (name, mendable) in _RULES.items():
            bound = float(getattr(self.limits, limit))
            value = values[name]  # NaN, which cannot be told, breaks no limit
            if value < bound if limit.startswith("least_") else value > bound:
                able = mendable and (limit != "most_noise" or value <= MENDABLE * bound)
                reasons.append(Reason(limit, value, bound, able))
        return reasons


def _pixels(picture: Any) -> np.ndarray:
    if isinstance(picture, Sample):
        return picture.pixels()
    image: Image = as_image(picture)
    return image.read()


def _mended(pixels: np.ndarray, broken: set[str], limits: Limits) -> np.ndarray:
    """Noise first, since light would raise it; then light by a curve and contrast by a stretch, the same for every
    channel, so that no colour is shifted."""
    import cv2

    mended = pixels
    if "most_noise" in broken:
        for _ in range(2):
            mended = cv2.medianBlur(mended, 3).reshape(pixels.shape)
    if "least_contrast" in broken:
        low, high = np.percentile(mended, (1, 99))
        span = max(float(high - low), 1.0)
        mended = _curve(mended, (np.arange(256) - low) / span * 0.9 + 0.05)
    if broken & {"least_brightness", "most_brightness"}:
        goal = (limits.least_brightness + limits.most_brightness) / 2
        for _ in range(3):
            mean = float(np.clip(measure(mended)["brightness"], 0.004, 0.996))
            if abs(mean - goal) < 0.05:
                break
            power = np.log(goal) / np.log(mean)
            mended = _curve(mended, (np.arange(256) / 255) ** np.clip(power, 0.25, 4))
    return mended


def _curve(pixels: np.ndarray, table: np.ndarray) -> np.ndarray:
    import cv2

    levels = np.clip(np.rint(table * 255), 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(pixels, levels)).reshape(pixels.shape)
