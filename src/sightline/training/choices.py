"""Device, precision and layout: picked by measuring real steps, remembered for this machine, fixed for the run."""

from __future__ import annotations

import importlib.util
import json
import math
import os
import platform
import shutil
import time
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from sightline.core.errors import SettingsError
from sightline.core.files import cache_folder, canonical, digest, write_durably
from sightline.core.heap import kept_memory
from sightline.training.settings import Settings

WORTH = 1.15  # a mode must be this much faster than the plain one to be taken
TURNS = 6  # of timing; of each mode its quickest counts, since whatever else the machine does only adds to a step
AGAIN = 4  # the same where steps are those of whole batches
FAR = 1.5  # a mode this much slower than the fastest is timed no more than twice
LONG = 600.0  # seconds that a run must take for translating its network to be tried, which takes a minute


@dataclass(frozen=True)
class Choices:
    """What the run computes with from its first step to its last."""

    device: str
    precision: str
    layout: str
    threads: int
    compiled: bool = False  # the network translated by torch before the first step


def device_for(wanted: str) -> str:
    """The device asked for, or the best there is."""
    if wanted == "auto":
        if torch.cuda.is_available():
            return "cuda"
        return "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        torch.empty(0, device=wanted)
    except (RuntimeError, AssertionError) as error:
        raise SettingsError(f"train.device = '{wanted}': {str(error).splitlines()[0]}") from error
    return wanted


def choose(
    settings: Settings,
    trial: Callable[[Choices], Callable[[], None]],
    what: dict[str, Any],
    *,
    steps: float = 0.0,
    whole: Callable[[Choices], Callable[[], None]] | None = None,
    patience: float = math.inf,
) -> Choices:
    """Time each allowed mode on `trial` steps; the same question on the same machine gets the remembered answer.

    `steps` as many as those of the trial are to come: where they take long, a translated network is tried as well, in
    steps of `whole` batches; what was translated for those need not be translated again when the run begins.
    After `patience` seconds no mode is timed again.
    """
    device = device_for(settings.device)
    most = settings.threads or max(1, torch.get_num_threads() // settings.processes)
    few = settings.threads or max(1, most // 2)  # the loader has threads too, and more than there are cores only wait
    allowed = [
        Choices(device, precision, layout, few)
        for precision in (["float32", "bfloat16"] if settings.precision == "auto" else [settings.precision])
        for layout in (["plain", "channels_last"] if settings.layout == "auto" else [settings.layout])
        if not (precision == "bfloat16" and settings.precision == "auto" and not _has_bfloat16(device))
    ]
    named = settings.compile == "on"
    compiling = settings.compile == "auto" and _has_compiler(device)
    if len(allowed) == 1 and few == most and not compiling:
        return replace(allowed[0], compiled=named)
    question = {**what, "allowed": [asdict(mode) for mode in allowed], "most": most, "machine": _machine(device)}
    question |= {"compile": settings.compile, "long": int(math.log2(max(1.0, steps)))} if compiling else {}
    memory = _memory() / f"{digest(canonical(question))[:32]}.json"
    try:
        best = Choices(**json.loads(memory.read_bytes()))
    except (OSError, ValueError, TypeError):
        end = time.monotonic() + patience
        with kept_memory():
            best, each = _fastest(allowed, trial, end)
            if few < most:
                best, each = _fastest([best, replace(best, threads=most)], trial, end)
            if compiling and each * steps > LONG:
                best = _translated(best, each * steps, whole or trial)
        write_durably(memory, canonical(asdict(best)))
    return replace(best, compiled=best.compiled or named)


def _fastest(
    allowed: list[Choices], trial: Callable[[Choices], Callable[[], None]], end: float
) -> tuple[Choices, float]:
    """The mode to take, and seconds of its step; a mode that is far behind is timed twice."""
    steps = {mode: trial(mode) for mode in allowed}
    times: dict[Choices, list[float]] = {mode: [] for mode in allowed}
    for turn in range(TURNS):  # interleaved, the first warms up
        behind = FAR * min((min(taken) for taken in times.values() if taken), default=math.inf)
        for mode, step in steps.items():
            if (turn > 2 and min(times[mode]) > behind) or (turn > 1 and time.monotonic() > end):
                continue
            taken = _timed(mode, step)
            if turn:
                times[mode].append(taken)
    least = {mode: min(taken) for mode, taken in times.items()}
    best = min(allowed, key=least.__getitem__)
    best = best if least[allowed[0]] > WORTH * least[best] else allowed[0]
    return best, least[best]


def _timed(mode: Choices, step: Callable[[], None]) -> float:
    torch.set_num_threads(mode.threads)
    start = time.perf_counter()
    step()
    if mode.device.startswith("cuda"):
        torch.cuda.synchronize()
    return time.perf_counter() - start


def _translated(best: Choices, seconds: float, trial: Callable[[Choices], Callable[[], None]]) -> Choices:
    """The same mode translated, where what it saves in all is more than what translating takes; else as it was."""
    mode = replace(best, compiled=True)
    try:
        step = trial(mode)
        first = _timed(mode, step)
        plain = trial(best)
        taken = [(_timed(mode, step), _timed(best, plain)) for _ in range(AGAIN)][1:]
    except (RuntimeError, OSError, ImportError) as error:  # a network that torch cannot translate, or no compiler
        warnings.warn(f"the network stays as it is: {str(error).splitlines()[0]}", stacklevel=2)
        return best
    saved = 1 - min(own for own, _ in taken) / min(eager for _, eager in taken)
    return mode if saved * seconds > first and saved > 0.03 else best


def _has_compiler(device: str) -> bool:
    if device.startswith("cuda"):
        return importlib.util.find_spec("triton") is not None
    return device == "cpu" and any(shutil.which(name) for name in (os.environ.get("CXX"), "g++", "clang++") if name)


def _has_bfloat16(device: str) -> bool:
    if device.startswith("cuda"):
        return bool(torch.cuda.is_bf16_supported())
    return device == "cpu" and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def _machine(device: str) -> list[str]:
    from sightline import __version__

    name = torch.cuda.get_device_name() if device.startswith("cuda") else platform.processor() + platform.machine()
    return [platform.node(), name, str(os.cpu_count()), torch.__version__, __version__]


def _memory() -> Path:
    return cache_folder() / "choices"
