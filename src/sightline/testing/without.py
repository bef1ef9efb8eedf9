"""A child process in which some libraries are not there, whatever this machine has installed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import sightline

_GATE = """
import sys
class Gate:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {missing!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Gate())
"""


def run_without(missing: tuple[str, ...], code: str, *words: str, seconds: float = 120) -> str:
    """What `code` prints in a fresh Python that cannot import these libraries; its traceback where it fails."""
    source = str(Path(sightline.__file__).parent.parent)
    paths = [source, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    done = subprocess.run(
        [sys.executable, "-c", _GATE.format(missing=set(missing)) + code, *words],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    if done.returncode:
        raise AssertionError(f"the child failed with {done.returncode}:\n{done.stderr[-2000:]}")
    return done.stdout
