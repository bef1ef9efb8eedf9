"""A run becomes a bundle: graphs written, the whole path compared on golden samples, refused where answers differ."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from sightline.core import bundle as bundles
from sightline.core import catalog, golden
from sightline.core.annotations import Annotation
from sightline.core.calibration import NOTHING, Calibration
from sightline.core.dataset import Dataset
from sightline.core.errors import BundleError, InputError, RunError
from sightline.core.image import BytesImage, encode
from sightline.core.progress import Event, Tell, silent
from sightline.core.run import Run, open_run
from sightline.core.sample import Sample
from sightline.core.sides import held_out, reopen
from sightline.core.tally import between
from sightline.core.task import Facts, Task, posed
from sightline.core.task import Run as Pass
from sightline.evaluating.calibrating import calibrated
from sightline.predicting.answers import answers, torch_run
from sightline.predicting.model import REFERENCE, largest_gap, load, trained

GOLDEN = 8  # samples that every load answers again
CLOSE = 1e-3  # of the largest number an output holds


@dataclass(frozen=True)
class Parity:
    """One line of the table that an export prints and stores."""

    part: str
    gap: float
    tolerance: float
    equal: bool


@dataclass(frozen=True)
class Exported:
    """Where the bundle is, and how close its answers are to those of the network that was trained."""

    path: Path
    parity: tuple[Parity, ...]
    version: str

    def to_json(self) -> dict[str, Any]:
        return {"path": str(self.path), "version": self.version, "parity": [asdict(row) for row in self.parity]}


def export(
    run: Any, out: str | Path | None = None, *, data: Any = None, samples: int = GOLDEN, tell: Tell = silent
) -> Exported:
    """Write the bundle of a finished run; nothing is written where the exported graph answers otherwise."""
    source = open_run(run)
    info = source.info
    if info["state"] != "done":
        raise RunError(f"{source.path} is not done. Continue it with the command that began it, then export it.")
    path = Path(out) if out else source.bundle
    bundles.refuse_place(path)
    task, facts, network = trained(source)
    weights = source.weights.read_bytes()
    parted, known = reopen(info, data, folder=source.path), torch_run(network)
    calibration = calibrated(source, task, facts, known, parted, tell)
    chosen = golden_samples(posed(task, held_out(parted)[1], facts), samples)
    given = answers(task, known, chosen, facts, calibration=calibration)
    wanted = [answer for _, answer in given if isinstance(answer, Annotation)]
    files: dict[str, bytes] = {"weights.safetensors": weights, "golden.npz": golden.pack(chosen, wanted, 0)}
    if calibration.outliers is not None and calibration.outliers.arrays():
        files[REFERENCE] = golden.pack_arrays(calibration.outliers.arrays())
    table: list[Parity] = []
    exporter = catalog.find("exporters", "onnx")
    for name, graph in task.graphs(network, facts).items():
        tell(Event("note", f"writing the graph '{name}'"))
        files[f"{name}{exporter.SUFFIX}"] = data_ = exporter.export(graph)
        exported = exporter.load(data_, name)
        table += compare(task, known, exported, chosen, wanted, facts, calibration)
    apart = [row for row in table if not row.equal]
    if apart:
        raise BundleError(
            "the exported graph does not answer like the trained network ("
            + "; ".join(f"{row.part}: gap {row.gap:.3g}, allowed {row.tolerance:.3g}" for row in apart)
            + "). Nothing was written."
        )
    card = _card(info, task, table, source, calibration)
    files["card.md"] = card_text(card).encode()
    bundles.save(path, card, files)
    return Exported(path, tuple(table), load(path).version)


def compare(
    task: Task,
    known: Pass,
    exported: Pass,
    samples: Sequence[Sample],
    wanted: Sequence[Annotation],
    facts: Facts,
    calibration: Calibration = NOTHING,
    *,
    close: float = CLOSE,
    near: float | None = None,
) -> list[Parity]:
    """Bytes in, answers out: the record's own gap over the samples, then each output of the graph by itself.

    Outputs may differ by `close` of the largest number they hold; answers by `near`, else by what their record allows.
    """
    seen: dict[str, tuple[float, float]] = {}

    def both(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        mine, theirs = known(arrays), exported(arrays)
        for name, value in mine.items():
            gap, size = seen.get(name, (0.0, 1.0))
            alike = name in theirs and value.shape == theirs[name].shape
            far = float(np.max(np.abs(value - theirs[name]), initial=0.0)) if alike else np.inf
            seen[name] = (
                max(gap, far if np.isfinite(far) else np.inf),
                max(size, float(np.max(np.abs(value), initial=0))),
            )
        return theirs

    passed = answers(task, both, samples, facts, calibration=calibration)
    given = [answer for _, answer in passed if isinstance(answer, Annotation)]
    gap, allowed = largest_gap(given, wanted), task.kind.tolerance if near is None else near
    rows = [Parity(f"answers ({task.kind.__name__}, {len(wanted)} samples)", gap, allowed, gap <= allowed)]
    for name, (far, size) in seen.items():
        rows.append(Parity(f"output {name}", far, close * size, far <= close * size))
    return rows


def golden_samples(data: Dataset, count: int) -> list[Sample]:
    """A few samples spread over the data, as bytes anew: pixels only, so that no place or name travels with them.

    Where one cannot be read the next that can takes its place.
    """
    if not len(data):
        raise RunError("there is no sample to compare answers on.")
    found: dict[int, Sample] = {}
    for place in sorted({round(place) for place in np.linspace(0, len(data) - 1, count)}):
        for row in (row % len(data) for row in range(place, place + len(data))):
            if row in found:
                continue
            with contextlib.suppress(InputError):
                sample, name = data[row], f"golden-{len(found)}"
                images = tuple(BytesImage(encode(image.read()), name) for image in sample.images)
                found[row] = replace(sample, images=images, truth=None)
                break
        if not found:
            raise RunError(f"none of the {len(data):,} samples held back can be read to compare answers on.")
    return [found[row] for row in sorted(found)]


def _card(
    info: Mapping[str, Any], task: Task, table: Sequence[Parity], source: Run, calibration: Calibration
) -> dict[str, Any]:
    evaluation = json.loads(source.evaluation.read_bytes()) if source.evaluation.is_file() else {}
    kept = ("task", "model", "facts", "parameters", "settings", "options", "split", "counts", "versions", "created")
    return {
        **{name: info[name] for name in kept},
        "data": {"name": info["data"]["name"], "fingerprint": info["data"]["fingerprint"]},
        "lineage": {"run": source.path.name, "best_epoch": info["best_epoch"], "phases": info["phases"]},
        "calibration": calibration.to_json(),
        "thresholds": evaluation.get("thresholds", {}),
        "metrics": evaluation.get("figures", []),
        "parity": [asdict(row) for row in table],
        "explanations": ((evaluation.get("studies") or {}).get("explanations") or {}).get("verdicts", []),
        "golden": {"tolerance": task.kind.tolerance, "seed": 0},
        "licence": "unstated",
        "runs_with": "onnxruntime" if table else "torch",
    }


def card_text(card: Mapping[str, Any]) -> str:
    """The model card for people."""
    metrics = [
        f"| {row['name']} | {_number(row['value'])} | {between(row['low'], row['high'])} | {row['count']} |"
        for row in card["metrics"]
    ]
    parity = [f"| {r['part']} | {r['gap']:.3g} | {r['tolerance']:.3g} |" for r in card["parity"]]
    spec = "; ".join(
        f"{i['name']}: {' x '.join(map(str, i['size']))}, {i['channels']} channels of {i['dtype']}, {i['fit']}"
        for i in card["facts"]["inputs"]
    )
    return "\n".join(
        [
            f"# {card['task']} with {card['model']}",
            "",
            f"- Data: {card['data']['name']}, fingerprint `{card['data']['fingerprint'][:16]}`",
            f"- Samples: {', '.join(f'{count} {side}' for side, count in card['counts'].items())}",
            f"- Input: {spec}",
            f"- Names: {', '.join(card['facts']['names']) or 'none'}",
            f"- Parameters: {card['parameters']:,}",
            f"- Trained: {card['created']} with {', '.join(f'{k} {v}' for k, v in sorted(card['versions'].items()))}",
            f"- Licence of the weights: {card['licence']}",
            "",
            "## How good it is",
            "",
            *(
                ["| metric | value | 95 % interval | samples |", "| --- | --- | --- | --- |", *metrics]
                if metrics
                else ["Not evaluated."]
            ),
            "",
            "## Whether the exported graph is the trained network",
            "",
            *(
                ["| part | gap | allowed |", "| --- | --- | --- |", *parity]
                if parity
                else ["No graph; it runs in torch."]
            ),
            "",
        ]
    )


def _number(value: float | None) -> str:
    """A metric for the card; on few samples it may have no value."""
    return "none" if value is None else f"{value:.4g}"
