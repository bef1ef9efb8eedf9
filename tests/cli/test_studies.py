"""Folds, curves and searches as a user runs them."""

import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Command

SMALL = ("drawn:shapes?count=120&size=32", "--task", "classify")


def test_folds(sightline: Command, tmp_path: Path) -> None:
    done = sightline("train", *SMALL, "--model", "ridge", "--folds", "2", "--out", "folds", "--no-audit")
    assert done.status == 0, done.err
    lines = done.out.splitlines()
    assert lines[0].startswith("120 samples, each answered by a model that never saw it")
    assert lines[1].strip().startswith("accuracy: 0.")
    assert any(line.split()[:4] == ["metric", "mean", "spread", "fold"] for line in lines)
    assert (tmp_path / "folds" / "fold-2" / "weights.safetensors").is_file()
    refused = sightline("train", *SMALL, "--folds", "1")
    assert refused.status == 2
    assert "2 or more" in refused.err


def test_curve(sightline: Command, tmp_path: Path) -> None:
    words = ("--model", "ridge", "--shares", "0.1,0.3,1", "--goal", "0.99", "--out", "curve")
    done = sightline("curve", *SMALL, *words)
    assert done.status == 0, done.err
    assert "foretold" in done.out
    assert "with twice as many about" in done.out
    assert "accuracy 0.99" in done.out
    assert (tmp_path / "curve" / "curve.png").stat().st_size > 5000
    wrong = sightline("curve", *SMALL, "--shares", "0.1,half,1")
    assert (wrong.status, wrong.err.startswith("error[settings]: --shares")) == (2, True)


def test_tune(sightline: Command, tmp_path: Path) -> None:
    words = ("--epochs", "1", "--vary", "train.rate=0.001..0.01", "--trials", "2", "--out", "tune")
    done = sightline("tune", *SMALL, *words, "--set", "train.precision=float32", "--set", "train.layout=plain")
    assert done.status == 0, done.err
    assert "which no trial saw" in done.out
    assert (tmp_path / "tune" / "tune.json").is_file()
    wrong = sightline("tune", *SMALL, "--vary", "train.rate")
    assert (wrong.status, "says no range" in wrong.err) == (2, True)


@pytest.mark.parametrize("words", [("train", "--folds", "3"), ("curve",), ("tune", "--trials", "2")])
def test_a_place_that_cannot_be_written_is_refused_before_the_work(sightline: Command, words: tuple[str, ...]) -> None:
    command, *more = words
    done = sightline(command, "drawn:parts?count=40&size=32", *more, "--out", sys.executable)
    assert done.status == 2
    said = f"error[storage]: could not write {sys.executable}: a file stands where a folder should be."
    assert done.err.splitlines()[-1] == said
    assert "fold 1" not in done.err
    assert "learning from" not in done.err
