"""The mode that training chooses by itself against every mode chosen by hand, on networks of the timm library.

    PYTHONPATH=src python benchmarks/modes.py [--names resnet18 ...] [--rows 32] [--side 224] [--rounds 5] [--compile]

A plain script of the same network (forward, loss, backward, SGD with momentum) is timed in float32, channels last,
bfloat16, both, and with --compile translated; then the mode that `choose` takes, in the same script and through the
steps of a run. All are interleaved in one process; figures are medians of processor time over the threads used, so that
a busy machine changes them less. The two last columns say how far the loss of the chosen mode is from that of float32
over --curve steps, and how much of a step is not the bare network.
"""

from __future__ import annotations

import argparse
import itertools
import os
import platform
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from sightline.core.extras import need
from sightline.core.inputs import InputSpec
from sightline.core.task import Facts
from sightline.tasks.classify import TASK
from sightline.tasks.classify import Settings as Options
from sightline.training.choices import Choices, choose, device_for
from sightline.training.learner import Learner, build
from sightline.training.settings import Settings
from sightline.training.step import Stepper

QUICK = False
RATE = 0.002  # low enough that rounding alone does not part two runs of the same network
NAMES = ("resnet18", "mobilenetv3_small_100", "convnext_femto", "efficientnet_lite0", "vit_tiny_patch16_224")
Step = Callable[[], float]


def pictures(rows: int, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Noise with a class in its mean: something that can be learnt."""
    chance = np.random.default_rng(0)
    classes = np.arange(rows) % 10
    pixels = chance.integers(0, 128, (rows, side, side, 3)) + 12 * classes[:, None, None, None]
    return pixels.astype(np.uint8), classes.astype(np.int64)


def plain(name: str, mode: Choices, x: np.ndarray, y: np.ndarray) -> Step:
    """What a person would write for this mode."""
    torch.manual_seed(0)
    form = torch.channels_last if mode.layout == "channels_last" else torch.contiguous_format
    network = need("timm").create_model(name, num_classes=10).to(memory_format=form)
    call: Any = torch.compile(network, dynamic=False) if mode.compiled else network
    optimiser = torch.optim.SGD(network.parameters(), RATE, momentum=0.9)
    truth = torch.from_numpy(y)

    def step() -> float:
        given = (torch.from_numpy(x).permute(0, 3, 1, 2).float() / 255 - 0.5).div(0.25).contiguous(memory_format=form)
        with torch.autocast("cpu", torch.bfloat16, enabled=mode.precision == "bfloat16"):
            lost = functional.cross_entropy(call(given).float(), truth)
        optimiser.zero_grad()
        lost.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        return float(lost.detach())

    return step


def ours(name: str, mode: Choices, x: np.ndarray, y: np.ndarray) -> Step:
    """The step of a run."""
    facts = Facts(
        {"image": InputSpec(x.shape[1:3])}, tuple(map(str, range(10))), asdict(Options(smoothing=0.0, dropout=0.0))
    )
    settings = Settings(optimiser="momentum", rate=RATE, decay=0.0, clip=0.0, average=0.0).settled()
    network = build(TASK, f"timm:{name}", facts, mode, 0)
    stepper = Stepper(TASK, facts, Learner(TASK, network, settings, mode))
    count = itertools.count()

    def step() -> float:
        return sum(stepper.take([{"image": x, "classes": y}], next(count), 1.0, 0.0).values())

    return step


def timed(steps: dict[str, Step], modes: dict[str, Choices], rounds: int) -> dict[str, float]:
    """Processor seconds of a step; the first of each warms up."""
    taken: dict[str, list[float]] = {label: [] for label in steps}
    for turn in range(rounds + 1):
        for label, step in steps.items():
            torch.set_num_threads(modes[label].threads)
            start = time.process_time()
            step()
            if turn:
                taken[label].append(time.process_time() - start)
    return {label: statistics.median(values) for label, values in taken.items()}


def chosen(name: str, x: np.ndarray, y: np.ndarray, compiling: bool, threads: int) -> Choices:
    """What a run of many steps would take."""
    settings = Settings(threads=threads, compile="auto" if compiling else "off")

    def trial(mode: Choices) -> Callable[[], None]:
        step = ours(name, mode, x, y)

        def once() -> None:
            step()

        return once

    return choose(settings, trial, {"name": name, "shape": list(x.shape)}, steps=1e5)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--names", nargs="+", default=list(NAMES))
    parser.add_argument("--rows", type=int, default=32)
    parser.add_argument("--side", type=int, default=224)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--curve", type=int, default=20)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--compile", action="store_true")
    given = parser.parse_args()
    os.environ["SIGHTLINE_CACHE"] = tempfile.mkdtemp()  # nothing remembered: the choice is measured here
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    machine = f"{platform.machine()}, {os.cpu_count()} cores, {given.threads} thread(s)"
    print(f"{machine}, torch {torch.__version__}, timm {need('timm').__version__}, {commit.stdout.strip()}")
    print(f"batches of {given.rows} pictures of {given.side} pixels; pictures a second of processor time")
    for name in given.names:
        one(name, given)


def one(name: str, given: argparse.Namespace) -> None:
    x, y = pictures(given.rows, given.side)
    device = device_for("cpu")
    modes = {
        f"{precision} {layout}{' compiled' if compiled else ''}": Choices(
            device, precision, layout, given.threads, compiled
        )
        for compiled in ((False, True) if given.compile else (False,))
        for precision in ("float32", "bfloat16")
        for layout in ("plain", "channels_last")
    }
    auto = chosen(name, x, y, given.compile, given.threads)
    label = next(key for key, mode in modes.items() if mode == auto)
    steps = {key: plain(name, mode, x, y) for key, mode in modes.items()}
    taken = timed({**steps, "run": ours(name, auto, x, y)}, {**modes, "run": auto}, given.rounds)
    rates = {key: given.rows / seconds for key, seconds in taken.items()}
    hand = {key: rate for key, rate in rates.items() if key != "run"}
    best = max(hand, key=hand.__getitem__)
    eager = hand["float32 plain"]
    curves = [
        [step() for _ in range(given.curve)]
        for step in (ours(name, modes["float32 plain"], x, y), ours(name, auto, x, y))
    ]
    apart = max(abs(a - b) for a, b in zip(*curves, strict=True))
    print(f"\n{name}: " + ", ".join(f"{key} {rate:.1f}" for key, rate in hand.items()))
    print(
        f"  chosen {label}: {rates[label]:.1f}, {rates[label] / hand[best]:.3f} of the best by hand ({best}), ", end=""
    )
    print(f"{rates[label] / eager:.2f} x eager float32; a run's step {rates['run']:.1f}, {rates['run'] / eager:.2f} x")
    print(f"  loss after {given.curve} steps {curves[0][-1]:.3f} in float32, {curves[1][-1]:.3f} as chosen; ", end="")
    print(f"at most {apart:.3f} apart, from {curves[0][0]:.3f} at first", flush=True)


if __name__ == "__main__":
    main()
