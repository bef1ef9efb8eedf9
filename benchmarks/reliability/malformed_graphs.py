"""Malformed ONNX graphs at every loader that runs graphs: typed errors only, and no process that ends.

    PYTHONPATH=src:. python benchmarks/reliability/malformed_graphs.py [--count 300] [--runtimes onnx openvino]

A third of the graphs are sound bytes with flips, cuts and pieces moved; a third are well-formed and make no sense; a
third hold any operator that is published, with inputs and attributes drawn at random. What the scan lets through is
opened by the runtime and asked about two rows, in a process of its own: when one dies, the graph that killed it is told
and the next process goes on behind it.
"""

from __future__ import annotations

import argparse
import base64
import collections
import platform
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from sightline.exporters.openvino import OPERATORS
from tests.core.test_onnxscan import model, mutant, structural

QUICK = True
CHILD = """
import base64, sys
import numpy as np
from sightline.core import catalog
from sightline.core.errors import BundleError
from sightline.core.onnxscan import check_onnx
entry = catalog.find("exporters", sys.argv[1])
for line in sys.stdin:
    data = base64.b64decode(line)
    try:
        check_onnx(data, "m")
    except BundleError:
        print("refused", flush=True)
        continue
    try:
        run = entry.load(data, "m", 1)
    except BundleError:
        print("declined", flush=True)
        continue
    except Exception as error:
        print("untyped:" + type(error).__name__, flush=True)
        continue
    try:
        run({"x": np.ones((2, 3, 4, 4), np.float32)})
        print("answered", flush=True)
    except BundleError:
        print("failed", flush=True)
    except Exception as error:
        print("untyped:" + type(error).__name__, flush=True)
"""


def plain() -> Any:
    """A convolution, a reshaping and a matrix, and constants for whatever else is drawn."""
    node, rng = onnx.helper.make_node, np.random.default_rng(0)
    nodes = [
        node("Conv", ["x", "w"], ["c"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        node("Relu", ["c"], ["h"]),
        node("Reshape", ["h", "shape"], ["f"]),
        node("MatMul", ["f", "k"], ["y"]),
    ]
    weights = {
        "w": rng.normal(size=(4, 3, 3, 3)).astype(np.float32),
        "one": np.ones(1, np.float32),
        "half": np.float32(0.5),
        "scales": np.array([1, 1, 2, 2], np.float32),
        "shape": np.array([0, -1]),
        "k": rng.normal(size=(64, 5)).astype(np.float32),
    }
    return model(nodes, weights)


def any_operator(seed: int) -> bytes:
    """One operator, drawn with its attributes from all that are published, on inputs that need not suit it.

    Every other one is of those that OpenVINO is given.
    """
    chance = random.Random(seed)
    known = [one for one in onnx.defs.get_all_schemas() if one.domain in ("", "ai.onnx.ml") and not one.deprecated]
    schema = chance.choice([one for one in known if one.name in OPERATORS] if seed % 2 else known)
    kinds = onnx.defs.OpSchema.AttrType
    numbers = [-2, -1, 0, 1, 2, 3, 7, 255, 2**20]
    given: dict[str, Any] = {}
    for name, attribute in schema.attributes.items():
        if chance.random() < 0.4 and not attribute.required:
            continue
        row = [chance.choice(numbers) for _ in range(chance.randrange(1, 5))]
        drawn = {
            kinds.INT: row[0],
            kinds.INTS: row,
            kinds.FLOAT: float(row[0]),
            kinds.FLOATS: [float(number) for number in row],
            kinds.STRING: chance.choice(["", "linear", "constant", "SAME_UPPER", "bilinear", "ADD", "x"]),
            kinds.STRINGS: ["x"] * len(row),
        }
        if attribute.type in drawn:
            given[name] = drawn[attribute.type]
    places = ["x", "w", "one", "half", "scales", "shape", "k", "i"]
    most = min(schema.max_input, 6)
    inputs = [chance.choice(places) for _ in range(chance.randint(min(schema.min_input, most), most))]
    outputs = ["o", *(f"o{number}" for number in range(1, max(1, schema.min_output)))]
    made = plain()
    made.graph.node.append(onnx.helper.make_node(schema.name, inputs, outputs, domain=schema.domain, **given))
    made.graph.initializer.append(onnx.numpy_helper.from_array(np.array([[0, 1], [-1, 9]]), "i"))
    made.graph.output.append(onnx.helper.make_tensor_value_info("o", onnx.TensorProto.FLOAT, None))
    made.opset_import.append(onnx.helper.make_opsetid("ai.onnx.ml", 4))
    data: bytes = made.SerializeToString()
    return data


def outcomes(name: str, graphs: list[bytes], keep: Path) -> collections.Counter[str]:
    """What became of each graph; a process that ends counts against the graph it was at."""
    told: list[str] = []
    while len(told) < len(graphs):
        lines = "\n".join(base64.b64encode(graph).decode() for graph in graphs[len(told) :])
        words = [sys.executable, "-c", CHILD, name]
        done = subprocess.run(words, input=lines, capture_output=True, text=True, check=False)
        told += done.stdout.split()
        if done.returncode:
            (keep / f"{name}-{len(told)}.onnx").write_bytes(graphs[len(told)])
            print(f"{name}: graph {len(told)} ended its process ({done.returncode}): {done.stderr[-200:].strip()}")
            told.append(f"ended:{done.returncode}")
    return collections.Counter(told)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--runtimes", nargs="+", default=["onnx", "openvino"])
    given = parser.parse_args()
    sound = model().SerializeToString()
    third = range(given.seed, given.seed + given.count // 3)
    graphs = [mutant(seed, sound) for seed in third] + [structural(seed) for seed in third]
    graphs += [any_operator(seed) for seed in third]
    keep = Path(tempfile.mkdtemp(prefix="sightline-graphs-"))
    print(f"{platform.machine()}, Python {platform.python_version()}, {len(graphs)} graphs; killers are kept in {keep}")
    bad = 0
    for name in given.runtimes:
        found = outcomes(name, graphs, keep)
        bad += sum(count for kind, count in found.items() if ":" in kind)
        print(f"{name:10}", ", ".join(f"{kind} {count}" for kind, count in sorted(found.items())), flush=True)
    print(f"processes ended or errors without a type: {bad}")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
