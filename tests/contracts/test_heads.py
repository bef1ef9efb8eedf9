"""What every head promises; a new one is found by itself, tried on a model that suits it, and exported."""

import inspect
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from sightline.core import catalog
from sightline.core.inputs import InputSpec
from sightline.core.task import Graph

# Those of models that are solved take such a model unbuilt; tests/heads/test_described.py asks them.
NAMES = [name for name in catalog.names("heads") if name not in ("described", "embedded")]
TOPS = {"uint8": 255, "uint16": 65535, "float32": 1}
# Which model each head stands on, and with which settings that model is built.
SUITS: dict[str, tuple[str, dict[str, Any]]] = {
    "boxes": ("small", {"width": 8}),
    "labels": ("small", {"width": 8}),
    "marks": ("small", {"width": 8}),
    "numbers": ("small", {"width": 8}),
    "vector": ("small", {"width": 8}),
    "picture": ("unet", {"width": 8}),
    "velocity": ("unet", {"width": 8, "time": True}),
}


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def _built(name: str, spec: InputSpec) -> nn.Module:
    assert name in SUITS, f"add the model that suits '{name}' to SUITS"
    model, settings = SUITS[name]
    torch.manual_seed(0)
    head = catalog.find("heads", name)
    numbers = [5] * (len([p for p in inspect.signature(head).parameters.values() if p.default is p.empty]) - 2)
    built: nn.Module = head(catalog.find("models", model).build(spec.channels, **settings), spec, *numbers)
    with torch.no_grad():
        for weight in built.parameters():
            weight.add_(torch.randn(weight.shape) * 0.03)
    return built.eval()


def _inputs(network: nn.Module, spec: InputSpec, rows: int, seed: int = 0) -> dict[str, np.ndarray]:
    rng, shape = np.random.default_rng(seed), (rows, *spec.size, spec.channels)
    given: dict[str, np.ndarray] = {}
    for word in inspect.signature(network.forward).parameters:
        if word == "image":
            given[word] = (rng.random(shape) * TOPS[spec.dtype]).astype(spec.dtype)
        else:
            given[word] = rng.standard_normal(shape if word == "picture" else rows).astype(np.float32)
    return given


def _run(network: nn.Module, given: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    with torch.inference_mode():
        out = network(**{label: torch.from_numpy(array) for label, array in given.items()})
    return {label: value.numpy() for label, value in out.items()}


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("channels", [1, 3, 5])
def test_named_outputs_a_row_a_picture(name: str, dtype: str, channels: int) -> None:
    spec = InputSpec((64, 96), channels, dtype)
    network = _built(name, spec)
    for rows in (1, 3):
        made = _run(network, _inputs(network, spec, rows))
        assert made
        assert all(isinstance(label, str) and value.dtype == np.float32 for label, value in made.items())
        assert all(len(value) == rows and np.isfinite(value).all() for value in made.values())


def test_neighbours_change_nothing(name: str) -> None:
    spec = InputSpec((64, 64))
    network = _built(name, spec)
    given = _inputs(network, spec, 4)
    whole, alone = _run(network, given), _run(network, {label: array[2:3] for label, array in given.items()})
    for label, value in whole.items():
        assert np.abs(value[2] - alone[label][0]).max() <= 1e-5 * max(1.0, float(np.abs(value).max()))


def test_the_depth_of_the_pixels_is_scaled_inside(name: str) -> None:
    """The same picture in 8 and 16 bits gives the same answers: 257 is 65535 / 255."""
    spec, deep = InputSpec((64, 64), 3, "uint8"), InputSpec((64, 64), 3, "uint16")
    network, deeper = _built(name, spec), _built(name, deep)
    given = _inputs(network, spec, 2)
    twin = {
        label: array.astype(np.uint16) * 257 if array.dtype == np.uint8 else array for label, array in given.items()
    }
    for (label, value), other in zip(_run(network, given).items(), _run(deeper, twin).values(), strict=True):
        assert np.abs(value - other).max() <= 1e-4 * max(1.0, float(np.abs(value).max())), label


def test_gradients_reach_every_parameter(name: str) -> None:
    spec = InputSpec((64, 64), 3, "uint8")
    network = _built(name, spec).train()
    given = {label: torch.from_numpy(array) for label, array in _inputs(network, spec, 4).items()}
    chance = torch.Generator().manual_seed(5)
    made = network(**given)
    sum((value * torch.randn(value.shape, generator=chance)).sum() for value in made.values()).backward()
    reached = {label for label, weight in network.named_parameters() if weight.grad is not None and weight.grad.any()}
    # a level of a pyramid that a head does not read has nothing to learn from it
    assert {label for label, _ in network.named_parameters() if label not in reached} == set()


def test_the_exported_head_answers_alike(name: str) -> None:
    pytest.importorskip("onnxscript")
    exporter = catalog.find("exporters", "onnx")
    spec = InputSpec((64, 96), 3, "uint16")
    network = _built(name, spec)
    example = _inputs(network, spec, 1)
    run = exporter.load(exporter.export(Graph(network, example, dict.fromkeys(example, (0,)))), name, 1)
    for rows in (1, 3):
        given = _inputs(network, spec, rows, seed=rows)
        got = run(given)
        for label, value in _run(network, given).items():
            assert np.abs(got[label] - value).max() <= 1e-4 * max(1.0, float(np.abs(value).max())), label
