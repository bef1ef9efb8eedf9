"""A form becomes an ordinary bundle: calibrated, measured and held to its own answers, with its parent named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sightline.compressing.form import Form
from sightline.compressing.judging import BEYOND, Loss, asked, lost
from sightline.compressing.subject import GRAPH, Subject
from sightline.core import bundle as bundles
from sightline.core import catalog, golden
from sightline.core.annotations import Annotation, Objects
from sightline.core.calibration import Calibration
from sightline.core.decisions import operating_point
from sightline.core.errors import BundleError
from sightline.core.extras import need
from sightline.core.progress import Event, Tell
from sightline.core.sample import Sample
from sightline.core.sides import held_out
from sightline.core.task import Arrays, posed
from sightline.core.task import Run as Pass
from sightline.core.thresholds import bound, measured
from sightline.evaluating.calibrating import learnt_by
from sightline.evaluating.evaluate import finite
from sightline.evaluating.intervals import interval
from sightline.exporting.export import GOLDEN, Parity, card_text, golden_samples
from sightline.predicting.answers import answers
from sightline.predicting.model import REFERENCE, largest_gap, load, read_calibration

SLACK = 3.0  # times what two readings of the graph on this machine differ, for readings on others
LEFT_OUT = "left out: the graph is all that predicts; train further from the parent, then compress again"


@dataclass(frozen=True)
class Written:
    """What a form lost on pictures that no choice saw, and where its bundle is."""

    path: Path
    version: str  # the seal; empty where nothing was written, since more was lost than allowed
    side: str
    loss: Loss
    figures: tuple[Mapping[str, Any], ...]
    parent: tuple[Mapping[str, Any], ...]
    gap: float


def write(subject: Subject, form: Form, path: Path, allowed: float, timed: Mapping[str, Any], tell: Tell) -> Written:
    """Measure a form on the held-out side and write it; every figure is of the graph that is written."""
    passes = subject.load(form.graph, form.name)
    tell(Event("note", f"calibrating {form.name} on validation pictures"))
    calibration = learnt_by(subject.task, subject.facts, passes, subject.parted, subject.seed, tell)
    thresholds = _thresholds(subject, passes, calibration)
    side, _ = held_out(subject.parted)
    tell(Event("note", f"measuring {form.name} and its parent on the side '{side}'"))
    truths, given = asked(subject, passes, side, calibration, tell)
    known = subject.load(subject.graph)
    before = read_calibration(subject.parent.model, subject.parent.files, str(subject.parent.path))
    _, wanted = asked(subject, known, side, before, tell)
    loss = lost(subject.task.metrics[0], truths, given, wanted, allowed)
    figures = _figures(subject, truths, given, thresholds)
    theirs = _figures(subject, truths, wanted, dict(subject.parent.model.get("thresholds", {})))
    if loss.verdict == BEYOND:
        return Written(path, "", side, loss, tuple(figures), tuple(theirs), float("nan"))
    samples = golden_samples(posed(subject.task, held_out(subject.parted)[1], subject.facts), GOLDEN)
    mine, exact = (_answered(subject, run, samples, calibration) for run in (passes, _exactly(form.graph)))
    parents = _answered(subject, known, samples, before)  # each with its own: its features may be others
    spread, gap = largest_gap(exact, mine), largest_gap(mine, parents)
    least = subject.task.kind.tolerance
    allows = max(least, SLACK * spread)
    rows = (
        Parity(f"the graph read without the runtime's joining of steps ({len(mine)} samples)", spread, allows, True),
    )
    about = {
        "method": form.method, "form": form.name, "says": form.says, "settings": dict(form.settings),
        "facts": dict(form.facts), "parent": subject.parent.version, "side": side, "loss": loss.to_json(),
        "parent_metrics": theirs, "gap_to_parent": gap, "size": form.size, "parent_size": len(subject.graph),
        "timed": dict(timed), "weights": LEFT_OUT,
    }  # fmt: skip
    held = {"metrics": figures, "thresholds": thresholds, "calibration": calibration.to_json()}
    card = _card(subject, form, {**held, "parity": [vars(row) for row in rows], "compression": about}, allows)
    files = {GRAPH: form.graph, "golden.npz": golden.pack(samples, mine, 0), "card.md": _text(card).encode()}
    if calibration.outliers is not None and calibration.outliers.arrays():
        files[REFERENCE] = golden.pack_arrays(calibration.outliers.arrays())
    bundles.save(path, card, files)
    return Written(path, load(path).version, side, loss, tuple(figures), tuple(theirs), gap)


def _card(subject: Subject, form: Form, found: Mapping[str, Any], allows: float) -> dict[str, Any]:
    """What the parent says of itself, with what was found of the form in its place."""
    parent = subject.parent.model
    plain: dict[str, Any] = finite(
        {
            **{key: value for key, value in parent.items() if key not in ("format", "needs")},
            **found,
            "parameters": int(form.facts.get("parameters", parent["parameters"])),
            "golden": {"tolerance": allows, "seed": 0},
            "lineage": {**parent["lineage"], "parent": subject.parent.version, "compressed_by": form.method},
            "explanations": [],  # those of the parent were checked on another network
            "runs_with": "onnxruntime",
        }
    )
    return plain


def _answered(subject: Subject, passes: Pass, samples: Sequence[Sample], calibration: Calibration) -> list[Annotation]:
    found = [answer for _, answer in answers(subject.task, passes, samples, subject.facts, calibration=calibration)]
    given = [answer for answer in found if isinstance(answer, Annotation)]
    if len(given) < len(samples):
        raise BundleError("the compressed graph does not answer every golden sample. Nothing was written.")
    return given


def _exactly(graph: bytes) -> Pass:
    """A pass that takes every step as it is written: how another runtime may read the same graph."""
    runtime = need("onnxruntime")
    options = runtime.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = runtime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = runtime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    takes = [value.name for value in session.get_inputs()]
    gives = [value.name for value in session.get_outputs()]

    def run(arrays: Arrays) -> Arrays:
        return dict(zip(gives, session.run(gives, {name: arrays[name] for name in takes}), strict=True))

    return run


def _thresholds(subject: Subject, passes: Pass, calibration: Calibration) -> dict[str, Any]:
    """What answers are decided by, where the parent is decided by something: measured anew on validation pictures."""
    if not subject.parent.model.get("thresholds"):
        return {}
    truths, given = asked(subject, passes, "val", calibration)
    if subject.task.kind is Objects:
        known = [
            (t, a) for t, a in zip(truths, given, strict=True) if isinstance(t, Objects) and isinstance(a, Objects)
        ]
        return {"score": operating_point([t for t, _ in known], [a for _, a in known])}
    return measured(truths, given)


def _figures(
    subject: Subject, truths: Sequence[Annotation], given: Sequence[Annotation], thresholds: Mapping[str, Any]
) -> list[dict[str, Any]]:
    floors = {row["name"]: row.get("baseline") for row in subject.parent.model["metrics"]}
    found = []
    for name in subject.task.metrics:
        tally = bound(catalog.find("metrics", name), thresholds)(truths, given)
        found.append({"name": name, **interval(tally).to_json(), "baseline": floors.get(name)})
    return found


def _text(card: Mapping[str, Any]) -> str:
    """The card for people, with what was compressed and what it cost."""
    about = card["compression"]
    loss = Loss.read(about["loss"])
    rows = zip(card["metrics"], about["parent_metrics"], strict=True)
    return "\n".join(
        [
            card_text(card),
            "## What was compressed",
            "",
            f"- Method: {about['says']}",
            f"- Parent: `{about['parent']}`",
            f"- Graph: {about['size']:,} bytes, {about['parent_size'] / about['size']:.2f} times smaller",
            f"- {loss.metric} on {loss.count:,} pictures of the side '{about['side']}': {loss.line}",
            f"- Farthest answer from the parent's, of the golden samples: {about['gap_to_parent']:.3g}",
            f"- Weights for further training: {about['weights']}",
            "",
            "| metric | compressed | parent |",
            "| --- | --- | --- |",
            *(f"| {mine['name']} | {_number(mine)} | {_number(its)} |" for mine, its in rows),
            "",
        ]
    )


def _number(row: Mapping[str, Any]) -> str:
    value, low, high = row["value"], row["low"], row["high"]
    if value is None:
        return "none"
    return f"{value:.4g}" if low is None or high is None else f"{value:.4g} ({low:.4g} to {high:.4g})"
