"""What every pixel is or scores: tinted areas with borders, and a colour ramp."""

from __future__ import annotations

import numpy as np

from sightline.core.annotations import Heatmap, Regions
from sightline.overlays._letters import cut, height_of, width_of, write
from sightline.overlays._paint import (
    INK,
    PAPER,
    check_shape,
    colours,
    contrast,
    display,
    is_ground,
    lay,
    letter_size,
    line_width,
)


def regions(image: np.ndarray, annotation: Regions, *, strength: float = 0.45) -> np.ndarray:
    """A tint and a border for each class that is no ground, and its name where its largest area has room."""
    picture = display(image)
    check_shape(annotation.classes.shape, picture, "the class map")
    classes = annotation.classes
    border = _borders(classes, line_width(picture))
    palette = colours(annotation.names)
    for number, (name, colour) in enumerate(zip(annotation.names, palette, strict=True)):
        if is_ground(name):
            continue
        here = classes == number
        if here.any():
            lay(picture, here, colour, strength)
            lay(picture, here & border, colour, 1.0)
    for number, (name, colour) in enumerate(zip(annotation.names, palette, strict=True)):
        if not is_ground(name):
            _name(picture, classes == number, name, colour)
    return picture


def _borders(classes: np.ndarray, width: int) -> np.ndarray:
    """Pixels next to a pixel of another class."""
    import cv2

    edge = np.zeros(classes.shape, bool)
    down, right = classes[1:] != classes[:-1], classes[:, 1:] != classes[:, :-1]
    edge[1:] |= down
    edge[:-1] |= down
    edge[:, 1:] |= right
    edge[:, :-1] |= right
    return edge if width < 2 else cv2.dilate(edge.astype(np.uint8), np.ones((width, width), np.uint8)) > 0


def _name(picture: np.ndarray, here: np.ndarray, name: str, colour: tuple[int, int, int]) -> None:
    """Written around the pixel that lies deepest inside, if the whole tag fits into the area there."""
    import cv2

    if not here.any():
        return
    ringed = np.pad(here.astype(np.uint8), 1)
    depth = cv2.distanceTransform(ringed, cv2.DIST_L2, 3)[1:-1, 1:-1]
    y, x = np.unravel_index(int(np.argmax(depth)), depth.shape)
    size = letter_size(picture)
    text, pad = cut(name, size, picture.shape[1]), max(2, size // 4)
    wide, high = width_of(text, size) + 2 * pad, height_of(size) + pad
    left, top = int(x) - wide // 2, int(y) - high // 2
    if not text or left < 0 or top < 0 or not here[top : top + high, left : left + wide].all():
        return
    if top + high <= picture.shape[0] and left + wide <= picture.shape[1]:
        picture[top : top + high, left : left + wide] = colour
        write(picture, left + pad, top + pad // 2, text, size, contrast(colour))


def heatmap(
    image: np.ndarray, annotation: Heatmap, *, low: float | None = None, high: float | None = None
) -> np.ndarray:
    """A dark-to-bright ramp over gray, untouched where the score is lowest; a strip below says score and range.

    Scores within 0..1 are shown on that range, so that a calm picture looks calm; others on their own.
    """
    import cv2

    picture = display(image)
    scores = annotation.scores.astype(np.float32)
    check_shape(scores.shape, picture, "the score map")
    known = scores[np.isfinite(scores)]
    unit = not known.size or (known.min() >= 0 and known.max() <= 1)
    low = low if low is not None else 0.0 if unit else float(known.min())
    high = high if high is not None else 1.0 if unit else float(known.max())
    share = np.nan_to_num(np.clip((scores - low) / max(high - low, 1e-12), 0, 1))
    ramp = _ramp(share)
    gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[..., None].astype(np.float32)
    mixed = 0.35 * gray + 0.65 * ramp
    alpha = np.sqrt(share)[..., None]
    drawn = np.rint(picture + (mixed - picture) * alpha).astype(np.uint8)
    return np.concatenate([drawn, _scale(picture, annotation.score, low, high)])


def _ramp(share: np.ndarray) -> np.ndarray:
    """Colours of 0..1: inferno, whose lightness alone already tells the order."""
    import cv2

    bytes_ = np.rint(share * 255).astype(np.uint8)
    ramp: np.ndarray = cv2.applyColorMap(bytes_, cv2.COLORMAP_INFERNO)[..., ::-1]
    return ramp.astype(np.float32)


def _scale(picture: np.ndarray, score: float, low: float, high: float) -> np.ndarray:
    """The strip: the score of the picture, and the ramp between its two ends."""
    size = letter_size(picture)
    pad = max(3, size // 3)
    strip = np.full((height_of(size) + 2 * pad, picture.shape[1], 3), INK, np.uint8)
    ends = f"{low:.3g}", f"{high:.3g}"
    right = picture.shape[1] - pad - width_of(ends[1], size)
    long = min(picture.shape[1] // 3, 12 * size)
    left = right - pad - long
    start = left - pad - width_of(ends[0], size)
    says = cut(f"score {score:.3f}", size, start - 2 * pad)
    write(strip, pad, pad, says or cut(f"{score:.2f}", size, picture.shape[1] - 2 * pad), size, PAPER)
    if says:
        write(strip, start, pad, ends[0], size, PAPER)
        write(strip, right, pad, ends[1], size, PAPER)
        bar = _ramp(np.linspace(0, 1, long, dtype=np.float32)[None])
        strip[pad + size // 4 : -pad - size // 4, left : left + long] = bar.astype(np.uint8)
    return strip
