"""What is written for other runtimes lies beside the bundle, with the record of its comparison, or is not written."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sightline.cli import main
from sightline.compressing.folding import fold, parsed
from sightline.compressing.ranges import observe, ranges
from sightline.compressing.rounding import ROUNDED, written
from sightline.core import bundle as bundles
from sightline.core import catalog, golden
from sightline.core.errors import BundleError, RunError, SettingsError, StorageError
from sightline.core.files import digest
from sightline.core.run import Run
from sightline.core.task import Arrays
from sightline.exporting.export import export
from sightline.exporting.others import export_to
from sightline.predicting.model import bare_model, largest_gap, load
from sightline.predicting.runtimes import forms


@pytest.fixture
def exported(run: Run, data: Any) -> Run:
    if not run.bundle.exists():
        export(run, data=data)
    return run


@pytest.mark.parametrize("to", ["openvino", "torch"])
def test_files_and_the_record_of_their_comparison(exported: Run, tmp_path: Path, to: str) -> None:
    pytest.importorskip("openvino")
    made = export_to(exported, to, tmp_path)
    record = json.loads((tmp_path / f"{to}.json").read_bytes())
    assert record["parity"] == [vars(row) for row in made.parity]
    assert made.parity[0].part.startswith("answers (Labels, ")
    assert all(row.equal for row in made.parity)
    assert {row.part for row in made.parity[1:]} >= {"output logits"}
    written = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert written == {*record["files"], f"{to}.json"}
    for name, said in record["files"].items():
        assert digest((tmp_path / name).read_bytes()) == said["sha256"]
        assert len((tmp_path / name).read_bytes()) == said["size"]


def test_a_bundle_is_told_that_its_run_is_wanted(exported: Run, tmp_path: Path) -> None:
    for word in (exported.bundle, "shipped@denoise_gray"):
        with pytest.raises(RunError, match="is a bundle: what `torch` takes is written from the network"):
            export_to(word, "torch", tmp_path)
    with pytest.raises(RunError, match="no run at"):
        export_to(tmp_path / "nothing", "torch", tmp_path)


def test_what_answers_otherwise_is_not_written(exported: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = catalog.find("exporters", "torch_export")
    plain = entry.reopen

    def crooked(files: bytes, name: str, threads: int | None = None) -> Any:
        passes = plain(files, name, threads)

        def run(arrays: Arrays) -> Arrays:
            return {key: value + 0.5 * (np.arange(value.shape[-1]) == 0) for key, value in passes(arrays).items()}

        return run

    monkeypatch.setattr(entry, "reopen", crooked)
    with pytest.raises(BundleError, match=r"torch does not answer like the trained network \(answers"):
        export_to(exported, "torch", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_run_here_is_written_only_when_that_is_said(
    exported: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        catalog.find("exporters", "torch_export"), "unprovable", lambda: "no such device,", raising=False
    )
    with pytest.raises(BundleError, match=r"torch: no such device, so its answers cannot be compared here.*--unproven"):
        export_to(exported, "torch", tmp_path)
    assert list(tmp_path.iterdir()) == []
    made = export_to(exported, "torch", tmp_path, unproven=True)
    assert made.unproven == json.loads((tmp_path / "torch.json").read_bytes())["unproven"] == "no such device,"
    assert made.parity == ()


def test_a_place_that_is_none_is_told_before_anything_is_made(
    exported: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"mine")
    monkeypatch.setattr(catalog.find("exporters", "torch_export"), "export", None)
    with pytest.raises(StorageError, match=f"could not write {tmp_path / 'file' / 'torch.json'}: "):
        export_to(exported, "torch", tmp_path / "file")


def test_an_unknown_word_is_told_with_the_known_ones(exported: Run, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"--to openvinno: must be one of .*openvino"):
        export_to(exported, "openvinno", tmp_path)


@pytest.fixture(scope="module")
def eight_bits(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same model rounded to int8, with the answers that the rounded graph gives."""
    opened = bundles.load(bundle)
    samples, _, seed = golden.unpack(opened.files["golden.npz"])
    model, fed = parsed(opened.files["model.onnx"]), list[Arrays]()
    fold(model)
    bare = bare_model(opened, "toy")
    usual = catalog.find("exporters", "onnx").load(opened.files["model.onnx"], "toy")
    replace(bare, run=lambda arrays: (fed.append(arrays), usual(arrays))[1]).predict(samples)
    graph = written(model, ranges(observe(model, ROUNDED, fed), "minmax"))
    answers = replace(bare, run=catalog.find("exporters", "onnx").load(graph, "toy")).predict(samples)
    files = {"model.onnx": graph, "golden.npz": golden.pack(samples, answers, seed)}
    files |= {name: data for name, data in opened.files.items() if name not in (*files, "weights.safetensors")}
    card = {key: value for key, value in opened.model.items() if key not in ("format", "needs")}
    return bundles.save(tmp_path_factory.mktemp("int8") / "small.sightline", card, files)


def test_a_bundle_is_converted_beside_itself_and_compared(eight_bits: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", str(eight_bits), "--to", "integer", "--set", "memory=200k"]) == 0
    said, folder = capsys.readouterr().out, eight_bits.with_name("small-integer")
    record = json.loads((folder / "integer.json").read_bytes())
    assert record["bundle"] == bundles.load(eight_bits).version
    assert all(row["equal"] for row in record["parity"])
    assert record["parity"][0]["part"].startswith("answers (Labels, ")
    assert record["parity"][1]["part"] == "output logits"
    needs = record["told"]["model.integer.npz"]
    assert needs["memory"] == needs["arena"] + needs["scratch"] <= 200 * 1024
    assert f"arena: {needs['arena']:,}; scratch: {needs['scratch']:,}" in said
    assert record["files"]["model.integer.npz"]["size"] == (folder / "model.integer.npz").stat().st_size


def test_a_bundle_predicts_by_integers(eight_bits: Path, data: Any) -> None:
    usual = load(eight_bits, threads=1).predict([data[row] for row in range(4)])
    model = load(eight_bits, backend="integer", threads=1, allow=0.05)
    assert model.backend == "integer"
    assert largest_gap(model.predict([data[row] for row in range(4)]), usual) < 0.05
    assert "integer" in {form.runtime for form in forms(bundles.load(eight_bits).files["model.onnx"])}
    assert "integer" not in {form.runtime for form in forms()}, "graphs of floats are not given to it"


def test_what_cannot_be_converted_leaves_nothing(
    eight_bits: Path, exported: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BundleError, match=r"is not in int8.* sightline compress RUN --methods int8"):
        export_to(exported.path, "integer", tmp_path)
    with pytest.raises(SettingsError, match=r"needs [\d,]+ bytes of memory"):
        export_to(eight_bits, "integer", tmp_path, settings=["memory=1k"])
    with pytest.raises(SettingsError, match=r"no setting is called 'memry'. Did you mean 'memory'"):
        export_to(eight_bits, "integer", tmp_path, settings=["memry=1k"])
    with pytest.raises(SettingsError, match="--to torch takes no settings, and was given memory=1k"):
        export_to(exported, "torch", tmp_path, settings=["memory=1k"])
    entry = catalog.find("exporters", "integer")
    plain = entry.reopen
    monkeypatch.setattr(
        entry,
        "reopen",
        lambda *given: lambda arrays: {k: v + (k == "logits") for k, v in plain(*given)(arrays).items()},
    )
    with pytest.raises(
        BundleError, match=r"integer does not answer like the graph that it was made of \(output logits"
    ):
        export_to(eight_bits, "integer", tmp_path)
    assert list(tmp_path.iterdir()) == []
