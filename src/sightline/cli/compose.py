"""Make one picture of several: align, panorama, burst, focus, fuse; or say what changed (difference) and moved (flow).

Pictures are files, folders, or quoted patterns, in the order in which they are named. The first is what the others
are laid on. --by names how two pictures are matched (homography, phase, intensity, ...; none where they lie on each
other already); --set gives a setting of the way or of the matcher.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from sightline.cli._display import Screen
from sightline.cli._pictures import asked
from sightline.core.errors import InputError, SettingsError


def run(
    screen: Screen,
    way: Annotated[str, "align, panorama, burst, focus, fuse, difference or flow"],
    pictures: Annotated[tuple[str, ...], "files, folders, or quoted patterns such as 'photos/**/*.jpg'"],
    *,
    out: Annotated[Path | None, "the file to write; of align a folder"] = None,
    by: Annotated[str | None, "the matcher; each way has a usual one"] = None,
    crop: Annotated[bool, "cut to what all show (align), or to the largest window without gaps (panorama)"] = False,
    show: Annotated[Path | None, "also write a sheet with what was given beside what came of it, as .png"] = None,
    set: Annotated[tuple[str, ...], "one setting, such as blend=feather or kind=similarity; may be repeated"] = (),
) -> dict[str, Any]:
    """Compose, write, say what was done; the report is the answer."""
    from sightline.composing.compose import compose
    from sightline.core.image import write_image
    from sightline.core.settings import from_words

    if show is not None and show.suffix.lower() != ".png":
        raise SettingsError(f"--show {show}: a sheet is written as .png; name a file that ends so.")
    failed: list[tuple[str, InputError]] = []
    samples = list(asked(pictures, failed))
    if failed:
        raise failed[0][1]
    settings = from_words(set) | ({"crop": True} if crop else {})
    made = compose(way, samples, by=by, tell=screen.tell, **settings)
    screen.say(made.line)
    paths: dict[str, Any] = {}
    if way == "align":
        folder = out or Path("aligned")
        names = _names([Path(sample.id).stem for sample in samples])
        paths["pictures"] = [
            write_image(folder / f"{name}{_suffix(pixels)}", pixels)
            for name, pixels in zip(names, made.pictures, strict=True)
        ]
        screen.say(f"pictures: {folder}")
    else:
        path = out or Path(way + (".npy" if way in ("difference", "flow") else _suffix(made.pictures[0])))
        paths["picture"] = write_image(path, made.pictures[0])
        screen.say(f"picture: {path}")
    if show is not None:
        paths["sheet"] = write_image(show, made.shown)
        screen.say(f"sheet: {show}")
    return {"way": way, "given": [sample.id for sample in samples], **made.facts, "paths": paths}


def _suffix(pixels: Any) -> str:
    """Of a file that holds every bit of these."""
    small = pixels.shape[2] in (1, 3) and (
        pixels.dtype == "uint8" or (pixels.dtype == "uint16" and pixels.shape[2] == 1)
    )
    return ".png" if small else ".npy"


def _names(stems: list[str]) -> list[str]:
    """Each as it is, or with a number where two are alike."""
    made: list[str] = []
    for stem in stems:
        name, number = stem, 1
        while name in made:
            number += 1
            name = f"{stem}-{number}"
        made.append(name)
    return made
