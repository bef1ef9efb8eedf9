"""Naming pictures: its lesson, and the mathematics of its answer."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from sightline.core.annotations import Labels
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError
from sightline.core.inputs import Frame
from sightline.core.sample import Sample
from sightline.core.task import Facts, Fit
from sightline.sources.drawn import dataset
from sightline.tasks.classify import TASK
from sightline.testing.toys import toy
from sightline.training.train import train
from tests.tasks.lessons import ALWAYS, Lesson
from tests.tasks.worlds import solids

LESSON = Lesson(lambda: dataset("shapes", 900, size=64), lambda *_: 0.88, {"epochs": 12})
FACTS = Facts({}, ("cat", "dog", "owl"))
FRAME = Frame(0, (4, 4), (4, 4), (1.0, 1.0), (0.0, 0.0))


def test_scores_are_shares_of_the_exponentials() -> None:
    logits = np.log(np.array([[1, 2, 5], [4, 4, 8]], np.float32))
    answers = TASK.decode({"logits": logits}, [FRAME, FRAME], FACTS)
    first, second = answers
    assert isinstance(first, Labels)
    assert isinstance(second, Labels)
    assert first.scores is not None
    assert first.scores == pytest.approx([1 / 8, 2 / 8, 5 / 8])
    assert second.scores == pytest.approx([1 / 4, 1 / 4, 1 / 2])
    assert first.best == "owl"


def test_huge_logits_are_no_trouble() -> None:
    (answer,) = TASK.decode({"logits": np.array([[1e4, 0, -1e4]], np.float32)}, [FRAME], FACTS)
    assert isinstance(answer, Labels)
    assert answer.scores == pytest.approx([1, 0, 0])


@pytest.mark.parametrize("mirror", [True, False])
def test_a_mirror_that_is_asked_for_reaches_the_network(mirror: bool) -> None:
    facts = TASK.prepare(toy(Labels, 6), TASK.Options(mirror=mirror), "small")
    network = TASK.network("small", facts).eval()
    assert len(network.views(torch.zeros(1, *facts.input.size, facts.input.channels, dtype=torch.uint8))) == 1 + mirror


def test_one_name_is_refused_with_a_way_out() -> None:
    data = Dataset([Sample("a", truth=Labels(("cat",)))], name="one")
    assert TASK.fits(data).strength == 1
    assert "one name only: 'cat'" in TASK.fits(data).why
    with pytest.raises(InputError, match=r"one: one name only: 'cat'; give .* or .*--task novelty"):
        TASK.prepare(data, TASK.Options(), "small")
    assert TASK.fits(Dataset([Sample("a", truth=Labels(()))])).strength == 0
    assert TASK.fits(toy(Labels, 6)).strength == 2


def test_names_on_one_picture_each_are_no_natural_reading() -> None:
    """What is learnt of a name could be tried on no other picture of it."""

    def fit(*names: str) -> Fit:
        return TASK.fits(Dataset([Sample(str(place), truth=Labels((name,))) for place, name in enumerate(names)]))

    assert fit("ann", "bob", "eve").strength == 1
    assert fit("ann", "bob", "eve").why.startswith("each of 3 names is on one picture alone")
    assert "belongs under 'value'" not in fit("ann", "bob", "eve").why
    for measured in (("3 kg", "4 kg"), ("0,5", "0,7"), ("12", "17.5")):
        assert fit(*measured).why.endswith("; what is measured belongs under 'value'")
    assert fit("ann", "bob", "bob").strength == 2
    shares = Labels(("ann", "bob"), np.array([0.5, 0.5]))
    assert TASK.fits(Dataset([Sample("a", truth=shares), Sample("b", truth=shares)])).strength == 2


def test_pictures_with_several_names_or_none_are_another_task() -> None:
    data = Dataset(
        [Sample("a", truth=Labels(("cat",))), Sample("b", truth=Labels(())), Sample("c")], names=("cat", "dog")
    )
    assert TASK.fits(data).strength == 0
    assert TASK.fits(data).why == "needs one name a picture, and 1 of 2 carry several or none"


def test_names_in_names_become_leaves_and_parents() -> None:
    data = solids(12, size=32, vague=4)
    fit = TASK.fits(data)
    assert (fit.strength, fit.why) == (2, "4 names under 2 above them, one a picture")
    facts = TASK.prepare(data, TASK.Options(), "small")
    assert facts.names == ("rolls/cylinder", "rolls/sphere", "stands/cone", "stands/cube")
    assert facts.extra["parents"] == ["rolls", "stands"]
    half = Labels(("rolls/sphere", "stands"), np.array([3.0, 1.0]))
    samples = [
        Sample("a", truth=Labels(("stands/cube",))),
        Sample("b", truth=Labels(("rolls",))),
        Sample("c", truth=half),
    ]
    frames = [Frame(row, (4, 4), (4, 4), (1.0, 1.0), (0.0, 0.0)) for row in range(3)]
    rows = TASK.targets(samples, frames, facts)
    assert rows["shares"].tolist() == [[0, 0, 0, 1, 0, 1], [0, 0, 0, 0, 1, 0], [0, 0.75, 0, 0, 0.75, 0.25]]
    assert rows["classes"].tolist() == [3, -1, 1]
    assert TASK.reference(samples[0], facts) is samples[0].truth
    assert TASK.reference(samples[1], facts) is None, "nobody knows its leaf"
    with pytest.raises(InputError, match="s: its label 'flies' is none of rolls/cylinder"):
        TASK.targets([Sample("s", truth=Labels(("flies",)))], frames[:1], facts)


def test_a_data_set_says_what_stands_above_its_names() -> None:
    """As coarse labels and supercategories do: the same leaves and parents as names with a mark, under plain names."""
    above = {"sphere": "rolls", "cylinder": "rolls", "cone": "stands", "cube": "stands"}
    world = solids(12, size=32, vague=4)
    plain = [replace(one, truth=Labels((one.truth.best.rpartition("/")[2],))) for one in world]  # type: ignore[union-attr]
    data = Dataset(plain, details={"parents": above})
    assert TASK.fits(data).why == "4 names under 2 above them, one a picture"
    facts = TASK.prepare(data, TASK.Options(), "small")
    assert facts.names == ("cone", "cube", "cylinder", "sphere")
    assert facts.extra == {"parents": ["rolls", "stands"], "above": above}
    samples = [Sample("a", truth=Labels(("cube",))), Sample("b", truth=Labels(("rolls",)))]
    frames = [Frame(row, (4, 4), (4, 4), (1.0, 1.0), (0.0, 0.0)) for row in range(2)]
    rows = TASK.targets(samples, frames, Facts.from_json(facts.to_json()))
    assert rows["shares"].tolist() == [[0, 1, 0, 0, 0, 1], [0, 0, 0, 0, 1, 0]]


def test_what_learns_in_closed_form_learns_from_leaves(tmp_path: Path) -> None:
    """Names above leaves are left out where they cannot be learnt from."""
    settings = {**ALWAYS, "epochs": 1}
    run = train(solids(60, size=32, vague=3), model="ridge", out=tmp_path / "run", settings=settings, look=False)
    assert run.info["facts"]["names"] == ["rolls/cylinder", "rolls/sphere", "stands/cone", "stands/cube"]
    assert run.history[-1]["val"]["accuracy"] is not None


def test_a_name_that_training_never_saw_is_refused_with_the_sample() -> None:
    samples = [Sample("stray", truth=Labels(("fox",)))]
    with pytest.raises(InputError, match="stray: its label 'fox' is none of cat, dog, owl"):
        TASK.targets(samples, [FRAME], FACTS)


def test_a_row_a_frame() -> None:
    """Where one picture gives several inputs, its name follows each."""
    samples = [Sample("a", truth=Labels(("owl",))), Sample("b", truth=Labels(("cat",)))]
    frames = [Frame(sample, (4, 4), (4, 4), (1.0, 1.0), (0.0, 0.0)) for sample in (0, 0, 1)]
    assert TASK.targets(samples, frames, FACTS)["classes"].tolist() == [2, 2, 0]


def test_mixed_names_are_learnt_by_their_shares() -> None:
    """A picture that is three parts owl and one part cat: the loss is least where the answer says so."""
    import torch

    from sightline.core import catalog

    mixed = Sample("m", truth=Labels(("owl", "cat"), np.array([0.75, 0.25], np.float32)))
    plain = Sample("p", truth=Labels(("dog",)))
    frames = [Frame(sample, (4, 4), (4, 4), (1.0, 1.0), (0.0, 0.0)) for sample in (0, 1)]
    rows = TASK.targets([mixed, plain], frames, FACTS)["classes"]
    assert rows.dtype == np.float32
    assert rows.tolist() == [[0.25, 0, 0.75], [0, 1, 0]]
    lose = catalog.find("losses", "cross_entropy")
    shares = torch.from_numpy(rows[:1])
    losses = [float(lose(torch.log(torch.tensor([[p, 1e-6, 1 - p]])), shares)) for p in (0.05, 0.25, 0.5)]
    assert losses[1] == min(losses)
    with pytest.raises(InputError, match="none of cat, dog, owl"):
        TASK.targets([Sample("s", truth=Labels(("fox",), np.ones(1)))], frames[:1], FACTS)
