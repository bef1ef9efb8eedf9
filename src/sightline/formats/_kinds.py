"""Names of folders that say what kind of file they hold, not of which class it is."""

from __future__ import annotations

import re

PICTURES = {
    *("images", "image", "imgs", "img", "jpegimages", "pngimages", "pictures", "photos", "frames", "raw", "rgb"),
    *("original", "originals", "leftimg8bit"),
}
_TRUTH = (
    r"(masks?|labels?|annot(ation)?s?|segmentations?(class|object)?|ground[ _-]?truth|gt|gtfine|gtcoarse|instances?"
    r"|instance[ _-]?masks?)"
)
_IS_TRUTH = re.compile(rf"^(\w*[a-z0-9][ _-]?)?{_TRUTH}$", re.I)
_ENDS = re.compile(rf"^(.*?)[ _.-]?{_TRUTH}$", re.I)
INSTANCES = re.compile(r"instance|pedmasks|segmentationobject", re.I)
_SURE = (  # what is given, what is wanted; names that no class has
    ("input", "target"),
    ("noisy", "clean"),
    ("lr", "hr"),
    ("lq", "gt"),
    ("blur", "sharp"),
    ("blurred", "sharp"),
    ("hazy", "clear"),
    ("rainy", "clean"),
    ("degraded", "clean"),
)
TWINS = (*_SURE, ("low", "high"), ("before", "after"), ("real", "mean"))


def are_twins(names: list[str]) -> bool:
    """Folders called as given and wanted, and never as classes."""
    return any(set(pair) == {name.lower() for name in names} for pair in _SURE)


def endings(pictures: tuple[str, ...]) -> tuple[str, str] | None:
    """What the names of pictures in one folder end in, where they come in twos: baby_LR.png and baby_HR.png."""
    stems = {name.rsplit(".", 1)[0].lower() for name in pictures}
    for first, last in TWINS:
        begun = [stem[: -len(first)] for stem in stems if stem.endswith((f"_{first}", f"-{first}"))]
        if begun and 2 * len(begun) == len(stems) and all(stem + last in stems for stem in begun):
            return first, last
    return None


def is_truth(name: str) -> bool:
    """A folder of masks or label files: masks, PedMasks, trainannot, SegmentationClass."""
    return bool(_IS_TRUTH.match(name))


def is_kind(name: str) -> bool:
    """A folder called after a kind of file, as `images` or `masks`."""
    return name.lower() in PICTURES or bool(re.fullmatch(_TRUTH, name, re.I))


def partner(name: str, beside: tuple[str, ...]) -> str | None:
    """The picture folder that a folder of masks belongs to: images of masks, train of trainannot, X of X_gt."""
    match = _ENDS.match(name)
    if not match:
        return None
    stem = match.group(1).lower()
    others = {other.lower(): other for other in beside if not is_truth(other)}
    if stem in others:
        return others[stem]
    pictures = [other for low, other in others.items() if low in PICTURES]
    if stem:
        wanted = [other for other in pictures if other.lower().startswith(stem) or other.lower().endswith(stem)]
        pictures = wanted or (pictures if len(pictures) == 1 else [])
    return pictures[0] if len(pictures) == 1 else None
