"""Cross-validation: every sample answered once by a model that saw nothing of its group."""

import json
from pathlib import Path

import pytest

from sightline.core.data import open_data
from sightline.core.errors import SettingsError
from sightline.training.folding import cross_validate

PLACE = "drawn:shapes?count=120&size=32"


def test_every_sample_is_answered_once(tmp_path: Path) -> None:
    found = cross_validate(PLACE, "classify", folds=3, model="ridge", out=tmp_path / "folds")
    assert found.count == 120
    tested: list[str] = []
    for run in found.runs:
        lines = [json.loads(line) for line in (run.path / "sides.jsonl").read_text().splitlines()[1:]]
        tested += [row["id"] for row in lines if row["split"] == "test"]
        assert {row["split"] for row in lines} == {"train", "val", "test"}, "who chose the epoch is not who measures"
    assert sorted(tested) == sorted(open_data(PLACE).column("id"))
    row = found.figures[0]
    assert row["name"] == "accuracy"
    assert len(row["folds"]) == 3
    assert row["mean"] == pytest.approx(sum(row["folds"]) / 3)
    assert row["low"] < row["value"] < row["high"]
    assert row["value"] == pytest.approx(row["mean"], abs=0.02), "folds are of one size"
    assert json.loads((tmp_path / "folds" / "folds.json").read_bytes())["count"] == 120


def test_groups_are_never_parted_and_data_in_memory_does(tmp_path: Path) -> None:
    data = open_data(PLACE)
    from dataclasses import replace

    grouped = data.map(lambda sample: replace(sample, group=f"g{int(sample.id[-3:]) // 6}"), "grouped by six")
    found = cross_validate(grouped, "classify", folds=2, model="ridge", out=tmp_path, look=False)
    assert found.count == 120
    for run in found.runs:
        sides: dict[str, set[str]] = {}
        for line in (run.path / "sides.jsonl").read_text().splitlines()[1:]:
            row = json.loads(line)
            sides.setdefault(f"g{int(row['id'][-3:]) // 6}", set()).add(row["split"])
        assert all(len(some) == 1 for some in sides.values())


def test_one_fold_is_none() -> None:
    with pytest.raises(SettingsError, match="2 or more"):
        cross_validate(PLACE, folds=1)
