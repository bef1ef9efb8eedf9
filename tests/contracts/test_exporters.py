"""What every exporter promises; a new one is found by itself. Those whose tool is not here say how to get it."""

from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from sightline.core import catalog
from sightline.core.errors import BundleError, MissingExtraError, SettingsError
from sightline.core.task import Graph
from sightline.testing.without import run_without

ALL = catalog.names("exporters")
NAMES = [name for name in ALL if hasattr(catalog.find("exporters", name), "export")]
CONVERTERS = [name for name in ALL if hasattr(catalog.find("exporters", name), "convert")]  # of the graph of a bundle
RUNTIMES = [name for name in NAMES if hasattr(catalog.find("exporters", name), "load")]
TRACERS = ["onnx", "torch_export"]  # the others write what one of these has traced
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


def _is_here(name: str) -> bool:
    entry = catalog.find("exporters", name)
    here = all(find_spec(library) is not None for library in (*entry.NEEDS, "onnxscript"))
    return here and not getattr(entry, "unprovable", str)()


@pytest.fixture(params=[name for name in NAMES if _is_here(name)])
def exporter(request: pytest.FixtureRequest) -> Any:
    return catalog.find("exporters", request.param)


@pytest.fixture(params=[name for name in RUNTIMES if _is_here(name)])
def runtime(request: pytest.FixtureRequest) -> Any:
    return catalog.find("exporters", request.param)


@cache
def _made(exporter: Any, dtype: str = "uint8", dynamic: tuple[int, ...] = (0,)) -> Any:
    """What an exporter writes of the graph; tracing takes long, so each once."""
    return exporter.export(_graph(dtype, dynamic))


def _onnx() -> bytes:
    data: bytes = _made(catalog.find("exporters", "onnx"))
    return data


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
    data = _made(exporter, dtype)
    assert isinstance(data, bytes) or all(isinstance(one, bytes) for one in data.values()), "a file, or a folder's"
    assert exporter.SUFFIX.startswith(".")
    run = exporter.reopen(data, "pair", 1)
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
    run = exporter.reopen(_made(exporter), "pair", 1)
    with pytest.raises(BundleError, match="pair: the runtime fails on these inputs"):
        run(_inputs(2, size=(20, 12)))


def test_sizes_may_vary_where_they_are_called_dynamic(exporter: Any) -> None:
    graph = _graph(dynamic=(0, 1, 2))
    run = exporter.reopen(_made(exporter, dynamic=(0, 1, 2)), "pair", 1)
    for size in ((16, 12), (20, 34)):
        given = _inputs(2, size=size)
        for name, value in _wanted(graph, given).items():
            assert np.abs(run(given)[name] - value).max() <= 1e-5


