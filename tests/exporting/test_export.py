"""A bundle is written where the exported graph answers like the trained network, and nowhere else."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import save as pack

from sightline.core import bundle as bundles
from sightline.core import catalog
from sightline.core.annotations import Labels
from sightline.core.dataset import Dataset
from sightline.core.errors import AmbiguousError, BundleError, RunError, StorageError
from sightline.core.image import ArrayImage, BytesImage
from sightline.core.progress import Event
from sightline.core.run import Run
from sightline.core.sample import Sample
from sightline.core.sides import held_out, reopen
from sightline.core.task import Arrays
from sightline.evaluating.evaluate import evaluate
from sightline.exporting.export import GOLDEN, card_text, compare, export, golden_samples
from sightline.exporting.others import export_to
from sightline.heads import pooled
from sightline.predicting.answers import answers, torch_run
from sightline.predicting.model import load, trained


def _leaning(monkeypatch: pytest.MonkeyPatch, lean: float) -> None:
    """Make the runtime answer otherwise than the network that was trained."""
    exporter = catalog.find("exporters", "onnx")
    plain = exporter.load

    def crooked(data: bytes, name: str, threads: int | None = None) -> Any:
        passes = plain(data, name, threads)

        def run(arrays: Arrays) -> Arrays:
            return {name: value + lean * (np.arange(value.shape[-1]) == 0) for name, value in passes(arrays).items()}

        return run

    monkeypatch.setattr(exporter, "load", crooked)


# --------------------------------------------------------------------------------------------------------- parity


def test_every_part_of_the_path_is_compared_and_told(run: Run, data: Dataset, tmp_path: Path) -> None:
    made = export(run, tmp_path / "toy", data=data)
    outputs = ["output logits", "output features"]
    assert [row.part for row in made.parity] == [f"answers (Labels, {len(held(data, run))} samples)", *outputs]
    assert all(row.equal and 0 <= row.gap <= row.tolerance for row in made.parity)
    assert made.version == bundles.load(made.path).version
    assert json.dumps(made.to_json())


def held(data: Dataset, run: Run) -> list[Any]:
    return golden_samples(held_out(reopen(run.info, data))[1], GOLDEN)


@pytest.mark.parametrize("lean", [0.5, np.nan, 1e30])
def test_a_graph_that_answers_otherwise_is_refused_and_nothing_is_written(
    run: Run, data: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lean: float
) -> None:
    _leaning(monkeypatch, lean)
    with pytest.raises(BundleError, match=r"network \(answers \(Labels, .*; output logits: .*Nothing was"):
        export(run, tmp_path / "toy", data=data)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_refused_before_the_graph_is_made(
    run: Run, data: Dataset, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"mine")
    told: list[Event] = []
    with pytest.raises(StorageError, match="could not write"):
        export(run, tmp_path / "file" / "model", data=data, tell=told.append)
    with pytest.raises(StorageError, match="could not write"):
        export_to(run, "torch", tmp_path / "file", tell=told.append)
    assert told == []


def test_a_refusal_leaves_the_older_bundle_as_it_was(
    run: Run, data: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = export(run, tmp_path / "toy", data=data).version
    _leaning(monkeypatch, 0.5)
    with pytest.raises(BundleError):
        export(run, tmp_path / "toy", data=data)
    assert bundles.load(tmp_path / "toy").version == before


def test_a_network_that_behaves_otherwise_when_traced_is_caught(
    run: Run, data: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A trick that looks whether it is being exported: sound in torch, another graph on disk."""
    plain = pooled._Labels.forward

    def tricky(self: Any, image: torch.Tensor) -> dict[str, torch.Tensor]:
        made = plain(self, image)
        return {"logits": made["logits"].flip(1)} if torch.compiler.is_exporting() else made

    monkeypatch.setattr(pooled._Labels, "forward", tricky)
    with pytest.raises(BundleError, match="does not answer like the trained network"):
        export(run, tmp_path / "toy", data=data)
    assert list(tmp_path.iterdir()) == []


def test_small_differences_within_the_tolerance_are_let_through_and_measured(run: Run, data: Dataset) -> None:
    task, facts, network = trained(run)
    samples, known = held(data, run), torch_run(network)
    wanted = [answer for _, answer in answers(task, known, samples, facts)]

    def leaning(lean: float) -> list[Any]:
        def passes(arrays: Arrays) -> Arrays:
            return {name: value + np.float32(lean) for name, value in known(arrays).items()}

        return compare(task, known, passes, samples, wanted, facts)  # type: ignore[arg-type]

    near, far = leaning(1e-4), leaning(1e-1)
    assert all(row.equal for row in near)
    assert near[1].gap == pytest.approx(1e-4, rel=0.05)
    # one number added to every logit changes no share: only the comparison of raw outputs can see it
    assert far[0].equal
    assert not far[1].equal


# ------------------------------------------------------------------------------------------------------- the bundle


def test_the_bundle_holds_what_it_promises(bundle: Path, run: Run) -> None:
    opened = bundles.load(bundle)
    assert set(opened.files) == {"weights.safetensors", "golden.npz", "model.onnx", "card.md"}
    card, info = opened.model, run.info
    for name in ("task", "model", "facts", "parameters", "settings", "options", "split", "counts", "versions"):
        assert card[name] == info[name]
    assert card["data"] == {"name": "toy", "fingerprint": info["data"]["fingerprint"]}
    assert card["lineage"]["run"] == run.path.name
    assert card["lineage"]["best_epoch"] == info["best_epoch"]
    assert card["golden"] == {"tolerance": Labels.tolerance, "seed": 0}
    assert card["runs_with"] == "onnxruntime"
    assert opened.files["weights.safetensors"] == run.weights.read_bytes()


