"""Commands in processes of their own that begin with the large libraries loaded: what a fresh one spends most time on.

What `words_of` gives runs in a child of a process that has loaded the libraries and nothing of ours, with the folder,
environment and streams of whoever runs it. The child is what a fresh process would be, some seconds later. Other tests
start fresh ones: how a command begins, what it imports and how it dies are theirs.
"""

from __future__ import annotations

import atexit
import os
import shlex
import subprocess
import sys
import tempfile
import time
from functools import cache
from pathlib import Path

CLIENT = Path(__file__).with_name("client.py")
ABLE = hasattr(os, "pidfd_open")  # elsewhere every process is a fresh one
START = 180  # seconds in which the libraries are there


def words_of(*words: str) -> list[str]:
    """What to run in place of `python *words`, with `words` such as `-m sightline list` or `-c "print(1)"`."""
    return [sys.executable, "-IS", str(CLIENT), _door(), *words] if ABLE else [sys.executable, *words]


def command(folder: Path) -> str:
    """A folder for the front of the path, whose `sightline` begins warm."""
    if ABLE:
        folder.mkdir(exist_ok=True)
        script = folder / "sightline"
        script.write_text(f'#!/bin/sh\nexec {shlex.join(words_of("-m", "sightline"))} "$@"\n')
        script.chmod(0o755)
        return str(folder)
    return str(Path(sys.executable).parent)


@cache
def _door() -> str:
    """The socket of this test process's own warm process, which ends with it."""
    place = Path(tempfile.mkdtemp(prefix="warm-")) / "door"
    server = subprocess.Popen([sys.executable, str(CLIENT.with_name("server.py")), str(place)], stdin=subprocess.PIPE)
    end = time.monotonic() + START
    while not place.exists():
        if server.poll() is not None or time.monotonic() > end:
            raise RuntimeError("the process that loads the libraries for others did not begin")
        time.sleep(0.05)
    atexit.register(server.communicate)  # closes its input, which ends it; so does a death without this
    return str(place)
