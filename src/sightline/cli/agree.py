"""Compare annotators who labelled the same pictures: agreement beyond chance, disputes, and what they agree on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from sightline.cli._display import Screen

SHOWN = 10


def run(
    screen: Screen,
    data: Annotated[tuple[str, ...], "two data sets or more of the same pictures, or one that names its annotators"],
    *,
    level: Annotated[str, "nominal, ordinal or interval: whether names are numbers"] = "nominal",
    by: Annotated[str, "the attribute that names the annotator, where one data set is given"] = "annotator",
    out: Annotated[Path | None, "a folder for the pictures with the labels that most agree on"] = None,
    format: Annotated[str | None, "the label layout, where it can be read in two ways"] = None,
) -> dict[str, Any]:
    """Coefficients with intervals, a table of names and of pairs, and the most disputed pictures."""
    from sightline.auditing.agree import agree
    from sightline.cli._lines import columns
    from sightline.core import catalog

    found = agree(*data, level=level, by=by, format=format)
    screen.say(f"{len(found.annotators)} annotators, {found.items:,} pictures that two or more of them labelled")
    for coefficient in found.coefficients:
        screen.say(coefficient.line)
    if len(found.pairs) > 1:
        screen.say()
        rows = [(f"{a} and {b}", f"{value:.3f}") for (a, b), value in found.pairs.items()]
        for line in columns([("pair", "agreement"), *rows]):
            screen.say(line)
    if found.names:
        screen.say()
        table = [(name, f"{count:,}", f"{value:.3f}") for name, (count, value) in found.names.items()]
        for line in columns([("name", "given", "agreement"), *table]):
            screen.say(line)
    if found.disputed:
        screen.say()
        screen.say(f"{len(found.disputed):,} disputed, the most first:")
        for identity, _, said in found.disputed[:SHOWN]:
            screen.say(f"  {identity}: {said}")
    answer = found.to_json()
    if out is not None:
        answer["out"] = catalog.find("formats", "jsonlines").write(found.consensus, out)
        screen.say(f"agreed: {len(found.consensus):,} samples in {out}")
    return answer