def test_the_same_graph_gives_the_same_bytes_and_nothing_is_printed(
    exporter: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    before = _made(exporter)
    capfd.readouterr()
    again = exporter.export(_graph())
    exporter.reopen(again, "pair", 1)
    assert capfd.readouterr() == ("", "")
    assert again == before


def test_no_place_on_this_machine_is_written(exporter: Any) -> None:
    data = _made(exporter)
    folders = [Path(file).parent for file in (__file__, torch.__file__, catalog.__file__)]
    for part in [data] if isinstance(data, bytes) else data.values():
        assert not [str(folder) for folder in folders if str(folder).encode() in part]


def test_a_network_in_training_is_exported_as_it_answers() -> None:
    class Noisy(_Pair):
        def forward(self, first: torch.Tensor, second: torch.Tensor, strength: torch.Tensor) -> Any:
            made = super().forward(first, second, strength)
            return {**made, "score": nn.functional.dropout(made["score"], 0.9, self.training)}

    for exporter in (catalog.find("exporters", name) for name in TRACERS):
        torch.manual_seed(0)
        graph = Graph(Noisy(255).train(), _inputs(1), dict.fromkeys(_inputs(1), (0,)))
        run, given = exporter.reopen(exporter.export(graph), "pair", 1), _inputs(3)
        graph.module.eval()
        assert np.abs(run(given)["score"] - _wanted(graph, given)["score"]).max() <= 1e-5


def test_what_it_did_not_write_is_refused(exporter: Any) -> None:
    strange = _made(exporter)
    strange = strange[:-1] if isinstance(strange, bytes) else {name: data[:-1] for name, data in strange.items()}
    for data in (b"not a graph", strange):
        with pytest.raises(BundleError):
            exporter.reopen(data, "pair")


def test_a_runtime_runs_the_graph_of_a_bundle_in_every_precision(runtime: Any) -> None:
    graph = _graph()
    data, near = _onnx(), {"float32": 1e-5, "bfloat16": 0.02}
    assert runtime.precisions()[0] == "float32"
    for precision in runtime.precisions():
        for threads in (1, 2):
            run = runtime.load(data, "pair", threads, precision)
            for rows in (1, 2, 7, 16):
                got, wanted = run(_inputs(rows)), _wanted(graph, _inputs(rows))
                for name, value in wanted.items():
                    assert got[name].shape == value.shape
                    assert np.abs(got[name] - value).max() <= near[precision]


def test_answers_stay_when_the_next_ones_come(runtime: Any) -> None:
    run = runtime.load(_onnx(), "pair", 1)
    first = run(_inputs(4))
    kept = {name: value.copy() for name, value in first.items()}
    run({name: array[::-1] for name, array in _inputs(4).items()})
    assert all((first[name] == kept[name]).all() for name in kept)


def test_threads_of_one_process_do_not_meet(runtime: Any) -> None:
    run = runtime.load(_onnx(), "pair", 1)
    given = [_inputs(rows) for rows in (1, 2, 3, 5)] * 4
    alone = [run(one) for one in given]
    with ThreadPoolExecutor(4) as pool:
        for mine, theirs in zip(alone, pool.map(run, given), strict=True):
            assert all((mine[name] == theirs[name]).all() for name in mine)


def test_inputs_that_do_not_suit_are_refused(runtime: Any) -> None:
    run, given = runtime.load(_onnx(), "pair", 1), _inputs(2)
    lacking = {name: array for name, array in given.items() if name != "first"}
    for wrong in (lacking, {**given, "first": given["first"].astype(np.float32)}, _inputs(2, size=(12, 16))):
        with pytest.raises(BundleError, match="pair: the runtime fails on these inputs"):
            run(wrong)


def test_graphs_are_scanned_before_a_runtime_sees_them(runtime: Any) -> None:
    for data in (b"not a graph", b"\x08\x0aORTM" + b"\0" * 20):
        with pytest.raises(BundleError, match="net") as refusal:
            runtime.load(data, "net")
        assert "the runtime" not in refusal.value.message


def test_an_unknown_precision_is_refused(runtime: Any) -> None:
    with pytest.raises(SettingsError, match="precision 'float7'"):
        runtime.load(b"", "net", 1, "float7")


@pytest.fixture(params=[name for name in CONVERTERS if _is_here(name)])
def converter(request: pytest.FixtureRequest) -> Any:
    return catalog.find("exporters", request.param)


@cache
def _eight_bits() -> bytes:
    """A small network of pixels, rounded as `compress` rounds."""
    from sightline.compressing.folding import parsed
    from sightline.compressing.ranges import observe, ranges
    from sightline.compressing.rounding import ROUNDED, written

    class Names(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.out = nn.Conv2d(3, 4, 3, 2, 1), nn.Linear(4, 2)

        def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
            made = torch.relu(self.conv(image.float().movedim(-1, 1) / 255))
            return {"score": self.out(made.mean((2, 3)))}

    torch.manual_seed(0)
    graph = Graph(Names().eval(), {"image": np.zeros((1, 16, 12, 3), np.uint8)}, {"image": (0,)})
    model = parsed(catalog.find("exporters", "onnx").export(graph))
    return written(model, ranges(observe(model, ROUNDED, [_pixels(8)]), "minmax"))


def _pixels(rows: int) -> dict[str, np.ndarray]:
    return {"image": np.random.default_rng(rows).integers(0, 256, (rows, 16, 12, 3)).astype(np.uint8)}


def test_what_is_converted_answers_nearly_as_its_graph(converter: Any, capfd: pytest.CaptureFixture[str]) -> None:
    graph, options = _eight_bits(), converter.Options()
    made = converter.convert(graph, "net", options)
    assert converter.SUFFIX.startswith(".")
    assert converter.convert(graph, "net", options) == made, "the same graph gives the same bytes"
    assert capfd.readouterr() == ("", "")
    assert str(Path(catalog.__file__).parent).encode() not in made
    usual, told = catalog.find("exporters", "onnx").load(graph, "net", 1), converter.told(made, "net")
    assert told
    for rows in (1, 3):
        given = _pixels(rows)
        got, wanted = converter.reopen(made, "net", 1)(given), usual(given)
        assert got.keys() == wanted.keys()
        for name, value in wanted.items():
            assert got[name].dtype == np.float32
            assert np.abs(got[name] - value).max() <= converter.CLOSE * np.abs(value).max()
        assert (given["image"] == _pixels(rows)["image"]).all(), "what it was given is left alone"


def test_a_converter_opens_nothing_that_is_damaged(converter: Any) -> None:
    made = converter.convert(_eight_bits(), "net", converter.Options())
    for place in range(0, len(made), len(made) // 50):
        with pytest.raises(BundleError, match="net"):
            converter.reopen(made[:place] + bytes([made[place] ^ 255]) + made[place + 1 :], "net")
    for data in (b"", b"not a program", made[:-1]):
        with pytest.raises(BundleError, match="net"):
            converter.reopen(data, "net")
    with pytest.raises(BundleError, match="net"):
        converter.convert(b"not a graph", "net", converter.Options())


def test_a_runtime_of_some_graphs_says_which_and_refuses_others(converter: Any) -> None:
    assert converter.takes(_eight_bits())
    assert not converter.takes(_onnx())
    for write in (converter.load, converter.convert):
        with pytest.raises(BundleError, match="net"):
            write(_onnx(), "net")
    with pytest.raises(SettingsError, match="precision 'float7'"):
        converter.load(_eight_bits(), "net", 1, "float7")
    run = converter.load(_eight_bits(), "net", 1)
    alone = [run(_pixels(rows)) for rows in (1, 2, 3, 5)]
    with ThreadPoolExecutor(4) as pool:
        for mine, theirs in zip(alone, pool.map(run, [_pixels(rows) for rows in (1, 2, 3, 5)]), strict=True):
            assert (mine["score"] == theirs["score"]).all()
    for wrong in ({}, {"image": _pixels(1)["image"].astype(np.float32)}, {"image": _pixels(1)["image"][:, 1:]}):
        with pytest.raises(BundleError, match="net: the runtime fails on these inputs"):
            run(wrong)


@pytest.mark.parametrize("name", [name for name in NAMES if catalog.find("exporters", name).NEEDS])
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
    lacking = ("onnx", "onnxscript") if name == "onnx" else catalog.find("exporters", name).NEEDS
    assert MissingExtraError.code == "missing_extra"
    told = run_without(lacking, code)
    assert "is not installed. " in told
    assert "pip install " in told
