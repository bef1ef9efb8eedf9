"""The only way from pictures to the inputs of a network, and from its coordinates back."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from operator import truediv
from typing import Any

import numpy as np

from sightline.core.errors import InputError
from sightline.core.image import ArrayImage, Image, tidy
from sightline.core.resampling import resize as resize
from sightline.core.sample import Sample
from sightline.core.vectors import vectors
from sightline.core.views import View

_DEPTHS = ("uint8", "uint16", "float32")
_DTYPES = {name: np.dtype(name) for name in _DEPTHS}


@dataclass(frozen=True, slots=True)
class InputSpec:
    """What one input of a network takes: raw pixels, channels last; scaling happens inside the network."""

    size: tuple[int, ...]  # rows, columns; or depth, rows, columns
    channels: int = 3
    dtype: str = "uint8"
    fit: str = "stretch"  # stretch | letterbox | tile
    overlap: int = 0  # shared by neighbouring tiles
    mean: tuple[float, ...] = (0.5,)
    std: tuple[float, ...] = (0.25,)
    resample: str = "smooth"  # smooth: antialiased | fast: linear alone | area
    features: str = ""  # the network takes these features of the fitted picture, not its pixels
    length: int = 0  # of such a row

    def example(self) -> np.ndarray:
        """One row of input, for tracing."""
        if self.features:
            return np.zeros((1, self.length), np.float32)
        return np.zeros((1, *self.size, self.channels), self.dtype)

    def moving(self) -> tuple[int, ...]:
        """Axes that may vary from call to call: of tiles also their sides, so that larger ones may be asked for."""
        return (0, *range(1, 1 + len(self.size))) if self.fit == "tile" else (0,)


@dataclass(frozen=True, slots=True)
class Frame:
    """Where one network input lies in its original: input = original * scale + offset, axis by axis."""

    sample: int  # which of the samples given together
    original: tuple[int, ...]  # rows, columns (or depth first) of the original
    size: tuple[int, ...]  # the same of the input
    scale: tuple[float, ...]
    offset: tuple[float, ...]

    def points_in(self, points: np.ndarray) -> np.ndarray:
        """Original x, y[, z] to input coordinates."""
        return np.asarray(points * np.array(self.scale[::-1]) + np.array(self.offset[::-1]))

    def points_back(self, points: np.ndarray) -> np.ndarray:
        """Input x, y[, z] to original coordinates."""
        return np.asarray((points - np.array(self.offset[::-1])) / np.array(self.scale[::-1]))

    def boxes_in(self, boxes: np.ndarray) -> np.ndarray:
        return self.points_in(boxes.reshape(-1, 2, 2)).reshape(-1, 4)

    def boxes_back(self, boxes: np.ndarray) -> np.ndarray:
        return self.points_back(boxes.reshape(-1, 2, 2)).reshape(-1, 4)


def fit_all(samples: Sequence[Sample], specs: Mapping[str, InputSpec]) -> tuple[dict[str, np.ndarray], list[Frame]]:
    """The pictures of samples as one array an input, a row a frame; where tiles are cut a sample has many frames."""
    frames: list[Frame] = []
    rows: dict[str, list[np.ndarray]] = {name: [] for name in specs}
    for index, sample in enumerate(samples):
        if len(sample.images) < len(specs):
            raise InputError(
                "mismatch",
                f"{sample.id}: {len(sample.images)} pictures where {len(specs)} are needed ({', '.join(specs)}).",
            )
        mine: list[Frame] = []
        for image, (name, spec) in zip(sample.images, specs.items(), strict=False):
            placed = place(image, spec, index)
            mine = mine or [frame for frame, _ in placed]
            if len(placed) != len(mine):
                raise InputError("mismatch", f"{sample.id}: its pictures differ in size; they must be aligned.")
            rows[name] += [pixels for _, pixels in placed]
        frames += mine
    return {name: _given(row, specs[name]) for name, row in rows.items()}, frames


def _given(row: list[np.ndarray], spec: InputSpec) -> np.ndarray:
    """Fitted pictures as the network takes them."""
    return vectors(row, spec.features) if spec.features else _stacked(row)


def _stacked(rows: list[np.ndarray]) -> np.ndarray:
    """One array of all rows, which is nobody's but the caller's: a single one is copied where it may be a part."""
    if len(rows) != 1:
        return np.stack(rows)
    alone = rows[0].base is None and rows[0].ndim == 3  # volumes may be those of the data set
    return rows[0][None] if alone else rows[0][None].copy()


def conform(pixels: np.ndarray, spec: InputSpec, name: str = "picture") -> np.ndarray:
    """Channels and depth as the network takes them; widening is exact, narrowing is refused."""
    alike = pixels.dtype == _DTYPES.get(spec.dtype) and pixels.ndim == len(spec.size) + 1
    if alike and pixels.shape[-1] == spec.channels:
        return pixels
    pixels = tidy(pixels)
    if pixels.ndim != len(spec.size) + 1:
        raise InputError("mismatch", f"{name}: {pixels.ndim - 1}-D pixels where the model takes {len(spec.size)}-D.")
    if pixels.shape[-1] != spec.channels:
        if pixels.shape[-1] == 1:
            pixels = np.repeat(pixels, spec.channels, -1)
        elif spec.channels == 1 and pixels.shape[-1] == 3:
            gray = pixels @ np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601
            pixels = (gray if pixels.dtype.kind == "f" else np.rint(gray)).astype(pixels.dtype)[..., None]
        else:
            raise InputError("mismatch", f"{name}: {pixels.shape[-1]} channels where the model takes {spec.channels}.")
    have = str(pixels.dtype)
    if have != spec.dtype:
        if _DEPTHS.index(have) > _DEPTHS.index(spec.dtype):
            raise InputError(
                "mismatch", f"{name}: {have} pixels, but the model takes {spec.dtype}; bits would be lost."
            )
        if spec.dtype == "uint16":
            pixels = pixels.astype(np.uint16) * np.uint16(257)
        else:
            pixels = pixels.astype(np.float32) / np.float32(np.iinfo(have).max)
    return pixels


def coloured(pixels: np.ndarray, channels: int, name: str = "picture") -> np.ndarray:
    """Gray or colour as wanted, in the depth it came in."""
    return conform(pixels, InputSpec((1,) * (pixels.ndim - 1), channels, str(pixels.dtype)), name)


def place(image: Image, spec: InputSpec, sample: int = 0) -> list[tuple[Frame, np.ndarray]]:
    """One picture as one or more inputs of the network's size, each with its frame; decoded no larger than needed."""
    if spec.fit == "tile":
        return _tiles(conform(image.read(), spec, image.name), spec, sample)
    shown: View | np.ndarray
    original: tuple[int, ...]
    view = View.of(image) if len(spec.size) == 2 else None
    if view is not None and len(view.source.size) == 2:
        shown, original = view, view.size
    else:
        shown = conform(image.read(), spec, image.name)  # a volume, or refused
        original = shown.shape[:-1]
    if spec.fit == "letterbox":
        scale = min(to / was for to, was in zip(spec.size, original, strict=True))
        inner = tuple(max(1, min(to, round(was * scale))) for to, was in zip(spec.size, original, strict=True))
        made = _sized(shown, inner, spec, image.name)
        canvas = np.full((*spec.size, spec.channels), _middle(made.dtype), made.dtype)
        start = tuple((to - inside) // 2 for to, inside in zip(spec.size, inner, strict=True))
        canvas[tuple(slice(s, s + i) for s, i in zip(start, inner, strict=True))] = made
        scales = tuple(map(truediv, inner, original))
        return [(Frame(sample, original, spec.size, scales, tuple(map(float, start))), canvas)]
    frame = Frame(sample, original, spec.size, tuple(map(truediv, spec.size, original)), (0.0,) * len(original))
    return [(frame, _sized(shown, spec.size, spec, image.name))]


def _sized(shown: View | np.ndarray, size: tuple[int, ...], spec: InputSpec, name: str) -> np.ndarray:
    """A view or a volume at a size, as the network takes it."""
    if isinstance(shown, View):
        return conform(shown.sampled((size[0], size[1]), spec.resample), spec, name)
    return resize(shown, size, spec.resample)


def fit(pixels: np.ndarray, spec: InputSpec, sample: int = 0) -> list[tuple[Frame, np.ndarray]]:
    """Pixels as one or more inputs of the network's size, each with its frame."""
    return place(ArrayImage(pixels), spec, sample)


def _middle(dtype: np.dtype) -> Any:
    return {"uint8": 114, "uint16": 114 * 257}.get(str(dtype), 114 / 255)


def _tiles(pixels: np.ndarray, spec: InputSpec, sample: int) -> list[tuple[Frame, np.ndarray]]:
    original = pixels.shape[:-1]
    short = [max(0, to - was) for to, was in zip(spec.size, original, strict=True)]
    if any(short):
        pixels = np.pad(pixels, [*((0, pad) for pad in short), (0, 0)], "symmetric")
    placed = []
    for corner in itertools.product(*tile_starts(pixels.shape[:-1], spec.size, spec.overlap)):
        window = tuple(slice(start, start + to) for start, to in zip(corner, spec.size, strict=True))
        offset = tuple(-float(start) for start in corner)
        placed.append((Frame(sample, original, spec.size, (1.0,) * len(original), offset), pixels[window]))
    return placed


def tile_starts(whole: Sequence[int], size: Sequence[int], overlap: int) -> list[list[int]]:
    """Where tiles begin along each axis: evenly, so that neighbours share at least `overlap`."""
    starts = []
    for to, was in zip(size, whole, strict=True):
        steps = 1 if was <= to else -(-(was - to) // max(1, to - overlap)) + 1
        starts.append(sorted({round(start) for start in np.linspace(0, max(0, was - to), steps)}))
    return starts


def normalised(pixels: np.ndarray, spec: InputSpec, out: np.ndarray | None = None) -> np.ndarray:
    """Rows of input as float32 around zero, as networks of ours scale them inside themselves."""
    gain, offset, matrix = _scaling(spec.dtype, spec.channels, spec.mean, spec.std)
    out = np.empty(pixels.shape, np.float32) if out is None else out
    if spec.channels > 4 or pixels.ndim != 4:
        np.multiply(pixels, gain, out=out)
        out += offset
        return out
    import cv2

    wide = np.empty(pixels.shape[1:], np.float32)  # small enough to stay near the processor
    for row, made in zip(pixels, out, strict=True):
        np.copyto(wide, row)
        cv2.transform(wide, matrix, dst=made)
    return out


@lru_cache(64)
def _scaling(
    dtype: str, channels: int, mean: tuple[float, ...], std: tuple[float, ...]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What each channel is multiplied by, what is added, and both as the matrix of an affine change."""
    top = float(np.iinfo(dtype).max) if dtype != "float32" else 1.0
    gain = np.broadcast_to(1 / (top * np.array(std)), (channels,)).astype(np.float32)
    offset = np.broadcast_to(-np.array(mean) / np.array(std), (channels,)).astype(np.float32)
    return gain, offset, np.column_stack([np.diag(gain), offset])


def moments(samples: Sequence[Sample], spec: InputSpec, place_: int = 0, *, look: int = 256) -> InputSpec:
    """The spec with mean and spread of each channel as found in these pictures: those of the training side alone."""
    count, total, squares = 0, np.zeros(spec.channels), np.zeros(spec.channels)
    raw = replace(spec, mean=(0.0,), std=(1.0,))
    for index in range(0, len(samples), max(1, len(samples) // look)):
        sample = samples[index]
        if len(sample.images) <= place_:
            continue
        try:
            placed = place(sample.images[place_], raw)
        except InputError:
            continue  # unreadable pictures are listed by the loader, which meets them all
        for _, pixels in placed:
            values = normalised(pixels, raw).reshape(-1, spec.channels).astype(np.float64)
            count, total, squares = count + len(values), total + values.sum(0), squares + np.square(values).sum(0)
    if not count:
        raise InputError("corrupt", "none of the pictures looked at could be read.")
    mean = total / count
    std = np.sqrt(np.maximum(squares / count - mean**2, 1e-8)).clip(1e-3)
    return replace(spec, mean=tuple(mean.round(6).tolist()), std=tuple(std.round(6).tolist()))


def common_spec(samples: Sequence[Sample], place: int = 0, *, look: int = 64) -> tuple[int, str, tuple[int, ...]]:
    """Channels, depth and usual size that hold every picture looked at without losing bits."""
    step = max(1, len(samples) // look)
    channels, depth, sizes = 1, "uint8", []
    for index in range(0, len(samples), step):
        sample = samples[index]
        if len(sample.images) <= place:
            continue
        try:
            pixels = sample.images[place].read()
        except InputError:
            continue  # unreadable pictures are listed by the loader, which meets them all
        channels = max(channels, pixels.shape[-1])
        depth = _DEPTHS[max(_DEPTHS.index(depth), _DEPTHS.index(str(pixels.dtype)))]
        sizes.append(pixels.shape[:-1])
    if not sizes:
        raise InputError("corrupt", "none of the pictures looked at could be read.")
    if len({len(size) for size in sizes}) > 1:
        raise InputError("mismatch", "some pictures are flat and some are volumes; give one kind.")
    middle = tuple(int(np.median([size[axis] for size in sizes])) for axis in range(len(sizes[0])))
    return channels, depth, middle


def cut(pixels: np.ndarray, frame: Frame, scale: int = 1) -> np.ndarray:
    """The part of an original-sized array (or one `scale` times as large) that a tile shows, padded as the tile was."""
    short = [max(0, to - was) * scale for to, was in zip(frame.size, frame.original, strict=True)]
    if any(short):
        pixels = np.pad(pixels, [*((0, pad) for pad in short), *[(0, 0)] * (pixels.ndim - len(short))], "symmetric")
    return pixels[_window(frame, scale)]


def blend(tiles: np.ndarray, frames: Sequence[Frame], overlap: int, scale: int = 1) -> list[np.ndarray]:
    """Whole float32 pictures from tiles, one a sample; where tiles share, the nearer to its middle counts more.

    The tiles may be answers `scale` times as large as what their frames say; so are the pictures then.
    """
    whole: dict[int, tuple[np.ndarray, np.ndarray]] = {}
    for tile, frame in zip(tiles, frames, strict=True):
        if frame.sample not in whole:
            padded = tuple(max(was, to) * scale for was, to in zip(frame.original, frame.size, strict=True))
            whole[frame.sample] = (np.zeros((*padded, tile.shape[-1]), np.float32), np.zeros((*padded, 1), np.float32))
        total, weight = whole[frame.sample]
        ramp, window = trust(frame.size, overlap, scale), _window(frame, scale)
        total[window] += tile * ramp
        weight[window] += ramp
    originals = {frame.sample: frame.original for frame in frames}
    return [
        (total / weight)[tuple(slice(0, was * scale) for was in originals[sample])]
        for sample, (total, weight) in sorted(whole.items())
    ]


@lru_cache(16)
def trust(size: tuple[int, ...], overlap: int, scale: int = 1) -> np.ndarray:
    """How much each place of a tile counts: next to nothing at its rim, where its surroundings were missing."""
    ramp = np.ones((1,) * (len(size) + 1), np.float32)
    margin = overlap * scale / 4
    for axis, length in enumerate(size):
        far = np.arange(length * scale, dtype=np.float32) + 0.5
        rise = (np.minimum(far, far[::-1]) - margin) / max(2 * margin, 0.5)
        shape = [1] * (len(size) + 1)
        shape[axis] = length * scale
        ramp = ramp * rise.clip(1e-6, 1).reshape(shape)
    return np.asarray(ramp, np.float32)


def _window(frame: Frame, scale: int = 1) -> tuple[slice, ...]:
    """Where a tile lies in its original, or in an answer `scale` times as large."""
    starts = [-round(offset) * scale for offset in frame.offset]
    return tuple(slice(start, start + to * scale) for start, to in zip(starts, frame.size, strict=True))
