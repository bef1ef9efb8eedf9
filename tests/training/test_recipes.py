"""What is tried on which data, and that what a user says comes first."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.reliability.kill_training import toy
from sightline.core import catalog
from sightline.core.annotations import Labels
from sightline.core.dataset import Dataset
from sightline.core.image import ArrayImage
from sightline.core.sample import Sample
from sightline.core.settings import fill, from_toml
from sightline.training import recipes
from sightline.training.recipes import ladder, plain
from sightline.training.settings import Settings

CLASSIFY, DETECT = (catalog.find("tasks", name).TASK for name in ("classify", "detect"))


def crowd(count: int, side: int = 32) -> Dataset:
    """So many samples of one small picture."""
    image = ArrayImage(np.zeros((side, side, 3), np.uint8))
    samples = [Sample(str(row), (image,), Labels((f"name {row % 2}",))) for row in range(count)]
    return Dataset(samples, name="crowd", names=("name 0", "name 1"), recipe=f"crowd {count} {side}")


def test_a_crowd_of_small_pictures_has_a_recipe_and_others_the_usual() -> None:
    many, few, large = crowd(recipes.CROWD), crowd(500), crowd(recipes.CROWD, 96)
    assert plain(many, CLASSIFY, None).model.startswith("quick")
    for data, model in ((few, None), (large, None), (many, "small"), (many, "lenet")):
        found = plain(data, CLASSIFY, model)
        assert found.model == (model or "small")
        assert not found.settings
        assert not found.options
    assert plain(toy("objects"), DETECT, None).model == DETECT.model


@pytest.mark.parametrize(("count", "batch"), [(40, 16), (2_000, 16), (10_000, 64), (20_000, 128), (45_000, 512)])
def test_a_batch_leaves_many_steps_an_epoch(count: int, batch: int) -> None:
    found = ladder(crowd(count), CLASSIFY, "quick:s")[0].settings["batch"]
    assert found == batch
    assert count / found >= 78 or found == 16


def test_rungs_grow_and_every_one_can_be_built() -> None:
    for data in (crowd(300), crowd(recipes.CROWD)):
        rungs = ladder(data, CLASSIFY, None)
        assert rungs[0].model == "ridge"
        assert rungs[-1].model == "quick:l"
        for rung in rungs:
            catalog.find("models", rung.model)
            for epochs in (1.0, recipes.OFTEN):
                assert fill(Settings, rung.told(epochs), where="train").patience == 0
            fill(CLASSIFY.Options, rung.options, where="task")
    few = ladder(crowd(300), CLASSIFY, None)[-1]
    assert few.told(recipes.OFTEN) == few.settings, "a square may be all that tells a few pictures apart"
    assert rungs[-1].told(recipes.OFTEN - 0.1) == rungs[-1].settings
    assert rungs[-1].told(recipes.OFTEN)["augmentations"] == recipes.HARDER["augmentations"], "what is seen often"
    assert rungs[-1].told(recipes.OFTEN)["decay"] > rungs[-1].settings["decay"], "is held shorter"
    assert [rung.model for rung in ladder(crowd(300), CLASSIFY, "lenet")] == ["lenet"]
    assert "small" in [rung.model for rung in ladder(crowd(300, 128), CLASSIFY, None)]
    assert [rung.model for rung in ladder(toy("objects"), DETECT, None)] == [DETECT.model]


def test_what_a_user_says_comes_before_the_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sightline.training.train import train

    monkeypatch.setattr(recipes, "CROWD", 60)
    told: dict[str, Any] = {
        "epochs": 1,
        "batch": 32,
        "precision": "float32",
        "layout": "plain",
        "compile": "off",
        "threads": 1,
    }
    run = train(toy("labels"), out=tmp_path / "a", settings=told, options={"smoothing": 0.3})
    kept = run.info["settings"]
    assert run.info["model"] == "quick:s"
    assert (kept["epochs"], kept["batch"]) == (1, 32)
    assert kept["optimiser"] == "muon"
    assert run.info["options"]["smoothing"] == 0.3
    assert run.info["options"]["dropout"] == 0.0
    read = from_toml(run.settings)
    told_again = {"settings": read["train"], "options": read["task"]}
    monkeypatch.setattr(recipes, "CROWD", 10**6)
    again = train(toy("labels"), model="quick:s", out=run.path, **told_again)
    assert again.info["state"] == "done", "every setting is in the file, also those of a recipe that no longer applies"
    assert f"train DATA --task classify --model quick:s --settings {run.settings}" in run.settings.read_text()
    whole = Settings(**told, optimiser="adamw", average=0.5)
    again = train(toy("labels"), model="lenet", out=tmp_path / "b", settings=whole)
    assert (again.info["settings"]["average"], again.info["settings"]["epochs"]) == (0.5, 1)
