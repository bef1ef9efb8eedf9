"""The small networks that are shipped, and how a picture of any depth, channels and size goes through one."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from sightline.core.bicubic import larger
from sightline.core.depth import from_unit, unit
from sightline.core.errors import BundleError
from sightline.core.patchwork import TOGETHER
from sightline.predicting.model import Model, load
from sightline.predicting.named import SHIPPED, SUFFIX

RIM = 8  # mirrored pixels around a picture: a network is least sure where it sees nothing
_BAND = 16 * TOGETHER  # values that are mixed at a time


def there(kind: str, folder: Path | None = None) -> bool:
    """Whether there are weights of this kind for any picture."""
    return any((folder or SHIPPED).joinpath(f"{kind}_{colours}{SUFFIX}").exists() for colours in ("gray", "colour"))


def through(kind: str, pixels: np.ndarray, folder: Path | None = None) -> np.ndarray:
    """Rows, columns, channels through the network of this kind: colours together, all else channel by channel."""
    channels = pixels.shape[2]
    if channels == 3 and _found(kind, "colour", folder):
        if not _is_gray(pixels) or not _found(kind, "gray", folder):
            return _answer(kind, "colour", pixels, folder)
        return np.repeat(_answer(kind, "gray", np.ascontiguousarray(pixels[..., :1]), folder), 3, 2)
    if not _found(kind, "gray", folder):
        if channels == 1 and _found(kind, "colour", folder):
            return _answer(kind, "colour", np.repeat(pixels, 3, 2), folder)[..., 1:2]
        raise BundleError(_lacking(kind, folder))
    planes = [np.ascontiguousarray(pixels[..., place : place + 1]) for place in range(channels)]
    return np.concatenate([_answer(kind, "gray", plane, folder) for plane in planes], -1)


def mixed(before: np.ndarray, after: np.ndarray, strength: float) -> np.ndarray:
    """So much of the way from one picture to another: 0 the first to the bit, 1 the second to the bit."""
    if strength >= 1 or before is after:
        return after
    if strength <= 0:
        return before
    made = np.empty_like(after)
    step = max(1, _BAND // max(1, after[0].size))
    for top in range(0, len(after), step):
        rows = slice(top, top + step)
        one, other = unit_like(before[rows], after), unit_like(after[rows], after)
        other -= one
        other *= np.float32(strength)
        other += one
        made[rows] = from_unit(other, np.zeros(0, after.dtype))
    return made


def unit_like(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """A part of a picture as values of 0..1; floats are taken to be so already."""
    return part.astype(np.float32) if whole.dtype.kind == "f" else unit(part)


def enlarged(pixels: np.ndarray, scale: int) -> np.ndarray:
    """What enlarging without invention gives."""
    return larger(pixels, scale) if scale > 1 else pixels


@lru_cache(16)
def opened(path: Path) -> Model:
    """A bundle, verified once."""
    return load(path)


def _found(kind: str, colours: str, folder: Path | None) -> bool:
    return (folder or SHIPPED).joinpath(f"{kind}_{colours}{SUFFIX}").exists()


def _answer(kind: str, colours: str, pixels: np.ndarray, folder: Path | None) -> np.ndarray:
    model = opened((folder or SHIPPED) / f"{kind}_{colours}{SUFFIX}")
    made = getattr(model.predict(np.pad(pixels, ((RIM, RIM), (RIM, RIM), (0, 0)), "symmetric"))[0], "pixels", None)
    if made is None:
        raise BundleError(f"{kind}_{colours}{SUFFIX} does not answer with pictures; it cannot enhance any.")
    cut = RIM * (len(made) // (len(pixels) + 2 * RIM))
    return np.asarray(made)[cut:-cut, cut:-cut]


def _is_gray(pixels: np.ndarray) -> bool:
    """Whether the three channels say the same; a few rows say so first."""
    few = pixels[:: max(1, len(pixels) // 16)]
    for part in (few, pixels):
        if (part[..., 0] != part[..., 1]).any() or (part[..., 0] != part[..., 2]).any():
            return False
    return True


def _lacking(kind: str, folder: Path | None) -> str:
    where = folder or SHIPPED
    have = sorted(path.stem for path in where.glob(f"*{SUFFIX}")) if where.is_dir() else []
    return f"no weights called {kind}_gray or {kind}_colour are in {where}; there are {', '.join(have) or 'none'}."
