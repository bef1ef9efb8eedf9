"""Turn a finished run into a bundle that predicts without torch, or into files of another runtime; never unproved."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from sightline.cli._display import Screen
from sightline.cli._lines import parity_line
from sightline.core.errors import SettingsError


def run(
    screen: Screen,
    run: Annotated[str, "a run, by path or name; for `integer` a bundle in int8"],
    *,
    to: Annotated[str, "bundle, or for another runtime: openvino, torch, tensorrt, coreml, litert, integer"] = "bundle",
    out: Annotated[
        Path | None, "for a bundle a folder, or one file that ends in .sightline; inside the run without it"
    ] = None,
    set: Annotated[tuple[str, ...], "a setting of the other runtime, such as memory=512k; may be repeated"] = (),
    unproven: Annotated[bool, "write also what cannot run on this machine, so that nobody has compared it"] = False,
) -> dict[str, Any]:
    """The parity table, then where the bundle or the files are."""
    if to in ("bundle", "onnx"):
        if set:
            raise SettingsError(f"--to {to} takes no settings, and was given {set[0]}.")
        from sightline.exporting.export import export

        made = export(run, out, tell=screen.tell).to_json()
    else:
        from sightline.exporting.others import export_to

        made = export_to(run, to, out, unproven=unproven, settings=set, tell=screen.tell).to_json()
    for row in made["parity"]:
        screen.say(parity_line(row))
    if made.get("unproven"):
        screen.say(f"NOT COMPARED: {made['unproven']}")
    for name, size in made.get("files", {}).items():
        screen.say(f"{Path(made['path']) / name}: {size:,} bytes")
    for facts in made.get("told", {}).values():
        screen.say("; ".join(f"{name.replace('_', ' ')}: {_plain(value)}" for name, value in facts.items()))
    if "files" not in made:
        screen.say(f"bundle: {made['path']}")
    return made


def _plain(value: Any) -> str:
    """A number, or the words of a list."""
    return ", ".join(map(str, value)) or "none" if isinstance(value, list) else f"{value:,}"
