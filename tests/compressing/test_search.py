"""From a run to a smaller bundle: made, measured, kept, gone on with, and refused where nobody can tell."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import onnx
import pytest
import torch

from sightline.cli import main
from sightline.compressing import methods, search
from sightline.compressing.exporting import counted
from sightline.compressing.form import Budget, Form, kept
from sightline.compressing.judging import Loss
from sightline.compressing.learning import tune
from sightline.compressing.page import cells, page
from sightline.compressing.pruning import Sparse, pruned, sparsity, wide
from sightline.compressing.search import Row, best_of, compress
from sightline.compressing.subject import Subject, open_subject
from sightline.core import bundle as bundles
from sightline.core.annotations import Labels
from sightline.core.dataset import Dataset
from sightline.core.errors import BundleError, RunError, SettingsError, StorageError, UnknownNameError
from sightline.core.inputs import InputSpec
from sightline.core.progress import Event, silent
from sightline.core.run import Run
from sightline.core.task import Facts
from sightline.predicting.model import load
from sightline.tasks import generate
from sightline.testing.toys import toy
from sightline.training.train import train

QUICK = {
    "epochs": 3, "batch": 16, "precision": "float32", "layout": "plain", "threads": 1, "workers": 0, "rate": 0.01,
    "average": 0.5,
}  # fmt: skip
FEW = 60.0  # points: what so few pictures can tell


@pytest.fixture(scope="module")
def data() -> Dataset:
    return toy(Labels, 120)


@pytest.fixture(scope="module")
def run(data: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Run:
    place = tmp_path_factory.mktemp("compress") / "run"
    return train(data, "classify", model="quick:s", out=place, settings=QUICK, look=False)


@pytest.fixture(scope="module")
def subject(run: Run, data: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Subject:
    return open_subject(run, tmp_path_factory.mktemp("subject"), data)


@pytest.fixture(scope="module")
def found(run: Run, data: Dataset, subject: Subject) -> Any:
    """A search over what needs no learning; the parent is the one that the subject exported."""
    return compress(run, data=data, methods=("folded", "int8"), max_drop=FEW, out=subject.folder)


# ------------------------------------------------------------------------------------------------------- the bundle


def test_the_best_is_an_ordinary_bundle_that_names_its_parent(found: Any, run: Run, subject: Subject) -> None:
    assert found.choice == "int8"
    assert found.good
    opened = bundles.load(found.written.path)
    assert set(opened.files) == {"model.onnx", "golden.npz", "card.md"}
    card = opened.model
    assert card["lineage"]["parent"] == subject.parent.version
    assert card["lineage"]["run"] == run.path.name
    assert card["compression"]["size"] == len(opened.files["model.onnx"])
    assert card["compression"]["parent_size"] / card["compression"]["size"] > 3
    assert card["compression"]["weights"].startswith("left out")
    assert [row["name"] for row in card["metrics"]] == [row["name"] for row in card["compression"]["parent_metrics"]]
    assert card["golden"]["tolerance"] >= Labels.tolerance
    text = opened.files["card.md"].decode()
    assert "## What was compressed" in text
    assert subject.parent.version in text


def test_it_answers_and_cannot_be_taken_for_something_to_train(found: Any, data: Dataset) -> None:
    model = load(found.written.path)
    held = data[:6]
    assert [one.best for one in model.predict(list(held))] == [sample.truth.best for sample in held]  # type: ignore[union-attr]
    with pytest.raises(BundleError, match="predicts, but cannot be trained further"):
        load(found.written.path, backend="torch")


def test_other_answers_than_its_own_are_refused(found: Any, subject: Subject, tmp_path: Path) -> None:
    opened = bundles.load(found.written.path)
    small = {**opened.model, "golden": {"tolerance": 1e-9, "seed": 0}}
    path = bundles.save(
        tmp_path / "other", {k: v for k, v in small.items() if k not in ("format", "needs")},
        {**opened.files, "model.onnx": subject.graph},
    )  # fmt: skip
    with pytest.raises(BundleError, match="does not give its golden answers"):
        load(path)


# ------------------------------------------------------------------------------------------------------- the search


def test_the_table_holds_the_parent_and_every_form(found: Any) -> None:
    rows = cells(found)
    assert [row[0] for row in rows] == ["parent", "folded", "int8"]
    assert float(rows[2][2].rstrip("x")) > 3
    assert all(row.latency > 0 for row in found.rows)
    html = page(found)
    assert "<svg" in html
    assert "int8" in html
    assert json.dumps(found.to_json())


def test_the_same_call_goes_on_and_makes_nothing_twice(
    found: Any, run: Run, data: Dataset, subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(methods.int8, "forms", None)  # type: ignore[attr-defined]  # making anew would fail
    written: list[Any] = []
    monkeypatch.setattr(search, "write", lambda *given: written.append(given[1]) or found.written)
    again = compress(run, data=data, methods=("folded", "int8"), max_drop=FEW, out=subject.folder, target="size")
    assert [row.name for row in again.rows] == [row.name for row in found.rows]
    assert written[0].graph == kept(subject.folder / "forms", "int8").graph
    with pytest.raises(RunError, match="max_drop was 60"):
        compress(run, data=data, methods=("int8",), max_drop=1, out=subject.folder)


def test_what_few_pictures_cannot_tell_is_not_called_good(found: Any) -> None:
    few = replace(found.written.loss, allowed=1.0)
    assert few.verdict == "cannot tell"
    assert not replace(found, written=replace(found.written, loss=few)).good
    assert not replace(found, written=replace(found.written, version="")).good
    assert not replace(found, written=None).good


def test_what_surely_lost_too_much_is_not_written(subject: Subject, tmp_path: Path) -> None:
    held = bundles.load(subject.folder / "parent")
    broken = onnx.load_from_string(held.files["model.onnx"])
    for tensor in broken.graph.initializer:
        if tensor.name.startswith("head"):
            tensor.CopyFrom(onnx.numpy_helper.from_array(0 * onnx.numpy_helper.to_array(tensor), tensor.name))
    form = Form("broken", "broken", broken.SerializeToString(), "the head is gone")
    made = search.write(subject, form, tmp_path / "broken", 0.5, {}, silent)
    assert made.loss.verdict == "beyond"
    assert made.version == ""
    assert list(tmp_path.iterdir()) == []


def test_a_method_that_fails_is_a_line_and_stops_nothing(subject: Subject, tmp_path: Path) -> None:
    told: list[str] = []
    made = search._Search(replace(subject, folder=tmp_path), Budget(1.0, FEW, lambda event: told.append(event.text)))

    class Bad:
        SHARE = 0
        why_not = staticmethod(lambda subject: "")

        @staticmethod
        def forms(subject: Subject, budget: Budget) -> Any:
            yield Form("bad", "bad", b"no graph", "nothing")

    class Unfit(Bad):
        why_not = staticmethod(lambda subject: "it is not built so")

    made.go({"bad": Bad, "unfit": Unfit})  # type: ignore[dict-item]
    assert made.refused["unfit"] == "it is not built so"
    assert set(made.refused) == {"bad", "unfit"}
    assert made.made == []


def row(name: str, latency: float, size: int, drop: float | None, most: float = 0.4) -> Row:
    loss = None if drop is None else Loss("accuracy", 0.9, 0.8, 0.95, 0.9, drop, drop - 0.1, most, 2500, 0.5)
    return Row(name, name, "", size, latency, loss, {}, {})


def test_the_best_is_sure_before_it_is_fast() -> None:
    parent = row("parent", 4.0, 100, None)
    rows = [parent, row("sure", 2.0, 90, 0.1), row("unsure", 1.0, 80, 0.1, 0.9), row("bad", 0.5, 10, 3.0, 4.0)]
    assert best_of(rows, "latency")[0] is rows[1]
    assert best_of([parent, *rows[2:]], "latency")[0] is rows[2]
    assert best_of([parent, rows[3]], "latency") == (
        None, "whatever is faster than the parent loses more than allowed on validation pictures"
    )  # fmt: skip
    assert best_of([parent, row("slow", 5.0, 50, 0.1)], "latency")[0] is None
    assert best_of([parent, row("slow", 5.0, 50, 0.1), rows[1]], "size")[0].name == "slow"  # type: ignore[union-attr]


def test_words_that_cannot_be_meant_are_refused_in_one_line(run: Run) -> None:
    for given, why in (({"max_drop": 0}, "max-drop"), ({"target": "joy"}, "target"), ({"minutes": -1}, "minutes")):
        with pytest.raises(SettingsError, match=why):
            compress(run, **given)  # type: ignore[arg-type]
    with pytest.raises(UnknownNameError, match=r"no method is called 'int9'.*int8"):
        compress(run, methods=("int9",))


def test_a_place_that_cannot_be_written_is_refused_before_the_search(run: Run, data: Dataset, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"mine")
    with pytest.raises(StorageError, match="could not write"):
        compress(run, tmp_path / "file" / "small", data=data, out=tmp_path / "search", methods=("int8",))
    assert not (tmp_path / "search").exists()


def test_a_bundle_needs_its_data_parted_as_it_was(subject: Subject, data: Dataset, tmp_path: Path) -> None:
    place = subject.folder / "parent"
    with pytest.raises(RunError, match="--data"):
        open_subject(place, tmp_path)
    assert open_subject(place, tmp_path, data).parent.version == subject.parent.version
    with pytest.raises(RunError, match="not parted as it was"):
        open_subject(place, tmp_path, toy(Labels, 60))


def test_the_command_speaks_json_and_ends_by_the_verdict(
    found: Any, run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(search, "compress", lambda *given, **named: found)
    assert main(["compress", str(run.path), "--json", "--methods", "int8"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["choice"] == "int8"
    assert answer["written"]["loss"]["verdict"] == "within"
    assert Path(answer["page"]).is_file()
    monkeypatch.setattr(search, "compress", lambda *given, **named: replace(found, written=None))
    assert main(["compress", str(run.path), "--quiet"]) == 3


# ------------------------------------------------------------------------------------------------------- the methods


def test_every_method_says_what_it_is() -> None:
    for name, method in methods.all_methods().items():
        assert method.__doc__, name
        assert isinstance(method.ORDER, int)
        assert isinstance(method.USUAL, bool)
        assert callable(method.forms)
        assert callable(method.why_not)
    assert "weights" not in methods.chosen()
    assert list(methods.chosen(("weights", "int8"))) == ["int8", "weights"]


def test_a_network_that_is_asked_for_no_picture_is_fed_as_its_graph_is(subject: Subject) -> None:
    facts = Facts({"image": InputSpec((16, 16), 1)})
    sampler = replace(subject, task=generate.TASK, facts=facts, network=generate.TASK.network("unet", facts))
    assert set(sampler.examples()) == {"picture", "time"}
    assert counted(sampler, sampler.network)["multiplications"] > 0


def test_fewer_channels_are_a_really_smaller_network_that_still_learns(subject: Subject) -> None:
    before = counted(subject, subject.network)
    network = pruned(subject, 0.4)
    now = counted(subject, network)
    assert now["parameters"] < 0.6 * before["parameters"]
    assert now["multiplications"] < 0.8 * before["multiplications"]
    image = torch.from_numpy(subject.fed()[0]["image"])
    with torch.no_grad():
        first = network(image=image)["logits"]
    assert first.shape == (len(image), 3)
    events: list[Event] = []
    after, told = tune(subject, network, 0.2, tell=events.append)
    assert told["steps"] >= 8
    assert told["pictures"] > 8
    assert events
    with torch.no_grad():
        assert not torch.equal(after(image=image)["logits"], first)


def test_zeros_are_as_many_as_asked_and_stay_while_it_learns(subject: Subject) -> None:
    network, told = tune(subject, subject.copied(), 0.1, after=Sparse(0.8), tell=silent)
    zeros = sum(int((weight == 0).sum()) for weight in wide(network))
    assert zeros / sum(weight.numel() for weight in wide(network)) == pytest.approx(0.8, abs=0.01)
    assert 0.7 < sparsity(network) < 0.8
    assert sparsity(subject.network) < 0.01
    assert told["steps"] >= 8


def test_early_answers_cost_less_and_run_to_the_end_are_the_parents(subject: Subject) -> None:
    from sightline.compressing.leaving import cuts, stages, through

    method = methods.all_methods()["exits"]
    assert method.why_not(subject) == ""
    image = torch.from_numpy(subject.fed()[0]["image"])
    heads = [torch.nn.Identity() for _ in cuts(subject.network)]
    with torch.no_grad():
        last = through(stages(subject.network, heads), image)[-1]
        assert torch.allclose(last, subject.network(image=image)["logits"], atol=1e-4)
    form = next(method.forms(subject, Budget(0.5, FEW, silent)))
    assert form.facts["cost"] < 1
    given = subject.load(form.graph)({"image": image.numpy()})
    assert given["logits"].shape == (len(image), 3)
    assert "features" in given


def test_learning_that_made_it_worse_than_int8_alone_is_dropped(
    found: Any, subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sightline.compressing.methods import aware

    class Held:
        @staticmethod
        def of(graph: bytes) -> Loss:
            drop = 0.1 if graph == b"worse" else 0.0
            return Loss("accuracy", 0.9, 0.8, 0.95, 0.9, drop, drop, drop, 100, 0.5)

    monkeypatch.setattr(aware, "judge", lambda *given: Held)
    budget = Budget(1.0, FEW, silent)
    with pytest.raises(RunError, match=r"lose \+0\.10 points, int8 after training \+0\.00: that stays"):
        aware._worth(subject, budget, Form("aware", "aware", b"worse", ""), 5)
    aware._worth(subject, budget, Form("aware", "aware", b"as good", ""), 5)
