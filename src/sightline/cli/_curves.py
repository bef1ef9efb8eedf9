"""What each confidence of `predict --ask` would send and get right, as a table."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sightline.cli._display import Screen
from sightline.cli._lines import columns
from sightline.core.data import open_data
from sightline.core.errors import SettingsError

if TYPE_CHECKING:
    from sightline.predicting.local_first import LocalFirst


def curve_of(screen: Screen, both: LocalFirst, pictures: tuple[str, ...]) -> dict[str, Any]:
    """Ask both models about all of a labelled data set."""
    from sightline.predicting.confidences import curve

    if len(pictures) != 1:
        raise SettingsError("--curve takes one folder, label file or drawn world whose pictures have names.")
    data = open_data(pictures[0])
    with both:
        points = curve(both, data)
    rows = [("confidence", "sent", "right")]
    for point in points:
        word = f"{point.confidence:g}" if point.confidence is not None else "all sent" if point.sent else "none sent"
        rows.append((word, f"{point.sent / point.count:.1%}", f"{point.right / point.count:.1%}"))
    for line in columns(rows):
        screen.say(line)
    screen.say(f"of {points[0].count:,} pictures")
    return {"curve": [asdict(point) for point in points], "asking": both.counts.to_json()}
