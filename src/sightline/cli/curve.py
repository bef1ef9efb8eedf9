"""Would more data help: train on growing parts, draw the curve, and say how much is needed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from sightline.cli._display import Screen
from sightline.cli._settings import sections


def run(
    screen: Screen,
    data: Annotated[str, "a folder, a label file, or a drawn world such as 'drawn:parts?count=400'"],
    *,
    task: Annotated[str | None, "what to learn, where the data suits several tasks"] = None,
    model: Annotated[str | None, "the network; the task has a default"] = None,
    shares: Annotated[str, "parts of the training side to learn from"] = "0.1,0.2,0.4,0.7,1",
    goal: Annotated[float | None, "a value of the first metric; how many samples it may take is said"] = None,
    out: Annotated[Path | None, "folder of the runs"] = None,
    format: Annotated[str | None, "the label layout, where it can be read in two ways"] = None,
    epochs: Annotated[int | None, "on all of the data; smaller parts learn longer"] = None,
    settings: Annotated[Path | None, "a TOML file with sections [train] and [task]"] = None,
    set: Annotated[tuple[str, ...], "one setting, such as train.rate=0.001; may be repeated"] = (),
) -> dict[str, Any]:
    """A line a size, what twice and ten times as many would bring, and a picture of the curve."""
    from sightline.cli._lines import columns, number
    from sightline.core.errors import MissingExtraError, SettingsError
    from sightline.core.files import write_durably
    from sightline.core.progress import Event
    from sightline.training.curve import learning_curve
    from sightline.training.curve_chart import curve_chart

    chosen = sections(settings, set, {"epochs": epochs})
    try:
        parts = [float(part) for part in shares.split(",")]
    except ValueError as error:
        raise SettingsError(f"--shares {shares}: write numbers with commas, such as 0.1,0.3,1.") from error
    found = learning_curve(
        data,
        task,
        shares=parts,
        model=model,
        out=out,
        format=format,
        settings=chosen["train"],
        options=chosen["task"],
        tell=screen.tell,
    )
    measured = [
        (f"{point['count']:,}", number(point["value"]), f"{number(point['low'])} to {number(point['high'])}", "")
        for point in found.points
    ]
    foretold = [
        (f"{row['count']:,}", number(row["value"]), f"{number(row['low'])} to {number(row['high'])}", "foretold")
        for row in found.ahead
    ]
    for line in columns([("samples", found.metric, "95% interval", ""), *measured, *foretold]):
        screen.say(line)
    screen.say(found.line)
    answer = found.to_json()
    if goal is not None:
        answer["needed"] = needed = found.needed(goal)
        most = found.points[-1]["count"]
        if needed is None:
            screen.say(f"{found.metric} {goal:g} is out of reach of more data of this kind, by this curve")
        elif needed > 100 * most:
            screen.say(f"{found.metric} {goal:g} may take over a hundred times the data; the curve cannot say more")
        else:
            screen.say(f"{found.metric} {goal:g} may take about {max(needed, 1):,.0f} samples")
    try:
        write_durably(found.path / "curve.png", curve_chart(found).png())
        answer["picture"] = found.path / "curve.png"
        screen.say(f"picture: {found.path / 'curve.png'}")
    except MissingExtraError as error:
        screen.tell(Event("warn", f"no picture: {error.message}"))
    return answer
