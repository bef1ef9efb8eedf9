"""Filters that make a picture look drawn, painted, old, or taken with a wide lens, and one that keeps its subject."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sightline.core import catalog
from sightline.core.asked import numbers, wholes, within
from sightline.core.chance import generator
from sightline.core.depth import from_unit, unit
from sightline.core.errors import InputError
from sightline.filters._given import mask_of, picture_of
from sightline.filters._lens import out_of_focus
from sightline.filters._pixels import need_colour, on_pixels
from sightline.filters._planes import blurred, each, each_of, gray_of, guided_by, relit

_SEPIA = np.array([[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]], np.float32)


@on_pixels
def cartoon(image: np.ndarray, *, tones: int = 8, edges: float = 1.0) -> np.ndarray:
    """Even areas in a few `tones` of gray, and dark lines along `edges`."""
    import cv2

    wholes("cartoon", 2, 64, tones=tones)
    within("cartoon", 0, 5, edges=edges)
    values = unit(image)
    for _ in range(3):  # each round flattens what the one before has left
        values = _flat(values)
    gray = gray_of(values)
    steps = gray * tones
    whole_steps = np.floor(steps)
    soft = (whole_steps + 1 / (1 + np.exp(-18 * (steps - whole_steps - 0.5)))) / tones  # steps without stairs
    made = relit(values, gray, np.clip(soft, 0, 1).astype(np.float32))
    fine = cv2.GaussianBlur(gray, (0, 0), 0.8) - cv2.GaussianBlur(gray, (0, 0), 1.6)
    ink = np.clip(1 + np.float32(30 * edges) * np.minimum(fine + np.float32(0.008), 0), 0, 1)
    return from_unit(made * ink[..., None], image)


def _flat(values: np.ndarray) -> np.ndarray:
    import cv2

    def smooth(part: np.ndarray) -> np.ndarray:
        return np.asarray(cv2.bilateralFilter(part, 9, 0.12, 4.0))

    return smooth(values).reshape(values.shape) if values.shape[2] in (1, 3) else each(values, smooth)


@on_pixels
def pencil(image: np.ndarray, *, sigma: float = 8.0, colour: float = 0.0) -> np.ndarray:
    """Lines of a pencil on white paper: gray divided by its own blur of `sigma` pixels; `colour` is the share kept."""
    within("pencil", 0.5, 200, sigma=sigma)
    within("pencil", 0, 1, colour=colour)
    values = unit(image)
    gray = gray_of(values)
    lines = np.clip(gray / np.maximum(blurred(gray, sigma), np.float32(1 / 255)), 0, 1) ** np.float32(1.5)
    shades = np.float32(colour) * (values - gray[..., None])
    return from_unit(lines[..., None] + shades * lines[..., None], image)


@on_pixels
def emboss(image: np.ndarray, *, angle: float = 135.0, depth: float = 2.0) -> np.ndarray:
    """Gray as a relief under light from `angle` degrees (0 is from the right, 90 from above), around mid gray."""
    import cv2

    within("emboss", -360, 360, angle=angle)
    within("emboss", 0, 20, depth=depth)
    values = unit(image)
    turn = np.radians(angle)

    def relief(plane: np.ndarray) -> np.ndarray:
        right = cv2.Scharr(plane, cv2.CV_32F, 1, 0, scale=1 / 16, borderType=cv2.BORDER_REFLECT_101)
        down = cv2.Scharr(plane, cv2.CV_32F, 0, 1, scale=1 / 16, borderType=cv2.BORDER_REFLECT_101)
        return np.asarray(np.float32(-np.cos(turn)) * right + np.float32(np.sin(turn)) * down)

    made = relief(gray_of(values)) * np.float32(depth) + np.float32(0.5)
    return from_unit(np.repeat(made[..., None], image.shape[2], 2), image)


@on_pixels
def oil(image: np.ndarray, *, radius: int = 4, tones: int = 12) -> np.ndarray:
    """Strokes of oil: every pixel takes the mean colour of the most frequent tone within `radius` pixels."""
    import cv2

    wholes("oil", 1, 50, radius=radius)
    wholes("oil", 2, 64, tones=tones)
    values = unit(image)
    bins = np.minimum(gray_of(values) * tones, tones - 1).astype(np.uint8)
    size = (2 * radius + 1, 2 * radius + 1)
    most, made = np.zeros(bins.shape, np.float32), np.zeros_like(values)

    def around(part: np.ndarray) -> np.ndarray:
        return each_of(part, lambda plane: np.asarray(cv2.blur(plane, size, borderType=cv2.BORDER_REFLECT)))

    for tone in range(tones):
        here = (bins == tone).astype(np.float32)
        share = around(here)
        more = share > most
        if not more.any():
            continue
        mean = around(values * here[..., None]) / np.maximum(share, np.float32(1e-6))[..., None]
        made[more], most[more] = mean[more], share[more]
    return from_unit(made, image)


@on_pixels
def sepia(image: np.ndarray, *, amount: float = 1.0) -> np.ndarray:
    """The brown of old prints, mixed with the colours as they are by `amount`."""
    need_colour(image, "sepia")
    within("sepia", 0, 1, amount=amount)
    values = unit(image)
    return from_unit(values + np.float32(amount) * (np.minimum(values @ _SEPIA.T, 1) - values), image)


@on_pixels
def vintage(image: np.ndarray, *, amount: float = 1.0, grain: float = 4.0, seed: int = 0) -> np.ndarray:
    """An old print: faded blacks, warm lights, dark corners and `grain` (in levels of 8 bits)."""
    need_colour(image, "vintage")
    within("vintage", 0, 1, amount=amount)
    within("vintage", 0, 64, grain=grain)
    wholes("vintage", 0, 2**31, seed=seed)
    values = unit(image)
    made = values + np.float32(0.6) * (np.minimum(values @ _SEPIA.T, 1) - values)
    made = np.float32(0.08) + made * np.array([0.90, 0.84, 0.74], np.float32)
    rows, columns = image.shape[:2]
    down, right = np.linspace(-1, 1, rows, dtype=np.float32), np.linspace(-1, 1, columns, dtype=np.float32)
    made *= (1 - np.float32(0.22) * (down[:, None] ** 2 + right**2))[..., None]
    chance = generator("vintage", seed).standard_normal((rows, columns), np.float32)
    made += (chance * np.float32(grain / 255))[..., None]
    return from_unit(values + np.float32(amount) * (made - values), image)


@on_pixels
def portrait(
    image: np.ndarray,
    *,
    mask: Any = None,
    box: Sequence[float] = (),
    depth: Any = None,
    radius: float = 0.0,
    feather: int = 4,
) -> np.ndarray:
    """What is outside a `mask` (an array or a file, not 0 where it stays sharp) as a wide lens shows it: out of focus.

    Instead of a mask a `box` (left, top, right, bottom as shares of the picture) keeps what `finders.grabcut` finds in
    it; with neither an oval in the middle stays sharp. With `depth` (an array or a file, near and far in gray) what is
    farther from the subject is blurred more. `radius` of the widest blur in pixels, 0: a fiftieth of the longer side.
    The edge of the subject follows the picture within `feather` pixels.
    """
    within("portrait", 0, 100, radius=radius)
    wholes("portrait", 0, 100, feather=feather)
    values = unit(image)
    sharp = _feathered(values, _subject("portrait", image, mask, box), feather, 1e-3)
    away = None if depth is None else _away(depth, sharp)
    return from_unit(out_of_focus(values, 1 - sharp, radius or max(1.0, max(image.shape[:2]) / 50), away), image)


@on_pixels
def cut_out(
    image: np.ndarray, *, mask: Any = None, box: Sequence[float] = (), ground: float = 1.0, feather: int = 2
) -> np.ndarray:
    """The subject alone, before an even `ground` from 0, black, to 1, white; told by `mask` or `box` as in `portrait`.

    Where the edge is soft within `feather` pixels, it is mixed with the ground.
    """
    within("cut_out", 0, 1, ground=ground)
    wholes("cut_out", 0, 100, feather=feather)
    values = unit(image)
    near = _feathered(values, _subject("cut_out", image, mask, box), feather, 1e-4)
    return from_unit(np.float32(ground) + near[..., None] * (values - np.float32(ground)), image)


def _feathered(values: np.ndarray, subject: np.ndarray, feather: int, even: float) -> np.ndarray:
    """The subject with an edge that follows the picture within so many pixels."""
    if not feather:
        return subject
    edged: np.ndarray = guided_by(gray_of(values), subject, feather, even)
    return edged.clip(0, 1)


def _subject(what: str, image: np.ndarray, mask: Any, box: Sequence[float]) -> np.ndarray:
    """1 where the subject is, else 0: of a mask, of what stands out in a box, or an oval in the middle."""
    rows, columns = image.shape[:2]
    if mask is not None:
        return mask_of(what, mask, image.shape).astype(np.float32)
    if not isinstance(box, list | tuple) or len(box):
        left, top, right, bottom = numbers(what, "box", box, 4, 0, 1)
        found = catalog.find("finders", "grabcut")(image, left=left, top=top, right=right, bottom=bottom)
        return np.asarray(found.classes, np.float32)
    down, right_ = np.linspace(-1.3, 1.3, rows)[:, None], np.linspace(-1.7, 1.7, columns)
    return (down**2 + right_**2 < 1).astype(np.float32)


def _away(depth: Any, near: np.ndarray) -> np.ndarray:
    """How far from the subject each pixel is, 0 to 1 at the farthest, by a map of near and far."""
    marked = picture_of("portrait", "depth", depth)
    if marked.ndim != 3 or marked.shape[:2] != near.shape:
        raise InputError(
            "mismatch", f"portrait: depth is {marked.shape[:2]}, the picture {near.shape}; make them equal."
        )
    told = np.nan_to_num(unit(marked)).mean(2)
    subject = float(np.median(told[near > 0.5])) if (near > 0.5).any() else float(told.min())
    away = np.abs(told - np.float32(subject))
    most = float(away.max())
    return np.asarray(away / np.float32(most) if most > 0 else away)
