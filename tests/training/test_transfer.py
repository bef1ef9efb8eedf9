"""Beginning from another run: what matches is taken, what is frozen rests, and what rests is looked at once."""

import json
import os
import shutil
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from benchmarks.reliability.kill_training import outcome, toy
from sightline.core.annotations import Labels
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError, RunError, SettingsError
from sightline.core.files import digest_file
from sightline.core.image import ArrayImage
from sightline.core.run import Run
from sightline.core.sample import Sample
from sightline.core.settings import fill
from sightline.exporting.export import export
from sightline.formats import jsonlines
from sightline.heads.pooled import labels
from sightline.models import small, tutorial
from sightline.tasks.classify import Classify
from sightline.training import checkpoint, features, layers
from sightline.training.guard import Interrupted
from sightline.training.settings import Settings
from sightline.training.train import train
from sightline.training.warm import warm
from tests.conftest import caught
from tests.training.workshop import QUICK, floats, loop, once_at

FIXED: dict[str, Any] = {**QUICK, "epochs": 1, "threads": 1, "rate": 0.01}
HEAD: dict[str, Any] = {**FIXED, "epochs": 3, "freeze": "backbone", "augment": False}


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run whose weights others begin with."""
    folder = tmp_path_factory.mktemp("first")
    return train(jsonlines.write(toy("labels"), folder / "data"), out=folder / "run", settings=FIXED, look=False)


@pytest.fixture(scope="module")
def head(first: Run, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Its head alone, learnt on."""
    settings = {**HEAD, "start": str(first.path)}
    return train(toy("labels", 72), out=tmp_path_factory.mktemp("head") / "run", settings=settings, look=False)


def test_only_the_head_moves_and_no_running_mean(first: Run, head: Run) -> None:
    before, after = load_file(first.weights), load_file(head.weights)
    for name in before:
        assert np.array_equal(before[name], after[name]) is not name.startswith("head."), name


def test_what_is_remembered_changes_no_bit(
    first: Run, head: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sightline.training.loop.parted", lambda learner, facts: False)
    settings = {**HEAD, "start": str(first.path)}
    seen = train(toy("labels", 72), out=tmp_path, settings=settings, look=False)
    assert outcome(seen.path) == outcome(head.path)


def stopped() -> None:
    assert all(caught()), "nothing would stop at this signal but the whole process"
    os.kill(os.getpid(), signal.SIGINT)


def test_pictures_are_opened_once_and_a_stopped_run_continues_to_the_same_bits(
    first: Run, head: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(features, "IN_MEMORY", 0)
    seen: list[int] = []
    real = features.Features.add
    monkeypatch.setattr(features.Features, "add", lambda *given: (seen.append(1), real(*given))[1])
    settings = {**HEAD, "start": str(first.path)}
    begun = tmp_path.parent / f"{tmp_path.name}-begun"
    shutil.copytree(first.path, begun)
    settings["start"] = str(begun)
    stopping = once_at(11, stopped)
    with pytest.raises(Interrupted):
        train(toy("labels", 72), out=tmp_path, settings=settings, look=False, tell=stopping)
    shutil.rmtree(begun)  # what was begun with is no longer needed
    again = train(toy("labels", 72), out=tmp_path, settings=settings, look=False)
    assert outcome(again.path) == outcome(head.path)
    assert len(seen) == 4, "two groups of 32 or fewer in each of two processes, whatever the number of epochs"
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in head.path.iterdir()}, "nothing is left"


def test_what_is_frozen_is_written_once_and_vouched_for(head: Run) -> None:
    (newest,) = sorted(head.path.glob("checkpoints/*.safetensors"))[-1:]
    kept, frozen = load_file(newest), load_file(head.path / "frozen.safetensors")
    assert "network.head.1.weight" in kept
    assert not any("model." in name for name in kept)
    assert set(frozen) | {"head.1.weight", "head.1.bias"} == set(load_file(head.weights))
    path = head.path / "frozen.safetensors"
    digest = digest_file(path)
    assert checkpoint.take_out(path, digest)
    with pytest.raises(RunError, match="missing or damaged"):
        checkpoint.take_out(path, digest[::-1])
    with pytest.raises(RunError, match="missing or damaged"):
        checkpoint.take_out(head.path / "gone", digest)


def test_it_says_what_was_taken(first: Run, tmp_path: Path) -> None:
    said = []
    settings = {**FIXED, "start": str(first.path), "epochs": 1}
    run = train(toy("labels"), model="small", out=tmp_path / "whole", settings=settings, look=False, tell=said.append)
    assert any("began with 100.0% of the weights" in event.text for event in said)
    assert (run.path / "start.json").is_file()
    assert not any("what answers was fitted" in event.text for event in said)
    train(floats(), out=tmp_path / "other", settings=settings, look=False, tell=said.append)
    assert any("what answers was fitted" in event.text for event in said), "other names"


def test_other_names_begin_their_head_anew(first: Run) -> None:
    from sightline.training.start import begin

    made = loop(first.path.parent / "other")
    facts = made.facts
    swapped = type(facts)(facts.inputs, tuple(reversed(facts.names)), facts.options)
    said = begin(made.learner.network, swapped, str(first.path))
    assert said["anew"] == ["head.1.weight", "head.1.bias"]
    assert "begun anew: head.1.weight, head.1.bias" in said["line"]
    assert not begin(made.learner.network, facts, str(first.path))["anew"]


def test_a_bundle_serves_as_well_as_its_run(first: Run, tmp_path: Path) -> None:
    from sightline.training.start import weights_of

    bundle = export(first).path
    one, two = weights_of(str(bundle), "x"), weights_of(str(first.path), "x")
    assert one[0].keys() == two[0].keys()
    assert all(np.array_equal(one[0][name], two[0][name]) for name in two[0])
    assert one[1:] == two[1:]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"start": "nowhere"}, r"train\.start = 'nowhere': no run at"),
        ({"teacher": "nowhere"}, r"train\.teacher = 'nowhere': no run at"),
        ({"freeze": "modle"}, r"no part 'modle' that learns\. Did you mean 'model'"),
        ({"freeze": "model,head"}, "nothing would learn"),
        ({"taper": 0.0}, r"train\.taper = 0\.0: must be more than 0"),
        ({"drop_path": 1.0}, r"train\.drop_path"),
        ({"optimiser_settings": {"nope": 1}}, r"train\.optimiser_settings do not suit 'adamw'"),
    ],
)
def test_what_cannot_be_is_one_line(settings: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=message):
        train(toy("labels"), out=tmp_path, settings={**FIXED, **settings}, look=False)


