"""A run as one page that a person would rather look at than read."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from sightline.core.annotations import Annotation, Picture
from sightline.core.calibration import Calibration
from sightline.core.dataset import Dataset
from sightline.core.decisions import decide, settings_of
from sightline.core.errors import InputError
from sightline.core.files import write_durably
from sightline.core.progress import Event, Tell, silent
from sightline.core.run import Run, open_run
from sightline.core.sample import Sample
from sightline.core.settings import to_word
from sightline.core.sides import reopen
from sightline.core.task import Facts, Task, posed
from sightline.evaluating.calibrating import calibrated
from sightline.evaluating.charts import history_png
from sightline.evaluating.evaluate import Evaluation
from sightline.evaluating.report import Example, Figure, Material, write_report
from sightline.evaluating.scene import Scene
from sightline.evaluating.studies import all_studies
from sightline.evaluating.verdict import verdict
from sightline.overlays import draw
from sightline.predicting.answers import Answer, answers, reference, torch_run
from sightline.predicting.model import trained
from sightline.training.settings import Settings

SHOWN = 12  # pictures in each gallery
TILE = 96  # columns that a caption is given at least
UNTESTED = (
    "Pictures from another camera, site or season than those it was trained on.",
    "Deliberately misleading pictures.",
)
WORSE = "Noise, blur, compression and light beyond what the held-out side holds."
UNKNOWN = "Pictures unlike all that it learnt from: this model has no measure of them, and cannot refuse them."


def report(run: Any, *, data: Any = None, tell: Tell = silent) -> Path:
    """Write report.html into an evaluated run, and history.png where there is more than one epoch."""
    folder = open_run(run)
    info, evaluation = folder.info, Evaluation.read(folder.evaluation)
    task, facts, network = trained(folder)
    parted = reopen(info, data, folder=folder.path)
    seed = int(info["settings"]["seed"])
    passes = torch_run(network)
    settled = settings_of(evaluation.thresholds, task.several)
    calibration = calibrated(folder, task, facts, passes, parted, tell)

    def shown(ids: Sequence[str]) -> list[Example]:
        given = answers(task, passes, _pick(posed(task, parted, facts), ids), facts, seed=seed, calibration=calibration)
        return _examples(task, facts, given, settled)

    worst, typical = shown(evaluation.worst[:SHOWN]), shown(evaluation.typical[::2][:SHOWN])
    confusion = evaluation.confusion
    scene = Scene(task, facts, passes, network, (), (), (), parted, seed, folder, info, tell, calibration)
    studied = {name: module for name, module in all_studies().items() if name in evaluation.studies}
    told = verdict(evaluation, studied)
    material = Material(
        title=f"{info['task']} on {info['data']['name']}",
        task=info["task"],
        model=info["model"],
        verdict=told.line,
        trusted=told.trusted,
        doubted=told.doubted,
        facts=_facts(info, evaluation),
        figures=[_figure(row) for row in evaluation.figures],
        history=folder.history,
        confusion=None if confusion is None else (confusion["names"], np.array(confusion["matrix"])),
        worst=worst,
        typical=typical,
        sections=[(each.ORDER, each.section(evaluation.studies[name], scene)) for name, each in studied.items()],
        parity=_parity(folder),
        notes=_notes(folder, evaluation),
        untested=[*UNTESTED, *_untested(evaluation, calibration)],
        reproduce=_command(folder, info),
    )
    if len(folder.history) > 1:  # one epoch is no curve
        write_durably(folder.path / "history.png", history_png(folder.history))
    tell(Event("note", f"report: {folder.report}"))
    return write_report(folder.report, material)


def _untested(evaluation: Evaluation, calibration: Calibration) -> list[str]:
    """What some reports can say, and this one cannot."""
    lines = [] if "robustness" in evaluation.studies else [WORSE]
    return lines if calibration.outliers else [*lines, UNKNOWN]


def _pick(data: Dataset, ids: Sequence[str]) -> list[Sample]:
    wanted = {identity: place for place, identity in enumerate(ids)}
    found = [sample for sample in data if sample.id in wanted]
    return sorted(found, key=lambda sample: wanted[sample.id])


def _examples(task: Task, facts: Facts, given: Iterable[Answer], settled: Mapping[str, Any]) -> list[Example]:
    """Each sample's answer, as it would be acted on, beside what is so."""
    shown = []
    for sample, answer in given:
        truth = reference(task, sample, answer, facts)
        if isinstance(answer, InputError) or isinstance(truth, InputError):
            continue
        picture = _drawn(sample, truth, decide(answer, **settled))
        shown.append(
            Example(sample.id, picture, "the answer" if truth is None else "left: what is so; right: the answer")
        )
    return shown


