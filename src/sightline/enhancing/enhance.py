"""From a picture to a better one: look, decide, do, and say what was done and where it was invented."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from sightline.core import catalog, decoding
from sightline.core.annotations import Heatmap
from sightline.core.depth import checked
from sightline.core.errors import InputError, SettingsError
from sightline.core.image import Encoded, Image, as_image, read_image
from sightline.core.sample import Sample
from sightline.enhancing import weights as nets
from sightline.enhancing.honesty import honesty
from sightline.enhancing.judge import Advice, advice
from sightline.enhancing.steps import STEPS, check_numbers, check_strength, done, step_named

SCALES = (1, 2, 3, 4)
LIGHT = "brighten"  # the step that changes every pixel and invents none


@dataclass(frozen=True, slots=True)
class Done:
    """One step that was taken, why, and how long it took."""

    name: str
    why: str
    seconds: float


@dataclass(frozen=True, eq=False)
class Enhanced:
    """A better picture, what was measured, what was done and what was not, and the picture as it came."""

    pixels: np.ndarray
    before: np.ndarray
    done: tuple[Done, ...]
    left: tuple[Advice, ...]  # what would not have helped, and why
    measured: dict[str, float]
    scale: int = 1
    strength: float = 1.0
    missing: np.ndarray | None = field(default=None, repr=False)  # where it was filled in

    def map(self) -> Heatmap:
        """Where the picture was changed or invented: 0 as it was, 1 filled or beyond what its noise explains.

        More light and smooth enlargement invent nothing: it is measured against the picture after these alone.
        """
        told = self.measured.get("noise", float("nan"))
        noise, plain = 0.0 if told != told else told / 255, self.before
        for name in (step.name for step in self.done):
            if name == LIGHT:
                dark = max(float(plain.mean()), 1e-9)
                plain, _ = done(STEPS[name], plain, self.strength)
                noise *= float(plain.mean()) / dark
            else:
                plain = nets.enlarged(plain, STEPS[name].scale)
        return honesty(plain, self.pixels, noise, self.scale, self.missing)

    @property
    def line(self) -> str:
        """What was done, in one line."""
        return "; ".join(f"{step.name} ({step.why})" for step in self.done) or "nothing: no step would help"

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, without pixels."""
        return {
            "done": [{"name": step.name, "why": step.why, "seconds": round(step.seconds, 3)} for step in self.done],
            "left": [{"name": row.name, "why": row.why} for row in self.left],
            "measured": {name: None if value != value else round(value, 4) for name, value in self.measured.items()},
            "size": list(self.pixels.shape[:2]),
            "scale": self.scale,
        }


def enhance(
    image: Any,
    *,
    what: str | Sequence[str] = "auto",
    strength: float = 1.0,
    scale: int | None = None,
    weights: str | Path | None = None,
) -> Enhanced:
    """One picture (path, bytes or array) made better, its depth, channels and transparency kept.

    `what` names steps in order, or "auto" for those that measuring finds helpful. `strength` goes from 0, unchanged,
    to 1. `scale` asks for 2, 3 or 4 times the size, or 1 for the size it has. `weights` is a folder of bundles of your
    own, named as the shipped ones are.
    """
    check_strength(strength)
    if scale is not None and scale not in SCALES:
        raise SettingsError(f"scale = {scale}: must be 1, 2, 3 or 4.")
    folder = None if weights is None else Path(weights)
    if folder is not None and not folder.is_dir():
        raise InputError("missing", f"{folder}: no folder of weights is there.")
    source = as_image(image)
    before = checked(_seen(source), what="enhance")
    check_numbers(before, source.name)
    told, rows = advice(before, folder=folder)
    chosen = _chosen(what, scale, rows)
    made, factor, missing, taken = before, 1, None, []
    for name, why in chosen:
        step, start = STEPS[name], time.perf_counter()
        made, found = done(step, made, strength, folder)
        if step.scale > 1 and missing is not None:
            missing = missing.repeat(step.scale, 0).repeat(step.scale, 1)
        if found is not None:
            missing = found if missing is None else missing | found
        factor *= step.scale
        taken.append(Done(name, why, time.perf_counter() - start))
    names = {name for name, _ in chosen}
    left = tuple(row for row in rows if row.name not in names)
    return Enhanced(made, before, tuple(taken), left, told, factor, strength, missing)


def _seen(source: Image) -> np.ndarray:
    """The pixels; of a file that is transparent somewhere with how much, as a last channel."""
    if not isinstance(source, Encoded):
        return source.read()
    data = source.encoded()
    if not decoding.examine(data, source.name)["alpha"]:
        return read_image(data, name=source.name)
    pixels = read_image(data, name=source.name, alpha=True)
    top = 1 if pixels.dtype.kind == "f" else np.iinfo(pixels.dtype).max
    return pixels[..., :-1] if (pixels[..., -1] >= top).all() else pixels


def enhance_all(place: Any, **settings: Any) -> Iterator[tuple[Sample, Enhanced | InputError]]:
    """Every picture of a folder, a pattern or a data set in turn; one that cannot be read comes with its error."""
    samples = catalog.find("formats", "pictures").read(Path(place)) if isinstance(place, str | Path) else place
    for sample in samples:
        try:
            yield sample, enhance(sample.image, **settings)
        except InputError as error:
            yield sample, error


def _chosen(what: str | Sequence[str], scale: int | None, rows: Sequence[Advice]) -> list[tuple[str, str]]:
    """Steps with the reason for each; the size asked for is given by an enlargement at the end."""
    words = [word.strip() for word in what.split(",")] if isinstance(what, str) else list(what)
    if words == ["auto"]:
        chosen = [(row.name, row.why) for row in rows if row.helps]
    else:
        chosen = [(step_named(word).name, "as asked") for word in words if word]
    if scale is not None:
        chosen = [(name, why) for name, why in chosen if STEPS[name].scale == 1]
        chosen += [(f"enlarge{scale}", "as asked")] if scale > 1 else []
    if sum(STEPS[name].scale > 1 for name, _ in chosen) > 1:
        raise SettingsError("what: one enlargement at a time; enlarge4 makes a picture four times as large.")
    return chosen