def test_a_network_of_another_kind_is_refused(first: Run, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="not one layer of its small suits"):
        train(toy("labels"), model="lenet", out=tmp_path, settings={**FIXED, "start": str(first.path)}, look=False)


def test_layers_further_from_the_answer_learn_slower(tmp_path: Path) -> None:
    made = loop(tmp_path, taper=0.5)
    shares = {}
    names = {id(p): name for name, p in made.learner.network.named_parameters()}
    for group in made.learner.optimisers[""].param_groups:
        shares |= {names[id(p)]: group["share"] for p in group["params"]}
    assert len(shares) == len(names)
    assert shares["head.1.weight"] == shares["head.1.bias"] == 1
    in_order = [shares[name] for name in names.values()]
    assert in_order == sorted(in_order), "from the first layer to the last"
    assert shares["model.stem.0.weight"] == shares["model.stem.1.bias"] == min(in_order) < 0.05
    before = {name: p.detach().clone() for name, p in made.learner.network.named_parameters()}
    made.go()
    assert made.learner.optimisers[""].param_groups[0]["lr"] < 2e-3
    moved = {n: float((p.detach() - before[n]).abs().mean()) for n, p in made.learner.network.named_parameters()}
    assert moved["head.1.weight"] > 4 * moved["model.stem.0.weight"]


def test_a_named_part_rests_with_its_chance_and_its_statistics(tmp_path: Path) -> None:
    made = loop(tmp_path, freeze="model.stem, model.levels.0")
    before = {name: value.clone() for name, value in made.learner.network.state_dict().items()}
    made.go()
    after = made.learner.network.state_dict()
    still = {name for name, value in before.items() if torch.equal(value, after[name])}
    assert {name for name in before if name.startswith(("model.stem", "model.levels.0."))} <= still
    assert not any(name.startswith(("model.levels.1", "head")) for name in still)
    assert made.learner.network.training


def test_where_networks_are_parted() -> None:
    from sightline.core.inputs import InputSpec

    spec, image = InputSpec((32, 32)), torch.zeros(2, 32, 32, 3, dtype=torch.uint8)
    for model, answers in ((small.build(), {"head.1.weight", "head.1.bias"}),
                           (tutorial.build(3, 4), {"model.answer.weight", "model.answer.bias"})):  # fmt: skip
        network = labels(model, spec, 4).eval()
        assert layers.answering(network) == answers
        assert layers.frozen(network, "backbone") == {name for name, _ in network.named_parameters()} - answers
        pooled = network.pooled(image)  # type: ignore[operator]
        assert pooled.ndim == 2
        assert torch.equal(network.answered(pooled)["logits"], network(image)["logits"])  # type: ignore[operator]


