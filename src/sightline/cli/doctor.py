"""Look at this machine: Python, libraries and what would install the missing ones, GPU, disk; and at data you name."""

from __future__ import annotations

import os
import platform
import shutil
from collections import defaultdict
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any

from sightline import __version__
from sightline.cli._display import Screen
from sightline.core.extras import EXTRA_OF, need
from sightline.core.files import cache_folder

CORE = ("numpy", "pillow", "opencv-python-headless", "scipy", "pydantic", "safetensors", "typer", "rich")
SPACE = 2 * 2**30  # bytes; less is worth a word before training


def run(
    screen: Screen,
    data: Annotated[str, "data to open and describe"] = "",
    *,
    format: Annotated[str | None, "its label layout"] = None,
) -> dict[str, Any]:
    """One line a part; what to install is ready to be copied."""
    found: dict[str, Any] = {"version": __version__, "machine": machine(), "libraries": libraries(), "disk": disk()}
    computer, disks = found["machine"], found["disk"]
    screen.say(f"sightline {__version__}, Python {computer['python']}, {computer['system']}")
    screen.say(
        f"processor: {computer['processor']}, {computer['cores']} cores, {computer['memory'] / 2**30:.0f} GiB, "
        f"bfloat16 {'in hardware' if computer['bfloat16'] else 'not in hardware'}"
    )
    screen.say("core: " + _versions(found["libraries"]["core"]))
    for extra, versions in found["libraries"]["extras"].items():
        absent = not all(versions.values())
        screen.say(f"{extra}: {_versions(versions)}" + (f"   pip install 'sightline[{extra}]'" if absent else ""))
    screen.note("asking torch and the runtime what they can use (takes a second or two)")
    found |= {"gpu": gpu(), "providers": providers()}
    screen.say(f"GPU: {found['gpu'] or 'none that torch can use'}")
    screen.say(f"ONNX Runtime: {', '.join(found['providers']) or 'not installed'}")
    for name, place in disks.items():
        able = "writable" if place["writable"] else "NOT writable"
        low = ", that is little" if place["free"] < SPACE else ""
        screen.say(f"{name}: {place['path']}, {able}, {place['free'] / 2**30:.1f} GiB free{low}")
    if data:
        found["data"] = described(screen, data, format)
    return found


def described(screen: Screen, where: str, format: str | None) -> dict[str, Any]:
    """What the data is, how it was recognised, and which tasks it suits."""
    from sightline.core import catalog
    from sightline.core.data import open_data

    opened = open_data(where, format=format)
    fits = {name: catalog.find("tasks", name).TASK.fits(opened) for name in catalog.names("tasks")}
    kind = opened.kind.__name__ if opened.kind else "no labels"
    names = f", names: {', '.join(opened.names)}" if opened.names else ""
    screen.say(f"data: {opened.name}, {len(opened)} samples, {kind}{names}")
    for name, fit in fits.items():
        screen.say(f"  {name}: {('does not suit', 'when named', 'the natural reading')[fit.strength]} ({fit.why})")
    tasks = {name: {"strength": fit.strength, "why": fit.why} for name, fit in fits.items()}
    return {"name": opened.name, "count": len(opened), "kind": kind, "names": opened.names, "tasks": tasks}


def machine() -> dict[str, Any]:
    """What computes here."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").is_file() else []
    facts = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    flags = f"{facts.get('flags', '')} {facts.get('Features', '')}".split()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    pages = {"SC_PAGE_SIZE", "SC_PHYS_PAGES"} <= set(getattr(os, "sysconf_names", ()))
    return {
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "processor": facts.get("model name") or platform.processor() or platform.machine(),
        "cores": cores,
        "memory": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if pages else 0,
        "bfloat16": any(flag in flags for flag in ("avx512_bf16", "amx_bf16", "bf16")),
    }


def libraries() -> dict[str, Any]:
    """Versions by what brings them, without importing any."""
    extras: dict[str, dict[str, str | None]] = defaultdict(dict)
    for library, extra in sorted(EXTRA_OF.items()):
        extras[extra][library] = version_of(library)
    return {"core": {name: version_of(name) for name in CORE}, "extras": dict(extras)}


def version_of(library: str) -> str | None:
    """The version that is installed, or None."""
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return None


def gpu() -> str | None:
    """The accelerator that torch finds; torch is imported only where it is installed."""
    if not version_of("torch"):
        return None
    import torch

    if torch.cuda.is_available():
        free, total = torch.cuda.mem_get_info()
        return f"{torch.cuda.get_device_name()}, {free / 2**30:.0f} of {total / 2**30:.0f} GiB free"
    return "Apple silicon (mps)" if torch.backends.mps.is_available() else None


def providers() -> list[str]:
    """What ONNX Runtime can run on here."""
    if not version_of("onnxruntime"):
        return []
    return list(need("onnxruntime").get_available_providers())


def disk() -> dict[str, dict[str, Any]]:
    """Where runs and remembered choices go, and whether they can."""
    found = {}
    for name, path in (("runs", Path("runs").absolute()), ("cache", cache_folder())):
        there = next(place for place in (path, *path.parents) if place.exists())
        writable = there.is_dir() and os.access(there, os.W_OK | os.X_OK)
        found[name] = {"path": str(path), "writable": writable, "free": shutil.disk_usage(there).free}
    return found


def _versions(versions: dict[str, str | None]) -> str:
    return ", ".join(f"{name} {version or 'is missing'}" for name, version in versions.items())
