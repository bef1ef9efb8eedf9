"""The same training on growing parts: nested, on one held-out side, and drawn out."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sightline.core.errors import SettingsError
from sightline.core.run import Run
from sightline.core.tally import Tally, mean
from sightline.evaluating.intervals import interval
from sightline.training.curve import Curve, Missing, _foretold, learning_curve
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
    drawn = curve_chart(found).svg()
    assert ">100</text>" in drawn, "counts stand below as they are read"
    assert "mathdefault" not in drawn


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


def curve_of(values: list[float], counts: list[int], missing: Missing) -> Curve:
    """What is foretold from a metric that lies like this on thirty samples."""
    noise = np.random.default_rng(0).normal(0, 0.01, 30)
    better = "higher" if missing.higher else "lower"
    tallies = [Tally((value + noise)[:, None], mean, better, limits=(-math.inf, missing.best)) for value in values]
    law, ahead = _foretold(counts, tallies, missing)
    points = tuple({"count": count, **interval(tally).to_json()} for count, tally in zip(counts, tallies, strict=True))
    return Curve("it", points, law, ahead, Path(), missing)


@pytest.mark.parametrize(
    ("missing", "way"),
    [
        (Missing(True, math.inf), lambda error: -20 * np.log10(error)),  # decibels
        (Missing(True, 1.0), lambda error: 1 - error),
        (Missing(False, math.inf), lambda error: error),
    ],
    ids=["decibels", "share", "error"],
)
def test_what_is_missing_falls_whichever_way_the_metric_goes(
    missing: Missing, way: Callable[[float], float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sightline.training.curve.DRAWS", 40)  # of four hundred, which take seconds

    def error(count: float) -> float:
        return float(0.03 + 0.9 * count**-0.5)

    counts = [10, 20, 40, 80]
    found = curve_of([float(way(error(count))) for count in counts], counts, missing)
    for row, near in zip(found.ahead, (0.05, 0.15, 0.25), strict=True):
        assert row["value"] == pytest.approx(way(error(row["count"])), abs=near)
        assert row["low"] < row["value"] + 0.01
        assert row["high"] > row["value"] - 0.01
    assert found.needed(float(way(error(160)))) == pytest.approx(160, rel=0.1)
    assert found.line.endswith(": more data would help")
    worse = curve_of([float(way(error(count))) for count in reversed(counts)], counts, missing)
    assert worse.line.endswith(": more data of this kind would hardly help")
    assert worse.needed(float(way(0.01))) is None
