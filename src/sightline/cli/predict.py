"""Say what a model sees in pictures; one line a picture, and one that cannot be read stops none of the others."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from sightline.cli._curves import curve_of
from sightline.cli._display import Screen
from sightline.cli._lines import answer_line, decision_line, printable
from sightline.cli._pictures import asked
from sightline.cli._sheets import Folder
from sightline.core.annotations import to_json
from sightline.core.errors import InputError, SettingsError
from sightline.core.files import refuse_folder
from sightline.core.progress import Event
from sightline.predicting.given import CONFIDENCE, HERE, Given, judged

if TYPE_CHECKING:
    from sightline.core.sample import Sample
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
    ask: Annotated[
        str | None, "a model of a service, such as https://host/models/parts, to ask where this one is unsure"
    ] = None,
    confidence: Annotated[float, "the score that needs nobody else; of --ask"] = CONFIDENCE,
    token_file: Annotated[Path | None, "holds the token of --ask; else the variable SIGHTLINE_TOKEN does"] = None,
    send_side: Annotated[int | None, "the longest side of pictures that are sent; as they are without it"] = None,
    curve: Annotated[
        bool, "with labelled pictures: ask for all, and show what each confidence sends and gets right"
    ] = False,
    wait: Annotated[float, "seconds after which an answer of --ask is not waited for"] = 10.0,
) -> dict[str, Any]:
    """Each picture's answer or error; status 2 where there was an error."""
    _check(pictures, count, threshold, ask, token_file if token_file is not None else send_side or curve or None)
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
    second = None
    if ask is not None:
        from sightline.predicting.local_first import ask as asking

        second = asking(
            ask, ready, confidence=confidence, token_file=token_file, side=send_side, seconds=wait, level=coverage,
            least=threshold, tell=screen.tell,
        )  # fmt: skip
    if curve and second:
        return curve_of(screen, second, pictures)
    folder = Folder(out) if out else None
    failed: list[tuple[str, InputError]] = []
    rows: list[dict[str, Any]] = []
    samples = asked(pictures, failed, count)
    with second or contextlib.nullcontext():
        answers = second.predict_all(samples, seed=seed) if second else _here(ready, samples, seed, coverage, threshold)
        for sample, given in answers:
            if isinstance(given, InputError):
                failed.append((sample.id, given))
                continue
            row = _row(sample, given) | ({"by": given.by, "alone": given.alone} if second else {})
            screen.say(_line(sample, given, 12 if ready.task.several else 3))
            if folder:
                folder.add(sample, given.answer, row)
            if screen.json:
                rows.append(row)
    for name, error in failed:
        screen.tell(Event("skip", f"error[{error.code}]: {_named(name, error)}", {"id": name, "code": error.code}))
        rows.append({"id": name, "error": {"code": error.code, "message": error.message}})
    if folder:
        screen.say(f"predictions: {folder.close([row for row in rows if 'error' in row])}")
    screen.status = 2 if failed else 0
    if second:
        screen.say(second.counts.told())
    told = {"asking": second.counts.to_json()} if second else {}
    return {"model": _about(ready), "answers": rows, **told}


def _check(pictures: tuple[str, ...], count: int, threshold: float | None, ask: str | None, how: object) -> None:
    """Refuse words that cannot be meant before anything is opened."""
    if count < 0:
        raise SettingsError(f"--count {count}: must be 0 or more.")
    if not pictures and not count:
        raise SettingsError("name pictures, or say with --count how many answers a generator should give.")
    if threshold is not None and not 0 <= threshold <= 1:
        raise SettingsError(f"--threshold {threshold}: must be from 0 to 1.")
    if ask is None and how is not None:
        raise SettingsError("--token-file, --send-side and --curve say how to ask. Say with --ask which service.")
    if ask is not None and count:
        raise SettingsError("--ask sends pictures, and --count asks for answers without any. Give one of them.")


def _here(
    ready: Model, samples: Iterator[Sample], seed: int, level: float | None, least: float | None
) -> Iterator[tuple[Sample, Given | InputError]]:
    """Answers of this model alone."""
    for sample, answer in ready.predict_all(samples, seed=seed):
        if isinstance(answer, InputError):
            yield sample, answer
        else:
            yield sample, judged(ready, answer, level=level, least=least)


def _row(sample: Sample, given: Given) -> dict[str, Any]:
    row: dict[str, Any] = {"id": sample.id, "answer": to_json(given.answer)}
    if given.decision is None:
        return row
    return row | {"sure": not given.decision.unsure, "decision": given.decision.to_json()}


def _line(sample: Sample, given: Given, most: int) -> str:
    """One answer; who gave it where that is somebody else, and why nobody else did where one was asked."""
    line = f"{sample.id}: {decision_line(given.decision)}{answer_line(given.answer, most)}"
    if given.by != HERE:
        return f"{line}  [{given.by}]"
    return f"{line}  [alone: {given.alone}]" if given.alone else line


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
