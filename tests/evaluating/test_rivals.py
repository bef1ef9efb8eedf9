"""Two real runs against each other, sample by sample."""

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.reliability.kill_training import toy
from sightline.core.annotations import Labels
from sightline.core.errors import RunError
from sightline.evaluating.rivals import rivals
from sightline.training.train import train
from tests.training.workshop import QUICK


def test_a_trained_model_beats_a_hopeless_one_and_ties_with_itself(tmp_path: Path) -> None:
    data = toy("labels", 240)
    good = train(data, model="ridge", out=tmp_path / "good", settings=QUICK, look=False)
    hopeless = train(data, out=tmp_path / "bad", settings={**QUICK, "epochs": 1, "rate": 1e-9}, look=False)
    found = rivals(good, hopeless, data=data)
    assert found["accuracy"].difference.verdict == "first"
    assert found["accuracy"].difference.low > 0
    assert rivals(hopeless, good, data=data)["accuracy"].difference.verdict == "second"
    assert rivals(good, good, data=data)["accuracy"].difference.verdict == "cannot tell"


def test_runs_of_other_splits_or_tasks_are_not_compared(tmp_path: Path) -> None:
    settings = {**QUICK, "epochs": 1}
    one = train(toy("labels"), out=tmp_path / "one", settings=settings, look=False)
    two = train(toy("labels", 60), out=tmp_path / "two", settings=settings, look=False)
    three = train(toy("objects"), out=tmp_path / "three", settings=settings, look=False)
    with pytest.raises(RunError, match="differ in their split"):
        rivals(one, two, data=toy("labels"))
    with pytest.raises(RunError, match="differ in their task"):
        rivals(one, three, data=toy("labels"))


def test_a_person_is_measured_on_what_the_run_held_out(tmp_path: Path) -> None:
    data = toy("labels", 120)
    run = train(data, out=tmp_path / "run", settings={**QUICK, "epochs": 1, "rate": 1e-9}, look=False)
    names = data.names
    wrong = data.map(lambda sample: replace(sample, truth=Labels((names[0],))))
    found = rivals(run, data, data=data)["accuracy"]
    assert found.second == 1.0
    assert found.difference.verdict == "second"
    lazy = rivals(wrong, data, data=data, split_by=run)["accuracy"]
    assert lazy.first < 0.7
    assert lazy.difference.verdict == "second"
    with pytest.raises(RunError, match="must be a run"):
        rivals(wrong, data)
    with pytest.raises(RunError, match="labels none of"):
        rivals(run, toy("labels", 130).take(range(0)), data=data)
