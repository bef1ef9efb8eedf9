"""Say what a model sees in pictures; one line a picture, and one that cannot be read stops none of the others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from sightline.cli._display import Screen
from sightline.cli._lines import answer_line, decision_line, printable
from sightline.cli._pictures import asked
from sightline.cli._sheets import Folder
from sightline.core.annotations import to_json
from sightline.core.decisions import decide, settings_of
from sightline.core.errors import InputError, SettingsError
from sightline.core.files import refuse_folder
from sightline.core.progress import Event

if TYPE_CHECKING:
    from sightline.predicting.model import Model


def run(
    screen: Screen,
    model: Annotated[str, "a bundle, or a run that has one"],
    pictures: Annotated[tuple[str, ...], "files, folders, or quoted patterns such as 'photos/**/*.jpg'"] = (),
    *,
    out: Annotated[Path | None, "folder for pictures with the answers drawn on them, and predictions.jsonl"] = None,
    threshold: Annotated[
        float | None, "leave out objects, and doubt names, that score less; objects have one measured in the bundle"
    ] = None,
    coverage: Annotated[
        float | None, "how often the names given must hold the true one: .9, .95 or .99; the bundle has a usual one"
    ] = None,
    count: Annotated[int, "how many answers to ask for, of a model that needs no picture"] = 0,
    seed: Annotated[int, "of a model that draws chance"] = 0,
    backend: Annotated[str, "auto (ONNX Runtime), onnx, openvino, torch, or fastest: measured once"] = "auto",
    precision: Annotated[str, "float32, or bfloat16 where the runtime and the machine have it"] = "float32",
    allow: Annotated[float | None, "how far answers may be from the golden ones; lower precisions need it"] = None,
    threads: Annotated[int | None, "threads of any runtime; all cores without it"] = None,
) -> dict[str, Any]:
    """Each picture's answer or error; status 2 where there was an error."""
    if count < 0:
        raise SettingsError(f"--count {count}: must be 0 or more.")
    if not pictures and not count:
        raise SettingsError("name pictures, or say with --count how many answers a generator should give.")
    if threshold is not None and not 0 <= threshold <= 1:
        raise SettingsError(f"--threshold {threshold}: must be from 0 to 1.")
    if out is not None:
        refuse_folder(out)
    from sightline.predicting.model import load

    ready = load(
        model, backend=backend, threads=threads, precision=precision, allow=allow, rows=len(pictures), tell=screen.tell
    )
    known = () if ready.calibration.sets is None else tuple(ready.calibration.sets.levels)
    if coverage is not None and coverage not in known:
        made = ", ".join(f"{level:g}" for level in known)
        raise SettingsError(f"--coverage {coverage:g}: this model has {f'sets at {made}' if known else 'no sets'}.")
    several = ready.task.several
    settled = settings_of(ready.card["thresholds"], several, threshold)
    folder = Folder(out) if out else None
    failed: list[tuple[str, InputError]] = []
    rows: list[dict[str, Any]] = []
    for sample, given in ready.predict_all(asked(pictures, failed, count), seed=seed):
        answer = given if isinstance(given, InputError) else decide(given, **settled)
        if isinstance(answer, InputError):
            failed.append((sample.id, answer))
            continue
        row: dict[str, Any] = {"id": sample.id, "answer": to_json(answer)}
        decision = None if several else ready.judge(answer, level=coverage, least=threshold)
        if decision is not None:
            row |= {"sure": not decision.unsure, "decision": decision.to_json()}
        screen.say(f"{sample.id}: {decision_line(decision)}{answer_line(answer, 12 if several else 3)}")
        if folder:
            folder.add(sample, answer, row)
        if screen.json:
            rows.append(row)
    for name, error in failed:
        screen.tell(Event("skip", f"error[{error.code}]: {_named(name, error)}", {"id": name, "code": error.code}))
        rows.append({"id": name, "error": {"code": error.code, "message": error.message}})
    if folder:
        screen.say(f"predictions: {folder.close([row for row in rows if 'error' in row])}")
    screen.status = 2 if failed else 0
    return {"model": _about(ready), "answers": rows}


def _about(ready: Model) -> dict[str, Any]:
    """Which model spoke, and by which limits."""
    made = ready.calibration
    limits = {
        **ready.card["thresholds"],
        "coverage": None if made.sets is None else made.sets.usual,
        "outlier": None if made.outliers is None else 1.0,
    }
    about = {"task": ready.task_name, "name": ready.card["model"], "version": ready.version, "backend": ready.backend}
    about |= {"precision": ready.precision}
    return {**about, "thresholds": limits, "calibration": ready.card.get("calibration", {})}


def _named(name: str, error: InputError) -> str:
    return error.message if name in error.message else f"{printable(name)}: {error.message}"
