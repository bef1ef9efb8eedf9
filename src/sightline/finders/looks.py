"""Where eyes go first, and how many things there are."""

from __future__ import annotations

import numpy as np

from sightline.core import catalog
from sightline.core.annotations import Heatmap, Objects, Value
from sightline.core.asked import wholes, within
from sightline.core.errors import SettingsError
from sightline.finders._light import unit_plane


def saliency(image: np.ndarray, *, side: int = 64, sigma: float = 2.5) -> Heatmap:
    """What stands out, from 0 to 1: what the spectrum has beyond its own smooth course (Hou and Zhang 2007).

    The picture is looked at with its longer side at `side` pixels; `sigma` smooths the map there.
    """
    import cv2

    wholes("saliency", 8, 1024, side=side)
    within("saliency", 0.1, 100, sigma=sigma)
    gray = unit_plane(image, "saliency")
    share = side / max(gray.shape)
    rows, columns = (max(2, round(length * share)) for length in gray.shape)
    small = np.asarray(cv2.resize(gray, (columns, rows), interpolation=cv2.INTER_AREA)).reshape(rows, columns)
    spectrum = np.fft.fft2(small.astype(np.float64))
    strength = np.log(np.abs(spectrum) + 1e-9)
    usual = np.asarray(cv2.blur(strength, (3, 3), borderType=cv2.BORDER_REFLECT)).reshape(strength.shape)
    odd = np.abs(np.fft.ifft2(np.exp(strength - usual + 1j * np.angle(spectrum)))) ** 2
    odd = np.asarray(cv2.GaussianBlur(odd, (0, 0), sigma)).reshape(odd.shape)
    low, high = float(odd.min()), float(odd.max())
    even = ((odd - low) / (high - low) if high > low * 1.000001 else np.zeros_like(odd)).astype(np.float32)
    if float(small.std()) < 1e-5:
        even[:] = 0
    shape = gray.shape
    made = np.asarray(cv2.resize(even, shape[::-1], interpolation=cv2.INTER_LINEAR)).reshape(shape)
    return Heatmap(made, float(made.max()))


def count(image: np.ndarray, *, of: str = "components", least: float = 0.0) -> Value:
    """How many things another finder finds, of those that score at least `least`."""
    within("count", 0, 1, least=least)
    if of == "count":
        raise SettingsError("count: of = count: name a finder that finds things, such as components or circles.")
    found = catalog.find("finders", of)(image)
    if not isinstance(found, Objects):
        raise SettingsError(f"count: of = {of}: it finds no single things; try components, circles or watershed.")
    number = len(found) if found.scores is None else int((found.scores >= least).sum())
    return Value((of,), np.array([number], np.float64))
