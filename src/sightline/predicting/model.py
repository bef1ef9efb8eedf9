"""A model that is ready to answer: a bundle, verified, opened in the runtime or in torch, with one decoder for both."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from sightline.core import bundle as bundles
from sightline.core import catalog, golden
from sightline.core.annotations import Annotation
from sightline.core.calibration import NOTHING, Calibration
from sightline.core.decisions import LEAST, Decision, judge
from sightline.core.errors import BundleError, InputError, RunError, SettingsError
from sightline.core.image import as_image
from sightline.core.progress import Event, Tell, silent
from sightline.core.run import Run as RunFolder
from sightline.core.sample import Sample
from sightline.core.task import Arrays, Facts, Run, Task
from sightline.predicting.answers import Answer, answers, torch_run
from sightline.predicting.named import is_name, whereabouts
from sightline.predicting.runtimes import PRECISIONS, USUAL, Form, open_graph, runtimes

REFERENCE = "reference.npz"  # the member that holds what is usual
_HINT = " If answers may differ so much, say so: allow={gap:.2g} (--allow)."


@dataclass(frozen=True, slots=True)
class Model:
    """Answers about pictures; `card` is all that the bundle says of itself."""

    task: Task
    facts: Facts
    card: Mapping[str, Any]
    version: str
    backend: str
    run: Run
    calibration: Calibration = NOTHING
    precision: str = "float32"  # what the runtime computes in where the graph does not say

    @property
    def task_name(self) -> str:
        return str(self.card["task"])

    @property
    def least(self) -> float:
        """The score that an object needs, as it was measured on validation pictures."""
        return float(self.card["thresholds"].get("score", LEAST))

    def predict(self, pictures: Any, *, seed: int = 0) -> list[Annotation]:
        """One answer a picture (path, bytes, array or Sample); a number asks a generator for that many."""
        given = []
        for _, answer in self.predict_all(as_samples(pictures), seed=seed):
            if isinstance(answer, InputError):
                raise answer
            given.append(answer)
        return given

    def predict_all(
        self, samples: Iterable[Sample], *, seed: int = 0, batch: int = 16, between: Callable[[], None] = lambda: None
    ) -> Iterator[Answer]:
        """Each sample with its answer or the error that it earned, lazily and in order."""
        return answers(
            self.task, self.run, samples, self.facts, seed=seed, batch=batch, between=between,
            calibration=self.calibration,
        )  # fmt: skip

    def judge(self, answer: Annotation, *, level: float | None = None, least: float | None = None) -> Decision | None:
        """What an answer of names comes to, with the sets and limits of this model: see `core.decisions.judge`."""
        return judge(answer, self.calibration, level=level, least=least)


def as_samples(pictures: Any) -> list[Sample]:
    """One picture or several (path, bytes, array or Sample), or for a number that many requests without any."""
    if isinstance(pictures, (str, Path, bytes, np.ndarray, Sample)):
        pictures = [pictures]
    if isinstance(pictures, int):
        pictures = [Sample(f"request-{index}") for index in range(pictures)]
    return [
        picture if isinstance(picture, Sample) else Sample(f"picture-{index}", (as_image(picture),))
        for index, picture in enumerate(pictures)
    ]


def load(
    path: str | Path,
    *,
    backend: str = "auto",
    threads: int | None = None,
    precision: str = "float32",
    allow: float | None = None,
    rows: int = 1,
    tell: Tell = silent,
) -> Model:
    """Open a bundle (or the bundle of a run): every byte verified, and its golden answers given again.

    `auto` is ONNX Runtime, or torch where there is no graph; `fastest` measures once which of the runtimes here answers
    soonest to so many `rows` at a time, remembers it and tells it. Golden answers may differ by the bundle's tolerance,
    or by what is allowed. One number of threads rules every runtime; None takes what each finds best.
    """
    check_backend(backend)
    check_threads(threads)
    if allow is not None and not allow >= 0:
        raise SettingsError(f"allow = {allow:g}: must be a distance of answers, 0 or more.")
    where = bundle_of(path)
    opened = bundles.load(where)
    model = bare_model(opened, str(where))
    card, graph, gap_of = model.card, opened.files.get("model.onnx"), golden_gap(model, opened, str(where))
    allowed = max(float(card["golden"]["tolerance"]), allow or 0.0)
    graphs = any(name.endswith(".onnx") for name in opened.files)
    if backend in ("auto", "fastest") and not graphs:
        backend = "torch"
    elif backend == "auto":
        backend = USUAL
    if backend == "torch":
        if precision not in PRECISIONS:
            raise SettingsError(f"precision '{precision}': must be {' or '.join(PRECISIONS)}.")
        network = torch_network(model.task, card["model"], model.facts, bundles.weights(opened))
        run = torch_run(network, "cpu", precision, threads)
    elif graph is None:
        raise BundleError(f"{where} holds no graph; open it with backend='torch'.")
    else:
        if backend == "fastest":
            from sightline.predicting.choosing import choose

            lower = allow is not None
            choice = choose(graph, opened.version, gap_of, allowed=allowed, lower=lower, threads=threads, rows=rows)
            backend, precision = choice.form.runtime, choice.form.precision
            allowed = max(allowed, choice.gap)
            tell(Event("note", choice.told(graph), {"runtime": backend, "precision": precision}))
        run = open_graph(Form(backend, precision), graph, f"{where}/model.onnx", threads)
    model = replace(model, run=run, backend=backend, precision=precision)
    _hold(gap_of(run), allowed, model, str(where))
    return model


def bare_model(opened: bundles.Bundle, label: str) -> Model:
    """All of a bundle's model but a runtime."""
    card = opened.model
    task: Task = catalog.find("tasks", card["task"]).TASK
    calibration = read_calibration(card, opened.files, label)
    return Model(task, Facts.from_json(card["facts"]), card, opened.version, "", _unopened, calibration)


