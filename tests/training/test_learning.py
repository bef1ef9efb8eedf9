"""How it learns: turns, averages, accumulation, schedules, early stopping, and pictures that cannot be read."""

import copy
import dataclasses
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from benchmarks.reliability.kill_training import toy
from sightline.core import catalog
from sightline.core.annotations import Labels
from sightline.core.dataset import Dataset
from sightline.core.errors import AmbiguousError, RunError, SettingsError, UnknownNameError
from sightline.core.image import FileImage, encode
from sightline.core.inputs import InputSpec
from sightline.core.progress import Event
from sightline.core.run import Run
from sightline.core.sample import Sample
from sightline.core.sides import reopen
from sightline.core.task import Facts, Step
from sightline.tasks.classify import Classify
from sightline.training import choices as choosing
from sightline.training.assemble import repeatable
from sightline.training.learner import Called, Learner
from sightline.training.loader import Loader
from sightline.training.sampling import plan
from sightline.training.settings import Settings
from sightline.training.state import level
from sightline.training.step import Stepper
from sightline.training.train import infer, train
from tests.training.workshop import PLAIN, QUICK, floats, loop, same, weights


@dataclass(frozen=True)
class Nothing:
    """No settings."""


class Line(nn.Module):
    """A network without norms or chance, so that halves of a batch add up to the whole."""

    def __init__(self) -> None:
        super().__init__()
        self.maker = nn.Linear(4, 3)
        self.judge = nn.Linear(3, 1)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        return {"y": self.maker(x)}


class Duel(Classify):
    """Two players: one makes, the other judges; each learns in its own turn only."""

    turns = ("maker", "judge")
    Options = Nothing

    def loss(self, step: Step) -> dict[str, Any]:
        made = step.network(x=step.batch["x"])["y"]
        judged = step.network.part("judge", made)
        return {"maker": judged.mean()} if step.turn == "maker" else {"judge": (judged - 1).square().mean()}


class Straight(Duel):
    """One player, least squares."""

    turns = ("",)

    def loss(self, step: Step) -> dict[str, Any]:
        return {"square": (step.network(x=step.batch["x"])["y"] - step.batch["y"]).square().mean()}


def stepper(task: Classify, **settings: Any) -> Stepper:
    torch.manual_seed(0)
    facts = Facts({"x": InputSpec((1,))})
    return Stepper(task, facts, Learner(task, Line(), Settings(**{"warmup": 0.0, **settings}), PLAIN))


def rows(count: int, seed: int = 0) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    return {
        "x": rng.standard_normal((count, 4)).astype(np.float32),
        "y": rng.standard_normal((count, 3)).astype(np.float32),
    }


def test_accumulated_batches_equal_one_large_batch() -> None:
    whole = rows(16)
    halves = [{name: value[part] for name, value in whole.items()} for part in (slice(0, 8), slice(8, 16))]
    one, two = stepper(Straight(), optimiser="sgd"), stepper(Straight(), optimiser="sgd")
    for step in range(5):
        one.take([whole], step, 1.0, 0.0)
        two.take(halves, step, 1.0, 0.0)
    for (name, a), (_, b) in zip(
        one.learner.network.named_parameters(), two.learner.network.named_parameters(), strict=True
    ):
        assert torch.allclose(a, b, atol=1e-6), name


def test_a_step_of_plain_descent_equals_backpropagation_by_hand() -> None:
    """Gradient of the mean square of x @ W.T + b - y, written out in numpy."""
    made = stepper(Straight(), optimiser="sgd", rate=0.1, decay=0.0, clip=0.0, average=0.0)
    layer, data = made.learner.network.maker, rows(8)
    weight, bias = layer.weight.detach().numpy().copy(), layer.bias.detach().numpy().copy()
    for step in range(3):
        made.take([data], step, 1.0, 0.0)
        wrong = data["x"] @ weight.T + bias - data["y"]
        weight -= 0.1 * 2 / wrong.size * wrong.T @ data["x"]
        bias -= 0.1 * 2 / wrong.size * wrong.sum(0)
    assert np.allclose(layer.weight.detach().numpy(), weight, atol=1e-6)
    assert np.allclose(layer.bias.detach().numpy(), bias, atol=1e-6)


