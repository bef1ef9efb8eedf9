"""Tiny bundles made without training: a graph of a few numbers that says its own version, ready in milliseconds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from sightline.core import bundle, catalog, golden
from sightline.core.annotations import Labels
from sightline.core.extras import need
from sightline.core.image import BytesImage, encode
from sightline.core.inputs import InputSpec, fit_all
from sightline.core.sample import Sample
from sightline.core.task import Facts
from sightline.exporters.onnx import IR_VERSION, OPSET

SIDE = 8  # rows and columns of its input
BRIGHT = "bright"  # its second name: pictures of high levels


def graph(*, bias: float = 2.0, outputs: int = 2) -> bytes:
    """Logits from the mean level of a picture: the first name where it is dark, `BRIGHT` where it is not."""
    onnx = need("onnx")
    helper, proto = onnx.helper, onnx.TensorProto
    slope = np.zeros((3, outputs), np.float32)
    slope[:, -1] = 4 * bias / 255 / 3
    values = {
        "axes": np.array([1, 2], np.int64),
        "slope": slope,
        "shift": np.array([bias] + [0.0] * (outputs - 1), np.float32),
    }
    nodes = [
        helper.make_node("Cast", ["image"], ["numbers"], to=proto.FLOAT),
        helper.make_node("ReduceMean", ["numbers", "axes"], ["mean"], keepdims=0),
        helper.make_node("MatMul", ["mean", "slope"], ["sloped"]),
        helper.make_node("Add", ["sloped", "shift"], ["logits"]),
    ]
    made = helper.make_graph(
        nodes,
        "levels",
        [helper.make_tensor_value_info("image", proto.UINT8, ["batch", SIDE, SIDE, 3])],
        [helper.make_tensor_value_info("logits", proto.FLOAT, ["batch", outputs])],
        [onnx.numpy_helper.from_array(array, name) for name, array in values.items()],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    data: bytes = model.SerializeToString()
    return data


def picture(level: int = 40, side: int = 16) -> bytes:
    """A gray PNG of one level."""
    return encode(np.full((side, side, 3), level, np.uint8))


def pictures(folder: Path, count: int) -> Path:
    """A folder of dark and bright pictures by turns, each a level of its own where there are not too many."""
    folder.mkdir(parents=True)
    for place in range(count):
        level = (place % 100) + (150 if place % 2 else 0)
        (folder / f"{place:04}.png").write_bytes(picture(level, SIDE))
    return folder


def levels(
    path: Path,
    number: int,
    task: str,
    *,
    options: Mapping[str, Any] | None = None,
    content: bytes | None = None,
    wanted: Labels | None = None,
) -> Path:
    """A bundle of a task of names that answers `v<number>` to a dark picture; what is given replaces what is made."""
    names = (f"v{number}", BRIGHT)
    facts = Facts({"image": InputSpec((SIDE, SIDE))}, names, dict(options or {}))
    content = graph() if content is None else content
    samples = [Sample(f"golden-{level}", (BytesImage(picture(level)),)) for level in (30, 220)]
    run = catalog.find("exporters", "onnx").load(content, "graph", 1)
    given = []
    for row in run(fit_all(samples, facts.inputs)[0])["logits"].astype(np.float64) if wanted is None else ():
        powers = np.exp(row - row.max())
        given.append(Labels(names, (powers / powers.sum()).astype(np.float32)))
    given = given or [wanted or Labels(names)] * len(samples)
    card = {
        "task": task, "model": "levels", "facts": facts.to_json(), "calibration": {}, "thresholds": {}, "metrics": [],
        "golden": {"tolerance": 1e-3, "seed": 0}, "licence": "Apache-2.0", "runs_with": "onnxruntime",
    }  # fmt: skip
    return bundle.save(path, card, {"model.onnx": content, "golden.npz": golden.pack(samples, given, 0)})