def test_the_card_reads_like_a_page(bundle: Path) -> None:
    text = bundles.load(bundle).files["card.md"].decode()
    assert text.startswith("# classify with small\n")
    for line in (
        "- Names: blue, green, red",
        "- Input: image: 32 x 32, 3 channels of uint8, stretch",
        "Not evaluated.",
    ):
        assert line in text
    assert "| output logits |" in text


def test_a_metric_without_a_value_is_said_to_have_none(bundle: Path) -> None:
    """Two pictures to measure on may hold nothing that a metric can count."""
    row = {"name": "recall_at_1", "value": None, "low": None, "high": None, "count": 0}
    text = card_text({**bundles.load(bundle).model, "metrics": [row]})
    assert "| recall_at_1 | none | no interval | 0 |" in text


def test_what_cannot_be_read_is_not_said_to_have_no_truth(bundle: Path) -> None:
    broken = Sample("a", (BytesImage(b"no picture", "a.png"),), Labels(("red",)))
    with pytest.raises(AmbiguousError, match=r"side 'all': 1 of its 1 samples cannot be used, such as a: .*a\.png"):
        evaluate(bundle, Dataset([broken], name="broken"), quick=True)
    bare = Sample("a", (ArrayImage(np.zeros((32, 32, 3), np.uint8), "a"),))
    with pytest.raises(AmbiguousError, match=r"side 'all': none of its 1 samples has a truth\."):
        evaluate(bundle, Dataset([bare], name="bare"), quick=True)


def test_the_same_run_gives_the_same_bundle(run: Run, data: Dataset, bundle: Path, tmp_path: Path) -> None:
    assert export(run, tmp_path / "again", data=data).version == bundles.load(bundle).version


def test_golden_samples_carry_no_truth_and_are_spread_over_the_side(data: Dataset) -> None:
    chosen = golden_samples(data, 5)
    assert [sample.id for sample in chosen] == ["toy-000", "toy-010", "toy-020", "toy-029", "toy-039"]
    assert all(sample.truth is None for sample in chosen)
    assert all((sample.pixels() == data[int(sample.id[-3:])].pixels()).all() for sample in chosen)
    assert len(golden_samples(data[:3], 8)) == 3
    with pytest.raises(RunError, match="no sample"):
        golden_samples(data[:0], 8)


def test_golden_samples_are_those_that_can_be_read(data: Dataset) -> None:
    """The next one takes the place of one that cannot; nobody is taken twice."""
    cut = (BytesImage(b"", "cut"),)

    def broken(*rows: int) -> Dataset:
        return Dataset([replace(one, images=cut) if row in rows else one for row, one in enumerate(data[:8])])

    for rows, wanted in (((0, 7), [1, 2, 3, 4, 5]), ((0, 1, 2, 3, 4, 5), [6, 7]), ((4, 5, 6, 7), [0, 1, 2, 3])):
        assert [int(sample.id[-3:]) for sample in golden_samples(broken(*rows), 5)] == wanted, rows
    with pytest.raises(RunError, match="none of the 8 samples held back can be read"):
        golden_samples(broken(*range(8)), 5)


def test_an_unfinished_run_is_refused(run: Run, data: Dataset, tmp_path: Path) -> None:
    other = Run(tmp_path / "unfinished")
    other.write({**{k: v for k, v in run.info.items() if k != "format"}, "state": "running"})
    with pytest.raises(RunError, match="is not done"):
        export(other, data=data)
    with pytest.raises(RunError, match="no run at"):
        export(tmp_path / "nowhere", data=data)


def test_a_run_on_data_in_memory_asks_for_it_again(run: Run) -> None:
    with pytest.raises(RunError, match="give the same data again"):
        export(run)


# ----------------------------------------------------------------------------------------------------- golden answers


def _rebuilt(bundle: Path, out: Path, **files: bytes) -> Path:
    """The same bundle with other members, sealed anew so that every hash is right."""
    opened = bundles.load(bundle)
    return bundles.save(out, dict(opened.model) | {"format": 1, "needs": "0.1"}, {**opened.files, **files})


def test_other_weights_under_a_true_seal_are_caught_by_the_golden_answers(bundle: Path, tmp_path: Path) -> None:
    weights = bundles.weights(bundles.load(bundle))
    last = max(name for name in weights if name.endswith("head.1.bias"))
    weights[last] = weights[last] + np.array([3, 0, 0], np.float32)
    path = _rebuilt(bundle, tmp_path / "other", **{"weights.safetensors": pack(weights)})
    with pytest.raises(BundleError, match=r"does not give its golden answers here: gap 0\.\d+, allowed 0\.001"):
        load(path, backend="torch")


def test_another_graph_under_a_true_seal_is_caught(bundle: Path, tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    model = onnx.load_from_string(bundles.load(bundle).files["model.onnx"])
    for one in model.graph.initializer:
        values = onnx.numpy_helper.to_array(one)
        if one.name.endswith("head.1.weight"):
            one.CopyFrom(onnx.numpy_helper.from_array(-values, one.name))
    path = _rebuilt(bundle, tmp_path / "other", **{"model.onnx": model.SerializeToString()})
    with pytest.raises(BundleError, match="does not give its golden answers here"):
        load(path)


def test_weights_of_another_network_are_refused_in_one_line(bundle: Path, tmp_path: Path) -> None:
    weights = bundles.weights(bundles.load(bundle))
    weights.pop(next(iter(weights)))
    path = _rebuilt(bundle, tmp_path / "other", **{"weights.safetensors": pack(weights)})
    with pytest.raises(BundleError, match="the weights do not suit the network 'small'"):
        load(path, backend="torch")