def test_each_turn_moves_its_own_player_only() -> None:
    made = stepper(Duel())
    assert list(made.learner.optimisers) == ["maker", "judge"]
    for turn, still in (("maker", "judge"), ("judge", "maker")):
        other = made.learner.optimisers.pop("judge" if turn == "maker" else "maker")
        before = copy.deepcopy(made.learner.network.state_dict())
        made.learner.only(turn)
        made.take([rows(8)], 0, 1.0, 0.0)
        after = made.learner.network.state_dict()
        assert torch.equal(before[f"{still}.weight"], after[f"{still}.weight"])
        moved = any(not torch.equal(before[f"{turn}.{name}"], after[f"{turn}.{name}"]) for name in ("weight", "bias"))
        assert moved
        made.learner.optimisers["judge" if turn == "maker" else "maker"] = other


def test_the_average_follows_as_its_equation_says_and_stays_in_eval_mode() -> None:
    made = stepper(Straight(), average=0.5)
    expected = made.learner.network.maker.weight.detach().clone()
    for step in range(20):
        made.take([rows(8, step)], step, 1.0, 0.0)
        decay = min(0.5, (1 + step) / (10 + step))
        expected = expected * decay + made.learner.network.maker.weight.detach() * (1 - decay)
    assert torch.allclose(made.learner.average.maker.weight, expected, atol=1e-6)
    assert not made.learner.average.training


def test_a_state_of_other_weights_that_learn_is_refused() -> None:
    """Also where every name is there: what an optimiser remembers goes by places."""
    before = stepper(Straight(), optimiser="adamw")
    before.take([rows(8)], 0, 1.0, 0.0)
    put_away = before.learner.tensors()
    still = Line()
    weight = still.maker.weight.detach()
    del still.maker.weight
    still.maker.register_buffer("weight", weight)
    after = Learner(Straight(), still, Settings(warmup=0.0, optimiser="adamw"), PLAIN)
    with pytest.raises(RunError, match="another network, in which other weights learn"):
        after.restore(put_away)
    same_again = stepper(Straight(), optimiser="adamw")
    same_again.learner.restore(put_away)
    assert all(torch.equal(value, same_again.learner.tensors()[name]) for name, value in put_away.items())


def test_equal_seeds_need_no_memory_that_is_filled_first() -> None:
    import torch.utils.deterministic as filling

    before = filling.fill_uninitialized_memory
    with repeatable():
        assert torch.are_deterministic_algorithms_enabled()
        assert filling.fill_uninitialized_memory is False
    assert filling.fill_uninitialized_memory is before


def test_a_gradient_is_clipped_to_its_largest_norm() -> None:
    big = rows(8)
    big["y"] *= 1e4
    made = stepper(Straight(), optimiser="sgd", rate=1.0, clip=0.5, decay=0.0)
    before = copy.deepcopy(made.learner.network.state_dict())
    made.take([big], 0, 1.0, 0.0)
    moved = [made.learner.network.state_dict()[name] - value for name, value in before.items()]
    assert float(torch.cat([m.flatten() for m in moved]).norm()) == pytest.approx(0.5, rel=1e-3)


def test_decay_spares_biases_and_norms(tmp_path: Path) -> None:
    made = loop(tmp_path, decay=0.3)
    for group in made.learner.optimisers[""].param_groups:
        assert {p.ndim < 2 for p in group["params"]} == {group["weight_decay"] == 0.0}


