"""Integers alone: every step answers as the graph it was made of, in one arena, and no float comes before the end."""

import ast
import re
import sys
import tracemalloc
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sightline.core import catalog, golden
from sightline.core.errors import BundleError, SettingsError
from sightline.core.inputs import InputSpec
from sightline.core.task import Graph
from sightline.exporters import _integer_running, _integer_windows, _integer_work, integer
from sightline.exporters._integer_planning import Life, lives_of, placed
from sightline.exporters._integer_program import LARGEST, Program, pack, unpack
from sightline.exporters._integer_weights import MOST
from sightline.exporters._integer_work import Work, blocks
from sightline.testing.without import run_without
from tests.exporters.graphs import Drawing, as_written

pytest.importorskip("onnxruntime")

Draw = Callable[[Drawing], Any]
CURVES: dict[str, Draw] = {
    "relu": lambda d: d.do("Relu", ["x"]),
    "relu6": lambda d: d.do("Clip", ["x", d.fixed(np.float32(0)), d.fixed(np.float32(2))]),
    "sigmoid": lambda d: d.do("Sigmoid", ["x"]),
    "silu": lambda d: (d.do("Sigmoid", ["x"], "s"), d.do("Mul", ["x", "s"])),
    "hard swish": lambda d: d.do("HardSwish", ["x"]),
    "hard sigmoid": lambda d: d.do("HardSigmoid", ["x"], alpha=1 / 6, beta=0.5),
    "tanh": lambda d: d.do("Tanh", ["x"]),
    "gelu": lambda d: d.do("Gelu", ["x"]),
    "gelu by tanh": lambda d: d.do("Gelu", ["x"], approximate="tanh"),
    "leaky": lambda d: d.do("LeakyRelu", ["x"], alpha=0.1),
    "elu": lambda d: d.do("Elu", ["x"]),
    "softplus": lambda d: d.do("Softplus", ["x"]),
    "softplus by parts": lambda d: (
        d.do("Exp", ["x"], "e"), d.do("Add", ["e", d.fixed(np.float32(1))], "o"), d.do("Log", ["o"], "l"),
        d.do("Greater", ["x", d.fixed(np.float32(2))], "g"), d.do("Where", ["g", "x", "l"]),
    ),
    "mish": lambda d: d.do("Mish", ["x"]),
    "a chain": lambda d: (d.do("Abs", ["x"], "a"), d.do("Sqrt", ["a"], "b"), d.do("Neg", ["b"])),
    "a norm": lambda d: d.do(
        "BatchNormalization",
        ["x", *(d.fixed(np.linspace(low, 1.3, 4).astype(np.float32)) for low in (-0.9, -0.5, 0.1, 0.4))],
    ),
}  # fmt: skip
LAYERS: dict[str, Draw] = {
    "conv": lambda d: d.do("Conv", ["x", d.weights((6, 4, 3, 3)), d.bias(6)], pads=[1] * 4),
    "conv, then relu": lambda d: (d.do("Conv", ["x", d.weights((6, 4, 3, 3))], "c"), d.do("Relu", ["c"])),
    "strided": lambda d: d.do("Conv", ["x", d.weights((5, 4, 3, 3))], strides=[2, 3], pads=[1, 0, 2, 1]),
    "dilated": lambda d: d.do("Conv", ["x", d.weights((5, 4, 3, 2))], dilations=[2, 3], pads=[2, 3, 1, 0]),
    "grouped": lambda d: d.do("Conv", ["x", d.weights((6, 2, 3, 3)), d.bias(6)], group=2, pads=[1] * 4),
    "depthwise": lambda d: d.do("Conv", ["x", d.weights((4, 1, 3, 3)), d.bias(4)], group=4, pads=[1] * 4),
    "of one place": lambda d: d.do("Conv", ["x", d.weights((9, 4, 1, 1))]),
    "padded to the same": lambda d: d.do("Conv", ["x", d.weights((5, 4, 2, 2))], auto_pad="SAME_UPPER", strides=[2, 2]),
    "dense": lambda d: (d.do("Flatten", ["x"], "f"), d.do("Gemm", ["f", d.weights((320, 7), 1), d.bias(7)])),
    "dense, turned": lambda d: (
        d.do("Flatten", ["x"], "f"),
        d.do("Gemm", ["f", d.weights((7, 320)), d.bias(7)], transB=1),
    ),
    "a product": lambda d: d.do("MatMul", ["x", d.weights((10, 5), 1)]),
    "the largest": lambda d: d.do("MaxPool", ["x"], kernel_shape=[2, 2], strides=[2, 2]),
    "the largest at borders": lambda d: d.do(
        "MaxPool", ["x"], kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4, ceil_mode=1
    ),
    "the largest of all": lambda d: d.do("GlobalMaxPool", ["x"]),
    "means": lambda d: d.do("AveragePool", ["x"], kernel_shape=[2, 2], strides=[2, 2]),
    "means at borders": lambda d: d.do("AveragePool", ["x"], kernel_shape=[3, 3], pads=[1] * 4),
    "means with borders": lambda d: d.do("AveragePool", ["x"], kernel_shape=[3, 3], pads=[1] * 4, count_include_pad=1),
    "the mean": lambda d: d.do("GlobalAveragePool", ["x"]),
    "the mean of a curve": lambda d: (
        d.do("Gelu", ["x"], "g"),
        d.do("ReduceMean", ["g", d.fixed(np.array([2, 3]))], keepdims=0),
    ),
    "the mean across channels": lambda d: d.do("ReduceMean", ["x", d.fixed(np.array([1]))]),
}
JOINED: dict[str, Draw] = {
    "a sum": lambda d: d.do("Add", ["x", d.another()]),
    "a difference": lambda d: d.do("Sub", ["x", d.another()]),
    "a sum of three": lambda d: (
        d.do("Add", ["x", d.another()], "a"), d.do("Relu", ["x"], "r"), d.do("Sub", ["a", "r"]),
    ),
    "a sum, then relu": lambda d: (d.do("Add", ["x", d.another()], "a"), d.do("Relu", ["a"])),
    "a sum, then silu": lambda d: (
        d.do("Add", ["x", d.another()], "a"), d.do("Sigmoid", ["a"], "s"), d.do("Mul", ["a", "s"]),
    ),
    "a sum, halved": lambda d: (d.do("Add", ["x", d.another()], "a"), d.do("Mul", ["a", d.fixed(np.float32(0.5))])),
    "a product of maps": lambda d: d.do("Mul", ["x", d.another()]),
    "a product, then gelu": lambda d: (d.do("Mul", ["x", d.another()], "p"), d.do("Gelu", ["p"])),
    "the larger": lambda d: d.do("Max", ["x", d.another()]),
    "the smaller": lambda d: d.do("Min", ["x", d.another()]),
    "a gate": lambda d: (
        d.do("GlobalAveragePool", ["x"], "m"), d.rounded("m", "q", 0.004, 128),
        d.do("Conv", ["q", d.weights((4, 4, 1, 1))], "c"), d.rounded("c", "e", 0.01, 128),
        d.do("Sigmoid", ["e"], "s"), d.do("Mul", ["x", "s"]),
    ),
    "two means": lambda d: (
        d.do("ReduceMean", ["x", d.fixed(np.array([2, 3]))], "a", keepdims=0),
        d.do("ReduceMean", [d.another(), d.fixed(np.array([2, 3]))], "b", keepdims=0),
        d.do("Add", ["a", "b"], "t"), d.do("Div", ["t", d.fixed(np.float32(2))]),
    ),
    "the mean of a sum": lambda d: (d.do("Add", ["x", d.another()], "a"), d.do("GlobalAveragePool", ["a"])),
    "a spread": lambda d: (
        d.do("ReduceMean", ["x", d.fixed(np.array([2, 3]))], "m", keepdims=1), d.do("Sub", ["x", "m"], "d"),
        d.do("Mul", ["d", "d"], "q"), d.do("ReduceMean", ["q", d.fixed(np.array([2, 3]))], keepdims=0),
    ),
    "joined": lambda d: d.do("Concat", ["x", d.another()], axis=1),
    "joined, then bent": lambda d: (
        d.do("Neg", ["x"], "n"), d.do("Concat", ["x", "n", d.another()], "c", axis=1), d.do("Gelu", ["c"]),
    ),
}  # fmt: skip
MOVED: dict[str, Draw] = {
    "turned": lambda d: d.do("Transpose", ["x"], perm=[0, 2, 3, 1]),
    "in a row": lambda d: (d.do("Reshape", ["x", d.fixed(np.array([0, -1, 5]))])),
    "mirrored": lambda d: d.do("Slice", ["x", *(d.fixed(np.array([one])) for one in (-1, -(2**40), 3, -1))]),
    "cut": lambda d: d.do("Slice", ["x", *(d.fixed(np.array(one)) for one in ([1, 2], [7, 2**40], [2, 3], [2, 1]))]),
    "padded": lambda d: d.do("Pad", ["x", d.fixed(np.array([0, 0, 1, 2, 0, 0, 0, 3]))]),
    "padded by the edge": lambda d: d.do("Pad", ["x", d.fixed(np.array([0, 0, 1, 2, 0, 0, 0, 3]))], mode="edge"),
    "enlarged": lambda d: d.do(
        "Resize", ["x", "", d.fixed(np.float32([1, 1, 2, 3]))], mode="nearest",
        coordinate_transformation_mode="asymmetric", nearest_mode="floor",
    ),
    "unfolded": lambda d: d.do("DepthToSpace", ["x"], blocksize=2),
    "unfolded otherwise": lambda d: d.do("DepthToSpace", ["x"], blocksize=2, mode="CRD"),
}  # fmt: skip
ALL = {**CURVES, **LAYERS, **JOINED, **MOVED}


