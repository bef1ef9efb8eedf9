"""Group pictures without labels by what they look like, and find how many groups there are.

It writes a page and a table, and with --folders a folder a group: name them, and train on them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from sightline.cli._display import Screen

_SAID = 12  # groups that have a line


def run(
    screen: Screen,
    data: Annotated[str, "a folder, a label file, or a drawn world such as drawn:shapes"],
    *,
    on: Annotated[str, "features such as hog+lbp, or a run or a bundle that looks; auto: four features"] = "auto",
    count: Annotated[int, "groups; 0: found"] = 0,
    reduce: Annotated[str, "numbers a picture is reduced to: pca:N, random:N or none"] = "pca:32",
    most: Annotated[int, "groups, at most, that are tried where the number is found"] = 20,
    out: Annotated[Path, "folder for the page and the table"] = Path("groups"),
    folders: Annotated[bool, "copy each picture into the folder of its group, to name and train on"] = False,
    seed: Annotated[int, "chance"] = 0,
    format: Annotated[str | None, "the label layout, where it can be read in two ways"] = None,
) -> dict[str, Any]:
    """One line for all, one a group, what to know, and where the page is."""
    import shlex

    from sightline.auditing.clustering import cluster
    from sightline.auditing.groups import refuse_folders, write_groups
    from sightline.core.data import open_data
    from sightline.core.files import refuse_folder
    from sightline.core.finding import count_of, listed
    from sightline.core.known import remember

    refuse_folder(out)
    if folders:
        refuse_folders(out)
    samples = remember(open_data(data, format=format))
    made = cluster(samples, on=on, count=count, reduce=reduce, most=most, seed=seed, tell=screen.tell)
    screen.say(f"{made.line}.")
    for group, size in enumerate(made.sizes[:_SAID]):
        names = () if made.accord is None else made.accord.inside[group]
        named = f": {listed([f'{name} {many:,}' for name, many in names], 4)}" if names else ""
        usual = made.ids[made.central(group, 1)[0]]
        screen.say(f"{made.group_name(group)}: {count_of(size, 'picture')}, most usual {usual}{named}")
    if made.count > _SAID:
        screen.say(f"and {count_of(made.count - _SAID, 'smaller group')}, which the page shows")
    if made.accord is not None:
        screen.say(f"{made.accord.line}.")
    for note in made.notes:
        screen.say(f"note: {note}")
    words = ["sightline", "cluster", data]
    for name, value, usual_value in (
        ("on", on, "auto"), ("count", count, 0), ("reduce", reduce, "pca:32"), ("most", most, 20),
        ("seed", seed, 0), ("format", format, None),
    ):  # fmt: skip
        words += [] if value == usual_value else [f"--{name}", str(value)]
    written = write_groups(made, samples, out, folders=folders, command=shlex.join(words))
    screen.say(f"page: {written.page}")
    if written.folders is not None:
        screen.say(f"folders: {written.folders}; give them names that mean something, then: sightline train "
                   f"{written.folders}")  # fmt: skip
    return {**made.to_json(), "paths": written.to_json()}
