"""See all of it in under three minutes: drawn pictures, two models trained, measured, exported and used.

Nothing is downloaded. Run again, it continues where it was stopped, or skips what is done.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

from sightline.cli._display import Screen
from sightline.cli.train import finish, say_paths, saying_audit

SHOWN = 12  # predictions on the sheet, four in a row


@dataclass(frozen=True)
class Story:
    """One model from drawn pictures to predictions."""

    name: str
    task: str
    world: str  # drawn, then written to disk so that what follows is what a user does
    format: str
    settings: Mapping[str, Any]
    options: Mapping[str, Any] = field(default_factory=dict)


STORIES = (
    Story("classifier", "classify", "shapes?count=400&size=64&split=true", "folders", {"epochs": 24, "batch": 16}),
    Story(
        "detector",
        "detect",
        "shapes?count=400&size=128&truth=objects&split=true",
        "jsonlines",
        {"epochs": 20, "batch": 8},
        {"size": 128},
    ),
)
FAST = (
    replace(
        STORIES[0],
        name="classifier-fast",
        world="shapes?count=60&size=48&split=true",
        settings={"epochs": 1, "precision": "float32", "layout": "plain"},
    ),
    replace(
        STORIES[1],
        name="detector-fast",
        world="shapes?count=40&size=64&truth=objects&split=true",
        settings={"epochs": 1, "precision": "float32", "layout": "plain"},
        options={"size": 64},
    ),
)


def run(
    screen: Screen,
    *,
    out: Annotated[Path, "folder for everything"] = Path("sightline-demo"),
    fast: Annotated[bool, "a few seconds of training: shows the way, not the quality"] = False,
) -> dict[str, Any]:
    """Tell each story and print every path at the end."""
    begun = time.monotonic()
    document: dict[str, Any] = {}
    paths: dict[str, Path] = {}
    for story in FAST if fast else STORIES:
        screen.say(f"== a {story.name.partition('-')[0]} ==")
        document[story.name] = told(screen, story, out)
        paths |= {f"{story.name} {kind}": path for kind, path in document[story.name]["paths"].items()}
        screen.say()
    seconds = time.monotonic() - begun
    screen.say(f"all done in {seconds:.0f} s. What was made:")
    say_paths(screen, paths)
    return {"seconds": seconds, "stories": document}


def told(screen: Screen, story: Story, out: Path) -> dict[str, Any]:
    """Data on disk, audit, training, evaluation, bundle, report and predictions of one story."""
    from sightline.training.train import train

    data = written(screen, story, out / "data")
    document: dict[str, Any] = {}
    made = train(
        str(data),
        story.task,
        out=out / story.name,
        format=story.format,
        settings=story.settings,
        options=story.options,
        tell=saying_audit(screen, document, screen.tell),
    )
    document |= finish(screen, made)
    sheet = out / f"{story.name}-predictions.png"
    predicted(document["paths"].get("bundle"), str(data), story, sheet)
    document["paths"] = {"data": data, **document["paths"], **({"predictions": sheet} if sheet.is_file() else {})}
    return document


def written(screen: Screen, story: Story, folder: Path) -> Path:
    """The drawn world as files in a layout that others use too; drawn once."""
    from sightline.core import catalog
    from sightline.core.data import open_data

    path = folder / story.name
    if not path.exists():
        screen.note(f"drawing {story.world} into {path}")
        drawn = open_data(f"drawn:{story.world}")
        drawn = drawn.map(lambda sample: replace(sample, group=None, given={}, attributes={}))
        catalog.find("formats", story.format).write(drawn, path)
    return path


def predicted(bundle: Path | None, data: str, story: Story, sheet: Path) -> None:
    """The bundle's answers on held-out pictures, drawn on one sheet."""
    from sightline.cli import _sheets
    from sightline.core.data import open_data
    from sightline.core.decisions import decide
    from sightline.core.errors import InputError
    from sightline.core.files import write_durably
    from sightline.core.image import encode
    from sightline.core.sides import held_out
    from sightline.predicting.model import load

    if bundle is None:
        return
    held = held_out(open_data(data, format=story.format))[1]
    model = load(bundle)
    given = model.predict_all(islice(held, SHOWN))
    sure = [(sample, decide(a, least=model.least)) for sample, a in given if not isinstance(a, InputError)]
    tiles = [_sheets.drawn(sample, answer) for sample, answer in sure]
    write_durably(sheet, encode(_sheets.sheet(tiles, 4)))
