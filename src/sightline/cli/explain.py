"""Show why a model answers so about pictures: heat maps that passed their checks, or why they are withheld.

With --hierarchy it shows instead what the network makes of one picture on its way, level by level, for teaching.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from sightline.cli._display import Screen
from sightline.cli._pictures import asked
from sightline.cli._sheets import Folder
from sightline.core.errors import InputError, SettingsError
from sightline.core.files import refuse_folder, write_durably
from sightline.core.sample import Sample


def run(
    screen: Screen,
    what: Annotated[str, "a run, by path or name, or a bundle"],
    pictures: Annotated[tuple[str, ...], "files, folders, or quoted patterns such as 'photos/**/*.jpg'"] = (),
    *,
    method: Annotated[
        str | None, "layercam, gradcam, gradcam_plus, integrated, smoothed, occlusion or rollout; the checks choose"
    ] = None,
    name: Annotated[str | None, "ask why it is, or is not, this name; its best one without"] = None,
    layer: Annotated[str | None, "the layer of the network that maps are taken from, by name"] = None,
    near: Annotated[int, "pictures it learnt from to show beside, the most alike first"] = 3,
    out: Annotated[Path, "folder for the drawn maps and the page"] = Path("explanations"),
    data: Annotated[str | None, "the data of the run, where it has moved"] = None,
    hierarchy: Annotated[bool, "show filters, maps and what excites them, for one picture"] = False,
) -> dict[str, Any]:
    """One line a picture; status 2 where one could not be read."""
    if near < 0:
        raise SettingsError(f"--near {near}: give 0 or more.")
    failed: list[tuple[str, InputError]] = []
    samples = list(asked(pictures, failed))
    refuse_folder(out)
    if hierarchy:
        return _hierarchy(screen, what, samples, failed, out, data)
    if not pictures:
        raise SettingsError("name pictures to explain, or ask with --hierarchy what the network makes of one.")
    from sightline.explaining.explain import explain
    from sightline.explaining.page import page

    found = explain(what, samples, method=method, name=name, layer=layer, near=near, data=data, tell=screen.tell)
    screen.say(f"{found.verdict.line}.")
    folder, rows = Folder(out), []
    for each in found.explanations:
        like = [{"id": one.id, "names": list(one.names), "distance": one.distance} for one in each.near]
        row = {"id": each.sample.id, "asked": each.asked, "score": each.heatmap.score, "near": like}
        folder.add(each.sample, each.heatmap, row)
        rows.append(row)
        beside = "".join(f"; like {' '.join(one.names)} {one.id}" for one in each.near[:1])
        screen.say(f"{each.sample.id}: {each.asked} {each.heatmap.score:.3f}{beside}")
    for identity, error in (*failed, *found.failed):
        rows.append({"id": identity, "error": {"code": error.code, "message": error.message}})
        screen.note(f"error[{error.code}]: {error.message}")
    path = out / "explanations.html"
    write_durably(path, page(found))
    screen.say(f"page: {path}")
    screen.status = 2 if failed or found.failed else 0
    return {"verdict": found.verdict.to_json(), "explanations": rows, "paths": {"page": path, "folder": out}}


def _hierarchy(
    screen: Screen,
    what: str,
    samples: list[Sample],
    failed: list[tuple[str, InputError]],
    out: Path,
    data: str | None,
) -> dict[str, Any]:
    """The page for teaching, of the first picture, or of one that the run held out."""
    from sightline.explaining.hierarchy import hierarchy

    if failed:
        raise failed[0][1]
    path = out / "hierarchy.html"
    write_durably(path, hierarchy(what, samples[0] if samples else None, data=data, tell=screen.tell))
    screen.say(f"page: {path}")
    return {"paths": {"page": path}}