def _drawn(sample: Sample, truth: Annotation | None, answer: Annotation) -> np.ndarray:
    if isinstance(answer, Picture):  # this overlay lays two pictures side by side in one range
        return draw(truth.pixels if isinstance(truth, Picture) else answer.pixels, answer)
    pixels = sample.pixels()
    return _beside([draw(pixels, known, least=TILE) for known in (truth, answer) if known is not None])


def _beside(pictures: Sequence[np.ndarray]) -> np.ndarray:
    height = max(picture.shape[0] for picture in pictures)
    gap = np.full((height, 4, 3), 255, np.uint8)
    padded = [np.pad(p, ((0, height - p.shape[0]), (0, 0), (0, 0)), constant_values=255) for p in pictures]
    joined = [part for picture in padded for part in (picture, gap)]
    return np.concatenate(joined[:-1], 1)


def _figure(row: Mapping[str, Any]) -> Figure:
    number = {key: float("nan") if row[key] is None else float(row[key]) for key in ("value", "low", "high")}
    return Figure(
        name=row["name"], **number, better=row["better"], count=row["count"], of=row["of"], baseline=row["baseline"]
    )


def _facts(info: Mapping[str, Any], evaluation: Evaluation) -> dict[str, str]:
    counts, chosen = info["counts"], info["choices"]
    return {
        "Data": f"{info['data']['name']}, fingerprint {info['data']['fingerprint'][:16]}",
        "Samples": f"{counts['train']} train, {counts['val']} validation, {counts['test']} test",
        "Measured on": f"{evaluation.side}, {evaluation.count} samples, {1000 * evaluation.seconds_each:.1f} ms each",
        "Names": ", ".join(info["facts"]["names"]) or "none",
        "Network": f"{info['model']}, {info['parameters']:,} parameters",
        "Input": "; ".join(
            f"{i['name']} {' x '.join(map(str, i['size']))} x {i['channels']} {i['dtype']}, {i['fit']}"
            for i in info["facts"]["inputs"]
        ),
        "Epochs": f"{' + '.join(map(str, info['phases']))} planned, best {info['best_epoch']}",
        "Computed with": f"{chosen['device']}, {chosen['precision']}, {chosen['layout']}, {chosen['threads']} threads",
        "Versions": ", ".join(f"{name} {version}" for name, version in sorted(info["versions"].items())),
    }


def _parity(folder: Run) -> list[dict[str, str]]:
    if not (folder.bundle / "model.json").is_file():
        return []
    rows = json.loads((folder.bundle / "model.json").read_bytes()).get("parity", [])
    return [
        {
            "part": row["part"],
            "gap": f"{row['gap']:.3g}",
            "tolerance": f"{row['tolerance']:.3g}",
            "verdict": "equal" if row["equal"] else "differs",
        }
        for row in rows
    ]


def _notes(folder: Run, evaluation: Evaluation) -> list[str]:
    notes = []
    audit = folder.path / "audit.json"
    if audit.is_file():
        notes += [finding["text"] for finding in json.loads(audit.read_bytes()).get("findings", [])]
    skipped = folder.path / "skipped.json"
    if skipped.is_file():
        listed = json.loads(skipped.read_bytes())
        notes += [f"Skipped in training: {name} ({why})" for name, why in listed.items()]
    notes += [f"Not measured: {name} ({why})" for name, why in evaluation.unreadable.items()]
    return notes


def _command(folder: Run, info: Mapping[str, Any]) -> str:
    """The command that makes this run again: by its file of settings, or word by word where it has none."""
    if folder.settings.is_file():
        return folder.command("--settings", shlex.quote(str(folder.settings)), "--out", "FOLDER")
    usual = asdict(Settings())
    changed = [to_word(f"train.{k}", v) for k, v in info["settings"].items() if v != usual[k]]
    changed += [to_word(f"task.{k}", v) for k, v in info["options"].items() if v is not None]
    changed = [f"--set {word}" for word in changed]
    return folder.command(*changed, f"--out {folder.path}")
