"""Pictures made from noise that excite a part of a network most."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from sightline.core.chance import generator
from sightline.explaining.recorder import Record, recording
from sightline.explaining.subject import TOP, View

if TYPE_CHECKING:
    from torch import Tensor

STEPS = 64
RATE = 0.08
SHIFT = 4  # pixels, by chance, so that nothing depends on a single place
FADE = 0.99


def excite(
    view: View, asked: Callable[[Record, Any], Tensor], count: int, *, steps: int = STEPS, seed: int = 0
) -> np.ndarray:
    """Pictures of the input's depth, each climbing its own number of `asked` (Erhan et al. 2009).

    Gradients are blurred, less and less (Oygard 2015), and the picture fades to gray where nothing holds it.
    """
    import cv2

    spec = view.subject.facts.input
    rng, top = generator("explaining", "excite", seed), TOP[spec.dtype]
    size = (count, *view.size, spec.channels)
    inner = rng.normal(0, 0.1, size).astype(np.float32)
    for step in range(steps):
        shift = tuple(int(part) for part in rng.integers(-SHIFT, SHIFT + 1, 2))
        moved = np.roll(inner, shift, (1, 2))
        slope = np.roll(_slope(view, asked, moved, top), (-shift[0], -shift[1]), (1, 2))
        spread = 0.4 + 2.0 * (1 - step / steps) * min(view.size) / 64
        for row in slope:
            row[...] = cv2.GaussianBlur(row, (0, 0), spread).reshape(row.shape)
        length = np.sqrt(np.mean(slope**2, (1, 2, 3), keepdims=True))
        inner = FADE * inner + RATE * slope / np.maximum(length, 1e-20)
    made = top / (1 + np.exp(-2 * inner))
    return np.asarray(made if spec.dtype == "float32" else np.rint(made)).astype(spec.dtype)


def _slope(view: View, asked: Callable[[Record, Any], Tensor], inner: np.ndarray, top: float) -> np.ndarray:
    import torch

    network = view.subject.network
    given = {
        name: torch.from_numpy(array[:1]).expand(len(inner), *array.shape[1:]) for name, array in view.arrays.items()
    }
    free = torch.from_numpy(inner.copy()).requires_grad_()
    with torch.enable_grad(), recording(network, len(inner), view.size) as record:
        given[view.first] = torch.sigmoid(2 * free) * top
        outputs = network(**given)
        found = torch.autograd.grad(asked(record, outputs).sum(), free, allow_unused=True)[0]
    return np.zeros_like(inner) if found is None else found.numpy()
