"""What is asked of a model beyond its metrics, of answers whose faults are planted."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sightline.core import catalog
from sightline.core.annotations import Labels
from sightline.core.data import open_data
from sightline.core.dataset import Dataset
from sightline.core.image import ArrayImage
from sightline.core.sample import Sample
from sightline.core.task import Facts, Task
from sightline.evaluating.evaluate import evaluate
from sightline.evaluating.scene import Scene
from sightline.evaluating.studies import all_studies, baselines, efficiency, robustness, slices
from sightline.predicting.answers import answers
from sightline.predicting.model import trained
from sightline.training.train import train

NAMES = ("a", "b")
TASK: Task = catalog.find("tasks", "classify").TASK


def picture(seed: int, light: float = 1.0) -> ArrayImage:
    rng = np.random.default_rng(seed)
    return ArrayImage((rng.integers(60, 250, (24, 24, 3)) * light).astype(np.uint8))


def scene(count: int, wrong: Any, light: Any = lambda n: 1.0) -> Scene:
    """Samples with a camera and a day, and answers that are wrong where `wrong` says so."""
    samples = [
        Sample(
            f"s{n}", (picture(n, light(n)),), Labels((NAMES[n % 2],)), attributes={"camera": f"c{n // 2 % 3}", "n": n}
        )
        for n in range(count)
    ]
    given = [
        Labels(NAMES, np.array([0.9, 0.1] if (n % 2 == 0) != wrong(n) else [0.1, 0.9], np.float32))
        for n in range(count)
    ]
    truths = [sample.truth for sample in samples]
    return Scene(TASK, Facts({}, NAMES), lambda arrays: arrays, None, samples, truths, given, None)  # type: ignore[arg-type]


def test_a_weak_camera_is_named_first_and_good_ones_are_not() -> None:
    rng = np.random.default_rng(0)
    noise = rng.random(300)
    found = slices.study(scene(300, lambda n: noise[n] < (0.5 if n // 2 % 3 == 1 else 0.05)))
    assert found is not None
    assert found["slices"][0]["of"] == {"camera": "c1"}
    assert found["slices"][0]["weak"]
    assert [row["of"] for row in found["slices"] if row["weak"]] == [{"camera": "c1"}]
    assert found["line"].startswith("weakest where camera is c1")
    assert found["slices"][0]["low"] < found["slices"][0]["value"] < found["slices"][0]["high"]
    assert "camera is c1" in slices.section(found, scene(30, lambda n: False))


def test_a_group_that_only_two_facets_tell_is_found_and_believed() -> None:
    rng = np.random.default_rng(1)
    noise = rng.random(1200)

    def wrong(n: int) -> bool:
        return bool(noise[n] < (0.6 if n // 2 % 3 == 2 and n % 2 else 0.04))

    found = slices.study(scene(1200, wrong))
    assert found is not None
    assert found["groups"][0]["of"] == {"camera": "c2", "name": "b"}


def test_dark_pictures_are_a_slice_without_being_told() -> None:
    rng = np.random.default_rng(2)
    noise = rng.random(240)
    found = slices.study(
        scene(240, lambda n: noise[n] < (0.6 if n % 5 == 0 else 0.03), lambda n: 0.2 if n % 5 == 0 else 1)
    )
    assert found is not None
    weak = [row["of"] for row in found["slices"] if row["weak"]]
    assert {"brightness": "dark"} in weak


def test_chance_alone_makes_no_slice_weak() -> None:
    """At most one data set in twenty may name a slice; here every sample is as likely to be wrong."""
    named = 0
    for seed in range(20):
        noise = np.random.default_rng(100 + seed).random(150)
        found = slices.study(scene(150, lambda n, noise=noise: noise[n] < 0.2))
        assert found is not None
        named += any(row["weak"] for row in found["slices"]) or bool(found["groups"])
    assert named <= 2


def test_too_few_samples_have_no_slices() -> None:
    assert slices.study(scene(15, lambda n: False)) is None


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """A closed-form learner on drawn shapes, with its answers on the held-out side."""
    place = "drawn:shapes?count=240&size=32"
    run = train(place, "classify", model="ridge", out=tmp_path_factory.mktemp("run"), look=False)
    task, facts, network = trained(run)
    from sightline.core.sides import reopen
    from sightline.predicting.answers import torch_run

    parted = reopen(run.info, folder=run.path)
    held = list(parted.side("test"))
    passes = torch_run(network)
    given: Any = [answer for _, answer in answers(task, passes, held, facts)]
    truths: Any = [sample.truth for sample in held]
    return Scene(task, facts, passes, network, held, truths, given, parted, 0, run, run.info)


def test_corruptions_harm_more_when_they_are_worse(learnt: Scene) -> None:
    quick = replace(learnt, seconds=0.0)
    found = robustness.study(quick)
    assert found is not None
    assert len(found["kinds"]) == 15
    assert not found["refused"]
    assert found["count"] == robustness.FEWEST
    assert found["clean"]["value"] > found["mean"][0] > found["mean"][2]
    assert "most harmed by" in found["line"]
    assert "severity 3" in robustness.section(found, learnt).lower()
    assert robustness.study(quick) == found, "the same samples, the same chance"


def test_five_bands_suffer_only_what_suits_them() -> None:
    made = scene(20, lambda n: False)
    bands = [replace(s, images=(ArrayImage(np.repeat(s.pixels(), 2, 2)[..., :5]),)) for s in made.samples]

    class Fixed:
        """A task whose network answers by nothing at all."""

        def __getattr__(self, name: str) -> Any:
            return getattr(TASK, name)

        def predict(self, run: Any, samples: Any, facts: Any, rng: Any) -> list[Labels]:
            return [Labels(NAMES, np.array([0.9, 0.1], np.float32)) for _ in samples]

    found = robustness.study(replace(made, task=Fixed(), samples=bands))  # type: ignore[arg-type]
    assert found is not None
    assert len(found["kinds"]) + len(found["refused"]) == 15
    assert len(found["kinds"]) >= 10


def test_every_baseline_is_paired_with_the_model(learnt: Scene) -> None:
    found = baselines.study(learnt)
    assert found is not None
    names = [row["name"] for row in found["rows"]]
    assert names[0].startswith("always ")
    assert names[1:] == ["nearest pictures", "straight line"]
    assert found["rows"][0]["verdict"] == "first", "the commonest name is clearly beaten"
    assert all(row["value"] is not None for row in found["rows"])
    assert found["rows"][2]["value"] > found["rows"][0]["value"] + 0.2, "a line over patches learns something"
    assert "Is it worth having" in baselines.section(found, learnt)


def test_a_model_that_guesses_is_told_not_to_be_used(learnt: Scene) -> None:
    rng = np.random.default_rng(0)
    guesses = [
        Labels(learnt.facts.names, rng.random(len(learnt.facts.names)).astype(np.float32)) for _ in learnt.samples
    ]
    found = baselines.study(replace(learnt, answers=guesses))
    assert found is not None
    assert found["line"].endswith("do not use the model")


def test_what_an_answer_costs(learnt: Scene) -> None:
    found = efficiency.study(learnt)
    assert found is not None
    assert found["multiplications"] > 1e6
    assert 0 < found["p50"] <= found["p95"]
    assert found["microjoules"] == pytest.approx(found["multiplications"] * 4.6e-6)
    assert found["activations"] > 0
    assert "What an answer costs" in efficiency.section(found, learnt)
    assert efficiency.study(replace(learnt, network=None)) is None


def test_an_evaluation_keeps_what_its_studies_found(learnt: Scene) -> None:
    assert learnt.run is not None
    assert evaluate(learnt.run, quick=True).studies == {}
    kept = evaluate(learnt.run).studies
    assert {"baselines", "slices", "robustness", "efficiency"} <= set(kept)
    assert [module.ORDER for module in all_studies().values()] == sorted(m.ORDER for m in all_studies().values())


def test_a_data_set_of_one_name_has_no_line(tmp_path: Path) -> None:
    data = open_data("drawn:shapes?count=40&size=32")
    one = Dataset([replace(sample, truth=Labels(("a",))) for sample in data], kind=Labels, names=NAMES)
    made = scene(40, lambda n: False)
    sides = Dataset([replace(s, split="train") for s in one], names=NAMES, kind=Labels)
    found = baselines.study(replace(made, sides=sides))
    assert found is not None
    assert [row["name"] for row in found["rows"]] == ["always a", "nearest pictures"]


def test_what_answers_with_another_record_than_the_truth_has_no_simple_rivals(learnt: Scene) -> None:
    """Vectors learnt from names: a rival would answer names where vectors are measured."""
    apart = replace(learnt, task=catalog.find("tasks", "embed").TASK)
    assert baselines.study(apart) is None
    assert baselines.study(learnt) is not None
