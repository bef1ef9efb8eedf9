"""The same training on growing parts: nested, on one held-out side, and drawn out."""

import json
from pathlib import Path

import numpy as np
import pytest

from sightline.core.errors import SettingsError
from sightline.core.run import Run
from sightline.training.curve import learning_curve
from sightline.training.curve_chart import curve_chart

PLACE = "drawn:shapes?count=300&size=32"


def test_more_data_helps_and_the_curve_says_so(tmp_path: Path) -> None:
    found = learning_curve(PLACE, "classify", model="ridge", out=tmp_path / "curve", shares=(0.1, 0.3, 1.0))
    counts = [point["count"] for point in found.points]
    assert counts == sorted(counts)
    assert counts[0] < 0.15 * counts[-1]
    values = [point["value"] for point in found.points]
    assert values[-1] > values[0]
    assert all(point["low"] <= point["value"] <= point["high"] for point in found.points)
    assert found.metric == "accuracy"
    assert found.ahead[0]["count"] == 2 * counts[-1]
    assert values[-1] - 0.05 < found.ahead[0]["value"] <= 1
    assert found.ahead[0]["low"] <= found.ahead[-1]["high"]
    assert "with twice as many" in found.line
    kept = json.loads((tmp_path / "curve" / "curve.json").read_bytes())
    assert kept["points"] == [dict(point) for point in found.points]
    small = [set(_trained_on(tmp_path / "curve" / name)) for name in ("share-010", "share-030", "share-100")]
    assert small[0] < small[1] < small[2], "a larger part holds every smaller one"
    goal = float(np.mean(values[-2:]))
    assert found.needed(goal) is not None
    assert found.needed(2.0) is None
    assert b"PNG" in curve_chart(found).png()[:8]


def test_it_goes_on_where_it_stopped(tmp_path: Path) -> None:
    first = learning_curve(PLACE, "classify", model="ridge", out=tmp_path, shares=(0.1, 0.3, 1.0))
    before = (tmp_path / "share-030" / "run.json").stat().st_mtime_ns
    again = learning_curve(PLACE, "classify", model="ridge", out=tmp_path, shares=(0.1, 0.3, 1.0))
    assert again.to_json() == first.to_json()
    assert (tmp_path / "share-030" / "run.json").stat().st_mtime_ns == before


@pytest.mark.parametrize("shares", [(0.5, 1.0), (0.0, 0.5, 1.0), (0.1, 0.5, 1.5)])
def test_parts_that_make_no_curve_are_refused(shares: tuple[float, ...], tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="three or more"):
        learning_curve(PLACE, "classify", out=tmp_path, shares=shares)


def _trained_on(folder: Path) -> list[str]:
    lines = (folder / "sides.jsonl").read_text().splitlines()[1:]
    return [row["id"] for row in map(json.loads, lines) if row["split"] == "train" and Run(folder).exists]