@cache
def drawn(name: str) -> tuple[bytes, Any]:
    drawing = Drawing()
    ALL[name](drawing)
    return drawing.ended(), drawing.pixels()


@pytest.mark.parametrize("name", ALL)
def test_every_step_answers_within_one_code_of_the_graph(name: str) -> None:
    graph, pixels = drawn(name)
    wanted = as_written(graph)(pixels)["out"]
    program = unpack(pack(integer.lowered(graph, name)), name)
    got = integer._opened(program, name)(pixels)["out"]
    assert got.shape == wanted.shape
    apart = np.abs(np.rint((got - wanted) / 0.02))
    assert apart.max() <= 1
    assert (apart > 0).mean() <= 0.02, "nearly all of them are the same codes"
    assert len(np.unique(wanted)) > 3, "there was something to tell apart"


@pytest.mark.parametrize("name", ALL)
def test_the_least_memory_gives_the_same_answers(name: str) -> None:
    graph, pixels = drawn(name)
    with pytest.raises(SettingsError, match="bytes of memory") as refusal:
        integer.convert(graph, name, integer.Options("64"))
    need = int(re.search(r"needs ([\d,]+) bytes", refusal.value.message)[1].replace(",", ""))  # type: ignore[index]
    small, usual = (integer.convert(graph, name, integer.Options(memory)) for memory in (need, ""))
    assert integer.told(small, name)["memory"] <= need < integer.told(usual, name)["memory"]
    for output, value in integer.reopen(usual, name)(pixels).items():
        assert np.array_equal(integer.reopen(small, name)(pixels)[output], value)
    with pytest.raises(SettingsError, match="bytes of memory"):
        integer.convert(graph, name, integer.Options(need - 1))


