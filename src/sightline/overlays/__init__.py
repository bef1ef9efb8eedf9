"""Overlays: (image, annotation) -> image, an entry is a public function named after the record that it draws."""

from __future__ import annotations

import numpy as np

from sightline.core import catalog
from sightline.core.annotations import Annotation, Labels, Text, Value, Vector

_WRITTEN = (Labels, Text, Value, Vector)  # what stands below a picture, not on it


def draw(pixels: np.ndarray, annotation: Annotation, *, least: int = 0) -> np.ndarray:
    """The picture with what is known of it; words below it need room: narrower than `least`, it is enlarged."""
    if isinstance(annotation, _WRITTEN) and 0 < pixels.shape[1] < least and pixels.ndim == 3:
        times = -(-least // pixels.shape[1])
        pixels = pixels.repeat(times, 0).repeat(times, 1)
    drawn: np.ndarray = catalog.find("overlays", type(annotation).__name__.lower())(pixels, annotation)
    return drawn
