"""Why a model answers so about these pictures: a heat map each, and what it learnt from that is most like it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from sightline.core.annotations import Annotation, Heatmap
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError, SettingsError
from sightline.core.image import as_image
from sightline.core.progress import Event, Tell, silent
from sightline.core.run import Run, open_run
from sightline.core.sample import Sample
from sightline.core.sides import held_out, reopen
from sightline.explaining.check import Verdict, withheld
from sightline.explaining.judging import judge, kept, knows_nothing, seal
from sightline.explaining.methods import METHODS, maps, method
from sightline.explaining.neighbours import Bank, Near, bank, features
from sightline.explaining.placing import back
from sightline.explaining.subject import Subject
from sightline.predicting.answers import answers, judged, torch_run
from sightline.predicting.model import Model, load, trained

TOGETHER = 16  # pictures explained at once


@dataclass(frozen=True, eq=False)
class Explanation:
    """One answer with its reasons: `heatmap` is 0 to 1 over the picture, and scored as the answer is."""

    sample: Sample
    answer: Annotation
    asked: str
    heatmap: Heatmap
    near: tuple[Near, ...] = ()


@dataclass(frozen=True, eq=False)
class Explained:
    """Explanations that passed their checks; none, and the reason, where they did not."""

    title: str
    verdict: Verdict
    explanations: tuple[Explanation, ...]
    failed: tuple[tuple[str, InputError], ...] = ()  # pictures that could not be read
    train: Dataset | None = None  # where the nearest pictures lie


@dataclass(frozen=True, eq=False)
class _Opened:
    """A run or a bundle: who is asked, what is known of its checks, and what it learnt from."""

    subject: Subject
    title: str
    known: Mapping[str, Verdict]
    reason: str = ""  # why nothing may be shown
    run: Run | None = None
    sides: Dataset | None = None


def explain(
    what: Any,
    pictures: Any,
    *,
    method: str | None = None,
    name: str | None = None,
    layer: str | None = None,
    near: int = 3,
    data: Any = None,
    tell: Tell = silent,
) -> Explained:
    """Explain the answers of a run or a bundle about pictures (paths, bytes, arrays or samples).

    `method` is found by the checks where it is not given; `name` asks why it is, or is not, that name.
    """
    opened = _open(what, method, data, near > 0)
    verdict = _verdict(opened, method, data, tell)
    samples, failed = _samples(pictures)
    if not verdict.shown:
        return Explained(opened.title, verdict, (), failed)
    known = train = None
    if near > 0 and opened.sides is not None and opened.subject.network is not None:
        tell(Event("note", "looking at what it learnt from"))
        train = opened.sides.side("train")
        known = bank(opened.subject, train)
    found: list[Explanation] = []
    for start in range(0, len(samples), TOGETHER):
        tell(Event("progress", "explanations", {"done": start, "total": len(samples)}))
        part = samples[start : start + TOGETHER]
        found += reasons(opened.subject, part, verdict.method, name=name, layer=layer, known=known, count=near)
    return Explained(opened.title, verdict, tuple(found), failed, train)


def reasons(
    subject: Subject,
    samples: Sequence[Sample],
    method: str,
    *,
    name: str | None = None,
    layer: str | None = None,
    known: Bank | None = None,
    count: int = 3,
) -> list[Explanation]:
    """Heat maps in the pixels of the pictures, whatever the checks say; `known` adds the nearest that was learnt."""
    view = subject.look(samples, name)
    placed = back(maps(method, view, layer=layer), view.frames)
    close: list[list[Near]] = [[] for _ in samples]
    if known is not None:
        close = known.nearest(features(subject, samples), count)
    found = []
    for sample, answer, question, scores, like in zip(
        view.samples, view.answers, view.questions, placed, close, strict=True
    ):
        top = float(scores.max())
        whole = np.clip(scores / top, 0, 1).astype(np.float32) if top > 0 else np.zeros_like(scores)
        found.append(Explanation(sample, answer, question.words, Heatmap(whole, question.score), tuple(like)))
    return found


def _open(what: Any, asked: str | None, data: Any, near: bool) -> _Opened:
    if asked is not None:
        method(asked)  # a name that is none is said before anything is opened
    if isinstance(what, Run) or Run(Path(str(what))).exists or (Run(Path("runs") / str(what))).exists:
        run = open_run(what)
        task, facts, network = trained(run)
        subject = Subject(task, facts, torch_run(network), network)
        opened = _Opened(subject, f"{run.info['task']} on {run.info['data']['name']}", _kept(run, network), run=run)
        return replace(opened, sides=reopen(run.info, data, folder=run.path)) if near else opened
    wanted = asked is not None and METHODS[asked].network
    model = load(what)
    subject = Subject(model.task, model.facts, model.run)
    if wanted:
        subject = in_torch(model, what)
    rows = model.card.get("explanations") or ()
    known = {row["method"]: Verdict.from_json(row) for row in rows}
    return _Opened(subject, f"{model.task_name} from {Path(str(what)).name}", known, _no_better(model.card))


def in_torch(model: Model, what: Any) -> Subject:
    """The network of a bundle, from the weights that it carries."""
    from sightline.core import bundle as bundles
    from sightline.predicting.model import bundle_of, torch_network

    weights = bundles.weights(bundles.load(bundle_of(what)))
    network = torch_network(model.task, model.card["model"], model.facts, weights)
    return Subject(model.task, model.facts, torch_run(network), network)


def _kept(run: Run, network: Any) -> dict[str, Verdict]:
    """The verdicts of a run that was measured; none before, or where its weights are others by now."""
    import json

    if not run.evaluation.is_file():
        return {}
    return kept(json.loads(run.evaluation.read_bytes()).get("studies") or {}, seal(network))


def _no_better(card: Mapping[str, Any]) -> str:
    """Why a bundle has no reasons to show, by the metric on its card."""
    first = next(iter(card.get("metrics") or ()), None)
    if first is None or first.get("baseline") is None or first.get("low") is None:
        return ""
    higher = first["better"] == "higher"
    if first["low"] > first["baseline"] if higher else first["high"] < first["baseline"]:
        return ""
    return f"by its card the model is not clearly better than its baseline ({first['name'].replace('_', ' ')})"


def _verdict(opened: _Opened, asked: str | None, data: Any, tell: Tell) -> Verdict:
    """What is known of the method that is asked for, or else of the best one; checked now where nothing is."""
    known = opened.known
    if asked is None:
        shown = next((verdict for verdict in known.values() if verdict.shown and _can(opened, verdict.method)), None)
        if shown is not None:
            return shown
        if known and not any(_can(opened, name) and verdict.shown for name, verdict in known.items()) and opened.run:
            return next(iter(known.values()))
    elif asked in known:
        return known[asked]
    if opened.run is None:
        return _of_bundle(opened, asked or "occlusion")
    tell(Event("note", "checking whether its explanations may be shown"))
    verdicts = _judged(opened, asked, data)
    return next((verdict for verdict in verdicts if verdict.shown), verdicts[0])


def _can(opened: _Opened, name: str) -> bool:
    return opened.subject.network is not None or not METHODS[name].network


def _of_bundle(opened: _Opened, name: str) -> Verdict:
    """A bundle has no data to be checked on: what only asks it needs no more than a model that knows something."""
    if opened.reason:
        return withheld(name, opened.reason)
    if METHODS[name].network:
        reason = "no check of it is kept in this bundle; explain the run that it was made from, or ask for 'occlusion'"
        return withheld(name, reason)
    return Verdict(name, True)


def _judged(opened: _Opened, asked: str | None, data: Any) -> list[Verdict]:
    """The checks, on what the run held out."""
    run, subject = opened.run, opened.subject
    assert run is not None
    sides = opened.sides or reopen(run.info, data, folder=run.path)
    held = held_out(sides)[1]
    seed = int(run.info["settings"]["seed"])
    said = answers(subject.task, subject.passes, held, subject.facts, seed=seed)
    known = [(sample, truth, answer) for sample, truth, answer, _ in judged(subject.task, said, subject.facts)]
    samples, truths, given = (list(column) for column in zip(*known, strict=True)) if known else ([], [], [])
    reason = knows_nothing(subject.task, subject.facts, sides.side("train"), samples, truths, given)
    if not samples:
        raise SettingsError("nothing that the run held out can be read, so its explanations cannot be checked.")
    return judge(subject, samples, reason=reason, names=(asked,) if asked else ())


def _samples(pictures: Any) -> tuple[list[Sample], tuple[tuple[str, InputError], ...]]:
    """Pictures that can be read, as samples, and the others with their errors."""
    if isinstance(pictures, (str, Path, bytes, np.ndarray, Sample)):
        pictures = [pictures]
    found: list[Sample] = []
    failed: list[tuple[str, InputError]] = []
    for index, picture in enumerate(pictures):
        named = str(picture) if isinstance(picture, (str, Path)) else f"picture-{index}"
        sample = picture if isinstance(picture, Sample) else None
        try:
            sample = sample or Sample(named, (as_image(picture),))
            sample.pixels()
        except InputError as error:
            failed.append((named if sample is None else sample.id, error))
            continue
        found.append(sample)
    return found, tuple(failed)