def test_a_budget_names_what_is_needed_the_layer_and_what_to_do() -> None:
    graph = drawn("conv")[0]
    with pytest.raises(SettingsError) as refusal:
        integer.convert(graph, "net", integer.Options("0.1k"))
    told = refusal.value.message
    assert re.search(
        r"net: it needs [\d,]+ bytes of memory \([\d,]+ for its tensors, [\d,]+ to work in\), and 102 are", told
    )
    assert "Most is held at the conv that gives 6 x 8 x 10 numbers ('y')" in told
    assert "smaller size of pictures (task.size) or a smaller network" in told
    for wrong in ("much", "-5", "0", "5 MB of it"):
        with pytest.raises(SettingsError, match="such as 524288, 512k or 1M"):
            integer.convert(graph, "net", integer.Options(wrong))
    sizes = {said: integer._bytes(said) for said in ("2k", "2KiB", "1.5M", "77", 300)}
    assert sizes == {"2k": 2048, "2KiB": 2048, "1.5M": 1572864, "77": 77, 300: 300}


lives = st.lists(
    st.tuples(st.integers(0, 2000), st.integers(-1, 30), st.integers(0, 9)).map(
        lambda one: Life(one[0] * 8, one[1], one[1] + one[2])
    ),
    max_size=30,
)


