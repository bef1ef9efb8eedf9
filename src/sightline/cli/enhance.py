"""Make pictures better: noise, compression, darkness and coarseness, each only where it is measured to be there.

Works offline with weights that are shipped. Writes photo-enhanced.png beside photo.jpg, and touches no other file.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from sightline.cli._display import Screen

if TYPE_CHECKING:
    import numpy as np

    from sightline.core.sample import Sample
    from sightline.enhancing.enhance import Enhanced


def run(
    screen: Screen,
    pictures: Annotated[tuple[str, ...], "pictures, folders or patterns such as photos/*.jpg"],
    *,
    out: Annotated[Path | None, "a folder for the results, or a .png where there is one picture"] = None,
    what: Annotated[str, "auto, or steps in order such as denoise,enlarge2"] = "auto",
    strength: Annotated[float, "from 0, unchanged, to 1"] = 1.0,
    scale: Annotated[int | None, "1, 2, 3 or 4 times the size"] = None,
    map: Annotated[bool, "also write where the picture was changed or invented"] = False,
    compare: Annotated[bool, "also write before and after side by side"] = False,
    weights: Annotated[Path | None, "a folder of bundles of your own, named as the shipped ones are"] = None,
) -> dict[str, Any]:
    """Enhance each picture, write it, say what was done and why."""
    from sightline.cli._pictures import asked
    from sightline.core.errors import InputError
    from sightline.core.files import refuse_place
    from sightline.core.progress import Event
    from sightline.enhancing.enhance import enhance

    failed: list[tuple[str, InputError]] = []
    rows: list[dict[str, Any]] = []
    taken: set[Path] = set()
    samples = list(asked(pictures, failed))
    if samples:
        refuse_place(_place(samples[0], out, alone=len(samples) == 1))
    for number, sample in enumerate(samples, 1):
        try:
            made = enhance(sample.image, what=what, strength=strength, scale=scale, weights=weights)
        except InputError as error:
            failed.append((sample.id, error))
            continue
        place = _free(_place(sample, out, alone=len(samples) == 1), taken)
        paths = _written(made, place, map_=map, compare=compare)
        screen.say(f"{sample.id}: {made.line}")
        screen.say(f"  {' '.join(str(path) for path in paths.values())}  ({number} of {len(samples)})")
        rows.append(
            {"picture": sample.id, **made.to_json(), "paths": {name: str(path) for name, path in paths.items()}}
        )
    for name, problem in failed:
        text = problem.message if name in problem.message else f"{name}: {problem.message}"
        screen.tell(Event("skip", f"error[{problem.code}]: {text}", {"id": name, "code": problem.code}))
        rows.append({"picture": name, "error": {"code": problem.code, "message": problem.message}})
    screen.status = 2 if failed else 0
    return {"pictures": rows}


def _place(sample: Sample, out: Path | None, *, alone: bool) -> Path:
    """Where the result of a picture goes: beside it, or where --out says."""
    source = Path(sample.image.name)
    if out is None:
        beside = source.parent if source.parent.is_dir() else Path()
        return beside / f"{source.stem}-enhanced.png"
    if alone and out.suffix.lower() == ".png":
        return out
    return out / f"{source.stem}-enhanced.png"


def _free(place: Path, taken: set[Path]) -> Path:
    """A place that no other picture of this call has taken."""
    free, number = place, 1
    while free in taken:
        number += 1
        free = place.with_name(f"{place.stem}-{number}{place.suffix}")
    taken.add(free)
    return free


def _written(made: Enhanced, place: Path, *, map_: bool, compare: bool) -> dict[str, Path]:
    """The picture and what was asked for beside it; floats and many channels become .npy."""
    from sightline.core.encoding import encode, encode_clear
    from sightline.core.files import write_durably
    from sightline.enhancing.sheet import before_and_after, map_picture

    clear = made.pixels.shape[2] in (2, 4) and made.pixels.dtype.kind == "u"
    data = encode_clear(made.pixels) if clear else encode(made.pixels)
    place = place if data.startswith(b"\x89PNG") else place.with_suffix(".npy")
    paths, parts = {"picture": place}, {"picture": data}
    extra: dict[str, np.ndarray] = {}
    if map_:
        extra["map"] = map_picture(made)
    if compare:
        extra["compare"] = before_and_after(made)
    for name, pixels in extra.items():
        paths[name], parts[name] = place.with_name(f"{place.stem}-{name}.png"), encode(pixels)
    for name, path in paths.items():
        write_durably(path, parts[name])
    return paths