def test_what_cannot_be_read_is_skipped_as_before(tmp_path: Path) -> None:
    """A picture that cannot be opened has its error again in each epoch, from memory."""
    made = loop(tmp_path, freeze="backbone", augment=False)
    sample = made.train[0]
    found = features.Features("image")
    found.bad[sample.id] = InputError("corrupt", "cut short")
    with pytest.raises(InputError, match="cut short"):
        found.inputs([sample], made.facts)


def test_a_teacher_is_followed_even_where_names_are_wrong(first: Run, tmp_path: Path) -> None:
    """With the whole of the loss the teacher's, its answers are learnt and the given names do not matter."""
    settings = {**FIXED, "epochs": 6, "teacher": str(first.path), "teacher_share": 1.0, "rate": 0.005}
    taught = train(toy("labels"), out=tmp_path / "taught", settings=settings, look=False)
    lost = [row["parts"]["teacher"] for row in taught.history]
    assert lost[-1] < 0.6 * lost[0]
    assert all(row["parts"]["names"] == 0 for row in taught.history)
    with pytest.raises(SettingsError, match="it looks at pictures of 32x32"):
        train(toy("labels"), out=tmp_path / "size", settings=settings, options={"size": 48}, look=False)


def test_l1_leaves_few_weights_and_spares_norms(tmp_path: Path) -> None:
    plain, sparse = loop(tmp_path / "plain"), loop(tmp_path / "sparse", l1=5.0, rate=0.01)
    zeros = []
    for made in (plain, sparse):
        made.go()
        matrices = [p for p in made.learner.network.parameters() if p.ndim >= 2]
        zeros.append(sum(int((p == 0).sum()) for p in matrices) / sum(p.numel() for p in matrices))
    assert zeros[0] < 0.01 < 0.3 < zeros[1]
    norm = made.learner.network.get_parameter("model.stem.1.weight")
    assert not bool((norm == 0).any())


def test_drop_path_rises_to_its_whole_rate_and_rests_when_asked(tmp_path: Path) -> None:
    made = loop(tmp_path, drop_path=0.4)
    rates = [m.rate for m in made.learner.network.modules() if type(m).__name__ == "DropPath"]
    assert rates == pytest.approx([0.1, 0.2, 0.3, 0.4])
    x = torch.randint(0, 255, (8, 32, 32, 3), dtype=torch.uint8)
    made.learner.network.eval()
    assert torch.equal(made.learner.network(x)["logits"], made.learner.network(x)["logits"])
    made.go()


def test_early_stopping_keeps_the_best_weights_of_all(tmp_path: Path) -> None:
    """Three good epochs, then a rate that ruins everything: what is kept is from before."""
    made = loop(tmp_path, epochs=9, patience=2, average=0.0)
    kept: dict[int, torch.Tensor] = {}

    def tell(event: Any) -> None:
        if event.kind == "epoch":
            kept[event.facts["epoch"]] = made.learner.average.state_dict()["head.1.weight"].clone()
            if event.facts["epoch"] == 3:
                with torch.no_grad():
                    made.learner.network.get_parameter("head.1.weight").mul_(-50)
                for group in made.learner.optimisers[""].param_groups:
                    group["share"] = 1e-9

    made.tell = tell
    made.go()
    assert made.state.best_epoch <= 3
    assert len(made.state.history) == made.state.best_epoch + 2 < 9
    assert torch.equal(made.best["head.1.weight"], kept[made.state.best_epoch])


def test_a_head_of_other_names_begins_as_good_as_means(first: Run, tmp_path: Path) -> None:
    """A random network sees brightness, and before the first step it is told; only what answers moves."""
    made = loop(tmp_path, floats(30))
    before = {name: value.clone() for name, value in made.learner.network.state_dict().items()}
    warm(made)
    assert all(torch.equal(before[name], value) for name, value in made.learner.network.state_dict().items())
    made.fresh = True
    warm(made)
    after = made.learner.network.state_dict()
    assert {name for name in before if not torch.equal(before[name], after[name])} == {"head.1.weight", "head.1.bias"}
    assert all(torch.equal(value, made.learner.average.state_dict()[name]) for name, value in after.items())
    assert all(parameter.grad is None and parameter.requires_grad for parameter in made.learner.network.parameters())
    assert _right(made) == 1.0


def _right(made: Any) -> float:
    """The share of the training side that is named rightly by the average."""
    arrays, _ = made.task.inputs(list(made.train), made.facts)
    logits = made.learner.average(torch.from_numpy(arrays["image"]))["logits"].argmax(1).tolist()
    names = [made.facts.names[row] for row in logits]
    return float(np.mean([name == sample.truth.best for name, sample in zip(names, made.train, strict=True)]))


