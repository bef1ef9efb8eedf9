"""A process that watches a folder and notes each picture in a file, for tests that kill it."""

from __future__ import annotations

import os
import sys

from sightline.core.data import open_stream


def main(folder: str, state: str, log: str) -> None:
    """Note the id of every picture that comes; ids that are noted already are passed over."""
    handle = os.open(log, os.O_RDWR | os.O_CREAT | os.O_APPEND)
    with open(log) as file:
        noted = set(file.read().split("\n"))
    with open_stream(f"watch:{folder}?settle=0&every=0.01&idle=1.0&remember={state}") as stream:
        for shot in stream:
            if shot.id not in noted:
                os.write(handle, f"{shot.id}\n".encode())


if __name__ == "__main__":
    main(*sys.argv[1:])
