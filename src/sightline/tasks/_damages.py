"""What a clean picture can be damaged by, for a network to undo: augmentations, and how strong they are."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sightline.core.annotations import Picture
from sightline.core.bicubic import smaller
from sightline.core.encoding import encode
from sightline.core.errors import SettingsError, nearest
from sightline.core.files import digest
from sightline.core.image import ArrayImage, Image
from sightline.core.inputs import coloured
from sightline.core.recipe import apply, parse
from sightline.core.sample import Sample

Reach = tuple[float, float]
GIVEN = "given"  # the pairs say what is damaged


@dataclass(frozen=True, slots=True)
class Damage:
    """Augmentations before and after the picture is made smaller; the first range is what `least` and `most` set."""

    what: str
    before: tuple[tuple[str, Mapping[str, Reach | str]], ...] = ()
    after: tuple[tuple[str, Mapping[str, Reach | str]], ...] = ()
    masked: bool = False  # what is missing is told by a last channel: white known, black missing


DAMAGES = {
    "noise": Damage("normal noise of 0 to 75 gray levels", after=(("blind_noise", {"sigma": (0, 75)}),)),
    "sensor": Damage(
        "the noise of a sensor: photons, reading, demosaicing",
        after=(("sensor_noise", {"photons": (30, 1500), "read": (0.5, 6), "grain": (0, 0.9)}),),
    ),
    "jpeg": Damage("compression of quality 5 to 95", after=(("jpeg", {"quality": (5, 95)}),)),
    "blur": Damage(
        "blur of a lens or a movement, and a little noise",
        before=(("lens_blur", {"radius": (0.5, 4)}),),
        after=(("blind_noise", {"sigma": (0, 4)}),),
    ),
    "blind": Damage(
        "blur, noise and compression together, as of pictures from the web",
        before=(("lens_blur", {"radius": (0.2, 2), "kind": "soft"}),),
        after=(("blind_noise", {"sigma": (0, 12)}), ("jpeg", {"quality": (40, 95)})),
    ),
    "holes": Damage("missing parts", after=(("holes", {"part": (0.02, 0.2)}),), masked=True),
    "scratches": Damage("scratches and dust", after=(("scratches", {"count": (2, 14)}),)),
    "dark": Damage("too little light, with its noise", after=(("low_light", {"severity": (1, 5)}),)),
    "gray": Damage("the loss of colour", after=(("gray", {"chance": (1, 1)}),)),
    "old": Damage(
        "age: soft, without colour, faded, noisy, scratched",
        before=(("lens_blur", {"radius": (0.2, 1.5), "kind": "soft"}), ("gray", {"chance": (1, 1)})),
        after=(
            ("faded", {"fade": (0.2, 0.6), "tint": (0, 0.25)}),
            ("blind_noise", {"sigma": (2, 20)}),
            ("scratches", {"count": (2, 14)}),
        ),
    ),
}


def damage_named(name: str) -> Damage:
    """The damage of this name, or a refusal that lists them."""
    if name not in DAMAGES:
        known = (GIVEN, *DAMAGES)
        raise SettingsError(f"task.damage = '{name}':{nearest(name, known)} Known: {', '.join(known)}.")
    return DAMAGES[name]


def damaged(
    clean: np.ndarray, options: Mapping[str, Any], rng: np.random.Generator
) -> tuple[np.ndarray, dict[str, float]]:
    """A clean picture damaged as the options say, and how strongly."""
    damage, scale = damage_named(options["damage"]), int(options["scale"])
    notes: dict[str, float] = {}
    if damage.masked:
        top = np.iinfo(clean.dtype).max if clean.dtype.kind == "u" else 1
        clean = np.concatenate([clean, np.full_like(clean[..., :1], top)], -1)
    bounds = [options["least"], options["most"]]
    pixels = _through(clean, damage.before, bounds, rng, notes)
    pixels = smaller(pixels, scale) if scale > 1 else pixels
    return _through(pixels, damage.after, [None, None] if damage.before else bounds, rng, notes), notes


def _through(
    pixels: np.ndarray,
    moves: tuple[tuple[str, Mapping[str, Reach | str]], ...],
    bounds: list[float | None],
    rng: np.random.Generator,
    notes: dict[str, float],
) -> np.ndarray:
    drawn = []
    for place, (name, ranges) in enumerate(moves):
        settings: dict[str, Any] = {}
        for setting, reach in ranges.items():
            if isinstance(reach, str):
                settings[setting] = reach
                continue
            ends = list(reach)
            if place == 0 and setting == next(iter(ranges)):
                ends = [end if bound is None else bound for end, bound in zip(ends, bounds, strict=True)]
            settings[setting] = _drawn(setting, ends, rng)
            if ends[0] < ends[1]:
                notes[setting] = settings[setting]
        drawn.append((name, settings))
    sample = Sample("picture", (ArrayImage(pixels),))
    return apply(parse(drawn), sample, rng).pixels() if drawn else pixels


def _drawn(setting: str, ends: list[float], rng: np.random.Generator) -> float:
    """One strength of a range; photons are drawn by their logarithm, as exposures are."""
    if ends[1] < ends[0]:
        raise SettingsError(f"task.least = {ends[0]:g} and task.most = {ends[1]:g}: the weakest comes first.")
    if setting == "photons":
        return round(float(np.exp(rng.uniform(math.log(max(ends[0], 1)), math.log(max(ends[1], 1))))), 2)
    return round(float(rng.uniform(ends[0], ends[1])), 3)


@dataclass(frozen=True, slots=True, eq=False)
class DamagedImage:
    """A clean picture as it looks damaged: made when it is read, always the same for one seed."""

    clean: Image
    options: Mapping[str, Any]
    channels: int
    rng: Any  # () -> numpy's generator

    @property
    def name(self) -> str:
        return self.clean.name

    def read(self, at_least: tuple[int, int] | None = None) -> np.ndarray:
        """The damaged pixels, however small a version would do."""
        return damaged(coloured(self.clean.read(), self.channels, self.name), self.options, self.rng())[0]

    def encoded(self) -> bytes:
        """The damaged pixels without loss."""
        return encode(self.read())

    def fingerprint(self) -> str:
        """Changes with the clean picture and with what damages it."""
        return digest(f"{self.clean.fingerprint()} {sorted(self.options.items())}".encode())


class _Clean(Picture):
    """A picture whose pixels are read at each look, so that a data set of them stays small."""

    __slots__ = ("_read",)

    def __getattr__(self, name: str) -> Any:  # asked for empty slots only
        if name == "pixels":
            return object.__getattribute__(self, "_read")()
        raise AttributeError(f"Picture has no '{name}'")


def clean_later(image: Image, channels: int, scale: int) -> Picture:
    """The truth that a damaged picture is measured against, cut to a multiple of the scale; read when looked at."""
    record: Picture = object.__new__(_Clean)
    object.__setattr__(record, "_read", lambda: whole_steps(coloured(image.read(), channels, image.name), scale))
    return record


def whole_steps(pixels: np.ndarray, scale: int) -> np.ndarray:
    """Without what is left over at the end when the sides are divided by the scale."""
    rows, columns = (max(scale, side // scale * scale) for side in pixels.shape[:2])
    if pixels.shape[0] < scale or pixels.shape[1] < scale:
        pad = [(0, max(0, scale - side)) for side in pixels.shape[:2]]
        pixels = np.pad(pixels, (*pad, (0, 0)), "symmetric")
    return pixels[:rows, :columns]
