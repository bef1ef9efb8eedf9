"""Device, precision and layout: picked by measuring real steps, remembered for this machine, fixed for the run."""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from sightline.core.errors import SettingsError
from sightline.core.files import canonical, digest, write_durably
from sightline.training.settings import Settings

WORTH = 1.15  # a mode must be this much faster than the plain one to be taken


@dataclass(frozen=True)
class Choices:
    """What the run computes with from its first step to its last."""

    device: str
    precision: str
    layout: str
    threads: int


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


def choose(settings: Settings, trial: Callable[[Choices], Callable[[], None]], what: dict[str, Any]) -> Choices:
    """Time each allowed mode on `trial` steps; the same question on the same machine gets the remembered answer."""
    device = device_for(settings.device)
    most = settings.threads or max(1, torch.get_num_threads() // settings.processes)
    few = settings.threads or max(1, most // 2)  # the loader has threads too, and more than there are cores only wait
    allowed = [
        Choices(device, precision, layout, few)
        for precision in (["float32", "bfloat16"] if settings.precision == "auto" else [settings.precision])
        for layout in (["plain", "channels_last"] if settings.layout == "auto" else [settings.layout])
        if not (precision == "bfloat16" and settings.precision == "auto" and not _has_bfloat16(device))
    ]
    if len(allowed) == 1 and few == most:
        return allowed[0]
    question = {**what, "allowed": [asdict(mode) for mode in allowed], "most": most, "machine": _machine(device)}
    memory = _memory() / f"{digest(canonical(question))[:32]}.json"
    try:
        return Choices(**json.loads(memory.read_bytes()))
    except (OSError, ValueError, TypeError):
        best = _fastest(allowed, trial)
        if few < most:
            best = _fastest([best, replace(best, threads=most)], trial)
    write_durably(memory, canonical(asdict(best)))
    return best


def _fastest(allowed: list[Choices], trial: Callable[[Choices], Callable[[], None]]) -> Choices:
    steps = {mode: trial(mode) for mode in allowed}
    times: dict[Choices, list[float]] = {mode: [] for mode in allowed}
    for turn in range(4):  # interleaved, the first turn warms up
        for mode, step in steps.items():
            torch.set_num_threads(mode.threads)
            start = time.perf_counter()
            step()
            if mode.device.startswith("cuda"):
                torch.cuda.synchronize()
            if turn:
                times[mode].append(time.perf_counter() - start)
    medians = {mode: statistics.median(taken) for mode, taken in times.items()}
    best = min(allowed, key=medians.__getitem__)
    return best if medians[allowed[0]] > WORTH * medians[best] else allowed[0]


def _has_bfloat16(device: str) -> bool:
    if device.startswith("cuda"):
        return bool(torch.cuda.is_bf16_supported())
    return device == "cpu" and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def _machine(device: str) -> list[str]:
    name = torch.cuda.get_device_name() if device.startswith("cuda") else platform.processor() + platform.machine()
    return [platform.node(), name, str(os.cpu_count()), torch.__version__]


def _memory() -> Path:
    home = os.environ.get("SIGHTLINE_CACHE") or os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "sightline" / "choices"
