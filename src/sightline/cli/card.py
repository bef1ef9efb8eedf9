"""Write a data card: what the data holds, its version, its faults, and what people say of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from sightline.cli._display import Screen


def run(
    screen: Screen,
    data: Annotated[str, "a folder, a label file, a file of sides, or a drawn world such as drawn:parts"],
    *,
    out: Annotated[Path, "the file to write; what people wrote into one that is there is kept"] = Path("card.md"),
    quick: Annotated[bool, "decode about a thousand pictures, do not judge labels"] = False,
    format: Annotated[str | None, "the label layout, where it can be read in two ways"] = None,
) -> dict[str, Any]:
    """Where the card is."""
    from sightline.auditing.audit import audit
    from sightline.auditing.card import write_card
    from sightline.core.data import open_data
    from sightline.core.known import remember

    samples = remember(open_data(data, format=format))
    made = audit(samples, quick=quick, tell=screen.tell)
    path = write_card(out, made, samples)
    screen.say(made.line)
    screen.say(f"card: {path}")
    return {"path": path, "fingerprint": made.fingerprint, "audit": made.to_json()}
