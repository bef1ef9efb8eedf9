"""What is done with a training from the queue: the data set as it is now, a run, its bundle, and a new version.

Killed at any moment, the next one who takes it goes on: with the same pictures, in the same run.
"""

from __future__ import annotations

import contextlib
import math
import shutil
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from sightline.core.errors import MissingExtraError, SightlineError
from sightline.core.progress import Event, Tell, silent
from sightline.core.run import Run
from sightline.serving.examples import Examples
from sightline.serving.training import Training
from sightline.serving.trainings import Trainings

if TYPE_CHECKING:
    from sightline.registering.registry import Registry

BEAT = 5.0  # seconds between two words that this one still works
KEPT = 5  # trainings of a model whose runs stay on the disk


class _TakenAwayError(Exception):
    """The training was cancelled, or is another's now."""


def work(
    trainings: Trainings, examples: Examples, registry: Registry, *, only: str | None = None, tell: Tell = silent,
    stop: Callable[[], bool] = lambda: False,
) -> int:  # fmt: skip
    """Train until the queue is empty, or `only` this one is done; how many were worked on here."""
    count = 0
    while not stop() and (training := trainings.take(only)) is not None:
        count += 1
        tell(Event("note", f"{training.id}: {training.model} from {training.dataset}"))
        try:
            with _beating(trainings, training, tell) as said:
                number, figures = _learnt(training, trainings, examples, registry, said)
        except _TakenAwayError:
            tell(Event("note", f"{training.id} was cancelled, or is another's now"))
            continue
        except SightlineError as error:
            if error.code == "interrupted":
                trainings.release(training.id)
                raise
            trainings.fail(training.id, error.message)
            tell(Event("warn", f"{training.id}: {error.message}"))
            continue
        except Exception:  # a fault of ours, or no memory: tried again, and given up as if the process had died of it
            trainings.release(training.id, counted=True)
            raise
        except BaseException:
            trainings.release(training.id)
            raise
        trainings.finish(training.id, number, figures)
        tell(Event("done", f"{training.id}: {training.model} {number}", {"training": training.id, "number": number}))
        _tidied(trainings, training)
    return count


def _learnt(
    training: Training, trainings: Trainings, examples: Examples, registry: Registry, tell: Tell
) -> tuple[int, list[dict[str, Any]]]:
    """The number of the new version, and what was measured on pictures that it had not seen."""
    from sightline.evaluating.describe import report
    from sightline.evaluating.evaluate import evaluate
    from sightline.exporting.export import export
    from sightline.training.train import train

    wish, data = training.wish, training.folder / "data"
    if not (data / "samples.jsonl").is_file():
        shutil.rmtree(data, ignore_errors=True)
        count = examples.copy(training.dataset, data)
        trainings.renew(training.id, "reading the pictures", count)
    run: Run = train(
        data, wish.task, model=wish.network, out=training.folder / "run", minutes=wish.minutes,
        settings={"seed": wish.seed}, tell=tell,
    )  # fmt: skip
    found = evaluate(run, tell=tell)
    export(run, tell=tell)
    try:
        report(run, tell=tell)
    except MissingExtraError as error:  # what draws it is not here; the model is as good
        tell(Event("warn", f"no report: {error.message}"))
    acting = registry.acting(f"training {training.id} for {training.who}")
    note = f"learnt from the data set {training.dataset} in {wish.minutes:g} minutes"
    version = acting.register(training.model, run.bundle, alias=wish.alias, note=note)
    return version.number, [_figure(row) for row in found.figures]


def _figure(row: Any) -> dict[str, Any]:
    """Plain JSON: what could not be measured, such as with one name on the side, is nothing."""
    plain = {name: row.get(name) for name in ("name", "value", "low", "high", "baseline", "count")}
    return {name: None if isinstance(v, float) and not math.isfinite(v) else v for name, v in plain.items()}


@contextlib.contextmanager
def _beating(trainings: Trainings, training: Training, tell: Tell) -> Iterator[Tell]:
    """A listener that keeps the training ours, tells how far it is, and ends it where it is ours no more."""
    done, lost = threading.Event(), threading.Event()
    doing = [training.note or "beginning"]

    def beat() -> None:
        while not done.wait(BEAT):
            with contextlib.suppress(
                SightlineError
            ):  # a database that is away for a while: asked again at the next beat
                if not trainings.renew(training.id, doing[0]):
                    lost.set()

    def listen(event: Event) -> None:
        if lost.is_set():
            raise _TakenAwayError
        if event.text:
            doing[0] = event.text[:200]
        elif event.kind == "epoch":
            doing[0] = f"epoch {event.facts.get('epoch', '?')} of {event.facts.get('epochs', '?')}"
        tell(event)

    beating = threading.Thread(target=beat, name="sightline-beat", daemon=True)
    beating.start()
    try:
        yield listen
    finally:
        done.set()
        beating.join()


def _tidied(trainings: Trainings, training: Training) -> None:
    """The runs of a model that were done long ago go; its versions are in the registry."""
    done = [one for one in trainings.every(most=10_000) if one.model == training.model and one.state == "done"]
    for old in done[KEPT:]:
        shutil.rmtree(old.folder, ignore_errors=True)
