"""Look at data as one picture: samples with what is known of them, and what augmentation makes of them.

With --augment the augmentations are those of training, together; --moves shows some by name, each alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from sightline.cli._display import Screen


def run(
    screen: Screen,
    data: Annotated[str, "a folder, a label file, or a drawn world such as drawn:parts"],
    *,
    count: Annotated[int, "how many samples, drawn by chance"] = 16,
    augment: Annotated[bool, "also what augmentation makes of some of them"] = False,
    moves: Annotated[str | None, "augmentations by name, each shown alone, such as rotate,fog; or all"] = None,
    out: Annotated[Path, "the picture that is written"] = Path("sheet.png"),
    seed: Annotated[int, "of the chance; the same seed shows the same"] = 0,
    format: Annotated[str | None, "the label layout, where it can be read in two ways"] = None,
) -> dict[str, Any]:
    """Draw the page, write it, say where it is."""
    from sightline.auditing.sheet import sheet
    from sightline.core import catalog
    from sightline.core.errors import SettingsError
    from sightline.core.files import write_durably
    from sightline.core.image import encode

    if count < 1:
        raise SettingsError(f"--count {count}: ask for 1 picture or more.")
    if out.suffix.lower() != ".png":
        raise SettingsError(f"--out {out}: a sheet is written as .png; name a file that ends so.")
    wanted = [name.strip() for name in (moves or "").split(",") if name.strip()]
    wanted = catalog.names("augmentations") if wanted == ["all"] else wanted
    made = sheet(
        data, count=count, moves=wanted if augment or wanted else None, seed=seed, format=format, tell=screen.tell
    )
    write_durably(out, encode(made.pixels))
    screen.say(made.line)
    for name in made.unreadable:
        screen.say(f"- cannot be read: {name}")
    screen.say(f"sheet: {out}")
    return {**made.to_json(), "paths": {"sheet": out}}
