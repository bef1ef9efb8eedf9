"""What is written for other runtimes lies beside the bundle, with the record of its comparison, or is not written."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sightline.core import catalog
from sightline.core.errors import BundleError, SettingsError, StorageError
from sightline.core.files import digest
from sightline.core.run import Run
from sightline.core.task import Arrays
from sightline.exporting.export import export
from sightline.exporting.others import export_to


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
