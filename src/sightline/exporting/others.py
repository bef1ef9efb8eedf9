"""A run written for another runtime, beside its bundle: compared over the whole path, refused where answers differ."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from sightline.core import bundle as bundles
from sightline.core import catalog, golden
from sightline.core.errors import BundleError, RunError, SettingsError, nearest
from sightline.core.files import canonical, digest, refuse_place, write_durably
from sightline.core.progress import Event, Tell, silent
from sightline.core.run import Run, open_run
from sightline.core.settings import fill, from_words
from sightline.exporting.export import Parity, compare, export
from sightline.predicting.answers import torch_run
from sightline.predicting.model import bare_model, bundle_of, read_calibration, trained
from sightline.predicting.named import is_name
from sightline.predicting.runtimes import USUAL

NAMES = {"torch": "torch_export"}  # shorter words for entries


@dataclass(frozen=True)
class Written:
    """Where the files of another runtime are, and how close their answers are to those of the trained network."""

    path: Path
    parity: tuple[Parity, ...]
    unproven: str  # why nothing could be compared here; empty where it was
    files: dict[str, int]  # bytes of each
    told: dict[str, Any] = field(default_factory=dict)  # what the runtime says of each file

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self) | {"path": str(self.path), "parity": [asdict(row) for row in self.parity]}


def export_to(
    run: Any,
    to: str,
    out: str | Path | None = None,
    *,
    unproven: bool = False,
    settings: Sequence[str] = (),
    tell: Tell = silent,
) -> Written:
    """Write each graph of a finished run as `to` takes it; the record of the comparison lies beside the files.

    Nothing is written where answers differ, or where this machine cannot run what it wrote and `unproven` is not said.
    What is made of the graph of a bundle, rather than of a network in torch, takes a bundle by its path.
    """
    entry = catalog.find("exporters", _entry(to))
    if hasattr(entry, "convert"):
        return _converted(run, entry, to, out, settings, tell)
    if settings:
        raise SettingsError(f"--to {to} takes no settings, and was given {settings[0]}.")
    if _is_bundle(run):
        raise RunError(
            f"{run} is a bundle: what `{to}` takes is written from the network in torch. Give the run that it is of, "
            "or write `--to integer` of a bundle in int8."
        )
    source = open_run(run)
    folder = Path(out) if out else source.path
    refuse_place(folder / f"{to}.json")
    if not source.bundle.exists():
        export(source, tell=tell)
    opened = bundles.load(source.bundle)
    task, facts, network = trained(source)
    samples, wanted, _ = golden.unpack(opened.files["golden.npz"], f"{source.bundle}/golden.npz")
    calibration, known = read_calibration(opened.model, opened.files, str(source.bundle)), torch_run(network)
    table: list[Parity] = []
    files: dict[str, bytes] = {}
    missing = ""
    for name, graph in task.graphs(network, facts).items():
        tell(Event("note", f"writing the graph '{name}' for {to}"))
        made = entry.export(graph)
        files |= _placed(f"{name}{entry.SUFFIX}", made)
        missing = entry.unprovable() if hasattr(entry, "unprovable") else ""
        if not missing:
            again = entry.reopen(made, f"{name}{entry.SUFFIX}")
            table += compare(task, known, again, samples, wanted, facts, calibration)
    if not files:
        raise BundleError(f"the task '{opened.model['task']}' has no graph to write for {to}.")
    if missing and not unproven:
        raise BundleError(f"{to}: {missing} so its answers cannot be compared here. Write it all the same: --unproven")
    _hold(table, to, "the trained network", files, str(source.bundle))
    written = Written(folder, tuple(table), missing, {name: len(data) for name, data in files.items()})
    _write(folder, files, to, written, opened.version)
    return written


def _is_bundle(word: Any) -> bool:
    """Whether a word stands for a bundle, and for no run."""
    if isinstance(word, Run) or Run(Path(str(word))).exists:
        return False
    return is_name(str(word)) or Path(str(word)).is_file() or (Path(str(word)) / bundles.MANIFEST).is_file()


def _converted(
    path: str | Path, entry: Any, to: str, out: str | Path | None, settings: Sequence[str], tell: Tell
) -> Written:
    """Make files of a bundle's graphs, held to its golden answers and to the same graphs in the usual runtime."""
    options, where = fill(entry.Options, from_words(settings)), bundle_of(path)
    folder = Path(out) if out else where.with_name(f"{where.stem}-{to}")
    refuse_place(folder / f"{to}.json")
    opened = bundles.load(where)
    bare = bare_model(opened, str(where))
    samples, wanted, _ = golden.unpack(opened.files["golden.npz"], f"{where}/golden.npz")
    near = max(float(bare.card["golden"]["tolerance"]), entry.NEAR)
    table, files, told = list[Parity](), dict[str, bytes](), dict[str, Any]()
    for member, graph in opened.files.items():
        name, dot, kind = member.rpartition(".")
        if f"{dot}{kind}" != ".onnx":
            continue
        tell(Event("note", f"writing the graph '{name}' for {to}"))
        place = f"{name}{entry.SUFFIX}"
        files[place] = made = entry.convert(graph, str(where), options)
        told[place] = entry.told(made, place)
        known, again = catalog.find("exporters", USUAL).load(graph, member), entry.reopen(made, place)
        table += compare(
            bare.task, known, again, samples, wanted, bare.facts, bare.calibration, close=entry.CLOSE, near=near
        )
    _hold(table, to, "the graph that it was made of", files, str(where))
    written = Written(folder, tuple(table), "", {name: len(data) for name, data in files.items()}, told)
    _write(folder, files, to, written, opened.version)
    return written


def _hold(table: Sequence[Parity], to: str, known: str, files: dict[str, bytes], label: str) -> None:
    """Refuse what answers otherwise, and what holds nothing."""
    if not files:
        raise BundleError(f"{label} holds no graph to write for {to}.")
    apart = "; ".join(f"{row.part}: gap {row.gap:.3g}, allowed {row.tolerance:.3g}" for row in table if not row.equal)
    if apart:
        raise BundleError(f"what was written for {to} does not answer like {known} ({apart}).")


def _entry(to: str) -> str:
    """The exporter that a word means."""
    known = [*NAMES, *(name for name in catalog.names("exporters") if name not in NAMES.values())]
    name = NAMES.get(to, to)
    if to not in known and name not in catalog.names("exporters"):
        raise SettingsError(f"--to {to}: must be one of {', '.join(sorted(known))}.{nearest(to, known)}")
    return name


def _placed(name: str, made: bytes | dict[str, bytes]) -> dict[str, bytes]:
    """Each file by its place in the folder that all are written to."""
    if isinstance(made, bytes):
        return {name: made}
    return {str(PurePosixPath(name) / inner): data for inner, data in made.items()}


def _write(folder: Path, files: dict[str, bytes], to: str, written: Written, seal: str) -> None:
    """Each file whole, what an older export left in their folders removed, and the record last."""
    for top in {PurePosixPath(name).parts[0] for name in files if len(PurePosixPath(name).parts) > 1}:
        shutil.rmtree(folder / top, ignore_errors=True)
    for name, data in files.items():
        write_durably(folder / name, data)
    record = {**written.to_json(), "to": to, "bundle": seal} | {"path": None}
    record["files"] = {name: {"size": len(data), "sha256": digest(data)} for name, data in files.items()}
    write_durably(folder / f"{to}.json", canonical(record))
