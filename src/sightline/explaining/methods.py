"""The ways to explain, by name; another one is a function here or in a file of its own and a line in the table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sightline.core.errors import SettingsError, UnknownNameError, nearest
from sightline.explaining import attending, cams, covering, gradients
from sightline.explaining.subject import Subject, View


@dataclass(frozen=True, slots=True)
class Method:
    """A map a row of a view, what it is called, what it shows, and whether it needs the network itself."""

    run: Callable[[View], np.ndarray]
    title: str
    says: str
    network: bool = True
    layer: bool = False  # whether it may be asked of one layer by name


METHODS: dict[str, Method] = {  # the first that passes its checks is the one that reports show
    "layercam": Method(
        cams.layercam, "LayerCAM", "where the features of two levels speak for the answer, place by place", layer=True
    ),
    "gradcam": Method(cams.gradcam, "Grad-CAM", "where the features of one level speak for the answer", layer=True),
    "gradcam_plus": Method(
        cams.gradcam_plus, "Grad-CAM++", "the same, for answers that rest on several places", layer=True
    ),
    "integrated": Method(
        gradients.integrated, "Integrated gradients", "what each pixel adds to the answer, from nothing to the picture"
    ),
    "smoothed": Method(gradients.smoothed, "SmoothGrad", "which pixels would change the answer fastest"),
    "occlusion": Method(
        covering.occlusion, "Occlusion", "how far the answer falls where a window is hidden", network=False
    ),
    "rollout": Method(attending.rollout, "Attention rollout", "whom the tokens look at, through all layers"),
}
PREFERRED = ("layercam", "gradcam", "integrated", "occlusion")


def method(name: str) -> Method:
    """The method of this name."""
    if name not in METHODS:
        raise UnknownNameError(f"no method is called '{name}'.{nearest(name, METHODS)} Known: {', '.join(METHODS)}.")
    return METHODS[name]


def maps(name: str, view: View, *, layer: str | None = None) -> np.ndarray:
    """One map a row, of the size of the network's input; finite, and nowhere below zero."""
    chosen = method(name)
    if chosen.network and view.subject.network is None:
        raise SettingsError(
            f"{chosen.title} needs the network in torch, and this model comes without; use the method 'occlusion'."
        )
    if layer is not None and not chosen.layer:
        able = ", ".join(each for each, known in METHODS.items() if known.layer)
        raise SettingsError(f"{chosen.title} is not of one layer; those that are: {able}.")
    found = chosen.run(view) if layer is None else chosen.run(view, layer=layer)  # type: ignore[call-arg]
    return np.maximum(np.nan_to_num(np.asarray(found, np.float64)), 0)


def usable(subject: Subject) -> tuple[str, ...]:
    """What can be asked of this model, the preferred first."""
    return tuple(name for name in PREFERRED if subject.network is not None or not METHODS[name].network)
