"""The table of a run of a given time."""

import dataclasses
import json
from pathlib import Path
from typing import Any

from sightline.core.run import Run
from sightline.evaluating.scene import Scene
from sightline.evaluating.studies import ladder


def _scene(folder: Path) -> Scene:
    empty: dict[str, Any] = {field.name: None for field in dataclasses.fields(Scene)}
    return Scene(**{**empty, "run": Run(folder)})


def _rung(model: str, **more: Any) -> dict[str, Any]:
    found = {"name": "accuracy", "value": 0.912, "low": 0.9, "high": 0.924, "count": 2500, "better": "higher"}
    plain = {"model": model, "epochs": 3.5, "most": 60.0, "until": 200.0, "closed": False, "state": "done"}
    return {**plain, "found": found, "seconds": 170.4, **more}


def test_a_run_without_a_time_has_no_table(tmp_path: Path) -> None:
    assert ladder.study(_scene(tmp_path)) is None
    (tmp_path / "ladder.json").write_text(json.dumps({"wanted": {"minutes": 5}, "state": "running"}))
    assert ladder.study(_scene(tmp_path)) is None


def test_every_rung_is_in_the_table_and_the_kept_one_is_marked(tmp_path: Path) -> None:
    rungs = [_rung("ridge", closed=True), _rung("first<b>"), _rung("late", state="left out", found=None)]
    book = {"wanted": {"minutes": 5}, "rungs": rungs, "best": 1, "seconds": 299.0, "data_seconds": 3.0}
    (tmp_path / "ladder.json").write_text(json.dumps({**book, "timing_seconds": 2.0}))
    found = ladder.study(_scene(tmp_path))
    assert found is not None
    assert json.loads(json.dumps(found)) == found
    page = ladder.section(found, _scene(tmp_path))
    assert "solved at once" in page
    assert "left out: its time was over" in page
    assert "first&lt;b&gt;" in page
    rows = page.split("<tr>")[2:]
    assert ["kept" in row for row in rows] == [False, True, False]
    assert "0.912" in rows[1]
    assert "0.900 to 0.924" in rows[1]
