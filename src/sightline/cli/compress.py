"""Make a model smaller or faster; refused where its answers would change too much, or nobody can tell."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from sightline.cli._display import Screen

UNSURE = 3  # the exit status where nothing was written whose drop is surely as small as allowed


def run(
    screen: Screen,
    model: Annotated[str, "a run, by path or name; or a bundle, with --data"],
    *,
    to: Annotated[
        Path | None, "the bundle to write, such as small.sightline; without it best.sightline in --out"
    ] = None,
    max_drop: Annotated[float, "points of the first metric that may be lost"] = 0.5,
    target: Annotated[Literal["latency", "size"], "what the best is best in"] = "latency",
    methods: Annotated[str, "with commas, of those that this command lists; without it all that are usual"] = "",
    minutes: Annotated[float, "for learning again and for measuring, about"] = 10.0,
    student: Annotated[str | None, "the network that is taught, where the parent has no smaller variant"] = None,
    data: Annotated[str | None, "the data it was trained on, where it cannot be found"] = None,
    out: Annotated[Path | None, "folder of the search, which goes on where it was stopped"] = None,
) -> dict[str, Any]:
    """The table of all forms on validation pictures, then the verdict on the best on pictures that no choice saw."""
    from sightline.cli._lines import columns
    from sightline.compressing.page import HEADS, cells, page
    from sightline.compressing.search import compress
    from sightline.core.errors import MissingExtraError
    from sightline.core.files import write_durably
    from sightline.core.progress import Event

    words = tuple(word.strip() for word in methods.split(",") if word.strip())
    found = compress(
        model, to, data=data, max_drop=max_drop, target=target, methods=words, minutes=minutes, student=student,
        out=out, tell=screen.tell,
    )  # fmt: skip
    for line in columns([HEADS, *cells(found)]):
        screen.say(line)
    for row in found.rows[1:]:
        screen.say(f"{row.name}: {row.says}")
    for name, why in found.refused.items():
        screen.say(f"no {name}: {why}")
    screen.say(found.why)
    answer = found.to_json()
    try:
        write_durably(found.folder / "compressed.html", page(found).encode())
        answer["page"] = found.folder / "compressed.html"
        screen.say(f"page: {found.folder / 'compressed.html'}")
    except MissingExtraError as error:
        screen.tell(Event("warn", f"no page: {error.message}"))
    if found.written is not None and found.written.version:
        screen.say(f"bundle: {found.written.path}")
    screen.status = 0 if found.good else UNSURE
    return answer