def test_which_name_has_more_pictures_does_not_count(tmp_path: Path) -> None:
    """Where all look alike a rare name is as likely as a common one."""
    pixels = ArrayImage(np.full((32, 32, 3), 90, np.uint8))
    made = loop(tmp_path, floats(30))
    counts = dict(zip(made.facts.names, (12, 3, 3), strict=True))
    samples = [
        Sample(f"{name} {row}", (pixels,), Labels((name,))) for name, many in counts.items() for row in range(many)
    ]
    made.train, made.fresh = Dataset(samples, name="alike"), True
    warm(made)
    image = torch.full((1, 32, 32, 3), 90, dtype=torch.uint8)
    assert made.learner.average(image)["logits"].softmax(1)[0].tolist() == pytest.approx([1 / 3] * 3, abs=0.02)


def test_what_begins_elsewhere_takes_that_network_and_small_steps(first: Run, tmp_path: Path) -> None:
    """Without a word more: the model of the run, a rate that does not spoil it, and no epoch fewer."""
    from sightline.training import recipes
    from sightline.training.train import settle

    data = toy("labels", 48)
    found = recipes.plain(data, Classify(), None, {"start": str(first.path)})
    assert found.model == "small"
    rests = {"freeze": "backbone", "augment": False}
    assert found.settings == {"rate": recipes.GENTLE, "epochs": 40, "patience": 0, **rests}, "a handful of each name"
    many = Dataset([data[row % len(data)] for row in range(300)], names=data.names)
    onwards = recipes.plain(many, Classify(), None, {"start": str(first.path)}).settings
    assert onwards == {"rate": recipes.GENTLE, "epochs": 20, "patience": 0}
    assert not recipes.plain(data, Classify(), None, {}).settings
    assert not recipes.plain(data, Classify(), "small", {"start": str(first.path), "optimiser": "sgd"}).settings
    named = Settings(start=str(first.path), epochs=20)
    told: dict[str, Any] = {"task": None, "model": None, "out": tmp_path, "format": None, "options": None, "what": "x"}
    chosen = settle(data, data, settings=named, **told).settings
    assert (chosen.epochs, chosen.patience, chosen.rate) == (20, 0, recipes.GENTLE)


def test_what_is_named_is_known_also_where_it_is_usual() -> None:
    usual = Settings()
    assert usual.named() == {}
    assert Settings(epochs=usual.epochs, rate=0.1).named() == {"epochs": usual.epochs, "rate": 0.1}
    assert Settings(usual.epochs).named() == {"epochs": usual.epochs}
    assert replace(Settings(epochs=usual.epochs), batch=5).named() == {"batch": 5}, "a copy names everything"
    assert fill(Settings, {"batch": 5, "augmentations": ["flip"]}).named() == {"batch": 5, "augmentations": ["flip"]}
    assert Settings(epochs=3) == fill(Settings, {"epochs": 3})


def test_a_given_time_begins_with_the_head(first: Run, tmp_path: Path) -> None:
    """Where a network is begun with, its head alone is a rung of its own, solved at once; a line comes before it."""
    from sightline.training import recipes

    told = {"start": str(first.path)}
    rungs = recipes.ladder(floats(), Classify(), None, told)
    assert [rung.name for rung in rungs] == ["ridge", "small (head)", "small"]
    assert rungs[0].without == ("start",)
    assert [rung.name for rung in recipes.ladder(floats(), Classify(), "small", told)] == ["small (head)", "small"]
    assert [rung.name for rung in recipes.ladder(floats(), Classify(), None, {**told, "freeze": "head"})] == ["small"]
    plain = {"precision": "float32", "layout": "plain", "workers": 0, "threads": 1, "compile": "off"}
    run = train(floats(), out=tmp_path, minutes=0.1, settings={**plain, **told}, look=False)
    book = json.loads((tmp_path / "ladder.json").read_bytes())
    assert [(rung["model"], rung["closed"]) for rung in book["rungs"]] == [
        ("ridge", True),
        ("small (head)", True),
        ("small", False),
    ]
    assert run.info["state"] == "done"
    if book["rungs"][1]["state"] == "done":  # else the machine had no time for it
        head = Run(tmp_path / "rungs" / "2-small-head")
        assert head.info["model"] == "small"
        assert head.info["settings"]["freeze"] == "backbone"
    settings = {**plain, **rungs[1].settings, **told, "epochs": 1}
    alone = train(floats(), model=rungs[1].model, out=tmp_path / "alone", settings=settings, look=False)
    assert alone.info["best"] == 1.0, "brightness is seen by a network that learnt colours"
