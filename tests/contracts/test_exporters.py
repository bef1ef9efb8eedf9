"""What every exporter promises; a new one is found by itself."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from sightline.core import catalog
from sightline.core.errors import BundleError, MissingExtraError
from sightline.core.task import Graph
from sightline.testing.without import run_without

NAMES = catalog.names("exporters")
DEPTHS = {"uint8": 255, "uint16": 65535, "float32": 1}


class _Pair(nn.Module):
    """Two pictures and a number a row, to a map and a score: what a graph may take and give."""

    def __init__(self, top: float) -> None:
        super().__init__()
        self.top, self.conv, self.out = top, nn.Conv2d(6, 4, 3, 2, 1), nn.Linear(5, 2)

    def forward(self, first: torch.Tensor, second: torch.Tensor, strength: torch.Tensor) -> dict[str, torch.Tensor]:
        both = torch.cat([first.float(), second.float()], -1).movedim(-1, 1) / self.top
        made = torch.relu(self.conv(both))
        score = self.out(torch.cat([made.mean((2, 3)), strength[:, None]], 1))
        return {"map": made.movedim(1, -1), "score": score}


@pytest.fixture(params=NAMES)
def exporter(request: pytest.FixtureRequest) -> Any:
    pytest.importorskip("onnxscript")
    pytest.importorskip("onnxruntime")
    return catalog.find("exporters", request.param)


def _inputs(rows: int, dtype: str = "uint8", size: tuple[int, int] = (16, 12)) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(rows)
    pictures = {name: (rng.random((rows, *size, 3)) * DEPTHS[dtype]).astype(dtype) for name in ("first", "second")}
    return {**pictures, "strength": rng.standard_normal(rows).astype(np.float32)}


def _graph(dtype: str = "uint8", dynamic: tuple[int, ...] = (0,)) -> Graph:
    torch.manual_seed(0)
    network, example = _Pair(DEPTHS[dtype]).eval(), _inputs(1, dtype)
    return Graph(network, example, {"first": dynamic, "second": dynamic, "strength": (0,)})


def _wanted(graph: Graph, given: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    with torch.inference_mode():
        made = graph.module(**{name: torch.from_numpy(array) for name, array in given.items()})
    return {name: value.numpy() for name, value in made.items()}


@pytest.mark.parametrize("dtype", DEPTHS)
def test_several_inputs_and_outputs_of_any_depth_and_number_of_rows(exporter: Any, dtype: str) -> None:
    graph = _graph(dtype)
    data = exporter.export(graph)
    assert isinstance(data, bytes)
    assert exporter.SUFFIX.startswith(".")
    run = exporter.load(data, "pair", 1)
    for rows in (1, 3, 16):
        given = _inputs(rows, dtype)
        before = {name: array.copy() for name, array in given.items()}
        got, wanted = run(given), _wanted(graph, given)
        assert got.keys() == wanted.keys()
        for name, value in wanted.items():
            assert got[name].dtype == np.float32
            assert np.abs(got[name] - value).max() <= 1e-5
        assert all((given[name] == before[name]).all() for name in given), "what it was given is left alone"


def test_what_is_not_called_dynamic_stays_fixed(exporter: Any) -> None:
    run = exporter.load(exporter.export(_graph()), "pair", 1)
    with pytest.raises(BundleError, match="pair: the runtime fails on these inputs"):
        run(_inputs(2, size=(20, 12)))


def test_sizes_may_vary_where_they_are_called_dynamic(exporter: Any) -> None:
    graph = _graph(dynamic=(0, 1, 2))
    run = exporter.load(exporter.export(graph), "pair", 1)
    for size in ((16, 12), (20, 34)):
        given = _inputs(2, size=size)
        for name, value in _wanted(graph, given).items():
            assert np.abs(run(given)[name] - value).max() <= 1e-5


def test_the_same_graph_gives_the_same_bytes(exporter: Any) -> None:
    assert exporter.export(_graph()) == exporter.export(_graph())


def test_a_network_in_training_is_exported_as_it_answers(exporter: Any) -> None:
    class Noisy(_Pair):
        def forward(self, first: torch.Tensor, second: torch.Tensor, strength: torch.Tensor) -> Any:
            made = super().forward(first, second, strength)
            return {**made, "score": nn.functional.dropout(made["score"], 0.9, self.training)}

    torch.manual_seed(0)
    graph = Graph(Noisy(255).train(), _inputs(1), dict.fromkeys(_inputs(1), (0,)))
    run, given = exporter.load(exporter.export(graph), "pair", 1), _inputs(3)
    graph.module.eval()
    assert np.abs(run(given)["score"] - _wanted(graph, given)["score"]).max() <= 1e-5


def test_nothing_is_printed(exporter: Any, capfd: pytest.CaptureFixture[str]) -> None:
    exporter.load(exporter.export(_graph()), "pair", 1)
    assert capfd.readouterr() == ("", "")


def test_bytes_that_are_no_graph_are_refused(exporter: Any) -> None:
    with pytest.raises(BundleError):
        exporter.load(b"not a graph", "pair")


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_library_is_named_with_the_line_that_installs_it(name: str) -> None:
    code = f"""
from sightline.core import catalog
from sightline.core.errors import MissingExtraError
from sightline.core.task import Graph
try:
    catalog.find("exporters", {name!r}).export(Graph(None, {{}}, {{}}))
except MissingExtraError as error:
    print(error.message)
"""
    assert MissingExtraError.code == "missing_extra"
    assert run_without(("onnx", "onnxscript"), code).strip() == (
        "onnxscript is not installed. It comes with an extra: pip install 'sightline[export]'"
    )
