"""How much memory a runtime takes for a graph: the peak of a process that opens it and answers a full batch."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
from pathlib import Path

import numpy as np

from sightline.core.task import Arrays
from sightline.predicting.runtimes import Form, open_graph

SECONDS = 120  # that such a process may take
_CHILD = "from sightline.predicting.weighing import main; main()"


def weigh(graph: bytes, form: Form, given: Arrays, threads: int | None = None) -> float:
    """Bytes at the peak, Python and libraries among them; NaN where the system does not tell or the process fails."""
    shapes = {name: [list(array.shape), str(array.dtype)] for name, array in given.items()}
    head = json.dumps([form.runtime, form.precision, threads, shapes]).encode()
    try:
        done = subprocess.run(
            [sys.executable, "-c", _CHILD],
            input=head + b"\n" + graph,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
        return float(done.stdout or "nan") if done.returncode == 0 else math.nan
    except (subprocess.TimeoutExpired, OSError, ValueError):
        return math.nan


def main() -> None:
    """In the process of its own: the graph on standard input, two passes, and the peak on standard output."""
    runtime, precision, threads, shapes = json.loads(sys.stdin.buffer.readline())
    run = open_graph(Form(runtime, precision), sys.stdin.buffer.read(), "the graph", threads)
    for _ in range(2):
        run({name: np.zeros(shape, dtype) for name, (shape, dtype) in shapes.items()})
    sys.stdout.write(str(peak()))


def peak() -> float:
    """The most bytes that this process held at a time; NaN where the system does not tell."""
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    except OSError:
        return math.nan
    return 1024.0 * int(found[1]) if found else math.nan
