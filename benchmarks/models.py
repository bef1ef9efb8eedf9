"""How many pictures a second each network of small pictures learns from, in each precision and layout.

One step is forward, backward and an SGD update of a batch of 32 x 32 pictures. Interleaved in one process, medians of
processor time on one thread; the last column is the best mode against plain float32.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional

from sightline.core import catalog

QUICK = False
NAMES = (
    "tutorial",
    "lenet",
    "small",
    "quick:s",
    "quick:m",
    "quick:l",
    "quick:xl",
    "hybrid",
    "kan:plain",
    "kan:rational",
    "kan:rbf",
)
MODES = [(precision, layout) for precision in ("float32", "bfloat16") for layout in ("plain", "channels_last")]


class Answer(nn.Module):
    """A network with scores on it, as the task of labels would put them."""

    def __init__(self, name: str) -> None:
        super().__init__()
        found = catalog.find("models", name)
        self.network = found.build(3, **({"count": 10} if found.GIVES == "logits" else {}))
        widths = getattr(self.network, "widths", None)
        self.head = nn.Linear(widths[-1], 10) if widths else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        made = self.network(x)
        return made if self.head is None else self.head(made[-1].mean((2, 3)))


def step(name: str, precision: str, layout: str, rows: int) -> Callable[[], None]:
    torch.manual_seed(0)
    form = torch.channels_last if layout == "channels_last" else torch.contiguous_format
    network = Answer(name).to(memory_format=form)
    optimiser = torch.optim.SGD(network.parameters(), 0.01, 0.9)
    x, y = torch.randn(rows, 3, 32, 32).contiguous(memory_format=form), torch.arange(rows) % 10

    def learn() -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
            loss = functional.cross_entropy(network(x).float(), y)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    return learn


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--names", nargs="+", default=list(NAMES))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=64)
    given = parser.parse_args()
    torch.set_num_threads(1)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, one thread, torch {torch.__version__}, {commit.stdout.strip()}"
    )
    print(f"{'pictures a second':18}" + "".join(f"{f'{p} {c}':>24}" for p, c in MODES) + f"{'best/plain':>12}")
    for name in given.names:
        steps = {mode: step(name, *mode, given.rows) for mode in MODES}
        taken: dict[tuple[str, str], list[float]] = {mode: [] for mode in MODES}
        for turn in range(given.rounds + 1):
            for mode, learn in steps.items():
                start = time.process_time()
                learn()
                if turn:
                    taken[mode].append(time.process_time() - start)
        rates = [given.rows / statistics.median(taken[mode]) for mode in MODES]
        print(
            f"{name:18}" + "".join(f"{rate:>24,.0f}" for rate in rates) + f"{max(rates) / rates[0]:>12.2f}", flush=True
        )


if __name__ == "__main__":
    main()
