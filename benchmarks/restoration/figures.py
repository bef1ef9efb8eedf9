"""What the shipped bundles reach on the published protocols, beside doing nothing, classical filters and papers.

    PYTHONPATH=src python benchmarks/restoration/figures.py [--data FOLDER] [--weights FOLDER] [--only WORD] [--fast]

Pictures go through the bundles as `sightline enhance` sends them, without torch. `--fast` leaves the classical filters
out. Set5 and Set14 are enlarged in colour and measured on their luma; columns of papers are what they print.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from sightline.core import catalog
from sightline.enhancing import weights

sys.path[:0] = [str(Path(__file__).parent)]
import protocol  # noqa: E402 - after the path

CLASSICAL = {  # ours, in their own settings: told no more than the networks are
    "denoise": ("non_local_means", "total_variation", "wavelet", "sliding_cosines"),
    "deblock": ("soften_blocks",),
}


def rivals(task: str) -> dict[str, Callable[[np.ndarray], Any]]:
    """The classical filters that are there, by name."""
    known = set(catalog.names("filters"))
    return {name: catalog.find("filters", name) for name in CLASSICAL.get(task, ()) if name in known}


def row(one: protocol.Protocol, data: Path, folder: Path | None, fast: bool) -> str:
    """One line of the table."""
    cases = list(one.cases(data))
    untouched = protocol.plain(one)
    before = float(np.mean([case.decibels(untouched(case.given)) for case in cases]))
    begun, pixels = time.process_time(), sum(case.given.shape[0] * case.given.shape[1] for case in cases)
    restore = partial(weights.through, one.task, folder=folder)
    ours = float(np.mean([case.decibels(restore(pixels=case.given)) for case in cases]))
    speed = pixels / 1e6 / (time.process_time() - begun)
    told = [f"{one.name:21} {before:7.2f} {ours:7.2f} {ours - before:+6.2f} {speed:8.2f}  "]
    for name, change in ({} if fast else rivals(one.task)).items():
        reached = np.mean([case.decibels(change(np.clip(case.given, 0, None))) for case in cases])
        told.append(f"{name} {reached:.2f}")
    return "  ".join([*told, *(f"[{name} {value:.2f}]" for name, value in one.published.items())])


def main() -> None:
    parser = protocol.parser(str(__doc__))
    parser.add_argument("--weights", type=Path, help="a folder of bundles other than those shipped")
    parser.add_argument("--fast", action="store_true")
    given = parser.parse_args()
    data = protocol.folder_of(given)
    if data is None:
        return
    print(f"{'':21} {'plain':>7} {'ours':>7} {'gain':>6} {'MP/CPU s':>8}   classical, [papers]")
    for one in protocol.PROTOCOLS:
        if given.only in one.name:
            if weights.there(one.task, given.weights):
                print(row(one, data, given.weights, given.fast), flush=True)
            else:
                print(f"{one.name:21} no weights for {one.task}")


if __name__ == "__main__":
    main()
