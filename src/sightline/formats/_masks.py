"""Pictures that hold classes or objects: which gray level, colour or palette entry stands for what."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sightline.core.dataset import Dataset
from sightline.core.errors import InputError
from sightline.core.image import LARGEST_FILE, read_image
from sightline.core.lost import Lost
from sightline.core.sample import Sample
from sightline.formats import _cells, _names, _paths, _writing

MaskOf = Callable[[Sample, tuple[str, ...], Lost], np.ndarray | None]  # None where a layout cannot say it

MOST = 1000  # masks that are read to learn which values occur, where no legend says it
_COLOURS = 4096  # that a legend, or masks without one, may hold
_LEGENDS = ("label_colors.txt", "class_dict.csv", "label_colors.csv", "colors.txt", "colormap.csv")
_LINE = re.compile(r"\s*(\d+)[\s,]+(\d+)[\s,]+(\d+)[\s,]+(\S.*?)\s*")


@dataclass(frozen=True, slots=True)
class Legend:
    """Values of masks in the order of their classes; a colour is one number, red first."""

    names: tuple[str, ...]
    values: tuple[int, ...]
    colour: bool = False
    soft: bool = False  # every gray level occurs: from the middle up is foreground

    def classes(self, mask: np.ndarray, where: str) -> np.ndarray:
        """The class of every pixel."""
        if self.soft:
            return np.asarray((mask >= (np.iinfo(mask.dtype).max + 1) // 2).astype(np.uint8))
        kept = mask.dtype if mask.dtype == np.uint16 and not self.colour else np.uint8
        depth = kept if len(self.names) <= 256 else np.dtype(np.uint16)
        if self.values == tuple(range(len(self.values))):
            if mask.size and int(mask.max()) >= len(self.values):
                raise self._strange(int(mask.max()), where)
            return np.asarray(mask.astype(depth, copy=False))
        order = np.argsort(self.values)
        sorted_values = np.array(self.values, np.int64)[order]
        found = np.searchsorted(sorted_values, mask).clip(0, len(sorted_values) - 1)
        if (wrong := sorted_values[found] != mask).any():
            raise self._strange(int(mask[wrong][0]), where)
        return np.asarray(order[found].astype(depth))

    def _strange(self, value: int, where: str) -> InputError:
        shown = f"#{value:06x}" if self.colour else str(value)
        known = ", ".join(self.names[:8]) + (" …" if len(self.names) > 8 else "")
        hint = "label_colors.txt (red green blue name)" if self.colour else "classes.txt (one name a line)"
        return InputError("label", f"{where}: the value {shown} is none of the {len(self.names)} classes ({known}). "
                          f"List all classes in {hint} beside the folders.")  # fmt: skip


def read_mask(file: Path, *, colour: bool | None = None) -> np.ndarray:
    """Numbers by pixel: gray levels, palette entries, or colours as one number each."""
    data = _paths.whole(file, LARGEST_FILE)
    pixels = read_image(data, name=str(file))
    if pixels.ndim != 3 or pixels.dtype.kind != "u":
        raise InputError("label", f"{file}: a mask is a gray or a colour picture, not {pixels.dtype} {pixels.shape}.")
    if pixels.shape[2] == 1:
        return np.asarray(pixels[..., 0])
    packed = pixels[..., :3].astype(np.int64) @ np.array([65536, 256, 1])
    palette = _palette(data)
    if palette is not None and colour is not True:
        order = np.argsort(palette, kind="stable")
        found = order[np.searchsorted(palette[order], packed).clip(0, len(palette) - 1)]
        if (palette[found] == packed).all():
            return np.asarray(found.astype(np.uint8))
    if (pixels == pixels[..., :1]).all() and colour is not True:
        return np.ascontiguousarray(pixels[..., 0])
    return np.asarray(packed)


def _palette(data: bytes) -> np.ndarray | None:
    """The colours of a PNG with a palette, each as one number."""
    if not data.startswith(b"\x89PNG") or data[25:26] != b"\x03":
        return None
    place = 8
    while place + 12 <= len(data):
        length = int.from_bytes(data[place : place + 4], "big")
        if data[place + 4 : place + 8] == b"PLTE":
            colours = np.frombuffer(data[place + 8 : place + 8 + length // 3 * 3], np.uint8).reshape(-1, 3)
            return np.asarray(colours.astype(np.int64) @ np.array([65536, 256, 1]))
        place += 12 + length
    return None


def legend_of(folder: Path, masks: Sequence[Path]) -> Legend:
    """What the values mean: a legend of colours, a list of names, or the values that the masks hold."""
    colours = next((folder / name for name in _LEGENDS if (folder / name).is_file()), None)
    if colours is not None:
        return _colour_legend(colours)
    names = _names.listed(folder)
    if names is not None:
        return Legend(names, tuple(range(len(names))))
    return _seen_legend(masks)


def _colour_legend(file: Path) -> Legend:
    rows: list[tuple[str, int]] = []
    if file.suffix == ".csv":
        sheet = _cells.read_sheet(file)
        places = {word.lower(): place for place, word in enumerate(sheet.header)}
        wanted = ("name", "r", "g", "b") if "r" in places else ("name", "red", "green", "blue")
        if not all(word in places for word in wanted):
            raise InputError("label", f"{file} line 1: a legend of colours has the columns name, r, g, b.")
        lines = [(sheet.where(row), [sheet.columns[places[word]][row] for word in wanted]) for row in range(len(sheet))]
        cells = [(where, [*words[1:], words[0]]) for where, words in lines]
    else:
        cells = []
        for number, line in enumerate(_paths.lines_of(file), 1):
            if line.strip() and not line.startswith("#"):
                match = _LINE.fullmatch(line)
                cells.append((f"{file} line {number}", list(match.groups()) if match else [""]))
    for where, words in cells:
        if len(words) != 4 or not all(word.strip().isdigit() and int(word) < 256 for word in words[:3]):
            raise InputError("label", f"{where}: wanted is red green blue name, each colour 0 to 255.")
        red, green, blue = (int(word) for word in words[:3])
        rows.append((words[3], red * 65536 + green * 256 + blue))
    if not rows or len({name for name, _ in rows}) < len(rows) or len({value for _, value in rows}) < len(rows):
        raise InputError("label", f"{file}: no classes, or a name or a colour for the second time.")
    return Legend(tuple(name for name, _ in rows), tuple(value for _, value in rows), colour=True)


def _seen_legend(masks: Sequence[Path]) -> Legend:
    """The values that occur; names are made of them, so that nobody mistakes them for known ones."""
    step = max(1, len(masks) / MOST)
    seen: set[int] = set()
    looked = [masks[int(place * step)] for place in range(min(MOST, len(masks)))]
    colour, deep = False, False
    for file in looked:
        mask = read_mask(file)
        colour, deep = colour or mask.dtype == np.int64, deep or mask.dtype == np.uint16
        seen.update(np.unique(mask).tolist())
        if len(seen) > _COLOURS:
            raise InputError("label", f"{file}: more than {_COLOURS:,} values; masks hold one value a class.")
    values = sorted(seen)
    if colour:
        return Legend(tuple(f"#{value:06x}" for value in values), tuple(values), colour=True)
    if values in ([0, 255], [0, 1], [0], [255], [0, 65535]):
        top = values[-1] if values[-1] else 255
        return Legend(("background", "foreground"), (0, top if len(values) > 1 or top == 255 else 1))
    if not deep and len(values) > 64 and _is_soft(looked):
        return Legend(("background", "foreground"), (0, 255), soft=True)
    if len(values) > 256:
        raise InputError("label", f"{looked[0]} and others hold {len(values):,} gray levels; masks hold one a class.")
    return Legend(tuple(map(str, values)), tuple(values))


def _is_soft(masks: Sequence[Path]) -> bool:
    """Black and white that was compressed or smoothed: nearly all pixels lie at the two ends."""
    ends = total = 0
    for file in masks[:: max(1, len(masks) // 50)]:
        mask = read_mask(file)
        ends, total = ends + int(((mask < 64) | (mask >= 192)).sum()), total + mask.size
    return ends > 0.9 * total


def encode_mask(numbers: np.ndarray) -> bytes:
    """A gray PNG of 8 or 16 bits with these numbers."""
    from PIL import Image as Pillow

    stream = io.BytesIO()
    Pillow.fromarray(numbers).save(stream, "PNG")
    return stream.getvalue()


def write_beside(data: Dataset, path: Path, layout: str, mask_of: MaskOf, lost: Lost | None) -> Path:
    """`images`, a folder called as the layout with masks of the same names, and `classes.txt`."""
    lost = _writing.strict(lost, layout)
    _writing.without_details(data, lost)
    split = _writing.splits_of(data, lost)
    if not _names.are_listable(data.names):
        raise InputError("label", f"the names of {data.name} cannot stand one a line in classes.txt. Write jsonlines.")
    taken: set[str] = set()
    count = 0
    with _writing.appearing(path) as folder:
        for sample in data:
            if not _writing.holds(sample, lost, "group", "given", "attributes"):
                continue
            mask = mask_of(sample, data.names, lost)
            encoded = sample.image.encoded()
            suffix = _writing.suffix_of(encoded, sample.image)
            picture, beside = _writing.twin_places(sample, suffix, taken, "images", layout, split)
            _writing.store(folder / picture, encoded)
            if mask is not None:
                count += 1
                _writing.store(folder / beside, encode_mask(mask))
        _writing.refuse_nothing(count, data, lost)
        _names.write(folder, data.names)
    return path
