"""Which pictures are near copies of one another: resized, recompressed, cut a little, mirrored, lightened.

Every picture becomes a small grey thumbnail. Whatever meets in a bucket is laid over one another and compared closely.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from sightline.core.alignment import banded, dot, fitted, halved, moved, normal
from sightline.core.buckets import BLOCK, SIDE, VIEWS, Buckets, Round, frequencies
from sightline.core.progress import Event, Tell, silent

AGREE = (
    0.96  # cosine of their whitened frequencies then: in a set of X-rays strangers correlate, but agree in no detail
)
ALIKE = 0.93  # correlation, laid over one another, from which two pictures are copies
SMALL = np.dtype([("grey", "u1", (32, 32)), ("colours", "u1", (4, 4, 3))])  # what is kept of a picture
PLAIN = 1.0  # grey levels of spread below which a picture shows nothing that could be recognised
CONFIRMED = 0.92  # correlation of the detail of larger pictures
_STROKES = ((0.95, 0.96, 0.97), (0.9, 0.85, 0.97))  # share of plain ground; overlap of what is drawn on it, correlation
_EVEN = 0.05  # of the way to what stands out most: ground; texture and shade lie farther from their middle
_BARE = 0.955  # share of plain ground on which what is drawn is a line: any other lies on it when it is moved
_TILES = 4  # rows and columns of coarse colours
_TINT, _TINTED = 14.0, 0.4  # levels, and share of the colour, by which colours of copies may differ
_LEAST = 8  # pixels of a side from which a picture shows something
CLOSE = 128  # pixels of a side to which a pair that was found is compared again
_STAGES = ((0, 0.5), (1, 0.66), (2, 0.85))  # steps of fitting, and the correlation that earns the next ones
_WAVES = 11  # frequencies along a side that a close comparison looks at
_ENOUGH = 50_000  # pictures that say how a set is spread


def thumbnail(pixels: np.ndarray) -> np.ndarray:
    """A small grey picture and coarse colours from pixels of any depth, channels or dimensions: one `SMALL`."""
    import cv2

    made = np.zeros((), SMALL)
    if min(pixels.shape[-3:-1]) < _LEAST:
        return made  # so few pixels agree by chance
    small = _squared(pixels, SIDE)
    colours = small[..., :3] if small.shape[2] >= 3 else small[..., :1].repeat(3, 2)
    tiles = cv2.resize(colours, (_TILES, _TILES), interpolation=cv2.INTER_AREA)
    made["grey"] = np.clip(np.rint(_mean(small)), 0, 255)
    made["colours"] = np.clip(np.rint(tiles), 0, 255)
    return made


def _grey(pixels: np.ndarray, side: int) -> np.ndarray:
    return _mean(_squared(pixels, side))


def _mean(small: np.ndarray) -> np.ndarray:
    """Of the channels; numpy's own takes ten times as long over so few."""
    each = 1 / small.shape[2]
    return np.asarray(small @ np.full(small.shape[2], each, np.float32))


