"""One thing to learn from or to answer about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sightline.core.annotations import Annotation
from sightline.core.image import Image


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Pictures in a fixed order, what is true of them, what is given when asked, and where they come from."""

    id: str
    images: tuple[Image, ...] = ()
    truth: Annotation | None = None
    given: Mapping[str, Any] = field(default_factory=dict)
    group: str | None = None  # patient, video, product: never split across sides
    split: str | None = None  # train | val | test
    attributes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def image(self) -> Image:
        return self.images[0]

    def pixels(self) -> np.ndarray:
        """The first picture, read."""
        return self.images[0].read()
