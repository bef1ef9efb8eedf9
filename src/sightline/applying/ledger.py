"""What has been done in a folder: a journal that grows by a line a picture, and the manifest that is made of it.

A line is written after its picture is whole, so whatever is killed, what the journal says is there is there. Files
are looked at again before they are believed, so what a loss of power took is made again.
The manifest has a line a picture in the order of the data and nothing that depends on the clock.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sightline.applying.chain import Chain
from sightline.core.errors import RunError, SettingsError
from sightline.core.files import digest_file, naming, sync_folder, write_durably
from sightline.core.settings import from_toml

FORMAT = 1
RECIPE, JOURNAL, MANIFEST, SECONDS = "chain.toml", ".journal.jsonl", "manifest.jsonl", "seconds.jsonl"
LABELS, PAGE = "labels.jsonl", "stages.html"
Row = dict[str, Any]


class Ledger:
    """The journal of one folder, opened to be read and continued by one process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.places: dict[str, tuple[int, int]] = {}  # id -> where its last line lies in the journal
        self._file = (folder / JOURNAL).open("a+b", buffering=0)
        self._end = self._read()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    def __len__(self) -> int:
        return len(self.places)

    def __contains__(self, identity: object) -> bool:
        return identity in self.places

    def row(self, identity: str) -> Row:
        """What was noted of a picture."""
        start, length = self.places[identity]
        self._file.seek(start)
        made: Row = json.loads(self._file.read(length))
        return made

    def add(self, row: Row) -> None:
        """Note what became of a picture."""
        line = (json.dumps(row, allow_nan=False) + "\n").encode("utf-8", "surrogatepass")
        with naming(self.folder / JOURNAL, len(line)):
            self._file.write(line)
        self.places[row["id"]] = (self._end, len(line))
        self._end += len(line)

    def forget(self, identity: str) -> None:
        """What is noted of this picture no longer counts."""
        self.places.pop(identity, None)

    def close(self, order: Sequence[str]) -> None:
        """Write the manifest and the seconds, each whole, in this order, once all they speak of is on the disk."""
        if hasattr(os, "sync"):
            os.sync()
        write_lines(self.folder / MANIFEST, (_without(self.row(name), "seconds") for name in order))
        write_lines(self.folder / SECONDS, (_seconds(self.row(name)) for name in order))

    def _read(self) -> int:
        """The places of all whole lines; what a killed writer left at the end is cut off."""
        self._file.seek(0)
        start = 0
        with (self.folder / JOURNAL).open("rb") as lines:
            for line in lines:
                row = _parsed(line)
                if row is not None:
                    self.places[row["id"]] = (start, len(line))
                elif not line.endswith(b"\n"):
                    self._file.truncate(start)
                    break
                start += len(line)
        return start


def _parsed(line: bytes) -> Row | None:
    try:
        row = json.loads(line) if line.endswith(b"\n") else None
    except ValueError:
        return None
    return row if isinstance(row, dict) and isinstance(row.get("id"), str) else None


def _without(row: Row, *names: str) -> Row:
    return {name: value for name, value in row.items() if name not in names}


def _seconds(row: Row) -> Row:
    return {"id": row["id"], "seconds": row.get("seconds", {})}


def write_lines(path: Path, rows: Iterator[Row]) -> None:
    """A file of JSON lines, whole or not at all, however long it is."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.partial")
    with naming(path, 0):
        with temporary.open("wb") as file:
            for row in rows:
                file.write((json.dumps(row, allow_nan=False) + "\n").encode("utf-8", "surrogatepass"))
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        sync_folder(path.parent)


def write_recipe(folder: Path, chain: Chain, suffix: str | None) -> None:
    """What makes the pictures of this folder; `--chain` reads it."""
    from sightline import __version__

    steps = "".join(f"  {json.dumps(step.text, ensure_ascii=False)},\n" for step in chain.steps)
    lines = [
        "# What made the pictures in this folder. The same command continues it; --chain reads this file.",
        f"format = {FORMAT}",
        f'release = "{__version__}"',
        f'seal = "{chain.seal}"',
        f"suffix = {json.dumps(suffix or '')}",
        f"steps = [\n{steps}]",
    ]
    write_durably(folder / RECIPE, ("\n".join(lines) + "\n").encode())


def check_recipe(folder: Path, chain: Chain, suffix: str | None) -> bool:
    """Whether this folder is a begun one of the same chain; one of another chain is refused."""
    path = folder / RECIPE
    if not path.is_file():
        return False
    try:
        known = from_toml(path)
    except SettingsError as error:
        raise RunError(f"{error.message} Begin anew with --fresh, or name another folder.") from error
    if known.get("seal") != chain.seal:
        before = " | ".join(map(str, known.get("steps", ())))
        what = "another release or model of the same steps" if before == str(chain) else f"'{before}'"
        raise RunError(
            f"{folder} holds pictures made by {what}, not by '{chain}'; they are not mixed. "
            "Begin anew with --fresh, or name another folder."
        )
    if known.get("suffix") != (suffix or ""):
        was = known.get("suffix") or "no suffix named"
        raise RunError(f"{folder} was begun with {was}, not with {suffix}. Begin anew with --fresh.")
    return True


def clear(folder: Path) -> None:
    """Take away what an earlier chain made here, and nothing else."""
    if (folder / JOURNAL).is_file():
        with Ledger(folder) as ledger:
            for identity in list(ledger.places):
                remove(folder, ledger.row(identity))
    for name in (MANIFEST, SECONDS, LABELS, PAGE, JOURNAL, RECIPE):
        (folder / name).unlink(missing_ok=True)
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink():
            with contextlib.suppress(OSError):  # it holds something else
                path.rmdir()


def remove(folder: Path, row: Row) -> None:
    """Take away the files of a row, as far as they are in the folder."""
    for name in outputs_of(row):
        if (path := inside(folder, name)) is not None:
            path.unlink(missing_ok=True)


def outputs_of(row: Row) -> dict[str, str]:
    """The files that a row stands for, with their hashes."""
    files = {row["output"]: row["output_sha256"]} if row.get("output") else {}
    return files | {found["file"]: found["sha256"] for found in row.get("found", ()) if "file" in found}


def intact(folder: Path, row: Row) -> bool:
    """Whether every file of a row is there as it was written."""
    for name, seal in outputs_of(row).items():
        path = inside(folder, name)
        if path is None or not path.is_file() or digest_file(path) != seal:
            return False
    return True


def inside(folder: Path, name: str) -> Path | None:
    """The path of a name that a row gives, unless it leads out of the folder."""
    path = folder / name
    return path if path.resolve().is_relative_to(folder.resolve()) else None
