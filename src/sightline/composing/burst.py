"""Many noisy pictures of one scene as one clean one: night sight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sightline.composing._laying import lay, related
from sightline.composing._noise import spread_of
from sightline.composing._pictures import Pictures, lit, same_size, unlit
from sightline.core.errors import InputError
from sightline.core.progress import Event, Tell, silent

_LEVELS = 12  # of light at which noise is measured
_SOFT = 1.5  # pixels over which a difference is judged
_GHOST = 3.0  # times its own spread from which a difference is a ghost, not noise


@dataclass(frozen=True, slots=True)
class Burst:
    """The merged picture, and how much went into it."""

    pixels: np.ndarray
    weight: np.ndarray  # (rows, columns) how many pictures each pixel is made of
    noise: float  # spread of one picture, of white
    left_out: tuple[str, ...]  # pictures that could not be laid on the first
    count: int

    @property
    def line(self) -> str:
        """What was made, in one line."""
        share = float(self.weight.mean())
        left = f"; left out {len(self.left_out)}" if self.left_out else ""
        return (
            f"{self.count} pictures became one; each pixel is made of {share:.1f}, "
            f"noise falls from {self.noise:.2%} to about {self.noise / max(share, 1) ** 0.5:.2%} of white{left}"
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "line": self.line,
            "count": self.count,
            "weight": float(self.weight.mean()),
            "noise": self.noise,
            "left_out": list(self.left_out),
        }


def burst(
    pictures: Any,
    *,
    by: str | None = "intensity",
    ghosts: bool = True,
    deep: bool = False,
    tell: Tell = silent,
    **settings: Any,
) -> Burst:
    """The first picture with the noise of n: the others laid on it and averaged, but for what moved (`ghosts`).

    `by` None takes pictures that lie on each other already. `deep` answers in 16 bits, so that shadows may be lifted.
    Memory is that of three pictures, however many there are. A picture that cannot be laid is left out and named.
    """
    given = Pictures(pictures, "burst")
    ends, first = given.span(), given[0]
    base = lit(first, ends)
    total, weight = base.astype(np.float32).copy(), np.ones(first.shape[:2], np.float32)
    judge, left_out, noise = _Judge(base), list[str](), 0.0
    for place in range(1, len(given)):
        tell(Event("progress", "merged", {"done": place, "total": len(given) - 1}))
        pixels = given[place]
        name = given.names[place]
        try:
            laid, known = _on(first, pixels, by, (given.names[0], name), _usual(by, settings))
        except InputError as error:
            if error.code != "unrelated":
                raise
            tell(Event("warn", f"{name} is left out: {error.message}"))
            left_out.append(name)
            continue
        bright = lit(laid, ends)
        noise = noise or spread_of((bright - base)[known]) / 2**0.5
        share = judge(bright, known) if ghosts else known.astype(np.float32)
        bright *= share[..., None]
        total += bright
        weight += share
    if len(left_out) == len(given) - 1:
        raise InputError(
            "unrelated", f"burst: none of the other {len(left_out)} pictures can be laid on {given.names[0]}."
        )
    total /= weight[..., None]
    depth = np.dtype(np.uint16) if deep and first.dtype == np.uint8 else first.dtype
    to = ends if depth == first.dtype else (0.0, 65535.0)
    return Burst(unlit(total, to, depth), weight, noise, tuple(left_out), len(given))


def _usual(by: str | None, settings: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"kind": "homography", **settings} if by == "intensity" else settings


def _on(
    first: np.ndarray, pixels: np.ndarray, by: str | None, names: tuple[str, str], settings: Mapping[str, Any]
) -> tuple[np.ndarray, np.ndarray]:
    if by is None:
        same_size(pixels, first, "burst", names[1])
        return pixels, np.ones(first.shape[:2], bool)
    return lay(pixels, related(first, pixels, by, names, settings))


class _Judge:
    """Tells noise from what moved, by how far a softened picture differs at each level of light."""

    def __init__(self, base: np.ndarray) -> None:
        import cv2

        self.soft = cv2.GaussianBlur(base, (0, 0), _SOFT).reshape(base.shape)
        light = self.soft.mean(2)
        edges = np.quantile(light[::3, ::3], np.linspace(0, 1, _LEVELS + 1)[1:-1])
        self.level = np.searchsorted(edges, light.ravel()).reshape(light.shape)

    def __call__(self, bright: np.ndarray, known: np.ndarray) -> np.ndarray:
        """1 where the picture shows what the first shows, 0 where it does not."""
        import cv2

        soft = cv2.GaussianBlur(bright, (0, 0), _SOFT).reshape(bright.shape)
        apart = soft - self.soft
        typical = np.array([spread_of(apart[(self.level == level) & known]) for level in range(_LEVELS)], np.float32)
        apart = np.abs(apart).max(2) / np.maximum(typical, 1e-5)[self.level]
        share = np.clip(2 * _GHOST - apart, 0, _GHOST) / _GHOST
        share = cv2.erode(share.astype(np.float32), np.ones((5, 5), np.uint8))
        return np.asarray(share * known, np.float32)
