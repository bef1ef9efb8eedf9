"""Curves for TensorBoard in the run's folder: tensorboard --logdir runs."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sightline.core.extras import need
from sightline.core.progress import Event
from sightline.listeners._rows import Listener, numbers, settings

NEEDS = "tensorboard"


def open(folder: Path, facts: Mapping[str, Any]) -> Listener:
    """A new event file beside those of earlier parts of the same run; steps are epochs."""
    return _Curves(folder / "tensorboard", facts)


class _Curves:
    """Writes protocol buffers with TensorBoard's own writer, so that neither TensorFlow nor torch is needed."""

    def __init__(self, folder: Path, facts: Mapping[str, Any]) -> None:
        self.event = need("tensorboard.compat.proto.event_pb2").Event
        self.summary = need("tensorboard.compat.proto.summary_pb2").Summary
        self.tensor = need("tensorboard.compat.proto.tensor_pb2").TensorProto
        self.metadata = need("tensorboard.plugins.text.metadata").create_summary_metadata
        self.writer = need("tensorboard.summary.writer.event_file_writer").EventFileWriter(str(folder))
        table = "\n".join(["|setting|value|", "|---|---|", *(f"|{k}|{v}|" for k, v in settings(facts).items())])
        tensor = self.tensor(dtype="DT_STRING", string_val=[table.encode()])
        tensor.tensor_shape.dim.add(size=1)
        self._add(0, [self.summary.Value(tag="settings", metadata=self.metadata("settings", ""), tensor=tensor)])

    def __call__(self, event: Event) -> None:
        if event.kind == "epoch":
            values = [self.summary.Value(tag=name, simple_value=value) for name, value in numbers(event.facts).items()]
            self._add(int(event.facts["epoch"]), values)
            self.writer.flush()

    def close(self) -> None:
        self.writer.close()

    def _add(self, step: int, values: list[Any]) -> None:
        self.writer.add_event(self.event(wall_time=time.time(), step=step, summary=self.summary(value=values)))