def test_mixed_precision_gives_float32_and_learns(tmp_path: Path) -> None:
    plain = loop(tmp_path / "plain", precision="float32")
    mixed = loop(tmp_path / "mixed")
    mixed.learner.choices = choosing.Choices("cpu", "bfloat16", "channels_last", 1)
    called = Called(mixed.learner.network, mixed.learner.choices)
    assert called(image=torch.zeros(2, 32, 32, 3, dtype=torch.uint8))["logits"].dtype == torch.float32
    for made in (plain, mixed):
        made.go()
    lost = [made.state.history[-1]["loss"] for made in (plain, mixed)]
    assert lost[0] == pytest.approx(lost[1], rel=0.1)


def test_it_stops_early_and_keeps_the_best_weights(tmp_path: Path) -> None:
    said: list[Event] = []
    made = loop(tmp_path, epochs=40, patience=3, tell=said.append, rate=1e-2)
    made.go()
    history = made.state.history
    assert len(history) < 40
    scores = [row["val"]["accuracy"] for row in history]
    assert made.state.best_epoch == int(np.argmax(scores)) + 1
    assert len(history) == made.state.best_epoch + 3
    assert any("stopped early" in event.text for event in said)
    made.learner.average.load_state_dict(made.best)
    assert made._validated()["accuracy"] == max(scores)


@pytest.mark.parametrize(("score", "count", "kept"), [(0.897, 2500, True), (0.88, 2500, False), (0.88, 100, True)])
def test_a_share_is_level_within_chance_of_so_many(score: float, count: int, kept: bool) -> None:
    assert level(score, 0.9, count) is kept
    assert not level(score, None, count)
    assert not level(1.5, 1.6, count), "no share"


def test_a_run_that_goes_to_its_end_keeps_it_where_it_is_level_with_the_best(tmp_path: Path) -> None:
    kept = []
    for seed in (0, 4, 15):
        made = loop(tmp_path / f"{seed}", epochs=4, rate=6e-2, seed=seed)
        made.go()
        scores = [row["val"]["accuracy"] for row in made.state.history]
        most = max(scores[:-1])
        ends = scores[-1] > most or level(scores[-1], most, len(made.val))
        assert made.state.best_epoch == (4 if ends else scores.index(most) + 1)
        assert made.state.history[-1]["best"] is ends
        kept.append((scores[-1] <= most, ends))
    assert {(True, True), (True, False)} <= {*kept}, "one that is level, and one that all of its best were right in"


def test_the_rate_warms_up_and_then_follows_its_schedule(tmp_path: Path) -> None:
    rates = []
    made = loop(tmp_path, epochs=4, warmup=0.25, schedule="cosine")
    made.tell = lambda event: (
        rates.append(made.learner.optimisers[""].param_groups[0]["lr"]) if event.kind == "progress" else None
    )
    made.go()
    each = len(rates) // 4
    assert rates[:each] == sorted(rates[:each])
    assert rates[each:] == sorted(rates[each:], reverse=True)
    assert max(rates) <= made.learner.rate
    assert rates[-1] < 0.15 * made.learner.rate


def test_every_schedule_learns_and_wrong_settings_are_one_line(tmp_path: Path) -> None:
    for name in catalog.names("schedules"):
        made = loop(tmp_path / name, schedule=name)
        made.go()
        assert made.state.history[-1]["loss"] < made.state.history[0]["loss"], name
    with pytest.raises(SettingsError, match="do not suit 'cosine'"):
        loop(tmp_path / "wrong", schedule="cosine", schedule_settings={"peak": 2}).go()


def test_a_closed_form_learner_is_solved_in_one_pass(tmp_path: Path) -> None:
    run = train(toy("labels", 120), model="ridge", out=tmp_path, settings=QUICK)
    assert len(run.history) == 1
    assert run.history[0]["val"]["accuracy"] > 0.8
    assert run.history[0]["loss"] is None, "no step was taken, and no loss was seen"
    again = train(toy("labels", 120), model="ridge", out=tmp_path, settings=QUICK)
    assert again.info["state"] == "done"


