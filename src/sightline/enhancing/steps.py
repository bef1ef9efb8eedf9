"""What can be done to a picture, by name: with the shipped weights, or from what lies around and from its light."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sightline.core.depth import checked
from sightline.core.errors import InputError, SettingsError, UnknownNameError, nearest
from sightline.enhancing import weights
from sightline.enhancing.light import brightened
from sightline.enhancing.scratches import filled, scratched

Enhancer = Callable[..., np.ndarray]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that can be done; `weights` is the kind of network it needs."""

    name: str
    what: str
    weights: str = ""
    scale: int = 1
    parts: tuple[str, ...] = ()  # it is these steps in a row


STEPS = {
    step.name: step
    for step in (
        Step("deblock", "the blocks and halos of JPEG compression, removed", "deblock"),
        Step("denoise", "noise of any strength, removed", "denoise"),
        Step("mend", "scratches, dust and holes (transparent parts), filled from around"),
        Step("brighten", "shadows lifted, colours kept"),
        Step("enlarge2", "twice as large", "enlarge2", 2),
        Step("enlarge3", "three times as large", "enlarge3", 3),
        Step("enlarge4", "four times as large", "enlarge4", 4),
        Step("old_photo", "scratches filled, then noise removed", parts=("mend", "denoise")),
    )
}
NAMES = tuple(STEPS)


def step_named(name: str) -> Step:
    """The step of this name, or a refusal that says what there is."""
    if name not in STEPS:
        raise UnknownNameError(
            f"nothing that enhances is called '{name}'.{nearest(name, NAMES)} Known: {', '.join(NAMES)}."
        )
    return STEPS[name]


def find(name: str) -> Enhancer:
    """The step as a function: (image, *, strength=1.0) -> image, as filters are."""
    step = step_named(name)

    def enhanced(image: np.ndarray, *, strength: float = 1.0) -> np.ndarray:
        pixels = checked(image, what=name)
        made, _ = done(step, pixels, strength)
        return made[..., 0] if np.ndim(image) == 2 and made.shape[2] == 1 else made

    enhanced.__name__, enhanced.__doc__ = name, step.what
    return enhanced


def done(
    step: Step, pixels: np.ndarray, strength: float = 1.0, folder: Path | None = None
) -> tuple[np.ndarray, np.ndarray | None]:
    """The picture after a step, a share `strength` of the way, and where it was filled in.

    A strength of 0 gives the picture itself to the bit, or its smooth enlargement where the step makes it larger.
    """
    check_strength(strength)
    if step.parts:
        missing = None
        for part in step.parts:
            pixels, found = done(STEPS[part], pixels, strength, folder)
            missing = found if found is not None else missing
        return pixels, missing
    seen, alpha = _parted(pixels)
    if strength == 0:
        if alpha is None or step.scale == 1:
            return weights.enlarged(pixels, step.scale), None
        return weights.enlarged(_joined(_spread(seen, alpha), alpha), step.scale), None
    check_numbers(pixels, step.name)
    if step.name == "mend":
        return _mended(pixels, seen, alpha, strength)
    seen = _spread(seen, alpha)
    after = weights.through(step.weights, seen, folder) if step.weights else brightened(seen)
    made = weights.mixed(weights.enlarged(seen, step.scale) if strength < 1 else after, after, strength)
    return _joined(made, None if alpha is None else weights.enlarged(alpha, step.scale)), None


def check_numbers(pixels: np.ndarray, what: str) -> None:
    """Refuse floats that are no numbers."""
    if pixels.dtype.kind == "f" and not np.isfinite(pixels).all():
        raise InputError("corrupt", f"{what}: the picture holds values that are no numbers; fill them first.")


def check_strength(strength: float) -> None:
    """Refuse a strength that is no share."""
    if not 0 <= strength <= 1:
        raise SettingsError(f"strength = {strength:g}: must be from 0 (unchanged) to 1 (all of it).")


def _mended(
    pixels: np.ndarray, seen: np.ndarray, alpha: np.ndarray | None, strength: float
) -> tuple[np.ndarray, np.ndarray | None]:
    """Scratches filled, and what is transparent; a hole that was filled is opaque then."""
    missing = scratched(seen)
    if alpha is not None:
        missing = missing | (alpha[..., 0] == 0)
        alpha = np.where(missing[..., None], np.asarray(alpha.max(), alpha.dtype), alpha)
    if not missing.any():
        return pixels, None
    made = weights.mixed(seen, filled(seen, missing), strength)
    return _joined(made, alpha), missing


def _parted(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """What is seen, and how opaque it is: the last of two or four channels."""
    if pixels.shape[2] in (2, 4):
        return np.ascontiguousarray(pixels[..., :-1]), pixels[..., -1:]
    return pixels, None


def _spread(seen: np.ndarray, alpha: np.ndarray | None) -> np.ndarray:
    """Where nothing is seen the colour of the nearest place where something is, so that nothing hidden runs into it."""
    hidden = None if alpha is None else alpha[..., 0] <= 0
    if hidden is None or not hidden.any() or hidden.all():
        return seen
    import cv2

    _, nearest_ = cv2.distanceTransformWithLabels(
        hidden.astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    colours = np.zeros((int(nearest_.max()) + 1, seen.shape[2]), seen.dtype)
    colours[nearest_[~hidden]] = seen[~hidden]
    made: np.ndarray = colours[nearest_]
    return made


def _joined(seen: np.ndarray, alpha: np.ndarray | None) -> np.ndarray:
    return seen if alpha is None else np.concatenate([seen, alpha], -1)
