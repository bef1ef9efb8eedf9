"""How much a picture nobody has vouched for may cost: one frozen record, checked before pixels are made."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from sightline.core.errors import InputError
from sightline.core.header import Header


@dataclass(frozen=True, slots=True)
class Limits:
    """What is refused as `too_large` or `too_slow`; the defaults suit uploads and camera files alike."""

    bytes: int = 256 * 2**20  # of the file
    values: int = 200 * 10**6  # rows times columns times channels of one page
    memory: int = 512 * 2**20  # bytes of one page, decoded
    frames: int = 1000  # pages
    total: int = 2 * 10**9  # values of all pages together
    profile: int = 4 * 2**20  # bytes of colour profile, texts and camera notes, unpacked
    expansion: int = 200  # values for one byte of the file, where there are more than `free` values
    free: int = 48 * 10**6
    scans: int = 100  # passes over a progressive picture
    seconds: float = 5.0  # for one picture; held in guarded mode, where somebody can stop the clock
    room: int = 1536 * 2**20  # address space of a guarded worker beyond what it needs by itself

    def plain(self) -> dict[str, Any]:
        """As plain JSON."""
        return dataclasses.asdict(self)


LIMITS = Limits()


def check(header: Header, size: int, name: str, limits: Limits) -> None:
    """Refuse a page that announces more than the limits, from its header alone."""
    values, weight = header.values, header.values * header.dtype.itemsize
    if min(header.shape, default=0) < 0:
        raise InputError("corrupt", f"{name}: a picture of shape {header.shape}.")
    if max(values, weight) <= min(limits.values, limits.memory, limits.free) and (
        header.pages <= limits.frames and header.total <= limits.total
    ):
        return  # as nearly all, without putting into words what is not said
    refused = (
        (values > limits.values, f"{values:,} pixel values", f"{limits.values:,}"),
        (
            weight > limits.memory,
            f"{values:,} {header.dtype} values",
            f"{limits.memory:,} bytes",
        ),
        (header.pages > limits.frames, f"{header.pages:,} pages", f"{limits.frames:,}"),
        (header.total > limits.total, f"{header.total:,} values on {header.pages:,} pages", f"{limits.total:,}"),
        (
            values > limits.free and values > size * limits.expansion,
            f"{values:,} pixel values in a file of {size:,} bytes",
            f"{limits.expansion} to one byte",
        ),
    )
    for over, given, accepted in refused:
        if over:
            raise InputError("too_large", f"{name}: {given}; the limit is {accepted}. Raise `limits` if you trust it.")
