"""What a process and all below it hold of memory and open files."""

from __future__ import annotations

import os
from pathlib import Path


def family(root: int) -> list[int]:
    """A process, and all that it or those below it started and that still run."""
    children: dict[int, list[int]] = {}
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            try:
                parent = int((place / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(place.name))
    found = [root]
    for process in found:
        found += children.get(process, [])
    return found


def memory(root: int) -> float:
    """Megabytes that a process and all below it hold, what is shared counted once."""
    total = 0
    for process in family(root):
        try:
            text = Path(f"/proc/{process}/smaps_rollup").read_text()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
    return round(total / 1024, 1)


def files(root: int) -> int:
    """Files, sockets and pipes that a process and all below it have open."""
    count = 0
    for process in family(root):
        try:
            count += len(os.listdir(f"/proc/{process}/fd"))
        except OSError:
            continue
    return count
