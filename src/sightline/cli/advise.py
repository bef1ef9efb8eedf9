"""Measure the cheap learners on folds of the data before anything else, and say which to take."""

from __future__ import annotations

from typing import Annotated, Any

from sightline.cli._display import Screen


def run(
    screen: Screen,
    data: Annotated[str, "a folder, a label file, or a drawn world such as drawn:shapes"],
    *,
    task: Annotated[str | None, "what to learn, where the data suits several tasks"] = None,
    seconds: Annotated[float, "after so many seconds no further learner is begun"] = 120.0,
    most: Annotated[int, "pictures looked at"] = 1500,
    latency: Annotated[float | None, "the milliseconds that an answer may take"] = None,
    seed: Annotated[int, "chance"] = 0,
    format: Annotated[str | None, "the label layout, where it can be read in two ways"] = None,
) -> dict[str, Any]:
    """A leaderboard with intervals, and in words what to take and whether a network is worth it."""
    from sightline.cli._lines import columns
    from sightline.training.advise import advise

    made = advise(data, task, seconds=seconds, most=most, latency=latency, seed=seed, format=format, tell=screen.tell)
    screen.say(f"{made.count:,} pictures of {made.names} names, each answered by a learner that had not seen it:")
    rows = [("model", made.metric, "95% interval", "learns in", "a picture", "against the best")]
    for rung in (*made.rungs, made.floor):
        interval = f"{rung.low:.3f} to {rung.high:.3f}"
        rows.append(
            (
                rung.model,
                f"{rung.value:.3f}",
                interval,
                f"{rung.fit_seconds:.1f} s",
                f"{rung.milliseconds:.1f} ms",
                rung.apart,
            )
        )
    for line in columns(rows):
        screen.say(line)
    if made.left_out:
        screen.say(f"not begun for want of time: {', '.join(made.left_out)}")
    screen.say()
    for line in made.words:
        screen.say(line)
    return made.to_json()