@settings(max_examples=200, deadline=None)
@given(lives)
def test_what_lives_at_the_same_time_never_shares_a_byte(found: list[Life]) -> None:
    places = placed(found)
    for one, at in zip(found, places, strict=True):
        for other, beside in zip(found, places, strict=True):
            if one is not other and one.first <= other.last and other.first <= one.last and one.size and other.size:
                assert at + one.size <= beside or beside + other.size <= at
    held = [sum(one.size for one in found if one.first <= now <= one.last) for now in range(-1, 41)]
    assert max((at + one.size for at, one in zip(places, found, strict=True)), default=0) >= max(held)


@given(st.lists(st.integers(1, 6), min_size=1, max_size=4), st.integers(1, 50))
def test_pieces_make_a_whole(shape: list[int], most: int) -> None:
    seen = np.zeros(shape, int)
    for place in blocks(shape, most):
        assert seen[place].size <= most
        seen[place] += 1
    assert (seen == 1).all()


def test_what_is_answered_is_not_written_over() -> None:
    drawing = Drawing()
    drawing.do("Add", ["x", drawing.another()])
    drawing.rounded("y", "out", 0.02, 100)
    drawing.do("Gelu", ["out"], "bent again")
    drawing.rounded("bent again", "more", 0.02, 100)
    graph, pixels = drawing.graph(["out", "more"]), drawing.pixels()
    wanted, got = as_written(graph)(pixels), integer.load(graph, "net")(pixels)
    assert all(np.abs(np.rint((got[name] - value) / 0.02)).max() <= 1 for name, value in wanted.items())


@cache
def network(name: str) -> tuple[bytes, Any]:
    """A network of the house, as it begins, in eight bits."""
    import torch

    from sightline.compressing.folding import fold, parsed
    from sightline.compressing.ranges import observe, ranges
    from sightline.compressing.rounding import ROUNDED, written

    torch.manual_seed(0)
    head, channels = catalog.find("heads", "labels"), 1 if name == "lenet" else 3
    model = catalog.find("models", name.split(",")[0]).build(channels)
    module = head(model, InputSpec((32, 32), channels), 10, mirror="mirrored" in name).eval()
    for norm in module.modules():
        if isinstance(norm, torch.nn.BatchNorm2d) and norm.affine:
            torch.nn.init.uniform_(norm.weight, 0.5, 1.5)  # residuals that begin as nothing would test nothing
    graph = Graph(module, {"image": np.zeros((1, 32, 32, channels), np.uint8)}, {"image": (0,)})
    parsed_ = parsed(catalog.find("exporters", "onnx").export(graph))
    fold(parsed_)
    low = np.random.default_rng(0).integers(0, 256, (8, 8, 8, channels))
    pixels = {"image": low.repeat(4, 1).repeat(4, 2).astype(np.uint8)}
    return written(parsed_, ranges(observe(parsed_, ROUNDED, [pixels]), "minmax")), pixels


@pytest.mark.parametrize("name", ["small", "quick, mirrored", "lenet"])
def test_whole_networks_answer_as_their_graphs(name: str) -> None:
    graph, pixels = network(name)
    wanted, got = as_written(graph)(pixels), integer.load(graph, name)(pixels)
    assert got.keys() == wanted.keys()
    for output, value in wanted.items():
        assert np.abs(got[output] - value).max() <= 0.02 * np.abs(value).max()
    assert integer.told(integer.convert(graph, name), name)["floats_at_the_end"] == (
        [] if name == "lenet" else ["Add", "Clip", "Div", "Expand", "ReduceL2", "Sqrt"]
    )


def test_no_array_between_pixels_and_the_end_is_of_floats() -> None:
    """Every array that any function of a pass holds when it returns, and every word of those functions."""
    graph, pixels = network("small")
    program = integer.lowered(graph, "net")
    assert {array.dtype.kind for array in program.arrays} <= {"i", "u"}
    run, seen = integer._opened(program, "net"), set[str]()
    inside = {module.__file__ for module in (_integer_running, _integer_windows, _integer_work)}

    def watch(frame: Any, event: str, _: Any) -> None:
        if event == "return" and frame.f_code.co_filename in inside:
            arrays = [value for value in frame.f_locals.values() if isinstance(value, np.ndarray)]
            seen.update(array.dtype.name for array in arrays)

    sys.setprofile(watch)
    try:
        run(pixels)
    finally:
        sys.setprofile(None)
    assert {"uint8", "int32", "int64"} <= seen <= {"uint8", "int8", "int16", "int32", "int64", "bool"}
    for place in inside:
        tree = ast.parse(Path(str(place)).read_text())
        for node in ast.walk(tree):
            assert not isinstance(node, ast.Div), place
            assert not (isinstance(node, ast.Constant) and isinstance(node.value, float)), place
            assert not (isinstance(node, ast.Attribute) and "float" in node.attr), place


