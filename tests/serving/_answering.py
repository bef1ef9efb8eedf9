"""A bundle that answers, made by hand in no time: the mean colour of a picture says its name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from sightline.core import bundle, catalog, golden
from sightline.core.annotations import Labels
from sightline.core.dataset import Dataset
from sightline.core.image import encode
from sightline.core.task import Facts
from sightline.predicting.answers import answers
from sightline.registering.version import Version
from sightline.testing.toys import NAMES, toy

TASK = "classify"


def graph(scale: float = 40.0) -> bytes:
    """Blue, green or red, from pixels of 0 to 255."""
    from onnx import TensorProto, helper, numpy_helper

    weights = np.float32([[0, 0, 1], [0, 1, 0], [1, 0, 0]]) * scale / 255  # channels are red, green, blue
    nodes = [
        helper.make_node("Cast", ["image"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["pixels", "axes"], ["mean"], keepdims=0),
        helper.make_node("MatMul", ["mean", "weights"], ["logits"]),
    ]
    made = helper.make_graph(
        nodes,
        "colours",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, ["batch", 32, 32, 3])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 3])],
        [numpy_helper.from_array(np.int64([1, 2]), "axes"), numpy_helper.from_array(weights, "weights")],
    )
    return helper.make_model(made, ir_version=10, opset_imports=[helper.make_opsetid("", 20)]).SerializeToString()


def colours(path: Path, scale: float = 40.0) -> Path:
    """The bundle, at this path."""
    image = {
        "channels": 3, "dtype": "uint8", "features": "", "fit": "stretch", "length": 0, "mean": [0.5], "name": "image",
        "overlap": 0, "resample": "smooth", "size": [32, 32], "std": [0.25],
    }  # fmt: skip
    task, data = catalog.find("tasks", TASK).TASK, toy(Labels, 6)
    facts: dict[str, Any] = {"extra": {}, "inputs": [image], "names": list(NAMES), "options": {}}
    run = catalog.find("exporters", "onnx").load(graph(scale), "colours", 1)
    given = list(answers(task, run, data, Facts.from_json(facts)))
    card = {
        "task": TASK, "model": "by-hand", "facts": facts, "thresholds": {}, "calibration": {}, "metrics": [],
        "golden": {"seed": 0, "tolerance": 1e-3}, "lineage": {}, "data": {"name": "toy"}, "versions": {},
    }  # fmt: skip
    packed = golden.pack([sample for sample, _ in given], [answer for _, answer in given], 0)  # type: ignore[misc]
    return bundle.save(path, card, {"model.onnx": graph(scale), "golden.npz": packed, "card.md": b"# Colours\n"})


def photographs(folder: Path, count: int) -> Dataset:
    """Pictures of the toys as files, named in their order."""
    data = toy(Labels, count)
    folder.mkdir(parents=True)
    for place, sample in enumerate(data):
        (folder / f"{place:03}.png").write_bytes(encode(sample.pixels()))
    return data


class Shelf:
    """A source of one model called `colours`, whose version 1 is at a path."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def names(self) -> list[str]:
        return ["colours"]

    def version(self, name: str, which: int | str = "champion") -> Version:
        return Version(name, 1, bundle.load(self.path).version, self.path)

    def aliases(self, name: str) -> dict[str, int]:
        return {"champion": 1}

    def traffic(self, name: str) -> None:
        return None

    def changed(self) -> int:
        return 0
