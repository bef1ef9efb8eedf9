"""A chain over many pictures: side by side, in bounded memory, noted one by one, continued where it was stopped."""

from __future__ import annotations

import gzip
import json
import os
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from sightline.applying import ledger as books
from sightline.applying.chain import Chain
from sightline.applying.labels import keep_labels
from sightline.applying.ledger import Ledger, Row
from sightline.applying.naming import refuse_inputs, stems
from sightline.applying.steps import Found
from sightline.core.annotations import to_json
from sightline.core.data import open_data
from sightline.core.dataset import Dataset
from sightline.core.decoding import decoders
from sightline.core.encoding import encode_as
from sightline.core.errors import (
    InputError,
    MissingExtraError,
    RunError,
    SettingsError,
    SightlineError,
    StorageError,
    nearest,
)
from sightline.core.files import digest, locked, sweep, write_durably
from sightline.core.image import read_image
from sightline.core.progress import Event, Tell, silent
from sightline.core.sample import Sample
from sightline.core.threads import one_thread

LONGEST = 16_384  # characters of a finding that stands in the manifest; longer ones have a file of their own
TRIED = 3  # pictures, after which a setting that none of them can have is an error of the command
TIFF = (".tif", ".tiff")


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of the pictures."""

    out: Path
    count: int
    kept: int  # done by an earlier command, and unchanged
    failed: tuple[tuple[str, str, str], ...]  # id, code and message
    stages: tuple[Mapping[str, Any], ...]  # seconds of each part of the work, over all pictures
    labels: str  # what became of the labels, in words; nothing where there are none

    def to_json(self) -> dict[str, Any]:
        failed = [{"id": name, "code": code, "message": message} for name, code, message in self.failed]
        plain = {"count": self.count, "kept": self.kept, "failed": failed, "stages": list(self.stages)}
        paths = {"out": str(self.out), "manifest": str(self.out / books.MANIFEST)}
        return {**plain, "labels": self.labels, "paths": paths}


def apply_all(
    chain: Chain,
    data: Any,
    out: str | Path,
    *,
    suffix: str | None = None,
    workers: int | None = None,
    format: str | None = None,
    fresh: bool = False,
    tell: Tell = silent,
) -> Applied:
    """Every picture of the data through the chain, into a folder; the same call continues one that was killed."""
    opened, folder = open_data(data, format=format), Path(out)
    if workers is not None and workers < 1:
        raise SettingsError(f"workers = {workers}: must be 1 or more.")
    suffix = _suffix(suffix)
    refuse_inputs(opened, data, folder)
    _begin(chain, folder, suffix, fresh)
    threads = workers or max(1, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2)
    with locked(folder), one_thread(), Ledger(folder) as ledger:
        for place in {folder, *(path for path in folder.rglob("*") if path.is_dir())}:
            sweep(place)
        work = _Work(chain, opened, folder, suffix, ledger, tell)
        kept = work.look(threads)
        if not len(ledger):
            work.pilot()
        books.write_recipe(folder, chain, suffix)
        tell(Event("start", f"{len(opened):,} pictures through {len(chain.steps)} steps to {folder}"))
        if kept:
            tell(Event("note", f"{kept:,} of them are done and unchanged"))
        work.run(threads, kept)
        ledger.close(list(work.stems))
        labels = keep_labels(folder, opened, ledger, chain)
        rows = (ledger.row(name) for name in work.stems)
        made = _summed(chain, folder, rows, kept, labels)
    if work.bug is not None:
        raise work.bug
    tell(Event("done", f"manifest: {folder / books.MANIFEST}"))
    return made


def _suffix(suffix: str | None) -> str | None:
    """The suffix with its dot, if files that end so are written."""
    if not suffix:
        return None
    ending = f".{suffix.lstrip('.').lower()}"
    able = sorted({end for one in decoders().values() if hasattr(one, "encode") for end in one.SUFFIXES})
    if ending not in able:
        raise SettingsError(f"suffix {ending} is not written.{nearest(ending, able)} Accepted: {', '.join(able)}.")
    return ending


def _begin(chain: Chain, folder: Path, suffix: str | None, fresh: bool) -> None:
    """A folder that is new, empty, or a begun one of the same chain."""
    if folder.exists() and not folder.is_dir():
        raise StorageError(f"{folder} is a file. Name a folder.")
    if fresh and (folder / books.RECIPE).is_file():
        with locked(folder):
            books.clear(folder)
    if books.check_recipe(folder, chain, suffix):
        return
    if folder.is_dir() and any(path.name not in (".lock", books.JOURNAL) for path in folder.iterdir()):
        raise StorageError(f"{folder} holds other things. Name a folder that is empty or does not exist yet.")


class _Work:
    """One pass over the data."""

    def __init__(
        self, chain: Chain, data: Dataset, folder: Path, suffix: str | None, ledger: Ledger, tell: Tell
    ) -> None:
        self.chain, self.data, self.folder, self.suffix = chain, data, folder, suffix
        self.ledger, self.tell = ledger, tell
        self.stems = stems(data)
        self.bug: BaseException | None = None

    def look(self, threads: int) -> int:
        """How many are done; refused where a source is no longer what it was when it was done."""
        gone = [name for name in self.ledger.places if name not in self.stems]
        if gone:
            raise RunError(
                f"{self.folder} holds {len(gone):,} pictures whose sources are gone, such as '{gone[0]}'. "
                "Begin anew with --fresh, or name another folder."
            )
        changed: list[str] = []
        rows = [row for row, name in enumerate(self.data.column("id")) if name in self.ledger]
        with ThreadPoolExecutor(threads, "sightline-apply") as pool:
            for begin in range(0, len(rows), 256):
                part = [self.data[row] for row in rows[begin : begin + 256]]
                noted = [self.ledger.row(sample.id) for sample in part]
                for sample, row, (same, whole) in zip(part, noted, pool.map(self._same, part, noted), strict=True):
                    if not same:
                        changed.append(sample.id)
                    elif not whole or "error" in row:
                        self.ledger.forget(sample.id)
        if changed:
            raise RunError(
                f"{len(changed):,} sources have changed since they were done, such as '{changed[0]}'; old and new are "
                "not mixed. Begin anew with --fresh, or name another folder."
            )
        return len(self.ledger)

    def _same(self, sample: Sample, row: Row) -> tuple[bool, bool]:
        """Whether the source is what it was, and whether what was made of it is there."""
        try:
            seal = _source(sample)[0]
        except InputError:
            seal = None
        if row["sha256"] is None or seal is None:
            return seal == row["sha256"] or "error" in row, False
        stem = PurePosixPath(str(row.get("output") or ""))
        if stem.name and stem.with_suffix("").as_posix() != self.stems[sample.id]:  # a new neighbour has its name
            books.remove(self.folder, row)
            return seal == row["sha256"], False
        return seal == row["sha256"], books.intact(self.folder, row)

    def pilot(self) -> None:
        """A setting that the first pictures cannot have is said once, before anything is written."""
        for number in range(min(TRIED, len(self.data))):
            fault: SightlineError | None = None
            try:
                self.chain(self.data[number])
            except InputError:
                continue
            except (SettingsError, MissingExtraError) as error:
                fault = error
            except Exception:  # noqa: BLE001 - noted in its row, and raised when all others are done
                return
            if fault is None:
                return
            if number + 1 == min(TRIED, len(self.data)):
                raise fault

    def run(self, threads: int, done: int) -> None:
        """All that is not done yet; a few pictures at a time are in memory."""
        todo = iter([row for row, name in enumerate(self.stems) if name not in self.ledger])
        waiting: set[Future[Row]] = set()
        with ThreadPoolExecutor(threads, "sightline-apply") as pool:
            try:
                while True:
                    while len(waiting) < 2 * threads and (row := next(todo, None)) is not None:
                        waiting.add(pool.submit(self._one, row))
                    if not waiting:
                        break
                    ready, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                    for future in ready:
                        done += 1
                        self._note(future.result(), done)
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise

    def _note(self, row: Row, done: int) -> None:
        self.ledger.add(row)
        if "error" in row:
            told = {"id": row["id"], "code": row["error"]["code"]}
            self.tell(Event("skip", f"error[{told['code']}]: {row['error']['message']}", told))
        self.tell(Event("progress", "pictures", {"done": done, "total": len(self.data)}))

    def _one(self, number: int) -> Row:
        """One picture from its source to its file, or the error that it earned."""
        sample = self.data[number]
        row: Row = {"id": sample.id, "source": "", "sha256": None, "chain": self.chain.seal}
        try:
            if not sample.images:
                raise InputError("missing", f"{sample.id} has no picture.")
            row["source"] = sample.image.name
            return row | self._made(sample, row)
        except StorageError:
            raise
        except SightlineError as error:
            said = error.message if sample.id in error.message else f"{sample.id}: {error.message}"
            return row | {"error": {"code": error.code, "message": said}, "seconds": {}}
        except Exception as error:  # noqa: BLE001 - the others go on; it is raised when they are done
            self.bug = self.bug or error
            said = f"{sample.id}: {type(error).__name__}: {error}"
            return row | {"error": {"code": "bug", "message": " ".join(said.split())}, "seconds": {}}

    def _made(self, sample: Sample, row: Row) -> Row:
        begun = time.perf_counter()
        row["sha256"], data = _source(sample)
        pixels = sample.pixels() if data is None else read_image(data, name=sample.image.name)
        read = time.perf_counter()
        outcome = self.chain(pixels)
        applied = time.perf_counter()
        stem = self.stems[sample.id]
        told: Row = {"output": None}
        if self.chain.edits:
            encoded, suffix = self._encoded(outcome.pixels, sample.image.name)
            write_durably(self.folder / f"{stem}{suffix}", encoded, sync=False)  # all are synced before the manifest
            told = {"output": f"{stem}{suffix}", "output_sha256": digest(encoded), "bytes": len(encoded)}
        told |= {"shape": list(outcome.pixels.shape), "dtype": str(outcome.pixels.dtype), "moved": outcome.moved}
        told["found"] = [self._found(stem, found) for found in outcome.found]
        spent = [round(each, 6) for each in outcome.seconds]
        wrote = round(time.perf_counter() - applied, 6)
        return told | {"seconds": {"read": round(read - begun, 6), "steps": spent, "write": wrote}}

    def _encoded(self, pixels: np.ndarray, name: str) -> tuple[bytes, str]:
        """The bytes of a file that keeps every bit, and its suffix; TIFF stays TIFF where its library is there."""
        pixels = pixels[..., None] if pixels.ndim == 2 else pixels
        if self.suffix:
            return encode_as(pixels, self.suffix), self.suffix
        able = (".tiff", ".png") if name.lower().endswith(TIFF) else (".png", ".tiff")
        for suffix in able:
            try:
                return encode_as(pixels, suffix), suffix
            except (InputError, MissingExtraError):
                continue
        return encode_as(pixels, ".npy"), ".npy"

    def _found(self, stem: str, found: Found) -> Row:
        """One finding as JSON; a long one in a file of its own."""
        row: Row = {"step": found.step, "text": found.text, "size": list(found.size)}
        plain = finite(to_json(found.record))
        text = json.dumps(plain)
        if len(text) <= LONGEST:
            return row | {"record": plain}
        packed = gzip.compress(text.encode(), 6, mtime=0)
        name = f"found/{stem}.{found.step}.json.gz"
        write_durably(self.folder / name, packed, sync=False)
        return row | {"kind": plain["kind"], "file": name, "sha256": digest(packed)}


def _source(sample: Sample) -> tuple[str, bytes | None]:
    """The hash of a source, and its bytes where it has any: what is hashed is what is read."""
    if getattr(sample.image, "stored", False):
        data = sample.image.encoded()
        return digest(data), data
    return sample.image.fingerprint(), None


def finite(plain: Any) -> Any:
    """Numbers that JSON cannot hold become null."""
    if isinstance(plain, float):
        return plain if np.isfinite(plain) else None
    if isinstance(plain, dict):
        return {name: finite(value) for name, value in plain.items()}
    return [finite(value) for value in plain] if isinstance(plain, list) else plain


def _summed(chain: Chain, folder: Path, rows: Iterator[Row], kept: int, labels: str) -> Applied:
    """What became of all pictures, and where the time went."""
    failed: list[tuple[str, str, str]] = []
    spent = np.zeros(len(chain.steps) + 2)
    count = 0
    for row in rows:
        count += 1
        if "error" in row:
            failed.append((row["id"], row["error"]["code"], row["error"]["message"]))
        elif row.get("seconds"):
            seconds = row["seconds"]
            spent += np.array([seconds["read"], *seconds["steps"], seconds["write"]])
    done = max(1, count - len(failed))
    names = ["read", *(step.text for step in chain.steps), "write"]
    stages = [
        {"step": name, "seconds": round(total, 6), "each": round(total / done, 6)}
        for name, total in zip(names, spent.tolist(), strict=True)
    ]
    return Applied(folder, count, kept, tuple(failed), tuple(stages), labels)