def on_disk(folder: Path, count: int = 60, broken: tuple[int, ...] = ()) -> Dataset:
    samples = []
    data = toy("labels", count)
    kinds = ("cut", "empty", "missing", "text")
    for index, sample in enumerate(data):
        path = folder / f"{index:03d}.png"
        whole = encode(sample.pixels())
        kind = kinds[broken.index(index) % 4] if index in broken else ""
        if kind != "missing":
            path.write_bytes({"": whole, "cut": whole[: len(whole) // 2], "empty": b"", "text": b"no picture"}[kind])
        samples.append(Sample(sample.id, (FileImage(path),), sample.truth))
    return Dataset(samples, name="disk")


def test_unreadable_pictures_are_listed_and_skipped(tmp_path: Path) -> None:
    broken = (7, 20, 33, 46)
    said: list[Event] = []
    run = train(on_disk(tmp_path, broken=broken), "classify", out=tmp_path / "run", settings=QUICK, tell=said.append)
    listed = json.loads((run.path / "skipped.json").read_text())
    side = {event.facts["id"] for event in said if event.kind == "skip"}
    assert side == set(listed)
    assert set(listed) <= {f"toy-{index:03d}" for index in broken}
    assert len(listed) >= 3, "broken pictures of the training and validation sides are all met"
    assert all(
        any(word in why for word in ("cannot be decoded", "no bytes", "No such file", "begins like"))
        for why in listed.values()
    )


def test_too_many_unreadable_pictures_stop_the_run_with_the_list(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"more than 20%: toy-\d+: .*\d+\.png: "):
        train(on_disk(tmp_path, broken=tuple(range(0, 60, 3))), out=tmp_path / "run", settings=QUICK)


def test_the_order_of_the_good_ones_is_not_changed_by_the_bad_ones(tmp_path: Path) -> None:
    (tmp_path / "good").mkdir()
    (tmp_path / "bad").mkdir()
    task = Classify()
    made: dict[str, list[list[int]]] = {}
    for name, broken in (("good", ()), ("bad", (3, 11, 40))):
        data = on_disk(tmp_path / name, broken=broken)
        facts = Facts({"image": InputSpec((32, 32))}, ("blue", "green", "red"), {"dropout": 0.0, "smoothing": 0.0})
        loader = Loader(task, facts, data, 0, None, 2)
        made[name] = [batch.rows for batch in loader.batches(0, plan(task, data, facts, 8, 0, 0), set())]
    assert [[row for row in batch if row not in (3, 11, 40)] for batch in made["good"]] == made["bad"]


def test_a_wrong_label_is_skipped_like_an_unreadable_picture(tmp_path: Path) -> None:
    data = toy("labels")
    truths = [Labels(("purple",)) if row == 9 else sample.truth for row, sample in enumerate(data)]
    sides = ["train" if row < 50 else "val" for row in range(len(data))]
    samples = [Sample(s.id, s.images, t, split=side) for s, t, side in zip(data, truths, sides, strict=True)]
    strange = Dataset(samples, name="strange", names=("blue", "green", "red"))
    run = train(strange, out=tmp_path, settings=QUICK)
    assert "none of blue, green, red" in json.loads((run.path / "skipped.json").read_text())["toy-009"]


def test_modes_are_chosen_by_measuring_once_a_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGHTLINE_CACHE", str(tmp_path))
    calls: list[choosing.Choices] = []

    def trial(mode: choosing.Choices) -> Any:
        def step() -> None:
            calls.append(mode)
            time.sleep(0.05 if mode.layout == "plain" else 0.01)

        return step

    settings = Settings(precision="float32")
    first = choosing.choose(settings, trial, {"what": 1})
    assert first.layout == "channels_last"
    assert len(calls) == 9, "what is far behind is timed twice"
    assert choosing.choose(settings, trial, {"what": 1}) == first
    assert len(calls) == 9, "the second answer is remembered"
    choosing.choose(settings, trial, {"what": 2})
    assert len(calls) == 18


def test_a_mode_that_gains_little_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGHTLINE_CACHE", str(tmp_path))
    chosen = choosing.choose(Settings(precision="float32"), lambda mode: lambda: time.sleep(0.05), {})
    assert chosen.layout == "plain"


def test_training_with_measured_choices_records_them(tmp_path: Path) -> None:
    free = {name: value for name, value in QUICK.items() if name not in ("precision", "layout")}
    run = train(toy("labels"), out=tmp_path, settings={**free, "epochs": 1})
    assert set(run.info["choices"]) == {"device", "precision", "layout", "threads", "compiled"}


def test_the_task_is_the_natural_reading_or_is_refused(tmp_path: Path) -> None:
    assert infer(toy("labels"), None) == "classify"
    assert infer(toy("objects"), None) == "detect"
    assert infer(toy("labels"), "embed") == "embed"
    with pytest.raises(
        AmbiguousError, match=r"does not suit detect: it needs boxes\. It suits classify, embed, generate"
    ):
        infer(toy("labels"), "detect")
    with pytest.raises(AmbiguousError, match=r"no task is the natural reading.*--task"):
        infer(Dataset([Sample("a", toy("labels")[0].images)], name="bare"), None)
    aged = Dataset([Sample("a", toy("labels")[0].images, attributes={"age": 7})], name="aged")
    with pytest.raises(AmbiguousError, match=r"To learn age, call it class \(names\), value"):
        infer(aged, None)
    with pytest.raises(AmbiguousError, match=r"does not suit grade: it needs a name.*To learn age, call it class"):
        infer(aged, "grade")
    with pytest.raises(UnknownNameError, match="Did you mean 'classify'"):
        train(toy("labels"), "clasify", out=tmp_path)
    with pytest.raises(UnknownNameError, match="Did you mean 'small'"):
        train(toy("labels"), model="smal", out=tmp_path)


def test_the_default_folder_is_found_again_by_the_same_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    first = train(toy("labels"), settings={**QUICK, "epochs": 1})
    again = train(toy("labels"), settings={**QUICK, "epochs": 1})
    other = train(toy("labels"), settings={**QUICK, "epochs": 1, "rate": 1e-4})
    assert first.path == again.path != other.path
    assert first.path.parts[0] == "runs"


def test_equal_loops_learn_equally_and_augmentation_matters(tmp_path: Path) -> None:
    ends = []
    for name, settings in (("a", {}), ("b", {}), ("c", {"augment": False})):
        made = loop(tmp_path / name, **settings)
        made.go()
        ends.append(weights(made))
    assert same(ends[0], ends[1])
    assert not same(ends[0], ends[2])


def test_a_site_stays_whole_where_the_split_is_by_site(tmp_path: Path) -> None:
    data = toy("labels", 60)
    sites = [dataclasses.replace(sample, attributes={"site": f"s{row % 6}"}) for row, sample in enumerate(data)]
    held = Dataset(sites, name="sites")
    run = train(held, out=tmp_path, settings={**QUICK, "epochs": 1, "split_by": "site"})
    parted = reopen(run.info, held)
    where = {(sample.attributes["site"], sample.split) for sample in parted}
    assert len(where) == 6
    assert ("s5", "test") in where
    assert run.info["counts"] == {"train": 40, "val": 10, "test": 10}


def test_a_damaged_run_record_is_refused(tmp_path: Path) -> None:
    train(toy("labels"), out=tmp_path, settings={**QUICK, "epochs": 1})
    path = Run(tmp_path).path / "run.json"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(RunError, match="damaged"):
        train(toy("labels"), out=tmp_path, settings={**QUICK, "epochs": 1})


def test_a_batch_of_one_learns_with_the_running_statistics(tmp_path: Path) -> None:
    """One picture whose last features are a single pixel has no variance to be normalised by."""
    count = len(loop(tmp_path / "asked", floats(10)).train)
    made = loop(tmp_path / "learnt", floats(10), epochs=1, batch=count - 1)
    made.go()
    assert made.state.step == 2
    assert made.state.history[0]["parts"]
