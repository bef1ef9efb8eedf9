"""What every model promises; a new one is found by itself, and asked for its cost at 64 pixels."""

import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sightline.core import catalog
from sightline.core.errors import UnknownNameError
from sightline.core.task import Graph
from sightline.evaluating.counting import count_multiplications, count_parameters

PAGE = Path(__file__).parent.parent.parent / "docs" / "models.md"
SHAPES = {"pyramid", "logits", "picture", "vector"}  # what GIVES may say
# A door to another library has no size of its own; what stands behind it is that library's. Nor has a learner of
# features, which keeps as much as the data asks for: tests/models/test_learners.py.
NAMES = [name for name in catalog.names("models") if catalog.find("models", name).PARAMETERS is not None]
SIZES = [f"{name}:{size}" for name in NAMES for size in getattr(catalog.find("models", name), "VARIANTS", ())]


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def _built(name: str, channels: int = 3, **settings: Any) -> torch.nn.Module:
    torch.manual_seed(0)
    network: torch.nn.Module = catalog.find("models", name).build(channels, **settings)
    return network


def _outputs(made: Any) -> list[torch.Tensor]:
    return list(made) if isinstance(made, list | tuple) else [made]


def _inputs(network: Any, rows: int, channels: int, size: tuple[int, int]) -> tuple[torch.Tensor, ...]:
    """A picture, and a time where the model is told one."""
    chance = torch.Generator().manual_seed(1)
    timed = getattr(network, "time", None) is not None
    times = (torch.linspace(0.1, 0.9, rows),) if timed else ()
    return (torch.randn(rows, channels, *size, generator=chance), *times)


def _stirred(network: torch.nn.Module) -> torch.nn.Module:
    """Weights that begin as zero hide what lies behind them; none is zero here."""
    chance = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(torch.randn(weight.shape, generator=chance) * 0.05)
    return network


def test_it_says_what_it_gives_and_how_big_it_is(name: str) -> None:
    found = catalog.find("models", name)
    assert found.GIVES in SHAPES
    assert isinstance(found.USE, str)
    assert count_parameters(found.build()) == found.PARAMETERS


@pytest.mark.parametrize("name", SIZES)
def test_every_size_is_as_big_as_it_says(name: str) -> None:
    found = catalog.find("models", name)
    with torch.device("meta"):
        assert count_parameters(found.build(3)) == found.PARAMETERS
    assert found.GIVES == catalog.find("models", name.split(":")[0]).GIVES


@pytest.mark.parametrize("name", SIZES + [name for name in NAMES if not any(n.startswith(f"{name}:") for n in SIZES)])
def test_the_page_of_models_names_it_with_its_size(name: str) -> None:
    found = catalog.find("models", name)
    if not catalog.find("models", name.split(":")[0]).__name__.startswith("sightline."):
        return  # of another package, which has pages of its own
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith(f"| `{name}` |")]
    assert any(f" {found.PARAMETERS:,} " in line for line in lines), "run: python docs/models_table.py"


@pytest.mark.parametrize("name", NAMES)
def test_a_size_that_is_not_there_is_one_line(name: str) -> None:
    with pytest.raises(UnknownNameError, match="has no"):
        catalog.find("models", f"{name}:gigantic")


def test_its_cost_is_the_one_on_record(name: str) -> None:
    network = _built(name).eval()
    cost = count_multiplications(network, *_inputs(network, 1, 3, (64, 64)))
    assert cost == catalog.find("models", name).COST, "a change of architecture must be meant"


@pytest.mark.parametrize("channels", [1, 3, 5])
@pytest.mark.parametrize("size", [(64, 64), (65, 47)])
def test_any_number_of_channels_and_any_size(name: str, channels: int, size: tuple[int, int]) -> None:
    gives = catalog.find("models", name).GIVES
    network = _built(name, channels).eval()
    with torch.inference_mode():
        made = _outputs(network(*_inputs(network, 2, channels, size)))
    assert all(len(map_) == 2 and bool(torch.isfinite(map_).all()) for map_ in made)
    if gives == "picture":
        assert made[0].shape == (2, channels, *size)
    if gives == "pyramid":
        assert len(made) == len(network.widths) == len(network.strides)
        for map_, width, stride in zip(made, network.widths, network.strides, strict=True):
            assert map_.shape == (2, width, -(-size[0] // stride), -(-size[1] // stride))
    if gives in ("logits", "vector"):
        assert made[0].ndim == 2


def test_gradients_reach_every_parameter_or_it_solves(name: str) -> None:
    network = _built(name)
    if hasattr(network, "solve"):
        _solves(network)
        return
    network = _stirred(network).train()
    given = _inputs(network, 4, 3, (64, 64))
    sum(map_.square().mean() for map_ in _outputs(network(*given))).backward()  # type: ignore[union-attr]
    still = [
        label
        for label, weight in network.named_parameters()
        if weight.grad is None or not bool(torch.isfinite(weight.grad).all()) or not bool(weight.grad.any())
    ]
    assert still == []


def _solves(network: Any) -> None:
    """Two kinds of pictures that differ by their texture: every one is told after one look."""
    chance = torch.Generator().manual_seed(3)
    pictures = torch.randn(40, 3, 32, 32, generator=chance)
    classes = torch.arange(40) % 2
    pictures[classes == 1] = torch.nn.functional.avg_pool2d(pictures[classes == 1], 5, 1, 2) * 3
    network.solve(iter([(pictures[:20], classes[:20]), (pictures[20:], classes[20:])]))
    assert bool((network(pictures).argmax(1) == classes).all())


def test_the_exported_graph_answers_alike(name: str) -> None:
    exporter = catalog.find("exporters", "onnx")
    pytest.importorskip("onnxscript")
    few = getattr(catalog.find("models", name), "SHALLOW", {})
    timed = "time" in inspect.signature(catalog.find("models", name).build).parameters
    network = _stirred(_built(name, 5, **({"time": True} if timed else few))).eval()
    given = _inputs(network, 1, 5, (64, 48))
    named = {label: array.numpy() for label, array in zip(("x", "time"), given, strict=False)}
    run = exporter.load(exporter.export(Graph(_Named(network), named, dict.fromkeys(named, (0,)))), name, 1)
    again = _inputs(network, 3, 5, (64, 48))
    with torch.inference_mode():
        wanted = _outputs(network(*again))
    got = run({label: array.numpy() for label, array in zip(named, again, strict=True)})
    for place, map_ in enumerate(wanted):
        scale = max(1.0, float(map_.abs().max()))
        assert np.abs(got[f"out{place}"] - map_.numpy()).max() <= 1e-4 * scale


class _Named(torch.nn.Module):
    """Outputs by name, as an exporter wants them."""

    def __init__(self, network: torch.nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: torch.Tensor, time: torch.Tensor | None = None) -> dict[str, torch.Tensor]:
        made = self.network(x) if time is None else self.network(x, time)
        return {f"out{place}": map_ for place, map_ in enumerate(_outputs(made))}