def _squared(pixels: np.ndarray, side: int) -> np.ndarray:
    """Up to four channels of a picture as a square of float32 grey levels, 0 to 255."""
    import cv2

    if pixels.ndim == 4:
        pixels = pixels[len(pixels) // 2]  # the middle of a volume
    if pixels.dtype == bool or pixels.dtype.kind not in "uf":
        pixels = pixels.astype(np.float32)
    small = cv2.resize(pixels[..., :4], (side, side), interpolation=cv2.INTER_AREA).reshape(side, side, -1)
    small = small.astype(np.float32)
    if pixels.dtype != np.uint8:  # deep pixels rarely use all of their range
        small = np.nan_to_num(small, nan=0.0, posinf=0.0, neginf=0.0)
        low, high = float(small.min()), float(small.max())
        least = 64.0 if pixels.dtype == np.uint16 else 1e-4 * max(abs(low), abs(high), 1e-30)
        small = (small - low) * (255 / max(high - low, least))
    return np.asarray(small)


def near_copies(thumbnails: np.ndarray, tell: Tell = silent) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of rows (first < second) whose thumbnails show the same picture, and how sure each is, 0..1.

    Crowds of equals come as chains, not as all their pairs.
    """
    telling = _telling(thumbnails["grey"])
    if len(telling) < 2:
        return np.zeros((0, 2), np.int64), np.zeros(0, np.float32)
    if len(telling) < len(thumbnails):
        thumbnails = thumbnails[telling]
    colours, thumbnails = thumbnails["colours"], thumbnails["grey"]
    buckets, detail = Buckets(thumbnails), _Detail(thumbnails)

    def compare(begin: int) -> tuple[np.ndarray, np.ndarray]:
        first, second, view = buckets.meet(np.arange(begin, min(begin + BLOCK, len(thumbnails))))
        found = [(np.zeros((0, 2), np.int64), np.zeros(0, np.float32))]
        for part in range(0, len(first), BLOCK):
            cut = slice(part, part + BLOCK)
            one, other, views = first[cut], second[cut], VIEWS[view[cut]]
            alike, place = overlaid(_sharp(thumbnails, one), _sharp(thumbnails, other), views)
            left = np.flatnonzero(alike >= ALIKE)
            left = left[_same_colours(colours[one[left]], colours[other[left]], views[left, 0])]
            agree = detail.agree(thumbnails[one[left]], thumbnails[other[left]], views[left, 0], place[left])
            sure = left[agree >= AGREE]
            found.append((np.stack([one[sure], other[sure]], 1), agree[agree >= AGREE]))
        pairs, sureness = (np.concatenate(column) for column in zip(*found, strict=True))
        return pairs, sureness

    begins = range(0, len(thumbnails), BLOCK)
    found = []
    with ThreadPoolExecutor(max(1, min(4, os.cpu_count() or 1)), "sightline-likeness") as pool:
        for number, part in enumerate(pool.map(compare, begins), 1):
            found.append(part)
            done = min(number * BLOCK, len(thumbnails))
            text = f"compared {done:,} of {len(thumbnails):,} pictures"
            tell(Event("progress", text, {"done": done, "total": len(thumbnails)}))
    pairs, sureness = (np.concatenate(column) for column in zip(*found, strict=True))
    pairs = np.sort(telling[pairs], 1)
    order = np.lexsort((-sureness, pairs[:, 1], pairs[:, 0]))
    pairs, sureness = pairs[order], sureness[order]
    fresh = np.ones(len(pairs), bool)
    fresh[1:] = (np.diff(pairs, axis=0) != 0).any(1)
    return pairs[fresh], sureness[fresh]


def _telling(thumbnails: np.ndarray) -> np.ndarray:
    """The rows of those that show something."""
    parts = (banded(thumbnails[start : start + BLOCK]) for start in range(0, len(thumbnails), BLOCK))
    spreads = [part.reshape(len(part), -1).std(1, dtype=np.float32) for part in parts]
    return np.flatnonzero(np.concatenate(spreads) >= PLAIN) if spreads else np.arange(0)


def _sharp(thumbnails: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """The detail of some, made anew: few of a set ever meet, and that of all would take twice their room."""
    each, place = np.unique(rows, return_inverse=True)
    return np.asarray(banded(thumbnails[each]).astype(np.float32)[place])


def overlaid(first: np.ndarray, second: np.ndarray, views: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The correlation of each pair where they overlap, after the second was moved and scaled a little to fit the first.

    A view is (mirrored, y scale, y shift, x scale, x shift). Only a cut of one from the other is allowed: a shift
    needs a scale that explains it, so that a thing that moved is no copy.
    """
    asked = np.where(views[:, :1, None] > 0, first[:, :, ::-1], first)
    still, moving = halved(second), halved(asked)
    place, found = views[:, 1:].astype(np.float32), np.zeros(len(views), np.float32)
    left = np.arange(len(views))
    for steps, least in _STAGES:  # most that met are strangers, and a stranger is told at the first look
        if not len(left):
            break
        place[left], found[left] = fitted(still[left], moving[left], place[left], steps)
        left = left[found[left] >= least]
    laid, seen = moved(asked[left], place[left])
    found[left] = dot(normal(second[left], seen), normal(laid, seen))
    found[np.setdiff1d(np.arange(len(views)), left)] = 0
    return found, place


def confirmed(first: np.ndarray, second: np.ndarray) -> bool:
    """Whether the pixels of two pictures agree in detail that a thumbnail does not show.

    Two forms of one layout, or two pen strokes, are told apart here. Pictures that have no more detail pass.
    """
    side = min(*first.shape[-3:-1], *second.shape[-3:-1], CLOSE) // SIDE * SIDE
    if side < 2 * SIDE:
        return True
    small, fine = (
        np.stack([_grey(pixels, size) for pixels in (first, second)]).astype(np.float32) for size in (SIDE, side)
    )
    mirrored = VIEWS[:, :1, None] > 0
    one, other = (np.repeat(part[None], len(VIEWS), 0) for part in banded(small).astype(np.float32))
    place, alike = fitted(halved(other), halved(np.where(mirrored, one[:, :, ::-1], one)), VIEWS[:, 1:].copy(), 3)
    best = int(np.argmax(alike))
    fine = np.stack([fine[0][:, ::-1] if mirrored[best] else fine[0], fine[1]])
    one, other = banded(fine).astype(np.float32)[:, None]
    fit = fitted(halved(other), halved(one), place[best : best + 1], 6)[0]
    laid, seen = moved(one, fit)
    agree = float(dot(normal(other, seen), normal(laid, seen))[0])
    if agree < CONFIRMED:
        return False
    away = np.abs(fine[1] - np.median(fine[1]))
    plain = float((away < _EVEN * away.max()).mean())
    if plain >= _BARE:
        return False
    for ground, least, closely in _STROKES:  # a line is like another line: what is drawn must fall on itself
        if plain >= ground:
            return agree >= closely and _overlap(moved(fine[:1], fit)[0][0], fine[1], seen[0] > 0.5) >= least
    return True


def _overlap(first: np.ndarray, second: np.ndarray, seen: np.ndarray) -> float:
    """Shared over united pixels of what stands out from the ground of each picture."""
    one, other = (_drawn(part) & seen for part in (first, second))
    return float((one & other).sum() / max(1, (one | other).sum()))


def _drawn(grey: np.ndarray) -> np.ndarray:
    away = np.abs(grey - np.median(grey))
    return np.asarray(away > away.max() / 2)


def _same_colours(first: np.ndarray, second: np.ndarray, mirrored: np.ndarray) -> np.ndarray:
    """Whether the coarse colours of each pair are those of one picture, perhaps lighter or darker."""
    first = np.where(mirrored[:, None, None, None] > 0, first[:, :, ::-1], first)
    one, other = (
        (tiles - tiles.mean(3, keepdims=True)).reshape(-1, 3 * _TILES**2)
        for tiles in (first.astype(np.float32), second.astype(np.float32))
    )
    gap, most = (np.sqrt((part**2).mean(1)) for part in (one - other, np.stack([one, other]).max(0)))
    return np.asarray(gap <= np.maximum(_TINT, _TINTED * most))


class _Detail:
    """How far two pictures agree in what sets pictures of their set apart, once one is laid over the other."""

    def __init__(self, thumbnails: np.ndarray) -> None:
        some = thumbnails[:: -(-len(thumbnails) // _ENOUGH)]
        self.round = Round(frequencies(some, VIEWS[0], _WAVES))

    def agree(self, first: np.ndarray, second: np.ndarray, mirrored: np.ndarray, place: np.ndarray) -> np.ndarray:
        """The cosine of each pair; the larger view of the two is cut to the smaller one."""
        first = np.where(mirrored[:, None, None] > 0, first[:, :, ::-1], first).astype(np.float32)
        second = second.astype(np.float32)
        scale, shift = place[:, 0::2], place[:, 1::2]
        back = np.stack([1 / scale, -shift / scale], -1).reshape(place.shape)
        wider = (scale.prod(1) < 1)[:, None, None]
        one = np.where(wider, moved(first, place)[0], first)
        other = np.where(wider, second, moved(second, back)[0])
        return dot(*(self.round(frequencies(part, VIEWS[0], _WAVES)) for part in (one, other)))
