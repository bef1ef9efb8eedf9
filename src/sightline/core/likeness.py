"""Which pictures are near copies of one another: resized, recompressed, cut a little, mirrored, lightened.

Every picture becomes a small grey thumbnail. Its lowest frequencies, whitened over the set, are hashed by random
planes; a picture asks the tables for itself, its mirror image and slightly cut versions of both, so that copies meet
in a bucket and no picture is held against all others. Whatever meets is laid over one another and compared closely.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from sightline.core.alignment import banded, dot, fitted, halved, moved, normal, places
from sightline.core.chance import generator
from sightline.core.progress import Event, Tell, silent

SIDE = 32  # pixels of a thumbnail
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
TABLES = 4  # of buckets; two copies that miss each other in one meet in another
_TILES = 4  # rows and columns of coarse colours
_TINT, _TINTED = 14.0, 0.4  # levels, and share of the colour, by which colours of copies may differ
_LEAST = 8  # pixels of a side from which a picture shows something
CLOSE = 128  # pixels of a side to which a pair that was found is compared again
_CUT = 0.05  # of a side; what a picture asks for besides itself
_MEET = 0.84  # cosine of whitened frequencies below which two that met by chance are not laid over one another
_SIGNS, _APART = 64, 24  # planes; on how many of them two of that cosine may lie apart (12 on average, 3 of spread)
_CROWD = 24  # pictures of one bucket that are compared with each one that asks; crowds are chained, not squared
_BLOCK = 2048  # rows a step, which bounds memory
_STAGES = ((0, 0.5), (1, 0.66), (2, 0.85))  # steps of fitting, and the correlation that earns the next ones
_INNER = 1 - _CUT
_WINDOWS = (
    (1, 0, 1, 0),
    *((_INNER, y * _CUT, _INNER, x * _CUT) for y, x in ((0, 0), (-1, -1), (-1, 1), (1, -1), (1, 1))),
)
_VIEWS = np.array([(mirrored, *window) for mirrored in (0, 1) for window in _WINDOWS], np.float32)
_WAVES = 7  # frequencies along a side that buckets look at
_MORE_WAVES = 11  # and that a close comparison does
_ENOUGH = 50_000  # pictures that say how a set is spread
_DOUBTS = 4  # bits of a bucket's number that a picture also tries the other way round, the least sure ones


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
    buckets, detail = _Buckets(thumbnails), _Detail(thumbnails)

    def compare(begin: int) -> tuple[np.ndarray, np.ndarray]:
        first, second, view = buckets.meet(np.arange(begin, min(begin + _BLOCK, len(thumbnails))))
        found = [(np.zeros((0, 2), np.int64), np.zeros(0, np.float32))]
        for part in range(0, len(first), _BLOCK):
            cut = slice(part, part + _BLOCK)
            one, other, views = first[cut], second[cut], _VIEWS[view[cut]]
            alike, place = overlaid(_sharp(thumbnails, one), _sharp(thumbnails, other), views)
            left = np.flatnonzero(alike >= ALIKE)
            left = left[_same_colours(colours[one[left]], colours[other[left]], views[left, 0])]
            agree = detail.agree(thumbnails[one[left]], thumbnails[other[left]], views[left, 0], place[left])
            sure = left[agree >= AGREE]
            found.append((np.stack([one[sure], other[sure]], 1), agree[agree >= AGREE]))
        pairs, sureness = (np.concatenate(column) for column in zip(*found, strict=True))
        return pairs, sureness

    begins = range(0, len(thumbnails), _BLOCK)
    found = []
    with ThreadPoolExecutor(max(1, min(4, os.cpu_count() or 1)), "sightline-likeness") as pool:
        for number, part in enumerate(pool.map(compare, begins), 1):
            found.append(part)
            done = min(number * _BLOCK, len(thumbnails))
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
    parts = (banded(thumbnails[start : start + _BLOCK]) for start in range(0, len(thumbnails), _BLOCK))
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
    mirrored = _VIEWS[:, :1, None] > 0
    one, other = (np.repeat(part[None], len(_VIEWS), 0) for part in banded(small).astype(np.float32))
    place, alike = fitted(halved(other), halved(np.where(mirrored, one[:, :, ::-1], one)), _VIEWS[:, 1:].copy(), 3)
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


class _Buckets:
    """Buckets of thumbnails, and who meets whom in them."""

    def __init__(self, thumbnails: np.ndarray) -> None:
        self.thumbnails = thumbnails
        plain = _frequencies(thumbnails, _VIEWS[0])
        self.round = _Round(plain)
        self.points = self.round(plain)
        bits = int(np.clip(np.log2(len(thumbnails)), 4, 20))
        chance = generator("likeness", "planes")
        self.planes = [chance.standard_normal((plain.shape[1], bits)).astype(np.float32) for _ in range(TABLES)]
        self.tables = [self._table(planes) for planes in self.planes]
        self.signing = chance.standard_normal((plain.shape[1], _SIGNS)).astype(np.float32)
        self.signs = self._signed(self.points)

    def _signed(self, points: np.ndarray) -> np.ndarray:
        """The sides of many planes in one number a point: strangers are told by it before they are multiplied."""
        return np.packbits(points @ self.signing > 0, axis=1).view(np.uint64)[:, 0]

    def _table(self, planes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rows in the order of buckets, and in each by the first coordinate; their keys; where each bucket begins."""
        codes, _ = _codes(self.points @ planes)
        keys = codes + _fraction(self.points)
        order = np.argsort(keys, kind="stable")
        begins = np.searchsorted(codes[order], np.arange(2 ** planes.shape[1] + 1))
        return order, keys[order], begins

    def meet(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Each pair (row, other row) that met in a bucket and looks alike from afar, once, with its best view."""
        met = []
        for view in range(len(_VIEWS)):
            points = self.round(_frequencies(self.thumbnails[rows], _VIEWS[view]))
            signs = self._signed(points)
            for table in range(TABLES):
                asking, other = self._bucketed(points, table)
                left = np.flatnonzero(np.bitwise_count(signs[asking] ^ self.signs[other]) <= _APART)
                asking, other = asking[left], other[left]
                near = dot(points[asking], self.points[other])
                twice = rows[asking] >= other if view % len(_WINDOWS) == 0 else rows[asking] == other
                close = np.flatnonzero((near >= _MEET) & ~twice)
                met.append((rows[asking[close]], other[close], np.full(len(close), view), near[close]))
        first, second, views, near = (np.concatenate(column) for column in zip(*met, strict=True))
        best = np.lexsort((-near, second, first))
        fresh = np.ones(len(best), bool)
        fresh[1:] = (np.diff(first[best]) != 0) | (np.diff(second[best]) != 0)
        best = best[fresh]
        return first[best], second[best], views[best]

    def _bucketed(self, points: np.ndarray, table: int) -> tuple[np.ndarray, np.ndarray]:
        """Which point asks, and every other row in the buckets that it asks for."""
        order, keys, begins = self.tables[table]
        codes, sure = _codes(points @ self.planes[table])
        doubts = np.argpartition(sure, _DOUBTS - 1, axis=1)[:, :_DOUBTS] if sure.shape[1] > _DOUBTS else None
        flips = np.arange(sure.shape[1])[None].repeat(len(points), 0) if doubts is None else doubts
        asked = np.concatenate([codes[:, None], codes[:, None] ^ (1 << flips)], 1)
        begin, end = begins[asked], begins[asked + 1]
        crowded = np.nonzero(end - begin > _CROWD)
        if len(crowded[0]):
            middle = np.searchsorted(keys, asked[crowded] + _fraction(points)[crowded[0]]) - _CROWD // 2
            begin[crowded] = np.clip(middle, begin[crowded], end[crowded] - _CROWD)
            end[crowded] = begin[crowded] + _CROWD
        counts = (end - begin).ravel()
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        others = order[np.repeat(begin.ravel(), counts) + within]
        asking = np.repeat(np.arange(counts.size) // asked.shape[1], counts)
        return asking, others


def _codes(heights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A bucket's number from the sides of the planes, and how far from each plane."""
    return (heights > 0) @ (1 << np.arange(heights.shape[1])), np.abs(heights)


def _fraction(points: np.ndarray) -> np.ndarray:
    return np.asarray((points[:, 0].astype(np.float64) + 1.001) / 2.01)


def _frequencies(thumbnails: np.ndarray, view: np.ndarray, count: int = _WAVES) -> np.ndarray:
    """The lowest frequencies of each thumbnail as the view shows it, without brightness and contrast."""
    along, across = np.meshgrid(np.arange(count), np.arange(count), indexing="ij")
    kept = (along + across > 0) & (along + across < count)
    mirrored, *window = view.tolist()
    cosines = np.cos(np.pi * np.arange(count)[:, None] * (np.arange(SIDE) + 0.5) / SIDE)
    down, right = ((cosines @ _sampling(*part)).astype(np.float32) for part in (window[:2], window[2:]))
    right = (right[:, ::-1] if mirrored else right).T
    waves = np.empty((len(thumbnails), int(kept.sum())), np.float32)
    for start in range(0, len(thumbnails), _BLOCK):
        part = slice(start, start + _BLOCK)
        waves[part] = (down @ thumbnails[part].astype(np.float32) @ right)[:, kept]
    return np.asarray(waves / np.maximum(np.linalg.norm(waves, axis=1, keepdims=True), 1e-6))


def _sampling(scale: float, shift: float) -> np.ndarray:
    """The matrix that reads a line of a picture at scaled and shifted places, between its pixels."""
    at = np.clip((places(SIDE) * scale + shift + 1) * SIDE / 2 - 0.5, 0, SIDE - 1)
    return np.asarray(np.maximum(0, 1 - np.abs(at[:, None] - np.arange(SIDE))))


class _Round:
    """Makes a set round, so that no direction tells more of its pictures than another; answers directions."""

    def __init__(self, waves: np.ndarray) -> None:
        count, width = waves.shape
        middle = waves.mean(0, dtype=np.float64)
        apart = waves - middle
        few = 3.0 * width  # as if so many unknown pictures had been seen: small sets say little about directions
        values, axes = np.linalg.eigh((apart.T @ apart + few / width * np.eye(width)) / (count + few))
        self.middle = (middle * (count / (count + few))).astype(np.float32)
        self.axes = ((axes / np.sqrt(values + 1e-5)) @ axes.T).astype(np.float32)

    def __call__(self, waves: np.ndarray) -> np.ndarray:
        points = (waves - self.middle) @ self.axes
        return np.asarray(points / np.maximum(np.linalg.norm(points, axis=1, keepdims=True), 1e-6))


class _Detail:
    """How far two pictures agree in what sets pictures of their set apart, once one is laid over the other."""

    def __init__(self, thumbnails: np.ndarray) -> None:
        some = thumbnails[:: -(-len(thumbnails) // _ENOUGH)]
        self.round = _Round(_frequencies(some, _VIEWS[0], _MORE_WAVES))

    def agree(self, first: np.ndarray, second: np.ndarray, mirrored: np.ndarray, place: np.ndarray) -> np.ndarray:
        """The cosine of each pair; the larger view of the two is cut to the smaller one."""
        first = np.where(mirrored[:, None, None] > 0, first[:, :, ::-1], first).astype(np.float32)
        second = second.astype(np.float32)
        scale, shift = place[:, 0::2], place[:, 1::2]
        back = np.stack([1 / scale, -shift / scale], -1).reshape(place.shape)
        wider = (scale.prod(1) < 1)[:, None, None]
        one = np.where(wider, moved(first, place)[0], first)
        other = np.where(wider, second, moved(second, back)[0])
        return dot(*(self.round(_frequencies(part, _VIEWS[0], _MORE_WAVES)) for part in (one, other)))
