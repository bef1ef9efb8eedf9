"""Whole policies as one augmentation: how many moves, how strong; which ones is left to chance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sightline.augmentations import light, tones, warps
from sightline.core.sample import Sample

Step = Callable[[Sample, np.random.Generator, float], Sample]  # the last: strength, 0..1


def rand_augment(
    sample: Sample, rng: np.random.Generator, *, count: int = 2, magnitude: float = 9.0, spread: float = 0.5
) -> Sample:
    """`count` moves of one strength (Cubuk et al. 2020); `magnitude` is out of 10, `spread` its deviation."""
    steps = _steps(sample, wide=False)
    for place in rng.integers(len(steps), size=count):
        strength = float(np.clip(magnitude + spread * rng.standard_normal(), 0, 10)) / 10
        sample = steps[int(place)](sample, rng, strength)
    return sample


def trivial_augment(sample: Sample, rng: np.random.Generator) -> Sample:
    """One move of any strength (Müller and Hutter 2021, the wide space): nothing to tune."""
    steps = _steps(sample, wide=True)
    place = int(rng.integers(len(steps)))
    return steps[place](sample, rng, float(rng.random()))


def _steps(sample: Sample, *, wide: bool) -> list[Step]:
    """The moves of the papers; those of colour only where there is colour."""
    reach = 2.0 if wide else 1.0
    steps: list[Step] = [
        lambda sample, rng, strength: sample,
        _either(warps.rotate, "degrees", 135.0 if wide else 30.0),
        _either(warps.shear, "degrees", 30.0 if wide else 17.0),
        _either(warps.translate, "most", 0.32 if wide else 0.3),
        lambda sample, rng, strength: light.light(sample, rng, brightness=0.45 * strength * reach / 2, contrast=0),
        lambda sample, rng, strength: light.light(sample, rng, brightness=0, contrast=0.49 * strength * reach),
        lambda sample, rng, strength: tones.sharpness(sample, rng, by=_around(rng, 0.9 * strength * reach)),
        lambda sample, rng, strength: tones.posterize(sample, rng, bits=(_bits(strength, wide),) * 2),
        lambda sample, rng, strength: tones.solarize(sample, rng, above=(1 - strength, 1 - strength)),
        lambda sample, rng, strength: tones.equalise(sample, rng, chance=1),
        lambda sample, rng, strength: tones.autocontrast(sample, rng, chance=1),
    ]
    if sample.images and sample.images[0].read().shape[-1] == 3:
        steps.append(
            lambda sample, rng, strength: light.saturation(sample, rng, by=_around(rng, 0.45 * strength * reach))
        )
    return steps


def _either(move: Callable[..., Sample], name: str, most: float) -> Step:
    def step(sample: Sample, rng: np.random.Generator, strength: float) -> Sample:
        settings: dict[str, Any] = {name: most * strength}
        return move(sample, rng, **settings)

    return step


def _around(rng: np.random.Generator, away: float) -> tuple[float, float]:
    """One that much below or above 1."""
    factor = max(0.0, 1 - away if rng.random() < 0.5 else 1 + away)
    return factor, factor


def _bits(strength: float, wide: bool) -> int:
    return 8 - round(strength * (6 if wide else 4))