def test_the_arena_is_the_memory_and_nothing_else_is_taken() -> None:
    graph, pixels = network("quick, mirrored")
    program = integer.lowered(graph, "net")
    work = Work(program)
    assert work.memory.nbytes == program.arena + program.scratch
    assert all(np.shares_memory(one, work.memory) for one in work.tensors)
    live = [one for one in lives_of(program) if one.size]
    assert sum(one.size for one in live) > 2 * program.arena, "places are shared"
    fixed = [array.astype(np.int32) if array.dtype == np.int8 else array for array in program.arrays]
    one = {"image": pixels["image"][0]}
    _integer_running.run_steps(work, fixed, one)
    tracemalloc.start()
    _integer_running.run_steps(work, fixed, one)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**16, "views, and what numpy holds while it turns one kind of number into another"


def refused(draw: Draw, match: str) -> None:
    drawing = Drawing()
    draw(drawing)
    with pytest.raises(BundleError, match=match) as refusal:
        integer.convert(drawing.ended(), "net")
    assert "\n" not in refusal.value.message


def after(d: Drawing) -> None:
    """One more layer, so that what came before is no end."""
    d.rounded("t", "q", 0.02, 128)
    d.do("Conv", ["q", d.weights((2, 4, 1, 1))])


def test_what_needs_floats_in_the_middle_is_named() -> None:
    ones = np.ones(10, np.float32)
    norm = lambda d: (d.do("LayerNormalization", ["x", d.fixed(ones)], "t"), after(d))  # noqa: E731
    refused(norm, r"net: .*LayerNormalization that gives 't'.*spread that every picture has its own of")
    refused(lambda d: (d.do("Softmax", ["x"], "t"), after(d)), r"Softmax that gives 't': layers come after it")
    both = lambda d: (d.do("Transpose", ["x"], "u", perm=[0, 1, 3, 2]), d.do("MatMul", ["x", "u"]))  # noqa: E731
    refused(both, r"MatMul that gives 'y': both sides change.*attention")
    larger = {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}
    refused(
        lambda d: d.do("Resize", ["x", "", d.fixed(np.float32([1, 1, 2, 2]))], **larger), r"Resize .* mixes neighbours"
    )
    refused(lambda d: d.do("Div", ["x", d.another()]), r"Div that gives 'y'.*one changing number by another")
    plain = lambda d: d.do("Conv", ["x", d.fixed(np.ones((2, 4, 1, 1), np.float32))])  # noqa: E731
    refused(plain, r"Conv that gives 'y': its weights stayed in floats; compress again")
    refused(lambda d: d.do("CumSum", ["x", d.fixed(np.int64(3))]), r"CumSum that gives 'y': it needs floats")


def test_an_operator_that_nobody_can_tell_the_shape_of_is_named() -> None:
    drawing = Drawing()
    drawing.do("NonZero", ["x"], "places")
    drawing.do("Cast", ["places"], "y", to=1)
    with pytest.raises(BundleError, match="NonZero that gives 'places': it needs floats"):
        integer.convert(drawing.ended(), "net")


def test_sums_that_could_overflow_are_refused() -> None:
    drawing = Drawing((1, 1, 266, 266))
    count = 266 * 266
    codes, steps = np.full((count, 1), 127, np.int8), np.ones(1, np.float32)
    drawing.do("DequantizeLinear", [drawing.fixed(codes), drawing.fixed(steps)], "w", axis=1)
    drawing.do("Flatten", ["x"], "f")
    drawing.do("Gemm", ["f", "w"])
    assert 255 * 127 * count > MOST
    with pytest.raises(BundleError, match=r"a sum of its products can reach .* more than 32 bits hold"):
        integer.convert(drawing.ended(1e3), "net")


