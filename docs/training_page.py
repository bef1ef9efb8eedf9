"""Write docs/training.md: every setting of a training with its meaning, as the code says; a test holds the page to it.

python docs/training_page.py
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sightline.core import catalog
from sightline.training.settings import Settings

PAGE = Path(__file__).parent / "training.md"
TOP = """# Training

This page is made by `python docs/training_page.py`; do not edit it by hand.

A folder of pictures is enough: the task is found by looking at the labels, and what suits the data is chosen. All that
was chosen stands in `settings.toml` of the run, whose first line is the command that makes the run again.

```console
$ sightline train photos                                  # what suits the data
$ sightline train photos --minutes 20                     # the best model that twenty minutes buy
$ sightline train photos --model quick:m --epochs 30      # this one, so long
$ sightline train photos --set train.optimiser=nesterov --set train.rate=0.1 --set task.smoothing=0.1
$ sightline train photos --settings settings.toml         # as another run was made
```

In Python the same: `sightline.train("photos", minutes=20, settings={"optimiser": "nesterov", "rate": 0.1})`.

**The best model that a time buys.** `--minutes` times every candidate for a few steps, writes a plan, and climbs: a
baseline that is solved at once, a small network where there is time for both, then the largest that can be shown
enough. Each rung is a run of its own; the folder always holds the best so far, so that whoever stops it has something.
The plan follows the speed of the machine, and the rate falls to its end at the time that was agreed. On two cores
twenty minutes reach 91.1 % (90.6 to 91.7) of CIFAR-10's 10,000 test pictures, re-encoded as JPEGs of quality 75
(November 2026, `benchmarks/cifar.py`, two runs on two days, 16 and 17 epochs of `quick:l`: 91.06 and 91.14); 90.8 %
where other work on the machine leaves time for 15.

A run with `train.patience=0`, such as every rung, always goes to its end, and keeps the last epoch where a share such
as accuracy is level with the best one within chance.

**From what has learnt before.** `--set train.start=RUN` begins with the weights of a run or bundle,
`train.freeze=backbone` lets only what answers learn (with `train.augment=false` from features that are worked out once:
seconds an epoch), `train.taper=0.8` slows early layers, `train.teacher=RUN` learns from another model's answers too.

**Stopping.** The first Ctrl-C (or SIGTERM) writes a checkpoint and ends with status 130 (143); the same command goes on
to the same weights as if nothing had happened, also after `kill -9`.

## Settings

`--set train.NAME=VALUE`:

| name | usual | meaning |
|---|---|---|
"""
LINE = re.compile(r"^    (\w+): .+? = (.+?)(?:  # (.*))?$", re.MULTILINE)


def commented(cls: type) -> Iterator[tuple[str, str, str]]:
    """Name, default and comment of each field, as they stand in the source."""
    for name, usual, comment in LINE.findall(inspect.getsource(cls)):
        yield name, usual.replace("field(default_factory=dict)", "{}"), comment.replace("|", "\\|")


def row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def first(entry: Any) -> str:
    """The first sentence of what an entry says of itself."""
    return " ".join((inspect.getdoc(entry) or "").split("\n\n")[0].split()).replace("|", "\\|")


def options(entry: Any, spared: tuple[str, ...]) -> str:
    found = inspect.signature(entry).parameters
    return ", ".join(f"`{name}={found[name].default}`" for name in found if name not in spared)


def page() -> str:
    """The whole page."""
    lines = [row(f"`{name}`", f"`{usual}`", meaning) for name, usual, meaning in commented(Settings)]
    lines += ["", "## What a task takes beside them", "", "`--set task.NAME=VALUE`:", ""]
    lines += ["| task | name | usual | meaning |", "|---|---|---|---|"]
    for task in catalog.names("tasks"):
        for name, usual, meaning in commented(catalog.find("tasks", task).TASK.Options):
            lines.append(row(task, f"`{name}`", f"`{usual}`", meaning))
    lines += ["", "## Optimisers", "", "`train.optimiser`; their own options stand in `train.optimiser_settings`.", ""]
    lines += ["| name | usual rate | usual decay | options | |", "|---|---|---|---|---|"]
    for name in catalog.names("optimisers"):
        entry = catalog.find("optimisers", name)
        usual = inspect.signature(entry).parameters
        own = options(entry, ("parameters", "rate", "decay"))
        lines.append(row(name, f"{usual['rate'].default:g}", f"{usual['decay'].default:g}", own, first(entry)))
    lines += ["", "## Schedules", "", "`train.schedule`; their own options stand in `train.schedule_settings`.", ""]
    lines += ["| name | options | |", "|---|---|---|"]
    for name in catalog.names("schedules"):
        entry = catalog.find("schedules", name)
        lines.append(row(name, options(entry, ("progress", "history")), first(entry)))
    lines += [
        "",
        "## Losses",
        "",
        "What tasks are made of; a task of your own finds them in the catalog.",
        "",
    ]
    lines += ["| name | |", "|---|---|"]
    lines += [row(name, first(catalog.find("losses", name))) for name in catalog.names("losses")]
    return TOP + "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