def bundle_of(path: str | Path) -> Path:
    """Where the bundle lies that a path or a name stands for: itself, or inside a run."""
    where = whereabouts(path) if is_name(path) else Path(path)
    if RunFolder(where).exists:
        where = RunFolder(where).bundle
        if not where.exists():
            raise BundleError(f"the run {path} has no bundle yet. Make one with: sightline export {path}")
    return where


def golden_gap(bare: Model, opened: bundles.Bundle, label: str) -> Callable[[Run], float]:
    """How far a run of this model's graph is from the golden answers."""
    samples, wanted, seed = golden.unpack(opened.files["golden.npz"], f"{label}/golden.npz")
    return lambda run: largest_gap(replace(bare, run=run).predict(samples, seed=seed), wanted)


def _hold(gap: float, allowed: float, model: Model, label: str) -> None:
    """Refuse a runtime whose golden answers are farther from those of the bundle than is allowed."""
    if not gap <= allowed:
        hint = "" if model.backend in (USUAL, "torch") and model.precision == "float32" else _HINT.format(gap=gap)
        raise BundleError(f"{label} does not give its golden answers here: gap {gap:.3g}, allowed {allowed:.3g}.{hint}")


def check_backend(backend: str) -> None:
    """Refuse a word that is no runtime's; one whose library is not here is refused when it is opened."""
    able = [*runtimes(), "torch"]
    if backend not in ("auto", "fastest", *able, *catalog.names("exporters")):
        raise SettingsError(f"backend '{backend}': must be auto, fastest, {', '.join(able[:-1])} or torch.")


def check_threads(threads: int | None) -> None:
    """Refuse a number of threads that computes nothing."""
    if threads is not None and threads < 1:
        raise SettingsError(f"threads = {threads}: must be 1 or more; without a number all cores are used.")


def _unopened(arrays: Arrays) -> Arrays:
    raise RuntimeError("no runtime is opened yet")


def read_calibration(card: Mapping[str, Any], files: Mapping[str, bytes], label: str) -> Calibration:
    """What a bundle says its answers go through; bundles from before there was any say nothing."""
    packed = files.get(REFERENCE)
    arrays = {} if packed is None else golden.unpack_arrays(packed, f"{label}/{REFERENCE}")
    try:
        return Calibration.from_json(card.get("calibration") or {}, arrays)
    except BundleError as error:
        raise BundleError(f"{label}: {error.message}") from error


def trained(run: RunFolder) -> tuple[Task, Facts, Any]:
    """Task, facts and network of a run, with the weights it kept."""
    from safetensors.numpy import load as unpack

    info = run.info
    if not run.weights.is_file():
        raise RunError(f"{run.path} is not done. Continue it with the command that began it.")
    task: Task = catalog.find("tasks", info["task"]).TASK
    facts = Facts.from_json(info["facts"])
    return task, facts, torch_network(task, info["model"], facts, unpack(run.weights.read_bytes()))


def torch_network(task: Task, name: str, facts: Facts, weights: Mapping[str, Any]) -> Any:
    """The task's network with these weights, in eval mode on the processor."""
    from sightline.core.extras import need

    torch = need("torch")
    network = task.network(facts.extra.get("alone") or name, facts)
    apart = sorted(set(network.state_dict()) ^ set(weights))
    if apart:  # torch itself forgives some of these
        raise BundleError(f"the weights do not suit the network '{name}': {len(apart)} differ, such as {apart[0]}.")
    try:
        network.load_state_dict({key: torch.as_tensor(value) for key, value in weights.items()})
    except RuntimeError as error:
        raise BundleError(f"the weights do not suit the network '{name}': {str(error).splitlines()[0]}") from error
    return network.eval()


def check(model: Model, data: bytes, label: str) -> float:
    """Give the golden answers again; the largest gap, or a refusal where it is more than the bundle allows."""
    samples, wanted, seed = golden.unpack(data, f"{label}/golden.npz")
    gap = largest_gap(model.predict(samples, seed=seed), wanted)
    _hold(gap, float(model.card["golden"]["tolerance"]), model, label)
    return gap


def largest_gap(given: Sequence[Annotation], wanted: Sequence[Annotation]) -> float:
    """The gap of the pair that is farthest apart."""
    return max((one.gap(other) for one, other in zip(given, wanted, strict=True)), default=0.0)
