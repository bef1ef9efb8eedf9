"""Turn a finished run into a bundle that predicts without torch, or into files of another runtime; never unproved."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from sightline.cli._display import Screen
from sightline.cli._lines import parity_line


def run(
    screen: Screen,
    run: Annotated[str, "a run, by path or name"],
    *,
    to: Annotated[str, "bundle, or for another runtime: openvino, torch, tensorrt, coreml, litert"] = "bundle",
    out: Annotated[
        Path | None, "for a bundle a folder, or one file that ends in .sightline; inside the run without it"
    ] = None,
    unproven: Annotated[bool, "write also what cannot run on this machine, so that nobody has compared it"] = False,
) -> dict[str, Any]:
    """The parity table, then where the bundle or the files are."""
    if to in ("bundle", "onnx"):
        from sightline.exporting.export import export

        made = export(run, out, tell=screen.tell).to_json()
    else:
        from sightline.exporting.others import export_to

        made = export_to(run, to, out, unproven=unproven, tell=screen.tell).to_json()
    for row in made["parity"]:
        screen.say(parity_line(row))
    if made.get("unproven"):
        screen.say(f"NOT COMPARED: {made['unproven']}")
    for name, size in made.get("files", {}).items():
        screen.say(f"{Path(made['path']) / name}: {size:,} bytes")
    if "files" not in made:
        screen.say(f"bundle: {made['path']}")
    return made
