"""Which picture a mask belongs to: folders side by side, or two files in one folder whose names say so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from sightline.core.errors import InputError
from sightline.core.image import SUFFIXES, read_image
from sightline.formats import _kinds, _walk

_ENDING = re.compile(
    r"^(.+?)(?:[ _.-](?:masks?|labels?|labelids|gt|gtfine|seg|segmentation|annot|annotation|instances?)|_L)$",
    re.I,
)
_LOOKED = 20  # names that are tried to see whether they belong together
_DEEP = 3  # folders in folders in which pictures and masks may lie together


@dataclass(frozen=True, slots=True)
class Places:
    """Where pictures lie and where their masks do; the same folder where they lie together."""

    pictures: Path
    masks: Path
    split: str | None = None
    suffix: str = ""  # of masks that differ from their picture in it alone

    @property
    def together(self) -> bool:
        return self.pictures == self.masks


@dataclass(frozen=True, slots=True)
class Pair:
    """One picture and its mask, if it has one."""

    picture: Path
    mask: Path | None
    split: str | None


def found(path: Path, *, instances: bool | None = None) -> list[Places]:
    """Folders of pictures and of masks; `instances` asks for folders that are called after them, or for the others."""
    if not path.is_dir():
        return []
    places = _parallel(path, instances)
    if not places:
        for folder in _walk.subfolders(path):
            if folder.name.lower() in _walk.SPLITS:
                places += [
                    replace(one, split=_walk.SPLITS[folder.name.lower()]) for one in _parallel(folder, instances)
                ]
    return places or ([] if instances else _together(path))


def pairs(path: Path, places: list[Places]) -> list[Pair]:
    """Every picture with its mask; a mask without a picture is refused."""
    return [pair for one in places for pair in (_mixed(one) if one.together else _sided(one))]


def folder_of(pair: Pair, path: Path, places: list[Places]) -> dict[str, str]:
    """The folder of a picture as an attribute, where pictures and masks lie together in several folders."""
    if not places[0].together:
        return {}
    parts = [part for part in pair.picture.parent.relative_to(path).parts if not _kinds.is_kind(part)]
    return {"folder": "/".join(parts)} if parts else {}


def _parallel(path: Path, instances: bool | None) -> list[Places]:
    names = _walk.look(path).folders
    made: list[Places] = []
    for name in names:
        of = _kinds.partner(name, names) if _kinds.is_truth(name) else None
        if of is None or (instances is not None and bool(_kinds.INSTANCES.search(name)) is not instances):
            continue
        if _walk.any_pictures(path / name) and _walk.any_pictures(path / of):
            made += _sides(Places(path / of, path / name, _walk.SPLITS.get(of.lower())))
    return made


def _sides(one: Places) -> list[Places]:
    """The same by split, where both folders hold nothing but folders called as splits."""
    look, masks = _walk.look(one.pictures), _walk.look(one.masks)
    if look.pictures or not look.folders or any(name.lower() not in _walk.SPLITS for name in look.folders):
        return [one]
    if not set(masks.folders) <= set(look.folders):
        return [one]
    return [Places(one.pictures / n, one.masks / n, _walk.SPLITS[n.lower()]) for n in look.folders]


def looks_right(one: Places) -> bool:
    """Whether the first masks have pictures."""
    if one.together:
        return True
    masks = []
    for file in _walk.pictures(one.masks):
        masks.append(file)
        if len(masks) == _LOOKED:
            break
    return bool(masks) and all(_picture_of(file, one) for file in masks)


def _picture_of(mask: Path, one: Places) -> Path | None:
    inside = mask.relative_to(one.masks)
    for stem in _stems(inside.stem):
        for suffix in (*SUFFIXES, *map(str.upper, SUFFIXES)):
            if (file := one.pictures / inside.parent / (stem + suffix)).is_file():
                return file
    return None


def _stems(stem: str) -> Iterator[str]:
    """What the picture of a mask may be called."""
    yield stem
    if match := _ENDING.match(stem):
        yield match.group(1)
        yield f"{match.group(1)}_leftImg8bit"


def _sided(one: Places) -> Iterator[Pair]:
    masks: dict[str, Path] = {}
    pictures = {_key(file, one.pictures): file for file in _walk.pictures(one.pictures)}
    for file in _walk.pictures(one.masks):
        inside = file.relative_to(one.masks)
        keys = [(inside.parent / stem).as_posix() for stem in _stems(inside.stem)]
        key = next((key for key in keys if key in pictures), None)
        if key is None:
            raise InputError("label", f"{file}: a mask without a picture in {one.pictures}.")
        if key in masks:
            raise InputError("label", f"{file}: {pictures[key].name} has another mask, {masks[key].name}.")
        masks[key] = file
    for key, file in pictures.items():
        yield Pair(file, masks.get(key), one.split)


def _key(file: Path, folder: Path) -> str:
    return file.relative_to(folder).with_suffix("").as_posix()


def _together(path: Path) -> list[Places]:
    """Pictures and masks in one folder, or in each of its folders."""
    for folder in _holding(path, _DEEP):
        names = _walk.look(folder).pictures
        stems: dict[str, list[str]] = {}
        for name in names:
            stems.setdefault(name.rsplit(".", 1)[0], []).append(name)
        ended = sum(1 for stem in stems if any(other in stems for other in list(_stems(stem))[1:]))
        twice = [stem for stem, both in stems.items() if len(both) == 2]
        if ended >= max(1, 0.4 * len(stems)):
            return [Places(path, path)]
        if twice and len(twice) >= 0.9 * len(stems):
            suffix = _mask_suffix(folder, stems[twice[0]])
            return [Places(path, path, suffix=suffix)] if suffix else []
    return []


def _holding(path: Path, deep: int) -> Iterator[Path]:
    """The first folders that directly hold pictures."""
    if _walk.has_pictures(path):
        yield path
    elif deep:
        for folder in _walk.subfolders(path)[:_LOOKED]:
            if not folder.is_symlink():
                yield from _holding(folder, deep - 1)


def _mask_suffix(folder: Path, names: list[str]) -> str:
    """How the names of masks end: of two files the one that is gray or has fewer values."""
    kinds = sorted(Path(name).suffix.lower() for name in names)
    lossy = [kind for kind in kinds if kind in (".jpg", ".jpeg")]
    if len(lossy) == 1:
        return next(kind for kind in kinds if kind not in lossy)
    try:
        looks = {Path(name).suffix.lower(): read_image(folder / name) for name in names}
    except InputError:
        return ""
    levels = {kind: (pixels.shape[-1], len(set(pixels.ravel()[:100_000].tolist()))) for kind, pixels in looks.items()}
    order = sorted(levels, key=lambda kind: levels[kind])
    return order[0] if len(levels) == 2 and levels[order[0]] < levels[order[1]] else ""


def _mixed(one: Places) -> Iterator[Pair]:
    by_place: dict[tuple[Path, str], list[Path]] = {}
    for file in _walk.pictures(one.pictures):
        by_place.setdefault((file.parent, file.stem), []).append(file)
    for (folder, stem), files in by_place.items():
        if one.suffix:
            masks = [file for file in files if file.suffix.lower() == one.suffix]
            pictures = [file for file in files if file not in masks]
            if len(pictures) != 1 or len(masks) > 1:
                shown = ", ".join(file.name for file in files[:4])
                raise InputError("label", f"{folder}: wanted is one picture and one {one.suffix} mask, not {shown}.")
            yield Pair(pictures[0], next(iter(masks), None), one.split)
            continue
        if any((folder, other) in by_place for other in list(_stems(stem))[1:]):
            continue
        masks = [file for (where, other), files in _ended(by_place, folder, stem) for file in files]
        if len(masks) > 1 or len(files) > 1:
            shown = ", ".join(file.name for file in [*files, *masks][:4])
            raise InputError("label", f"{folder}: wanted is one picture and one mask, not {shown}.")
        yield Pair(files[0], next(iter(masks), None), one.split)


def _ended(
    by_place: dict[tuple[Path, str], list[Path]], folder: Path, stem: str
) -> Iterator[tuple[tuple[Path, str], list[Path]]]:
    """The masks of a picture: every spelling of its stem with an ending that is there."""
    for ending in _ENDINGS:
        for mark in "_-. ":
            if files := by_place.get((folder, f"{stem}{mark}{ending}")):
                yield (folder, stem), files


_WORDS = ("mask", "masks", "label", "labels", "gt", "seg", "segmentation", "annot", "annotation", "instance")
_ENDINGS = ("L", *(form for word in _WORDS for form in (word, word.upper(), word.capitalize())))
