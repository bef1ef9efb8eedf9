"""A Weights & Biases run in the run's folder, offline unless WANDB_MODE says otherwise; wandb sync uploads it later."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sightline.core.extras import need
from sightline.core.progress import Event
from sightline.listeners._rows import Listener, numbers, settings

NEEDS = "wandb"


def open(folder: Path, facts: Mapping[str, Any]) -> Listener:
    """A run that has the same identity each time the same folder is continued."""
    return _Diary(folder.absolute(), facts)


class _Diary:
    def __init__(self, folder: Path, facts: Mapping[str, Any]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        wandb = need("wandb")
        self.run = wandb.init(
            project="sightline",
            name=folder.name,
            id=hashlib.sha256(str(folder).encode()).hexdigest()[:16],
            dir=str(folder),
            mode=os.environ.get("WANDB_MODE", "offline"),
            resume="allow",
            config=settings(facts),
            settings=wandb.Settings(silent=True, console="off"),
        )
        self.failed = 1

    def __call__(self, event: Event) -> None:
        if event.kind == "epoch":
            self.run.log(numbers(event.facts), step=int(event.facts["epoch"]))
        self.failed = 0 if event.kind == "done" else self.failed

    def close(self) -> None:
        self.run.finish(exit_code=self.failed)