def test_a_channel_that_is_a_bias_alone_is_held_in_coarser_steps() -> None:
    drawing, steps = Drawing(), np.float32([0.002, 1e-11])
    codes = np.random.default_rng(0).integers(-127, 128, (2, 4, 3, 3)).astype(np.int8)
    weights = drawing.do("DequantizeLinear", [drawing.fixed(codes), drawing.fixed(steps)], "w", axis=0)
    drawing.do("Conv", ["x", weights, drawing.fixed(np.float32([0.3, 1.7]))])
    graph, pixels = drawing.ended(), drawing.pixels()
    assert MOST < 1.7 / (0.031 * 1e-11)
    apart = integer.load(graph, "net")(pixels)["out"] - as_written(graph)(pixels)["out"]
    assert np.abs(np.rint(apart / 0.02)).max() <= 1


def test_a_graph_that_is_not_in_eight_bits_is_told_how_to_become_one() -> None:
    drawing = Drawing()
    drawing.nodes = drawing.nodes[:4]
    drawing.do("Relu", ["before"])
    for write in (integer.convert, integer.load):
        with pytest.raises(BundleError, match=r"net is not in int8.* sightline compress RUN --methods int8 --to small"):
            write(drawing.graph(["y"]), "net")


def test_a_softmax_at_the_end_runs_on_the_answers_and_is_said() -> None:
    drawing = Drawing()
    drawing.do("GlobalAveragePool", ["x"], "m")
    drawing.do("Flatten", ["m"], "y")
    drawing.rounded("y", "logits", 0.003, 128)
    drawing.do("Softmax", ["logits"], "chances", axis=1)
    drawing.do("LogSoftmax", ["logits"], "logs", axis=1)
    graph = drawing.graph(["chances", "logs", "logits"])
    made = integer.convert(graph, "net")
    assert integer.told(made, "net")["floats_at_the_end"] == ["LogSoftmax", "Softmax"]
    got, wanted = integer.reopen(made, "net")(drawing.pixels()), as_written(graph)(drawing.pixels())
    for name, value in wanted.items():
        assert np.abs(got[name] - value).max() <= 0.003


def test_places_are_added_to_answers_at_the_end() -> None:
    """As the centres of boxes are."""
    drawing = Drawing()
    drawing.do("Softplus", ["x"], "y")
    drawing.rounded("y", "sides", 0.02, 10)
    centres = np.arange(80, dtype=np.float32).reshape(1, 1, 8, 10)
    drawing.do("Sub", [drawing.fixed(centres), "sides"], "corners")
    drawing.do("Concat", ["corners", "sides"], "boxes", axis=1)
    graph, pixels = drawing.graph(["boxes"]), drawing.pixels()
    apart = integer.load(graph, "net")(pixels)["boxes"] - as_written(graph)(pixels)["boxes"]
    assert np.abs(apart).max() <= 0.021


def test_a_sound_seal_around_nonsense_is_refused_too() -> None:
    program = integer.lowered(drawn("conv")[0], "net")
    whole = pack(program)
    held = {name: np.array(array) for name, array in golden.unpack_arrays(whole, "net").items()}
    text = held["program"].tobytes().decode()
    wrong = {
        "a place outside": re.sub(r'"arena":\s*\d+', '"arena": 8', text),
        "much": re.sub(r'"scratch":\s*\d+', f'"scratch": {LARGEST}', text),
        "a step that is none": text.replace('"conv"', '"eval"'),
        "another format": text.replace('"format": 1', '"format": 9'),
        "a tensor that is none": re.sub(r'"gives":\s*\d+', '"gives": 99', text),
        "no list": "[]",
    }
    for name, changed in wrong.items():
        assert changed != text, name
        data = golden.pack_arrays({**held, "program": np.frombuffer(changed.encode(), np.uint8)})
        with pytest.raises(BundleError, match="net"):
            integer.reopen(data, "net")
    assert isinstance(unpack(whole, "net"), Program)


def test_what_was_written_runs_with_numpy_alone(tmp_path: Path) -> None:
    graph, pixels = drawn("a sum, then silu")
    (tmp_path / "net.npz").write_bytes(integer.convert(graph, "net"))
    np.save(tmp_path / "pixels.npy", pixels["image"])
    code = """
import sys
import numpy as np
from sightline.exporters import integer
run = integer.reopen(open(sys.argv[1] + "/net.npz", "rb").read(), "net")
print(run({"image": np.load(sys.argv[1] + "/pixels.npy", allow_pickle=False)})["out"].sum())
"""
    told = run_without(("onnx", "onnxruntime", "torch", "openvino"), code, str(tmp_path))
    assert float(told) == pytest.approx(float(integer.load(graph, "net")(pixels)["out"].sum()), rel=1e-6)
