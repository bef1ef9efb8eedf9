"""A model as data: a folder, or one `.sightline` file, in which every byte is vouched for before any is used."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import stat
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO

import numpy as np

from sightline.core import archive, files, onnxscan
from sightline.core.archive import refuse
from sightline.core.errors import BundleError, StorageError

FORMAT = 1
NEEDS = "0.1"  # the first release that reads FORMAT; written into each bundle for those that cannot
MANIFEST = "model.json"
LARGEST = archive.LARGEST  # bytes, all members together
MOST = 64  # members
CAPS = {  # bytes of one member
    ".json": 2**24,
    ".md": 2**24,
    ".html": 2**28,
    ".png": 2**26,
    ".npz": 2**30,
    ".onnx": 2**31 - 1,
    ".safetensors": LARGEST,
}
_RESERVED = ("format", "needs", "files", "seal")
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)\..*")  # names that are not files on Windows
_CLUTTER = {".DS_Store", "Thumbs.db", "desktop.ini"}  # left by file managers; never read


Arrived = Callable[[str, bytes], object]
Hashes = dict[str, Future[str]]  # of members, computed while the next one is read


@dataclass(frozen=True, slots=True, eq=False)
class Bundle:
    """A verified bundle, all of it in memory."""

    path: Path
    model: Mapping[str, Any]  # model.json without its seal and its list of files
    files: Mapping[str, bytes]  # without model.json
    version: str  # the seal: equal content has equal version, wherever it lies


def save(path: Path, model: Mapping[str, Any], files_: Mapping[str, bytes]) -> Path:
    """Write a bundle whole or not at all; what was there before stays loadable until the new one is in place."""
    target = Path(os.path.realpath(path))
    members = _sealed(target, model, files_)
    verify(members, str(target))  # what save writes, load accepts
    if target.suffix == ".sightline":
        files.write_durably(target, archive.pack(members, str(target)))
        return target
    with files.naming(target, sum(map(len, members.values()))):
        target.parent.mkdir(parents=True, exist_ok=True)
        _recover(target)
        _check_replaceable(target)
        partial = target.with_name(f".{target.name}.{os.getpid()}-{threading.get_ident()}.partial")
        try:
            for name, data in members.items():
                _write(partial / name, data)
            _swap(partial, target)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return target


def refuse_place(path: Path) -> None:
    """Before the work rather than after it: refuse where `save` could not write."""
    target = Path(os.path.realpath(path))
    if target.suffix == ".sightline":
        files.refuse_place(target)
        return
    with files.naming(target, None):
        _check_replaceable(target)
        files.try_folder(target.parent)  # a folder is made beside its place


def load(path: Path, *, largest: int = LARGEST) -> Bundle:
    """Read and verify a bundle; any changed, missing, added or hostile byte is a `BundleError`."""
    path = Path(path)
    for _ in range(2):
        source = _source(path)
        before = _identity(source)
        try:
            return _load(source, path, largest)
        except BundleError:
            if before == _identity(_source(path)):
                raise  # otherwise a save replaced the bundle while it was read: read the new one
    return _load(_source(path), path, largest)


def _load(source: Path, path: Path, largest: int) -> Bundle:
    hashes: Hashes = {}
    with ThreadPoolExecutor(2) as pool:  # hash what was read while the next member is read

        def arrived(name: str, data: bytes) -> None:
            hashes[name] = pool.submit(files.digest, data)

        members = _read(source, str(path), largest, arrived)
        plain = verify(members, str(path), hashes)
    model = {key: value for key, value in plain.items() if key not in ("files", "seal")}
    others = {name: data for name, data in members.items() if name != MANIFEST}
    return Bundle(path, MappingProxyType(model), MappingProxyType(others), plain["seal"])


def weights(bundle: Bundle) -> dict[str, np.ndarray]:
    """The parameters that the bundle carries, by name."""
    from safetensors.numpy import load as read_safetensors

    data = bundle.files.get("weights.safetensors")
    if data is None:
        refuse(str(bundle.path), "holds no weights.safetensors; it predicts, but cannot be trained further.")
    try:
        parameters: dict[str, np.ndarray] = read_safetensors(data)
        return parameters
    except Exception as error:  # the parser raises types of its own, and KeyError for depths numpy lacks
        raise BundleError(f"{bundle.path}: weights.safetensors cannot be read: {str(error)[:200]}") from error


def verify(members: Mapping[str, bytes], label: str, hashes: Hashes | None = None) -> dict[str, Any]:
    """Parsed model.json of members that are exactly what it says; the order is: parse, seal, sizes, hashes, graphs."""
    if MANIFEST not in members:
        refuse(label, f"holds no {MANIFEST}, so it is no bundle.")
    plain = _parse(members[MANIFEST], label)
    listed = plain["files"]
    for name in sorted({*listed, *members} - {MANIFEST}):
        if name not in members:
            refuse(label, f"{name[:60]} is listed in {MANIFEST} but missing.")
        if name not in listed:
            refuse(label, f"{name[:60]!a} is not listed in {MANIFEST}. Remove it, or export the bundle again.")
        check_name(name, len(members[name]), label)
    hashes = hashes or {}
    for name, said in listed.items():
        found = hashes[name].result() if name in hashes else files.digest(members[name])
        if said != {"sha256": found, "size": len(members[name])}:
            refuse(label, f"{name} is damaged or was changed: it is not what {MANIFEST} lists. Export it again.")
    for name in listed:
        if name.endswith(".onnx"):
            onnxscan.check_onnx(members[name], f"{label}: {name}")
    return plain


def check_name(name: str, size: int, label: str) -> None:
    """Refuse a member that no bundle may hold, by its name or its size."""
    suffix = Path(name).suffix
    if not _allowed(name):
        refuse(label, f"{name[:60]!a} cannot name a member; use lower case and one of {', '.join(CAPS)}.")
    if size > CAPS[suffix]:
        refuse(label, f"{name} has {size:,} bytes; the limit is {CAPS[suffix]:,}.")


def _allowed(name: str) -> bool:
    spelt = archive.NAME.fullmatch(name) and not _DEVICES.fullmatch(name)
    return bool(spelt) and Path(name).suffix in CAPS


def _sealed(target: Path, model: Mapping[str, Any], contents: Mapping[str, bytes]) -> dict[str, bytes]:
    plain = json.loads(files.canonical(dict(model)))  # tuples become lists and keys text, as they will be read
    for name in ("files", "seal"):
        if name in plain:
            raise ValueError(f"'{name}' of model.json is written by save, not given to it")
    plain |= {"format": FORMAT, "needs": NEEDS}
    plain["files"] = {name: {"size": len(data), "sha256": files.digest(data)} for name, data in contents.items()}
    plain["seal"] = files.digest(files.canonical(plain))
    if sum(map(len, contents.values())) > LARGEST:
        refuse(str(target), f"a bundle holds at most {LARGEST:,} bytes.")
    return {**contents, MANIFEST: files.canonical(plain)}


def _parse(data: bytes, label: str) -> dict[str, Any]:
    try:
        plain: dict[str, Any] = json.loads(data)
        spelt = files.canonical(plain)
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{label}: {MANIFEST} is not JSON: {str(error)[:120]}") from error
    version = plain.get("format") if isinstance(plain, dict) else None
    if type(version) is not int or version < 1:
        refuse(label, f"{MANIFEST} names no bundle format.")
    if version > FORMAT:
        needs = str(plain.get("needs"))
        needs = (
            f"sightline {needs} or newer" if re.fullmatch(r"\d[\w.]{0,19}", needs, re.ASCII) else "a newer sightline"
        )
        refuse(label, f"is of bundle format {version}; this sightline reads up to {FORMAT}. It needs {needs}: upgrade.")
    if spelt != data:
        refuse(
            label, f"{MANIFEST} was edited or is damaged. Export the bundle again; a bundle is never changed by hand."
        )
    unsealed = {key: value for key, value in plain.items() if key != "seal"}
    if plain.get("seal") != files.digest(files.canonical(unsealed)) or not isinstance(plain.get("files"), dict):
        refuse(label, f"{MANIFEST} does not match its seal: it was edited or is damaged. Export the bundle again.")
    return plain


def _read(source: Path, label: str, largest: int, arrived: Arrived) -> dict[str, bytes]:
    try:
        if source.is_dir():
            return _read_folder(source, label, largest, arrived)
        with _open(source, source, None, follow=True) as stream:
            size = os.fstat(stream.fileno()).st_size
            return archive.read(stream, size, label, most=MOST, largest=largest, arrived=arrived)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise BundleError(f"{label[-200:]!a}: cannot be read as a bundle: {reason}.") from error


def _read_folder(folder: Path, label: str, largest: int, arrived: Arrived) -> dict[str, bytes]:
    """The members of a folder, through one handle on it, so that a rename between two reads cannot mix two bundles."""
    flags = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0)
    anchor = os.open(folder, flags) if os.open in os.supports_dir_fd else None
    try:
        names = []
        with os.scandir(folder if anchor is None else anchor) as entries:
            for entry in entries:
                names += [entry.name] if entry.name not in _CLUTTER else []
                if len(names) > MOST:
                    refuse(label, f"more than {MOST} members.")
        members: dict[str, bytes] = {}
        for name in sorted(names):
            check_name(name, 0, label)
            with _open(Path(name) if anchor is not None else folder / name, folder / name, anchor) as stream:
                size = os.fstat(stream.fileno()).st_size
                check_name(name, size, label)
                largest -= size
                if largest < 0:
                    refuse(label, "larger than the limit.")
                members[name] = stream.read(size)
                arrived(name, members[name])
        return members
    finally:
        if anchor is not None:
            os.close(anchor)


def _open(place: Path, shown: Path, anchor: int | None, *, follow: bool = False) -> BinaryIO:
    """A plain file and nothing else: links, pipes and devices are refused, without waiting on them."""
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
    if not follow:
        flags |= getattr(os, "O_NOFOLLOW", 0)
        if anchor is None and place.is_symlink():
            refuse(str(shown), "is a link; a bundle holds plain files only.")
    stream = os.fdopen(os.open(place, flags, dir_fd=anchor), "rb")
    if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
        stream.close()
        refuse(str(shown), "is not a plain file.")
    return stream


def _write(place: Path, data: bytes) -> None:
    """One durable member; the caller names the bundle rather than the temporary file in the error."""
    try:
        files.write_durably(place, data)
    except StorageError as error:
        raise error.__cause__ or error from None


def _aside(target: Path) -> Path:
    """Where the old folder stands while the new one takes its name; found here by whoever comes after a kill."""
    return target.parent / f".{target.name}.old"


def _source(path: Path) -> Path:
    """The bundle, or what a killed save set aside before the new one had its name."""
    return _aside(path) if _identity(path) is None and _identity(_aside(path)) else path


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino


def _recover(target: Path) -> None:
    """Finish or undo what a killed save left."""
    aside = _aside(target)
    if aside.is_dir():
        if target.exists():
            shutil.rmtree(aside, ignore_errors=True)
        else:
            aside.replace(target)
    for left in target.parent.glob(f".{target.name}.*.partial"):
        with contextlib.suppress(OSError):
            if left.is_dir() and time.time() - left.stat().st_mtime > 3600:  # younger ones may be a save at work
                shutil.rmtree(left, ignore_errors=True)


def _check_replaceable(target: Path) -> None:
    """Only an older bundle or an empty folder may be replaced: a mistyped path must not cost anyone a folder."""
    if not os.path.lexists(target):
        return
    entries = list(os.scandir(target)) if target.is_dir() else None
    if entries is None or (entries and not (target / MANIFEST).is_file()):
        raise StorageError(f"{target} exists and is not a bundle folder, so it is not replaced. Name another path.")
    for entry in entries:
        if entry.is_dir(follow_symlinks=False) or not (entry.name in _CLUTTER or _allowed(entry.name)):
            raise StorageError(f"{target} holds {entry.name}, which no bundle does, so it is not replaced.")


def _swap(partial: Path, target: Path) -> None:
    aside, moved = _aside(target), False
    try:
        if target.exists():
            target.replace(aside)
            moved = True
        partial.replace(target)
        files.sync_folder(target.parent)
    except BaseException:
        if moved:
            with contextlib.suppress(OSError):
                if target.exists():
                    target.replace(partial)
                aside.replace(target)
        raise
    shutil.rmtree(aside, ignore_errors=True)
