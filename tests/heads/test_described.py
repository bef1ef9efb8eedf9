"""Heads of models that learn from rows: hand-made ones, words of local descriptors, and what a network makes."""

from typing import Any

import numpy as np
import pytest
import torch

from sightline.core import catalog, vectors
from sightline.core.inputs import InputSpec
from sightline.core.task import Graph
from sightline.heads.described import WORDS, described, embedded

RECIPE = "pixels:side=4+sift:grid=4"


def _textures(count: int = 40) -> tuple[list[np.ndarray], np.ndarray]:
    """Lines one way or the other, in any place and light."""
    rng = np.random.default_rng(0)
    pictures = []
    for index in range(count):
        wave = np.sin(np.arange(64) * 0.8 + rng.uniform(0, 6)) * 60 + rng.normal(0, 10, (64, 64)) + 128
        pictures.append(np.clip(wave if index % 2 else wave.T, 0, 255).astype(np.uint8)[..., None])
    return pictures, np.arange(count) % 2


def _batches(key: str, rows: np.ndarray, classes: np.ndarray) -> Any:
    for part in np.array_split(np.arange(len(rows)), 3):
        yield {key: torch.from_numpy(rows[part]), "classes": torch.from_numpy(classes[part])}


def _exported(network: Any, key: str, rows: np.ndarray) -> np.ndarray:
    pytest.importorskip("onnxscript")
    exporter = catalog.find("exporters", "onnx")
    run = exporter.load(exporter.export(Graph(network, {key: rows[:1]}, {key: (0,)})), "graph", 1)
    return np.asarray(run({key: rows})["logits"])


def test_words_of_local_descriptors_are_learnt_counted_and_exported() -> None:
    pictures, classes = _textures()
    rows = vectors.vectors(pictures, RECIPE)
    spec = InputSpec((64, 64), 1, features=RECIPE, length=rows.shape[1])
    network = described(catalog.find("models", "logistic").build, spec, 2).eval()
    network.solve(_batches("features", rows, classes))
    with torch.inference_mode():
        seen = network.rows(torch.from_numpy(rows))
        logits = network(torch.from_numpy(rows))["logits"].numpy()
    shares = seen[:, 16:].reshape(len(rows), 5, WORDS) ** 2
    assert torch.allclose(shares.sum(2), torch.ones(len(rows), 5), atol=1e-5), "of the whole and of every quarter"
    assert torch.allclose(shares[:, 1:].mean(1), shares[:, 0], atol=1e-5)
    assert torch.equal(seen[:, :16], torch.from_numpy(rows[:, :16])), "a plain feature passes as it is"
    assert (logits.argmax(1) == classes).all()
    assert _exported(network, "features", rows) == pytest.approx(logits, abs=1e-3)


def test_a_descriptor_gets_the_nearest_word() -> None:
    rows = vectors.vectors(_textures(6)[0], RECIPE)
    spec = InputSpec((64, 64), 1, features=RECIPE, length=rows.shape[1])
    network: Any = described(catalog.find("models", "logistic").build, spec, 2)
    network.solve(_batches("features", rows, np.arange(6) % 2))
    part = network.parts[1]
    x = torch.from_numpy(rows[:, 16:].reshape(-1, 128))
    assert torch.equal(part._nearest(x), torch.cdist(x, part.words).argmin(1))


def test_a_finished_network_is_stood_on_and_stays_as_it_is() -> None:
    pictures, classes = _textures()
    rows = np.stack(pictures)
    torch.manual_seed(0)
    backbone = catalog.find("models", "small").build(1, width=8)
    before = {key: value.clone() for key, value in backbone.state_dict().items()}
    network: Any = embedded(catalog.find("models", "logistic").build, InputSpec((64, 64), 1), 2, backbone)
    network.train()
    network.solve(_batches("image", rows, classes))
    assert all(torch.equal(before[key], value) for key, value in backbone.state_dict().items())
    assert not any(weight.requires_grad for weight in network.parameters())
    with torch.inference_mode():
        logits = network.eval()(torch.from_numpy(rows))["logits"].numpy()
    assert (logits.argmax(1) == classes).mean() > 0.9
    assert _exported(network, "image", rows) == pytest.approx(logits, abs=1e-2)
