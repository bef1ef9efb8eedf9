"""TensorBoard's own reader finds what we wrote."""

from pathlib import Path

import pytest

from sightline.core.progress import Event
from sightline.listeners import tensorboard

pytest.importorskip("tensorboard")
FACTS = {"task": "any", "settings": {"rate": 0.1}}


def test_curves_are_read_back_over_two_parts_of_a_run(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer

    for part in range(2):
        listener = tensorboard.open(tmp_path, FACTS)
        facts = {"epoch": part + 1, "loss": 1.0 / (part + 1), "val": {"accuracy": 0.5, "odd": None}}
        listener(Event("epoch", "", facts))
        listener.close()
    reader = EventMultiplexer({"run": str(tmp_path / "tensorboard")}).Reload()
    found = reader.GetAccumulator("run")
    curves = {
        tag: [(event.step, event.tensor_proto.float_val[0]) for event in found.Tensors(tag)]
        for tag in found.Tags()["tensors"]
        if tag != "settings"
    }
    assert curves == {"loss": [(1, 1.0), (2, 0.5)], "val/accuracy": [(1, 0.5), (2, 0.5)]}
    text = found.Tensors("settings")[0].tensor_proto.string_val[0].decode()
    assert "|train.rate|0.1|" in text
