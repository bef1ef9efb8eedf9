"""How learning went, in words: on curves drawn by hand, and on real trainings that go wrong in known ways."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.reliability.kill_training import toy
from sightline.core.annotations import Labels
from sightline.core.dataset import Dataset
from sightline.core.errors import DivergedError
from sightline.core.image import ArrayImage
from sightline.core.progress import Event
from sightline.core.sample import Sample
from sightline.evaluating.diagnosing import Known, diagnose
from sightline.evaluating.evaluate import evaluate
from sightline.evaluating.studies import diagnosis
from sightline.training.train import train
from tests.training.workshop import QUICK


def _history(losses: list[float], scores: list[float], surprise: list[float] | None = None) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for place, (loss, score) in enumerate(zip(losses, scores, strict=True)):
        val = {"accuracy": score} if surprise is None else {"accuracy": score, "log_loss": surprise[place]}
        rows.append({"loss": loss, "val": val})
    return rows


FALLS = [1.0, 0.6, 0.4, 0.3, 0.25, 0.22, 0.21, 0.205, 0.204, 0.2035]
LEARNS = [0.5, 0.7, 0.8, 0.85, 0.88, 0.89, 0.90, 0.90, 0.90, 0.90]
KNOWN = Known("accuracy", "higher", 0.92, 0.9, (300, 300))


@pytest.mark.parametrize(
    ("history", "known", "word"),
    [
        (_history(FALLS, LEARNS), KNOWN, "fine"),
        (_history(FALLS, LEARNS), None, "fine"),
        (_history(FALLS, LEARNS), Known("accuracy", "higher", 0.99, 0.8, (300, 300)), "overfitting"),
        (_history(FALLS, LEARNS), Known("accuracy", "higher", 0.99, 0.8, (20, 20)), "fine"),  # so few can differ so
        (_history(FALLS, LEARNS), Known("mae", "lower", 0.1, 0.4, (300, 300)), "overfitting"),
        (_history(FALLS, LEARNS), Known("psnr", "higher", 30.0, 29.7, (300, 300)), "fine"),
        (_history(FALLS, LEARNS), Known("psnr", "higher", 30.0, 22.0, (300, 300)), "overfitting"),
        (_history(FALLS, LEARNS, [0.9, 0.6, 0.5, 0.52, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1]), None, "overfitting"),
        (_history(FALLS, LEARNS, [0.9, 0.6, 0.5, 0.45, 0.4, 0.39, 0.38, 0.38, 0.38, 0.39]), None, "fine"),
        (_history(FALLS, [0.5, 0.7, 0.8, 0.8, 0.75, 0.7, 0.65, 0.6, 0.6, 0.6]), None, "overfitting"),
        (_history([1.0, 0.9, 0.8, 0.7, 0.6], [0.3, 0.4, 0.5, 0.6, 0.7]), None, "still improving"),
        (_history([1.0, 0.9, 0.8, 0.7, 0.6], [0.3, 0.4, 0.5, 0.6, 0.7]), KNOWN, "still improving"),
        (_history([1.14, 0.715], [0.28, 0.28]), None, "still improving"),  # two epochs cannot show that all is fine
        (_history([1.0, 0.98], [0.28, 0.3]), None, "underfitting"),
        (_history([0.9, 0.6, 0.43], [0.33, 0.33, 0.33], [1.1, 1.1, 1.09]), None, "still improving"),
        (_history([0.9, 0.6, 0.43], [0.33, 0.33, 0.33], [1.1, 1.2, 1.3]), None, "overfitting"),
        (_history([0.9, 0.6, 0.43], [0.33, 0.5, 0.5], [1.1, 1.0, 0.99]), None, "fine"),  # it has moved
        (_history([1.0, 0.999, 0.998, 0.997], [0.3, 0.31, 0.3, 0.3]), None, "underfitting"),
        (_history(FALLS, LEARNS), Known("accuracy", "higher", 0.55, 0.53, (300, 300)), "underfitting"),
        (_history([1.0, 0.8, 3.0, 2.8, 2.5, 2.6], [0.3, 0.4, 0.2, 0.2, 0.2, 0.2]), None, "diverging"),
        (_history([1.0, 0.5, 4.0, 0.6, 0.5, 0.4], [0.3, 0.4, 0.2, 0.5, 0.6, 0.6]), None, "diverging"),
        (_history([1.0], [0.3]), None, "unknown"),
        (_history([0.0, 0.0], [0.3, 0.3]), None, "unknown"),  # what learns in closed form has no loss
        ([], None, "unknown"),
    ],
)
def test_curves_by_hand(history: list[dict[str, Any]], known: Known | None, word: str) -> None:
    found = diagnose(history, "accuracy", "higher", known=known, parameters=1000, samples=50)
    assert found.word == word, found.line
    assert found.advice
    assert len(found.line) > 20


def test_the_line_names_the_numbers() -> None:
    known = Known("accuracy", "higher", 0.99, 0.7, (300, 300))
    found = diagnose(_history(FALLS, LEARNS), "accuracy", "higher", known=known, parameters=12_345, samples=50)
    assert "accuracy is 0.99 on samples it learnt from and 0.7 on others" in found.line
    assert "12,345 numbers were learnt from 50 samples" in found.line
    assert found.numbers["gap"] == pytest.approx(0.29)


def _noise(count: int) -> Dataset:
    """Pictures of noise whose names mean nothing: they can be learnt by heart and in no other way."""
    samples = []
    for index in range(count):
        pixels = np.random.default_rng(index).integers(0, 255, (32, 32, 3)).astype(np.uint8)
        side = "train" if index < count // 2 else "val" if index < 3 * count // 4 else "test"
        samples.append(Sample(f"noise-{index}", (ArrayImage(pixels),), Labels((("a", "b")[index % 2],)), split=side))
    return Dataset(samples, name="noise", names=("a", "b"))


def test_learning_by_heart_is_seen_in_a_real_run(tmp_path: Path) -> None:
    data, settings = _noise(200), {**QUICK, "epochs": 12, "batch": 20, "augment": False, "average": 0.5, "rate": 5e-3}
    run = train(data, out=tmp_path, settings=settings, options={"smoothing": 0.0}, look=False)
    found = evaluate(run, data).studies["diagnosis"]
    assert found["word"] == "overfitting"
    assert "1,10" in found["line"]
    assert "100 samples" in found["line"]
    shown = diagnosis.section(found, None)  # type: ignore[arg-type]
    assert "<b>Overfitting:</b>" in shown


def test_hardly_learning_is_seen_in_a_real_run_and_said(tmp_path: Path) -> None:
    said: list[Event] = []
    settings = {**QUICK, "epochs": 4, "rate": 1e-9, "decay": 0.0, "augment": False}
    data = toy("labels", 160)
    run = train(data, out=tmp_path, settings=settings, look=False, tell=said.append)
    assert any(event.kind == "note" and event.text.startswith("underfitting: the loss has hardly") for event in said)
    assert evaluate(run, data).studies["diagnosis"]["word"] == "underfitting"


def test_a_rate_that_is_too_high_is_seen_in_a_real_run(tmp_path: Path) -> None:
    wild = {"epochs": 4, "rate": 30.0, "optimiser": "sgd", "clip": 0.0, "warmup": 0.0, "schedule": "constant"}
    said: list[Event] = []
    try:
        train(toy("labels"), model="tutorial", out=tmp_path, settings={**QUICK, **wild}, look=False, tell=said.append)
    except DivergedError as error:  # it may as well not be finite any more, which says the same
        said.append(Event("note", f"diverging: {error.message}"))
    assert any(event.text.startswith("diverging") for event in said)
