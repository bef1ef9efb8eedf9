"""Pixels and colours that all overlays share: what can be shown, which colour a name has, how colour is laid on."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np

from sightline.core.errors import InputError

Colour = tuple[int, int, int]

# Okabe and Ito (2008) first, then hues that keep apart from them in lightness, so that they differ for every eye.
PALETTE: tuple[Colour, ...] = (
    *((230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (0, 114, 178), (213, 94, 0), (204, 121, 167)),
    *((118, 92, 220), (47, 208, 192), (153, 153, 51), (255, 120, 130), (136, 34, 85), (150, 212, 120)),
    *((178, 120, 66), (252, 204, 178), (170, 68, 190)),
)
INK: Colour = (20, 23, 28)
PAPER: Colour = (246, 247, 249)


def span(*pictures: np.ndarray) -> tuple[float, float]:
    """The values shown as black and as white: the depth of 8 bits, 0..1 of a float, else all but the outermost."""
    if all(pixels.dtype == np.uint8 for pixels in pictures):
        return 0.0, 255.0
    known = np.concatenate([pixels[np.isfinite(pixels)].ravel() for pixels in pictures])
    if not known.size:
        return 0.0, 1.0
    if pictures[0].dtype.kind == "f" and known.min() >= 0 and known.max() <= 1:
        return 0.0, 1.0
    low, high = np.percentile(known, (0.1, 99.9))
    return float(low), float(high if high > low else low + 1)


def display(pixels: np.ndarray, shown: tuple[float, float] | None = None) -> np.ndarray:
    """A new 8-bit colour picture of pixels of any depth; of many channels the first three."""
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    if pixels.ndim != 3 or 0 in pixels.shape:
        raise InputError("unsupported", f"only rows x columns x channels can be drawn on, not {pixels.shape}.")
    pixels = pixels[..., :3] if pixels.shape[2] >= 3 else pixels[..., :1]
    if pixels.dtype != np.uint8:
        low, high = shown or span(pixels)
        stretched = (np.nan_to_num(pixels.astype(np.float32), posinf=high, neginf=low) - low) / (high - low)
        pixels = np.rint(np.clip(stretched, 0, 1) * 255).astype(np.uint8)
    return np.ascontiguousarray(np.broadcast_to(pixels, (*pixels.shape[:2], 3))).copy()


def check_shape(found: tuple[int, ...], picture: np.ndarray, what: str) -> None:
    """Refuse a column that belongs to a picture of another size, rather than stretch it silently."""
    if tuple(found) != picture.shape[:2]:
        raise InputError("mismatch", f"{what} is {found}, but the picture has {picture.shape[:2]} rows and columns.")


def colours(names: Sequence[str]) -> list[Colour]:
    """One colour a name: from its hash, moved on where another of these names was there first."""
    given: dict[str, Colour] = {name: PALETTE[0] for name in names if is_ground(name)}
    taken: set[int] = set()
    for name in sorted(set(names) - set(given)):
        place = zlib.crc32(name.encode("utf-8", "replace"))
        if len(taken) == len(PALETTE):
            taken.clear()
        spot = next(spot for spot in range(place, place + len(PALETTE)) if spot % len(PALETTE) not in taken)
        taken.add(spot % len(PALETTE))
        # Past the palette, hues return at another lightness; three rounds are as many as eyes tell apart.
        lightness = (1.0, 0.7, 1.3)[min(2, len(given) // len(PALETTE))]
        given[name] = shade(PALETTE[spot % len(PALETTE)], lightness)
    return [given[name] for name in names]


def is_ground(name: str) -> bool:
    """Whether a name says that nothing is there, so that it is left bare."""
    return name.strip().lower() in ("", "background", "void", "unlabelled", "unlabeled", "ignore", "none")


def named(names: Sequence[str], number: int) -> str:
    """The name of a class, also of one that the names do not reach."""
    return names[number] if 0 <= number < len(names) else f"#{number}"


def shade(colour: Colour, factor: float) -> Colour:
    """Darker below 1, closer to white above."""
    if factor <= 1:
        return tuple(round(part * factor) for part in colour)  # type: ignore[return-value]
    return tuple(round(255 - (255 - part) / factor**2) for part in colour)  # type: ignore[return-value]


def contrast(colour: Colour) -> Colour:
    """Ink or paper, whichever reads better on this colour (relative luminance of WCAG 2.2)."""
    linear = [(part / 255 + 0.055) ** 2.4 / 1.055**2.4 if part > 10 else part / 255 / 12.92 for part in colour]
    return INK if 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] > 0.2 else PAPER


def line_width(picture: np.ndarray) -> int:
    """Thin on a small picture, still seen on a large one that is shown small."""
    return max(1, round(float(np.hypot(*picture.shape[:2])) / 320))


def letter_size(picture: np.ndarray) -> int:
    """The height of letters in pixels, in proportion to the picture."""
    return max(11, round(float(np.hypot(*picture.shape[:2])) * 0.021))


def lay(picture: np.ndarray, where: np.ndarray, colour: Colour, strength: float | np.ndarray) -> None:
    """Blend a colour into the pixels of a boolean mask."""
    under = picture[where].astype(np.float32)
    share = np.asarray(strength, np.float32)
    share = share[where][:, None] if share.ndim else share
    picture[where] = np.rint(under + (np.array(colour, np.float32) - under) * share).astype(np.uint8)


def inner_edge(mask: np.ndarray, width: int) -> np.ndarray:
    """The rim of a mask that lies inside it."""
    import cv2

    kernel = np.ones((2 * width + 1, 2 * width + 1), np.uint8)
    inner = cv2.erode(mask.astype(np.uint8), kernel, borderType=cv2.BORDER_CONSTANT, borderValue=1)
    rim: np.ndarray = mask & (inner == 0)
    return rim
