"""Accept, repair or reject pictures by their quality, each with its reasons."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Any

from sightline.cli._display import Screen


def run(
    screen: Screen,
    data: Annotated[str, "a folder, a label file, or a pattern of files"],
    *,
    learn: Annotated[str | None, "good pictures from which the limits are learnt"] = None,
    limits: Annotated[Path | None, "a TOML file with the limits"] = None,
    save: Annotated[Path | None, "where the limits go as TOML"] = None,
    out: Annotated[Path | None, "a folder for the pictures that were repaired"] = None,
    format: Annotated[str | None, "the label layout, where it can be read in two ways"] = None,
) -> dict[str, Any]:
    """A line for each picture that is not accepted, then the counts."""
    from sightline.auditing.gate import ACTIONS, Gate, Limits
    from sightline.core.data import open_data
    from sightline.core.errors import SettingsError
    from sightline.core.files import write_durably
    from sightline.core.image import encode

    if learn is not None and limits is not None:
        raise SettingsError("--learn and --limits both say what is good. Give one of them.")
    gate = Gate.learn(learn) if learn is not None else Gate(Limits.load(limits) if limits is not None else Limits())
    if save is not None:
        gate.limits.save(save)
        screen.note(f"limits: {save}")
    samples = open_data(data, format=format)
    counts: Counter[str] = Counter()
    rows = []
    for number, sample in enumerate(samples):
        verdict = gate.decide(sample)
        counts[verdict.action] += 1
        row = {"id": sample.id, **verdict.to_json()}
        if verdict.action != "accept":
            screen.say(f"{sample.id}: {verdict.line}")
        if out is not None and verdict.pixels is not None:
            row["path"] = out / f"{number:06}-{Path(sample.id).stem[:80]}.png"
            write_durably(row["path"], encode(verdict.pixels))
        rows.append(row)
    screen.say(", ".join(f"{counts[action]:,} {action}ed" for action in ACTIONS))
    return {"counts": {action: counts[action] for action in ACTIONS}, "pictures": rows}
