"""Runs in an MLflow store, an SQLite file beside the runs: mlflow ui --backend-store-uri sqlite:///runs/mlflow.db."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sightline.core.extras import need
from sightline.core.progress import Event
from sightline.listeners._rows import Listener, numbers, settings

NEEDS = "mlflow"


def open(folder: Path, facts: Mapping[str, Any]) -> Listener:
    """The store's run of this folder, or a new one; MLFLOW_TRACKING_URI names another store."""
    return _Store(folder.absolute(), facts)


class _Store:
    def __init__(self, folder: Path, facts: Mapping[str, Any]) -> None:
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # nothing leaves the machine unless asked
        tracking = need("mlflow.tracking")
        folder.parent.mkdir(parents=True, exist_ok=True)
        where = os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{folder.parent / 'mlflow.db'}"
        self.client = tracking.MlflowClient(tracking_uri=where)
        known = self.client.get_experiment_by_name("sightline")
        artifacts = (folder.parent / "mlflow").as_uri()
        experiment = known.experiment_id if known else self.client.create_experiment("sightline", artifacts)
        query = f"tags.`sightline.folder` = '{str(folder).replace(chr(39), '')}'"
        begun = self.client.search_runs([experiment], filter_string=query, max_results=1)
        tags = {"sightline.folder": str(folder).replace("'", "")}
        run = begun[0] if begun else self.client.create_run(experiment, run_name=folder.name, tags=tags)
        self.run = run.info.run_id
        self.ending = "KILLED"
        self.client.update_run(self.run, status="RUNNING")
        for name, value in () if begun else settings(facts).items():
            self.client.log_param(self.run, name, value)

    def __call__(self, event: Event) -> None:
        if event.kind == "epoch":
            for name, value in numbers(event.facts).items():
                self.client.log_metric(self.run, name, value, step=int(event.facts["epoch"]))
        self.ending = "FINISHED" if event.kind == "done" else self.ending

    def close(self) -> None:
        self.client.set_terminated(self.run, status=self.ending)
