"""One of the other processes of a team: takes its share of every step, writes nothing, ends when the first one does.

python -m sightline.training.member RUN RANK SIZE MEETING
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

from sightline.core import catalog
from sightline.core.errors import RunError, SightlineError
from sightline.core.known import remember
from sightline.core.run import Run
from sightline.core.sides import reopen
from sightline.training.assemble import assemble, computing, parting, repeatable
from sightline.training.guard import Asked
from sightline.training.settings import Settings
from sightline.training.team import joined, ready


def follow(run: Run, rank: int, size: int, meeting: Path) -> None:
    """Go through a run beside the first process, on the same data parted into the same sides."""
    info = run.info
    sides = remember(reopen(info, folder=run.path))
    if parting(sides) != info["split"]:
        raise RunError(f"process {rank} finds other data in {info['data']['where']} than the first one did.")
    task = catalog.find("tasks", info["task"]).TASK
    ready(meeting, rank)
    with (
        repeatable(),
        computing(info["choices"]["threads"]),
        joined(rank, size, meeting, info["choices"]["device"]) as team,
    ):
        assemble(run, task, sides, Settings(**info["settings"]), info, Asked(), team=team).go()


def _leave_with_the_first() -> None:
    """The first process holds the other end of standard input; it closes however that process ends."""
    os.read(0, 1)  # nothing is ever written: this returns at the end
    os._exit(0)


def main(words: list[str]) -> int:
    """Ctrl-C is for the first process, which stops all of them at one place."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_leave_with_the_first, daemon=True).start()
    try:
        follow(Run(Path(words[0])), int(words[1]), int(words[2]), Path(words[3]))
    except SightlineError as error:
        print(f"process {words[1]}: {error.message}", file=sys.stderr)  # noqa: T201 - its only way to speak
        return 2
    return 0
