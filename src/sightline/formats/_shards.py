"""Tar files of samples that are written side by side, one a split, each of bounded size."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path
from typing import Any

from sightline.core.files import naming

_EACH, _HEAVY = 10_000, 2**30  # samples and bytes of a shard


class Shards:
    """One open shard a split; the next begins where it is full."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.open: dict[str, tuple[tarfile.TarFile, Any, Path]] = {}
        self.done: list[dict[str, Any]] = []
        self.counts: dict[Path, int] = {}
        self.numbers: dict[str, int] = {}
        self.count = 0

    def add(self, split: str | None, members: list[tuple[str, bytes]]) -> None:
        """The members of one sample, into the shard of its split."""
        prefix = split or "data"
        if prefix not in self.open:
            number = self.numbers[prefix] = self.numbers.get(prefix, -1) + 1
            file = self.folder / f"{prefix}-{number:06}.tar"
            with naming(file, 0):
                stream = file.open("wb")
            self.open[prefix] = (tarfile.TarFile(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT), stream, file)
            self.counts[file] = 0
        archive, stream, file = self.open[prefix]
        with naming(file, sum(len(content) for _, content in members)):
            for name, content in members:
                info = tarfile.TarInfo(name)
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
        self.counts[file] += 1
        self.count += 1
        if self.counts[file] >= _EACH or stream.tell() >= _HEAVY:
            self._finish(prefix)

    def _finish(self, prefix: str) -> None:
        archive, stream, file = self.open.pop(prefix)
        with naming(file, 0), stream:
            archive.close()
            stream.flush()
            os.fsync(stream.fileno())
        self.done.append({"url": file.name, "nsamples": self.counts[file]})

    def close(self) -> None:
        """Let go of what is open."""
        for _, stream, _ in self.open.values():
            stream.close()
        self.open.clear()

    def finish(self) -> list[dict[str, Any]]:
        """Every shard with the number of its samples."""
        for prefix in list(self.open):
            self._finish(prefix)
        return sorted(self.done, key=lambda shard: str(shard["url"]))
